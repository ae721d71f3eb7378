"""A timer and a payment in one workflow task: the state decides, never which of them woke the loan.

Run as the SDK is today, and with its pending change of how a task's events are processed switched on: there, a wait
that timed out raises although the payment has been applied.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal

import pytest
import temporalio.worker._workflow as sdk
from temporalio.api.enums.v1 import EventType
from temporalio.worker._workflow_instance import _WorkflowLogicFlag

from duecourse.ledger.facts import record
from duecourse.relay import relay_once
from tests.e2e.house import House, until
from tests.e2e.ladders import ladder, rung

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

DUE = date(2031, 3, 13)
SINGLE_BATCH = _WorkflowLogicFlag.PROCESS_WORKFLOW_ACTIVATION_JOBS_AS_SINGLE_BATCH


@pytest.fixture(params=[False, True], ids=["as-is", "single-batch"])
def single_batch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    flags = frozenset({SINGLE_BATCH}) if request.param else frozenset()
    monkeypatch.setattr(sdk, "_DEFAULT_ENABLED_WORKFLOW_LOGIC_FLAGS", flags)
    return bool(request.param)


@pytest.mark.parametrize("first", ["payment", "timer"])
async def test_a_payment_beside_a_timer_wins(
    empty_house: House, first: Literal["payment", "timer"], single_batch: bool
) -> None:
    """No worker runs while the reminder's moment comes and the loan is paid; then one serves both at once."""
    house = empty_house
    async with house.workers():
        await house.start(due=DUE, ladder=ladder(rung("remind", -3)))
        fires = await house.next_moment()
    # Nobody is there any more: time passes without a task, and the timer fires in a few seconds of real time.
    await house.to_just_before(fires, by=timedelta(seconds=4))

    async def fired() -> bool:
        history = await house.handle().fetch_history()
        return any(event.event_type == EventType.EVENT_TYPE_TIMER_FIRED for event in history.events)

    house.ledger.transact(record, house.lender, "L1", await house.payment(), await house.now())
    if first == "timer":
        await until(fired, "the timer fires")
    assert await relay_once(house.ledger, house.client, datetime.now(UTC) + timedelta(minutes=1)) == 1
    await until(fired, "the timer fires")

    async with house.workers():
        assert (await house.handle().result())["closed"] is True
    history = await house.handle().fetch_history()
    kinds = [event.event_type for event in history.events]
    assert EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED not in kinds
    assert house.sandbox.received() == []
    told = kinds.index(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, 2)  # the first is the start's own
    both = sorted((told, kinds.index(EventType.EVENT_TYPE_TIMER_FIRED)))
    assert (both[0] == told) == (first == "payment")
    assert EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED not in kinds[both[0] : both[1]]  # both in one task
    used = [
        flag
        for event in history.events
        for flag in event.workflow_task_completed_event_attributes.sdk_metadata.lang_used_flags
    ]
    assert (SINGLE_BATCH in used) == single_batch
