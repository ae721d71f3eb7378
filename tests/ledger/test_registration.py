"""Lenders, borrowers and loans enter; the same content twice changes nothing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from duecourse.errors import Conflict, InvalidInput, NotFound
from duecourse.ledger import outbox
from duecourse.ledger.dossier import read_dossier
from duecourse.ledger.registration import (
    loan_as_registered,
    register_borrower,
    register_lender,
    register_loan,
)
from duecourse.loans.facts import Decided
from duecourse.treatments.ladder import Tier
from tests.ledger.world import (
    LADDER,
    LENDER,
    NOON,
    START,
    Book,
    ask,
    given,
    ladder,
    lender,
    mei,
    message,
    only,
    rung,
    scalar,
    terms,
)


def test_a_loan_that_is_registered_twice_is_the_same_loan(book: Book) -> None:
    first = book.register("A")
    assert ("new", (), False) == (first.outcome, first.rows, first.closed)
    later = START + timedelta(days=2)
    again = book.ledger.transact(register_loan, terms("A", active_from=later), LADDER, Tier.STANDARD, later)
    assert ("again", first.terms, ()) == (again.outcome, again.terms, again.outbox)


@pytest.mark.parametrize(
    "changes",
    [
        {"currency": "USD"},
        {"tier": Tier.LOW},
        {"climbs": ladder(low={"omits": ["early"]})},
        {"installments": terms("A").installments[:2]},
    ],
)
def test_a_loan_of_the_same_id_with_other_content_is_a_conflict(book: Book, changes: dict[str, object]) -> None:
    book.register("A")
    with pytest.raises(Conflict, match="other terms, ladder, tier or creditor"):
        book.register("A", **changes)  # type: ignore[arg-type]  # one change of several kinds


def test_a_start_that_nobody_carried_out_waits_in_the_outbox(book: Book) -> None:
    registered = book.register("A")
    (batch,) = book.ledger.consult(outbox.due, START, older_than=timedelta(0))
    assert (True, (), registered.outbox) == (batch.start, batch.rows, batch.ids)


def test_a_loan_keeps_the_ladder_that_it_was_registered_with(book: Book) -> None:
    book.register("A")
    book.register("B", climbs=ladder(low={"omits": ["early"], "reason": "rarely late"}))
    assert LADDER == book.ledger.consult(loan_as_registered, LENDER, "A").ladder
    with book.ledger.read() as connection:
        assert 2 == scalar(connection, "SELECT count(*) FROM ladders")


def test_an_overdue_loan_begins_with_the_rungs_that_are_skipped(book: Book) -> None:
    late = NOON + timedelta(days=20)
    climbs = only(
        rung("first", "past_due", 1, catch_up="skip_and_record"),
        rung("second", "past_due", 3, catch_up="in_order"),
        rung("third", "past_due", 25, catch_up="skip_and_record"),
    )
    registered = book.register("A", climbs=climbs, active_from=late, now=late)
    assert [("first", "skipped")] == [(row.rung, row.outcome) for row in registered.rows if isinstance(row, Decided)]
    assert [row.loan_seq for row in registered.rows] == list(range(1, len(registered.rows) + 1))


def test_a_loan_needs_its_lender_its_borrowers_and_its_creditor(book: Book) -> None:
    with pytest.raises(NotFound, match="lender"):
        book.register("A", lender="NOBODY")
    with pytest.raises(NotFound, match="borrower"):
        book.register("A", debtor="B-GHOST")
    with pytest.raises(InvalidInput, match="creditor"):
        book.ledger.transact(register_loan, terms("A"), LADDER, Tier.LOW, START, creditor="C9")
    with book.ledger.read() as connection:
        assert 0 == scalar(connection, "SELECT count(*) FROM loans")


def test_a_lender_may_change_its_record(book: Book) -> None:
    assert "again" == book.ledger.transact(register_lender, lender())
    assert "changed" == book.ledger.transact(register_lender, lender(contact_number="+862155550199"))
    book.register("A")
    assert "+862155550199" == book.ledger.consult(read_dossier, LENDER, "A").lender.contact_number


def test_a_borrower_may_move_and_keeps_what_did_not_change(book: Book) -> None:
    book.register("A")
    assert "again" == book.ledger.transact(register_borrower, LENDER, mei())
    assert "changed" == book.ledger.transact(register_borrower, LENDER, mei(email="new@example.com", zones=["UTC"]))
    dossier = book.ledger.consult(read_dossier, LENDER, "A")
    assert ("UTC",) == dossier.person.zones
    assert {"phone", "email", "address"} == {point.id for point in dossier.points}
    assert ["new@example.com"] == [point.address for point in dossier.points if point.channel == "email"]


def test_zones_follow_from_residence_and_number_where_they_are_not_given(book: Book) -> None:
    book.ledger.transact(register_borrower, LENDER, mei(id="B2", phone="+14155550100"))
    book.register("A", debtor="B2")
    zones = book.ledger.consult(read_dossier, LENDER, "A").person.zones
    assert {"Asia/Singapore", "America/Los_Angeles"} <= set(zones)


def test_consents_change_by_facts_once_loans_run(book: Book) -> None:
    book.ledger.transact(register_borrower, LENDER, mei(consents=(given("sms"),)))
    book.register("A")
    with pytest.raises(Conflict, match="as a fact"):
        book.ledger.transact(register_borrower, LENDER, mei(consents=(given("sms"), given("email", "revoked"))))


def test_a_consent_list_that_was_left_out_stays_unknown(book: Book) -> None:
    book.ledger.transact(register_borrower, LENDER, mei(id="B2", consents=None))
    book.register("A", debtor="B2")
    assert book.ledger.consult(read_dossier, LENDER, "A").consents is None
    result = book.reserve(ask("A"), NOON)
    assert not hasattr(result, "reservation"), "unknown fails closed"


def test_repr_of_a_message_shows_no_person() -> None:
    assert "9123" not in repr(message(NOON))
    assert date(2026, 2, 10) == terms("A").installments[0].due_on
