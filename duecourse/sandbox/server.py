"""The sandbox as one object: start it in a program's own loop, send to it, look at what came."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from duecourse.sandbox.connection import RemembersItsConnection
from duecourse.sandbox.faults import Fault, Faults
from duecourse.sandbox.letter_service import LetterService
from duecourse.sandbox.mail_server import MailServer
from duecourse.sandbox.pages import Pages
from duecourse.sandbox.received import Inbox, Received, Repeats
from duecourse.sandbox.sms_gateway import SmsGateway
from duecourse.sandbox.telnyx_gateway import TelnyxGateway

SANDBOX_SID = "AC" + "0" * 32
SANDBOX_TOKEN = "sandbox"
SANDBOX_LETTER_KEY = "test_sandbox"
_MAIL_FROM = "Duecourse sandbox <notices@lender.example>"
_SMS_FROM = "+15005550006"


class Sandbox:
    """A mail server and an SMS gateway on this machine that keep what they accept.

    Append to `on_accepted` what is to run between acceptance and answer: a test kills a worker there.

    Args:
        directory: where the messages are kept; one that has messages already is continued.
        smtp_port, http_port: 0 lets the system choose.
        host: the loopback, unless a container's other side must reach it.
    """

    def __init__(self, directory: Path, *, smtp_port: int = 0, http_port: int = 0, host: str = "127.0.0.1") -> None:
        self.directory = directory
        self.on_accepted: list[Callable[[Received], Awaitable[None]]] = []
        self._host = host
        self._smtp_port = smtp_port
        self._http_port = http_port
        self._inbox = Inbox(directory)
        self._faults = Faults()
        self.letters = LetterService(SANDBOX_LETTER_KEY)
        self._mail = MailServer(self._inbox, self._faults, self._accepted)
        self._http: _HttpServer | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen on both ports; returns when both answer.

        Raises:
            OSError: a given port is taken.
        """
        self._smtp_port = await self._mail.start(self._host, self._smtp_port)
        # With the protocol named, asyncio sets TCP_NODELAY on what it accepts; without, each answer waits 40 ms.
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((self._host, self._http_port))
        except OSError:
            listening.close()
            await self._mail.stop()
            raise
        self._http_port = listening.getsockname()[1]
        gateway = SmsGateway(self._inbox, self._faults, self._accepted, SANDBOX_SID, SANDBOX_TOKEN)
        telnyx = TelnyxGateway(self._inbox, self._faults, self._accepted, SANDBOX_TOKEN)
        pages = Pages(self._inbox, self._faults)
        routes = [*gateway.routes(), *telnyx.routes(), *self.letters.routes(), *pages.routes()]
        app = RemembersItsConnection(Starlette(routes=routes))
        self._http = _HttpServer(
            uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        )
        self._serving = asyncio.create_task(self._http.serve(sockets=[listening]))
        await self._http.answers.wait()

    async def stop(self) -> None:
        """Let go of held answers, close both servers. What was kept stays."""
        self._faults.clear()
        await self._mail.stop()
        if self._http is not None and self._serving is not None:
            self._http.should_exit = True
            await self._serving
            self._http = self._serving = None

    async def __aenter__(self) -> Sandbox:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def smtp_url(self) -> str:
        return f"smtp://{self._host}:{self._smtp_port}"

    @property
    def sms_url(self) -> str:
        """Base address of the SMS gateway, and of the page that shows all messages."""
        return f"http://{self._host}:{self._http_port}"

    def environment(self) -> dict[str, str]:
        """The variables with which `ChannelSettings` sends everything here."""
        return {
            "DUECOURSE_SMTP_URL": self.smtp_url,
            "DUECOURSE_MAIL_FROM": _MAIL_FROM,
            "DUECOURSE_TWILIO_URL": self.sms_url,
            "DUECOURSE_TWILIO_SID": SANDBOX_SID,
            "DUECOURSE_TWILIO_TOKEN": SANDBOX_TOKEN,
            "DUECOURSE_TWILIO_FROM": _SMS_FROM,
            "DUECOURSE_RECEIPTS_URL": f"{self.sms_url}/receipts/twilio",
        }

    def letter_environment(self) -> dict[str, str]:
        """The variables with which letters are printed here too; without them a person prints from the worklist."""
        return {"DUECOURSE_LOB_KEY": SANDBOX_LETTER_KEY, "DUECOURSE_LOB_URL": self.sms_url}

    def telnyx_environment(self) -> dict[str, str]:
        """The variables with which `ChannelSettings` sends SMS here by Telnyx's contract."""
        return {
            "DUECOURSE_TELNYX_URL": self.sms_url,
            "DUECOURSE_TELNYX_KEY": SANDBOX_TOKEN,
            "DUECOURSE_TELNYX_FROM": _SMS_FROM,
            "DUECOURSE_TELNYX_RECEIPTS_URL": f"{self.sms_url}/receipts/telnyx",
        }

    def received(self) -> list[Received]:
        """Every accepted message, oldest first."""
        return self._inbox.messages()

    def repeats(self) -> Repeats:
        """What was accepted more than once."""
        return self._inbox.repeats()

    def misbehave(self, fault: Fault) -> None:
        """Meet the next messages of the fault's channel with it."""
        self._faults.add(fault)

    def behave(self) -> None:
        """Forget the troubles to come and release the answers that are held."""
        self._faults.clear()

    def set_sms_status(self, sid: str, status: str, error_code: int | None = None) -> None:
        """Move an SMS on, as the network would: sent, delivered, undelivered, failed.

        Raises:
            KeyError: no such SMS.
        """
        if self._inbox.set_sms_status(sid, status, error_code) is None:
            raise KeyError(sid)

    async def _accepted(self, message: Received) -> None:
        for hook in self.on_accepted:
            await hook(message)


class _HttpServer(uvicorn.Server):
    """uvicorn as a guest in another program's loop: it says when it answers, and leaves the signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
