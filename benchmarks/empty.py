"""The workflow that ours is measured against: it waits and acts, and knows nothing of loans."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

WAITS_QUEUE = "empty-loans"
ACTS_QUEUE = "empty-sms"


@dataclass(frozen=True)
class Ask:
    loan: str
    number: int


@dataclass(frozen=True)
class Waits:
    """The moments at which to act (aware UTC), and which activity."""

    loan: str
    moments: tuple[datetime, ...]
    activity: str


@workflow.defn(name="EmptyWorkflow")
class EmptyWorkflow:
    """As many timers and activities as a loan has contacts, and the same long wait after them."""

    @workflow.run
    async def run(self, waits: Waits) -> None:
        for number, moment in enumerate(waits.moments):
            with contextlib.suppress(TimeoutError):
                await workflow.wait_condition(lambda: False, timeout=moment - workflow.now())
            await workflow.execute_activity(
                waits.activity,
                Ask(waits.loan, number),
                task_queue=ACTS_QUEUE,
                start_to_close_timeout=timedelta(seconds=45),
                retry_policy=RetryPolicy(initial_interval=timedelta(seconds=2)),
            )
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(lambda: False, timeout=timedelta(days=31))
