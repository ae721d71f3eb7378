"""SMS through a real HTTP server that speaks Twilio's Messages API."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from duecourse.channels.adapter import (
    Accepted,
    DeadlinePassed,
    Idempotency,
    LookUpFailed,
    NotSent,
    OutcomeUnknown,
    Rejected,
    RetryLater,
)
from duecourse.channels.sms import TwilioAccount, TwilioAdapter
from duecourse.sandbox import Delay, Drop, Fail, Sandbox, Stall
from duecourse.sandbox.server import SANDBOX_SID, SANDBOX_TOKEN
from tests.channels.conftest import Message

RECEIPTS = "https://receipts.harbor.example/twilio"


def adapter_for(sandbox: Sandbox, seconds: float = 5.0, token: str = SANDBOX_TOKEN) -> TwilioAdapter:
    account = TwilioAccount(sandbox.sms_url, SANDBOX_SID, token, RECEIPTS)
    return TwilioAdapter(account, timedelta(seconds=seconds), timedelta(seconds=0.1))


@pytest_asyncio.fixture
async def adapter(sandbox: Sandbox) -> AsyncIterator[TwilioAdapter]:
    adapter = adapter_for(sandbox)
    yield adapter
    await adapter.close()


class NewerAttempt(Exception):
    """What a superseded attempt hears."""


class TestSending:
    async def test_an_accepted_sms_answers_with_its_sid(
        self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message
    ) -> None:
        accepted = await adapter.send(sms())

        [received] = sandbox.received()
        assert accepted == Accepted(received.provider_id)
        assert (received.address, received.sender, received.text) == (sms().address, sms().sender, sms().text)

    async def test_our_reference_and_the_business_time_go_along(
        self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message
    ) -> None:
        await adapter.send(sms())

        [received] = sandbox.received()
        assert received.contact == sms().contact_id
        assert received.at == sms().at

    async def test_a_repeat_is_byte_identical(self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message) -> None:
        await adapter.send(sms())
        await adapter.send(sms())

        first, second = sandbox.received()
        assert first.raw == second.raw
        assert sandbox.repeats().by_contact == {sms().contact_id: 2}
        assert sandbox.repeats().by_text == {(sms().address, sms().text): 2}

    async def test_chinese_arrives_unchanged(self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message) -> None:
        await adapter.send(sms(text="【海港消费金融】您本期应还1200.00元&手续费=0"))

        assert sandbox.received()[0].text == "【海港消费金融】您本期应还1200.00元&手续费=0"


class TestEndings:
    async def test_a_wrong_number_is_rejected_for_good(
        self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message
    ) -> None:
        with pytest.raises(Rejected, match="21211"):
            await adapter.send(sms(address="12345"))
        assert sandbox.received() == []

    async def test_a_number_that_opted_out_at_the_provider_is_rejected(
        self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message
    ) -> None:
        sandbox.misbehave(Fail(channel="sms", status=400, code=21610))

        with pytest.raises(Rejected, match="21610"):
            await adapter.send(sms())

    async def test_429_names_when_to_come_back(self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message) -> None:
        sandbox.misbehave(Fail(channel="sms", status=429, code=20429, retry_after=7))

        with pytest.raises(RetryLater) as busy:
            await adapter.send(sms())
        assert busy.value.after == timedelta(seconds=7)
        assert await adapter.send(sms())

    async def test_503_in_the_providers_own_words_is_worth_another_attempt(
        self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message
    ) -> None:
        sandbox.misbehave(Fail(channel="sms", status=503, code=20503))

        with pytest.raises(RetryLater):
            await adapter.send(sms())

    @pytest.mark.parametrize(("status", "code"), [(500, 20500), (502, None), (503, None), (504, None)])
    async def test_any_other_5xx_is_unknown(
        self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message, status: int, code: int | None
    ) -> None:
        """It may come from a proxy that had already passed the request on."""
        sandbox.misbehave(Fail(channel="sms", status=status, code=code))

        with pytest.raises(OutcomeUnknown):
            await adapter.send(sms())

    @pytest.mark.parametrize(("status", "code"), [(400, 21606), (403, 20005), (404, None), (413, None)])
    async def test_a_refusal_for_our_own_fault_keeps_the_number_in_use(
        self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message, status: int, code: int | None
    ) -> None:
        sandbox.misbehave(Fail(channel="sms", status=status, code=code))

        with pytest.raises(RetryLater):
            await adapter.send(sms())

    async def test_a_wrong_token_keeps_the_number_in_use(self, sandbox: Sandbox, sms: Message) -> None:
        adapter = adapter_for(sandbox, token="stale")

        with pytest.raises(RetryLater, match="20003"):
            await adapter.send(sms())
        await adapter.close()

    async def test_a_refused_connection_is_certainly_not_sent(self, sandbox: Sandbox, sms: Message) -> None:
        adapter = adapter_for(sandbox)
        await sandbox.stop()

        with pytest.raises(RetryLater):
            await adapter.send(sms())
        await adapter.close()

    async def test_a_late_answer_inside_the_time_out_is_accepted(
        self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message
    ) -> None:
        sandbox.misbehave(Delay(channel="sms", seconds=0.2))

        assert await adapter.send(sms())

    async def test_no_error_repeats_the_number(self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message) -> None:
        sandbox.misbehave(Fail(channel="sms", status=400, code=21610))

        with pytest.raises(NotSent) as refused:
            await adapter.send(sms())
        assert sms().address not in str(refused.value)

    async def test_a_redirect_is_not_followed(self, sms: Message) -> None:
        """Followed, one call could become two messages, and the password would go elsewhere."""
        requests: list[bytes] = []

        async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            requests.append(await reader.readline())
            writer.write(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(redirect, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        adapter = TwilioAdapter(TwilioAccount(f"http://127.0.0.1:{port}", SANDBOX_SID, "token", RECEIPTS))
        try:
            with pytest.raises(OutcomeUnknown):
                await adapter.send(sms())
        finally:
            await adapter.close()
            server.close()
        assert len(requests) == 1


class TestUnknownAndLookUp:
    async def test_an_answer_dropped_after_acceptance_is_unknown_and_found_again(
        self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message
    ) -> None:
        sandbox.misbehave(Drop(channel="sms"))

        with pytest.raises(OutcomeUnknown):
            await adapter.send(sms())
        assert await adapter.look_up(sms(), since=sms().at) == Accepted(sandbox.received()[0].provider_id)

    async def test_an_answer_dropped_before_acceptance_is_unknown_and_not_found(
        self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message
    ) -> None:
        sandbox.misbehave(Drop(channel="sms", when="before_acceptance"))

        with pytest.raises(OutcomeUnknown):
            await adapter.send(sms())
        assert await adapter.look_up(sms(), since=sms().at) is None

    async def test_a_stall_past_the_time_out_is_unknown_and_found_again(self, sandbox: Sandbox, sms: Message) -> None:
        adapter = adapter_for(sandbox, seconds=0.3)
        sandbox.misbehave(Stall(channel="sms"))

        with pytest.raises(OutcomeUnknown):
            await adapter.send(sms())
        assert await adapter.look_up(sms(), since=sms().at)
        await adapter.close()

    async def test_a_later_attempt_finds_a_message_dated_by_its_business_time(
        self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message
    ) -> None:
        """`at` is fixed per contact and may lie well before the attempt that asks."""
        await adapter.send(sms())

        assert await adapter.look_up(sms(), since=sms().at + timedelta(hours=1))

    async def test_last_months_reminder_of_the_same_words_is_not_taken_for_this_one(
        self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message
    ) -> None:
        this_month = datetime(2026, 4, 2, 15, 0, tzinfo=UTC)
        await adapter.send(sms())

        assert await adapter.look_up(sms(contact_id="1" * 32, at=this_month), since=this_month) is None

    @pytest.mark.parametrize("difference", [{"text": "other words"}, {"address": "+14155550199"}])
    async def test_another_text_or_number_is_not_taken_for_this_one(
        self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message, difference: dict[str, str]
    ) -> None:
        await adapter.send(sms(contact_id="1" * 32, **difference))

        assert await adapter.look_up(sms(), since=sms().at) is None

    async def test_a_message_on_a_later_page_is_found(
        self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("duecourse.channels.sms._PAGE_SIZE", 2)
        accepted = await adapter.send(sms())
        for number in range(5):
            await adapter.send(sms(contact_id=f"{number}" * 32, text=f"reminder {number}"))

        assert await adapter.look_up(sms(), since=sms().at) == accepted

    async def test_the_earliest_of_equal_messages_is_the_one(
        self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message
    ) -> None:
        accepted = await adapter.send(sms())
        await adapter.send(sms(at=sms().at + timedelta(minutes=10)))

        assert await adapter.look_up(sms(), since=sms().at) == accepted

    async def test_a_gateway_that_cannot_be_asked_is_not_an_absent_message(
        self, sandbox: Sandbox, sms: Message
    ) -> None:
        """Whoever took it for absent would send twice."""
        adapter = adapter_for(sandbox)
        await adapter.send(sms())
        await sandbox.stop()

        with pytest.raises(LookUpFailed):
            await adapter.look_up(sms(), since=sms().at)
        await adapter.close()

    async def test_a_refused_question_is_not_an_absent_message(self, sandbox: Sandbox, sms: Message) -> None:
        adapter = adapter_for(sandbox, token="stale")

        with pytest.raises(LookUpFailed, match="401"):
            await adapter.look_up(sms(), since=sms().at)
        await adapter.close()

    def test_a_failed_look_up_does_not_count_as_not_sent(self) -> None:
        assert not issubclass(LookUpFailed, NotSent)

    async def test_the_look_up_is_declared_complete_after_the_settle_delay(self, adapter: TwilioAdapter) -> None:
        assert adapter.capabilities.idempotency is Idempotency.LOOKUP
        assert adapter.capabilities.lookup_complete
        assert adapter.capabilities.settle == timedelta(seconds=0.1)


class TestTheLastMoment:
    async def test_after_the_deadline_nothing_reaches_the_server(
        self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message, a_second_ago: float
    ) -> None:
        with pytest.raises(DeadlinePassed):
            await adapter.send(sms(deadline=a_second_ago))
        assert sandbox.received() == []

    async def test_a_superseded_attempt_stops_before_the_body_leaves(
        self, adapter: TwilioAdapter, sandbox: Sandbox, sms: Message
    ) -> None:
        """It is asked once, when the connection stands; and the next send works again."""
        connections_when_asked: list[int] = []

        def may_send() -> None:
            connections_when_asked.append(len(adapter._http._client._transport._pool.connections))  # type: ignore[attr-defined]
            raise NewerAttempt

        with pytest.raises(NewerAttempt):
            await adapter.send(sms(may_send=may_send))
        assert connections_when_asked == [1]
        assert sandbox.received() == []
        assert await adapter.send(sms())

    async def test_a_deadline_that_passes_while_connecting_is_seen(self, sandbox: Sandbox, sms: Message) -> None:
        """The last look at the clock is after the connection stands and the ledger was asked."""
        adapter = adapter_for(sandbox)
        late = dataclasses.replace(sms(), may_send=lambda: time.sleep(0.06), deadline=time.monotonic() + 0.05)

        with pytest.raises(DeadlinePassed):
            await adapter.send(late)
        assert sandbox.received() == []
        await adapter.close()


async def test_a_busy_adapter_reuses_its_connection(adapter: TwilioAdapter, sandbox: Sandbox, sms: Message) -> None:
    """A connection per message would cost more than the message."""
    opened: list[str] = []
    original = adapter._http._client._transport

    for number in range(10):
        await adapter.send(sms(contact_id=f"{number:032d}"))
        opened.extend(str(connection) for connection in original._pool.connections)  # type: ignore[attr-defined]

    assert len(sandbox.received()) == 10
    assert len(original._pool.connections) == 1  # type: ignore[attr-defined]
    assert "Request Count: 10" in opened[-1]
