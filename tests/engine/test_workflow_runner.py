"""The sandbox without its questions about payloads: still a sandbox, and still right about our payloads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.converter import WithSerializationContext
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from duecourse.engine.connect import _sandboxed
from duecourse.engine.payloads import CompactPayloadConverter, data_converter
from duecourse.engine.workflow_runner import ContextFreeSandbox
from tests.engine.clock_reader import ClockReader

Named = Callable[[str], str]


def test_nothing_of_our_data_converter_takes_a_context() -> None:
    """What the runner rests on: a codec, or a store beside the history, would have to be given one."""
    assert data_converter.payload_codec is None
    assert data_converter.external_storage is None
    assert not isinstance(data_converter.failure_converter, WithSerializationContext)
    assert not any(isinstance(one, WithSerializationContext) for one in CompactPayloadConverter().converters.values())


def test_temporals_own_sandbox_is_replaced_and_a_users_own_is_kept() -> None:
    @dataclass(frozen=True)
    class Own(SandboxedWorkflowRunner):
        pass

    assert isinstance(_sandboxed(None), ContextFreeSandbox)
    assert isinstance(_sandboxed(SandboxedWorkflowRunner()), ContextFreeSandbox)
    assert type(_sandboxed(Own())) is Own


async def test_a_workflow_that_reads_the_clock_is_refused(client: Client, workflow_id: Named) -> None:
    async with Worker(client, task_queue="clock-readers", workflows=[ClockReader]):
        handle = await client.start_workflow(ClockReader.run, id=workflow_id("clock"), task_queue="clock-readers")
        with pytest.raises(WorkflowFailureError) as failed:
            await asyncio.wait_for(handle.result(), 20)
    assert "time.time" in str(failed.value.cause)
