"""Moving a whole book through virtual time: all loans together, step by step.

Each loan has its own virtual clock, and what loans share (the caps of one borrower) needs one. So the book goes in
steps short enough that no loan acts a day before another's yesterday, and stops only where no loan has a timer near.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio.client import Client

from duecourse.engine.quiet_moments import OneByOne, Together, clear_of, next_stop
from duecourse.engine.virtual_time import Arrived, Closed, arrive, fast_forward

# A skip is mostly waiting for the server's timer queue, so many at once are faster; thousands would starve its workers.
_AT_ONCE = 64
_TOLERANCE = timedelta(seconds=1)
_SETTLE_WITHIN_S = 2.0

NextMoments = Callable[[], Awaitable[Mapping[str, datetime | None]]]
"""For each open loan's workflow id the instant (aware UTC) at which it will act by itself; None: only a fact wakes it.

It must be what the loan itself says (its `status` query or its row in the ledger), never a search attribute: those are
refreshed with the stage only. A loan that is missing from the answer is moved all the same.
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the book."""

    at: datetime
    """Where the book's clock stands now, aware UTC."""
    open: tuple[str, ...]
    closed: tuple[str, ...]
    """Loans that ended in this step."""
    busy: tuple[str, ...]
    """Loans with something still to do at or before `at`, such as a send that is being retried."""


@dataclass(frozen=True, slots=True)
class Book:
    """Where `lockstep` has left the book."""

    at: datetime
    open: tuple[str, ...]
    closed: tuple[str, ...]
    steps: int


async def lockstep(
    client: Client,
    workflow_ids: Sequence[str],
    target: datetime,
    next_moments: NextMoments,
    *,
    on_step: Callable[[Step], Awaitable[None]] | None = None,
) -> Book:
    """Move all loans to `target` (aware UTC) in steps of at most a day, or of the whole silence where none has a timer.

    Loans that end on the way are dropped; loans that `next_moments` names for the first time join. `on_step` is awaited
    between steps, while all clocks stand: the place for facts. It must return only when every loan has applied what it
    sent, because nothing may reach a loan during a step.
    Raises ClockMissed when a clock is not where the step should have brought it, ClockStalled, NoVirtualTime, NotFound.
    """
    members = dict.fromkeys(workflow_ids)
    ended: dict[str, None] = {}
    now = await _book_now(client, members)
    timers = await next_moments()
    steps = 0
    while now is None or now < target - _TOLERANCE:
        members.update(dict.fromkeys(timers))
        stop = _stop(now, target, timers)
        closed = await _move(client, tuple(members), timers, stop)
        for workflow_id in closed:
            del members[workflow_id]
        fresh = tuple(workflow_id for workflow_id in closed if workflow_id not in ended)
        ended.update(dict.fromkeys(fresh))
        now = stop.target
        steps += 1
        timers = await _settled(next_moments, now, frozenset(closed))
        if on_step is not None:
            busy = tuple(name for name, timer in timers.items() if timer is not None and timer <= now)
            await on_step(Step(now, tuple(members), fresh, busy))
            timers = await next_moments()
    return Book(now, tuple(members), tuple(ended), steps)


def _stop(now: datetime | None, target: datetime, timers: Mapping[str, datetime | None]) -> Together | OneByOne:
    # Without an open loan there is no clock to start from, and nothing to be careful of.
    if now is None:
        return Together(target)
    return next_stop(now, target, [timer for timer in timers.values() if timer is not None])


async def _book_now(client: Client, members: Iterable[str]) -> datetime | None:
    """The clock furthest ahead: where the book stands, once every start under way has arrived."""
    places = await asyncio.gather(*(arrive(client, workflow_id) for workflow_id in members))
    return max((place.at for place in places if isinstance(place, Arrived)), default=None)


async def _move(
    client: Client, members: Sequence[str], timers: Mapping[str, datetime | None], stop: Together | OneByOne
) -> tuple[str, ...]:
    """Bring every loan to the stop, and return those that ended on the way."""
    match stop:
        case Together(target):
            at_once = asyncio.Semaphore(_AT_ONCE)

            async def move(workflow_id: str) -> Arrived | Closed:
                async with at_once:
                    return await fast_forward(client, workflow_id, target)

            places = await asyncio.gather(*(move(workflow_id) for workflow_id in members))
        case OneByOne(target):
            # In the order of their timers, so that what one loan does is in the ledger before the next one asks.
            order = sorted(members, key=lambda workflow_id: (timers.get(workflow_id) or target, workflow_id))
            places = [
                await fast_forward(client, workflow_id, clear_of(timers.get(workflow_id), target))
                for workflow_id in order
            ]
    return tuple(place.workflow_id for place in places if isinstance(place, Closed))


async def _settled(next_moments: NextMoments, now: datetime, closed: frozenset[str]) -> Mapping[str, datetime | None]:
    """The next moments once all of them lie ahead. A loan that retries a send may stay behind; nobody waits for it."""
    give_up = time.monotonic() + _SETTLE_WITHIN_S
    while True:
        timers = {name: timer for name, timer in (await next_moments()).items() if name not in closed}
        if all(timer is None or timer > now for timer in timers.values()) or time.monotonic() > give_up:
            return timers
        await asyncio.sleep(0.05)
