"""Reserve before sending: decide on fresh facts and take the slot in one transaction, or say why not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from duecourse.errors import NotFound
from duecourse.ledger import queries, settings
from duecourse.ledger.contacts import mark_sending, newer_attempt, release
from duecourse.ledger.outcomes import Ask, Reserved, Resumed, Settled
from duecourse.ledger.registration import register_borrower
from duecourse.ledger.reservations import contact_id
from duecourse.ledger.sending import Sending
from duecourse.loans.facts import Contacted, Decided, HoldLifted, HoldPlaced, OptOut, Promise
from duecourse.treatments.ladder import Tier
from tests.ledger.world import LENDER, NOON, PHONE, Book, ask, ladder, mei, message, only, payment, rung, scalar

LATE = datetime(2026, 2, 16, 4, tzinfo=UTC)  # noon, six days past due


@pytest.fixture
def loan(book: Book) -> Book:
    book.register("A")
    book.register("B")
    return book


def reserved(book: Book, request: Ask, now: datetime = NOON) -> Reserved:
    result = book.reserve(request, now)
    assert isinstance(result, Reserved), result
    return result


def settled(book: Book, request: Ask, now: datetime = NOON, **changes: Any) -> Settled:
    result = book.reserve(request, now, **changes)
    assert isinstance(result, Settled), result
    return result


def decided(result: Settled) -> Decided:
    row = result.rows[-1]
    assert isinstance(row, Decided)
    return row


def test_a_permit_takes_the_slot_and_names_the_contact_for_good(loan: Book) -> None:
    result = reserved(loan, ask("A"))
    contact = result.reservation.contact
    assert contact_id(ask("A"), 0) == contact.id
    assert ("reserved", "phone", NOON, 1) == (contact.state, contact.contact_point, contact.at, contact.attempt)
    assert PHONE == result.reservation.point.address
    assert "permit" == result.judged.kind
    with loan.ledger.read() as connection:
        assert 1 == scalar(connection, "SELECT count(*) FROM rung_claims")


def test_two_loans_of_one_person_never_both_take_the_last_slot(loan: Book) -> None:
    reserved(loan, ask("A"))
    assert ("withheld", "T-CAP") == (settled(loan, ask("B")).outcome, decided(settled(loan, ask("B"))).rule)


def test_what_was_certainly_not_accepted_frees_the_slot_and_the_next_try_is_another_contact(loan: Book) -> None:
    first = reserved(loan, ask("A")).reservation
    loan.ledger.transact(release, first.contact.id, NOON)
    second = reserved(loan, ask("A")).reservation
    assert contact_id(ask("A"), 1) == second.contact.id
    loan.ledger.transact(release, second.contact.id, NOON)
    reserved(loan, ask("B"))


def test_a_retry_resumes_its_reservation_and_never_makes_a_new_one(loan: Book) -> None:
    first = reserved(loan, ask("A")).reservation
    again = reserved(loan, ask("A"), NOON + timedelta(minutes=5)).reservation
    assert (first.contact.id, 2) == (again.contact.id, again.attempt)
    assert NOON + timedelta(minutes=5) == again.contact.at, "what counts is the instant of the send"


def test_a_retry_that_finds_sending_is_told_to_ask_the_provider(loan: Book) -> None:
    first = reserved(loan, ask("A")).reservation
    deadline = NOON + timedelta(seconds=30)
    loan.ledger.transact(mark_sending, first.contact.id, 1, deadline, NOON, message(NOON, "frozen"))
    result = loan.reserve(ask("A"), NOON + timedelta(minutes=1))
    assert isinstance(result, Resumed)
    assert (NOON, deadline, True, False) == (result.since, result.deadline, result.may_repeat, result.moot)
    assert result.text is not None
    assert "frozen" == result.text.text
    assert loan.ledger.consult(newer_attempt, first.contact.id, 1), "the attempt before may not call any more"


def test_a_repeat_is_permitted_only_while_the_gate_permits_a_send(loan: Book) -> None:
    first = reserved(loan, ask("A")).reservation
    loan.ledger.transact(mark_sending, first.contact.id, 1, NOON, NOON, message(NOON))
    loan.record("A", OptOut(id="stop", at=NOON, channel="sms"), NOON)
    result = loan.reserve(ask("A"), NOON + timedelta(minutes=1))
    assert isinstance(result, Resumed)
    assert (False, False) == (result.may_repeat, result.moot)


def test_a_payment_makes_it_moot_and_releases_what_was_only_reserved(loan: Book) -> None:
    first = reserved(loan, ask("A")).reservation
    loan.record("A", payment("p1"), NOON)
    result = settled(loan, ask("A"))
    assert ("moot", ("p1",)) == (result.outcome, tuple(row.id for row in result.rows))
    assert "released" == loan.ledger.consult(queries.contact, first.contact.id).state
    reserved(loan, ask("B"))


def test_a_payment_does_not_forget_a_call_that_may_be_on_the_wire(loan: Book) -> None:
    first = reserved(loan, ask("A")).reservation
    loan.ledger.transact(mark_sending, first.contact.id, 1, NOON, NOON, message(NOON))
    loan.record("A", payment("p1"), NOON)
    result = loan.reserve(ask("A"), NOON + timedelta(minutes=1))
    assert isinstance(result, Resumed)
    assert (True, False) == (result.moot, result.may_repeat)


def test_an_answer_whose_transport_was_lost_is_given_again(loan: Book) -> None:
    sent = loan.send(ask("A"), NOON)
    again = settled(loan, ask("A"), NOON + timedelta(minutes=1))
    assert (sent.outcome, sent.rows) == (again.outcome, again.rows) == ("sent", again.rows)
    withheld = settled(loan, ask("B"))
    assert ("withheld", withheld.rows) == (settled(loan, ask("B")).outcome, settled(loan, ask("B")).rows)
    assert "moot" == settled(loan, ask("B", seq=withheld.rows[-1].loan_seq)).outcome


def test_outside_its_hours_a_rung_is_deferred_to_the_next_lawful_moment(book: Book) -> None:
    book.register("A", climbs=only(rung("due", "due", 0)))
    night = datetime(2026, 2, 9, 17, tzinfo=UTC)  # 01:00 in Singapore
    result = settled(book, ask("A", now=night), night)
    assert "deferred" == result.outcome
    assert datetime(2026, 2, 10, 1, tzinfo=UTC) == result.opens, "09:00 in Singapore, the rung's own window"
    assert result.plan is not None
    assert result.opens <= result.plan.planned_at <= result.plan.closes
    assert result.plan.seq == result.rows[-1].loan_seq


def test_a_stretch_too_short_for_a_send_is_not_used(loan: Book) -> None:
    closing = datetime(2026, 2, 10, 11, 59, 0, tzinfo=UTC)  # 19:59:00; the rung's window ends at 20:00
    result = settled(loan, ask("A", now=closing), closing)
    assert "deferred" == result.outcome
    assert datetime(2026, 2, 11, 1, tzinfo=UTC) == result.opens


def test_a_loan_s_own_window_that_is_too_short_is_deferred_at_once_not_sent(loan: Book) -> None:
    result = settled(loan, ask("A", closes=NOON + timedelta(seconds=30)))
    assert ("deferred", NOON + timedelta(seconds=2)) == (result.outcome, result.opens)


def test_a_deferral_is_always_later_than_now(loan: Book) -> None:
    for minute in range(0, 24 * 60, 97):
        now = datetime(2026, 2, 10, tzinfo=UTC) + timedelta(minutes=minute)
        result = loan.reserve(ask("A", now=now), now)
        if isinstance(result, Settled) and result.opens is not None:
            assert result.opens > now + timedelta(seconds=1)
        elif isinstance(result, Reserved):
            loan.ledger.transact(release, result.reservation.contact.id, now)


def test_sending_off_decides_and_records_all_in_the_shadow(loan: Book) -> None:
    result = settled(loan, ask("A"), sending=Sending("off"))
    assert "shadow" == result.outcome
    assert result.shadow is not None
    row = result.rows[-1]
    assert isinstance(row, Contacted)
    assert "shadow" == row.state
    assert ("withheld", "T-CAP") == (settled(loan, ask("B")).outcome, decided(settled(loan, ask("B"))).rule)


def test_an_allow_list_sends_to_its_addresses_and_shadows_the_rest(loan: Book) -> None:
    assert "shadow" == settled(loan, ask("A"), sending=Sending.of("allowlist", "+6590000000")).outcome
    loan.ledger.transact(register_borrower, LENDER, mei(id="B2"))
    loan.register("D", debtor="B2")
    assert isinstance(loan.reserve(ask("D"), NOON, Sending.of("allowlist", f" {PHONE}, x@example.com")), Reserved)


def test_pause_all_stops_the_next_reservation_and_lasts_for_days_without_a_task(loan: Book) -> None:
    loan.ledger.transact(settings.pause_all, LATE)
    now, seq = LATE, 0
    for _ in range(60):
        result = settled(loan, ask("A", "notice", now, seq=seq), now)
        assert ("deferred", "ledger:pause_all") == (result.outcome, decided(result).rule)
        assert result.opens is not None
        assert result.opens <= now + timedelta(hours=4)  # however long the pause, it is soon over for the rung
        now, seq = result.opens, decided(result).loan_seq or 0
    assert now > LATE + timedelta(days=7)
    loan.ledger.transact(settings.resume_all)
    reserved(loan, ask("B"))


def test_an_optional_rung_past_its_life_is_recorded_as_expired(loan: Book) -> None:
    result = settled(loan, ask("A", "early", now=NOON + timedelta(hours=1)), NOON + timedelta(hours=1))
    assert ("withheld", "expired") == (result.outcome, decided(result).outcome)
    (verdict,) = loan.ledger.consult(queries.explain, LENDER, "A")
    assert "treatment:expired" == verdict.rule


def test_a_rung_that_its_tier_leaves_out_is_withheld_with_the_tier_as_reason(book: Book) -> None:
    thin = ladder(low={"omits": ["due"], "reason": "Rarely late."})
    book.register("A", climbs=thin, tier=Tier.LOW)
    result = settled(book, ask("A"))
    assert "withheld" == result.outcome
    (verdict,) = book.ledger.consult(queries.explain, LENDER, "A")
    assert "treatment:test/tier" in [finding.rule for finding in verdict.grounds.findings]
    assert decided(result).rule == verdict.rule == "treatment:test/tier"


def test_an_open_hold_leaves_the_rung_due_and_names_what_would_wake_it(loan: Book) -> None:
    hold = HoldPlaced(id="h1", at=LATE, hold="H", cause="dispute", starts=date(2026, 2, 15), review_on=date(2026, 3, 1))
    loan.record("A", hold, LATE)
    result = settled(loan, ask("A", "notice", LATE), LATE)
    row = decided(result)
    assert ("withheld", ("hold_lifted",), "T-HOLD") == (result.outcome, row.wake, row.rule)
    assert datetime(2026, 3, 1, tzinfo=UTC) == row.opens
    loan.record("A", HoldLifted(id="l1", at=LATE, hold="H", on=date(2026, 2, 16)), LATE)
    reserved(loan, ask("A", "notice", LATE), LATE)


def test_a_promise_keeps_a_notice_back_until_its_day_is_over(loan: Book) -> None:
    loan.record("A", Promise(id="pr", at=LATE, amount=Decimal(50), currency="CNY", by=date(2026, 2, 18)), LATE)
    result = settled(loan, ask("A", "notice", LATE), LATE)
    (verdict,) = loan.ledger.consult(queries.explain, LENDER, "A")
    assert "T-HOLD" in [finding.rule for finding in verdict.grounds.findings]
    assert datetime(2026, 2, 19, 1, tzinfo=UTC) == result.opens


def test_a_barred_channel_sends_the_notice_by_the_next(loan: Book) -> None:
    loan.record("A", OptOut(id="stop", at=LATE, channel="email"), LATE)
    result = settled(loan, ask("A", "notice", LATE), LATE)
    assert ("try_next", "letter") == (result.outcome, result.next_channel)
    reserved(loan, ask("A", "notice", LATE, channel="letter"), LATE)


def test_an_undeliverable_address_sends_the_notice_by_the_next_channel_then_to_a_person(loan: Book) -> None:
    first = reserved(loan, ask("A", "notice", LATE), LATE).reservation.contact.id
    loan.ledger.transact(release, first, LATE, "undeliverable")
    result = settled(loan, ask("A", "notice", LATE), LATE)
    assert ("try_next", "letter") == (result.outcome, result.next_channel)
    second = reserved(loan, ask("A", "notice", LATE, channel="letter"), LATE).reservation.contact.id
    loan.ledger.transact(release, second, LATE, "undeliverable")
    result = settled(loan, ask("A", "notice", LATE, channel="letter", seq=1), LATE)
    assert "task" == result.outcome
    assert ["notice"] == [task.rung for task in loan.ledger.consult(queries.list_tasks)]


def test_an_optional_message_does_not_change_its_channel_to_get_round_a_cap(book: Book) -> None:
    two = only(rung("due", "due", 0, channels=["sms", "email"]))
    book.register("A")
    book.register("B", climbs=two)
    reserved(book, ask("A"))
    assert "withheld" == settled(book, ask("B")).outcome


def test_an_optional_message_to_somebody_who_left_that_channel_goes_by_another(book: Book) -> None:
    two = only(rung("due", "due", 0, channels=["sms", "email"]))
    book.register("B", climbs=two)
    book.record("B", OptOut(id="stop", at=NOON, channel="sms"), NOON)
    assert "email" == settled(book, ask("B")).next_channel


def test_a_tier_that_calls_first_is_asked_on_its_own_channel(book: Book) -> None:
    climbs = only(rung("due", "due", 0), high={"channels": {"due": ["call"]}})
    book.register("A", climbs=climbs, tier=Tier.HIGH)
    result = settled(book, ask("A"))
    assert ("deferred", "call") == (result.outcome, result.next_channel)
    assert result.plan is not None
    assert "call" == result.plan.channel
    reserved(book, ask("A", channel="call"))


def test_a_rung_that_was_decided_twenty_times_is_a_person_s(loan: Book) -> None:
    night = datetime(2026, 2, 15, 17, tzinfo=UTC)
    outcomes = []
    seq = 0
    for minute in range(20):
        now = night + timedelta(minutes=minute)
        result = settled(loan, ask("A", "notice", now, seq=seq), now)
        outcomes.append(result.outcome)
        seq = result.rows[-1].loan_seq or 0
    assert ["deferred"] * 19 + ["task"] == outcomes


def test_a_claim_has_one_contact_in_the_air_whatever_the_channel(loan: Book) -> None:
    first = reserved(loan, ask("A", "notice", LATE), LATE).reservation
    loan.ledger.transact(mark_sending, first.contact.id, 1, LATE + timedelta(seconds=30), LATE, message(LATE))
    waiting = settled(loan, ask("A", "notice", LATE, channel="letter"), LATE)
    assert ("deferred", "ledger:in_flight") == (waiting.outcome, decided(waiting).rule)


def test_an_ask_for_nobody_is_refused(book: Book) -> None:
    with pytest.raises(NotFound):
        book.reserve(ask("GHOST"), NOON)
