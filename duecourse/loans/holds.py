"""Holds as a ledger: several at once, each day counted once, with the rules for placing and lifting.

A hold covers `[starts, ends)`; lifting ends it on the day of the lift. Book dates throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from duecourse.errors import InvalidInput
from duecourse.loans.facts import HoldLifted, HoldPlaced

FIXED_TERM = ("forbearance",)  # pauses the lender grants: they need an end, and never overlap


class HoldRefused(InvalidInput):
    """A hold or a lift that the loan's state does not admit; `reason` is a stable code."""

    def __init__(self, reason: str, field: str, value: object, expected: str) -> None:
        self.reason = reason
        super().__init__(field, value, expected)


@dataclass(frozen=True, slots=True)
class Held:
    """One effective hold interval, `ends` exclusive, None while open."""

    hold: str
    cause: str
    scope: str
    days: str
    starts: date
    ends: date | None

    def covers(self, day: date) -> bool:
        return self.starts <= day and (self.ends is None or day < self.ends)


def effective(placed: Mapping[str, HoldPlaced], lifted: Mapping[str, HoldLifted]) -> tuple[Held, ...]:
    """The holds as they came to be, in the order of their start and id."""
    result = []
    for hold in placed.values():
        lift = lifted.get(hold.hold)
        ends = hold.ends if lift is None else min(lift.on, hold.ends or lift.on)
        result.append(Held(hold.hold, hold.cause, hold.scope, hold.days, hold.starts, ends))
    return tuple(sorted(result, key=lambda held: (held.starts, held.hold)))


def paused_spans(holds: Iterable[Held], begin: date) -> Iterator[tuple[date, date | None]]:
    """The days from `begin` on that lie in at least one pausing hold, as intervals that do not overlap.

    Ascending, ends exclusive; None as the last end: a hold is open.
    """
    spans = sorted(
        (max(held.starts, begin), held.ends is None, held.ends or held.starts)
        for held in holds
        if held.days == "paused"
    )
    reached = begin
    for start, is_open, stop in spans:
        start = max(start, reached)
        if is_open:
            yield start, None
            return
        if stop > start:
            yield start, stop
            reached = stop


def held_days(holds: Iterable[Held], begin: date, end: date) -> int:
    """Days of `[begin, end)` that lie in at least one pausing hold: a union, so overlaps count once."""
    spans = ((start, min(stop or end, end)) for start, stop in paused_spans(holds, begin) if start < end)
    return sum((stop - start).days for start, stop in spans)


def to_lift(cause: str, placed: Mapping[str, HoldPlaced], lifted: Mapping[str, HoldLifted], day: date) -> str | None:
    """The hold of a cause that a lift on `day` speaks of: the one in force, else one already lifted, else the latest.

    None if no hold of that cause was ever placed. `check_lifted` says whether it may be lifted.
    """
    known = sorted((hold for hold in placed.values() if hold.cause == cause), key=lambda hold: (hold.starts, hold.hold))
    near = [hold for hold in known if hold.starts <= day and (hold.ends is None or day <= hold.ends)]
    if near:
        return min(near, key=lambda hold: hold.hold in lifted).hold
    return known[-1].hold if known else None


def check_placed(new: HoldPlaced, existing: Iterable[Held], *, loan_open: bool, disbursed_on: date | None) -> None:
    """Raise HoldRefused unless `new` may be placed beside the `existing` holds."""
    if not loan_open:
        raise HoldRefused("loan_not_active", "hold", new.hold, "a loan that is open")
    if disbursed_on is not None and new.starts < disbursed_on:
        raise HoldRefused("before_disbursement", "starts", new.starts.isoformat(), f"{disbursed_on} or later")
    if new.ends is None and new.cause in FIXED_TERM:
        raise HoldRefused("missing_end", "ends", None, f"an end date for a hold of cause {new.cause}")
    if new.ends is not None and new.ends <= new.starts:
        raise HoldRefused("end_not_after_start", "ends", new.ends.isoformat(), "a date after the start")
    for held in existing:
        if held.hold == new.hold:
            raise HoldRefused("duplicate_hold", "hold", new.hold, "an id that was not used before")
        if new.cause in FIXED_TERM and held.cause == new.cause and _overlap(new, held):
            raise HoldRefused(
                "overlap", "starts", new.starts.isoformat(), f"no overlap with the {held.cause} of {held.starts}"
            )


def check_lifted(
    lift: HoldLifted,
    placed: Mapping[str, HoldPlaced],
    lifted: Mapping[str, HoldLifted],
    *,
    today: date,
    loan_open: bool,
) -> None:
    """Raise HoldRefused unless the named hold is in force and may end on the day of the lift."""
    if not loan_open:
        raise HoldRefused("loan_not_active", "hold", lift.hold, "a loan that is open")
    hold = placed.get(lift.hold)
    if hold is None:
        raise HoldRefused("no_active_pause", "hold", lift.hold, "the id of a hold that was placed")
    if lift.on > today or (hold.cause in FIXED_TERM and lift.on != today):
        raise HoldRefused("resume_not_today", "on", lift.on.isoformat(), f"today's book date, {today}")
    if lift.on < hold.starts or (hold.ends is not None and lift.on > hold.ends):
        raise HoldRefused("no_active_pause", "on", lift.on.isoformat(), "a day on which the hold is in force")
    if lift.hold in lifted:
        raise HoldRefused("duplicate_resume", "hold", lift.hold, "a hold that was not lifted before")


def _overlap(new: HoldPlaced, held: Held) -> bool:
    far = date.max - timedelta(days=1)
    return new.starts < (held.ends or far) and held.starts < (new.ends or far)
