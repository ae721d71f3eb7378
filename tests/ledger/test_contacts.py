"""A contact after its reservation: each step once, and what the loan hears of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from duecourse.errors import Conflict, NotFound
from duecourse.ledger import outbox, queries
from duecourse.ledger.contacts import (
    Superseded,
    accept,
    keep_text,
    mark_sending,
    mark_unknown,
    newer_attempt,
    open_review,
    receive,
    release,
    settle,
)
from duecourse.ledger.outcomes import Ask, Reserved, Resumed, Settled
from duecourse.ledger.sending import Sending
from duecourse.loans.facts import Approval, Contacted, Decided
from tests.ledger.world import LENDER, NOON, Book, ask, message, payment

LATE = datetime(2026, 2, 16, 4, tzinfo=UTC)
SOON = NOON + timedelta(seconds=30)


@pytest.fixture
def loan(book: Book) -> Book:
    book.register("A")
    book.register("B")
    return book


def reserve(book: Book, request: Ask | None = None, now: datetime = NOON) -> str:
    result = book.reserve(request or ask("A"), now)
    assert isinstance(result, Reserved)
    return result.reservation.contact.id


def sending(book: Book, request: Ask | None = None, now: datetime = NOON) -> str:
    contact = reserve(book, request, now)
    book.ledger.transact(mark_sending, contact, 1, now + timedelta(seconds=30), now, message(now))
    return contact


def state(book: Book, contact: str) -> str:
    return book.ledger.consult(queries.contact, contact).state


def test_acceptance_is_one_row_however_often_it_is_said(loan: Book) -> None:
    contact = sending(loan)
    first = loan.ledger.transact(accept, contact, "SM1", NOON, NOON, 0)
    again = loan.ledger.transact(accept, contact, "SM1", NOON, SOON, 0)
    assert ("sent", first.rows) == (again.outcome, again.rows)
    assert ["accepted"] == [row.state for row in loan.rows("A") if isinstance(row, Contacted)]


def test_the_text_of_the_first_attempt_is_the_text_of_each(loan: Book) -> None:
    contact = reserve(loan)
    frozen = loan.ledger.transact(mark_sending, contact, 1, SOON, NOON, message(NOON, "first"))
    loan.reserve(ask("A"), SOON)
    again = loan.ledger.transact(mark_sending, contact, 2, SOON, SOON, message(SOON, "second"))
    assert frozen == again == message(NOON, "first")
    stored = loan.ledger.consult(queries.contact, contact)
    assert frozen == stored.message
    assert SOON == stored.at, "the caps count the instant of the send"


def test_a_stalled_attempt_can_neither_mark_nor_call(loan: Book) -> None:
    contact = reserve(loan)
    loan.ledger.transact(mark_sending, contact, 1, SOON, NOON, message(NOON))
    assert not loan.ledger.consult(newer_attempt, contact, 1)
    loan.reserve(ask("A"), SOON)  # the next attempt takes over
    assert loan.ledger.consult(newer_attempt, contact, 1)
    with pytest.raises(Superseded):
        loan.ledger.transact(mark_sending, contact, 1, SOON, SOON, message(NOON))


def test_nothing_is_sent_for_a_contact_that_is_settled(loan: Book) -> None:
    contact = sending(loan)
    loan.ledger.transact(mark_unknown, contact, SOON, 0)
    assert loan.ledger.consult(newer_attempt, contact, 1)
    with pytest.raises(Superseded):
        loan.ledger.transact(mark_sending, contact, 1, SOON, SOON, message(NOON))


def test_unknown_counts_and_is_never_sent_again_by_itself(loan: Book) -> None:
    contact = sending(loan)
    result = loan.ledger.transact(mark_unknown, contact, SOON, 0)
    assert "unknown" == result.outcome
    assert ["unknown"] == [row.state for row in result.rows if isinstance(row, Contacted)]
    again = loan.reserve(ask("A"), SOON)
    assert isinstance(again, Settled)
    assert "unknown" == again.outcome
    assert not isinstance(loan.reserve(ask("B"), SOON), Reserved), "the cap is used"


def test_an_unknown_notice_goes_by_another_channel_and_both_count(loan: Book) -> None:
    contact = sending(loan, ask("A", "notice", LATE), LATE)
    loan.ledger.transact(mark_unknown, contact, LATE, 0)
    day_after = LATE + timedelta(days=1)
    reserve(loan, ask("A", "notice", day_after, channel="letter"), day_after)
    assert 2 == len(loan.ledger.consult(queries.contacts_of, LENDER, "A"))


def test_a_late_look_up_turns_unknown_into_accepted(loan: Book) -> None:
    contact = sending(loan)
    loan.ledger.transact(mark_unknown, contact, SOON, 0)
    assert "sent" == loan.ledger.transact(accept, contact, "SM1", NOON, SOON, 0).outcome
    assert "accepted" == state(loan, contact)


def test_what_was_released_cannot_be_accepted(loan: Book) -> None:
    contact = sending(loan)
    loan.ledger.transact(release, contact, NOON)
    with pytest.raises(Conflict, match="released"):
        loan.ledger.transact(accept, contact, "SM1", NOON, NOON, 0)


def test_a_release_never_undoes_an_acceptance(loan: Book) -> None:
    contact = sending(loan)
    loan.ledger.transact(accept, contact, "SM1", NOON, NOON, 0)
    loan.ledger.transact(release, contact, NOON)
    assert "accepted" == state(loan, contact)


def test_what_a_stalled_attempt_says_late_does_not_free_the_slot_of_the_next(loan: Book) -> None:
    contact = sending(loan)
    assert isinstance(loan.reserve(ask("A"), SOON), Resumed)
    loan.ledger.transact(release, contact, SOON, attempt=1)
    assert "sending" == state(loan, contact)
    loan.ledger.transact(release, contact, SOON, attempt=2)
    assert "released" == state(loan, contact)


def test_a_contact_without_a_reservation_does_not_exist(loan: Book) -> None:
    with pytest.raises(NotFound):
        loan.ledger.transact(accept, "0" * 32, "SM1", NOON, NOON, 0)


# --- receipts ---


def test_a_receipt_is_told_to_the_loan_once(loan: Book) -> None:
    contact = sending(loan)
    loan.ledger.transact(accept, contact, "SM1", NOON, NOON, 0)
    for _ in range(2):
        assert contact == loan.ledger.transact(receive, "sms", "SM1", "delivered", SOON, SOON)
    assert "delivered" == state(loan, contact)
    told = [batch for batch in loan.ledger.consult(outbox.due, SOON, older_than=timedelta(0)) if batch.loan == "A"]
    assert [f"contact/{contact}/delivered"] == [row.id for batch in told for row in batch.rows]


def test_a_receipt_that_is_faster_than_our_own_record_is_kept_for_it(loan: Book) -> None:
    contact = sending(loan)
    assert loan.ledger.transact(receive, "sms", "SM1", "delivered", SOON, SOON) is None
    result = loan.ledger.transact(accept, contact, "SM1", NOON, SOON, 0)
    assert ["accepted", "delivered"] == [row.state for row in result.rows if isinstance(row, Contacted)]


def test_delivered_stays_delivered_whatever_comes_after(loan: Book) -> None:
    contact = sending(loan)
    loan.ledger.transact(accept, contact, "SM1", NOON, NOON, 0)
    loan.ledger.transact(receive, "sms", "SM1", "delivered", SOON, SOON)
    loan.ledger.transact(receive, "sms", "SM1", "failed", SOON, SOON)
    assert "delivered" == state(loan, contact)


def test_a_notice_that_did_not_arrive_is_owed_by_the_next_channel_then_by_a_person(loan: Book) -> None:
    first = sending(loan, ask("A", "notice", LATE), LATE)
    loan.ledger.transact(accept, first, "M1", LATE, LATE, 0)
    loan.ledger.transact(receive, "email", "M1", "failed", LATE, LATE)
    last = loan.rows("A")[-1]
    assert isinstance(last, Decided)
    assert ("try_next", "letter") == (last.outcome, last.next_channel)
    second = sending(loan, ask("A", "notice", LATE, channel="letter"), LATE)
    loan.ledger.transact(accept, second, "LT1", LATE, LATE, 0)
    loan.ledger.transact(receive, "letter", "LT1", "failed", LATE, LATE)
    assert ["notice"] == [task.rung for task in loan.ledger.consult(queries.list_tasks)]


# --- settling ---


def test_an_activity_without_an_answer_leaves_nothing_reserved(loan: Book) -> None:
    contact = reserve(loan)
    result = loan.ledger.transact(settle, ask("A"), SOON)
    assert isinstance(result, Settled)
    assert ("deferred", "released") == (result.outcome, state(loan, contact))
    row = result.rows[-1]
    assert isinstance(row, Decided)
    assert ("failed", SOON + timedelta(minutes=15)) == (row.outcome, row.opens)
    assert isinstance(loan.reserve(ask("B"), SOON), Reserved)


def test_settling_again_is_the_same_answer(loan: Book) -> None:
    first = loan.ledger.transact(settle, ask("A"), SOON)
    again = loan.ledger.transact(settle, ask("A"), SOON)
    assert first.rows == again.rows  # type: ignore[union-attr]  # a Resumed has no rows and fails


def test_settling_waits_longer_each_time(loan: Book) -> None:
    pauses = []
    now, seq = LATE, 0
    for _ in range(6):
        result = loan.ledger.transact(settle, ask("A", "notice", now, seq=seq), now)
        assert isinstance(result, Settled)
        assert result.opens is not None
        pauses.append(result.opens - now)
        now, seq = result.opens, result.rows[-1].loan_seq or 0
    assert sorted(pauses) == pauses
    assert [15, 30, 60, 120, 240, 240] == [pause.total_seconds() / 60 for pause in pauses]


def test_what_may_be_on_the_wire_is_looked_up_before_the_loan_goes_on(loan: Book) -> None:
    contact = sending(loan)
    loan.record("A", payment("p1", "300.00"), SOON)
    result = loan.ledger.transact(settle, ask("A"), SOON)
    assert isinstance(result, Resumed)
    assert (True, contact) == (result.moot, result.reservation.contact.id)
    loan.ledger.transact(mark_unknown, contact, SOON, 0)
    after = loan.ledger.transact(settle, ask("A"), SOON)
    assert isinstance(after, Settled)
    assert "unknown" == after.outcome


def test_settling_a_contact_that_was_accepted_gives_its_answer(loan: Book) -> None:
    sent = loan.send(ask("A"), NOON)
    result = loan.ledger.transact(settle, ask("A"), SOON)
    assert isinstance(result, Settled)
    assert ("sent", sent.rows) == (result.outcome, result.rows)


# --- reviews and shadows ---


def test_a_review_is_opened_once_and_answered_by_a_fact(loan: Book) -> None:
    due = datetime(2026, 3, 13, 4, tzinfo=UTC)
    claim = (LENDER, "A", "1", "0", "referral")
    first = loan.ledger.transact(open_review, *claim, due, 0)
    again = loan.ledger.transact(open_review, *claim, due, 0)
    assert ("review", first.rows) == (again.outcome, again.rows)
    assert [claim] == loan.ledger.consult(queries.open_reviews)
    loan.record(
        "A",
        Approval(id="a1", at=due, episode="1", installment="0", rung="referral", answer="approved", by="op-1"),
        due,
    )
    assert [] == loan.ledger.consult(queries.open_reviews)
    assert "moot" == loan.ledger.transact(open_review, *claim, due, 0).outcome


def test_a_shadow_keeps_the_text_that_would_have_gone(loan: Book) -> None:
    result = loan.reserve(ask("A"), NOON, Sending("off"))
    assert isinstance(result, Settled)
    assert result.shadow is not None
    contact = result.shadow.contact.id
    loan.ledger.transact(keep_text, contact, message(NOON))
    assert message(NOON) == loan.ledger.consult(queries.contact, contact).message
    assert {("sms", "shadow"): 1} == loan.ledger.consult(queries.count_contacts)
    assert date(2026, 2, 10) == NOON.date()
