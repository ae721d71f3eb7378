"""The receiver over real loopback HTTP: who is believed, what is stored once, and what the loans come to hear."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from duecourse.channels.adapter import Outgoing
from duecourse.channels.sms import TwilioAccount, TwilioAdapter
from duecourse.errors import Conflict, InvalidInput
from duecourse.ledger import inbox, outbox
from duecourse.ledger.contacts import mark_sending, mark_unknown
from duecourse.ledger.outcomes import Reserved
from duecourse.loans.facts import Contacted, HoldLifted, HoldPlaced, OptOut, Payment
from duecourse.receiving.app import Receiver
from duecourse.receiving.settings import ReceiverSettings
from duecourse.receiving.signatures import twilio_signature
from duecourse.sandbox.server import SANDBOX_SID, SANDBOX_TOKEN, Sandbox
from duecourse.sandbox.sms_reports import call, report_status
from tests.ledger.world import LENDER, NOON, PHONE, Book, ask, message, scalar

TOKEN = "t" * 40
TELNYX = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
PAID = {"lender": LENDER, "loan": "A", "kind": "payment", "id": "bank-1", "at": "2026-02-10T04:00:00Z",
        "amount": "100.00", "currency": "CNY"}  # fmt: skip


@dataclass
class House:
    book: Book
    url: str
    now: datetime = NOON

    async def facts(self, *rows: Any, token: str = TOKEN) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            headers = {"Authorization": f"Bearer {token}"}
            return await client.post(f"{self.url}/facts", content=json.dumps({"facts": rows}), headers=headers)

    async def reply(self, text: str, sid: str = "SM1", sender: str = PHONE, token: str = SANDBOX_TOKEN) -> int:
        fields = {"MessageSid": sid, "From": sender, "To": "PlumBank", "Body": text}
        return await call(f"{self.url}/replies/twilio", fields, token)

    def causes(self, loan: str = "A") -> list[str]:
        rows = self.book.rows(loan)
        lifted = {row.hold for row in rows if isinstance(row, HoldLifted)}
        return [row.cause for row in rows if isinstance(row, HoldPlaced) and row.hold not in lifted]

    def tasks(self) -> list[inbox.InboxTask]:
        return list(self.book.ledger.consult(inbox.open_inbox))

    def count(self, sql: str) -> int:
        with self.book.ledger.read() as connection:
            return int(scalar(connection, sql))


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    book = Book(tmp_path)
    book.register("A")
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    one = House(book, url)
    key = base64.b64encode(TELNYX.public_key().public_bytes_raw()).decode()
    settings = ReceiverSettings(url, SANDBOX_TOKEN, key, TOKEN)
    app = Receiver(book.ledger, settings, lambda: one.now).app()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield one
    server.should_exit = True
    await serving
    book.ledger.close()


# --- receipts ---


async def test_a_receipt_of_the_gateway_reaches_the_loan_once(house: House, tmp_path: Path) -> None:
    contact = sending(house.book)
    async with Sandbox(tmp_path / "sandbox") as sandbox:
        account = TwilioAccount(sandbox.sms_url, SANDBOX_SID, SANDBOX_TOKEN, f"{house.url}/receipts/twilio")
        adapter = TwilioAdapter(account, timedelta(seconds=10), timedelta(seconds=1))
        await adapter.send(Outgoing(contact, PHONE, "+15005550006", None, "Due.", None, "en", NOON, float("inf")))
        await adapter.close()
        # The worker died before it could record the answer: nobody knows, until the receipt comes.
        house.book.ledger.transact(mark_unknown, contact, NOON, 0)
        (sms,) = sandbox.received()
        for status in ("sent", "delivered", "delivered", "failed"):
            assert await report_status(sms, status, SANDBOX_SID, SANDBOX_TOKEN) == 200

    states = [row.state for row in house.book.rows("A") if isinstance(row, Contacted)]
    assert ["unknown", "delivered"] == states
    assert 3 == house.count("SELECT count(*) FROM provider_events")
    told = house.book.ledger.consult(outbox.due, NOON, older_than=timedelta(0))
    assert [f"contact/{contact}/delivered"] == [row.id for one in told for row in one.rows]


async def test_a_call_that_twilio_did_not_sign_is_refused_and_leaves_nothing(house: House) -> None:
    assert await house.reply("STOP", token="another") == 403
    assert 0 == house.count("SELECT count(*) FROM provider_events")


async def test_a_signature_holds_for_its_own_query_only(house: House) -> None:
    fields = {"MessageSid": "SM9", "MessageStatus": "delivered"}
    signature = twilio_signature(SANDBOX_TOKEN, f"{house.url}/receipts/twilio?contact=a", fields.items())
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"{house.url}/receipts/twilio?contact=b", data=fields, headers={"X-Twilio-Signature": signature}
        )
    assert 403 == answer.status_code


def test_the_signature_is_the_one_of_twilios_own_documentation() -> None:
    """https://www.twilio.com/docs/usage/security#validating-requests, with the token 12345."""
    fields = {"CallSid": "CA1234567890ABCDE", "Caller": "+14158675310", "Digits": "1234", "From": "+14158675310",
              "To": "+18005551212"}  # fmt: skip
    url = "https://example.com/myapp.php?foo=1&bar=2"
    assert "L/OH5YylLD5NRKLltdqwSvS0BnU=" == twilio_signature("12345", url, fields.items())


