"""The next lawful moment is exact: an oracle that only reads clocks and counts contacts agrees with the gate.

The oracle asks second by second "would this be lawful?", in the words of the rules and without their arithmetic. The
gate's answer must be lawful, nothing before it may be, its stretch must be lawful throughout and end where it says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.compliance.case import Case, Debt, Event, Lender, Person, Preference, Request, SendWindow
from duecourse.compliance.gate import decide
from duecourse.compliance.local_time import zone_named
from duecourse.compliance.packs import Pack, PackSet
from duecourse.compliance.verdict import Defer, Permit, Withhold
from duecourse.compliance.weekdays import WEEKDAYS

PACK = """
rules:
  - id: T-01
    text: {en: hours, zh: 时段}
    citation: {title: test}
    grade: A
    strength: ban
    versions:
      - in_force: 2000-01-01
        quiet_hours: {windows: {daily: [["08:00", "21:00"]], SUN: []}, end: inclusive}
  - id: T-02
    text: {en: cap, zh: 次数}
    citation: {title: test}
    grade: A
    strength: ban
    versions:
      - in_force: 2000-01-01
        cap: {limit: 2, window: {days: 3}, per: debt, counts: {channels: [call], not_counted: [busy]}}
  - id: T-03
    text: {en: talk, zh: 通话}
    citation: {title: test}
    grade: A
    strength: ban
    versions:
      - in_force: 2000-01-01
        cool_off: {days: 2, after: [conversation], per: debt}
  - id: T-04
    text: {en: wishes, zh: 偏好}
    citation: {title: test}
    grade: A
    strength: ban
    versions:
      - in_force: 2000-01-01
        named_times: {}
  - id: T-05
    text: {en: gap, zh: 间隔}
    citation: {title: test}
    grade: A
    strength: ban
    versions:
      - in_force: 2000-01-01
        cap: {limit: 1, window: {hours: 5}, per: person}
