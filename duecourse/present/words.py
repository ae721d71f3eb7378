"""Phrases in two languages, and moments as a borrower reads them: local time first, UTC beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib import resources

import yaml
from babel.dates import get_timezone_location

from duecourse.compliance.explain import Language
from duecourse.compliance.local_time import zone_named
from duecourse.loans.display import day as english_day


@dataclass(frozen=True, slots=True)
class Words:
    """The phrases of one language; `zones` are those that the borrower may be in, the first leads."""

    language: Language
    zones: tuple[str, ...] = ()

    def say(self, key: str, *, of: str = "phrases", **values: object) -> str:
        """A phrase with its blanks filled; `of` names the group in words.yaml."""
        return _phrases()[of][key][self.language].format(**values)

    def has(self, key: str, *, of: str) -> bool:
        return key in _phrases()[of]

    def day(self, value: date) -> str:
        return english_day(value) if self.language == "en" else f"{value.year}年{value.month}月{value.day}日"

    def days(self, values: Iterable[date]) -> str:
        """Several days, with the year said once where it is the same."""
        every = list(dict.fromkeys(values))
        if self.language == "zh":
            first = [self.day(one) for one in every[:1]]
            return "、".join(first + [self.day(one).removeprefix(f"{every[0].year}年") for one in every[1:]])
        if len({one.year for one in every}) == 1:
            short = [self.day(one).removesuffix(f" {one.year}") for one in every[:-1]]
            return self.listed([*short, self.day(every[-1])])
        return self.listed([self.day(one) for one in every])

    def listed(self, items: Sequence[str]) -> str:
        """`a, b and c`."""
        if len(items) < 2:
            return "".join(items)
        return self.say("comma").join(items[:-1]) + self.say("and") + items[-1]

    def local_day(self, instant: datetime) -> date:
        return instant.astimezone(zone_named(self.zone)).date()

    def moment(self, instant: datetime) -> str:
        """Local time in the borrower's first zone, its place, and UTC."""
        local = instant.astimezone(zone_named(self.zone))
        utc = instant.astimezone(zone_named("UTC"))
        if self.zone == "UTC":
            return f"{self.day(utc.date())} {utc:%H:%M} UTC"
        place = place_of(self.zone, self.language)
        return self.say("moment", day=self.day(local.date()), time=f"{local:%H:%M}", place=place, utc=f"{utc:%H:%M}")

    def clocks(self, instant: datetime) -> list[str]:
        """The same in short lines for a narrow column: date and time, place, UTC; further zones below."""
        local = instant.astimezone(zone_named(self.zone))
        lines = [f"{self.day(local.date())} {local:%H:%M}"]
        if self.zone != "UTC":
            lines[0] += f" {place_of(self.zone, self.language)}"
        for zone in self.zones[1:3]:
            lines.append(f"{instant.astimezone(zone_named(zone)):%H:%M} {place_of(zone, self.language)}")
        utc = instant.astimezone(zone_named("UTC"))
        return [*lines, f"{utc:%H:%M} UTC"]

    @property
    def zone(self) -> str:
        return self.zones[0] if self.zones else "UTC"


def words_in(language: str, zones: Sequence[str] = ()) -> Words:
    """The phrases of a borrower's language: Chinese for zh and its variants, else English."""
    return Words("zh" if language.startswith("zh") else "en", tuple(zones))


def money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


@cache
def place_of(zone: str, language: Language) -> str:
    """The city that a zone is named for, in that language."""
    return get_timezone_location(zone, locale=language, return_city=True)


@cache
def _phrases() -> dict[str, dict[str, dict[str, str]]]:
    text = resources.files(__package__).joinpath("words.yaml").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, dict[str, str]]] = yaml.safe_load(text)
    return loaded
