"""Sets of instants: the arithmetic agrees with sets of seconds."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from duecourse.compliance.intervals import (
    ALWAYS,
    NEVER,
    Intervals,
    complement,
    contains,
    first_from,
    intersect,
    normalize,
    stretch,
    subtract,
    union,
)

HORIZON = 60
pairs = st.lists(st.tuples(st.integers(0, HORIZON), st.integers(0, HORIZON)), max_size=6)


def seconds(intervals: Intervals) -> set[int]:
    return {second for low, high in intervals for second in range(low, high)}


@given(pairs)
def test_normal_form_is_sorted_disjoint_and_never_touching(given_pairs: list[tuple[int, int]]) -> None:
    intervals = normalize(given_pairs)
    assert {s for low, high in given_pairs for s in range(low, high)} == seconds(intervals)
    assert all(low < high for low, high in intervals)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(intervals))


@given(pairs, pairs)
def test_intersection_union_and_difference_are_those_of_the_seconds(
    left: list[tuple[int, int]], right: list[tuple[int, int]]
) -> None:
    a, b = normalize(left), normalize(right)
    assert seconds(a) & seconds(b) == seconds(intersect(a, b))
    assert seconds(a) | seconds(b) == seconds(union(a, b))
    assert seconds(a) - seconds(b) == seconds(subtract(a, b))
    assert set(range(HORIZON)) - seconds(a) == seconds(complement(a, 0, HORIZON))


@given(pairs, st.integers(0, HORIZON))
def test_first_instant_and_its_stretch(given_pairs: list[tuple[int, int]], instant: int) -> None:
    intervals = normalize(given_pairs)
    inside = seconds(intervals)
    assert min((s for s in inside if s >= instant), default=None) == first_from(intervals, instant)
    found = stretch(intervals, instant)
    assert (instant in inside) == contains(intervals, instant) == (found is not None)
    if found is not None:
        assert all(second in inside for second in range(*found))
        assert found[0] - 1 not in inside
        assert found[1] not in inside


def test_nothing_and_everything() -> None:
    assert NEVER == complement(ALWAYS)
    assert ALWAYS == complement(NEVER)
    assert first_from(NEVER, 0) is None
