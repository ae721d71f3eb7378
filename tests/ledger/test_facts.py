"""The one door: what enters is validated, sequenced without gaps, and told to the loan."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError

from duecourse.errors import Conflict, InvalidInput, NotFound
from duecourse.ledger import outbox
from duecourse.ledger.columns import instant_text
from duecourse.ledger.dossier import read_dossier
from duecourse.ledger.facts import record_many
from duecourse.loans.facts import (
    Approval,
    Closed,
    Decided,
    Fact,
    HoldLifted,
    HoldPlaced,
    OptOut,
    Payment,
    Promise,
    Reversal,
    ScheduleChanged,
)
from duecourse.loans.loan import Loan
from duecourse.loans.terms import Installment
from tests.ledger.world import LADDER, LENDER, NOON, Book, payment, scalar, terms

LATER = NOON + timedelta(days=1)


@pytest.fixture
def loan(book: Book) -> Book:
    book.register("A")
    return book


def test_a_fact_gets_the_next_place_and_a_message_to_the_loan(loan: Book) -> None:
    first = loan.record("A", payment("p1"), NOON)
    second = loan.record("A", payment("p2", "50.00"), LATER)
    assert [1, 2] == [first.fact.loan_seq, second.fact.loan_seq]
    batches = loan.ledger.consult(outbox.due, LATER, older_than=timedelta(0))
    assert [("A", ("p1", "p2"), True)] == [(b.loan, tuple(r.id for r in b.rows), b.start) for b in batches]


def test_a_fact_that_comes_twice_changes_nothing(loan: Book) -> None:
    first = loan.record("A", payment("p1"), NOON)
    again = loan.record("A", payment("p1"), LATER)
    assert (True, first.fact, ()) == (again.again, again.fact, again.outbox)
    assert 1 == len(loan.rows("A"))


def test_an_id_with_other_content_is_a_conflict(loan: Book) -> None:
    loan.record("A", payment("p1"), NOON)
    with pytest.raises(Conflict, match="other content"):
        loan.record("A", payment("p1", "99.00"), NOON)


def test_the_rows_fold_to_the_loan_that_the_ledger_holds(loan: Book) -> None:
    loan.record("A", payment("p1", "60.00"), NOON)
    loan.record("A", Reversal(id="r1", at=LATER, payment="p1"), LATER)
    folded = Loan.fold(terms("A"), LADDER, loan.rows("A"))
    assert loan.ledger.consult(read_dossier, LENDER, "A").loan == folded
    assert Decimal("300.00") == folded.balance


def hold(id_: str, **changes: object) -> HoldPlaced:
    fields = {"id": id_, "at": NOON, "hold": "h1", "cause": "dispute", "starts": date(2026, 2, 10)}
    return HoldPlaced.model_validate(fields | changes)


@pytest.mark.parametrize(
    ("fact", "field"),
    [
        (payment("x", currency="USD"), "currency"),
        (Reversal(id="x", at=NOON, payment="nobody"), "payment"),
        (hold("x", cause="forbearance"), "ends"),
        (hold("x", ends=date(2026, 2, 1)), "ends"),
        (HoldLifted(id="x", at=NOON, hold="h9", on=date(2026, 2, 10)), "hold"),
        (Promise(id="x", at=NOON, amount=Decimal(10), currency="USD", by=date(2026, 2, 20)), "currency"),
        (Promise(id="x", at=NOON, amount=Decimal(10), currency="CNY", by=date(2026, 2, 9)), "by"),
        (Promise(id="x", at=NOON, amount=Decimal(301), currency="CNY", by=date(2026, 2, 20)), "amount"),
        (OptOut(id="x", at=NOON, channel="sms", contact_point="+6591234567"), "contact_point"),
        (ScheduleChanged(id="x", at=NOON, version=3, installments=terms("A").installments), "version"),
        (
            ScheduleChanged(
                id="x",
                at=NOON,
                version=2,
                installments=tuple(reversed(terms("A").installments)),
            ),
            "installments",
        ),
        (Decided(id="x", at=NOON, episode="0", installment="1", rung="due", channel="sms", outcome="task"), "kind"),
        (payment("decided/7"), "id"),
        (payment("x").model_copy(update={"loan_seq": 4}), "loan_seq"),
        (payment("x", at=NOON + timedelta(days=3)), "at"),
    ],
)
def test_what_the_loan_does_not_admit_is_refused_by_field_and_leaves_no_trace(
    loan: Book, fact: Fact, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        loan.record("A", fact, NOON)
    assert field == refused.value.field
    assert () == loan.rows("A")


def test_a_refusal_does_not_repeat_the_number_that_was_given_as_a_contact_point(loan: Book) -> None:
    with pytest.raises(InvalidInput) as refused:
        loan.record("A", OptOut(id="x", at=NOON, channel="sms", contact_point="+6591234567"), NOON)
    assert "91234567" not in str(refused.value)


def test_a_payment_is_reversed_once(loan: Book) -> None:
    loan.record("A", payment("p1"), NOON)
    loan.record("A", Reversal(id="r1", at=NOON, payment="p1"), NOON)
    with pytest.raises(Conflict, match="reversed already"):
        loan.record("A", Reversal(id="r2", at=NOON, payment="p1"), NOON)


def test_a_hold_id_is_used_once_and_a_hold_is_lifted_once(loan: Book) -> None:
    loan.record("A", hold("x1"), NOON)
    with pytest.raises(InvalidInput, match="not used before"):
        loan.record("A", hold("x2"), NOON)
    loan.record("A", HoldLifted(id="x3", at=NOON, hold="h1", on=date(2026, 2, 10)), NOON)
    with pytest.raises(InvalidInput, match="not lifted before"):
        loan.record("A", HoldLifted(id="x4", at=NOON, hold="h1", on=date(2026, 2, 10)), NOON)


def test_an_approval_answers_an_open_review_and_nothing_else(loan: Book) -> None:
    answer = Approval(id="a1", at=NOON, episode="1", installment="0", rung="referral", answer="approved", by="op-1")
    with pytest.raises(Conflict, match="no review"):
        loan.record("A", answer, NOON)


def test_a_loan_that_is_paid_is_closed_and_a_reversal_opens_it_again(loan: Book) -> None:
    paid = loan.record("A", payment("p1", "300.00"), NOON)
    assert (True, False) == (paid.closed, paid.start)
    with loan.ledger.write() as connection:
        outbox.acknowledge(connection, [*paid.outbox, 1])
    back = loan.record("A", Reversal(id="r1", at=LATER, payment="p1"), LATER)
    assert (False, True) == (back.closed, back.start), "the workflow is gone: signal with start"
    (batch,) = loan.ledger.consult(outbox.due, LATER, older_than=timedelta(0))
    assert batch.start
    further = loan.record("A", payment("p2"), LATER)
    assert (False, False) == (further.closed, further.start)


def test_a_closed_loan_still_takes_money_but_no_hold(loan: Book) -> None:
    loan.record("A", Closed(id="c1", at=NOON, reason="sold"), NOON)
    assert loan.record("A", payment("p1"), LATER).closed
    with pytest.raises(InvalidInput):
        loan.record("A", hold("x"), LATER)
    with pytest.raises(InvalidInput):
        loan.record("A", Closed(id="c2", at=LATER, reason="again"), LATER)


def test_a_new_schedule_takes_the_next_version(loan: Book) -> None:
    new = (Installment(id="n1", due_on=date(2026, 5, 1), principal=Decimal(300)),)
    loan.record("A", ScheduleChanged(id="s2", at=NOON, version=2, installments=new), NOON)
    assert new == loan.ledger.consult(read_dossier, LENDER, "A").loan.installments
    loan.record("A", ScheduleChanged(id="s3", at=NOON, version=3, installments=new), NOON)


def test_several_facts_enter_together_or_not_at_all(loan: Book) -> None:
    with pytest.raises(InvalidInput):
        loan.ledger.transact(record_many, LENDER, "A", [payment("p1"), payment("p2", currency="EUR")], NOON)
    assert () == loan.rows("A")
    done = loan.ledger.transact(record_many, LENDER, "A", [payment("p1"), payment("p2", "1.00")], NOON)
    assert [1, 2] == [one.fact.loan_seq for one in done]


def test_a_fact_for_nobody_says_what_to_do(book: Book) -> None:
    with pytest.raises(NotFound, match="register it first"):
        book.record("GHOST", payment("p1"), NOON)


def test_a_naive_instant_is_refused_by_the_fact_and_by_the_database(loan: Book) -> None:
    naive = datetime(2026, 2, 10, 4)  # noqa: DTZ001  # the point of the test
    with pytest.raises(ValidationError):
        Payment(id="p1", at=naive, amount=Decimal(1), currency="CNY")
    with pytest.raises(InvalidInput, match="time zone"):
        instant_text(naive)
    with pytest.raises((InvalidInput, TypeError)):
        loan.record("A", payment("p1"), naive)
    assert () == loan.rows("A")


def test_money_keeps_every_digit(loan: Book) -> None:
    loan.record("A", payment("p1", "0.10"), NOON)
    loan.record("A", payment("p2", "0.20"), NOON)
    assert Decimal("299.70") == loan.ledger.consult(read_dossier, LENDER, "A").loan.balance
    with loan.ledger.read() as connection:
        assert '"0.10"' in scalar(connection, "SELECT body FROM facts WHERE id = 'p1'")
