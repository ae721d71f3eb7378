"""What is not wrong with a pack, but should be looked at: flagged with file, line and how to mend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from duecourse.compliance.calendars import HolidayCalendar
from duecourse.compliance.packs import Pack
from duecourse.compliance.rules import ConsentRule, Notice, Primitive, QuietHours, Rule, Span


@dataclass(frozen=True, slots=True)
class Flag:
    """One remark about a rule of a pack. `kind`: unpublished_year | unverified | lapsed."""

    kind: str
    rule: str
    file: str
    line: int
    found: str
    mend: str


def flags(pack: Pack, today: date) -> tuple[Flag, ...]:
    """The remarks about a pack as seen on a day: holiday years that its rules will read within a year and that are not
    published, rules whose source nobody has verified, rules without a version that is or will be in force.
    """
    found: list[Flag] = []
    for rule in pack.rules:
        if rule.grade == "M":
            state = "on, and shown as unverified" if rule.on else "off"
            found.append(
                _flag("unverified", rule, f"grade M: {state}", "find the official text, cite it, and raise the grade")
            )
        live = [version for version in rule.versions if version.ended is None or version.ended > today]
        if not live:
            found.append(_flag("lapsed", rule, "no version is in force any more", "append the version that followed"))
        calendars = {calendar.name: calendar for version in live for calendar in calendars_of(version.primitive)}
        for name, calendar in calendars.items():
            for year in (today.year, today.year + 1):
                if calendar.days(year) is None:
                    found.append(
                        _flag(
                            "unpublished_year",
                            rule,
                            f"the calendar {name} has no holidays for {year}; on its dates this rule fails closed",
                            "update the `holidays` package and `announced` in calendars.yaml, or list the dates in "
                            "the pack's own calendar, once the year is announced",
                        )
                    )
    return tuple(found)


def calendars_of(primitive: Primitive) -> Iterable[HolidayCalendar]:
    """The holiday calendars that a primitive reads."""
    spans: list[Span | None] = []
    match primitive:
        case QuietHours(windows=windows):
            if windows.calendar is not None:
                yield windows.calendar
        case Notice(latest=latest, assumed_receipt=receipt, before=before, calendar=calendar):
            spans = [latest, receipt, None if before is None else before.wait]
            if calendar is not None:
                yield calendar
        case ConsentRule(honour_by=span):
            spans = [span]
        case _:
            pass
    for span in spans:
        if span is not None and span.counting is not None and span.counting.calendar is not None:
            yield span.counting.calendar


def _flag(kind: str, rule: Rule, found: str, mend: str) -> Flag:
    return Flag(kind, rule.id, rule.file, rule.line, found, mend)