async def test_telnyx_is_believed_by_its_key_and_only_for_five_minutes(house: House) -> None:
    received = {"id": "tx-1", "from": {"phone_number": PHONE}, "to": [{"phone_number": "PlumBank"}], "text": "STOP"}
    event = {"data": {"event_type": "message.received", "payload": received}}
    body = json.dumps(event).encode()

    async def post(at: datetime, key: Ed25519PrivateKey = TELNYX) -> int:
        stamp = str(int(at.timestamp()))
        signed = base64.b64encode(key.sign(stamp.encode() + b"|" + body)).decode()
        headers = {"telnyx-timestamp": stamp, "telnyx-signature-ed25519": signed}
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.post(f"{house.url}/receipts/telnyx", content=body, headers=headers)).status_code

    other = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
    assert [403, 403, 200, 200] == [
        await post(NOON, other), await post(NOON - timedelta(minutes=6)), await post(NOON), await post(NOON)
    ]  # fmt: skip
    assert 1 == sum(isinstance(row, OptOut) for row in house.book.rows("A"))


# --- replies ---


async def test_stop_opts_out_of_that_number_once_however_often_it_is_reported(house: House) -> None:
    for _ in range(2):
        assert await house.reply("STOP") == 200

    (stop,) = [row for row in house.book.rows("A") if isinstance(row, OptOut)]
    assert ("sms", "phone") == (stop.channel, stop.contact_point)
    assert [] == house.tasks()


@pytest.mark.parametrize(
    ("text", "cause"),
    [("I dispute this debt", "dispute"), ("我失业了", "hardship"), ("Talk to my lawyer", "attorney"),
     ("I already paid", "paid_claim"), ("Who is this?", "unclear_reply"), ("I don't dispute it", "unclear_reply")],
)  # fmt: skip
async def test_a_reply_holds_what_its_words_ask_for_and_goes_to_a_person(house: House, text: str, cause: str) -> None:
    await house.reply(text)

    assert [cause] == house.causes()
    assert [text] == [task.text for task in house.tasks()]


async def test_optional_messages_go_on_when_the_task_is_closed_and_a_dispute_stays(house: House) -> None:
    await house.reply("Who is this?", "SM1")
    await house.reply("I dispute this debt", "SM2")
    for task in house.tasks():
        house.book.ledger.transact(inbox.close, task.id, "clerk-7", NOON)

    assert ["dispute"] == house.causes()
    assert [] == house.tasks()
    with pytest.raises(Conflict):
        house.book.ledger.transact(inbox.close, task.id, "clerk-7", NOON)


async def test_a_number_of_somebody_else_is_not_used_again(house: House) -> None:
    await house.reply("Wrong number")

    assert not isinstance(house.book.reserve(ask("A"), NOON), Reserved)
    assert ["wrong_person"] == [task.about for task in house.tasks()]


