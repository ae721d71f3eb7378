"""An episode opens with a miss and ends with the cure; each notice of it goes out once, whatever moves the anchor."""

from __future__ import annotations

from datetime import date

from duecourse.loans.decisions import Close
from duecourse.treatments.ladder import CONTRACT, Anchor
from tests.loans.examples import (
    APRIL,
    DUNNING,
    MARCH,
    MAY,
    SPRING,
    Told,
    claim_at,
    morning,
    notice,
    rung,
    schedule,
    spring,
    terms_of,
)


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


def test_the_last_rung_reached_is_the_latest_by_date_whatever_the_order_of_the_file() -> None:
    told = spring(notice("late", 30), notice("soon", 5))

    assert told.loan.reached(date(2026, 3, 5)) is None
    reached = told.loan.reached(date(2026, 3, 31))
    assert reached is not None
    assert "late" == reached.id
