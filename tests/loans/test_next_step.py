"""What a loan wants next, told as stories of SPRING: its dates, and what payments and verdicts do to them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from duecourse.loans.decisions import Close, Contact, Next, Review, Wait
from duecourse.loans.facts import HoldPlaced
from duecourse.loans.loan import BLIND, ROOM, Loan
from duecourse.treatments.ladder import Anchor
from tests.loans.examples import (
    DUNNING,
    MARCH,
    SPRING,
    Told,
    claim_at,
    ladder_of,
    morning,
    notice,
    plan_for,
    rung,
    schedule,
    spring,
    terms_of,
)


class TestDates:
    def test_a_rung_is_asked_for_when_its_date_begins_anywhere_on_earth(self) -> None:
        told = spring(rung("due_day", Anchor.DUE, 0))

        assert Wait(until=datetime(2026, 2, 28, 10, tzinfo=UTC), why="0/1/due_day") == told.loan.next(
            morning(date(2026, 2, 20))
        )
        assert "0/1/due_day" == claim_at(told, datetime(2026, 2, 28, 10, tzinfo=UTC))

    def test_a_review_waits_for_the_lenders_own_day(self) -> None:
        told = spring(
            rung("referral", Anchor.DELINQUENT, 9, purpose="legal", channels=("review",)), utc_offset_minutes=480
        )

        assert claim_at(told, datetime(2026, 3, 9, 15, 59, tzinfo=UTC)) is None
        step = told.loan.next(datetime(2026, 3, 9, 16, tzinfo=UTC))
        assert Review(episode="1", installment="0", rung="referral") == step

    def test_a_quiet_loan_looks_again_within_a_month(self) -> None:
        told = Told(terms_of(*schedule(date(2027, 1, 1))), ladder_of(rung("due_day", Anchor.DUE, 0)))

        now = morning(MARCH)
        assert Wait(until=now + timedelta(days=31), why="nothing is due") == told.loan.next(now)

    def test_a_reminder_long_before_the_due_date_is_known_in_time(self) -> None:
        """A horizon of two months would find a rung of 90 days before only when a month of it is gone."""
        due = [date(2026, 12, 1), date(2027, 6, 1)]
        told = Told(terms_of(*schedule(*due)), ladder_of(rung("early_bird", Anchor.DUE, -90, life_days=2)))

        now = morning(MARCH)
        step: Next = told.loan.next(now)
        while isinstance(step, Wait):
            now = step.until
            step = told.loan.next(now)

        assert isinstance(step, Contact)
        assert (due[0] - timedelta(days=90)) - now.date() <= timedelta(days=1)

    def test_money_that_is_booked_ahead_wakes_the_loan_on_its_value_date(self) -> None:
        """It cures the loan without a new fact; a month's sleep would pass the next reminder by."""
        told = spring(rung("three_days_before", Anchor.DUE, -3))
        told.settle("0/1/three_days_before")
        told.pays("100.00", date(2026, 3, 20), value_on=date(2026, 3, 25))

        assert Wait(until=datetime(2026, 3, 25, tzinfo=UTC), why="nothing is due") == told.loan.next(
            morning(date(2026, 3, 20))
        )
        assert "0/2/three_days_before" == claim_at(told, date(2026, 3, 29))

    def test_a_hold_moves_the_rungs_that_count_delinquent_days_and_no_others(self) -> None:
        told = spring(notice("formal_notice", 10), notice("credit_notice", 15, Anchor.PAST_DUE))
        told.holds("hardship", date(2026, 3, 5), date(2026, 3, 25))

        assert claim_at(told, date(2026, 3, 11)) is None
        assert "1/0/credit_notice" == claim_at(told, date(2026, 3, 16))

    def test_while_a_hold_is_open_the_ladder_has_no_date(self) -> None:
        told = spring(notice("formal_notice", 10))
        hold = told.holds("dispute", date(2026, 3, 5))
        assert isinstance(hold, HoldPlaced)

        assert claim_at(told, date(2026, 6, 1)) is None
        told.tell("hold_lifted", date(2026, 6, 2), hold=hold.hold, on=date(2026, 6, 2))

        assert claim_at(told, date(2026, 6, 7)) is None
        assert "1/0/formal_notice" == claim_at(told, date(2026, 6, 8))


