"""Adapters against real servers on the loopback, and one memorable message."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from duecourse.channels.adapter import Outgoing
from duecourse.sandbox import Sandbox

DUE_TOMORROW = Outgoing(
    contact_id="9f2c4e6a8b0d1f3355779bbddff00214",
    address="+14155550123",
    sender="+15005550006",
    subject=None,
    text="Harbor Credit: your payment of $120.00 is due tomorrow.",
    html=None,
    language="en",
    at=datetime(2026, 3, 2, 15, 0, tzinfo=UTC),
    deadline=float("inf"),
)

Message = Callable[..., Outgoing]


@pytest_asyncio.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox(tmp_path / "sandbox") as running:
        yield running


@pytest.fixture
def sms() -> Message:
    """An SMS with some fields changed."""
    return lambda **changes: dataclasses.replace(DUE_TOMORROW, **changes)


@pytest.fixture
def mail() -> Message:
    """A mail with some fields changed."""

    def build(**changes: object) -> Outgoing:
        as_mail: dict[str, object] = {
            "address": "ana.lima@borrower.example",
            "sender": "Harbor Credit <notices@harbor.example>",
            "subject": "Due tomorrow",
            "html": "<p>Your payment of <b>$120.00</b> is due tomorrow.</p>",
        }
        return dataclasses.replace(DUE_TOMORROW, **{**as_mail, **changes})  # type: ignore[arg-type]

    return build


@pytest.fixture
def a_second_ago() -> float:
    """A deadline that has passed."""
    return time.monotonic() - 1.0
