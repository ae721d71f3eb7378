"""Everything that can happen to a loan, as a tagged union over `kind`.

A fact enters the ledger without a `loan_seq` and leaves it with one: the place in the loan's own
sequence, without gaps, allotted under the loan's lock. Outcomes of our own decisions and contacts are
rows of the same sequence, so that a fold of all rows is the loan.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from duecourse.loans.terms import Amount, Currency, Identifier, Installment, PositiveAmount

FactId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]
Cause = Literal[
    "dispute",
    "cease",
    "attorney",
    "bankruptcy",
    "breathing_space",
    "hardship",
    "forbearance",
    "deceased",
    "hospital",
    "disaster",
    "fraud",
    "vulnerable",
    "complaint",
    "written_off",
    "lender",
    "unclear_reply",  # until a person has read what the borrower wrote
    "paid_claim",  # until a person has looked for the payment
    "unreadable_fact",  # until a fact that the lender's system reported wrongly is mended
]
PAUSES_OPTIONAL = ("unclear_reply", "paid_claim", "unreadable_fact")  # they end with their task in the inbox


class Row(BaseModel):
    """What all rows share: an id, when it happened (business time), and its place in the sequence."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: FactId
    at: AwareDatetime
    loan_seq: int | None = Field(default=None, ge=1)


class Payment(Row):
    kind: Literal["payment"] = "payment"
    amount: PositiveAmount
    currency: Currency
    value_on: date | None = None  # counts from this book date; left out: the book date of `at`


class Reversal(Row):
    """A payment that did not hold: bounced, recalled, booked in error. Names the payment's fact id."""

    kind: Literal["reversal"] = "reversal"
    payment: FactId


class HoldPlaced(Row):
    """A hold from `starts` until `ends` (exclusive), or until lifted or reviewed."""

    kind: Literal["hold_placed"] = "hold_placed"
    hold: FactId
    cause: Cause
    scope: Literal["debt", "person"] = "debt"
    starts: date
    ends: date | None = None
    review_on: date | None = None
    days: Literal["paused", "counted"] = "paused"  # whether held days count as delinquent


class HoldLifted(Row):
    kind: Literal["hold_lifted"] = "hold_lifted"
    hold: FactId
    on: date


class Promise(Row):
    """A promise to pay an amount by a date; reminders are silent until then."""

    kind: Literal["promise"] = "promise"
    amount: PositiveAmount
    currency: Currency
    by: date
    tolerance: Amount = Decimal(0)


class ConsentGiven(Row):
    """Consent to a channel, at one contact point or all ("*"). Says nothing of the address itself.

    `about`: left out, to be contacted there at all; else only at hours that are otherwise barred, or more often.
    `loans`: the only ones it covers. `until`: the last day on which it holds.
    """

    kind: Literal["consent"] = "consent"
    channel: Literal["sms", "email", "call", "letter", "visit", "chat", "*"]
    contact_point: str = "*"
    about: Literal["hours", "frequency"] | None = None
    loans: tuple[Identifier, ...] | None = None
    until: date | None = None
    form: Literal["written", "electronic", "oral"] | None = None


class OptOut(Row):
    """STOP: consent to a channel ("*": all) at a contact point ("*": all) is revoked; `about` as in a consent."""

    kind: Literal["opt_out"] = "opt_out"
    channel: Literal["sms", "email", "call", "letter", "visit", "chat", "*"]
    contact_point: str = "*"
    about: Literal["hours", "frequency"] | None = None


class ScheduleChanged(Row):
    """A new schedule for the whole loan; installments that keep their id keep their history."""

    kind: Literal["schedule_changed"] = "schedule_changed"
    version: int = Field(ge=2)
    installments: tuple[Installment, ...] = Field(min_length=1)


class Approval(Row):
    """A person's answer to a review."""

    kind: Literal["approval"] = "approval"
    episode: str
    installment: str
    rung: str
    answer: Literal["approved", "refused"]
    by: str


class Closed(Row):
    """The lender closes the loan whatever its balance."""

    kind: Literal["closed"] = "closed"
    reason: str = Field(min_length=1, max_length=200)


class Decided(Row):
    """What came of a rung when it was decided and nothing left the house."""

    kind: Literal["decided"] = "decided"
    episode: str
    installment: str
    rung: str
    channel: str
    outcome: Literal["deferred", "withheld", "review", "try_next", "failed", "expired", "overtaken", "skipped", "task"]
    opens: AwareDatetime | None = None
    closes: AwareDatetime | None = None
    wake: tuple[str, ...] = ()
    next_channel: str | None = None
    rule: str = ""
    reviewed: tuple[str, ...] | None = None  # for a review: the rules that leave it to a person


class Contacted(Row):
    """What came of a contact that left, or may have left, the house."""

    kind: Literal["contacted"] = "contacted"
    episode: str
    installment: str
    rung: str
    channel: str
    contact: str
    state: Literal["accepted", "delivered", "failed", "unknown", "shadow"]


FromOutside = (
    Payment | Reversal | HoldPlaced | HoldLifted | Promise | ConsentGiven | OptOut | ScheduleChanged | Approval | Closed
)
Outcome = Decided | Contacted
Fact = Annotated[FromOutside | Outcome, Field(discriminator="kind")]

FACT: TypeAdapter[Fact] = TypeAdapter(Fact)
PERSON_KINDS = ("consent", "opt_out")  # and a hold_placed or hold_lifted of scope "person"
