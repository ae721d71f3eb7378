"""Local dates and minutes as instants, on ordinary days and on those on which clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.compliance.local_time import (
    Side,
    ceil_second,
    clock,
    earliest_start,
    floor_second,
    instant_of,
    latest_start,
    local_day,
    local_days,
    parse_minutes,
    to_datetime,
    zone_named,
)
from duecourse.errors import InvalidInput

ZONES = [
    "America/New_York",
    "America/Los_Angeles",
    "America/Phoenix",
    "America/Havana",
    "America/Santiago",
    "America/St_Johns",
    "Asia/Shanghai",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Kiritimati",
    "UTC",
]


def at(zone: str, day: str, minute: int, side: Side = "earlier") -> str:
    return to_datetime(instant_of(zone, date.fromisoformat(day).toordinal(), minute, side)).isoformat()


@pytest.mark.parametrize(
    ("day", "minute", "side", "expected"),
    [
        ("2026-03-07", 480, "earlier", "2026-03-07T13:00:00+00:00"),  # standard time
        ("2026-03-08", 480, "earlier", "2026-03-08T12:00:00+00:00"),  # the day on which summer time begins
        ("2026-03-08", 150, "earlier", "2026-03-08T07:00:00+00:00"),  # 02:30 does not exist: the end of the gap
        ("2026-03-08", 150, "later", "2026-03-08T07:00:00+00:00"),
        ("2026-11-01", 90, "earlier", "2026-11-01T05:30:00+00:00"),  # 01:30 comes twice
        ("2026-11-01", 90, "later", "2026-11-01T06:30:00+00:00"),
        ("2026-11-01", 1440, "earlier", "2026-11-02T05:00:00+00:00"),  # 24:00 is the next day's midnight
    ],
)
def test_new_york_through_both_changes(day: str, minute: int, side: Side, expected: str) -> None:
    assert expected == at("America/New_York", day, minute, side)


def test_midnight_is_the_first_instant_of_its_date_where_it_comes_twice() -> None:
    """Havana sets its clocks back at 01:00: 00:00 comes twice, and both times it is the new day."""
    assert at("America/Havana", "2026-11-01", 0) == at("America/Havana", "2026-11-01", 0, "later")
    assert "2026-11-01T04:00:00+00:00" == at("America/Havana", "2026-11-01", 0)


def test_midnight_that_is_skipped_is_the_end_of_the_gap() -> None:
    """Santiago sets its clocks forward at midnight: the date begins at 01:00."""
    day = date(2026, 9, 6).toordinal()
    assert "01:00" == clock("America/Santiago", instant_of("America/Santiago", day, 0))


@given(st.sampled_from(ZONES), st.integers(1_500_000_000, 2_100_000_000))
def test_local_dates_agree_with_the_zone_database(zone: str, second: int) -> None:
    local = to_datetime(second).astimezone(zone_named(zone))
    assert local.date().toordinal() == local_day(zone, second) == local_days(zone, [second])[0]
    assert f"{local:%H:%M}" == clock(zone, second)[:5]


@given(st.sampled_from(ZONES), st.integers(736_000, 745_000))
def test_a_date_begins_at_the_first_instant_that_bears_it(zone: str, day: int) -> None:
    start = instant_of(zone, day, 0)
    assert day == local_day(zone, start)
    assert day > local_day(zone, start - 1)


def test_dates_over_several_zones_and_over_all_of_them() -> None:
    day = date(2026, 6, 1).toordinal()
    both = ("America/New_York", "America/Los_Angeles")
    assert datetime(2026, 6, 1, 4, tzinfo=UTC) == to_datetime(earliest_start(both, day))
    assert datetime(2026, 6, 1, 7, tzinfo=UTC) == to_datetime(latest_start(both, day))
    assert datetime(2026, 5, 31, 10, tzinfo=UTC) == to_datetime(earliest_start((), day))
    assert datetime(2026, 6, 1, 12, tzinfo=UTC) == to_datetime(latest_start((), day))


def test_seconds_on_both_sides_of_an_instant() -> None:
    instant = datetime(2026, 1, 1, 0, 0, 0, 400_000, tzinfo=UTC)
    assert 1 == ceil_second(instant) - floor_second(instant)
    assert ceil_second(instant.replace(microsecond=0)) == floor_second(instant.replace(microsecond=0))


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "America", "/etc/localtime", "America/../UTC"])
def test_an_unknown_zone_is_refused_by_name(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        zone_named(name)
    assert name == refused.value.value


@pytest.mark.parametrize("text", ["25:00", "24:01", "8", "08:60", "8am", "", "08:0", "-1:00"])
def test_a_time_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_minutes(text)


def test_a_time_as_minutes() -> None:
    assert (0, 485, 1440) == (parse_minutes("00:00"), parse_minutes("8:05"), parse_minutes("24:00"))