class TestPayments:
    def test_an_early_payment_silences_the_reminders_of_what_it_covers(self) -> None:
        told = spring(rung("three_days_before", Anchor.DUE, -3))
        told.pays("200.00", date(2026, 2, 1))

        assert claim_at(told, date(2026, 2, 26)) is None
        assert "0/3/three_days_before" == claim_at(told, date(2026, 4, 28))

    def test_a_partial_payment_silences_nothing(self) -> None:
        told = spring(notice("formal_notice", 10))
        told.pays("99.99", date(2026, 3, 1))

        assert "1/0/formal_notice" == claim_at(told, date(2026, 3, 11))

    def test_an_overpayment_closes_the_loan(self) -> None:
        told = spring()
        told.pays("300.01", date(2026, 2, 1))

        assert Close(reason="paid") == told.loan.next(morning(MARCH))

    def test_of_two_installments_due_on_one_day_the_paid_one_is_not_reminded_of(self) -> None:
        told = Told(terms_of(*schedule(MARCH, MARCH)), ladder_of(rung("three_days_before", Anchor.DUE, -3)))
        told.pays("100.00", date(2026, 2, 1))

        assert "0/2/three_days_before" == claim_at(told, date(2026, 2, 26))
        told.contacted("0/2/three_days_before", "accepted", date(2026, 2, 26))
        assert claim_at(told, date(2026, 2, 26)) is None

    def test_the_same_payment_twice_counts_once(self) -> None:
        told = spring()
        payment = told.pays("100.00", date(2026, 2, 1))
        told.loan.apply(payment)
        told.tell("payment", date(2026, 2, 2), id=payment.id, amount="250.00", currency="EUR")

        assert "100.00" == str(told.loan.paid())

    def test_a_payment_reversed_twice_is_gone_once(self) -> None:
        told = spring()
        told.pays("100.00", date(2026, 2, 1))
        second = told.pays("100.00", date(2026, 2, 2))
        told.reverses(second, date(2026, 2, 3))
        told.reverses(second, date(2026, 2, 4))

        assert "200.00" == str(told.loan.balance)

    def test_a_payment_that_moves_the_anchor_voids_the_plan_made_before_it(self) -> None:
        """Acting on that plan would be moot, and the loan would ask again at once, for ever."""
        told = Told(terms_of(*schedule(MARCH, date(2026, 3, 3))), DUNNING)
        told.loan.adopt(plan_for("1/0/warning", datetime(2026, 3, 6, 9, tzinfo=UTC), seq=0, lasts=timedelta(hours=12)))
        told.pays("100.00", date(2026, 3, 4))

        step = told.loan.next(datetime(2026, 3, 6, 9, 30, tzinfo=UTC))
        assert Wait(until=datetime(2026, 3, 7, 10, tzinfo=UTC), why="1/0/warning") == step

    def test_a_payment_that_moves_the_anchor_outlasts_a_review_date_before_the_new_one(self) -> None:
        told = Told(terms_of(*schedule(MARCH, date(2026, 3, 20))), DUNNING)
        told.decided(
            "1/0/warning", "withheld", date(2026, 3, 6), wake=("hold_lifted",), opens=morning(date(2026, 3, 9))
        )
        told.pays("100.00", date(2026, 3, 21))

        assert claim_at(told, date(2026, 3, 22)) is None
        assert told.loan.owes("1", "0", "warning", morning(date(2026, 3, 22))) is None


