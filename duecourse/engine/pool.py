"""Running workers: one per queue, drained on request, pinned to their build when they are told which build they are."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig

from duecourse.errors import InvalidInput

DEPLOYMENT_VARIABLE = "TEMPORAL_DEPLOYMENT_NAME"
BUILD_VARIABLE = "TEMPORAL_WORKER_BUILD_ID"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What one worker of this process serves."""

    queue: str
    workflows: Sequence[type] = ()
    activities: Sequence[Callable[..., Any]] = ()
    executor: Executor | None = None
    """For activities that are not asynchronous."""
    max_concurrent_activities: int = 100
    queue_activities_per_second: float | None = None
    """The provider's rate limit, held by the server over all workers of the queue; give each of them the same."""
    sticky_timeout: timedelta = timedelta(seconds=10)
    """How long a workflow task waits for the worker that has the loan in memory before another may replay it."""


def deployment_from(environment: Mapping[str, str]) -> WorkerDeploymentConfig | None:
    """Worker versioning from TEMPORAL_DEPLOYMENT_NAME and TEMPORAL_WORKER_BUILD_ID; None when neither is set.

    A versioned worker's loans are pinned to its build and move on when they continue as new.
    Raises InvalidInput when only one of the two is set.
    """
    name, build = environment.get(DEPLOYMENT_VARIABLE, ""), environment.get(BUILD_VARIABLE, "")
    match bool(name), bool(build):
        case False, False:
            return None
        case True, True:
            return WorkerDeploymentConfig(
                version=WorkerDeploymentVersion(deployment_name=name, build_id=build),
                use_worker_versioning=True,
                default_versioning_behavior=VersioningBehavior.PINNED,
            )
        case True, False:
            raise InvalidInput(BUILD_VARIABLE, "", f"a build id, because {DEPLOYMENT_VARIABLE} is set")
        case _:
            raise InvalidInput(DEPLOYMENT_VARIABLE, "", f"a deployment name, because {BUILD_VARIABLE} is set")


@contextlib.asynccontextmanager
async def running_workers(
    client: Client,
    specs: Sequence[WorkerSpec],
    *,
    drain: timedelta = timedelta(seconds=30),
    deployment: WorkerDeploymentConfig | None = None,
) -> AsyncIterator[asyncio.Future[None]]:
    """Workers for all `specs` while the block runs; the value completes with the error if one of them dies.

    On leaving, no new work is taken and what runs has `drain` to end before it is cancelled.
    """
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def on_fatal_error(error: BaseException) -> None:
        if not failed.done():
            failed.set_exception(error)

    async with contextlib.AsyncExitStack() as stack:
        for spec in specs:
            await stack.enter_async_context(_worker(client, spec, drain, deployment, on_fatal_error))
        log.info("workers started", queues=[spec.queue for spec in specs])
        try:
            yield failed
        finally:
            log.info("workers draining", queues=[spec.queue for spec in specs], seconds=drain.total_seconds())
            failed.cancel()
    log.info("workers stopped", queues=[spec.queue for spec in specs])


async def run_workers(
    client: Client,
    specs: Sequence[WorkerSpec],
    stop: asyncio.Event,
    *,
    drain: timedelta = timedelta(seconds=30),
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Serve all `specs` until `stop` is set, then drain. Raises what killed a worker, after draining the others."""
    deployment = deployment_from(environment)
    async with running_workers(client, specs, drain=drain, deployment=deployment) as failed:
        stopped = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait((stopped, failed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
        if failed.done():
            failed.result()


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` on SIGTERM or SIGINT. A second signal ends the process at once, as by default."""
    loop = asyncio.get_running_loop()

    def on_signal(number: signal.Signals) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)


def _worker(
    client: Client,
    spec: WorkerSpec,
    drain: timedelta,
    deployment: WorkerDeploymentConfig | None,
    on_fatal_error: Callable[[BaseException], Any],
) -> Worker:
    return Worker(
        client,
        task_queue=spec.queue,
        workflows=spec.workflows,
        activities=spec.activities,
        activity_executor=spec.executor,
        max_concurrent_activities=spec.max_concurrent_activities,
        max_task_queue_activities_per_second=spec.queue_activities_per_second,
        # Eager activities would pass by the server's rate limit, which is the provider's.
        disable_eager_activity_execution=spec.queue_activities_per_second is not None,
        graceful_shutdown_timeout=drain,
        sticky_queue_schedule_to_start_timeout=spec.sticky_timeout,
        deployment_config=deployment,
        on_fatal_error=on_fatal_error,
    )
