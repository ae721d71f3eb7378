"""Rules as the gate runs them: compiled once from pack files, frozen, without any country's name.

A rule is a coverage, dated versions, and one primitive with its parameters. The primitives are few, since most
clauses of most laws are one of them: hours, a count in a window, a cool-off, consent, what the borrower named, holds,
recipients, content, notices that are owed, and how local time is found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from duecourse.compliance.case import Debt, Place
from duecourse.compliance.weekly import Weekly

Strength = Literal["ban", "presumption", "advisory"]
ObligationKind = Literal["optional", "contract", "statutory"]

PENDING = frozenset({"reserved", "sending", "unknown"})
"""Results of contacts whose outcome is open: they may still turn out to be anything, and so they count."""


@dataclass(frozen=True, slots=True)
class LocalTime:
    """How a rule finds the borrower's clock: every candidate zone must allow."""

    policy: Literal["every_candidate"]


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Contacts only inside `windows`, in every candidate zone or in one fixed zone."""

    windows: Weekly
    zone: str | None  # None: every zone the borrower may be in
    zone_rule: str | None
    agreed: bool  # other hours may be agreed with the borrower


@dataclass(frozen=True, slots=True)
class Counter:
    """What counts: an empty set means "any". Results in `not_counted` never do; open outcomes always do."""

    channels: frozenset[str]
    directions: frozenset[str]
    results: frozenset[str]
    not_counted: frozenset[str]
    purposes: frozenset[str]
    kinds: frozenset[str]  # optional | contract | statutory
    not_to: frozenset[str]  # recipients whose contacts do not count
    misdirected: bool  # contacts to what proved a wrong number do not count
    consent_days: int | None  # contacts within that many days of the person's consent do not count


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `limit` contacts in any window: N consecutive days, a calendar week, or N seconds."""

    limit: int
    unit: Literal["days", "week", "seconds"]
    length: int
    week_start: int  # 0 is Monday
    key: Literal["person", "debt", "address"]
    zone: str | None
    counter: Counter
    merge_products: frozenset[str]  # debts of these products under one account are one debt
    agreed: bool


@dataclass(frozen=True, slots=True)
class CoolOff:
    """No contact for `days` consecutive local days after an event, whose date is day 1."""

    days: int
    results: frozenset[str]
    channels: frozenset[str]
    directions: frozenset[str]
    key: Literal["person", "debt"]
    zone: str | None
    merge_products: frozenset[str]
    consent_days: int | None
    not_to: frozenset[str]


@dataclass(frozen=True, slots=True)
class ConsentRule:
    """opt_out: allowed until revoked; opt_in: only when given."""

    basis: Literal["opt_out", "opt_in"]
    reply: str | None  # the rule that lets one reply through
    required_by_law: bool  # statutory notices pass
    confirmation: str | None  # one confirmation of the opt-out passes, as an obligation of this name


@dataclass(frozen=True, slots=True)
class NamedTimes:
    """Times, channels, addresses and places that the borrower named as inconvenient."""

    reply: str | None


@dataclass(frozen=True, slots=True)
class OneReply:
    """One answer through the medium that the borrower used; other rules refer to it."""


@dataclass(frozen=True, slots=True)
class HoldRule:
    """Holds of these causes ("*": any) stop contacts; `review` hands them to a person instead."""

    causes: frozenset[str]
    except_causes: frozenset[str]
    effect: Literal["bar", "review"]
    passes_obligations: frozenset[str]
    passes_recipients: frozenset[str]
    reply: str | None


@dataclass(frozen=True, slots=True)
class Recipients:
    """Only these roles may be contacted."""

    allowed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Content:
    """What a message must contain."""

    require: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that is owed: when it arises, by when it must go, and what it passes on its way."""

    trigger: Literal["initial_communication", "past_due", "hold"]
    hold_cause: str | None
    earliest_days: int
    latest_days: int | None
    forms: tuple[str, ...]
    survives_holds: frozenset[str]  # causes; "*": every hold
    survives_opt_out: bool
    survives_caps: bool


Primitive = (
    LocalTime
    | QuietHours
    | Cap
    | CoolOff
    | ConsentRule
    | NamedTimes
    | OneReply
    | HoldRule
    | Recipients
    | Content
    | Notice
)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whom and what a rule binds; an empty set means "any"."""

    roles: frozenset[str] = frozenset()
    products: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    agreements: frozenset[str] = frozenset()  # all of them must bind the lender
    countries: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    min_days_past_due: int | None = None
    everywhere: bool = field(init=False, default=True)  # it looks neither at the place nor at the debts

    def __post_init__(self) -> None:
        looks = self.countries or self.regions or self.products or self.min_days_past_due is not None
        object.__setattr__(self, "everywhere", not looks)

    def binds(self, role: str, agreements: frozenset[str], channel: str, purpose: str, kind: str) -> bool:
        """Can it bind such a request of such a lender at all?"""
        return (
            (not self.roles or role in self.roles)
            and (not self.channels or channel in self.channels)
            and (not self.purposes or purpose in self.purposes)
            and (not self.kinds or kind in self.kinds)
            and all(any(_is_under(held, needed) for held in agreements) for needed in self.agreements)
        )

    def reaches(self, place: Place | None, debts: tuple[Debt, ...]) -> bool:
        """Does it reach this borrower and these debts? What is not known counts as reached: that is stricter."""
        if place is not None:
            if self.countries and place.country not in self.countries:
                return False
            if self.regions and place.region is not None and place.region not in self.regions:
                return False
        if not debts or (not self.products and self.min_days_past_due is None):
            return True
        return any(
            (not self.products or debt.product in self.products)
            and (self.min_days_past_due is None or debt.days_past_due >= self.min_days_past_due)
            for debt in debts
        )


def _is_under(held: str, needed: str) -> bool:
    """An agreement is named by a pack's path; one that is held covers what lies under it, and the other way round."""
    return held == needed or held.startswith(f"{needed}/") or needed.startswith(f"{held}/")


@dataclass(frozen=True, slots=True)
class Text:
    """The same text in the languages that the files hold; `en` is always there."""

    en: str
    zh: str

    def said(self, language: str) -> str:
        return self.zh if language.startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """One dated version of a rule, in force from `starts` (epoch seconds) until before `ends`."""

    rule: str
    pack: str
    pack_version: str
    adopted: date | None
    in_force: date
    ended: date | None
    starts: int
    ends: int
    strength: Strength
    grade: str
    citation: str
    coverage: Coverage
    primitive: Primitive


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with all its versions, as a handbook prints it."""

    id: str
    text: Text
    citation: str
    href: str | None
    grade: str
    strength: Strength
    on: bool  # unverified rules (grade M) are off unless the pack switches them on
    approximated: str | None
    file: str
    line: int
    versions: tuple[RuleVersion, ...] = field(default=())
