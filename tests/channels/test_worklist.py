"""Calls and letters become tasks for a person, once per contact."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from duecourse.channels.adapter import Accepted, DeadlinePassed, Idempotency, OutcomeUnknown
from duecourse.channels.worklist import WorklistAdapter
from tests.channels.conftest import Message


class RecordingWorklist:
    """Keeps tasks by contact id, as the ledger's unique key does."""

    def __init__(self) -> None:
        self.tasks: dict[str, tuple[str, str, str, datetime]] = {}

    async def open_task(self, contact_id: str, channel: str, text: str, language: str, at: datetime) -> None:
        self.tasks.setdefault(contact_id, (channel, text, language, at))


async def test_a_call_becomes_a_task_with_its_script(sms: Message) -> None:
    worklist = RecordingWorklist()

    accepted = await WorklistAdapter("call", worklist.open_task).send(sms())

    assert accepted == Accepted(f"task:{sms().contact_id}")
    assert worklist.tasks == {sms().contact_id: ("call", sms().text, "en", sms().at)}


async def test_the_contact_id_is_a_native_key(sms: Message) -> None:
    worklist = RecordingWorklist()
    adapter = WorklistAdapter("letter", worklist.open_task)

    first, second = await adapter.send(sms()), await adapter.send(sms())

    assert adapter.capabilities.idempotency is Idempotency.NATIVE_KEY
    assert first == second
    assert len(worklist.tasks) == 1


async def test_after_the_deadline_no_task_is_opened(sms: Message, a_second_ago: float) -> None:
    worklist = RecordingWorklist()

    with pytest.raises(DeadlinePassed):
        await WorklistAdapter("call", worklist.open_task).send(sms(deadline=a_second_ago))
    assert worklist.tasks == {}


async def test_a_ledger_that_fails_leaves_the_outcome_unknown(sms: Message) -> None:
    """The failure may lie behind the commit."""

    async def fails(contact_id: str, channel: str, text: str, language: str, at: datetime) -> None:
        raise ConnectionResetError

    with pytest.raises(OutcomeUnknown):
        await WorklistAdapter("call", fails).send(sms())


async def test_a_ledger_that_hangs_ends_at_the_time_out(sms: Message) -> None:
    async def hangs(contact_id: str, channel: str, text: str, language: str, at: datetime) -> None:
        await asyncio.Event().wait()

    with pytest.raises(OutcomeUnknown):
        await WorklistAdapter("call", hangs, timeout=timedelta(seconds=0.1)).send(sms())
