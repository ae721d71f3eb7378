"""The next lawful moment against looking at each minute, where clocks, calendars and counts make it hard.

Any few of the rules below together, in zones whose days hardly meet, over both changes of the clock, the ends of years
and of months with 28, 30 and 31 days. The oracle reads clocks and counts contacts; it does no arithmetic of intervals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from duecourse.compliance.case import Case, Event, Lender, Person, Request
from duecourse.compliance.gate import decide
from duecourse.compliance.local_time import zone_named
from duecourse.compliance.packs import PackSet
from duecourse.compliance.verdict import Defer, Permit, Verdict, Withhold
from tests.compliance.pieces import case as piece
from tests.compliance.pieces import debt, packs, rule

DAYS = 9
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
Lawful = Callable[["Known", datetime], bool]


@dataclass(frozen=True)
class Known:
    """What the oracle looks at: the borrower's zones, and the calls so far."""

    zones: tuple[str, ...]
    calls: tuple[datetime, ...]
    talks: tuple[datetime, ...]

    def local(self, instant: datetime) -> list[datetime]:
        return [instant.astimezone(zone_named(zone)) for zone in self.zones]

    def dates(self, zone: str) -> list[date]:
        return [call.astimezone(zone_named(zone)).date() for call in self.calls]


def _holiday(day: date) -> bool:
    return (day.month, day.day) in {(1, 1), (3, 9), (11, 2), (12, 31)}


def by_day(known: Known, instant: datetime) -> bool:
    return all(time(8) <= _clock(local) <= time(21) for local in known.local(instant))


def by_night(known: Known, instant: datetime) -> bool:
    """From 20:00 until 06:00 of the next morning; the night that opens on a Saturday is closed."""

    def open_at(local: datetime) -> bool:
        evening = local.date() if _clock(local) >= time(20) else local.date() - timedelta(days=1)
        return (_clock(local) >= time(20) or _clock(local) < time(6)) and evening.weekday() != 5

    return all(open_at(local) for local in known.local(instant))


def not_on_holidays(known: Known, instant: datetime) -> bool:
    """08:00 to 20:00 on working days, 10:00 to 12:00 on holidays, and never on Sundays that are none."""

    def open_at(local: datetime) -> bool:
        if _holiday(local.date()):
            return time(10) <= _clock(local) < time(12)
        return local.weekday() != 6 and time(8) <= _clock(local) < time(20)

    return all(open_at(local) for local in known.local(instant))


def in_shanghai(known: Known, instant: datetime) -> bool:
    return time(8) <= _clock(instant.astimezone(zone_named("Asia/Shanghai"))) < time(22)


def twice_a_month(known: Known, instant: datetime) -> bool:
    def uncrowded(zone: str) -> bool:
        today = instant.astimezone(zone_named(zone)).date()
        return sum((day.year, day.month) == (today.year, today.month) for day in known.dates(zone)) < 2

    return all(uncrowded(zone) for zone in known.zones)


def twice_a_week(known: Known, instant: datetime) -> bool:
    """Weeks that begin on Sunday."""

    def week(day: date) -> date:
        return day - timedelta(days=(day.weekday() + 1) % 7)

    def uncrowded(zone: str) -> bool:
        today = week(instant.astimezone(zone_named(zone)).date())
        return Counter(week(day) for day in known.dates(zone))[today] < 2

    return all(uncrowded(zone) for zone in known.zones)


def twice_in_four_days(known: Known, instant: datetime) -> bool:
    def uncrowded(zone: str) -> bool:
        today, days = instant.astimezone(zone_named(zone)).date(), known.dates(zone)
        starts = [today - timedelta(days=back) for back in range(4)]
        return all(sum(start <= day < start + timedelta(days=4) for day in days) < 2 for start in starts)

    return all(uncrowded(zone) for zone in known.zones)


def once_in_thirty_hours(known: Known, instant: datetime) -> bool:
    return all(abs(instant - call) >= timedelta(hours=30) for call in known.calls)


