"""Small things timed in turn, so that all meet the same machine: a shared core changes its pace by the second."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

ROUNDS = 40


@dataclass(slots=True)
class Timed:
    """One thing done many times: microseconds of each, by the clock and of CPU, both sorted in the end."""

    name: str
    do: Callable[[], object]
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def p50(self) -> float:
        return share(self.wall, 0.5)

    @property
    def p99(self) -> float:
        return share(self.wall, 0.99)

    @property
    def per_second(self) -> float:
        """How often one core does it in a second of its own."""
        return len(self.cpu) / sum(self.cpu) * 1e6


def share(ordered: Sequence[float], of: float) -> float:
    """The value below which that share of them lies."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * of))]


def time_in_turn(things: Sequence[Timed], times: int) -> None:
    """Do each thing so many times, a few at a time, round after round, the first of each turn unmeasured."""
    gc.collect()
    for _ in range(ROUNDS):
        for thing in things:
            _turn(thing, max(1, times // ROUNDS))
    for thing in things:
        thing.wall.sort()
        thing.cpu.sort()


def _turn(thing: Timed, times: int) -> None:
    do = thing.do
    for _ in range(3):
        do()
    for _ in range(times):
        began = time.thread_time()
        start = time.perf_counter()
        do()
        thing.wall.append((time.perf_counter() - start) * 1e6)
        # What other programs take of the core is in the one and not in the other.
        thing.cpu.append((time.thread_time() - began) * 1e6)