async def test_an_unclear_reply_pauses_all_loans_of_the_person(house: House) -> None:
    house.book.register("B")
    await house.reply("?")

    assert (["unclear_reply"], ["unclear_reply"]) == (house.causes("A"), house.causes("B"))


async def test_a_stranger_is_heard_by_a_person_and_by_no_loan(house: House) -> None:
    await house.reply("Stop calling", sender="+6599999999")

    assert [""] == [task.borrower for task in house.tasks()]
    assert [] == house.causes()


# --- facts ---


async def test_good_rows_are_taken_and_bad_ones_named(house: House) -> None:
    bad = PAID | {"id": "bank-2", "amount": "-5"}
    answer = (await house.facts(PAID, bad, "nonsense", PAID)).json()

    assert [(0, False), (3, True)] == [(one["position"], one["again"]) for one in answer["taken"]]
    assert [(1, "amount", True), (2, "row", False)] == [
        (one["position"], one["field"], one["paused"]) for one in answer["refused"]
    ]
    assert ["bank-1"] == [row.id for row in house.book.rows("A") if isinstance(row, Payment)]
    assert ["unreadable_fact"] == house.causes()


async def test_a_bad_row_pauses_once_and_its_good_form_lets_the_loan_go_on(house: House) -> None:
    bad = PAID | {"currency": "USD"}
    await house.facts(bad, bad)
    assert ["unreadable_fact"] == house.causes()

    await house.facts(PAID)
    assert ([], []) == (house.causes(), house.tasks())

    await house.facts(PAID | {"amount": "7.00"})  # the same id with other content
    assert ["unreadable_fact"] == house.causes()


@pytest.mark.parametrize(
    "changes", [{"kind": "approval"}, {"kind": "contacted"}, {"id": "reply/x"}, {"id": "contact/x"}, {"loan": "Z"},
                {"at": "2026-02-10T04:00:00"}, {"loan_seq": 1}, {"extra": 1}, {"amount": None}, {"lender": 5}],
)  # fmt: skip
async def test_what_no_core_system_may_say_is_refused_with_its_field(house: House, changes: dict[str, Any]) -> None:
    before = [row.id for row in house.book.rows("A") if isinstance(row, Payment)]
    answer = (await house.facts(PAID | changes)).json()

    assert ([], 1) == (answer["taken"], len(answer["refused"]))
    assert answer["refused"][0]["field"]
    assert before == [row.id for row in house.book.rows("A") if isinstance(row, Payment)]
    assert 1 == len(house.tasks())


@pytest.mark.parametrize("token", ["x", "wrong", TOKEN + "x"])
async def test_nobody_reports_without_the_token(house: House, token: str) -> None:
    assert 401 == (await house.facts(PAID, token=token)).status_code


@pytest.mark.parametrize("body", [b"", b"[]", b'{"facts": 1}', b'{"facts": [NaN]}', b"\xff", b"[" * 100_000])
async def test_a_body_that_is_no_batch_is_refused_whole(house: House, body: bytes) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{house.url}/facts", content=body, headers={"Authorization": f"Bearer {TOKEN}"})
    assert 400 == answer.status_code


def test_settings_name_what_is_wrong_and_repeat_no_secret() -> None:
    with pytest.raises(InvalidInput, match="DUECOURSE_RECEIVER_URL"):
        ReceiverSettings.from_environment({})
    with pytest.raises(InvalidInput) as refused:
        ReceiverSettings.from_environment(
            {"DUECOURSE_RECEIVER_URL": "https://in.lender.example", "DUECOURSE_FACTS_TOKEN": "short"}
        )
    assert "short" not in str(refused.value)


def sending(book: Book) -> str:
    reserved = book.reserve(ask("A"), NOON)
    assert isinstance(reserved, Reserved)
    contact = reserved.reservation.contact
    book.ledger.transact(mark_sending, contact.id, 1, contact.closes, NOON, message(NOON))
    return contact.id
