"""A notice keeps every way to arrive, and what may have arrived is never sent there again."""

from __future__ import annotations

from datetime import date

from duecourse.loans.decisions import Contact, Review, Wait
from duecourse.loans.loan import RECEIPT_TIMEOUT
from duecourse.treatments.ladder import Anchor
from tests.loans.examples import (
    DUNNING,
    SPRING,
    Told,
    claim_at,
    morning,
    notice,
    rung,
    spring,
)


class TestChannels:
    def test_a_rung_goes_to_the_channel_that_the_last_verdict_named(self) -> None:
        told = Told(SPRING, DUNNING)
        told.decided("1/0/warning", "try_next", date(2026, 3, 6), "email", next_channel="letter")

        step = told.loan.next(morning(date(2026, 3, 6)))
        assert isinstance(step, Contact)
        assert "letter" == step.channel

    def test_an_unknown_notice_goes_by_another_channel_after_the_receipt_time_out(self) -> None:
        told = spring(notice("formal_notice", 10))
        at = morning(date(2026, 3, 11))
        told.contacted("1/0/formal_notice", "unknown", at, "email")

        assert Wait(until=at + RECEIPT_TIMEOUT, why="1/0/formal_notice") == told.loan.next(at)
        step = told.loan.next(at + RECEIPT_TIMEOUT)
        assert isinstance(step, Contact)
        assert "letter" == step.channel

    def test_a_receipt_within_the_time_out_settles_an_unknown_notice(self) -> None:
        told = spring(notice("formal_notice", 10))
        told.contacted("1/0/formal_notice", "unknown", date(2026, 3, 11), "email")
        told.contacted("1/0/formal_notice", "delivered", date(2026, 3, 11), "email")

        assert claim_at(told, date(2026, 3, 13)) is None

    def test_a_notice_that_bounced_goes_by_another_channel_at_once(self) -> None:
        told = spring(notice("formal_notice", 10))
        told.contacted("1/0/formal_notice", "accepted", date(2026, 3, 11), "email")
        assert claim_at(told, date(2026, 3, 11)) is None
        told.contacted("1/0/formal_notice", "failed", date(2026, 3, 12), "email")

        step = told.loan.next(morning(date(2026, 3, 12)))
        assert isinstance(step, Contact)
        assert "letter" == step.channel

    def test_a_late_bounce_of_the_first_try_repeats_nothing_once_another_arrived(self) -> None:
        told = spring(notice("credit_notice", 15, channels=("sms", "email", "letter")))
        told.contacted("1/0/credit_notice", "unknown", date(2026, 3, 16), "sms")
        told.contacted("1/0/credit_notice", "accepted", date(2026, 3, 17), "email")
        told.contacted("1/0/credit_notice", "failed", date(2026, 3, 18), "sms")

        assert claim_at(told, date(2026, 3, 20)) is None
        assert told.loan.owes("1", "0", "credit_notice", morning(date(2026, 3, 20))) is None

    def test_a_decision_that_crossed_an_arrived_contact_sends_nothing_again(self) -> None:
        told = spring(notice("formal_notice", 10))
        told.contacted("1/0/formal_notice", "accepted", date(2026, 3, 11), "email")
        told.decided("1/0/formal_notice", "deferred", date(2026, 3, 11), "email", opens=morning(date(2026, 3, 12)))

        assert claim_at(told, date(2026, 3, 13)) is None

    def test_a_notice_for_which_no_channel_is_left_becomes_a_persons_task_until_they_answer(self) -> None:
        told = spring(notice("formal_notice", 10))
        told.contacted("1/0/formal_notice", "failed", date(2026, 3, 11), "email")
        told.contacted("1/0/formal_notice", "failed", date(2026, 3, 12), "letter")

        assert Review(episode="1", installment="0", rung="formal_notice") == told.loan.next(morning(date(2026, 3, 12)))
        told.decided("1/0/formal_notice", "review", date(2026, 3, 12), "review")
        assert claim_at(told, date(2026, 5, 1)) is None
        told.answered("1/0/formal_notice", "approved", date(2026, 5, 1))
        assert claim_at(told, date(2026, 5, 1)) is None
        assert told.loan.owes("1", "0", "formal_notice", morning(date(2026, 5, 1))) is None

    def test_an_optional_message_of_unknown_fate_is_left_alone(self) -> None:
        told = spring(rung("second", Anchor.DELINQUENT, 5, channels=("sms", "email")))
        told.contacted("1/0/second", "unknown", date(2026, 3, 6))

        assert claim_at(told, date(2026, 3, 8)) is None
