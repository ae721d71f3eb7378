"""Holidays and business days: by law's own list or by the library, and never a guess about a year not announced."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.compliance.calendars import (
    WEEKEND,
    BusinessDays,
    calendar_named,
    easter_sunday,
    is_holiday,
    listed_calendar,
    workdays_before,
)
from duecourse.errors import InvalidInput

FEDERAL = calendar_named("US-federal-6103a")


def days(name: str, year: int) -> set[date]:
    return {date.fromordinal(day) for day in calendar_named(name).days(year) or ()}


def test_section_6103a_holds_the_days_themselves_not_their_substitutes() -> None:
    """5 USC 6103(a): 4 July 2026 is a Saturday; Friday the third is a day off under 6103(b) only."""
    assert date(2026, 7, 4) in days("US-federal-6103a", 2026)
    assert date(2026, 7, 3) not in days("US-federal-6103a", 2026)
    assert date(2026, 7, 3) in days("US", 2026)
    assert 11 == len(days("US-federal-6103a", 2026))


@pytest.mark.parametrize("year", range(2022, 2033))
def test_our_rules_draw_the_same_federal_days_as_the_library_does(year: int) -> None:
    unobserved = {d for d in days("US-federal-6103a", year) if d.weekday() < 5}
    assert unobserved <= days("US", year)


@pytest.mark.parametrize(
    ("year", "month", "day"), [(2024, 3, 31), (2025, 4, 20), (2026, 4, 5), (2027, 3, 28), (2038, 4, 25)]
)
def test_easter(year: int, month: int, day: int) -> None:
    assert date(year, month, day) == easter_sunday(year)


def test_a_substitute_is_taken_only_on_the_weekday_that_the_law_names() -> None:
    """Quebec: 1 July, or 2 July if the first is a Sunday."""
    quebec = listed_calendar("q", [{"month": 7, "day": 1, "shift": {"SUN": 1}}], (), None, None)
    assert frozenset({date(2026, 7, 1).toordinal()}) == quebec.days(2026)
    assert frozenset({date(2029, 7, 2).toordinal()}) == quebec.days(2029)


def test_the_weekday_before_a_day() -> None:
    """Quebec: the Monday before 25 May, so on a Monday the 25th it is the 18th."""
    patriots = listed_calendar("q", [{"month": 5, "weekday": "MON", "before_day": 25}], (), None, None)
    assert frozenset({date(2026, 5, 18).toordinal()}) == patriots.days(2026)
    assert frozenset({date(2027, 5, 24).toordinal()}) == patriots.days(2027)


@pytest.mark.parametrize("name", ["CN", "KR"])
def test_a_year_that_was_not_announced_is_not_published(name: str) -> None:
    assert calendar_named(name).days(2026)
    assert calendar_named(name).days(2027) is None
    assert is_holiday(calendar_named(name), date(2027, 5, 1).toordinal()) is None


def test_a_year_whose_dates_follow_the_moon_and_are_estimated_is_not_published() -> None:
    assert calendar_named("TR").days(2050) is None


def test_a_law_that_lists_dates_says_for_which_years() -> None:
    listed = listed_calendar("l", [], (date(2026, 3, 2),), 2026, 2026)
    assert frozenset({date(2026, 3, 2).toordinal()}) == listed.days(2026)
    assert listed.days(2025) is None
    assert listed.days(2027) is None


@pytest.mark.parametrize("name", ["Atlantis", "US-XX", "", "us"])
def test_an_unknown_calendar_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="a country"):
        calendar_named(name)


def test_dv_09_five_days_of_assumed_receipt() -> None:
    """1006.34(b)(5): notice on Thursday 2 July 2026; Saturdays, Sundays and 6103(a) days do not count."""
    count = BusinessDays(FEDERAL, WEEKEND, "skip")
    assert date(2026, 7, 9).toordinal() == count.after(date(2026, 7, 2).toordinal(), 5)
    observed = BusinessDays(calendar_named("US"), WEEKEND, "skip")
    assert date(2026, 7, 10).toordinal() == observed.after(date(2026, 7, 2).toordinal(), 5)


def test_the_first_day_is_skipped_or_counted_as_the_law_says() -> None:
    friday = date(2026, 3, 6).toordinal()
    assert date(2026, 3, 9).toordinal() == BusinessDays(None, WEEKEND, "skip").after(friday, 1)
    assert friday == BusinessDays(None, WEEKEND, "count").after(friday, 1)
    assert date(2026, 3, 20).toordinal() == BusinessDays(None, WEEKEND, "skip").after(friday, 10)


def test_business_days_across_an_unpublished_year_are_unknown_and_a_task_comes_early() -> None:
    korea = calendar_named("KR")
    late = date(2026, 12, 28).toordinal()
    assert BusinessDays(korea, WEEKEND, "skip").after(late, 10) is None
    new_year = date(2027, 1, 6).toordinal()
    assert new_year - 21 == workdays_before(new_year, 3, korea)


calendars = st.sampled_from([None, FEDERAL, calendar_named("US"), calendar_named("CA-QC")])
dates = st.dates(date(2022, 1, 1), date(2032, 12, 1)).map(date.toordinal)


@given(calendars, dates, st.integers(1, 40))
def test_counting_forward_and_back_is_counting(calendar: object, day: int, count: int) -> None:
    """Between a day and the n-th business day after it lie exactly n business days, by looking at each day."""
    counted = BusinessDays(calendar, WEEKEND, "skip")  # type: ignore[arg-type]
    end = counted.after(day, count)
    assert end is not None
    assert count == sum(bool(counted.is_business(at)) for at in range(day + 1, end + 1))
    assert counted.is_business(end)
    start = counted.before(day, count)
    assert start is not None
    assert count == sum(bool(counted.is_business(at)) for at in range(start, day))
    assert timedelta(days=end - day) >= timedelta(days=count)
