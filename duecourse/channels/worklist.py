"""Calls and letters as tasks for a person: the ledger's worklist is the provider.

The task is opened under the contact's id, so opening it again changes nothing.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Protocol

from duecourse.channels.adapter import (
    Accepted,
    Capabilities,
    Idempotency,
    OutcomeUnknown,
    Outgoing,
    may_leave,
)


class OpenTask(Protocol):
    """Writes one task into the ledger; a second call with the same contact id changes nothing.

    `at` is business time, aware UTC; `text` is the script or the letter, in `language`.
    """

    async def __call__(self, contact_id: str, channel: str, text: str, language: str, at: datetime) -> None: ...


class WorklistAdapter:
    """Puts a call or a letter on the worklist of the people who make it."""

    provider = "worklist"

    def __init__(self, channel: str, open_task: OpenTask, timeout: timedelta = timedelta(seconds=15)) -> None:
        self.channel = channel
        self._open_task = open_task
        self.capabilities = Capabilities(idempotency=Idempotency.NATIVE_KEY, timeout=timeout)

    async def send(self, message: Outgoing) -> Accepted:
        """Open the task; answers with its id.

        Raises:
            DeadlinePassed: the deadline passed first; no task was opened.
            OutcomeUnknown: the ledger did not confirm. Repeat it: the key makes that safe.
        """
        may_leave(message)
        try:
            async with asyncio.timeout(self.capabilities.timeout.total_seconds()):
                await self._open_task(message.contact_id, self.channel, message.text, message.language, message.at)
        except Exception as error:
            # Any failure may lie behind the commit; "not sent" would be a guess.
            raise OutcomeUnknown(f"the worklist did not confirm the task: {type(error).__name__}") from error
        return Accepted(f"task:{message.contact_id}")

    async def look_up(self, message: Outgoing, since: datetime) -> Accepted | None:
        """Not needed: the key makes a repeat safe."""
        return None

    async def close(self) -> None:
        """The ledger belongs to whoever gave `open_task`."""
