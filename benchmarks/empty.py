"""The workflow that ours is measured against: it waits and acts, and knows nothing of loans."""

from __future__ import annotations

import contextlib
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from benchmarks.messages import Ask, Waits

WAITS_QUEUE = "empty-loans"
ACTS_QUEUE = "empty-sms"


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
