"""Where a person must look: their answer ends a referral, and lets a message go."""

from __future__ import annotations

from datetime import date

from duecourse.loans.decisions import Contact
from duecourse.loans.loan import Loan
from duecourse.treatments.ladder import Anchor
from tests.loans.examples import (
    claim_at,
    morning,
    notice,
    rung,
    spring,
)


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
