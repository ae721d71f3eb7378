"""Letters through Lob's contract, against the sandbox's print service over the loopback."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest

from duecourse.channels.adapter import (
    Accepted,
    DeadlinePassed,
    Idempotency,
    OutcomeUnknown,
    Rejected,
    RetryLater,
)
from duecourse.channels.lob import KEY_WINDOW, LobAccount, LobAdapter
from duecourse.channels.settings import ChannelSettings, build_adapters
from duecourse.errors import InvalidInput
from duecourse.messages.letter import block
from duecourse.sandbox import Sandbox
from duecourse.sandbox.letter_service import KEY_HOLDS
from duecourse.sandbox.server import SANDBOX_LETTER_KEY
from tests.channels.conftest import Message
from tests.channels.test_letter_page import a_letter, words

HOME = block("Ana Lima", ["12 Oak Street", "Apt 4", "Springfield, IL 62701"])


def lob(sandbox: Sandbox, key: str = SANDBOX_LETTER_KEY) -> LobAdapter:
    return LobAdapter(LobAccount(sandbox.sms_url, key), timedelta(seconds=10))


async def test_a_letter_carries_both_addresses_its_reference_and_its_words(sandbox: Sandbox, sms: Message) -> None:
    adapter = lob(sandbox)
    accepted = await adapter.send(a_letter(sms, address=HOME))
    await adapter.close()

    (letter,) = sandbox.letters.letters
    assert accepted == Accepted(letter.resource["id"])
    assert letter.fields == {
        "to[name]": "Ana Lima",
        "to[address_line1]": "12 Oak Street",
        "to[address_line2]": "Apt 4",
        "to[address_city]": "Springfield",
        "to[address_state]": "IL",
        "to[address_zip]": "62701",
        "to[address_country]": "US",
        "from[name]": "Harbor Credit",
        "from[address_line1]": "1 Sample Wharf",
        "from[address_city]": "New York",
        "from[address_state]": "NY",
        "from[address_zip]": "10004",
        "from[address_country]": "US",
        "color": "false",
        "double_sided": "false",
        "address_placement": "top_first_page",
        "use_type": "operational",
        "metadata[contact]": sms().contact_id,
    }
    assert "You owe $120.00." in words(letter.pdf)


async def test_a_repeat_after_a_lost_answer_is_the_same_letter(sandbox: Sandbox, sms: Message) -> None:
    """The service took it and answered 500: the key makes the repeat safe, over another process's connection too."""
    sandbox.letters.answer_with.append((500, True))
    first, second = lob(sandbox), lob(sandbox)
    with pytest.raises(OutcomeUnknown):
        await first.send(a_letter(sms, address=HOME))

    again = await second.send(a_letter(sms, address=HOME))

    assert [letter.resource["id"] for letter in sandbox.letters.letters] == [again.provider_id]
    assert second.capabilities.idempotency is Idempotency.NATIVE_KEY
    await first.close()
    await second.close()


async def test_other_words_under_the_same_key_are_refused(sandbox: Sandbox, sms: Message) -> None:
    adapter = lob(sandbox)
    await adapter.send(a_letter(sms, address=HOME))
    with pytest.raises(RetryLater):
        await adapter.send(a_letter(sms, "Another\n\nletter", address=HOME))
    await adapter.close()
    assert len(sandbox.letters.letters) == 1


async def test_a_key_is_trusted_for_less_than_the_service_keeps_it(sandbox: Sandbox, sms: Message) -> None:
    adapter = lob(sandbox)
    await adapter.send(a_letter(sms, address=HOME))
    await adapter.send(a_letter(sms, address=HOME, at=sms().at))
    assert len(sandbox.letters.letters) == 1
    assert adapter.capabilities.window == KEY_WINDOW < KEY_HOLDS
    await adapter.close()


