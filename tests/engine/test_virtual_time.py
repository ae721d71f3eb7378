"""One loan in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from temporalio import activity
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from duecourse.engine.business_time import activity_now
from duecourse.engine.connect import connect
from duecourse.engine.pool import WorkerSpec, running_workers
from duecourse.engine.server import EmbeddedServer
from duecourse.engine.virtual_time import (
    Arrived,
    ClockStalled,
    Closed,
    NoVirtualTime,
    arrive,
    clocked,
    fast_forward,
    virtual_now,
)
from duecourse.errors import NotFound
from tests.engine.conftest import QUEUE
from tests.engine.daily_loan import DailyLoan, Diary

Named = Callable[[str], str]


def evening(now: datetime, days: int) -> datetime:
    """21:30 UTC `days` days after `now`: hours away from everything that the stand-ins do at 9."""
    return (now + timedelta(days=days)).replace(hour=21, minute=30, second=0, microsecond=0)


def mornings_between(began: datetime, target: datetime, hour: int) -> list[datetime]:
    first = began.replace(hour=hour, minute=0, second=0, microsecond=0)
    days = (first + timedelta(days=n) for n in range(500))
    return [morning for morning in days if began < morning <= target]


async def test_a_loan_acts_each_day_on_its_hour_through_continue_as_new(client: Client, workflow_id: Named) -> None:
    """Five loans at once, 35 days, a new run every 10 actions: not one day lost, doubled or late."""
    names = [workflow_id(f"daily{n}") for n in range(5)]
    starts = clocked(client)
    handles = [
        await starts.start_workflow(DailyLoan.run, Diary(hour=9, days=1000), id=name, task_queue=QUEUE)
        for name in names
    ]
    target = evening(await virtual_now(client, names[0]), 35)
    places = await asyncio.gather(*(fast_forward(client, name, target) for name in names))
    assert [type(place) for place in places] == [Arrived] * 5
    for handle, place in zip(handles, places, strict=True):
        assert isinstance(place, Arrived)
        assert timedelta(0) <= place.at - target < timedelta(seconds=5)
        diary = await client.get_workflow_handle(handle.id).query(DailyLoan.diary)
        assert diary.began is not None
        expected = mornings_between(diary.began, target, 9)
        assert len(expected) >= 34
        assert [moment.replace(second=0, microsecond=0) for moment in diary.acted] == expected
        assert max(moment - due for moment, due in zip(diary.acted, expected, strict=True)) < timedelta(seconds=10)


async def test_an_activity_of_a_fast_forwarded_loan_tells_virtual_time(client: Client, workflow_id: Named) -> None:
    name = workflow_id("told")
    await clocked(client).start_workflow(DailyLoan.run, Diary(hour=9, days=1000), id=name, task_queue=QUEUE)
    await fast_forward(client, name, evening(await virtual_now(client, name), 5))
    diary = await client.get_workflow_handle(name).query(DailyLoan.diary)
    assert len(diary.told) == len(diary.acted) >= 5
    for acted, told in zip(diary.acted, diary.told, strict=True):
        assert timedelta(0) <= told - acted < timedelta(seconds=10)


async def test_a_loan_started_on_the_books_date_lives_through_no_gap(client: Client, workflow_id: Named) -> None:
    """Ninety days ahead: its first line runs there, and it has done nothing before."""
    name = workflow_id("late")
    ahead = timedelta(days=90)
    before = datetime.now(UTC)
    await clocked(client, ahead=ahead).start_workflow(
        DailyLoan.run, Diary(hour=9, days=1000), id=name, task_queue=QUEUE
    )
    place = await arrive(client, name)
    assert isinstance(place, Arrived)
    diary = await client.get_workflow_handle(name).query(DailyLoan.diary)
    assert diary.began is not None
    assert before + ahead <= diary.began <= datetime.now(UTC) + ahead
    assert diary.acted == []
    assert before + ahead <= place.at <= datetime.now(UTC) + ahead


async def test_signal_with_start_on_the_books_date_starts_there_and_delivers(
    client: Client, workflow_id: Named
) -> None:
    """A loan that is reopened by a fact: it stands on the book's date and has the fact."""
    name = workflow_id("reopened")
    ahead = timedelta(days=40)
    before = datetime.now(UTC)
    await clocked(client, ahead=ahead).start_workflow(
        DailyLoan.run,
        Diary(hour=9, days=1000),
        id=name,
        task_queue=QUEUE,
        start_signal="nudge",
        start_signal_args=[3],
    )
    await arrive(client, name)
    diary = await client.get_workflow_handle(name).query(DailyLoan.diary)
    assert diary.nudges == 3
    assert diary.began is not None
    assert diary.began >= before + ahead
    moved = await fast_forward(client, name, evening(before + ahead, 2))
    assert isinstance(moved, Arrived)
    assert len((await client.get_workflow_handle(name).query(DailyLoan.diary)).acted) in (2, 3)


