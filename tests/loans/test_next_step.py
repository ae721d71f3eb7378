"""What a loan wants next, told as stories of SPRING."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from duecourse.loans.decisions import Close, Contact, Next, Plan, Review, Wait
from duecourse.loans.facts import HoldPlaced
from duecourse.loans.loan import BLIND, RECEIPT_TIMEOUT, ROOM, Loan
from duecourse.treatments.ladder import CONTRACT, Anchor, CatchUp
from tests.loans.examples import (
    APRIL,
    MARCH,
    MAY,
    SPRING,
    SPRING_LADDER,
    Told,
    ladder_of,
    morning,
    notice,
    rung,
    schedule,
    terms_of,
)

DUNNING = ladder_of(notice("warning", 5), notice("blocked", 7), notice("cancellation", 11))


def spring(*rungs: object, **terms: object) -> Told:
    ladder = ladder_of(*rungs) if rungs else SPRING_LADDER  # type: ignore[arg-type]
    return Told(terms_of(*SPRING.installments, **terms), ladder)


def claim_at(told: Told, day: date | datetime) -> str | None:
    """The claim that the loan wants to act on, None while it waits or is closed."""
    step = told.loan.next(day if isinstance(day, datetime) else morning(day))
    return step.claim if isinstance(step, Contact | Review) else None


def plan(claim: str, at: datetime, seq: int, channel: str = "email", lasts: timedelta = timedelta(hours=3)) -> Plan:
    episode, installment, name = claim.split("/")
    return Plan(
        rung=name, installment=installment, episode=episode, channel=channel, planned_at=at, closes=at + lasts, seq=seq
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
        told.loan.adopt(plan("1/0/warning", datetime(2026, 3, 6, 9, tzinfo=UTC), seq=0, lasts=timedelta(hours=12)))
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


class TestEpisodes:
    def test_when_the_oldest_is_paid_each_notice_still_comes_in_its_turn(self) -> None:
        """Kill Bill 2297: its schedule keeps counting from the paid invoice, and WARNING is never entered."""
        told = Told(terms_of(*schedule(MARCH, date(2026, 3, 3))), DUNNING)
        told.pays("100.00", date(2026, 3, 5))
        entered = []

        for number in range(5, 20):
            day = date(2026, 3, number)
            while claim := claim_at(told, day):
                entered.append((claim, day.day))
                told.contacted(claim, "accepted", day, "email")

        assert [("1/0/warning", 8), ("1/0/blocked", 10), ("1/0/cancellation", 14)] == entered

    def test_a_notice_that_went_out_is_not_repeated_when_the_anchor_moves(self) -> None:
        told = Told(terms_of(*schedule(MARCH, date(2026, 3, 3))), DUNNING)
        told.contacted("1/0/warning", "accepted", date(2026, 3, 6), "email")
        told.pays("100.00", date(2026, 3, 6))

        assert claim_at(told, date(2026, 3, 8)) is None
        assert "1/0/blocked" == claim_at(told, date(2026, 3, 10))

    def test_a_cure_ends_the_episode_and_the_next_miss_opens_another(self) -> None:
        told = Told(SPRING, DUNNING)
        told.contacted("1/0/warning", "accepted", date(2026, 3, 6), "email")
        told.pays("100.00", date(2026, 3, 7))

        assert told.loan.episode(date(2026, 3, 8)) is None
        assert "2/0/warning" == claim_at(told, date(2026, 4, 6))

    def test_a_reversal_opens_the_same_episode_again(self) -> None:
        told = Told(SPRING, DUNNING)
        told.contacted("1/0/warning", "accepted", date(2026, 3, 6), "email")
        payment = told.pays("100.00", date(2026, 3, 7))
        told.reverses(payment, date(2026, 3, 20))

        assert "1" == told.loan.episode(date(2026, 3, 20))
        assert "1/0/blocked" == claim_at(told, date(2026, 3, 20))

    def test_a_reversal_after_the_loan_was_paid_reopens_it(self) -> None:
        told = Told(SPRING, DUNNING)
        payment = told.pays("300.00", date(2026, 3, 7))
        assert isinstance(told.loan.next(morning(date(2026, 3, 8))), Close)
        told.reverses(payment, date(2026, 4, 20))

        assert "1/0/warning" == claim_at(told, date(2026, 4, 20))

    def test_a_loan_that_the_lender_closed_stays_closed_whatever_is_paid(self) -> None:
        told = Told(SPRING, DUNNING)
        told.tell("closed", date(2026, 3, 7), reason="sold")
        told.pays("10.00", date(2026, 3, 8))

        assert Close(reason="closed") == told.loan.next(morning(date(2026, 3, 20)))
        assert told.loan.owes("1", "0", "warning", morning(date(2026, 3, 20))) is None
        assert told.loan.upcoming(morning(date(2026, 3, 20))) is None

    def test_only_a_reversal_of_a_known_payment_made_after_the_closing_reopens_a_closed_loan(self) -> None:
        told = Told(SPRING, DUNNING)
        payment = told.pays("100.00", date(2026, 3, 1))
        told.reverses(payment, date(2026, 3, 2))
        told.tell("closed", date(2026, 3, 7), reason="sold")
        told.reverses(payment, date(2026, 3, 8))
        told.tell("reversal", date(2026, 3, 8), payment="NEVER-PAID")

        assert told.loan.closed()

    def test_a_new_schedule_repeats_no_notice_of_an_installment_that_kept_its_id(self) -> None:
        told = Told(SPRING, DUNNING)
        told.contacted("1/0/warning", "accepted", date(2026, 3, 6), "email")
        told.installed(2, *schedule(MARCH, date(2026, 6, 1)), at=date(2026, 3, 7))

        assert "1/0/blocked" == claim_at(told, date(2026, 3, 8))

    def test_of_two_new_schedules_the_later_version_stands(self) -> None:
        told = Told(SPRING, DUNNING)
        told.installed(3, *schedule(MAY), at=date(2026, 3, 7))
        told.installed(2, *schedule(APRIL), at=date(2026, 3, 8))

        assert MAY == told.loan.installments[0].due_on

    def test_a_notice_owed_per_installment_goes_out_for_each_miss(self) -> None:
        told = spring(
            rung("each_miss", Anchor.PAST_DUE, 4, per="installment", obligation=CONTRACT, catch_up="in_order")
        )
        asked = []

        for day in (date(2026, 3, 5), date(2026, 4, 5), date(2026, 5, 5)):
            while claim := claim_at(told, day):
                asked.append(claim)
                told.contacted(claim, "accepted", day)

        assert ["0/1/each_miss", "0/2/each_miss", "0/3/each_miss"] == asked

    def test_a_mandatory_statement_before_the_due_date_is_owed_also_while_the_loan_is_past_due(self) -> None:
        told = spring(
            rung("statement", Anchor.DUE, -5, obligation="CN-99", catch_up="in_order"),
            rung("three_days_before", Anchor.DUE, -3),
        )
        told.settle("0/1/statement", "0/1/three_days_before")

        assert "0/2/statement" == claim_at(told, date(2026, 3, 28))
        told.contacted("0/2/statement", "accepted", date(2026, 3, 28))
        assert claim_at(told, date(2026, 3, 30)) is None


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


class TestReviews:
    def test_an_approved_referral_is_done_and_makes_the_stage_legal(self) -> None:
        told = spring(rung("referral", Anchor.DELINQUENT, 9, purpose="legal", channels=("review",), life_days=30))
        assert "1/0/referral" == claim_at(told, date(2026, 3, 10))
        told.decided("1/0/referral", "review", date(2026, 3, 10), "review")
        assert "review" == told.loan.stage(morning(date(2026, 3, 10)))
        told.answered("1/0/referral", "approved", date(2026, 3, 12))

        assert claim_at(told, date(2026, 3, 12)) is None
        assert "legal" == told.loan.stage(morning(date(2026, 3, 12)))

    def test_a_cure_takes_the_loan_out_of_review_and_legal(self) -> None:
        told = spring(rung("referral", Anchor.DELINQUENT, 9, purpose="legal", channels=("review",), life_days=30))
        told.answered("1/0/referral", "approved", date(2026, 3, 12))
        told.pays("100.00", date(2026, 3, 13))

        assert "current" == told.loan.stage(morning(date(2026, 3, 14)))

    def test_an_approved_letter_is_still_to_be_sent(self) -> None:
        """The gate asked for a person's word; the word sends nothing by itself."""
        told = spring(notice("formal_notice", 10))
        told.decided("1/0/formal_notice", "review", date(2026, 3, 11), "letter")
        assert claim_at(told, date(2026, 3, 12)) is None
        told.answered("1/0/formal_notice", "approved", date(2026, 3, 12))

        step = told.loan.next(morning(date(2026, 3, 12)))
        assert isinstance(step, Contact)
        assert "letter" == step.channel
        assert "overdue" == told.loan.stage(morning(date(2026, 3, 12)))

    def test_a_refused_one_is_over(self) -> None:
        told = spring(notice("formal_notice", 10))
        told.decided("1/0/formal_notice", "review", date(2026, 3, 11), "letter")
        told.answered("1/0/formal_notice", "refused", date(2026, 3, 12))

        assert claim_at(told, date(2026, 3, 13)) is None

    def test_an_answer_that_overtakes_its_question_stands(self) -> None:
        told = spring(rung("referral", Anchor.DELINQUENT, 9, purpose="legal", channels=("review",), life_days=30))
        told.decided("1/0/referral", "review", date(2026, 3, 10), "review")
        told.answered("1/0/referral", "approved", date(2026, 3, 12))

        assert told.loan == Loan.fold(told.loan.terms, told.loan.ladder, reversed(told.rows))


