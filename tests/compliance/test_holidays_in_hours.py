"""Quiet hours by holiday: no contact on them, or other windows; a year not published stops only what reads it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.compliance.calendars import calendar_named, is_holiday
from duecourse.compliance.gate import decide
from duecourse.compliance.local_time import zone_named
from duecourse.compliance.verdict import Defer, Permit, Withhold
from tests.compliance.pieces import HOME, case, instant, packs, rule

WORKDAYS = 'quiet_hours: {windows: {daily: [["08:00", "20:00"]], SUN: []}, end: exclusive, holidays: {calendar: %s}}'
FEDERAL = packs(rule(WORKDAYS % "US-federal-6103a"))
CHINA = packs(rule(WORKDAYS % "CN"))


def test_no_contact_on_a_holiday() -> None:
    """Christmas 2026 is a Friday: what waits goes on Saturday, and not on a Sunday."""
    verdict = decide(case("2026-12-25T12:00"), FEDERAL)
    assert isinstance(verdict, Defer)
    assert instant("2026-12-26T08:00") == verdict.opens
    assert instant("2026-12-26T19:59:59") == verdict.closes
    assert isinstance(decide(case("2026-12-24T12:00"), FEDERAL), Permit)


def test_windows_of_their_own_on_holidays() -> None:
    """Sunday hours on holidays: 13:00 to 17:00."""
    own = packs(
        rule(
            'quiet_hours: {windows: {daily: [["07:00", "21:00"]]}, end: exclusive, '
            'holidays: {calendar: US-federal-6103a, windows: [["13:00", "17:00"]]}}'
        )
    )
    verdict = decide(case("2026-12-25T09:00"), own)
    assert isinstance(verdict, Defer)
    assert (instant("2026-12-25T13:00"), instant("2026-12-25T16:59:59")) == (verdict.opens, verdict.closes)
    assert "13:00-17:00" in verdict.grounds.findings[0].because


def test_a_window_past_midnight_does_not_reach_into_a_holiday() -> None:
    night = packs(
        rule(
            'quiet_hours: {windows: {daily: [["20:00", "04:00"]]}, end: exclusive, '
            "holidays: {calendar: US-federal-6103a}}"
        )
    )
    verdict = decide(case("2026-12-24T21:00"), night)
    assert isinstance(verdict, Permit)
    assert instant("2026-12-24T23:59:59") == verdict.closes


def test_a_year_that_is_not_published_stops_what_falls_into_it_and_nothing_else() -> None:
    """China has not announced 2027: on 31 December 2026 a contact may go, on 1 January none may."""
    shanghai = "Asia/Shanghai"
    before = decide(case("2026-12-31T12:00", zone=shanghai), CHINA)
    assert isinstance(before, Permit)
    assert instant("2026-12-31T19:59:59", shanghai) == before.closes
    after = decide(case("2027-01-01T12:00", zone=shanghai), CHINA)
    assert isinstance(after, Withhold)
    assert ("calendar_published",) == after.wake
    assert "2027 (CN) are not published" in after.grounds.findings[0].because
    waiting = decide(case("2026-12-31T21:00", zone=shanghai), CHINA)
    assert isinstance(waiting, Withhold)
    assert ("calendar_published",) == waiting.wake


def test_a_rule_without_that_calendar_does_not_care() -> None:
    plain = packs(rule('quiet_hours: {windows: {daily: [["08:00", "20:00"]]}, end: exclusive}'))
    assert isinstance(decide(case("2027-01-01T12:00", zone="Asia/Shanghai"), plain), Permit)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 700 * 1440), st.sampled_from([HOME, "America/Los_Angeles"]))
def test_the_next_moment_is_the_first_lawful_minute_by_looking_at_each(start: int, zone: str) -> None:
    calendar = calendar_named("US-federal-6103a")

    def lawful(at: datetime) -> bool:
        local = at.astimezone(zone_named(zone))
        return local.weekday() != 6 and 8 <= local.hour < 20 and not is_holiday(calendar, local.date().toordinal())

    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=start)
    asked = case(at.astimezone(zone_named(zone)).replace(tzinfo=None).isoformat(), zone=zone)
    verdict = decide(asked, FEDERAL)
    at = asked.request.at
    opens = at if isinstance(verdict, Permit) else verdict.opens  # type: ignore[union-attr]
    assert lawful(opens)
    assert not any(lawful(at + timedelta(minutes=m)) for m in range((opens - at) // timedelta(minutes=1)))
    closes = verdict.closes  # type: ignore[union-attr]
    assert lawful(closes)
    assert not lawful(closes + timedelta(seconds=1))
    assert date(2026, 1, 1) <= closes.date()