async def test_signal_with_start_leaves_the_clock_of_a_running_loan_alone(client: Client, workflow_id: Named) -> None:
    name = workflow_id("running")
    await clocked(client).start_workflow(DailyLoan.run, Diary(hour=9, days=1000), id=name, task_queue=QUEUE)
    target = evening(await virtual_now(client, name), 3)
    await fast_forward(client, name, target)
    await clocked(client, ahead=timedelta(days=200)).start_workflow(
        DailyLoan.run, Diary(hour=9, days=1), id=name, task_queue=QUEUE, start_signal="nudge", start_signal_args=[1]
    )
    assert timedelta(0) <= await virtual_now(client, name) - target < timedelta(minutes=1)
    assert (await client.get_workflow_handle(name).query(DailyLoan.diary)).nudges == 1


async def test_a_loan_that_ends_on_the_way_is_closed_and_one_that_has_ended_stays_so(
    client: Client, workflow_id: Named
) -> None:
    name = workflow_id("ends")
    handle = await clocked(client).start_workflow(
        DailyLoan.run, Diary(hour=9, days=4, days_per_run=3), id=name, task_queue=QUEUE
    )
    target = evening(await virtual_now(client, name), 30)
    assert await fast_forward(client, name, target) == Closed(name)
    assert await fast_forward(client, name, target + timedelta(days=1)) == Closed(name)
    assert len((await handle.result()).acted) == 4


async def test_a_clock_already_past_the_target_stays(client: Client, workflow_id: Named) -> None:
    name = workflow_id("past")
    await clocked(client).start_workflow(DailyLoan.run, Diary(hour=9, days=1000), id=name, task_queue=QUEUE)
    now = await virtual_now(client, name)
    place = await fast_forward(client, name, now - timedelta(days=3))
    assert isinstance(place, Arrived)
    assert timedelta(0) <= place.at - now < timedelta(minutes=1)


async def test_messages_between_fast_forwards_move_no_action(client: Client, workflow_id: Named) -> None:
    """A message that was applied before the clock moves re-arms the timer, and each day is still on its hour."""
    name = workflow_id("steered")
    handle = await clocked(client).start_workflow(DailyLoan.run, Diary(hour=9, days=1000), id=name, task_queue=QUEUE)
    here = await virtual_now(client, name)
    for day in range(1, 8):
        await client.get_workflow_handle(name).execute_update(DailyLoan.nudge_and_tell, 1)
        await fast_forward(client, name, evening(here, day))
    diary = await client.get_workflow_handle(handle.id).query(DailyLoan.diary)
    assert diary.nudges == 7
    assert diary.began is not None
    expected = mornings_between(diary.began, evening(here, 7), 9)
    assert [moment.replace(second=0, microsecond=0) for moment in diary.acted] == expected


async def test_a_loan_started_in_real_time_says_that_it_has_no_clock(client: Client, workflow_id: Named) -> None:
    name = workflow_id("real")
    await client.start_workflow(DailyLoan.run, Diary(hour=9, days=1000), id=name, task_queue=QUEUE)
    with pytest.raises(NoVirtualTime, match="no virtual clock"):
        await virtual_now(client, name)


async def test_a_loan_started_in_real_time_can_still_be_fast_forwarded(client: Client, workflow_id: Named) -> None:
    name = workflow_id("adopted")
    await client.start_workflow(DailyLoan.run, Diary(hour=9, days=1000), id=name, task_queue=QUEUE)
    target = evening(datetime.now(UTC), 6)
    place = await fast_forward(client, name, target)
    assert isinstance(place, Arrived)
    assert timedelta(0) <= place.at - target < timedelta(seconds=5)
    assert len((await client.get_workflow_handle(name).query(DailyLoan.diary)).acted) in (6, 7)


async def test_a_loan_in_real_time_is_already_past_what_has_been(client: Client, workflow_id: Named) -> None:
    name = workflow_id("real-past")
    await client.start_workflow(DailyLoan.run, Diary(hour=9, days=1000), id=name, task_queue=QUEUE)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert isinstance(await fast_forward(client, name, yesterday), Arrived)