@pytest.mark.parametrize(
    "address",
    [
        block("Ana Lima", ["88 Garden Road", "Singapore"]),
        block("Ana Lima", ["Springfield, IL 62701"]),
        block("Ana Lima", ["a", "b", "c", "Springfield, IL 62701"]),
        "Ana Lima",
        block("Ana Lima", ["0 Nowhere", "Springfield, IL 62701"]),
    ],
    ids=["abroad", "no street", "three streets", "no address", "undeliverable"],
)
async def test_an_address_that_cannot_be_posted_to_is_given_up(sandbox: Sandbox, sms: Message, address: str) -> None:
    adapter = lob(sandbox)
    with pytest.raises(Rejected) as refused:
        await adapter.send(a_letter(sms, address=address))
    await adapter.close()
    assert "Ana" not in str(refused.value)
    assert sandbox.letters.letters == []


async def test_a_lender_without_an_address_spoils_no_borrowers_address(sandbox: Sandbox, sms: Message) -> None:
    adapter = lob(sandbox)
    with pytest.raises(RetryLater, match="lender's address"):
        await adapter.send(a_letter(sms, address=HOME, sender="Harbor Credit"))
    await adapter.close()


async def test_a_busy_service_says_when_to_come_back(sandbox: Sandbox, sms: Message) -> None:
    sandbox.letters.answer_with.append((429, False))
    adapter = lob(sandbox)
    with pytest.raises(RetryLater) as busy:
        await adapter.send(a_letter(sms, address=HOME))
    await adapter.close()
    assert busy.value.after == timedelta(seconds=7)


async def test_a_wrong_key_is_ours_to_mend(sandbox: Sandbox, sms: Message) -> None:
    adapter = lob(sandbox, "test_wrong")
    with pytest.raises(RetryLater, match="401 invalid_api_key"):
        await adapter.send(a_letter(sms, address=HOME))
    await adapter.close()


async def test_after_the_deadline_nothing_leaves(sandbox: Sandbox, sms: Message, a_second_ago: float) -> None:
    adapter = lob(sandbox)
    with pytest.raises(DeadlinePassed):
        await adapter.send(a_letter(sms, address=HOME, deadline=a_second_ago))
    await adapter.close()
    assert sandbox.letters.letters == []


@pytest.mark.parametrize("left_out", ["to[name]", "to[address_zip]", "from[address_city]", "use_type", "color"])
async def test_the_service_insists_on_what_lob_insists_on(sandbox: Sandbox, sms: Message, left_out: str) -> None:
    adapter = lob(sandbox)
    await adapter.send(a_letter(sms, address=HOME))
    await adapter.close()
    taken = sandbox.letters.letters.pop()
    fields = {name: value for name, value in taken.fields.items() if name != left_out}

    async with httpx.AsyncClient(auth=(SANDBOX_LETTER_KEY, ""), trust_env=False) as client:
        answer = await client.post(
            f"{sandbox.sms_url}/v1/letters", data=fields, files={"file": ("a.pdf", taken.pdf, "application/pdf")}
        )

    assert answer.status_code == 422
    assert left_out in answer.json()["error"]["message"]


async def test_both_printers_need_an_order(sandbox: Sandbox, tmp_path: object) -> None:
    async def no_task(contact_id: str, channel: str, text: str, language: str, at: datetime) -> None:
        raise AssertionError("no task is expected here")

    both = {
        **sandbox.letter_environment(),
        "DUECOURSE_PRINT_SPOOL": str(tmp_path),
        "DUECOURSE_PRINT_FORM": "us_10",
    }
    with pytest.raises(InvalidInput):
        ChannelSettings.from_environment(both)
    ordered = ChannelSettings.from_environment({**both, "DUECOURSE_LETTER_PROVIDERS": "lob,print_spool"})
    adapters = build_adapters(ordered, no_task)
    assert adapters["letter"].provider == "lob"
    assert adapters.after("letter", "lob").provider == "print_spool"
    await adapters.close()


def test_a_key_that_is_none_is_refused_without_repeating_it() -> None:
    with pytest.raises(InvalidInput) as refused:
        ChannelSettings.from_environment({"DUECOURSE_LOB_KEY": "pub_secret"})
    assert "pub_secret" not in str(refused.value)
