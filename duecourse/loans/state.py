"""The state of a loan: terms, the ladder it runs on, and a fold of the rows that the ledger sequenced.

`apply` takes rows in any order and each only once: every field is either keyed by an id, or resolved by
the highest sequence, so that the same rows always give the same loan. Nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from duecourse.loans.decisions import Plan
from duecourse.loans.delinquency import delinquent_days, episode, past_due_days
from duecourse.loans.facts import (
    Approval,
    Closed,
    Contacted,
    Decided,
    Fact,
    HoldLifted,
    HoldPlaced,
    Payment,
    Promise,
    Reversal,
    ScheduleChanged,
)
from duecourse.loans.holds import Held, effective
from duecourse.loans.terms import ZERO, Installment, Terms
from duecourse.loans.waterfall import oldest_unpaid, unpaid_due_before
from duecourse.treatments.ladder import REVIEW_CHANNEL, Ladder

NONE = "0"  # the episode or installment of a rung that has none: never NULL
PAUSED = "ledger:pause_all"  # a pause says nothing of the rung, and no number of such answers makes it a task
ARRIVED = ("accepted", "delivered", "shadow")  # a rung is done by any contact that stands like this

Stage = Literal["current", "due", "overdue", "promised", "held", "review", "legal", "closed"]


class Sent(BaseModel):
    """What is known of one contact; its row with the highest sequence says."""

    state: Literal["accepted", "delivered", "failed", "unknown", "shadow"]
    seq: int


class Claim(BaseModel):
    """Where one rung of one episode and installment stands; the row with the highest sequence says.

    Except that a contact which arrived keeps its rung done, whatever row comes after it: a late receipt
    of another try, or a decision that crossed it, must not send a second time.
    """

    state: Literal["open", "deferred", "withheld", "review", "done", "ended"] = "open"
    outcome: str = ""
    seq: int = 0
    at: AwareDatetime | None = None  # of that row
    decisions: int = 0
    not_before: AwareDatetime | None = None
    closes: AwareDatetime | None = None
    wake: tuple[str, ...] = ()
    channel: str | None = None  # of the last decision or contact; an approval names none
    channel_seq: int = 0
    tried: tuple[str, ...] = ()
    contacts: dict[str, Sent] = Field(default_factory=dict)  # contact id -> what became of it

    @property
    def arrived(self) -> bool:
        return any(sent.state in ARRIVED for sent in self.contacts.values())

    @property
    def uncertain(self) -> bool:
        """Something may have arrived: never sent again by itself."""
        return any(sent.state == "unknown" for sent in self.contacts.values())


class Failure(BaseModel):
    """An activity that ended without an answer; it stands here until the next one records it."""

    at: AwareDatetime
    times: int = 1


class LoanState(BaseModel):
    """State of one loan; a pydantic model, so that it survives continue-as-new."""

    model_config = ConfigDict(extra="forbid")

    terms: Terms
    ladder: Ladder
    seq: int = 0  # the highest sequence up to which nothing is missing
    ahead: tuple[int, ...] = ()  # sequences that arrived above a gap, ascending
    payments: dict[str, Payment] = Field(default_factory=dict)
    reversals: dict[str, int] = Field(default_factory=dict)  # payment id -> the sequence that first undid it
    placed: dict[str, HoldPlaced] = Field(default_factory=dict)
    lifted: dict[str, HoldLifted] = Field(default_factory=dict)
    promises: dict[str, Promise] = Field(default_factory=dict)
    schedule: ScheduleChanged | None = None
    closing: Closed | None = None
    claims: dict[str, Claim] = Field(default_factory=dict)
    heard: dict[str, int] = Field(default_factory=dict)  # kind of fact -> its highest sequence
    plan: Plan | None = None
    failures: dict[str, Failure] = Field(default_factory=dict)  # by claim; not a row, so not in a fold

    @classmethod
    def new(cls, terms: Terms, ladder: Ladder) -> Self:
        # Both are checked already, and a loan is folded with every contact. The empty fields are named because pydantic
        # looks at the signature of a field's factory each time that it needs one.
        return cls.model_construct(  # type: ignore[return-value]  # the plugin forgets Self
            {"terms", "ladder"},
            terms=terms,
            ladder=ladder,
            payments={},
            reversals={},
            placed={},
            lifted={},
            promises={},
            claims={},
            heard={},
            failures={},
        )

    @classmethod
    def fold(cls, terms: Terms, ladder: Ladder, rows: Iterable[Fact]) -> Self:
        """Rebuild the loan from its rows, in any order."""
        loan = cls.new(terms, ladder)
        for row in rows:
            loan.apply(row)
        return loan

    # --- facts ---

    def apply(self, row: Fact) -> None:
        """Take in one row. A row that was applied before changes nothing.

        Raises:
            ValueError: the row has no `loan_seq`, so the ledger never saw it.
        """
        seq = row.loan_seq
        if seq is None:
            raise ValueError(f"fact {row.id} has no loan_seq: record it in the ledger first")
        if seq <= self.seq or seq in self.ahead:
            return
        self._advance(seq)
        self.heard[row.kind] = max(self.heard.get(row.kind, 0), seq)
        match row:
            case Payment():
                _keep_first(self.payments, row.id, row)
            case Reversal():
                self.reversals[row.payment] = min(self.reversals.get(row.payment, seq), seq)
            case HoldPlaced():
                _keep_first(self.placed, row.hold, row)
            case HoldLifted():
                known = self.lifted.get(row.hold)
                if known is None or (row.on, seq) < (known.on, known.loan_seq or 0):
                    self.lifted[row.hold] = row
            case Promise():
                _keep_first(self.promises, row.id, row)
            case ScheduleChanged():
                if self.schedule is None or (row.version, seq) > (self.schedule.version, self.schedule.loan_seq or 0):
                    self.schedule = row
            case Closed():
                if self.closing is None or seq > (self.closing.loan_seq or 0):
                    self.closing = row
            case Approval():
                self._answered(row, seq)
            case Decided():
                self._decided(row, seq)
            case Contacted():
                self._contacted(row, seq)
            case _:
                pass  # consent and opt-out: the gate reads them; here they only wake a withheld rung

    def adopt(self, plan: Plan | None) -> None:
        """Take a newer plan; None and older ones leave what is there."""
        if plan is not None and (self.plan is None or plan.seq >= self.plan.seq):
            self.plan = plan

    def _advance(self, seq: int) -> None:
        waiting = sorted((*self.ahead, seq))
        while waiting and waiting[0] == self.seq + 1:
            self.seq = waiting.pop(0)
        self.ahead = tuple(waiting)

    def fail(self, claim: str, at: datetime) -> None:
        """Remember that the last activity for a claim gave no answer, so that the next is not at once."""
        known = self.failures.get(claim)
        self.failures[claim] = Failure(at=at, times=1 if known is None else known.times + 1)

    def _claim(self, row: Decided | Contacted | Approval) -> Claim:
        name = f"{row.episode}/{row.installment}/{row.rung}"
        self.failures.pop(name, None)
        return self.claims.setdefault(name, Claim())

    def _decided(self, row: Decided, seq: int) -> None:
        claim = self._claim(row)
        if row.rule != PAUSED:
            claim.decisions += 1
        if row.outcome == "try_next":
            claim.tried = tuple(sorted({*claim.tried, row.channel}))
        if seq > claim.channel_seq:
            claim.channel, claim.channel_seq = row.next_channel or row.channel, seq
        if seq < claim.seq:
            return
        claim.seq, claim.at, claim.outcome, claim.wake = seq, row.at, row.outcome, row.wake
        claim.not_before, claim.closes = row.opens, row.closes
        match row.outcome:
            case "deferred" | "failed" | "try_next":
                claim.state = "deferred"
            case "withheld":
                claim.state = "withheld" if row.wake else "ended"
            case "review":
                claim.state = "review"
            case "expired" | "overtaken" | "skipped" | "task":
                claim.state = "ended"

    def _contacted(self, row: Contacted, seq: int) -> None:
        claim = self._claim(row)
        claim.tried = tuple(sorted({*claim.tried, row.channel}))
        known = claim.contacts.get(row.contact)
        if known is None or seq > known.seq:
            claim.contacts[row.contact] = Sent(state=row.state, seq=seq)
        if seq > claim.channel_seq:
            claim.channel, claim.channel_seq = row.channel, seq
        if seq < claim.seq:
            return
        claim.seq, claim.at, claim.outcome, claim.state = seq, row.at, row.state, "done"
        claim.not_before, claim.closes, claim.wake = None, None, ()

    def _answered(self, row: Approval, seq: int) -> None:
        claim = self._claim(row)
        if seq < claim.seq:
            return
        claim.seq, claim.at, claim.outcome = seq, row.at, row.answer
        claim.not_before, claim.closes, claim.wake = None, None, ()
        if row.answer == "refused":
            claim.state = "ended"
        else:  # a message that needed a person's word is still to be sent, and is decided again
            claim.state = "done" if self._for_review(row.rung) else "open"

    def _for_review(self, rung: str) -> bool:
        return any(one.id == rung and REVIEW_CHANNEL in one.channels for one in self.ladder.rungs)

    # --- what is owed ---

    @property
    def installments(self) -> tuple[Installment, ...]:
        return self.schedule.installments if self.schedule else self.terms.installments

    @property
    def standing_payments(self) -> tuple[Payment, ...]:
        """Payments that were not reversed, in the ledger's order."""
        kept = [payment for payment in self.payments.values() if payment.id not in self.reversals]
        return tuple(sorted(kept, key=lambda payment: payment.loan_seq or 0))

    def paid(self, today: date | None = None) -> Decimal:
        """What stands as paid, by value date up to `today` if given."""
        return sum(
            (one.amount for one in self.standing_payments if today is None or self._value_on(one) <= today), ZERO
        )

    def _value_on(self, payment: Payment) -> date:
        return payment.value_on or self.terms.book_date(payment.at)

    @property
    def total(self) -> Decimal:
        return sum((one.total for one in self.installments), ZERO)

    @property
    def balance(self) -> Decimal:
        """What is left of the whole schedule; never below 0."""
        return max(ZERO, self.total - self.paid())

    def overdue_amount(self, today: date) -> Decimal:
        return unpaid_due_before(self.installments, self.paid(today), today)

    def oldest_unpaid(self, today: date) -> Installment | None:
        return oldest_unpaid(self.installments, self.paid(today))

    def holds(self) -> tuple[Held, ...]:
        return effective(self.placed, self.lifted)

    def past_due_days(self, today: date) -> int:
        missed = self.oldest_unpaid(today)
        return 0 if missed is None else past_due_days(missed.due_on, today)

    def delinquent_days(self, today: date) -> int:
        missed = self.oldest_unpaid(today)
        return 0 if missed is None else delinquent_days(missed.due_on, self.terms.grace_days, self.holds(), today)

    def episode(self, today: date) -> str | None:
        paid = [(self._value_on(one), one.amount) for one in self.standing_payments]
        return episode(self.installments, paid, today)

    def promise_in_force(self, today: date) -> Promise | None:
        """The promise that keeps reminders silent today: not yet due and not yet kept."""
        running = [
            one
            for one in self.promises.values()
            if self.terms.book_date(one.at) <= today <= one.by and not self.kept(one)
        ]
        return max(running, key=lambda one: (one.by, one.id), default=None)

    def kept(self, promise: Promise) -> bool:
        """Whether payments made after the promise, by its date, reach its amount less the tolerance."""
        paid = sum(
            (
                one.amount
                for one in self.standing_payments
                if one.at >= promise.at and self._value_on(one) <= promise.by
            ),
            ZERO,
        )
        return paid >= promise.amount - promise.tolerance

    def closed(self) -> bool:
        """Paid in full, or closed by the lender and not reopened by a later reversal."""
        if self.balance == ZERO:
            return True
        if self.closing is None:
            return False
        undone = (seq for payment, seq in self.reversals.items() if payment in self.payments)
        return max(undone, default=0) < (self.closing.loan_seq or 0)

    def stage(self, now: datetime) -> Stage:
        today = self.terms.book_date(now)
        if self.closed():
            return "closed"
        if any(held.covers(today) for held in self.holds()):
            return "held"
        if self.promise_in_force(today):
            return "promised"
        here = (NONE, self.episode(today))  # what was reviewed in an episode that is cured says nothing of today
        for name, claim in self.claims.items():
            episode, _, rung = name.split("/")
            if episode in here and claim.outcome == "approved" and self._for_review(rung):
                return "legal"
        if any(name.split("/")[0] in here and claim.state == "review" for name, claim in self.claims.items()):
            return "review"
        missed = self.oldest_unpaid(today)
        if missed is None or missed.due_on > today:
            return "current"
        return "due" if missed.due_on == today else "overdue"


RowT = TypeVar("RowT", Payment, HoldPlaced, Promise)


def _keep_first(known: dict[str, RowT], name: str, row: RowT) -> None:
    """Two rows with one id: the first in the ledger's order stands, in whatever order they arrive."""
    before = known.get(name)
    if before is None or (row.loan_seq or 0) < (before.loan_seq or 0):
        known[name] = row
