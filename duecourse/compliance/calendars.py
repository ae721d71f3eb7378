"""Public holidays by calendar, year by year, and whether a year is known at all.

The `holidays` library stands behind this file alone. A pack names a calendar as the library does (`US`, `CA-QC`), by a
name of `calendars.yaml`, or by one that it defines itself where the law lists its own days. A year that a government
has not announced is *not published*: whatever reads it on a date of that year fails closed. Days are ordinals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Literal, Protocol

import holidays
import yaml

from duecourse.compliance.weekdays import WEEKDAYS
from duecourse.errors import InvalidInput

_ESTIMATED = ("(estimated)", "(observed, estimated)")


class HolidayCalendar(Protocol):
    """What rules ask of a calendar; compared by identity."""

    @property
    def name(self) -> str:
        """As packs write it."""
        ...

    def days(self, year: int) -> frozenset[int] | None:
        """The holidays of a year as ordinals; None: not published."""
        ...

    def __hash__(self) -> int:
        """By identity."""
        ...


def is_holiday(calendar: HolidayCalendar, day: int) -> bool | None:
    """Is that date a holiday? None: its year is not published."""
    days = calendar.days(date.fromordinal(day).year)
    return None if days is None else day in days


@dataclass(frozen=True, slots=True)
class HolidayRule:
    """One holiday of a law's own list: a fixed day, the nth weekday of a month, a weekday before a day, or from Easter.

    `shift`: on a weekday of the key, the holiday is that many days later (negative: earlier) *instead*.
    """

    month: int | None = None
    day: int | None = None
    weekday: int | None = None  # 0 is Monday
    nth: int | None = None  # -1: the last of the month
    before_day: int | None = None  # the last such weekday before this day of the month
    easter: int | None = None  # days from Easter Sunday
    shift: tuple[tuple[int, int], ...] = ()

    def on(self, year: int) -> date:
        """Its date in a year."""
        found = self._plain(year)
        return found + timedelta(days=dict(self.shift).get(found.weekday(), 0))

    def _plain(self, year: int) -> date:
        if self.easter is not None:
            return easter_sunday(year) + timedelta(days=self.easter)
        assert self.month is not None  # the pack's file was checked
        if self.weekday is None:
            return date(year, self.month, self.day or 1)
        if self.before_day is not None:
            eve = date(year, self.month, self.before_day) - timedelta(days=1)
            return eve - timedelta(days=(eve.weekday() - self.weekday) % 7)
        nth = self.nth or 1
        if nth > 0:
            first = date(year, self.month, 1)
            return first + timedelta(days=(self.weekday - first.weekday()) % 7 + 7 * (nth - 1))
        last = date(year + self.month // 12, self.month % 12 + 1, 1) - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - self.weekday) % 7 + 7 * (-nth - 1))


class ListedCalendar:
    """The days that a law lists itself: by rule each year, and single dates."""

    __slots__ = ("_dates", "_first", "_last", "_rules", "_years", "name")

    def __init__(
        self, name: str, rules: tuple[HolidayRule, ...], dates: frozenset[date], first: int | None, last: int | None
    ) -> None:
        self.name = name
        self._rules = rules
        self._dates = dates
        self._first = first
        self._last = last
        self._years: dict[int, frozenset[int] | None] = {}

    def days(self, year: int) -> frozenset[int] | None:
        """See HolidayCalendar."""
        if year not in self._years:
            known = (self._first is None or year >= self._first) and (self._last is None or year <= self._last)
            # A shift can carry a holiday across New Year's Eve, so the neighbours are looked at too.
            near = {rule.on(y) for y in (year - 1, year, year + 1) for rule in self._rules} | self._dates
            self._years[year] = frozenset(d.toordinal() for d in near if d.year == year) if known else None
        return self._years[year]


class LibraryCalendar:
    """A country's (or a part's) public holidays as the `holidays` library knows them, substitute days among them."""

    __slots__ = ("_announced", "_country", "_subdivision", "_years", "name")

    def __init__(self, name: str, country: str, subdivision: str | None, announced: int | None) -> None:
        self.name = name
        self._country = country
        self._subdivision = subdivision
        self._announced = announced
        self._years: dict[int, frozenset[int] | None] = {}

    def days(self, year: int) -> frozenset[int] | None:
        """See HolidayCalendar. A year with estimated dates (by the moon) counts as not published."""
        if year not in self._years:
            self._years[year] = self._find(year)
        return self._years[year]

    def _find(self, year: int) -> frozenset[int] | None:
        if self._announced is not None and year > self._announced:
            return None
        found = holidays.country_holidays(self._country, subdiv=self._subdivision, years=year, language="en_US")
        if not found or any(str(name).endswith(_ESTIMATED) for name in found.values()):
            return None
        return frozenset(day.toordinal() for day in found if day.year == year)


def calendar_named(name: str) -> HolidayCalendar:
    """The calendar of that name, the same object each time; raises InvalidInput for one that nobody draws."""
    return _named(name)


@lru_cache(maxsize=512)
def _named(name: str) -> HolidayCalendar:
    tables = _tables()
    listed = tables["calendars"].get(name)
    if listed is not None:
        return listed_calendar(name, listed["days"], (), listed.get("from"), listed.get("to"))
    country, _, part = name.partition("-")
    supported = _supported()
    if country not in supported or (part and part not in supported[country]):
        raise InvalidInput(
            "calendar",
            name,
            f"a country (US), a part of one (CA-QC), {', '.join(sorted(tables['calendars']))}, "
            "or a calendar that the pack defines under calendars",
        )
    return LibraryCalendar(name, country, part or None, tables["announced"].get(country))


def listed_calendar(
    name: str, rules: list[dict[str, Any]], dates: tuple[date, ...], first: int | None, last: int | None
) -> ListedCalendar:
    """A calendar from the plain form that `calendars.yaml` and packs share."""
    return ListedCalendar(name, tuple(_rule(one) for one in rules), frozenset(dates), first, last)


def _rule(plain: dict[str, Any]) -> HolidayRule:
    weekday = plain.get("weekday")
    return HolidayRule(
        month=plain.get("month"),
        day=plain.get("day"),
        weekday=None if weekday is None else WEEKDAYS.index(weekday),
        nth=plain.get("nth"),
        before_day=plain.get("before_day"),
        easter=plain.get("easter"),
        shift=tuple((WEEKDAYS.index(name), days) for name, days in (plain.get("shift") or {}).items()),
    )


def easter_sunday(year: int) -> date:
    """Western Easter (the anonymous Gregorian computus)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * week) // 451
    month, day = divmod(h + week - 7 * m + 114, 31)
    return date(year, month, day + 1)


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """How a law counts business days: which weekdays and holidays do not count, and whether the first day does."""

    calendar: HolidayCalendar | None  # None: every weekday counts that is not of the weekend
    weekend: frozenset[int]  # 0 is Monday
    first_day: Literal["skip", "count"]

    def is_business(self, day: int) -> bool | None:
        """None: the calendar of that year is not published."""
        if (day - 1) % 7 in self.weekend:
            return False
        if self.calendar is None:
            return True
        holiday = is_holiday(self.calendar, day)
        return None if holiday is None else not holiday

    def after(self, day: int, count: int) -> int | None:
        """The `count`-th business day after `day` (with first_day: count, `day` itself is the first if it is one).

        None where a year on the way is not published.
        """
        return self._walk(day, count, 1)

    def before(self, day: int, count: int) -> int | None:
        """The `count`-th business day before `day`; None where a year on the way is not published."""
        return self._walk(day, count, -1)

    def _walk(self, day: int, count: int, step: int) -> int | None:
        at = day if self.first_day == "count" and step > 0 else day + step
        while True:
            business = self.is_business(at)
            if business is None:
                return None
            count -= business
            if count <= 0 and business:
                return at
            at += step


WEEKEND = frozenset({5, 6})


def workdays_before(day: int, count: int, calendar: HolidayCalendar | None) -> int:
    """The `count`-th business day before; a year that is not published is read as if every day of it were off,
    up to three weeks: a task comes too early rather than too late.
    """
    exact = BusinessDays(calendar, WEEKEND, "skip").before(day, count)
    return day - 21 if exact is None else exact


@cache
def _tables() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("calendars.yaml").read_text(encoding="utf-8")
    raw: dict[str, Any] = yaml.safe_load(text)
    return raw


@cache
def _supported() -> dict[str, list[str]]:
    supported: Callable[[], dict[str, list[str]]] = holidays.list_supported_countries
    return supported()
