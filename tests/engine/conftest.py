"""One real server and one worker for all tests of the engine."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from temporalio.client import Client

from duecourse.engine.connect import connect
from duecourse.engine.pool import WorkerSpec, running_workers
from duecourse.engine.server import EmbeddedServer
from tests.engine.daily_loan import DailyLoan, say_the_time

QUEUE = "engine-tests"


@pytest.fixture(scope="session")
async def client() -> AsyncIterator[Client]:
    """Connected to a server in memory, with a worker for `DailyLoan` on QUEUE."""
    async with EmbeddedServer(None) as server:
        client = await connect(server.address.target)
        spec = WorkerSpec(QUEUE, workflows=[DailyLoan], activities=[say_the_time])
        async with running_workers(client, [spec], drain=timedelta(seconds=1)):
            yield client


@pytest.fixture
def workflow_id() -> Callable[[str], str]:
    """Workflow ids that no other test uses."""
    suffix = uuid.uuid4().hex[:8]
    return lambda name: f"{name}-{suffix}"
