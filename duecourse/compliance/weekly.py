"""Weekly local windows ("Monday 09:00-17:00") as sets of instants in one zone or in several at once.

A window belongs to the weekday on which it opens and may run past midnight ("22:00" to "06:00"). Equal start and end
are refused, since they can mean "always" as well as "never". The end is exclusive, or inclusive where a law says
"after 21:00": then 21:00:00 itself still belongs to the window, and 21:00:01 does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Literal

from duecourse.compliance.intervals import Intervals, contains, first_from, intersect, normalize, union
from duecourse.compliance.local_time import (
    DAY,
    EPOCH_DAY,
    Side,
    ceil_second,
    floor_second,
    instant_of,
    parse_minutes,
    show_minutes,
    to_datetime,
)
from duecourse.errors import InvalidInput

WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_BLOCK_DAYS = 32

Minutes = tuple[int, int]
End = Literal["exclusive", "inclusive"]
Reading = Literal["allowed", "barred"]


class Weekly:
    """Windows by weekday, Monday first. Its sets are computed once per zone and month, and kept.

    Compared by identity: make it through `weekly`, which returns the same object for the same windows.
    """

    __slots__ = ("_blocks", "_spans", "days", "end")

    def __init__(self, days: tuple[tuple[Minutes, ...], ...], end: End) -> None:
        self.days = days
        self.end = end
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

    def label(self, weekday: int) -> str:
        """The windows that open on a weekday (0 is Monday), for people: "08:00-21:00"."""
        return ", ".join(f"{show_minutes(a)}-{show_minutes(b)}" for a, b in self.days[weekday]) or "-"

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
            for day in range(start // DAY + EPOCH_DAY - 2, stop // DAY + EPOCH_DAY + 2):
                for opens, closes in self.days[(day - 1) % 7]:
                    low = instant_of(zone, day, opens, opening)
                    end_day = day if closes > opens else day + 1
                    high = instant_of(zone, end_day, closes, closing) + (more if closes != 1440 else 0)
                    pairs.append((max(low, start), min(high, stop)))
            known = normalize(pairs)
            self._blocks[key] = known
        return known


@lru_cache(maxsize=8192)
def weekly(days: tuple[tuple[Minutes, ...], ...], end: End = "exclusive") -> Weekly:
    """Weekly windows from seven tuples of (from, to) in minutes, Monday first.

    Raises InvalidInput for a window that opens and closes at the same minute, or lies outside the day.
    """
    if len(days) != 7:
        raise InvalidInput("windows", days, "seven weekdays, Monday first")
    for name, windows in zip(WEEKDAYS, days, strict=True):
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
    return Weekly(days, end)


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


def weekly_from(windows: Mapping[str, Sequence[Sequence[str]]], end: End = "exclusive") -> Weekly:
    """Weekly windows from `{"MON": [["09:00", "17:00"]], "daily": [...]}`; a day left out has none."""
    unknown = [name for name in windows if name not in (*WEEKDAYS, "daily")]
    if unknown:
        raise InvalidInput("windows", unknown[0], f"daily or one of {', '.join(WEEKDAYS)}")
    days: list[tuple[Minutes, ...]] = []
    for name in WEEKDAYS:
        pairs = [*windows.get("daily", ()), *windows.get(name, ())]
        for pair in pairs:
            if len(pair) != 2:
                raise InvalidInput(f"windows.{name}", pair, 'a start and an end, as in ["09:00", "17:00"]')
        days.append(tuple((parse_minutes(a, f"windows.{name}"), parse_minutes(b, f"windows.{name}")) for a, b in pairs))
    return weekly(tuple(days), end)


def on_days(weekdays: tuple[str, ...], from_minute: int, to_minute: int) -> Weekly:
    """One window on the named weekdays; none named means every day."""
    window = ((from_minute, to_minute),)
    return weekly(tuple(window if not weekdays or name in weekdays else () for name in WEEKDAYS))
