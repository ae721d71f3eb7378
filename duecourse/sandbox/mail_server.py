"""The SMTP server of the sandbox: it accepts everything, unless it is told not to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from duecourse.sandbox.faults import Delay, Drop, Fail, Faults, Stall
from duecourse.sandbox.received import Inbox, Received

OnAccepted = Callable[[Received], Awaitable[None]]

# The server's own log would repeat addresses.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)


class MailServer:
    """One listening SMTP server on the loop that starts it."""

    def __init__(self, inbox: Inbox, faults: Faults, on_accepted: OnAccepted) -> None:
        self._inbox = inbox
        self._faults = faults
        self._on_accepted = on_accepted
        self._server: asyncio.Server | None = None
        self._conversations: list[Any] = []

    async def start(self, host: str, port: int) -> int:
        """Listen; answers with the port, which the system chooses for 0."""
        self._server = await asyncio.get_running_loop().create_server(self._conversation, host, port)
        chosen: int = self._server.sockets[0].getsockname()[1]
        return chosen

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for conversation in self._conversations:
            if conversation.transport is not None:
                conversation.transport.abort()
        await self._server.wait_closed()
        self._server = None

    def _conversation(self) -> Any:
        self._conversations = [c for c in self._conversations if c.transport is not None]
        conversation = SMTP(self, hostname="sandbox.duecourse.example", ident="Duecourse sandbox", enable_SMTPUTF8=True)
        self._conversations.append(conversation)
        return conversation

    async def handle_RCPT(  # noqa: N802 - aiosmtpd finds its hooks by this name
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        match self._faults.peek("email", address):
            case Fail(stage="recipient") as fail:
                self._faults.take("email", address)
                return f"{fail.status} refused by order of the sandbox"
            case _:
                envelope.rcpt_tos.append(address)
                return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the same
        raw = envelope.original_content or b""
        match self._faults.take("email", envelope.rcpt_tos[0]):
            case Fail() as fail:
                return f"{fail.status} refused by order of the sandbox"
            case Delay(seconds=seconds):
                await asyncio.sleep(seconds)
                await self._accept(raw)
            case Stall(when=when):
                if when == "after_acceptance":
                    await self._accept(raw)
                await self._faults.until_released()
                if when == "before_acceptance":
                    return "451 given up by order of the sandbox"
            case Drop(when=when):
                if when == "after_acceptance":
                    await self._accept(raw)
                server.transport.abort()
            case None:
                await self._accept(raw)
        return "250 OK"

    async def _accept(self, raw: bytes) -> None:
        await self._on_accepted(self._inbox.keep_mail(raw))
