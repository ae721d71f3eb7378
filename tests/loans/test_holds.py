"""Holds as a ledger: several at once, each day counted once, each refusal with a stable code."""

from __future__ import annotations

from datetime import date, timedelta
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.loans.delinquency import date_at, delinquent_days
from duecourse.loans.facts import HoldLifted, HoldPlaced
from duecourse.loans.holds import Held, HoldRefused, check_lifted, check_placed, effective, held_days, to_lift
from tests.loans.examples import MARCH, Told, morning

FIRST = date(2026, 1, 1)


@st.composite
def held(draw: st.DrawFn) -> Held:
    starts = FIRST + timedelta(days=draw(st.integers(0, 120)))
    length = draw(st.none() | st.integers(0, 60))
    ends = None if length is None else starts + timedelta(days=length)
    return Held("h", "dispute", "debt", draw(st.sampled_from(["paused", "counted"])), starts, ends)


@given(st.lists(held(), max_size=6), st.integers(0, 130), st.integers(0, 130))
def test_a_held_day_counts_once_however_many_holds_cover_it(holds: list[Held], begin: int, length: int) -> None:
    first = FIRST + timedelta(days=begin)
    span = [first + timedelta(days=number) for number in range(length)]
    pausing = [one for one in holds if one.days == "paused"]

    expected = sum(any(one.covers(day) for one in pausing) for day in span)

    assert expected == held_days(holds, first, first + timedelta(days=length))


@given(st.lists(held(), max_size=5), st.integers(0, 100), st.integers(0, 10), st.integers(1, 40))
def test_the_date_of_a_rung_is_the_first_day_with_that_many_delinquent_days(
    holds: list[Held], due: int, grace: int, days: int
) -> None:
    due_on = FIRST + timedelta(days=due)
    horizon = [due_on + timedelta(days=number) for number in range(500)]

    expected = next((day for day in horizon if delinquent_days(due_on, grace, holds, day) >= days), None)

    assert expected == date_at(due_on, grace, holds, days)


def test_a_hold_until_the_end_of_time_is_an_open_one() -> None:
    """Counting its days one by one would take minutes, and its end has no day after it."""
    forever = Held("h", "bankruptcy", "debt", "paused", MARCH, date.max)

    assert date_at(MARCH, 0, [forever], 2) is None


def test_a_pause_that_encloses_another_counts_its_days_once() -> None:
    told = Told()
    told.holds("dispute", date(2026, 3, 10), date(2026, 3, 15))
    told.holds("hardship", date(2026, 3, 5), date(2026, 3, 20))

    assert 30 == told.loan.past_due_days(date(2026, 3, 31))
    assert 15 == told.loan.delinquent_days(date(2026, 3, 31))


def test_a_pause_before_the_debt_was_due_takes_nothing_off() -> None:
    told = Told()
    told.holds("forbearance", date(2026, 2, 10), date(2026, 3, 6))

    assert 10 - 5 == told.loan.delinquent_days(date(2026, 3, 11))


def test_a_hold_whose_days_count_silences_without_stopping_the_clock() -> None:
    told = Told()
    told.holds("complaint", date(2026, 3, 3), None, days="counted")

    assert 9 == told.loan.delinquent_days(date(2026, 3, 10))
    assert "held" == told.loan.stage(morning(date(2026, 3, 10)))


def test_lifting_ends_a_hold_on_the_day_of_the_lift_and_the_earliest_lift_stands() -> None:
    told = Told()
    hold = told.holds("dispute", date(2026, 3, 5))
    assert isinstance(hold, HoldPlaced)
    told.tell("hold_lifted", date(2026, 3, 12), hold=hold.hold, on=date(2026, 3, 12))
    told.tell("hold_lifted", date(2026, 3, 20), hold=hold.hold, on=date(2026, 3, 20))

    (one,) = told.loan.holds()
    assert date(2026, 3, 12) == one.ends
    assert "held" == told.loan.stage(morning(date(2026, 3, 11)))
    assert "overdue" == told.loan.stage(morning(date(2026, 3, 12)))


def test_a_lift_that_arrives_before_its_hold_still_ends_it() -> None:
    told = Told()
    told.tell("hold_lifted", date(2026, 3, 12), hold="hold-1", on=date(2026, 3, 12))
    told.holds("dispute", date(2026, 3, 5))

    assert date(2026, 3, 12) == told.loan.holds()[0].ends


def placed(starts: date, ends: date | None, cause: str = "forbearance", name: str = "NEW") -> HoldPlaced:
    return HoldPlaced.model_validate(
        {"id": name, "at": morning(starts), "hold": name, "cause": cause, "starts": starts, "ends": ends}
    )


def lifted(hold: str, on: date) -> HoldLifted:
    return HoldLifted(id=f"lift-{hold}", at=morning(on), hold=hold, on=on)


