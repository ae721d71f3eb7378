"""The connection and the habits that all who use it share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.worker import Replayer

from duecourse.engine.connect import connect, plugin
from tests.engine.conftest import QUEUE
from tests.engine.daily_loan import DailyLoan, Diary

Named = Callable[[str], str]


async def test_temporals_own_variables_name_the_server(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", client.service_client.config.target_host)
    found = await connect()
    assert found.service_client.config.target_host == client.service_client.config.target_host
    assert found.namespace == "default"


async def test_a_start_that_does_not_decode_fails_at_once(client: Client, workflow_id: Named) -> None:
    """Not retried without end, and the failure does not repeat the payload."""
    handle = await client.start_workflow("DailyLoan", {"hour": "never"}, id=workflow_id("bad"), task_queue=QUEUE)
    with pytest.raises(WorkflowFailureError):
        await asyncio.wait_for(handle.result(), 20)


async def test_a_message_that_does_not_decode_leaves_the_loan_running(client: Client, workflow_id: Named) -> None:
    """Someone types nonsense into the Web UI: the loan drops it and takes the next message."""
    handle = await client.start_workflow(
        DailyLoan.run, Diary(hour=9, days=5), id=workflow_id("nonsense"), task_queue=QUEUE
    )
    await handle.signal("nudge", "three")
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update("nudge_and_tell", "three")
    assert await handle.execute_update(DailyLoan.nudge_and_tell, 2) == 2
    assert (await handle.query(DailyLoan.diary)).nudges == 2


async def test_a_history_replays_with_the_same_plugin(client: Client, workflow_id: Named) -> None:
    handle = await client.start_workflow(
        DailyLoan.run, Diary(hour=9, days=0), id=workflow_id("replayed"), task_queue=QUEUE
    )
    await handle.result()
    replayed = await Replayer(workflows=[DailyLoan], plugins=[plugin()]).replay_workflow(await handle.fetch_history())
    assert replayed.replay_failure is None


async def test_none_fields_are_not_stored(client: Client, workflow_id: Named) -> None:
    handle = await client.start_workflow(
        DailyLoan.run,
        Diary(hour=9, days=0),
        id=workflow_id("compact"),
        task_queue=QUEUE,
        run_timeout=timedelta(minutes=1),
    )
    history = await handle.fetch_history()
    data = history.events[0].workflow_execution_started_event_attributes.input.payloads[0].data
    assert data == (b'{"hour":9,"minute":0,"days":0,"every_days":1,"days_per_run":10,"acted":[],"told":[],"nudges":0}')