class TestVerdicts:
    def test_a_deferred_rung_waits_for_its_window_and_closes_with_it(self) -> None:
        told = Told(SPRING, DUNNING)
        opens, closes = datetime(2026, 3, 6, 9, tzinfo=UTC), datetime(2026, 3, 6, 18, tzinfo=UTC)
        told.decided("1/0/warning", "deferred", date(2026, 3, 6), "email", opens=opens, closes=closes)

        assert Wait(until=opens, why="1/0/warning") == told.loan.next(morning(date(2026, 3, 6)))
        step = told.loan.next(opens)
        assert isinstance(step, Contact)
        assert closes == step.closes

    def test_a_window_that_passed_during_an_outage_is_asked_for_anew(self) -> None:
        told = Told(SPRING, DUNNING)
        opens, closes = datetime(2026, 3, 6, 9, tzinfo=UTC), datetime(2026, 3, 6, 18, tzinfo=UTC)
        told.decided("1/0/warning", "deferred", date(2026, 3, 6), "email", opens=opens, closes=closes)
        late = closes - ROOM + timedelta(seconds=1)

        step = told.loan.next(late)
        assert isinstance(step, Contact)
        assert late + BLIND == step.closes

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "the fact first"])
    def test_a_withheld_rung_wakes_on_the_fact_it_named(self, order: tuple[int, int]) -> None:
        told = Told(SPRING, DUNNING)
        told.decided("1/0/warning", "withheld", date(2026, 3, 6), "email", wake=("consent",))
        assert claim_at(told, date(2026, 3, 7)) is None
        told.tell("consent", date(2026, 3, 7), channel="email")
        loan = Loan.fold(SPRING, DUNNING, [told.rows[place] for place in order])

        assert told.loan == loan
        assert "1/0/warning" == claim_at(told, date(2026, 3, 7))

    def test_a_fact_that_the_verdict_already_knew_wakes_nobody(self) -> None:
        told = Told(SPRING, DUNNING)
        told.tell("consent", date(2026, 3, 5), channel="email")
        told.decided("1/0/warning", "withheld", date(2026, 3, 6), "email", wake=("consent",))
        told.tell("opt_out", date(2026, 3, 7), channel="email")

        assert claim_at(told, date(2026, 3, 7)) is None

    def test_a_withheld_rung_is_asked_again_on_its_review_date(self) -> None:
        told = Told(SPRING, DUNNING)
        told.decided(
            "1/0/warning", "withheld", date(2026, 3, 6), "email", wake=("consent",), opens=morning(date(2026, 3, 20))
        )

        assert "1/0/warning" != claim_at(told, date(2026, 3, 19))
        assert "1/0/warning" == claim_at(told, date(2026, 3, 20))

    def test_a_rung_that_waits_blocks_no_later_one(self) -> None:
        told = Told(SPRING, DUNNING)
        told.decided("1/0/warning", "withheld", date(2026, 3, 6), "email", wake=("consent",))

        assert "1/0/blocked" == claim_at(told, date(2026, 3, 8))

    def test_an_activity_without_an_answer_steps_aside_for_an_hour(self) -> None:
        told = Told(SPRING, DUNNING)
        now = morning(date(2026, 3, 8))
        told.loan.fail("1/0/warning", now)

        assert "1/0/blocked" == claim_at(told, now)
        told.contacted("1/0/blocked", "accepted", now, "email")
        assert Wait(until=now + BLIND, why="1/0/warning") == told.loan.next(now)
        assert "1/0/warning" == claim_at(told, now + BLIND)

    def test_a_recorded_failure_without_a_time_is_not_repeated_at_once(self) -> None:
        told = Told(SPRING, DUNNING)
        now = morning(date(2026, 3, 6))
        told.decided("1/0/warning", "failed", now, "email")

        assert Wait(until=now + BLIND, why="1/0/warning") == told.loan.next(now)

    def test_a_task_for_a_person_ends_the_rung(self) -> None:
        told = Told(SPRING, DUNNING)
        for number in range(19):
            told.decided(
                "1/0/warning",
                "deferred",
                date(2026, 3, 6),
                "email",
                opens=morning(date(2026, 3, 6)) + timedelta(seconds=number),
            )
        assert "1/0/warning" == claim_at(told, date(2026, 3, 7))
        told.decided("1/0/warning", "task", date(2026, 3, 7), "email")

        assert 20 == told.loan.claims["1/0/warning"].decisions
        assert claim_at(told, date(2026, 3, 7)) is None

    def test_mandatory_comes_before_optional_and_older_before_newer(self) -> None:
        told = spring(rung("early", Anchor.DELINQUENT, 1, life_days=30), notice("first", 4), notice("second", 3))
        order = []
        while claim := claim_at(told, date(2026, 3, 6)):
            order.append(claim)
            told.contacted(claim, "accepted", date(2026, 3, 6))

        assert ["1/0/second", "1/0/first", "1/0/early"] == order
