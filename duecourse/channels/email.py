"""E-mail by SMTP: one connection and one attempt per send, and an honest word on how it ended.

SMTP has no key and nothing to look up. Until the message body has left, a failure is certainly not accepted;
after that, silence can mean anything, and the message must not be sent again by itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import parseaddr

import aiosmtplib

from duecourse.channels.adapter import (
    Accepted,
    Capabilities,
    Idempotency,
    OutcomeUnknown,
    Outgoing,
    Rejected,
    RetryLater,
    in_time,
    may_leave,
)

_LINE_THAT_STARTS_WITH_A_DOT = re.compile(rb"(?m)^\.")
_START_INPUT = 354
_COMPLETED = 250


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed in. STARTTLS is used whenever the server offers it; `smtps` is TLS from the first byte."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    implicit_tls: bool = False


def build_mail(message: Outgoing, domain: str) -> bytes:
    """The mail as it goes on the wire (CRLF lines), the same bytes for the same message.

    Args:
        message: `sender` is a From header ("Name <address>" or an address), `at` becomes the Date.
        domain: the right side of the Message-ID; the left side is the contact id.

    Raises:
        Rejected: an address that cannot stand in a header.
    """
    mail = EmailMessage(policy=SMTP_POLICY)
    try:
        mail["From"] = _mailbox(message.sender)
        mail["To"] = Address(addr_spec=message.address)
    except (ValueError, IndexError, HeaderParseError) as error:
        raise Rejected("the address is not one that a mail can carry; correct the contact point") from error
    mail["Subject"] = message.subject or ""
    mail["Date"] = message.at.astimezone(UTC)
    mail["Message-ID"] = f"<{message.contact_id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = message.language
    mail["X-Duecourse-Contact"] = message.contact_id
    mail["X-Business-Time"] = message.at.astimezone(UTC).isoformat()
    # 7-bit on the wire: a server without 8BITMIME would otherwise change the bytes or refuse them.
    mail.set_content(message.text, cte="quoted-printable")
    if message.html:
        mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
        # The library draws boundaries at random; a repeat would differ in them.
        mail.set_boundary("=_duecourse_" + hashlib.sha256(message.contact_id.encode()).hexdigest()[:32])
    return mail.as_bytes()


def _mailbox(sender: str) -> Address:
    name, address = parseaddr(sender)
    return Address(display_name=name, addr_spec=address)


class SmtpAdapter:
    """Hands mails to one SMTP server.

    A repeat after a crash may reach the borrower twice, so the capability is NONE: an attempt whose end nobody saw
    stays unknown.
    """

    channel = "email"
    provider = "smtp"

    def __init__(self, server: SmtpServer, message_domain: str, timeout: timedelta = timedelta(seconds=20)) -> None:
        self._server = server
        self._message_domain = message_domain
        self.capabilities = Capabilities(idempotency=Idempotency.NONE, timeout=timeout)

    async def send(self, message: Outgoing) -> Accepted:
        """Hand over one mail; answers with its Message-ID.

        Raises:
            DeadlinePassed: the deadline passed first; nothing left.
            RetryLater: certainly not accepted, and worth another attempt.
            Rejected: the server refused sender, recipient or content for good.
            OutcomeUnknown: the body left and no answer came.
        """
        in_time(message)
        wire = _on_the_wire(build_mail(message, self._message_domain))
        envelope_sender = parseaddr(message.sender)[1]
        body_left = asyncio.Event()
        client = aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            username=self._server.username,
            password=self._server.password,
            use_tls=self._server.implicit_tls,
            local_hostname=self._message_domain,
            timeout=None,  # one time-out for the whole attempt, below
        )
        try:
            async with asyncio.timeout(self.capabilities.timeout.total_seconds()):
                await client.connect()
                await _accepted_or_refused(client.mail(envelope_sender))
                await _accepted_or_refused(client.rcpt(message.address))
                return await self._hand_over(client, message, wire, body_left)
        except (OSError, TimeoutError, aiosmtplib.SMTPException) as error:
            raise _ended_without_answer(error, body_left) from error
        finally:
            # No QUIT: its answer would only delay a result that is already known.
            client.close()

    async def _hand_over(
        self, client: aiosmtplib.SMTP, message: Outgoing, wire: bytes, body_left: asyncio.Event
    ) -> Accepted:
        """The DATA stage by hand: the library's own gives no place between the server's 354 and the body."""
        go_ahead = await client.execute_command(b"DATA")
        if go_ahead.code != _START_INPUT:
            raise _refused(go_ahead.code, go_ahead.message)
        protocol = client.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("closed after DATA")
        # The last moment: without its final dot the server must not accept anything, so closing here sends nothing.
        may_leave(message)
        body_left.set()
        protocol.write(wire)
        answer = await protocol.read_response()
        if answer.code != _COMPLETED:
            raise _refused(answer.code, answer.message)
        return Accepted(f"<{message.contact_id}@{self._message_domain}>")

    async def look_up(self, message: Outgoing, since: datetime) -> Accepted | None:
        """SMTP cannot be asked: always None, and `capabilities` says that it means nothing."""
        return None

    async def close(self) -> None:
        """Nothing is kept open between sends."""


def _on_the_wire(mail: bytes) -> bytes:
    """Dot-stuffed and ended, as RFC 5321 4.5.2 asks."""
    ending = b"" if mail.endswith(b"\r\n") else b"\r\n"
    return _LINE_THAT_STARTS_WITH_A_DOT.sub(b"..", mail) + ending + b".\r\n"


async def _accepted_or_refused(command: Awaitable[aiosmtplib.SMTPResponse]) -> None:
    try:
        await command
    except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPRecipientRefused) as error:
        raise _refused(error.code, error.message) from error
    except (ValueError, UnicodeEncodeError) as error:
        raise Rejected("the address cannot be named to this mail server; correct the contact point") from error


def _refused(code: int, reason: str) -> RetryLater | Rejected | OutcomeUnknown:
    """What a server's refusal means; the server's words are kept out, they often repeat the address."""
    enhanced = re.match(r"[245]\.\d{1,3}\.\d{1,3}", reason)
    named = f"{code} {enhanced[0]}" if enhanced else str(code)
    match code // 100:
        case 4:
            return RetryLater(f"the mail server answered {named}")
        case 5:
            return Rejected(f"the mail server answered {named}")
        case _:
            return OutcomeUnknown(f"the mail server answered {named}, which says neither yes nor no")


def _ended_without_answer(error: BaseException, body_left: asyncio.Event) -> RetryLater | OutcomeUnknown:
    reason = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
    if body_left.is_set():
        return OutcomeUnknown(f"the mail left and its acceptance was not seen: {reason}")
    # Also a refused login: the fault is in our settings, and the borrower's address must not suffer for it.
    return RetryLater(f"the mail was not handed over: {reason}")
