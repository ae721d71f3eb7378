"""Rules as the gate runs them: compiled once from pack files, frozen, without any country's name.

A rule is a coverage, dated versions, and one primitive with its parameters. The primitives are few, since most
clauses of most laws are one of them: hours, a count in a window, a cool-off, consent, what the borrower named, holds,
recipients, content, notices that are owed, and how local time is found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from duecourse.compliance.calendars import BusinessDays, HolidayCalendar
from duecourse.compliance.case import Debt, Place
from duecourse.compliance.local_time import DAY
from duecourse.compliance.weekly import Weekly

Strength = Literal["ban", "presumption", "advisory"]
ObligationKind = Literal["optional", "contract", "statutory"]
Act = Literal["report", "accelerate", "sue", "legal", "contact"]

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
    free_channels: frozenset[str] = frozenset()  # the rule itself leaves these free at any hour


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
    places: frozenset[str]  # home, work, personal (a mobile or an e-mail address)
    pooled: frozenset[str]  # recipients that are counted together; empty: each person alone


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `limit` contacts in any window: N consecutive days, a calendar week or month, or N seconds."""

    limit: int
    unit: Literal["days", "week", "month", "seconds"]
    length: int
    week_start: int  # 0 is Monday
    key: Literal["person", "debt", "address"]
    zone: str | None
    counter: Counter
    merge_products: frozenset[str]  # debts of these products under one account are one debt
    agreed: bool
    counts_earlier: bool  # contacts from before this version came into force count in its windows
    message: str = field(init=False, default="")  # names the sentence of its findings
    told: tuple[tuple[str, str], ...] = field(init=False, default=())  # what they say of the rule itself
    reach: int = field(init=False, default=0)  # how long before the request a contact can stand in one window with it

    def __post_init__(self) -> None:
        length = self.length
        if self.unit == "seconds":
            hours, rest = divmod(length, 3600)
            message, length = ("hours", hours) if rest == 0 else ("minutes", length // 60)
            message = f"cap_{message}" if self.limit != 1 else "gap" if rest == 0 else "gap_minutes"
        else:
            message = "cap_day" if self.unit == "days" and length == 1 else f"cap_{self.unit}"
        channels = ", ".join(sorted(self.counter.channels)) or "*"
        told = (("limit", str(self.limit)), ("length", str(length)), ("per", self.key), ("channels", channels))
        object.__setattr__(self, "message", message)
        object.__setattr__(self, "told", told)
        # In seconds, whatever the zone.
        spans = {"seconds": self.length + 1, "days": (self.length + 2) * DAY, "week": 9 * DAY, "month": 33 * DAY}
        object.__setattr__(self, "reach", spans[self.unit])


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
    scope: Literal["address", "medium", "all"] = "address"  # how far a revocation reaches
    max_age_days: int | None = None  # a consent older than that no longer counts
    renewed_by_message: bool = False  # a message of the person by that channel and address renews it
    forms: frozenset[str] = frozenset()  # forms of consent that count; empty: any
    honour_by: Span | None = None  # by when the law wants a revocation honoured; here it is honoured at once


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
    acts: frozenset[str] = frozenset()  # acts other than contacts that they stop: report, accelerate, sue, legal


@dataclass(frozen=True, slots=True)
class LostContact:
    """When the debtor counts as out of reach: `tries` unanswered calls, or calls unanswered on `days` running days.

    From the next local day on, until the debtor is reached. Whoever of `recipients` refuses is not contacted again.
    """

    recipients: frozenset[str]
    tries: int | None
    days: int | None
    results: frozenset[str]
    require: tuple[str, ...]  # what a message to them must contain or leave out


@dataclass(frozen=True, slots=True)
class Recipients:
    """Only these roles may be contacted, others perhaps while the debtor is out of reach."""

    allowed: frozenset[str]
    lost: LostContact | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What a message must contain, and what it must not."""

    require: tuple[str, ...]
    forbid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A number of calendar days, or of business days where `counting` says which count."""

    days: int
    counting: BusinessDays | None = None

    def after(self, day: int) -> int | None:
        """The last day of the span that begins after `day`; None where a calendar on the way is not published."""
        return day + self.days if self.counting is None else self.counting.after(day, self.days)


@dataclass(frozen=True, slots=True)
class Before:
    """Acts that may follow only when the notice was served and the wait is over, all its days having passed."""

    acts: frozenset[str]
    wait: Span
    since: Literal["sent", "received"]
    at_once_by: frozenset[str]  # channels after which there is no wait


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that is owed: when it arises, by when it must go, and what it passes on its way."""

    trigger: Literal["initial_communication", "past_due", "hold", "milestone", "act"]
    hold_cause: str | None
    earliest_days: int
    latest: Span | None
    forms: tuple[str, ...]
    survives_holds: frozenset[str]  # causes; "*": every hold
    survives_opt_out: bool
    survives_caps: bool
    milestone: str | None = None  # the kind that it follows from
    past_due_day: int = 1
    per: Literal["episode", "debt", "person"] = "episode"  # once for each
    again: tuple[int, int] | None = None  # owed again from so many days after it was served, until so many
    proof: Literal["sent", "must_reach"] = "sent"
    assumed_receipt: Span | None = None
    before: Before | None = None
    served_by: frozenset[str] = frozenset()  # other notices that serve for it
    calendar: HolidayCalendar | None = None  # for the business days before its deadline


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
    max_days_past_due: int | None = None
    cities: frozenset[str] = frozenset()  # in lower case
    postal: tuple[tuple[str, str], ...] = ()  # codes from and to, which stand for the cities as well
    natures: frozenset[str] = frozenset()  # consumer, commercial
    obtained: frozenset[str] = frozenset()  # originated, current, in_default
    not_products: frozenset[str] = frozenset()
    licences: frozenset[str] = frozenset()  # any of them
    places: frozenset[str] = frozenset()  # home, work, personal: the address of the request
    recipients: frozenset[str] = frozenset()
    by_place: bool = field(init=False, default=False)
    by_debt: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_place", bool(self.countries or self.regions or self.cities or self.postal))
        limits = self.min_days_past_due is not None or self.max_days_past_due is not None
        object.__setattr__(
            self,
            "by_debt",
            bool(limits or self.products or self.not_products or self.natures or self.obtained),
        )

    def addresses(self, place: str | None, recipient: str) -> bool:
        """Does it bind contacts with such an address and such a recipient?"""
        return (not self.places or (place or "personal") in self.places) and (
            not self.recipients or recipient in self.recipients
        )

    def binds(
        self,
        role: str,
        agreements: frozenset[str],
        channel: str,
        purpose: str,
        kind: str,
        licences: tuple[str, ...] | None = None,
    ) -> bool:
        """Can it bind such a request of such a lender at all? Licences that are not known count as held."""
        return (
            self.binds_lender(role, agreements, licences)
            and (not self.channels or channel in self.channels)
            and (not self.purposes or purpose in self.purposes)
            and (not self.kinds or kind in self.kinds)
        )

    def binds_lender(self, role: str, agreements: frozenset[str], licences: tuple[str, ...] | None) -> bool:
        """Can it bind such a lender at all?"""
        return (
            (not self.roles or role in self.roles)
            and (not self.licences or licences is None or not self.licences.isdisjoint(licences))
            and all(any(_is_under(held, needed) for held in agreements) for needed in self.agreements)
        )

    def reaches(self, place: Place | None, debts: tuple[Debt, ...]) -> bool:
        """Does it reach this borrower and these debts? What is not known counts as reached: that is stricter."""
        return self.reaches_place(place) and self.reaches_debts(debts)

    def reaches_place(self, place: Place | None) -> bool:
        """Does it bind contacts with somebody who lives there?"""
        if place is None or not self.by_place:
            return True
        if self.countries and place.country not in self.countries:
            return False
        if self.regions and place.region is not None and place.region not in self.regions:
            return False
        return is_in_city(place, self.cities, self.postal)

    def reaches_debts(self, debts: tuple[Debt, ...]) -> bool:
        """Does it bind contacts about these debts? One that it reaches is enough."""
        return not self.by_debt or not debts or any(self._reaches_debt(debt) for debt in debts)

    def _reaches_debt(self, debt: Debt) -> bool:
        return (
            (not self.products or debt.product in self.products)
            and debt.product not in self.not_products
            and (self.min_days_past_due is None or debt.days_past_due >= self.min_days_past_due)
            and (self.max_days_past_due is None or debt.days_past_due <= self.max_days_past_due)
            and (not self.natures or debt.nature is None or debt.nature in self.natures)
            and (not self.obtained or debt.obtained is None or debt.obtained in self.obtained)
        )


def is_in_city(place: Place, cities: frozenset[str], postal: tuple[tuple[str, str], ...]) -> bool:
    """By its name or its postal code; where neither is known it counts as inside."""
    if not cities and not postal:
        return True
    named = place.city is not None and bool(cities)
    coded = place.postal_code is not None and bool(postal)
    if not named and not coded:
        return True
    if place.city is not None and place.city.strip().lower() in cities:
        return True
    code = (place.postal_code or "").strip()
    return coded and any(low <= code[: len(low)] and code[: len(high)] <= high for low, high in postal)


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
