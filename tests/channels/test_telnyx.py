"""SMS through a real HTTP server that speaks Telnyx's Messages API; and a second provider after a first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from duecourse.channels.adapter import Accepted, DeadlinePassed, OutcomeUnknown, Rejected, RetryLater
from duecourse.channels.settings import ChannelSettings, build_adapters
from duecourse.channels.telnyx import TelnyxAccount, TelnyxAdapter
from duecourse.errors import InvalidInput
from duecourse.sandbox import Drop, Fail, Sandbox, Stall
from duecourse.sandbox.server import SANDBOX_TOKEN
from tests.channels.conftest import Message

RECEIPTS = "https://receipts.harbor.example/telnyx?lender=harbor"


def adapter_for(sandbox: Sandbox, token: str = SANDBOX_TOKEN, seconds: float = 5.0) -> TelnyxAdapter:
    return TelnyxAdapter(TelnyxAccount(sandbox.sms_url, token, RECEIPTS), timedelta(seconds=seconds))


@pytest_asyncio.fixture
async def adapter(sandbox: Sandbox) -> AsyncIterator[TelnyxAdapter]:
    adapter = adapter_for(sandbox)
    yield adapter
    await adapter.close()


async def no_task(contact_id: str, channel: str, text: str, language: str, at: datetime) -> None:
    raise AssertionError("no task is expected here")


async def test_an_accepted_sms_answers_with_its_id_and_bears_our_reference(
    adapter: TelnyxAdapter, sandbox: Sandbox, sms: Message
) -> None:
    accepted = await adapter.send(sms(text="【海港】您本期应还1200.00元"))

    [received] = sandbox.received()
    assert accepted == Accepted(received.provider_id)
    assert (received.contact, received.text) == (sms().contact_id, "【海港】您本期应还1200.00元")
    assert received.at == sms().at


async def test_a_repeat_after_a_lost_answer_is_one_message(
    adapter: TelnyxAdapter, sandbox: Sandbox, sms: Message
) -> None:
    sandbox.misbehave(Drop(channel="sms", when="after_acceptance"))
    with pytest.raises(OutcomeUnknown):
        await adapter.send(sms())

    again = await adapter.send(sms())

    [received] = sandbox.received()
    assert again == Accepted(received.provider_id)


async def test_a_repeat_with_other_bytes_is_never_a_second_message(
    adapter: TelnyxAdapter, sandbox: Sandbox, sms: Message
) -> None:
    await adapter.send(sms())

    with pytest.raises(RetryLater, match="422"):
        await adapter.send(sms(text="another text"))
    assert len(sandbox.received()) == 1


async def test_a_first_request_that_is_still_under_way_is_no_refusal(sandbox: Sandbox, sms: Message) -> None:
    adapter = adapter_for(sandbox)
    sandbox.misbehave(Fail(channel="sms", status=409, code=10012))

    with pytest.raises(OutcomeUnknown, match="409"):
        await adapter.send(sms())
    await adapter.close()


async def test_silence_is_unknown(sandbox: Sandbox, sms: Message) -> None:
    adapter = adapter_for(sandbox, seconds=0.3)
    sandbox.misbehave(Stall(channel="sms"))

    with pytest.raises(OutcomeUnknown):
        await adapter.send(sms())
    await adapter.close()


async def test_a_wrong_number_is_rejected_for_good(adapter: TelnyxAdapter, sms: Message) -> None:
    with pytest.raises(Rejected, match="40310"):
        await adapter.send(sms(address="12345"))


async def test_a_sender_that_is_ours_to_mend_does_not_cost_the_borrower_the_number(
    adapter: TelnyxAdapter, sms: Message
) -> None:
    with pytest.raises(RetryLater, match="40306"):
        await adapter.send(sms(sender="Harbor"))


async def test_a_wrong_key_is_ours_to_mend(sandbox: Sandbox, sms: Message) -> None:
    adapter = adapter_for(sandbox, token="wrong")

    with pytest.raises(RetryLater, match="401, 10009"):
        await adapter.send(sms())
    await adapter.close()


async def test_429_names_when_to_come_back(adapter: TelnyxAdapter, sandbox: Sandbox, sms: Message) -> None:
    sandbox.misbehave(Fail(channel="sms", status=429, code=10011, retry_after=7))

    with pytest.raises(RetryLater) as busy:
        await adapter.send(sms())
    assert timedelta(seconds=7) == busy.value.after


async def test_nothing_leaves_after_the_deadline(
    adapter: TelnyxAdapter, sandbox: Sandbox, sms: Message, a_second_ago: float
) -> None:
    with pytest.raises(DeadlinePassed):
        await adapter.send(sms(deadline=a_second_ago))
    assert sandbox.received() == []


async def test_the_second_provider_follows_the_first_and_writes_as_itself(sandbox: Sandbox) -> None:
    """A lender's number belongs to the first provider; the circle ends where it began."""
    both = {**sandbox.environment(), **sandbox.telnyx_environment(), "DUECOURSE_SMS_PROVIDERS": "telnyx, twilio"}
    adapters = build_adapters(ChannelSettings.from_environment(both), no_task)

    first = adapters["sms"]
    second = adapters.after("sms", "telnyx")
    assert ("telnyx", "twilio") == (first.provider, second.provider)
    assert first is adapters.after("sms", "twilio") is adapters.after("sms", None) is adapters.after("sms", "gone")
    assert adapters.sender(first, "+12125550191") == "+12125550191"
    assert adapters.sender(second, "+12125550191") == "+15005550006"
    await adapters.close()


@pytest.mark.parametrize("order", ["", "twilio", "twilio,telnyx,telnyx", "twilio,telnix"])
async def test_with_two_providers_the_order_is_to_be_named(sandbox: Sandbox, order: str) -> None:
    both = {**sandbox.environment(), **sandbox.telnyx_environment(), "DUECOURSE_SMS_PROVIDERS": order}

    with pytest.raises(InvalidInput, match="DUECOURSE_SMS_PROVIDERS"):
        ChannelSettings.from_environment(both)
