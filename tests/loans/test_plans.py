"""The lawful window that the ledger computed for the next rung: when it counts, and when it is stale."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from duecourse.loans.decisions import Close, Contact, Review, Wait
from duecourse.loans.loan import BLIND, RECEIPT_TIMEOUT, ROOM
from tests.loans.examples import (
    DUNNING,
    SPRING,
    Told,
    claim_at,
    morning,
    notice,
    plan_for,
    spring,
)


class TestPlans:
    NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)

    def test_the_loan_waits_for_the_planned_moment(self) -> None:
        told = Told(SPRING, DUNNING)
        told.loan.adopt(plan_for("1/0/warning", self.NOON, seq=0, channel="letter"))

        assert Wait(until=self.NOON, why="1/0/warning") == told.loan.next(morning(date(2026, 3, 6)))
        step = told.loan.next(self.NOON)
        assert isinstance(step, Contact)
        assert ("letter", self.NOON + timedelta(hours=3)) == (step.channel, step.closes)

    def test_a_plan_for_another_rung_says_nothing_of_this_one(self) -> None:
        told = Told(SPRING, DUNNING)
        told.loan.adopt(plan_for("1/0/blocked", self.NOON + timedelta(days=2), seq=0))

        assert "1/0/warning" == claim_at(told, date(2026, 3, 6))

    def test_a_plan_whose_window_has_no_room_is_void(self) -> None:
        told = Told(SPRING, DUNNING)
        told.loan.adopt(plan_for("1/0/warning", self.NOON, seq=0, lasts=timedelta(minutes=30)))
        late = self.NOON + timedelta(minutes=30) - ROOM + timedelta(seconds=1)

        step = told.loan.next(late)
        assert isinstance(step, Contact)
        assert late + BLIND == step.closes

    def test_a_plan_made_before_the_last_verdict_is_stale(self) -> None:
        told = Told(SPRING, DUNNING)
        told.loan.adopt(plan_for("1/0/warning", self.NOON, seq=0, lasts=timedelta(days=2)))
        opens = datetime(2026, 3, 7, 9, tzinfo=UTC)
        told.decided("1/0/warning", "deferred", self.NOON, "email", opens=opens, closes=opens + timedelta(hours=4))

        assert Wait(until=opens, why="1/0/warning") == told.loan.next(self.NOON)

    def test_an_older_plan_never_replaces_a_newer_one_and_none_leaves_what_is_there(self) -> None:
        told = Told(SPRING, DUNNING)
        newer = plan_for("1/0/warning", self.NOON, seq=5)
        told.loan.adopt(newer)
        told.loan.adopt(plan_for("1/0/warning", self.NOON + timedelta(hours=1), seq=4))
        told.loan.adopt(None)

        assert newer == told.loan.plan

    def test_no_plan_brings_an_unknown_notice_forward(self) -> None:
        told = spring(notice("formal_notice", 10))
        at = morning(date(2026, 3, 11))
        told.contacted("1/0/formal_notice", "unknown", at, "email")
        told.loan.adopt(plan_for("1/0/formal_notice", at + timedelta(hours=1), seq=1, channel="letter"))

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