class TestPlacing:
    OLD = Held("OLD", "forbearance", "debt", "paused", date(2026, 3, 10), date(2026, 3, 15))

    @pytest.mark.parametrize(
        ("starts", "ends"),
        [
            (date(2026, 3, 12), date(2026, 3, 20)),
            (date(2026, 3, 5), date(2026, 3, 11)),
            (date(2026, 3, 5), date(2026, 3, 20)),
            (date(2026, 3, 11), date(2026, 3, 12)),
            (date(2026, 3, 10), date(2026, 3, 30)),
            (date(2026, 3, 10), date(2026, 3, 15)),
        ],
        ids=["into its end", "into its start", "around it", "inside it", "same start", "the same"],
    )
    def test_a_pause_may_not_overlap_another(self, starts: date, ends: date) -> None:
        with pytest.raises(HoldRefused) as refusal:
            check_placed(placed(starts, ends), [self.OLD], loan_open=True, disbursed_on=None)

        assert "overlap" == refusal.value.reason

    @pytest.mark.parametrize(
        ("starts", "ends"),
        [(date(2026, 3, 15), date(2026, 3, 20)), (date(2026, 3, 5), date(2026, 3, 10))],
        ids=["after it", "before it"],
    )
    def test_pauses_may_touch(self, starts: date, ends: date) -> None:
        check_placed(placed(starts, ends), [self.OLD], loan_open=True, disbursed_on=None)

    def test_holds_of_other_causes_may_overlap_and_stay_open(self) -> None:
        check_placed(placed(date(2026, 3, 12), None, "dispute"), [self.OLD], loan_open=True, disbursed_on=None)

    @pytest.mark.parametrize(
        ("new", "is_open", "reason"),
        [
            (placed(date(2026, 3, 20), date(2026, 3, 25)), False, "loan_not_active"),
            (placed(date(2026, 2, 20), date(2026, 3, 25)), True, "before_disbursement"),
            (placed(date(2026, 3, 20), None), True, "missing_end"),
            (placed(date(2026, 3, 20), date(2026, 3, 20)), True, "end_not_after_start"),
            (placed(date(2026, 3, 20), date(2026, 3, 19)), True, "end_not_after_start"),
            (placed(date(2026, 3, 20), date(2026, 3, 25), name="OLD"), True, "duplicate_hold"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_a_refusal_has_a_stable_reason(self, new: HoldPlaced, is_open: bool, reason: str) -> None:
        with pytest.raises(HoldRefused) as refusal:
            check_placed(new, [self.OLD], loan_open=is_open, disbursed_on=MARCH)

        assert reason == refusal.value.reason


class TestLifting:
    PLACED: ClassVar = {"PAUSE": placed(date(2026, 3, 5), date(2026, 3, 15), name="PAUSE")}

    def check(self, lift: HoldLifted, today: date, before: dict[str, HoldLifted] | None = None) -> None:
        check_lifted(lift, self.PLACED, before or {}, today=today, loan_open=True)

    def test_a_pause_is_lifted_today(self) -> None:
        self.check(lifted("PAUSE", date(2026, 3, 9)), date(2026, 3, 9))

    @pytest.mark.parametrize(
        ("lift", "today", "reason"),
        [
            (lifted("PAUSE", date(2026, 3, 9)), date(2026, 3, 10), "resume_not_today"),
            (lifted("PAUSE", date(2026, 3, 11)), date(2026, 3, 10), "resume_not_today"),
            (lifted("PAUSE", date(2026, 3, 4)), date(2026, 3, 4), "no_active_pause"),
            (lifted("PAUSE", date(2026, 3, 16)), date(2026, 3, 16), "no_active_pause"),
            (lifted("OTHER", date(2026, 3, 9)), date(2026, 3, 9), "no_active_pause"),
        ],
    )
    def test_a_refused_lift_has_a_stable_reason(self, lift: HoldLifted, today: date, reason: str) -> None:
        with pytest.raises(HoldRefused) as refusal:
            self.check(lift, today)

        assert reason == refusal.value.reason

    def test_a_hold_is_lifted_once(self) -> None:
        with pytest.raises(HoldRefused) as refusal:
            self.check(
                lifted("PAUSE", date(2026, 3, 9)), date(2026, 3, 9), {"PAUSE": lifted("PAUSE", date(2026, 3, 8))}
            )

        assert "duplicate_resume" == refusal.value.reason

    def test_a_lift_speaks_of_the_hold_in_force_rather_than_of_a_lifted_one(self) -> None:
        known = self.PLACED | {"SECOND": placed(date(2026, 3, 8), date(2026, 3, 12), name="SECOND")}
        before = {"PAUSE": lifted("PAUSE", date(2026, 3, 8))}

        assert "SECOND" == to_lift("forbearance", known, before, date(2026, 3, 9))
        assert "PAUSE" == to_lift("forbearance", self.PLACED, before, date(2026, 3, 9))
        assert to_lift("dispute", known, before, date(2026, 3, 9)) is None
        assert "SECOND" == to_lift("forbearance", known, before, date(2026, 4, 9)), "the latest, to be refused by name"


def test_effective_holds_come_in_the_order_of_their_start() -> None:
    late, early = placed(date(2026, 3, 9), None, "dispute", "A"), placed(date(2026, 3, 2), None, "cease", "B")

    assert ["B", "A"] == [one.hold for one in effective({"A": late, "B": early}, {})]
