"""What the lender's old system knew: contacts, notices, consents, wishes, holds and milestones, one record each.

A record names people by id and addresses by the id of a contact point, never by number: records lie in the ledger for
good, and verdicts are decided on them. Reading files is in `record_file.py`.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    model_validator,
)

from duecourse.compliance.contract_forms import FIRST, LAST
from duecourse.compliance.local_time import parse_minutes
from duecourse.compliance.primitive_files import Channel, Direction, Purpose, Recipient, Weekday
from duecourse.errors import InvalidInput
from duecourse.loans.facts import Cause, FactId
from duecourse.loans.portfolio import ConsentChannel, Language
from duecourse.loans.terms import Identifier

_DIGITS = re.compile(r"\d{7}|(?:\d[._-]?){9}")  # a date in a name has eight, with signs between them

Result = Literal[
    "sent", "delivered", "undelivered", "bounced", "no_answer", "voicemail", "busy", "not_in_service",
    "wrong_number", "conversation", "refused", "third_party", "message", "unknown",
]  # fmt: skip
Served = Literal["sent", "delivered", "conversation", "undelivered", "bounced", "unknown"]
INBOUND_RESULTS = ("conversation", "message")


def _written_out(value: object) -> object:
    # A number would be read as seconds since 1970, and what happened then counts for nothing.
    if isinstance(value, str) and not re.match(r"^\d{4}-\d{2}-\d{2}", value):
        raise ValueError("expected a date or instant written out, such as 2026-03-06 or 2026-03-06T13:30:00Z")
    if not isinstance(value, str | date):
        raise ValueError("expected text: a date such as 2026-03-06, or an instant such as 2026-03-06T13:30:00Z")
    return value


def _utc(instant: datetime) -> datetime:
    # Far from today no zone has a clock, and the arithmetic of windows ends.
    if not FIRST <= instant <= LAST:
        raise ValueError(f"expected an instant from {FIRST:%Y} to {LAST:%Y}")
    return instant.astimezone(UTC)


def _in_our_time(day: date) -> date:
    if day < FIRST.date():
        raise ValueError(f"expected a date from {FIRST:%Y} on")
    # 9999-12-31 is how many systems write "without end".
    return min(day, LAST.date())


def _point(value: str) -> str:
    if _DIGITS.search(value):
        raise ValueError("expected the id of a contact point, such as phone or old-phone, and not the number itself")
    return value


def _local_time(value: str) -> str:
    try:
        parse_minutes(value)
    except InvalidInput as error:
        raise ValueError(f"expected {error.expected}") from error
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_utc)]
Day = Annotated[date, BeforeValidator(_written_out), AfterValidator(_in_our_time)]
Point = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9._-]{0,63}$"), AfterValidator(_point)]
AnyPoint = Annotated[str, Field(pattern=r"^(\*|[A-Za-z][A-Za-z0-9._-]{0,63})$"), AfterValidator(_point)]
LocalTime = Annotated[str, AfterValidator(_local_time)]
Named = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]


class Record(BaseModel):
    """What all records share. `id` is the lender's; left out, it follows from the content: the file can be repeated."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True, populate_by_name=True
    )

    id: FactId | Literal[""] = ""
    lender: Identifier
    borrower: Identifier

    @model_validator(mode="after")
    def _identified(self) -> Self:
        if not self.id:
            # Past `frozen`: the content must be validated and normal before it can be its own name.
            self.__dict__["id"] = f"recorded-{self.digest()[:32]}"
        return self

    def digest(self) -> str:
        """Of the content without the id."""
        return hashlib.sha256(self.model_dump_json(exclude={"id"}, by_alias=True).encode()).hexdigest()

    @property
    def day(self) -> date:
        """When it begins to matter, for the order in which records are taken in."""
        return date.min


class _Dated(Record):
    at: Moment

    @property
    def day(self) -> date:
        return self.at.date()


class PastContact(_Dated):
    """One contact or attempt, in either direction. `loans`: those it was about; none named: it counts for each.

    `contact_point`: the id of the address, left out for the channel's own; an address that is no longer on record gets
    a name of the lender's choice. `recipient`: who was contacted about this borrower's debt.
    """

    kind: Literal["contact"] = "contact"
    channel: Channel
    direction: Direction = "outbound"
    contact_point: Point | None = None
    loans: tuple[Identifier, ...] = ()
    purpose: Purpose
    result: Result
    conversation_loans: tuple[Identifier, ...] = ()
    recipient: Recipient = "debtor"
    place: Literal["home", "work"] | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.direction == "inbound" and self.result not in INBOUND_RESULTS:
            raise ValueError("expected the result conversation or message for what came in")
        if self.direction == "outbound" and self.result == "message":
            raise ValueError("expected another result than message, which only the borrower sends; try sent")
        return self