class TestPlans:
    NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)

    def test_the_loan_waits_for_the_planned_moment(self) -> None:
        told = Told(SPRING, DUNNING)
        told.loan.adopt(plan("1/0/warning", self.NOON, seq=0, channel="letter"))

        assert Wait(until=self.NOON, why="1/0/warning") == told.loan.next(morning(date(2026, 3, 6)))
        step = told.loan.next(self.NOON)
        assert isinstance(step, Contact)
        assert ("letter", self.NOON + timedelta(hours=3)) == (step.channel, step.closes)

    def test_a_plan_for_another_rung_says_nothing_of_this_one(self) -> None:
        told = Told(SPRING, DUNNING)
        told.loan.adopt(plan("1/0/blocked", self.NOON + timedelta(days=2), seq=0))

        assert "1/0/warning" == claim_at(told, date(2026, 3, 6))

    def test_a_plan_whose_window_has_no_room_is_void(self) -> None:
        told = Told(SPRING, DUNNING)
        told.loan.adopt(plan("1/0/warning", self.NOON, seq=0, lasts=timedelta(minutes=30)))
        late = self.NOON + timedelta(minutes=30) - ROOM + timedelta(seconds=1)

        step = told.loan.next(late)
        assert isinstance(step, Contact)
        assert late + BLIND == step.closes

    def test_a_plan_made_before_the_last_verdict_is_stale(self) -> None:
        told = Told(SPRING, DUNNING)
        told.loan.adopt(plan("1/0/warning", self.NOON, seq=0, lasts=timedelta(days=2)))
        opens = datetime(2026, 3, 7, 9, tzinfo=UTC)
        told.decided("1/0/warning", "deferred", self.NOON, "email", opens=opens, closes=opens + timedelta(hours=4))

        assert Wait(until=opens, why="1/0/warning") == told.loan.next(self.NOON)

    def test_an_older_plan_never_replaces_a_newer_one_and_none_leaves_what_is_there(self) -> None:
        told = Told(SPRING, DUNNING)
        newer = plan("1/0/warning", self.NOON, seq=5)
        told.loan.adopt(newer)
        told.loan.adopt(plan("1/0/warning", self.NOON + timedelta(hours=1), seq=4))
        told.loan.adopt(None)

        assert newer == told.loan.plan

    def test_no_plan_brings_an_unknown_notice_forward(self) -> None:
        told = spring(notice("formal_notice", 10))
        at = morning(date(2026, 3, 11))
        told.contacted("1/0/formal_notice", "unknown", at, "email")
        told.loan.adopt(plan("1/0/formal_notice", at + timedelta(hours=1), seq=1, channel="letter"))

        assert Wait(until=at + RECEIPT_TIMEOUT, why="1/0/formal_notice") == told.loan.next(at)

    def test_what_a_plan_is_made_for_is_what_the_loan_waits_for(self) -> None:
        told = spring()
        now = morning(date(2026, 2, 1))
        for _ in range(40):
            step = told.loan.next(now)
            upcoming = told.loan.upcoming(now)
            match step:
                case Wait(until=until, why=why):
                    assert why == "nothing is due" or (upcoming is not None and why == upcoming.claim)
                    now = until
                case Contact() | Review():
                    assert upcoming is not None
                    assert step.claim == upcoming.claim
                    told.contacted(step.claim, "accepted", now)
                case Close():
                    raise AssertionError("nobody paid")


