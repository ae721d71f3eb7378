"""The forms of the contract of `decide`, version 1: a case as it comes in, a verdict as it goes out."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from duecourse.compliance.local_time import parse_minutes, zone_named
from duecourse.compliance.primitive_files import Channel, Direction, Purpose, Recipient, Role, Weekday
from duecourse.errors import InvalidInput

AnyChannel = Literal["*"] | Channel
Result = Literal[
    "sent", "delivered", "undelivered", "bounced", "no_answer", "voicemail", "busy", "not_in_service",
    "wrong_number", "conversation", "refused", "third_party", "message", "opt_out", "consent",
    "reserved", "sending", "unknown", "released", "failed",
]  # fmt: skip


def _zone(name: str) -> str:
    try:
        zone_named(name)
    except InvalidInput as error:
        raise ValueError(error.expected) from error
    return name


def _written_out(value: object) -> object:
    # Numbers would be read as seconds since 1970, and a case of 1970 falls under no rule at all.
    if not isinstance(value, str) or value[4:5] != "-" or value[7:8] != "-":
        raise ValueError("an ISO 8601 text: an instant with an offset, such as 2026-03-06T13:30:00Z, or a date")
    return value


def _in_our_time(instant: datetime) -> datetime:
    # Far from today no zone has a clock and no rule a date; 9999 is how some systems write "never".
    if not FIRST <= instant <= LAST:
        raise ValueError(f"an instant from {FIRST:%Y} to {LAST:%Y}; what has no end is left out or null")
    return instant


def _day_in_our_time(day: date) -> date:
    if day < FIRST.date():
        raise ValueError(f"a date from {FIRST:%Y} on")
    # 9999-12-31 is how many systems write "without end": a date that no contact reaches, and that arithmetic survives.
    return min(day, LAST.date())


def _name(text: str) -> str:
    # "L-1 " is no debt of anyone's, and what was said of L-1 would be lost on it.
    if text != text.strip() or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
        raise ValueError("a text without blanks around it and without control characters")
    return text


def _address(text: str) -> str:
    """One spelling for each address: whoever opted out as "B1@Mail.example" is not written to at b1@mail.example."""
    if "@" in text:
        return text.casefold()
    return "+" + re.sub(r"[\s().-]", "", text[1:]) if text.startswith("+") else text


def _region(value: object) -> object:
    return value.rpartition("-")[2].upper() if isinstance(value, str) else value


def _version(value: object) -> object:
    if type(value) is not int:
        raise ValueError("the number 1")
    return value


def _money(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,6})?", value):
        raise ValueError('an amount as text, such as "500.00": numbers lose cents')
    return value


def _local_time(text: str) -> str:
    try:
        parse_minutes(text)
    except InvalidInput as error:
        raise ValueError(error.expected) from error
    return text


FIRST = datetime(1900, 1, 1, tzinfo=UTC)
LAST = datetime(2199, 12, 31, tzinfo=UTC)

Zone = Annotated[str, AfterValidator(_zone)]
Instant = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_our_time)]
Date = Annotated[date, BeforeValidator(_written_out), AfterValidator(_day_in_our_time)]
Money = Annotated[Decimal, BeforeValidator(_money)]
LocalTime = Annotated[str, AfterValidator(_local_time), Field(description='"HH:MM", "24:00" being the end of the day')]
Name = Annotated[str, Field(min_length=1), AfterValidator(_name)]
Address = Annotated[Name, AfterValidator(_address)]
Region = Annotated[str, BeforeValidator(_region), Field(pattern=r"^[A-Z0-9]{1,3}$")]
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ResidenceIn(_Model):
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166 code")]
    region: Region | None = Field(None, description="ISO 3166-2 code of state or province, e.g. NY")
    city: Name | None = None
    postal_code: Name | None = None


class LenderIn(_Model):
    role: Role
    agreements: tuple[Name, ...] = Field((), description="rules of associations that bind this lender, by pack path")
    licences: tuple[Name, ...] | None = Field(None, description="left out: not known, and rules for licensees bind")


class ConsentIn(_Model):
    channel: AnyChannel
    address: Address = "*"
    state: Literal["given", "revoked"]
    at: Instant
    about: Literal["contact", "hours", "frequency"] = Field("contact", description="what was agreed")
    debts: tuple[Name, ...] = Field((), description="none named: every debt")
    until: Date | None = Field(None, description="last day on which it holds")
    form: Literal["written", "electronic", "oral"] | None = None


class PreferenceIn(_Model):
    weekdays: tuple[Weekday, ...] = Field((), description="none named: every day")
    from_: LocalTime = Field("00:00", alias="from")
    to: LocalTime = "24:00"
    channel: AnyChannel = "*"
    address: Address = "*"
    place: Literal["*", "home", "work"] = "*"
    until: Date | None = Field(None, description="last day on which it holds")


class HoldIn(_Model):
    cause: Name
    debt: Name | None = Field(None, description="left out: it covers the person")
    from_: Date = Field(alias="from")
    to: Date | None = Field(None, description="first day after it; null: open")


class BorrowerIn(_Model):
    id: Name
    residence: ResidenceIn | None = None
    zones: tuple[Zone, ...] | None = Field(None, description="left out: derived from residence and number")
    language: Language = "en"
    consents: tuple[ConsentIn, ...] | None = None
    preferences: tuple[PreferenceIn, ...] | None = None
    holds: tuple[HoldIn, ...] | None = None


class DebtIn(_Model):
    id: Name
    product: Name
    days_past_due: int = Field(ge=0, le=100_000, strict=True)
    balance: Money = Field(description="money is a string")
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    account: Name | None = Field(None, description="the account under which it was serviced when obtained")
    nature: Literal["consumer", "commercial"] | None = Field(None, description="left out: not known, and rules bind")
    obtained: Literal["originated", "current", "in_default"] | None = Field(
        None, description="how it stood when the lender got it; left out: not known, and rules bind"
    )


class EventIn(_Model):
    at: Instant
    channel: Channel
    direction: Direction
    address: Address
    debts: tuple[Name, ...]
    purpose: Purpose
    result: Result
    obligation: Name | None = None
    conversation_debts: tuple[Name, ...] = Field((), description="debts spoken of, where others than `debts`")
    recipient: Recipient = "debtor"
    place: Literal["home", "work"] | None = Field(None, description="the place to which the address was tied")


class MilestoneIn(_Model):
    kind: Name = Field(description="such as furnished, assigned, sold")
    debt: Name
    on: Date


class RequestIn(_Model):
    channel: Channel
    address: Address
    recipient: Recipient = "debtor"
    debts: Annotated[tuple[Name, ...], Field(min_length=1)]
    purpose: Purpose
    obligation: Name | None = Field(None, description="for a notice: the rule that demands it, or contract")
    at: Instant
    not_after: Instant | None = Field(None, description="left out: 30 days after `at`")
    place: Literal["home", "work"] | None = Field(None, description="the place to which the address is tied")


class CaseIn(_Model):
    """A request, the person, their debts, and the contacts so far."""

    version: Annotated[Literal[1], BeforeValidator(_version)]
    packs: Annotated[tuple[Name, ...], Field(min_length=1)] | None = Field(
        None, description="left out: they follow from the residence"
    )
    lender: LenderIn
    borrower: BorrowerIn
    debts: Annotated[tuple[DebtIn, ...], Field(min_length=1)]
    history: tuple[EventIn, ...] | None = None
    milestones: tuple[MilestoneIn, ...] | None = Field(None, description="what happened to the debts besides contacts")
    request: RequestIn


class PackOut(_Model):
    id: str
    version: str
    hash: str


class FindingOut(_Model):
    rule: str
    effect: Literal["allow", "warn", "defer", "bar", "review"]
    strength: str
    until: AwareDatetime | None = Field(None, description="the earliest instant at which this rule alone would allow")
    citation: str
    because: str


class ObligationOut(_Model):
    rule: str
    debt: str
    earliest: date | None
    latest: date | None
    forms: tuple[str, ...]


class VerdictOut(_Model):
    """May it be sent, else when, else why not; with the reasons."""

    version: Literal[1]
    verdict: Literal["permit", "defer", "withhold", "review"]
    until: AwareDatetime | None = Field(None, description="defer: the earliest instant lawful under all rules")
    closes: AwareDatetime | None = Field(None, description="the last lawful instant of that stretch")
    wake: tuple[str, ...] | None = Field(None, description="withhold: kinds of fact after which to ask again")
    packs: tuple[PackOut, ...]
    findings: tuple[FindingOut, ...]
    obligations: tuple[ObligationOut, ...]
    required_content: tuple[str, ...]
    forbidden_content: tuple[str, ...] = ()