async def test_an_unknown_loan_is_named(client: Client) -> None:
    with pytest.raises(NotFound, match="no-such-loan"):
        await fast_forward(client, "no-such-loan", datetime.now(UTC))


async def test_a_loan_without_a_worker_is_reported_and_not_waited_for_without_end(
    client: Client, workflow_id: Named
) -> None:
    name = workflow_id("orphan")
    await clocked(client).start_workflow(
        DailyLoan.run, Diary(hour=9, days=1000), id=name, task_queue="nobody-serves-this"
    )
    target = evening(await virtual_now(client, name), 3)
    with pytest.raises(ClockStalled, match=r"worker\.py"):
        await fast_forward(client, name, target, patience=timedelta(seconds=1))


async def test_an_update_with_start_is_refused_instead_of_starting_on_the_wrong_date(
    client: Client, workflow_id: Named
) -> None:
    start = WithStartWorkflowOperation(
        DailyLoan.run,
        Diary(hour=9, days=3),
        id=workflow_id("updated"),
        task_queue=QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
    )
    with pytest.raises(NoVirtualTime, match="update-with-start"):
        await clocked(client, ahead=timedelta(days=9)).execute_update_with_start_workflow(
            DailyLoan.nudge_and_tell, 1, start_workflow_operation=start
        )


async def test_a_server_without_virtual_time_is_named_as_the_cause(
    monkeypatch: pytest.MonkeyPatch, workflow_id: Named
) -> None:
    monkeypatch.setattr("duecourse.engine.server.DYNAMIC_CONFIG", ())
    name = workflow_id("real-only")
    async with EmbeddedServer(None) as server:
        client = await connect(server.address.target)
        await client.start_workflow(DailyLoan.run, Diary(hour=9, days=3), id=name, task_queue="nobody")
        with pytest.raises(NoVirtualTime, match="embedded"):
            await clocked(client).start_workflow(
                DailyLoan.run, Diary(hour=9, days=3), id=name + "2", task_queue="nobody"
            )
        with pytest.raises(NoVirtualTime):
            await virtual_now(client, name)


async def test_a_reopened_loan_has_the_same_id_and_stands_on_the_books_date(client: Client, workflow_id: Named) -> None:
    """A reversal after closing: the loan closed in May of its book, and is signalled with start in June of it."""
    name = workflow_id("comes-back")
    await clocked(client).start_workflow(DailyLoan.run, Diary(hour=9, days=2), id=name, task_queue=QUEUE)
    began = await virtual_now(client, name)
    assert await fast_forward(client, name, began + timedelta(days=30)) == Closed(name)
    ahead = timedelta(days=30)
    await clocked(client, ahead=ahead).start_workflow(
        DailyLoan.run, Diary(hour=9, days=9), id=name, task_queue=QUEUE, start_signal="nudge", start_signal_args=[1]
    )
    place = await arrive(client, name)
    assert isinstance(place, Arrived)
    assert timedelta(0) <= place.at - (began + ahead) < timedelta(minutes=1)
    assert (await client.get_workflow_handle(name).query(DailyLoan.diary)).nudges == 1


async def test_retries_of_an_activity_are_lived_through_in_virtual_time(client: Client, workflow_id: Named) -> None:
    """Four failures with back-off before each success: seconds of the loan's day, nothing of ours, no day late."""
    queue, name = workflow_id("retry-queue"), workflow_id("retries")

    @activity.defn(name="say_the_time")
    async def fails_four_times() -> datetime:
        if activity.info().attempt < 5:
            raise RuntimeError("the provider is down")
        return activity_now()

    async with running_workers(
        client, [WorkerSpec(queue, [DailyLoan], [fails_four_times])], drain=timedelta(seconds=1)
    ):
        await clocked(client).start_workflow(DailyLoan.run, Diary(hour=9, days=50), id=name, task_queue=queue)
        began = await virtual_now(client, name)
        assert isinstance(await fast_forward(client, name, evening(began, 3)), Arrived)
        diary = await client.get_workflow_handle(name).query(DailyLoan.diary)
        await client.get_workflow_handle(name).terminate()
    assert [moment.replace(second=0, microsecond=0) for moment in diary.acted] == mornings_between(
        began, evening(began, 3), 9
    )
    # 1 + 2 + 4 + 8 seconds of back-off
    for acted, told in zip(diary.acted, diary.told, strict=True):
        assert timedelta(seconds=15) <= told - acted < timedelta(seconds=30)