class TestPromises:
    def test_a_promise_silences_the_loan_until_its_day(self) -> None:
        told = spring()
        told.tell("promise", date(2026, 3, 5), amount="100.00", currency="EUR", by=date(2026, 3, 12))

        assert "promised" == told.loan.stage(morning(date(2026, 3, 12)))
        assert "overdue" == told.loan.stage(morning(date(2026, 3, 13)))

    @pytest.mark.parametrize(("paid", "kept"), [("100.00", True), ("95.00", True), ("94.99", False), ("0.01", False)])
    def test_a_promise_is_kept_within_its_tolerance_and_not_by_any_payment(self, paid: str, kept: bool) -> None:
        told = spring()
        told.tell(
            "promise",
            date(2026, 3, 5),
            id="WORD",
            amount="100.00",
            currency="EUR",
            by=date(2026, 3, 12),
            tolerance="5.00",
        )
        told.pays(paid, date(2026, 3, 10))

        assert kept is told.loan.kept(told.loan.promises["WORD"])

    def test_a_payment_earlier_on_the_day_of_the_promise_does_not_keep_it(self) -> None:
        told = spring()
        told.pays("100.00", date(2026, 3, 5))
        told.tell(
            "promise",
            morning(date(2026, 3, 5)) + timedelta(hours=8),
            id="WORD",
            amount="100.00",
            currency="EUR",
            by=date(2026, 4, 12),
        )

        assert not told.loan.kept(told.loan.promises["WORD"])

    def test_a_payment_after_the_promised_day_does_not_keep_it(self) -> None:
        told = spring()
        told.tell("promise", date(2026, 3, 5), id="WORD", amount="100.00", currency="EUR", by=date(2026, 3, 12))
        told.pays("100.00", date(2026, 3, 13))

        assert not told.loan.kept(told.loan.promises["WORD"])

    def test_a_reversed_payment_breaks_the_promise_it_had_kept(self) -> None:
        told = spring()
        told.tell("promise", date(2026, 3, 5), id="WORD", amount="100.00", currency="EUR", by=date(2026, 3, 12))
        payment = told.pays("100.00", date(2026, 3, 10))
        told.reverses(payment, date(2026, 3, 11))

        assert "promised" == told.loan.stage(morning(date(2026, 3, 12)))
        assert not told.loan.kept(told.loan.promises["WORD"])


