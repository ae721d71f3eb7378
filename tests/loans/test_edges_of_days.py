"""Days on which something begins or ends: the due date, the promised day, a hold's first day, the placement."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from duecourse.loans.facts import HoldLifted, HoldPlaced
from duecourse.loans.holds import HoldRefused, check_lifted
from duecourse.treatments.ladder import Anchor
from tests.loans.examples import BEFORE, MARCH, claim_at, morning, rung, spring


@pytest.mark.parametrize(("day", "stage"), [(-1, "current"), (0, "due"), (1, "overdue")])
def test_the_due_date_is_a_stage_of_its_own(day: int, stage: str) -> None:
    assert stage == spring().loan.stage(morning(MARCH + timedelta(days=day)))


@pytest.mark.parametrize(("paid_on", "kept"), [(12, True), (13, False)])
def test_a_promise_is_kept_on_its_own_day_and_not_on_the_next(paid_on: int, kept: bool) -> None:
    told = spring()
    told.tell(
        "promise", date(2026, 3, 5), id="WORD", amount="100.00", currency="EUR", by=date(2026, 3, 12), tolerance="0.00"
    )
    told.pays("100.00", date(2026, 3, paid_on))
    assert kept is told.loan.kept(told.loan.promises["WORD"])


def test_a_rung_from_the_day_of_placement_is_owed_once_per_loan_and_counts_from_that_day() -> None:
    placed = date(2026, 2, 10)
    told = spring(rung("hello", Anchor.PLACED, 2, purpose="notice"), placed_on=placed)
    assert claim_at(told, placed + timedelta(days=1)) is None
    assert "0/0/hello" == claim_at(told, placed + timedelta(days=2))
    told.contacted("0/0/hello", "delivered", placed + timedelta(days=2))
    assert claim_at(told, placed + timedelta(days=3)) is None


@pytest.mark.parametrize(("day", "reason"), [(9, "no_active_pause"), (10, None), (20, None), (21, "no_active_pause")])
def test_a_hold_may_be_lifted_from_its_first_day_to_its_last(day: int, reason: str | None) -> None:
    placed = HoldPlaced(
        id="F-1", at=BEFORE, hold="H", cause="dispute", starts=date(2026, 3, 10), ends=date(2026, 3, 20)
    )
    lift = HoldLifted(id="F-2", at=BEFORE, hold="H", on=date(2026, 3, day))
    if reason is None:
        check_lifted(lift, {"H": placed}, {}, today=lift.on, loan_open=True)
        return
    with pytest.raises(HoldRefused) as refused:
        check_lifted(lift, {"H": placed}, {}, today=lift.on, loan_open=True)
    assert (reason, "on", lift.on.isoformat()) == (refused.value.reason, refused.value.field, refused.value.value)


def test_a_loan_that_is_closed_takes_no_lift() -> None:
    lift = HoldLifted(id="F-2", at=BEFORE, hold="H", on=MARCH)
    with pytest.raises(HoldRefused) as refused:
        check_lifted(lift, {}, {}, today=MARCH, loan_open=False)
    assert ("loan_not_active", "hold", "H") == (refused.value.reason, refused.value.field, refused.value.value)
