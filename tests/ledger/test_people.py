"""A person's facts reach all their loans, those that run and those to come."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from duecourse.errors import Conflict, InvalidInput
from duecourse.ledger import outbox, queries
from duecourse.ledger.registration import register_borrower
from duecourse.loans.facts import Closed, ConsentGiven, HoldLifted, HoldPlaced, OptOut, Reversal
from tests.ledger.world import LENDER, NOON, Book, ask, given, mei, payment

LATER = NOON + timedelta(days=3)
STOP = OptOut(id="stop-1", at=NOON, channel="sms")
BANKRUPT = HoldPlaced(id="h-1", at=NOON, hold="H1", cause="deceased", scope="person", starts=date(2026, 2, 10))
LIFTED = HoldLifted(id="l-1", at=LATER, hold="H1", on=date(2026, 2, 13))


@pytest.fixture
def loans(book: Book) -> Book:
    for name in ("A", "B", "C"):
        book.register(name)
    book.record("C", Closed(id="c", at=NOON, reason="sold"), NOON)
    return book


def test_an_opt_out_is_told_to_each_open_loan_of_the_person(loans: Book) -> None:
    recorded = loans.record("A", STOP, NOON)
    assert ("B",) == recorded.others
    assert ["opt_out"] == [row.kind for row in loans.rows("B")]
    told = loans.ledger.consult(outbox.due, NOON, older_than=timedelta(0))
    assert {"A": 1, "B": 1, "C": 1} == {batch.loan: len(batch.rows) for batch in told}


def test_a_closed_loan_is_not_told_but_has_it_when_a_reversal_opens_it_again(book: Book) -> None:
    for name in ("A", "B"):
        book.register(name)
    book.record("B", payment("p1", "300.00"), NOON)
    book.record("A", BANKRUPT, NOON)
    assert {"A": ["hold_placed"], "B": ["payment"]} == {
        batch.loan: [row.kind for row in batch.rows]
        for batch in book.ledger.consult(outbox.due, NOON, older_than=timedelta(0))
    }
    book.record("B", Reversal(id="r1", at=LATER, payment="p1"), LATER)
    assert "held" == book.ledger.consult(queries.line, LENDER, "B", LATER).stage


def test_the_gate_hears_of_it_on_every_loan(loans: Book) -> None:
    loans.record("A", STOP, NOON)
    result = loans.reserve(ask("B"), NOON)
    assert "withheld" == result.outcome  # type: ignore[union-attr]  # anything else has no outcome and fails
    assert "T-OPT-OUT" == result.judged.rule  # type: ignore[union-attr]


def test_the_same_fact_through_another_loan_is_the_same_fact(loans: Book) -> None:
    loans.record("A", STOP, NOON)
    assert loans.record("B", STOP, NOON).again
    assert loans.record("C", STOP, NOON).again
    assert 1 == len(loans.rows("B"))
    with pytest.raises(Conflict):
        loans.record("B", STOP.model_copy(update={"channel": "email"}), NOON)
    with pytest.raises(Conflict):
        loans.record("C", STOP.model_copy(update={"channel": "email"}), NOON)


def test_a_loan_registered_later_begins_with_what_is_in_force(loans: Book) -> None:
    loans.record("A", STOP, NOON)
    loans.record("A", BANKRUPT, NOON)
    registered = loans.register("D", now=LATER)
    assert ["opt_out", "hold_placed"] == [row.kind for row in registered.rows[:2]]
    assert [1, 2] == [row.loan_seq for row in registered.rows[:2]]


def test_only_the_last_word_on_a_channel_is_inherited(loans: Book) -> None:
    loans.record("A", STOP, NOON)
    loans.record("B", ConsentGiven(id="yes", at=LATER, channel="sms"), LATER)
    registered = loans.register("D", now=LATER)
    assert ["consent"] == [row.kind for row in registered.rows if row.kind in ("consent", "opt_out")]


def test_consents_of_the_file_are_inherited_too(book: Book) -> None:
    book.ledger.transact(register_borrower, LENDER, mei(consents=(given("email", "revoked"),)))
    assert ["opt_out"] == [row.kind for row in book.register("A").rows]


def test_a_hold_of_the_person_is_placed_and_lifted_through_any_loan(loans: Book) -> None:
    loans.record("A", BANKRUPT, NOON)
    assert ["hold_placed"] == [row.kind for row in loans.rows("B")]
    assert loans.record("B", BANKRUPT, NOON).again
    assert ("A",) == loans.record("B", LIFTED, LATER).others
    assert ["hold_placed", "hold_lifted"] == [row.kind for row in loans.rows("A")]
    assert "hold_placed" not in [row.kind for row in loans.register("D", now=LATER).rows]


def test_a_hold_of_one_debt_stays_with_it(loans: Book) -> None:
    loans.record("A", BANKRUPT.model_copy(update={"scope": "debt"}), NOON)
    assert () == loans.rows("B")
    with pytest.raises(Conflict, match="of loan A already"):
        loans.record("B", BANKRUPT.model_copy(update={"id": "h-2"}), NOON)
    assert () == loans.rows("B"), "all or nothing"


def test_a_refused_hold_reaches_no_loan(loans: Book) -> None:
    with pytest.raises(InvalidInput):
        loans.record("A", BANKRUPT.model_copy(update={"ends": date(2026, 2, 1)}), NOON)
    assert () == loans.rows("B")


def test_a_guarantor_s_other_loans_are_not_touched(book: Book) -> None:
    """The facts are the debtor's: nobody else is contacted about the loan."""
    book.ledger.transact(register_borrower, LENDER, mei(id="B-BO"))
    book.register("A")
    book.register("G", debtor="B-BO", parties=({"borrower": "B-BO"}, {"borrower": "B-MEI", "role": "guarantor"}))
    assert () == book.record("A", STOP, NOON).others
    assert () == book.rows("G")