class TestCatchUp:
    LATE = date(2026, 3, 8)

    def answers(self, told: Told, day: date) -> list[tuple[str, str]]:
        """Every step of one day, with the silence that would be recorded instead of a contact."""
        found = []
        while claim := claim_at(told, day):
            episode, installment, name = claim.split("/")
            one = told.loan.owes(episode, installment, name, morning(day))
            assert one is not None
            over = told.loan.silence(one, morning(day))
            found.append((claim, over or "sent"))
            if over:
                told.decided(claim, over, day)
            else:
                told.contacted(claim, "accepted", day)
        return found

    def test_after_an_outage_only_the_latest_goes_out_and_the_others_get_their_reason_once(self) -> None:
        told = spring(
            rung("one", Anchor.DELINQUENT, 1, life_days=20),
            rung("two", Anchor.DELINQUENT, 3, life_days=20),
            rung("three", Anchor.DELINQUENT, 5, life_days=20),
        )

        assert [("1/0/one", "overtaken"), ("1/0/two", "overtaken"), ("1/0/three", "sent")] == self.answers(
            told, self.LATE
        )
        assert [] == self.answers(told, self.LATE)

    def test_in_order_all_go_out_oldest_first(self) -> None:
        told = spring(
            rung("one", Anchor.DELINQUENT, 1, life_days=20, catch_up="in_order"),
            rung("two", Anchor.DELINQUENT, 3, life_days=20, catch_up="in_order"),
        )

        assert [("1/0/one", "sent"), ("1/0/two", "sent")] == self.answers(told, self.LATE)

    def test_a_rung_whose_life_is_over_is_recorded_as_expired(self) -> None:
        told = spring(rung("one", Anchor.DELINQUENT, 1, life_days=3))

        assert [("1/0/one", "sent")] == self.answers(
            spring(rung("one", Anchor.DELINQUENT, 1, life_days=3)), date(2026, 3, 4)
        )
        assert [("1/0/one", "expired")] == self.answers(told, date(2026, 3, 5))

    def test_a_rung_that_was_withheld_until_its_end_has_its_reason_already(self) -> None:
        told = spring(rung("one", Anchor.DELINQUENT, 1, life_days=3))
        told.decided("1/0/one", "withheld", date(2026, 3, 2), wake=("consent",))

        assert [] == self.answers(told, date(2026, 3, 9))

    def test_a_deferred_rung_that_an_outage_outlived_gets_its_end(self) -> None:
        """Its last verdict says "tomorrow at nine", which is no reason why nothing came."""
        told = spring(rung("one", Anchor.DELINQUENT, 1, life_days=3))
        told.decided("1/0/one", "deferred", date(2026, 3, 2), opens=morning(date(2026, 3, 3)))

        assert [("1/0/one", "expired")] == self.answers(told, date(2026, 3, 9))
        assert [] == self.answers(told, date(2026, 3, 9))

    def test_a_mandatory_notice_is_neither_overtaken_nor_over(self) -> None:
        told = spring(notice("one", 1), notice("two", 3))

        assert [("1/0/one", "sent"), ("1/0/two", "sent")] == self.answers(told, date(2026, 9, 9))

    def test_another_purpose_overtakes_nothing(self) -> None:
        told = spring(
            rung("one", Anchor.DELINQUENT, 1, life_days=20),
            rung("two", Anchor.DELINQUENT, 3, life_days=20, purpose="collection"),
        )

        assert [("1/0/one", "sent"), ("1/0/two", "sent")] == self.answers(told, self.LATE)

    def test_an_imported_overdue_book_skips_what_lies_before_it_and_says_so(self) -> None:
        start = morning(date(2026, 3, 20))
        told = Told(terms_of(*schedule(MARCH), active_from=start, disbursed_on=date(2026, 1, 1)), SPRING_LADDER)

        skipped = [f"{row.episode}/{row.installment}/{row.rung}" for row in told.loan.onboarding(start)]

        assert ["0/0/welcome", "1/0/early"] == skipped
        assert {"skipped"} == {row.outcome for row in told.loan.onboarding(start)}
        for claim in skipped:
            told.decided(claim, "skipped", start)
        assert [("1/0/formal_notice", "sent"), ("1/0/credit_notice", "sent"), ("1/0/second", "sent")] == self.answers(
            told, start.date()
        )

    def test_what_the_old_system_sent_is_neither_skipped_nor_repeated(self) -> None:
        start = morning(date(2026, 3, 20))
        told = Told(terms_of(*schedule(MARCH), active_from=start, disbursed_on=date(2026, 1, 1)), SPRING_LADDER)
        told.settle("0/0/welcome", "1/0/early", "1/0/second", "1/0/formal_notice", "1/0/credit_notice")

        assert () == told.loan.onboarding(start)
        assert [] == self.answers(told, start.date())

    def test_a_statutory_notice_is_never_skipped_at_onboarding(self) -> None:
        start = morning(date(2026, 6, 20))
        told = Told(terms_of(*schedule(MARCH), active_from=start), SPRING_LADDER)

        assert "credit_notice" not in [row.rung for row in told.loan.onboarding(start)]

    def test_skipped_rows_are_valid_facts_however_long_the_ids_are(self) -> None:
        start = morning(date(2026, 3, 20))
        long = schedule(MARCH)[0].model_copy(update={"id": "i" * 64})
        ladder = ladder_of(rung("r" * 48, Anchor.DELINQUENT, 1, catch_up=CatchUp.SKIP_AND_RECORD))
        told = Told(terms_of(long, active_from=start), ladder)

        (row,) = told.loan.onboarding(start)
        assert len(row.id) <= 128


def test_the_last_rung_reached_is_the_latest_by_date_whatever_the_order_of_the_file() -> None:
    told = spring(notice("late", 30), notice("soon", 5))

    assert told.loan.reached(date(2026, 3, 5)) is None
    reached = told.loan.reached(date(2026, 3, 31))
    assert reached is not None
    assert "late" == reached.id
