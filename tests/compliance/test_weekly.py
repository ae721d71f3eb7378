"""Weekly windows agree with a scan by the clock on the wall, in one zone and in several at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.compliance.intervals import contains
from duecourse.compliance.local_time import floor_second, to_datetime, zone_named
from duecourse.compliance.weekly import End, Weekly, next_inside, on_days, weekly, weekly_from
from duecourse.errors import InvalidInput

zones = st.lists(
    st.sampled_from(["America/New_York", "America/Los_Angeles", "America/Phoenix", "Europe/Berlin", "Asia/Shanghai"]),
    min_size=1,
    max_size=3,
    unique=True,
).map(tuple)
window = (
    st.tuples(st.integers(0, 95), st.integers(1, 96))
    .filter(lambda w: w[0] != w[1])
    .map(lambda w: (w[0] * 15, w[1] * 15))
)
weeks = st.lists(st.lists(window, max_size=2).map(tuple), min_size=7, max_size=7).map(tuple)
# Both changes of the clocks in America and Europe, and the turn of a year.
moments = st.sampled_from(
    [datetime(2026, 3, 7, tzinfo=UTC), datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC),
     datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 12, 30, tzinfo=UTC)]
)  # fmt: skip


def by_the_clock(windows: Weekly, zone: str, instant: datetime) -> bool:
    """Read the wall clock and compare: no arithmetic on instants."""
    local = instant.astimezone(zone_named(zone))
    of_day = local.hour * 3600 + local.minute * 60 + local.second
    more = 1 if windows.end == "inclusive" else 0
    for opens, closes in windows.days[local.weekday()]:
        stop = closes * 60 + (more if closes != 1440 else 0)
        if opens < closes and opens * 60 <= of_day < stop:
            return True
        if opens > closes and of_day >= opens * 60:
            return True
    for opens, closes in windows.days[(local.weekday() - 1) % 7]:
        if opens > closes and of_day < closes * 60 + more:
            return True
        if more and closes != 1440 and opens < closes and of_day < closes * 60 + more - 86_400:
            return True
    return False


def comes_twice(zone: str, instant: datetime) -> bool:
    """Is this local time one that clocks show twice, on that night or within the windows that cross it?"""
    local = instant.astimezone(zone_named(zone))
    other = local.replace(fold=1 - local.fold)
    return local.utcoffset() != other.utcoffset()


@settings(max_examples=60, deadline=None)
@given(weeks, st.sampled_from(["exclusive", "inclusive"]), zones, moments, st.integers(0, 59))
def test_inside_means_inside_by_the_clock_in_every_zone(
    days: tuple[tuple[tuple[int, int], ...], ...], end: End, names: tuple[str, ...], start: datetime, odd: int
) -> None:
    windows = weekly(days, end)
    begin = floor_second(start)
    inside = windows.everywhere(names, begin, begin + 3 * 86_400)
    anywhere = windows.anywhere(names, begin, begin + 3 * 86_400)
    for minute in range(0, 3 * 1440, 7):
        instant = start + timedelta(minutes=minute, seconds=odd)
        expected = [by_the_clock(windows, zone, instant) for zone in names]
        doubtful = any(comes_twice(zone, instant) for zone in names)
        second = floor_second(instant)
        if doubtful:
            # An hour that comes twice: never allowed more than the clock says, never barred less.
            assert all(expected) or not contains(inside, second)
            assert not any(expected) or contains(anywhere, second)
        else:
            assert all(expected) == contains(inside, second)
            assert any(expected) == contains(anywhere, second)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2026-03-10T20:59:59-04:00", True), ("2026-03-10T21:00:00-04:00", True), ("2026-03-10T21:00:01-04:00", False)],
)
def test_an_inclusive_end_still_belongs_to_the_window(text: str, expected: bool) -> None:
    windows = weekly_from({"daily": [["08:00", "21:00"]]}, "inclusive")
    instant = datetime.fromisoformat(text)
    assert expected == (instant == next_inside(windows, ("America/New_York",), instant))


def test_an_exclusive_end_does_not() -> None:
    windows = weekly_from({"daily": [["08:00", "22:00"]]})
    at = datetime(2026, 3, 10, 14, tzinfo=UTC)  # 22:00 in Shanghai
    assert datetime(2026, 3, 11, tzinfo=UTC) == next_inside(windows, ("Asia/Shanghai",), at)


def test_half_a_second_before_opening_is_before_opening() -> None:
    windows = weekly_from({"daily": [["08:00", "22:00"]]})
    at = datetime(2026, 3, 9, 23, 59, 59, 500_000, tzinfo=UTC)
    assert datetime(2026, 3, 10, tzinfo=UTC) == next_inside(windows, ("Asia/Shanghai",), at)


def test_windows_of_two_zones_that_never_meet() -> None:
    windows = weekly_from({"daily": [["09:00", "11:00"]]})
    assert next_inside(windows, ("America/New_York", "Asia/Shanghai"), datetime(2026, 3, 10, tzinfo=UTC)) is None


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_opens() -> None:
    windows = weekly_from({"MON": [["22:00", "06:00"]]})
    tuesday = datetime(2024, 1, 2, 5, 59, 59, tzinfo=UTC)
    assert tuesday == next_inside(windows, ("UTC",), tuesday)
    assert datetime(2024, 1, 8, 22, tzinfo=UTC) == next_inside(windows, ("UTC",), tuesday + timedelta(seconds=1))


def test_the_whole_day_on_each_day_leaves_no_second_out_whatever_the_clocks_do() -> None:
    """Havana sees midnight twice, Santiago skips it: without wishes nothing may close for an instant."""
    always = on_days((), 0, 1440)
    begin = floor_second(datetime(2026, 1, 1, tzinfo=UTC))
    for zone in ("America/Havana", "America/Santiago", "America/New_York"):
        inside = always.everywhere((zone,), begin, begin + 365 * 86_400)
        assert 1 == len(inside), [to_datetime(edge).isoformat() for pair in inside for edge in pair]


@pytest.mark.parametrize("windows", [{"MON": [["09:00", "09:00"]]}, {"daily": [["00:00", "00:00"]]}])
def test_equal_start_and_end_is_refused_as_ambiguous(windows: dict[str, list[list[str]]]) -> None:
    with pytest.raises(InvalidInput, match="equal ones can mean"):
        weekly_from(windows)


def test_a_weekday_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidInput, match="daily or one of"):
        weekly_from({"MOON": [["09:00", "10:00"]]})


def test_the_label_says_the_hours() -> None:
    assert "08:00-21:00" == weekly_from({"daily": [["08:00", "21:00"]]}).label(date(2026, 3, 8).toordinal())