def rested(known: Known, instant: datetime) -> bool:
    """Three days after a conversation, its own date being the first."""

    def over(zone: str) -> bool:
        today = instant.astimezone(zone_named(zone)).date()
        spoken = [talk.astimezone(zone_named(zone)).date() for talk in known.talks if talk <= instant]
        return all(today >= day + timedelta(days=3) for day in spoken)

    return all(over(zone) for zone in known.zones)


def _clock(local: datetime) -> time:
    return local.time().replace(tzinfo=None)


CALLS = "counts: {channels: [call]}"
RULES: dict[Lawful, str] = {
    by_day: 'quiet_hours: {windows: {daily: [["08:00", "21:00"]]}, end: inclusive}',
    by_night: 'quiet_hours: {windows: {daily: [["20:00", "06:00"]], SAT: []}, end: exclusive}',
    not_on_holidays: (
        'quiet_hours: {windows: {daily: [["08:00", "20:00"]], SUN: []}, end: exclusive, '
        'holidays: {calendar: own, windows: [["10:00", "12:00"]]}}'
    ),
    in_shanghai: 'quiet_hours: {windows: {daily: [["08:00", "22:00"]]}, end: exclusive, zone: Asia/Shanghai}',
    twice_a_month: f"cap: {{limit: 2, window: {{calendar: month}}, per: debt, {CALLS}}}",
    twice_a_week: f"cap: {{limit: 2, window: {{week_starts: SUN}}, per: debt, {CALLS}}}",
    twice_in_four_days: f"cap: {{limit: 2, window: {{days: 4}}, per: debt, {CALLS}}}",
    once_in_thirty_hours: f"cap: {{limit: 1, window: {{hours: 30}}, per: person, {CALLS}}}",
    rested: "cool_off: {days: 3, after: [conversation], per: debt}",
}
OWN = "calendars: {own: {days: [{month: 1, day: 1}, {month: 3, day: 9}, {month: 11, day: 2}, {month: 12, day: 31}]}}\n"
ZONES = [
    ("America/New_York",),
    ("Europe/Berlin",),
    ("Australia/Lord_Howe",),  # its clocks change by half an hour
    ("America/New_York", "America/Los_Angeles"),
    ("America/New_York", "Asia/Shanghai"),  # their days meet for an hour or two
    ("Pacific/Honolulu", "Europe/Berlin"),  # their days do not meet in summer
    ("Asia/Kathmandu", "Pacific/Chatham"),
    ("America/Phoenix", "America/Denver", "America/Chicago"),
]
STARTS = [
    datetime(2026, 3, 6, tzinfo=UTC),  # America goes forward on the 8th
    datetime(2026, 3, 27, tzinfo=UTC),  # Europe goes forward on the 29th, and March has 31 days
    datetime(2026, 4, 3, tzinfo=UTC),  # Lord Howe goes back on the 5th
    datetime(2026, 10, 23, tzinfo=UTC),  # Europe goes back on the 25th
    datetime(2026, 10, 30, tzinfo=UTC),  # October has 31 days, and America goes back on 1 November
    datetime(2026, 12, 29, tzinfo=UTC),
    datetime(2027, 2, 26, tzinfo=UTC),
    datetime(2028, 2, 27, tzinfo=UTC),  # a leap year
]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[tuple[Lawful, ...], Known, datetime]:
    at = draw(st.sampled_from(STARTS)) + timedelta(seconds=draw(st.integers(0, 2 * 86_400)))
    hours = st.integers(-9 * 24, 4 * 24).map(lambda hour: at + timedelta(hours=hour, minutes=13))
    calls = draw(st.lists(hours, max_size=4, unique=True).map(tuple))
    talks = draw(st.lists(hours, max_size=1).map(tuple))
    zones = draw(st.sampled_from(ZONES))
    rules = draw(st.lists(st.sampled_from(list(RULES)), min_size=1, max_size=3, unique=True).map(tuple))
    return rules, Known(zones, (*calls, *talks), talks), at


