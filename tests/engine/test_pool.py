"""Workers as they are run."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from datetime import timedelta

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.common import VersioningBehavior

from duecourse.engine.pool import WorkerSpec, deployment_from, run_workers, stop_on_signals
from duecourse.errors import InvalidInput
from tests.engine.daily_loan import OneLine, say_hello

Named = Callable[[str], str]


def test_without_a_build_workers_are_unversioned() -> None:
    assert deployment_from({}) is None


def test_a_build_pins_its_loans() -> None:
    config = deployment_from({"TEMPORAL_DEPLOYMENT_NAME": "duecourse", "TEMPORAL_WORKER_BUILD_ID": "7f3a"})
    assert config is not None
    assert (config.version.deployment_name, config.version.build_id) == ("duecourse", "7f3a")
    assert config.use_worker_versioning
    assert config.default_versioning_behavior is VersioningBehavior.PINNED


@pytest.mark.parametrize("only", ["TEMPORAL_DEPLOYMENT_NAME", "TEMPORAL_WORKER_BUILD_ID"])
def test_half_a_build_is_refused_and_the_missing_half_named(only: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        deployment_from({only: "x"})
    assert {only, refused.value.field} == {"TEMPORAL_DEPLOYMENT_NAME", "TEMPORAL_WORKER_BUILD_ID"}


async def test_workers_serve_their_queues_until_told_to_stop(client: Client, workflow_id: Named) -> None:
    stop = asyncio.Event()
    queue = workflow_id("pool")
    specs = [WorkerSpec(queue, workflows=[OneLine], activities=[say_hello])]
    running = asyncio.create_task(run_workers(client, specs, stop, drain=timedelta(seconds=1), environment={}))
    await client.execute_workflow(OneLine.run, id=workflow_id("served"), task_queue=queue)
    stop.set()
    await asyncio.wait_for(running, 20)


async def test_on_stop_an_activity_that_runs_is_allowed_to_finish(client: Client, workflow_id: Named) -> None:
    started, finished = asyncio.Event(), asyncio.Event()

    @activity.defn(name="say_hello")
    async def slow() -> None:
        started.set()
        await asyncio.sleep(0.5)
        finished.set()

    stop = asyncio.Event()
    queue = workflow_id("drain")
    specs = [WorkerSpec(queue, workflows=[OneLine], activities=[slow])]
    running = asyncio.create_task(run_workers(client, specs, stop, drain=timedelta(seconds=10), environment={}))
    await client.start_workflow(OneLine.run, id=workflow_id("drained"), task_queue=queue)
    await asyncio.wait_for(started.wait(), 20)
    stop.set()
    await asyncio.wait_for(running, 20)
    assert finished.is_set()


async def test_a_worker_that_cannot_start_raises_and_leaves_no_other_running(
    client: Client, workflow_id: Named
) -> None:
    specs = [
        WorkerSpec(workflow_id("good"), workflows=[OneLine], activities=[say_hello]),
        WorkerSpec(workflow_id("empty")),
    ]
    with pytest.raises(ValueError, match="workflow"):
        await asyncio.wait_for(run_workers(client, specs, asyncio.Event(), environment={}), 20)


async def test_sigterm_sets_the_stop_event() -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stop.wait(), 5)
    finally:
        loop = asyncio.get_running_loop()
        loop.remove_signal_handler(signal.SIGINT)
        loop.remove_signal_handler(signal.SIGTERM)


async def test_a_versioned_worker_pins_the_loans_it_starts(client: Client, workflow_id: Named) -> None:
    """Under a current deployment version a start is answered by that build and bound to it."""
    from temporalio.api.enums.v1 import VersioningBehavior as Behavior
    from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
    from temporalio.service import RPCError

    queue, deployment = workflow_id("versioned"), workflow_id("deployment")
    stop = asyncio.Event()
    environment = {"TEMPORAL_DEPLOYMENT_NAME": deployment, "TEMPORAL_WORKER_BUILD_ID": "build-1"}
    specs = [WorkerSpec(queue, workflows=[OneLine], activities=[say_hello])]
    running = asyncio.create_task(run_workers(client, specs, stop, drain=timedelta(seconds=1), environment=environment))
    try:
        async with asyncio.timeout(30):
            while True:
                try:
                    await client.workflow_service.set_worker_deployment_current_version(
                        SetWorkerDeploymentCurrentVersionRequest(
                            namespace=client.namespace, deployment_name=deployment, build_id="build-1"
                        )
                    )
                    break
                except RPCError:  # the deployment is known once its worker has polled
                    await asyncio.sleep(0.1)
            handle = await client.start_workflow(OneLine.run, id=workflow_id("pinned"), task_queue=queue)
            await handle.result()
        info = (await handle.describe()).raw_description.workflow_execution_info.versioning_info
        assert info.behavior == Behavior.VERSIONING_BEHAVIOR_PINNED
        assert info.deployment_version.build_id == "build-1"
    finally:
        stop.set()
        await asyncio.wait_for(running, 20)
