"""Weekly local windows ("Monday 09:00-17:00") as sets of instants in one zone or in several at once.

A window belongs to the weekday on which it opens and may run past midnight ("22:00" to "06:00"). Equal start and end
are refused, since they can mean "always" as well as "never". The end is exclusive, or inclusive where a law says
"after 21:00": then 21:00:00 itself still belongs to the window, and 21:00:01 does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Literal

from duecourse.compliance.calendars import HolidayCalendar, is_holiday
from duecourse.compliance.intervals import NEVER, Intervals, contains, first_from, intersect, normalize, subtract, union
from duecourse.compliance.local_time import (
    DAY,
    EPOCH_DAY,
    Side,
    ceil_second,
    floor_second,
    instant_of,
    local_day,
    parse_minutes,
    show_minutes,
    to_datetime,
)
from duecourse.compliance.weekdays import WEEKDAYS
from duecourse.errors import InvalidInput

_BLOCK_DAYS = 32
CLOSED = "-"
"""What stands for the hours of a day that has none."""

Minutes = tuple[int, int]
End = Literal["exclusive", "inclusive"]
Reading = Literal["allowed", "barred"]


class Weekly:
    """Windows by weekday, Monday first. Its sets are computed once per zone and month, and kept.

    On the holidays of `calendar` the windows of `holiday` take the place of the weekday's, and nothing reaches into
    such a day from the day before. A date whose year is not published has no windows.

    Compared by identity: make it through `weekly`, which returns the same object for the same windows.
    """

    __slots__ = ("_blocks", "_labels", "_spans", "calendar", "days", "end", "holiday")

    def __init__(
        self,
        days: tuple[tuple[Minutes, ...], ...],
        end: End,
        calendar: HolidayCalendar | None = None,
        holiday: tuple[Minutes, ...] = (),
    ) -> None:
        self.days = days
        self.end = end
        self.calendar = calendar
        self.holiday = holiday
        self._labels: dict[tuple[Minutes, ...], str] = {}
        self._blocks: dict[tuple[str, int, Reading], Intervals] = {}
        self._spans: dict[tuple[tuple[str, ...], int, int, Reading], Intervals] = {}

    def everywhere(self, zones: tuple[str, ...], start: int, stop: int) -> Intervals:
        """The instants that lie in the windows in *all* zones at once; covers at least [start, stop).

        A doubtful hour, one that comes twice, counts as outside.
        """
        return self._span(zones, start, stop, "allowed")

    def anywhere(self, zones: tuple[str, ...], start: int, stop: int) -> Intervals:
        """The instants that lie in the windows in *any* zone; covers at least [start, stop).

        A doubtful hour, one that comes twice, counts as inside.
        """
        return self._span(zones, start, stop, "barred")

    def unpublished(self, zones: tuple[str, ...], start: int, stop: int) -> Intervals:
        """What of [start, stop) falls, in any zone, on a date whose holidays are not published."""
        calendar = self.calendar
        if calendar is None:
            return NEVER
        first, last = local_day(zones[0], start) - 1, local_day(zones[0], stop) + 1
        if calendar.days(date.fromordinal(first).year) is not None and (
            calendar.days(date.fromordinal(last).year) is not None
        ):
            return NEVER
        unknown = [day for day in range(first, last + 1) if is_holiday(calendar, day) is None]
        return normalize((instant_of(zone, day, 0), instant_of(zone, day + 1, 0)) for zone in zones for day in unknown)

    def label(self, day: int) -> str:
        """The windows that open on a date (an ordinal), for people: "08:00-21:00", or CLOSED where none does."""
        windows = self._on(day)
        if windows not in self._labels:
            self._labels[windows] = ", ".join(f"{show_minutes(a)}-{show_minutes(b)}" for a, b in windows) or CLOSED
        return self._labels[windows]

    def _on(self, day: int) -> tuple[Minutes, ...]:
        if self.calendar is not None:
            holiday = is_holiday(self.calendar, day)
            if holiday is None:
                return ()
            if holiday:
                return self.holiday
        return self.days[(day - 1) % 7]

    def _span(self, zones: tuple[str, ...], start: int, stop: int, reading: Reading) -> Intervals:
        first, last = start // (_BLOCK_DAYS * DAY), (stop - 1) // (_BLOCK_DAYS * DAY)
        key = (zones, first, last, reading)
        known = self._spans.get(key)
        if known is None:
            parts: list[Intervals] = []
            for block in range(first, last + 1):
                sets = [self._block(zone, block, reading) for zone in zones]
                whole = sets[0]
                for other in sets[1:]:
                    whole = intersect(whole, other) if reading == "allowed" else union(whole, other)
                parts.append(whole)
            known = normalize(pair for part in parts for pair in part)
            if len(self._spans) > 4096:  # a service runs for months, and the spans of past months are never asked again
                self._spans.clear()
                self._blocks.clear()
            self._spans[key] = known
        return known

    def _block(self, zone: str, block: int, reading: Reading) -> Intervals:
        key = (zone, block, reading)
        known = self._blocks.get(key)
        if known is None:
            start, stop = block * _BLOCK_DAYS * DAY, (block + 1) * _BLOCK_DAYS * DAY
            opening: Side = "later" if reading == "allowed" else "earlier"
            closing: Side = "earlier" if reading == "allowed" else "later"
            more = 1 if self.end == "inclusive" else 0
            pairs: list[tuple[int, int]] = []
            # Two days more on either side: offsets reach 14 hours, and windows run past midnight.
            ordinary = range(start // DAY + EPOCH_DAY - 2, stop // DAY + EPOCH_DAY + 2)
            closed: list[tuple[int, int]] = []
            on_holidays: list[tuple[int, int]] = []
            for day in ordinary:
                gather = pairs
                if self.calendar is not None and is_holiday(self.calendar, day) is not False:
                    closed.append((instant_of(zone, day, 0), instant_of(zone, day + 1, 0)))
                    gather = on_holidays
                for opens, closes in self._on(day):
                    low = instant_of(zone, day, opens, opening)
                    end_day = day if closes > opens else day + 1
                    high = instant_of(zone, end_day, closes, closing) + (more if closes != 1440 else 0)
                    gather.append((max(low, start), min(high, stop)))
            known = normalize(pairs)
            if closed:
                known = union(subtract(known, normalize(closed)), normalize(on_holidays))
            self._blocks[key] = known
        return known


@lru_cache(maxsize=8192)
def weekly(
    days: tuple[tuple[Minutes, ...], ...],
    end: End = "exclusive",
    calendar: HolidayCalendar | None = None,
    holiday: tuple[Minutes, ...] = (),
) -> Weekly:
    """Weekly windows from seven tuples of (from, to) in minutes, Monday first; `holiday` for a calendar's holidays.

    Raises InvalidInput for a window that opens and closes at the same minute, or lies outside the day.
    """
    if len(days) != 7:
        raise InvalidInput("windows", days, "seven weekdays, Monday first")
    for name, windows in zip((*WEEKDAYS, "holidays"), (*days, holiday), strict=True):
        for opens, closes in windows:
            if opens == closes:
                raise InvalidInput(
                    f"windows.{name}",
                    f"{show_minutes(opens)}-{show_minutes(closes)}",
                    'two different times: equal ones can mean "always" as well as "never"; write 00:00-24:00 or leave '
                    "the day out",
                )
            if not (0 <= opens < 1440 and 0 < closes <= 1440):
                if closes == 0 and opens > 0:
                    continue  # until midnight
                raise InvalidInput(f"windows.{name}", (opens, closes), "minutes from 0 to 1440")
    return Weekly(days, end, calendar, holiday)


def next_inside(windows: Weekly, zones: tuple[str, ...], at: datetime) -> datetime | None:
    """The instant itself if it lies in the windows of all zones, else the next opening; None within ten weeks' time.

    An instant with a fraction of a second lies inside only if the whole seconds on both sides of it do.
    """
    floor, ceil = floor_second(at), ceil_second(at)
    sets = windows.everywhere(zones, floor - DAY, ceil + 70 * DAY)
    first = first_from(sets, ceil)
    if first == ceil and contains(sets, floor):
        return at
    return None if first is None else to_datetime(first)


def weekly_from(
    windows: Mapping[str, Sequence[Sequence[str]]],
    end: End = "exclusive",
    calendar: HolidayCalendar | None = None,
    holiday: Sequence[Sequence[str]] = (),
) -> Weekly:
    """Weekly windows from `{"MON": [["09:00", "17:00"]], "daily": [...]}`; a day left out has none."""
    unknown = [name for name in windows if name not in (*WEEKDAYS, "daily")]
    if unknown:
        raise InvalidInput("windows", unknown[0], f"daily or one of {', '.join(WEEKDAYS)}")
    days: list[tuple[Minutes, ...]] = []
    for name in WEEKDAYS:
        # A weekday of its own stands in the place of the daily windows.
        days.append(_minutes(windows.get(name, windows.get("daily", ())), name))
    return weekly(tuple(days), end, calendar, _minutes(holiday, "holidays"))


def _minutes(pairs: Sequence[Sequence[str]], name: str) -> tuple[Minutes, ...]:
    for pair in pairs:
        if len(pair) != 2:
            raise InvalidInput(f"windows.{name}", pair, 'a start and an end, as in ["09:00", "17:00"]')
    return tuple((parse_minutes(a, f"windows.{name}"), parse_minutes(b, f"windows.{name}")) for a, b in pairs)


def on_days(weekdays: tuple[str, ...], from_minute: int, to_minute: int) -> Weekly:
    """One window on the named weekdays; none named means every day."""
    window = ((from_minute, to_minute),)
    return weekly(tuple(window if not weekdays or name in weekdays else () for name in WEEKDAYS))