class PastNotice(_Dated):
    """A notice that was served: what owes it or waits for it then finds the proof, and caps count it as a contact."""

    kind: Literal["notice"] = "notice"
    obligation: Named  # the id of the rule that demands it, or contract
    loan: Identifier
    channel: Channel
    contact_point: Point | None = None
    result: Served = "sent"
    recipient: Recipient = "debtor"


class PastConsent(_Dated):
    """A consent, or (`about`) an agreement about hours or frequency; `loans`: the only ones it covers."""

    kind: Literal["consent"] = "consent"
    channel: ConsentChannel
    contact_point: AnyPoint = "*"
    about: Literal["contact", "hours", "frequency"] = "contact"
    loans: tuple[Identifier, ...] = ()
    until: Day | None = None
    form: Literal["written", "electronic", "oral"] | None = None


class PastOptOut(_Dated):
    """STOP, or the end of an agreement about hours or frequency."""

    kind: Literal["opt_out"] = "opt_out"
    channel: ConsentChannel
    contact_point: AnyPoint = "*"
    about: Literal["contact", "hours", "frequency"] = "contact"


class Wish(Record):
    """Times, channels or addresses that the borrower named as inconvenient, in each of their zones.

    No weekdays: every day. `until`: the last day on which it holds.
    """

    kind: Literal["preference"] = "preference"
    weekdays: tuple[Weekday, ...] = ()
    from_: LocalTime = Field(default="00:00", alias="from")
    to: LocalTime = "24:00"
    channel: ConsentChannel = "*"
    contact_point: AnyPoint = "*"
    place: Literal["*", "home", "work"] = "*"
    until: Day | None = None

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if parse_minutes(self.from_) == parse_minutes("24:00"):
            raise ValueError("expected a `from` before 24:00; the next day begins at 00:00")
        if parse_minutes(self.from_) == parse_minutes(self.to):
            raise ValueError("expected another time in `to` than in `from`; 00:00 to 24:00 is the whole day")
        return self


class WishEnded(Record):
    """The borrower took a wish back: it holds no more from `on`."""

    kind: Literal["preference_ended"] = "preference_ended"
    preference: FactId
    on: Day

    @property
    def day(self) -> date:
        return self.on


class LanguageNamed(_Dated):
    """The language in which the borrower wants to be written to; the last word counts."""

    kind: Literal["language"] = "language"
    language: Language


class PastHold(Record):
    """A hold; its id lifts it later. Without a loan it covers the person. `ends`: the first day after it."""

    kind: Literal["hold"] = "hold"
    cause: Cause
    loan: Identifier | None = None
    starts: Day
    ends: Day | None = None
    review_on: Day | None = None
    days: Literal["paused", "counted"] = "paused"

    @model_validator(mode="after")
    def _some_days(self) -> Self:
        if self.ends is not None and self.ends <= self.starts:
            raise ValueError("expected an `ends` after `starts`: it is the first day after the hold")
        return self

    @property
    def day(self) -> date:
        return self.starts


class PastMilestone(Record):
    """Something that happened to a debt and that a notice may follow from: furnished to a bureau, sold, accelerated."""

    kind: Literal["milestone"] = "milestone"
    milestone: Named
    loan: Identifier
    on: Day

    @property
    def day(self) -> date:
        return self.on


class HistoryComplete(Record):
    """The lender's word that all that happened to the borrower is on record; `since`: only from that day on."""

    kind: Literal["complete"] = "complete"
    since: Day | None = None


PastRecord = Annotated[
    PastContact
    | PastNotice
    | PastConsent
    | PastOptOut
    | Wish
    | WishEnded
    | LanguageNamed
    | PastHold
    | PastMilestone
    | HistoryComplete,
    Field(discriminator="kind"),
]
PAST_RECORD: TypeAdapter[PastRecord] = TypeAdapter(PastRecord)
KINDS: dict[str, type[PastRecord]] = {
    kind.model_fields["kind"].default: kind
    for kind in (
        PastContact,
        PastNotice,
        PastConsent,
        PastOptOut,
        Wish,
        WishEnded,
        LanguageNamed,
        PastHold,
        PastMilestone,
        HistoryComplete,
    )
}
OWN_POINT = {"sms": "phone", "call": "phone", "email": "email", "letter": "address", "visit": "address", "chat": "chat"}
"""The contact point that a channel has of its own, where a record names none."""