def set_of(rules: tuple[Lawful, ...]) -> PackSet:
    bodies = [rule(RULES[one], f"T-{number:02d}") for number, one in enumerate(rules)]
    return packs(*bodies, header=OWN)


def ask(known: Known, at: datetime) -> Case:
    return Case(
        packs=("t",),
        lender=Lender("creditor"),
        person=Person("P", None, known.zones, "en", (), (), ()),
        debts=(debt(),),
        history=tuple(
            Event(
                call, "call", "outbound", "x", ("D",), "collection", "conversation" if call in known.talks else "busy"
            )
            for call in known.calls
        ),
        request=Request("call", "x", "debtor", ("D",), "collection", None, at, at + timedelta(days=DAYS)),
    )


@settings(max_examples=80, deadline=None)
@given(worlds())
def test_it_opens_at_the_first_lawful_moment_and_closes_at_the_last(
    world: tuple[tuple[Lawful, ...], Known, datetime],
) -> None:
    rules, known, at = world
    note(f"{[one.__name__ for one in rules]}")

    def lawful(instant: datetime) -> bool:
        return all(one(known, instant) for one in rules)

    check(decide(ask(known, at), set_of(rules)), at, lawful)


@pytest.mark.parametrize("start", STARTS, ids=lambda start: start.date().isoformat())
@pytest.mark.parametrize("zones", ZONES, ids="+".join)
def test_day_and_night_on_each_change_of_the_clock(zones: tuple[str, ...], start: datetime) -> None:
    """Every zone at every one of those dates, without chance: the whole stretch is walked, opening after opening."""
    known = Known(zones, (), ())
    for hours in (by_day, by_night):
        known_rules = set_of((hours,))
        at = start + timedelta(hours=5, seconds=7)
        for _ in range(4):
            verdict = decide(ask(known, at), known_rules)
            check(verdict, at, lambda instant, hours=hours: hours(known, instant))  # type: ignore[misc]
            if isinstance(verdict, Withhold):
                break
            assert isinstance(verdict, Permit | Defer)
            at = verdict.closes + SECOND


def check(verdict: Verdict, at: datetime, lawful: Callable[[datetime], bool]) -> None:
    """Nothing earlier is lawful, the stretch is lawful throughout, and one second after it is not."""
    end = at + timedelta(days=DAYS)
    match verdict:
        case Permit():
            opens = at
        case Defer(opens=opens):
            assert not lawful(at)
            assert not lawful(opens - SECOND)
        case Withhold():
            assert not any(lawful(minute) for minute in minutes(at, end))
            return
        case other:
            raise AssertionError(other)
    assert not any(lawful(minute) for minute in minutes(at, opens - SECOND))
    assert lawful(opens)
    assert all(lawful(minute) for minute in minutes(opens, verdict.closes))
    assert lawful(verdict.closes)
    assert verdict.closes == end or not lawful(verdict.closes + SECOND)


def minutes(first: datetime, last: datetime) -> list[datetime]:
    """The first instant and every full minute after it, in UTC: every rule here changes at a full minute or later."""
    if last < first:
        return []
    full = first.replace(second=0, microsecond=0) + MINUTE
    return [first, *(full + step * MINUTE for step in range((last - full) // MINUTE + 1))]


def test_the_oracle_is_no_yes_man() -> None:
    """It calls lawful and unlawful what a person would, at a few moments that anybody can check."""
    known = Known(("America/New_York",), (), ())
    noon = datetime(2026, 3, 10, 16, tzinfo=UTC)
    assert by_day(known, noon)
    assert not by_night(known, noon)
    assert not not_on_holidays(known, datetime(2026, 3, 9, 20, tzinfo=UTC))
    assert not_on_holidays(known, datetime(2026, 3, 9, 14, 30, tzinfo=UTC))
    assert instant_in(piece("2026-03-10T12:00")) == noon


def instant_in(case: Case) -> datetime:
    return case.request.at
