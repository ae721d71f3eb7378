"""E-mail through a real SMTP server: what arrives, and what each ending is called."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import AnyStr

import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from duecourse.channels.adapter import (
    Accepted,
    DeadlinePassed,
    Idempotency,
    NotSent,
    OutcomeUnknown,
    Rejected,
    RetryLater,
)
from duecourse.channels.email import SmtpAdapter, SmtpServer, build_mail
from duecourse.sandbox import Delay, Drop, Fail, Sandbox, Stall
from tests.channels.conftest import Message

DOMAIN = "harbor.example"


def adapter_for(sandbox: Sandbox, seconds: float = 5.0) -> SmtpAdapter:
    port = int(sandbox.smtp_url.rpartition(":")[2])
    return SmtpAdapter(SmtpServer("127.0.0.1", port), DOMAIN, timedelta(seconds=seconds))


@pytest_asyncio.fixture
async def adapter(sandbox: Sandbox) -> AsyncIterator[SmtpAdapter]:
    yield adapter_for(sandbox)


class NewerAttempt(Exception):
    """What a superseded attempt hears."""


class TestTheMailItself:
    def test_the_same_message_gives_the_same_bytes(self, mail: Message) -> None:
        """A repeat must not differ in date, boundary or id."""
        assert build_mail(mail(), DOMAIN) == build_mail(mail(), DOMAIN)

    def test_another_contact_gives_another_id_and_boundary(self, mail: Message) -> None:
        first = message_from_bytes(build_mail(mail(), DOMAIN))
        second = message_from_bytes(build_mail(mail(contact_id="0" * 32), DOMAIN))

        assert first["Message-ID"] != second["Message-ID"]
        assert first.get_boundary() != second.get_boundary()

    def test_headers_say_who_when_and_that_a_machine_wrote(self, mail: Message) -> None:
        parsed = message_from_bytes(build_mail(mail(), DOMAIN), policy=policy.default)

        assert parsed["From"] == "Harbor Credit <notices@harbor.example>"
        assert parsed["To"] == "ana.lima@borrower.example"
        assert parsed["Subject"] == "Due tomorrow"
        assert parsed["Message-ID"] == f"<{mail().contact_id}@{DOMAIN}>"
        assert parsed["Date"].datetime == mail().at
        assert parsed["Auto-Submitted"] == "auto-generated"
        assert parsed["X-Duecourse-Contact"] == mail().contact_id
        assert parsed["X-Business-Time"] == "2026-03-02T15:00:00+00:00"

    def test_text_comes_first_and_html_second(self, mail: Message) -> None:
        """Readers show the last alternative that they understand."""
        parsed = message_from_bytes(build_mail(mail(), DOMAIN), policy=policy.default)

        assert parsed.get_content_type() == "multipart/alternative"
        assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]

    def test_a_mail_is_seven_bit_on_the_wire_in_chinese_too(self, mail: Message) -> None:
        wire = build_mail(mail(subject="还款提醒", text="请于3月3日前还款。", html="<p>请还款</p>"), DOMAIN)

        parsed = message_from_bytes(wire, policy=policy.default)
        assert wire.isascii()
        assert parsed["Subject"] == "还款提醒"
        assert parsed.get_body(("plain",)).get_content().strip() == "请于3月3日前还款。"  # type: ignore[union-attr]

    @pytest.mark.parametrize("address", ["", "no-at-sign", "two@at@signs", "a@b.example\nBcc: c@d.example"])
    def test_an_address_that_no_header_can_carry_is_rejected(self, mail: Message, address: str) -> None:
        with pytest.raises(Rejected):
            build_mail(mail(address=address), DOMAIN)

    def test_a_subject_cannot_smuggle_a_header(self, mail: Message) -> None:
        with pytest.raises(ValueError, match="Header values may not contain"):
            build_mail(mail(subject="Due\r\nBcc: everyone@example.com"), DOMAIN)


class TestSending:
    async def test_the_server_gets_the_bytes_that_were_built(
        self, adapter: SmtpAdapter, sandbox: Sandbox, mail: Message
    ) -> None:
        accepted = await adapter.send(mail())

        assert accepted == Accepted(f"<{mail().contact_id}@{DOMAIN}>")
        assert [m.raw for m in sandbox.received()] == [build_mail(mail(), DOMAIN)]

    async def test_lines_that_begin_with_a_dot_arrive_whole(
        self, adapter: SmtpAdapter, sandbox: Sandbox, mail: Message
    ) -> None:
        """A lone dot ends a mail on the wire; in the text it must not."""
        await adapter.send(mail(text="first\n.\n..second\n.third"))

        assert sandbox.received()[0].text == "first\n.\n..second\n.third"

    async def test_a_repeat_is_byte_identical_and_counted(
        self, adapter: SmtpAdapter, sandbox: Sandbox, mail: Message
    ) -> None:
        await adapter.send(mail())
        await adapter.send(mail())

        first, second = sandbox.received()
        assert first.raw == second.raw
        assert sandbox.repeats().by_contact == {mail().contact_id: 2}

    async def test_smtp_cannot_be_asked_afterwards(self, adapter: SmtpAdapter, mail: Message) -> None:
        assert adapter.capabilities.idempotency is Idempotency.NONE
        assert await adapter.look_up(mail(), mail().at) is None


class TestEndings:
    @pytest.mark.parametrize("stage", ["recipient", "data"])
    async def test_a_5xx_is_rejected_for_good(
        self, adapter: SmtpAdapter, sandbox: Sandbox, mail: Message, stage: str
    ) -> None:
        sandbox.misbehave(Fail(channel="email", status=550, stage=stage))  # type: ignore[arg-type]

        with pytest.raises(Rejected, match="550"):
            await adapter.send(mail())
        assert sandbox.received() == []

    @pytest.mark.parametrize("stage", ["recipient", "data"])
    async def test_a_4xx_is_worth_another_attempt(
        self, adapter: SmtpAdapter, sandbox: Sandbox, mail: Message, stage: str
    ) -> None:
        sandbox.misbehave(Fail(channel="email", status=451, stage=stage))  # type: ignore[arg-type]

        with pytest.raises(RetryLater, match="451"):
            await adapter.send(mail())
        assert await adapter.send(mail())
        assert len(sandbox.received()) == 1

    async def test_a_refused_connection_is_certainly_not_sent(self, sandbox: Sandbox, mail: Message) -> None:
        adapter = adapter_for(sandbox)
        await sandbox.stop()

        with pytest.raises(RetryLater):
            await adapter.send(mail())

    @pytest.mark.parametrize("when", ["before_acceptance", "after_acceptance"])
    async def test_a_close_after_the_body_is_unknown(
        self, adapter: SmtpAdapter, sandbox: Sandbox, mail: Message, when: str
    ) -> None:
        """From here accepted and not accepted look the same."""
        sandbox.misbehave(Drop(channel="email", when=when))  # type: ignore[arg-type]

        with pytest.raises(OutcomeUnknown):
            await adapter.send(mail())
        assert len(sandbox.received()) == (1 if when == "after_acceptance" else 0)

    async def test_a_stall_past_the_time_out_is_unknown(self, sandbox: Sandbox, mail: Message) -> None:
        sandbox.misbehave(Stall(channel="email"))

        with pytest.raises(OutcomeUnknown):
            await adapter_for(sandbox, seconds=0.3).send(mail())
        assert len(sandbox.received()) == 1

    async def test_a_late_answer_inside_the_time_out_is_accepted(
        self, adapter: SmtpAdapter, sandbox: Sandbox, mail: Message
    ) -> None:
        sandbox.misbehave(Delay(channel="email", seconds=0.2))

        assert await adapter.send(mail())

    async def test_a_server_that_never_greets_is_worth_another_attempt(self, mail: Message) -> None:
        """Nothing has left, so the time-out says: not sent."""

        async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(silence, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            with pytest.raises(RetryLater):
                await SmtpAdapter(SmtpServer("127.0.0.1", port), DOMAIN, timedelta(seconds=0.2)).send(mail())
        finally:
            server.close()

    async def test_no_error_repeats_the_address(self, adapter: SmtpAdapter, sandbox: Sandbox, mail: Message) -> None:
        sandbox.misbehave(Fail(channel="email", status=550, stage="recipient"))

        with pytest.raises(Rejected) as refused:
            await adapter.send(mail())
        assert "ana.lima" not in str(refused.value)


class TestTheLastMoment:
    async def test_after_the_deadline_nothing_reaches_the_server(
        self, adapter: SmtpAdapter, sandbox: Sandbox, mail: Message, a_second_ago: float
    ) -> None:
        with pytest.raises(DeadlinePassed):
            await adapter.send(mail(deadline=a_second_ago))
        assert sandbox.received() == []

    async def test_a_superseded_attempt_stops_between_the_go_ahead_and_the_body(self, mail: Message) -> None:
        """It is asked once, after the server's 354; the server keeps nothing."""
        happened: list[str] = []

        class NotesTheGoAhead(SMTP):
            async def push(self, status: AnyStr) -> None:
                if str(status).startswith("354"):
                    happened.append("go ahead")
                await super().push(status)

        class Keeps:
            async def handle_DATA(self, server: object, session: Session, envelope: Envelope) -> str:
                happened.append("kept")
                return "250 OK"

        def may_send() -> None:
            happened.append("asked")
            raise NewerAttempt

        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: NotesTheGoAhead(Keeps()), "127.0.0.1", 0)
        adapter = SmtpAdapter(SmtpServer("127.0.0.1", server.sockets[0].getsockname()[1]), DOMAIN)
        try:
            with pytest.raises(NewerAttempt):
                await adapter.send(mail(may_send=may_send))
        finally:
            server.close()
        assert happened == ["go ahead", "asked"]

    async def test_a_deadline_that_passes_during_the_conversation_is_seen(self, mail: Message) -> None:
        """The server is slow to say 354; by then it is too late, and the body does not leave."""
        bodies: list[bytes] = []

        class SlowToGoAhead(SMTP):
            async def push(self, status: AnyStr) -> None:
                if str(status).startswith("354"):
                    await asyncio.sleep(0.3)
                await super().push(status)

        class Keeps:
            async def handle_DATA(self, server: object, session: Session, envelope: Envelope) -> str:
                bodies.append(envelope.original_content or b"")
                return "250 OK"

        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SlowToGoAhead(Keeps()), "127.0.0.1", 0)
        adapter = SmtpAdapter(SmtpServer("127.0.0.1", server.sockets[0].getsockname()[1]), DOMAIN)
        try:
            with pytest.raises(DeadlinePassed):
                await adapter.send(mail(deadline=time.monotonic() + 0.15))
        finally:
            server.close()
        assert bodies == []

    def test_a_passed_deadline_counts_as_not_sent(self) -> None:
        assert issubclass(DeadlinePassed, NotSent)


