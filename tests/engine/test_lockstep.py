"""A book of loans in virtual time, all clocks together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from duecourse.engine.lockstep import NextMoments, Step, lockstep
from duecourse.engine.virtual_time import arrive, clocked, virtual_now
from duecourse.errors import NotFound
from tests.engine.conftest import QUEUE
from tests.engine.daily_loan import DailyLoan, Diary

Named = Callable[[str], str]


def asking(client: Client, names: list[str]) -> NextMoments:
    """The next moments as the loans themselves tell them; ended ones are left out."""

    async def next_moments() -> Mapping[str, datetime | None]:
        found: dict[str, datetime | None] = {}
        for name in names:
            handle = client.get_workflow_handle(name)
            if (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:
                found[name] = await handle.query(DailyLoan.next_moment)
        return found

    return next_moments


async def start(client: Client, name: str, diary: Diary, *, ahead: timedelta = timedelta(0)) -> None:
    await clocked(client, ahead=ahead).start_workflow(DailyLoan.run, diary, id=name, task_queue=QUEUE)
    await arrive(client, name)


async def diary_of(client: Client, name: str) -> Diary:
    return await client.get_workflow_handle(name).query(DailyLoan.diary)


def minutes(moments: list[datetime]) -> list[datetime]:
    return [moment.replace(second=0, microsecond=0) for moment in moments]


async def test_all_loans_stand_together_after_every_step_and_none_acts_late(client: Client, workflow_id: Named) -> None:
    """Six loans in several zones, each on its own hour: after each step no two clocks differ by two minutes."""
    names = [workflow_id(f"book{n}") for n in range(6)]
    hours = (1, 4, 9, 13, 17, 22)
    for name, hour in zip(names, hours, strict=True):
        await start(client, name, Diary(hour=hour, days=1000, every_days=3))
    target = await virtual_now(client, names[0]) + timedelta(days=20)
    spreads: list[timedelta] = []
    stops: list[datetime] = []

    async def look(step: Step) -> None:
        clocks = await asyncio.gather(*(virtual_now(client, name) for name in names))
        assert min(clocks) >= step.at - timedelta(seconds=1)
        spreads.append(max(clocks) - min(clocks))
        stops.append(step.at)
        assert step.busy == ()

    book = await lockstep(client, names, target, asking(client, names), on_step=look)
    assert book.open == tuple(names)
    assert book.closed == ()
    assert stops[-1] == target == book.at
    assert max(spreads) < timedelta(minutes=2)
    assert stops == sorted(stops)
    for name, hour in zip(names, hours, strict=True):
        acted = minutes((await diary_of(client, name)).acted)
        assert [(moment.hour, moment.minute) for moment in acted] == [(hour, 0)] * len(acted)
        assert {later - earlier for earlier, later in pairwise(acted)} == {timedelta(days=3)}
        assert len(acted) in (6, 7)


async def test_no_loan_acts_a_day_before_another_ones_yesterday(client: Client, workflow_id: Named) -> None:
    """In the order in which things really happened, business time never goes back by more than a step."""
    names = [workflow_id(f"order{n}") for n in range(4)]
    for n, name in enumerate(names):
        await start(client, name, Diary(hour=8 + n, days=1000))
    target = await virtual_now(client, names[0]) + timedelta(days=8)
    counted: list[list[int]] = []

    async def look(step: Step) -> None:
        counted.append([len((await diary_of(client, name)).acted) for name in names])

    await lockstep(client, names, target, asking(client, names), on_step=look)
    assert all(max(row) - min(row) <= 1 for row in counted)
    assert counted[-1][0] >= 7


async def test_a_loan_that_ends_is_dropped_and_the_others_go_on(client: Client, workflow_id: Named) -> None:
    short, long = workflow_id("short"), workflow_id("long")
    await start(client, short, Diary(hour=9, days=3))
    await start(client, long, Diary(hour=9, days=1000))
    target = await virtual_now(client, long) + timedelta(days=10)
    ended: list[tuple[str, ...]] = []

    async def look(step: Step) -> None:
        ended.append(step.closed)

    book = await lockstep(client, [short, long], target, asking(client, [short, long]), on_step=look)
    assert book.open == (long,)
    assert book.closed == (short,)
    assert [names for names in ended if names] == [(short,)]
    assert len((await diary_of(client, long)).acted) in (9, 10, 11)


async def test_a_loan_started_between_steps_joins_on_the_books_date(client: Client, workflow_id: Named) -> None:
    first, second = workflow_id("first"), workflow_id("second")
    await start(client, first, Diary(hour=9, days=1000))
    began = await virtual_now(client, first)
    target = began + timedelta(days=12)
    names = [first]

    async def grow(step: Step) -> None:
        if second not in names and step.at >= began + timedelta(days=5):
            # The book is this far ahead of real time, which has gone on since `began`.
            await start(client, second, Diary(hour=9, days=1000), ahead=step.at - began)
            names.append(second)

    book = await lockstep(client, [first], target, asking(client, names), on_step=grow)
    assert set(book.open) == {first, second}
    joined = await diary_of(client, second)
    assert joined.began is not None
    assert joined.began >= began + timedelta(days=5)
    assert minutes(joined.acted) == minutes((await diary_of(client, first)).acted)[-len(joined.acted) :]
    assert len(joined.acted) >= 5


async def test_silence_is_crossed_in_one_step(client: Client, workflow_id: Named) -> None:
    """A loan that acts once in 40 days costs few steps, not one a day."""
    name = workflow_id("silent")
    await start(client, name, Diary(hour=9, days=1000, every_days=40, acted=[], days_per_run=100))
    target = await virtual_now(client, name) + timedelta(days=121)
    book = await lockstep(client, [name], target, asking(client, [name]))
    acted = (await diary_of(client, name)).acted
    assert len(acted) in (3, 4)
    assert book.steps <= 2 * len(acted) + 2


async def test_crowded_timers_are_passed_loan_by_loan(client: Client, workflow_id: Named) -> None:
    """A final target ten seconds after one loan's timer: every loan gets there and none acts late."""
    names = [workflow_id(f"crowd{n}") for n in range(4)]
    for n, name in enumerate(names):
        await start(client, name, Diary(hour=9, minute=20 * n % 60, days=1000))
    now = await virtual_now(client, names[0])
    target = (now + timedelta(days=2)).replace(hour=9, minute=20, second=10, microsecond=0)
    book = await lockstep(client, names, target, asking(client, names))
    assert book.at == target
    for n, name in enumerate(names):
        diary = await diary_of(client, name)
        assert {(moment.hour, moment.minute) for moment in diary.acted} == {(9, 20 * n % 60)}
        assert timedelta(0) <= await virtual_now(client, name) - target < timedelta(minutes=3)


async def test_a_book_without_open_loans_goes_to_its_target_at_once(client: Client, workflow_id: Named) -> None:
    name = workflow_id("done")
    await start(client, name, Diary(hour=9, days=0))
    await client.get_workflow_handle(name).result()
    target = await virtual_now(client, name) + timedelta(days=100)
    book = await lockstep(client, [name], target, asking(client, [name]))
    assert (book.at, book.open, book.steps) == (target, (), 1)


async def test_an_unknown_loan_stops_the_book_before_it_moves(client: Client, workflow_id: Named) -> None:
    name = workflow_id("known")
    await start(client, name, Diary(hour=9, days=1000))
    now = await virtual_now(client, name)
    with pytest.raises(NotFound, match="nobody"):
        await lockstep(client, [name, "nobody"], now + timedelta(days=5), asking(client, [name]))
    assert await virtual_now(client, name) - now < timedelta(minutes=1)
