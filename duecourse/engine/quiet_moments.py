"""Where a book's clock may stop: a moment well away from every timer of its loans.

A fast-forward whose target comes seconds after a timer can miss it: the loan is still at work when the target passes,
and its clock goes on to the next timer, a day later. An hour's distance is safe by measurement.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

MARGIN = timedelta(hours=1)
"""No target lies nearer to a timer than this, where there is a gap at all."""
LONGEST_STEP = timedelta(hours=24)
"""While any timer fires, no loan's clock is further than this ahead of another's."""
_FAR_ENOUGH = timedelta(hours=3)
_ALONE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Together:
    """All loans may go to `target` at once."""

    target: datetime


@dataclass(frozen=True, slots=True)
class OneByOne:
    """No gap is wide enough: go to `target` loan by loan, each keeping its distance from its own timer."""

    target: datetime


def next_stop(now: datetime, final: datetime, timers: Iterable[datetime]) -> Together | OneByOne:
    """The next target after `now`, at most `final`, given the next timer of each loan that has one (all aware UTC).

    While no timer fires for a day, the step is as long as the silence. Otherwise it is at most 24 hours, passes at
    least one timer, and ends in the latest gap that leaves three hours on both sides, else in the widest gap.
    """
    # A timer in the past is about to fire, or its loan is at work.
    ahead = sorted(max(timer, now) for timer in timers)
    if not ahead:
        return Together(final)
    if ahead[0] > now + LONGEST_STEP:
        return _at(min(final, ahead[0] - MARGIN), before=ahead[0])
    last = min(final, now + LONGEST_STEP)
    if last < ahead[0]:
        return _at(last, before=ahead[0])
    best: tuple[Together | OneByOne, timedelta] = (OneByOne(last), timedelta(0))
    for begins, ends in pairwise([*ahead, None]):
        if begins is None or begins >= last:
            break
        stop = last if ends is None else min(last, begins + (ends - begins) / 2)
        distance = stop - begins if ends is None else min(stop - begins, ends - stop)
        if min(distance, _FAR_ENOUGH) >= best[1]:
            best = _at(stop, after=begins, before=ends), min(distance, _FAR_ENOUGH)
    return best[0]


def clear_of(timer: datetime | None, target: datetime) -> datetime:
    """The target for one loan that moves alone: `target`, or a minute after its own timer where that is later."""
    if timer is not None and target - _ALONE < timer <= target:
        return timer + _ALONE
    return target


def _at(stop: datetime, *, after: datetime | None = None, before: datetime | None = None) -> Together | OneByOne:
    wide = (after is None or stop - after >= MARGIN) and (before is None or before - stop >= MARGIN)
    return Together(stop) if wide else OneByOne(stop)
