"""One real server for all end-to-end tests, and a house for each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client

import workflows.contracts
from duecourse.engine.connect import connect
from duecourse.engine.server import EmbeddedServer
from tests.e2e.house import House, open_house

ATTEMPT_TIMEOUT = timedelta(seconds=3)
"""Of one contact attempt, so that an attempt whose worker died is repeated while a test can wait."""


@pytest.fixture(scope="session")
async def client() -> AsyncIterator[Client]:
    """Connected to a server in memory."""
    async with EmbeddedServer(None) as server:
        yield await connect(server.address.target)


@pytest.fixture(autouse=True)
def _short_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflows.contracts, "ATTEMPT_TIMEOUT", ATTEMPT_TIMEOUT)


@pytest.fixture
async def empty_house(client: Client, tmp_path: Path) -> AsyncIterator[House]:
    """A house in which nobody works yet."""
    async with open_house(client, tmp_path) as house:
        yield house


@pytest.fixture
async def house(empty_house: House) -> AsyncIterator[House]:
    """A house with workers for all queues."""
    async with empty_house.workers():
        yield empty_house
