"""What the gate is told: one request, the person, their debts, the contacts so far.

All instants are aware UTC; dates are the borrower's local dates. A tuple that is None is *unknown*,
and whatever needs it fails closed; an empty tuple means that there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Place:
    """Where a borrower lives: ISO 3166 country, state or province code, city, postal code."""

    country: str
    region: str | None = None
    city: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent given or revoked for a channel ("*": all) and an address ("*": all).

    `about` says what was agreed: "contact" (to be contacted there at all), "hours" (at hours that are otherwise
    barred), "frequency" (more often). A plain consent to contact never opens a barred hour.
    """

    channel: str
    address: str
    state: str  # given | revoked
    at: datetime
    about: str = "contact"  # contact | hours | frequency
    debts: tuple[str, ...] = ()  # none named: every debt
    until: date | None = None  # last day on which it holds
    form: str | None = None  # written | electronic | oral; None: not known


@dataclass(frozen=True, slots=True)
class Preference:
    """Times, channels or addresses that the borrower named as inconvenient, in each of their zones.

    Minutes count from local midnight, end exclusive, 1440 = end of the day. No weekdays: every day.
    """

    weekdays: tuple[str, ...] = ()
    from_minute: int = 0
    to_minute: int = 1440
    channel: str = "*"
    address: str = "*"
    until: date | None = None  # last day on which it holds
    place: str = "*"  # home, work: what is tied to that place (landline, postal address), not a mobile or e-mail


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold by cause; without a debt it covers the person. `ends` is the first day after it."""

    cause: str
    debt: str | None
    starts: date
    ends: date | None


@dataclass(frozen=True, slots=True)
class Debt:
    id: str
    product: str
    days_past_due: int
    balance: Decimal
    currency: str
    account: str | None = None  # the account under which it was serviced when obtained
    nature: str | None = None  # consumer | commercial; None: not known
    obtained: str | None = None  # originated | current | in_default, when the lender got it; None: not known


@dataclass(frozen=True, slots=True)
class Event:
    """One contact or attempt in either direction; `result` as in the `decide` contract."""

    at: datetime
    channel: str
    direction: str  # outbound | inbound
    address: str
    debts: tuple[str, ...]
    purpose: str
    result: str
    obligation: str | None = None
    conversation_debts: tuple[str, ...] = ()  # debts spoken of, where others than `debts`
    recipient: str = "debtor"
    place: str | None = None  # home, work: the place to which the address is tied; None for a mobile or e-mail


@dataclass(frozen=True, slots=True)
class Milestone:
    """Something that happened to a debt and that a notice may follow from: furnished to a bureau, assigned, sold."""

    kind: str
    debt: str
    on: date  # local to the borrower


@dataclass(frozen=True, slots=True)
class Lender:
    role: str  # creditor | third_party_collector | servicer | debt_buyer
    agreements: tuple[str, ...] = ()
    licences: tuple[str, ...] | None = None  # None: not known, and then a rule for licensed lenders binds


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    residence: Place | None
    zones: tuple[str, ...]  # every zone the borrower may be in; empty: unknown
    language: str
    consents: tuple[Consent, ...] | None
    preferences: tuple[Preference, ...] | None
    holds: tuple[Hold, ...] | None


@dataclass(frozen=True, slots=True)
class SendWindow:
    """The treatment's own local wishes for a rung, in the same arithmetic as the law.

    `not_before` and `not_after` are local dates (inclusive); minutes count from local midnight,
    end exclusive.
    """

    not_before: date | None = None
    not_after: date | None = None
    from_minute: int = 0
    to_minute: int = 1440


@dataclass(frozen=True, slots=True)
class Request:
    channel: str  # sms | email | call | letter | visit | chat
    address: str  # a contact point's id, or an address in `decide`
    recipient: str
    debts: tuple[str, ...]
    purpose: str  # servicing | reminder | collection | notice | reply | legal
    obligation: str | None  # a rule's id, or "contract"
    at: datetime
    not_after: datetime
    window: SendWindow = SendWindow()
    place: str | None = None  # home, work: the place to which the address is tied; None for a mobile or e-mail
    approved: tuple[str, ...] = ()  # rules that left this very contact to a person, who said yes to it


@dataclass(frozen=True, slots=True)
class Case:
    packs: tuple[str, ...]
    lender: Lender
    person: Person
    debts: tuple[Debt, ...]
    history: tuple[Event, ...] | None
    request: Request
    milestones: tuple[Milestone, ...] | None = None