class TestEncryption:
    async def test_starttls_is_used_when_offered_and_a_strangers_certificate_is_refused(self, mail: Message) -> None:
        """The server's certificate is nobody's: the mail must not go out in the clear instead."""
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(Path(__file__).with_name("self_signed.pem"))
        kept: list[str] = []

        class Keeps:
            async def handle_DATA(self, server: object, session: Session, envelope: Envelope) -> str:
                kept.extend(envelope.rcpt_tos)
                return "250 OK"

        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(Keeps(), tls_context=tls), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            with pytest.raises(RetryLater):
                await SmtpAdapter(SmtpServer("127.0.0.1", port), DOMAIN, timedelta(seconds=5)).send(mail())
        finally:
            server.close()
        assert kept == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
class TestLogin:
    @pytest.mark.parametrize(("password", "arrives"), [("correct horse", True), ("wrong", False)])
    async def test_a_server_that_asks_for_a_login_gets_one(self, mail: Message, password: str, arrives: bool) -> None:
        """A refused login is our own fault and keeps the address in use: another attempt, not a rejection."""
        kept: list[str] = []

        class Keeps:
            async def handle_DATA(self, server: object, session: Session, envelope: Envelope) -> str:
                kept.extend(envelope.rcpt_tos)
                return "250 OK"

        def check(
            server: object, session: Session, envelope: Envelope, mechanism: str, login: LoginPassword
        ) -> AuthResult:
            right = login.login == b"lender" and login.password == b"correct horse"
            return AuthResult(success=right, handled=False)

        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(Keeps(), authenticator=check, auth_required=True, auth_require_tls=False), "127.0.0.1", 0
        )
        port = server.sockets[0].getsockname()[1]
        adapter = SmtpAdapter(SmtpServer("127.0.0.1", port, "lender", password), DOMAIN, timedelta(seconds=5))
        try:
            if arrives:
                await adapter.send(mail())
            else:
                with pytest.raises(RetryLater, match="SMTPAuthenticationError"):
                    await adapter.send(mail())
        finally:
            server.close()
        assert kept == (["ana.lima@borrower.example"] if arrives else [])
