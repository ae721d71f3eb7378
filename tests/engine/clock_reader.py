"""A workflow that reads the machine's clock, as none may."""

from __future__ import annotations

import time

from temporalio import workflow


@workflow.defn(failure_exception_types=[Exception])
class ClockReader:
    @workflow.run
    async def run(self) -> float:
        return time.time()