"""
HEADER = "id: t\ntitle: {en: t, zh: t}\nrules: [t/rules.yaml]\n"
PACKS = PackSet([Pack.from_documents({"t.yaml": HEADER, "t/rules.yaml": PACK})])


@dataclass(frozen=True)
class World:
    """What the oracle knows."""

    zones: tuple[str, ...]
    events: tuple[Event, ...]
    wish: Preference | None
    window: SendWindow

    def lawful(self, instant: datetime) -> bool:
        return all(
            (self.waking_hours(local) and self.wanted(local) and self.planned(local))
            for local in (instant.astimezone(zone_named(zone)) for zone in self.zones)
        ) and all(self.uncrowded(zone, instant) for zone in self.zones) and self.apart(instant)  # fmt: skip

    def waking_hours(self, local: datetime) -> bool:
        of_day = local.hour * 3600 + local.minute * 60 + local.second
        return local.weekday() != 6 and 8 * 3600 <= of_day <= 21 * 3600

    def wanted(self, local: datetime) -> bool:
        wish = self.wish
        if wish is None or (wish.until is not None and local.date() > wish.until):
            return True
        named_day = not wish.weekdays or WEEKDAYS[local.weekday()] in wish.weekdays
        return not (named_day and wish.from_minute <= local.hour * 60 + local.minute < wish.to_minute)

    def planned(self, local: datetime) -> bool:
        if self.window.not_before is not None and local.date() < self.window.not_before:
            return False
        return self.window.from_minute <= local.hour * 60 + local.minute < self.window.to_minute

    def uncrowded(self, zone: str, instant: datetime) -> bool:
        today = instant.astimezone(zone_named(zone)).date()
        calls = [
            event.at.astimezone(zone_named(zone)).date()
            for event in self.events
            if event.channel == "call" and event.result != "busy"
        ]
        for back in range(3):
            start = today - timedelta(days=back)
            if sum(start <= day <= start + timedelta(days=2) for day in calls) >= 2:
                return False
        for event in self.events:
            if event.result == "conversation" and event.at <= instant:
                spoken = event.at.astimezone(zone_named(zone)).date()
                if today < spoken + timedelta(days=2):
                    return False
        return True

    def apart(self, instant: datetime) -> bool:
        return all(abs(instant - event.at) >= timedelta(hours=5) for event in self.events)


STARTS = [
    datetime(2026, 3, 6, 12, 0, tzinfo=UTC),
    datetime(2026, 3, 27, 20, 0, tzinfo=UTC),
    datetime(2026, 10, 30, 7, 30, tzinfo=UTC),
    datetime(2026, 12, 30, 16, 0, tzinfo=UTC),
]
zones = st.lists(
    st.sampled_from(["America/New_York", "America/Los_Angeles", "Europe/London", "America/Phoenix"]),
    min_size=1,
    max_size=2,
    unique=True,
).map(tuple)
wishes = st.none() | st.builds(
    Preference,
    weekdays=st.lists(st.sampled_from(WEEKDAYS), max_size=3, unique=True).map(tuple),
    from_minute=st.sampled_from([0, 9 * 60, 12 * 60]),
    to_minute=st.sampled_from([13 * 60, 17 * 60 + 30, 1440]),
    until=st.none() | st.just(date(2026, 3, 9)),
)
windows = st.builds(
    SendWindow,
    not_before=st.none() | st.sampled_from([date(2026, 3, 8), date(2026, 11, 1)]),
    from_minute=st.sampled_from([0, 10 * 60]),
    to_minute=st.sampled_from([1440, 18 * 60]),
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[World, datetime]:
    start = draw(st.sampled_from(STARTS)) + timedelta(minutes=draw(st.integers(0, 1440)))
    steps = draw(
        st.lists(st.tuples(st.integers(-96, 72), st.sampled_from(["no_answer", "busy", "conversation"])), max_size=5)
    )
    events = tuple(
        Event(start + timedelta(hours=hours, minutes=7), "call", "outbound", "x", ("D",), "collection", result)
        for hours, result in steps
    )
    return World(draw(zones), events, draw(wishes), draw(windows)), start


def request(world: World, at: datetime, days: int = 6) -> Case:
    return Case(
        packs=("t",),
        lender=Lender("creditor"),
        person=Person("P", None, world.zones, "en", (), (world.wish,) if world.wish else (), ()),
        debts=(Debt("D", "card", 1, Decimal(1), "USD"),),
        history=world.events,
        request=Request("call", "x", "debtor", ("D",), "collection", None, at, at + timedelta(days=days), world.window),
    )


@settings(max_examples=120, deadline=None)
@given(worlds())
def test_the_gate_opens_at_the_first_lawful_minute_and_closes_after_the_last_second(
    given_world: tuple[World, datetime],
) -> None:
    world, at = given_world
    case = request(world, at)
    verdict = decide(case, PACKS)
    minutes = (at + timedelta(minutes=step) for step in range(6 * 1440 + 1))
    match verdict:
        case Permit():
            opens = at
        case Defer(opens=opens):
            assert not world.lawful(opens - timedelta(seconds=1))
        case Withhold():
            assert not any(world.lawful(minute) for minute in minutes)
            return
        case other:
            raise AssertionError(other)
    assert not any(world.lawful(minute) for minute in minutes if minute < opens)
    assert world.lawful(opens)
    closes = verdict.closes
    assert all(
        world.lawful(opens + timedelta(minutes=step)) for step in range((closes - opens) // timedelta(minutes=1))
    )
    assert world.lawful(closes)
    assert closes == case.request.not_after or not world.lawful(closes + timedelta(seconds=1))


@settings(max_examples=60, deadline=None)
@given(worlds(), st.integers(0, 3))
def test_asked_again_when_it_opens_the_answer_is_yes_until_the_same_second(
    given_world: tuple[World, datetime], later: int
) -> None:
    world, at = given_world
    case = request(world, at + timedelta(hours=later))
    verdict = decide(case, PACKS)
    if isinstance(verdict, Defer):
        again = decide(replace(case, request=replace(case.request, at=verdict.opens)), PACKS)
        assert isinstance(again, Permit)
        assert verdict.closes == again.closes
        before = decide(replace(case, request=replace(case.request, at=verdict.opens - timedelta(seconds=1))), PACKS)
        assert isinstance(before, Defer)
        assert verdict.opens == before.opens


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_every_silence_has_a_finding_that_explains_it(given_world: tuple[World, datetime]) -> None:
    world, at = given_world
    verdict = decide(request(world, at), PACKS)
    stopping = [f for f in verdict.grounds.findings if f.effect in ("defer", "bar")]
    assert isinstance(verdict, Permit) == (not stopping)
    if isinstance(verdict, Defer):
        assert max(f.until for f in stopping if f.until is not None) <= verdict.opens
        assert all(f.because for f in stopping)


def test_windows_that_never_meet_are_withheld_with_the_rule_that_binds() -> None:
    world = World(("America/New_York", "Asia/Shanghai"), (), None, SendWindow(from_minute=10 * 60, to_minute=12 * 60))
    verdict = decide(request(world, STARTS[0]), PACKS)
    assert isinstance(verdict, Withhold)
    assert "treatment:window" in [f.rule for f in verdict.grounds.findings]


def test_a_life_that_is_over_is_said() -> None:
    world = World(("America/New_York",), (), None, SendWindow())
    verdict = decide(request(world, STARTS[0], days=-1), PACKS)
    assert isinstance(verdict, Withhold)
    assert ["gate:life"] == [f.rule for f in verdict.grounds.findings]
