"""Sets of instants as sorted, disjoint, half-open intervals of whole epoch seconds.

Plain tuples of pairs: they are made by the million, are hashable, and need no library. Touching intervals are
always merged, so that an instant and the next second lie in the set exactly if they lie in one stretch of it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

Interval = tuple[int, int]
Intervals = tuple[Interval, ...]

NEVER: Intervals = ()
BEGINNING = -(1 << 40)
"""Before every instant that a loan can know (about the year -32900), so that sums stay small integers."""
END = 1 << 40
ALWAYS: Intervals = ((BEGINNING, END),)


def normalize(pairs: Iterable[Interval]) -> Intervals:
    """Sort, drop what is empty, merge what overlaps or touches."""
    merged: list[Interval] = []
    for start, stop in sorted(pairs):
        if stop <= start:
            continue
        if merged and start <= merged[-1][1]:
            if stop > merged[-1][1]:
                merged[-1] = (merged[-1][0], stop)
        else:
            merged.append((start, stop))
    return tuple(merged)


def intersect(left: Intervals, right: Intervals) -> Intervals:
    """The instants that lie in both."""
    both: list[Interval] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start = max(left[i][0], right[j][0])
        stop = min(left[i][1], right[j][1])
        if start < stop:
            both.append((start, stop))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(both)


def union(left: Intervals, right: Intervals) -> Intervals:
    """The instants that lie in either."""
    if not right:
        return left
    if not left:
        return right
    return normalize((*left, *right))


def complement(barred: Intervals, start: int = BEGINNING, stop: int = END) -> Intervals:
    """What of [start, stop) does not lie in `barred`."""
    free: list[Interval] = []
    at = start
    for low, high in barred:
        if high <= at:
            continue
        if low >= stop:
            break
        if low > at:
            free.append((at, low))
        at = high
    if at < stop:
        free.append((at, stop))
    return tuple(free)


def subtract(left: Intervals, right: Intervals) -> Intervals:
    """What of `left` does not lie in `right`."""
    return intersect(left, complement(right)) if right else left


def first_from(intervals: Intervals, instant: int) -> int | None:
    """The earliest instant of the set at or after `instant`; None if there is none."""
    at = bisect_right(intervals, (instant, END)) - 1
    if at >= 0 and instant < intervals[at][1]:
        return instant
    return intervals[at + 1][0] if at + 1 < len(intervals) else None


def stretch(intervals: Intervals, instant: int) -> Interval | None:
    """The unbroken stretch that contains `instant`; None if it lies outside."""
    at = bisect_right(intervals, (instant, END)) - 1
    if at >= 0 and instant < intervals[at][1]:
        return intervals[at]
    return None


def contains(intervals: Intervals, instant: int) -> bool:
    """Does the instant lie in the set?"""
    at = bisect_right(intervals, (instant, END)) - 1
    return at >= 0 and instant < intervals[at][1]
