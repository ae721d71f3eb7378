"""A scripted story: what happens to a portfolio, day by day, for a demonstration or a rehearsal.

All instants are aware; a step happens at `at` of business time. Nothing here sends or records: a story
only says which fact reaches which loan, and when.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from duecourse.errors import InvalidInput
from duecourse.loans.facts import (
    Cause,
    FactId,
    FromOutside,
    HoldLifted,
    HoldPlaced,
    OptOut,
    Payment,
    Promise,
    Reversal,
)
from duecourse.loans.portfolio import ConsentChannel, LenderRecord, LoanRecord
from duecourse.loans.schedule import minor_unit
from duecourse.loans.terms import Identifier, PositiveAmount
from duecourse.treatments.located import read_yaml, remedy


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    at: AwareDatetime
    lender: Identifier
    loan: Identifier
    note: str = ""


class Start(_Step):
    """The loan enters the book at this moment instead of at the story's beginning."""

    do: Literal["start"]


class Pay(_Step):
    """`id` names the payment where a later step reverses it."""

    do: Literal["pay"]
    amount: PositiveAmount
    id: FactId | None = None


class Reverse(_Step):
    do: Literal["reverse"]
    payment: FactId


class PromiseToPay(_Step):
    do: Literal["promise"]
    amount: PositiveAmount
    by: date


class PlaceHold(_Step):
    do: Literal["hold"]
    id: FactId
    cause: Cause
    review_on: date | None = None


class LiftHold(_Step):
    do: Literal["lift"]
    hold: FactId


class StopMessages(_Step):
    """The loan's debtor wants no more of a channel."""

    do: Literal["opt_out"]
    channel: ConsentChannel


class Publish(BaseModel):
    """A pack is published while the loans run. `folder`: where it lies, from the story's own file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: AwareDatetime
    do: Literal["publish"]
    folder: Annotated[str, Field(pattern=r"^[a-z0-9_]+(/[a-z0-9_]+)*$")]
    note: str = ""


LoanStep = Start | Pay | Reverse | PromiseToPay | PlaceHold | LiftHold | StopMessages
Step = Annotated[LoanStep | Publish, Field(discriminator="do")]


class Story(BaseModel):
    """Steps in the order of time, between two instants of business time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    begins: AwareDatetime
    ends: AwareDatetime
    steps: tuple[Step, ...]

    @property
    def loan_steps(self) -> tuple[LoanStep, ...]:
        """What happens to loans, in the order of time."""
        return tuple(step for step in self.steps if not isinstance(step, Publish))

    @property
    def publications(self) -> tuple[Publish, ...]:
        """The changes of policy, in the order of time."""
        return tuple(step for step in self.steps if isinstance(step, Publish))


@dataclass(frozen=True, slots=True)
class Scene:
    """One step as the loan sees it: the start of the loan (`fact` is None), or a fact."""

    at: datetime
    lender: str
    loan: str
    fact: FromOutside | None
    note: str


def read_story(text: str, loans: Iterable[LoanRecord]) -> Story:
    """Read a story from YAML and hold it against its portfolio.

    Raises:
        InvalidInput: the first step that is malformed, out of order, or speaks of a loan, payment or hold
            that is not there; with its line.
    """
    document = read_yaml(text)
    try:
        story = Story.model_validate(document.data)
    except ValidationError as error:
        one = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, one["loc"]))
        raise InvalidInput(field, "…", remedy(one["type"], one["msg"]), line=document.line(one["loc"])) from error
    book = {(loan.lender, loan.loan): loan for loan in loans}
    for index, problem in _problems(story, book):
        line = document.line(("steps", index))
        raise InvalidInput(f"steps.{index}.{problem.field}", problem.value, problem.expected, line=line)
    return story


def scenes(story: Story, loans: Iterable[LoanRecord], lenders: Mapping[str, LenderRecord]) -> Iterator[Scene]:
    """The story as facts, in order: first the start of every loan that no step starts, then the steps."""
    book = {(loan.lender, loan.loan): loan for loan in loans}
    started = {(step.lender, step.loan) for step in story.steps if isinstance(step, Start)}
    for lender, loan in book:
        if (lender, loan) not in started:
            yield Scene(story.begins, lender, loan, None, "")
    for number, step in enumerate(story.steps, start=1):
        if isinstance(step, Publish):
            continue
        offset = timedelta(minutes=lenders[step.lender].utc_offset_minutes)
        fact = _fact(step, number, book[step.lender, step.loan].currency, (step.at.astimezone(UTC) + offset).date())
        yield Scene(step.at, step.lender, step.loan, fact, step.note)


def _fact(step: LoanStep, number: int, currency: str, on: date) -> FromOutside | None:
    """The fact of a step; `on` is the lender's book date at that moment."""
    fact_id = f"story/{step.loan}/{number}"
    match step:
        case Start():
            return None
        case Pay():
            return Payment(id=step.id or fact_id, at=step.at, amount=step.amount, currency=currency)
        case Reverse():
            return Reversal(id=fact_id, at=step.at, payment=step.payment)
        case PromiseToPay():
            return Promise(id=fact_id, at=step.at, amount=step.amount, currency=currency, by=step.by)
        case PlaceHold():
            return HoldPlaced(
                id=fact_id, at=step.at, hold=step.id, cause=step.cause, starts=on, review_on=step.review_on
            )
        case LiftHold():
            return HoldLifted(id=fact_id, at=step.at, hold=step.hold, on=on)
        case StopMessages():
            return OptOut(id=fact_id, at=step.at, channel=step.channel)


def _problems(story: Story, book: Mapping[tuple[str, str], LoanRecord]) -> Iterator[tuple[int, InvalidInput]]:
    before = story.begins
    late = {(step.lender, step.loan) for step in story.steps if isinstance(step, Start)}
    payments: set[tuple[str, str]] = set()
    holds: set[tuple[str, str]] = set()
    for index, step in enumerate(story.steps):
        if not before <= step.at <= story.ends:
            expected = f"an instant from {before.isoformat()} (the step before) to {story.ends.isoformat()}"
            yield index, InvalidInput("at", step.at.isoformat(), expected)
        before = max(before, step.at)
        if isinstance(step, Publish):
            continue
        loan = book.get((step.lender, step.loan))
        if loan is None:
            yield index, InvalidInput("loan", step.loan, f"a loan of lender {step.lender} in the portfolio")
            continue
        if isinstance(step, Start):
            late.discard((step.lender, step.loan))
        elif (step.lender, step.loan) in late:
            yield index, InvalidInput("loan", step.loan, "a loan that has started by then")
        if isinstance(step, Pay | PromiseToPay) and step.amount % minor_unit(loan.currency):
            yield index, InvalidInput("amount", str(step.amount), f"whole units of {minor_unit(loan.currency)}")
        match step:
            case Pay(id=str(payment)):
                payments.add((step.loan, payment))
            case Reverse() if (step.loan, step.payment) not in payments:
                yield index, InvalidInput("payment", step.payment, "the id of an earlier payment of this loan")
            case PlaceHold():
                holds.add((step.loan, step.id))
            case LiftHold() if (step.loan, step.hold) not in holds:
                yield index, InvalidInput("hold", step.hold, "the id of a hold placed earlier on this loan")
            case _:
                pass
