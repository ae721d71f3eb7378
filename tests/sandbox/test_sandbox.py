"""The sandbox as a peer: what it keeps, what it shows, how it misbehaves."""

from __future__ import annotations

import asyncio
import json
import signal
import smtplib
import sys
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from duecourse.sandbox import Drop, Fail, Received, Sandbox, Stall
from duecourse.sandbox.server import SANDBOX_SID, SANDBOX_TOKEN

MESSAGES = f"/2010-04-01/Accounts/{SANDBOX_SID}/Messages"
ANA = "+14155550123"
BEN = "+14155550124"


@pytest_asyncio.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox(tmp_path) as running:
        yield running


@pytest_asyncio.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    login = (SANDBOX_SID, SANDBOX_TOKEN)
    async with httpx.AsyncClient(base_url=sandbox.sms_url, auth=login, trust_env=False) as client:
        yield client


async def text(
    client: httpx.AsyncClient, to: str = ANA, body: str = "Due tomorrow.", contact: str = "c1", at: str = ""
) -> httpx.Response:
    form = {"To": to, "From": "+15005550006", "Body": body, "StatusCallback": f"https://r.example/?contact={contact}"}
    return await client.post(f"{MESSAGES}.json", data=form, headers={"X-Business-Time": at} if at else {})


def post(sandbox: Sandbox, contact: str = "c1", subject: str = "Due tomorrow") -> None:
    """A mail from the standard library, as any other program would send it."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "notices@lender.example", "ana@borrower.example", subject
    mail["X-Duecourse-Contact"] = contact
    mail.set_content("Your payment is due tomorrow.")
    mail.add_alternative("<p>Your payment is due tomorrow.</p>", subtype="html")
    host, port = sandbox.smtp_url.removeprefix("smtp://").split(":")
    with smtplib.SMTP(host, int(port)) as server:
        server.send_message(mail)


class TestWhatItKeeps:
    async def test_messages_are_files_that_a_person_can_open(
        self, sandbox: Sandbox, client: httpx.AsyncClient, tmp_path: Path
    ) -> None:
        await text(client, at="2026-03-02T15:00:00+00:00")
        await asyncio.to_thread(post, sandbox, "c2")

        kept = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*"))
        assert kept == ["mail/000002-c2.eml", "mail/000002-c2.txt", "sms/000001-c1.json", "sms/000001-c1.txt"]
        assert (tmp_path / "sms/000001-c1.txt").read_text() == (
            f"To: {ANA}\nFrom: +15005550006\nBusiness time: 2026-03-02T15:00:00+00:00\n\nDue tomorrow.\n"
        )
        assert "Subject: Due tomorrow" in (tmp_path / "mail/000002-c2.txt").read_text()

    async def test_a_reference_cannot_leave_the_directory(
        self, sandbox: Sandbox, client: httpx.AsyncClient, tmp_path: Path
    ) -> None:
        await text(client, contact="../../etc/passwd")

        [received] = sandbox.received()
        assert received.path.parent == tmp_path / "sms"
        assert received.contact == "../../etc/passwd"

    async def test_a_restart_goes_on_where_it_was(self, tmp_path: Path) -> None:
        """What was accepted stays accepted, or a look-up after the restart would send twice."""
        login = (SANDBOX_SID, SANDBOX_TOKEN)
        async with Sandbox(tmp_path) as first, httpx.AsyncClient(base_url=first.sms_url, auth=login) as client:
            sid = (await text(client)).json()["sid"]
        async with Sandbox(tmp_path) as second, httpx.AsyncClient(base_url=second.sms_url, auth=login) as client:
            listed = (await client.get(f"{MESSAGES}.json", params={"To": ANA})).json()["messages"]
            await text(client, contact="c2")

            assert [message["sid"] for message in listed] == [sid]
            assert [message.number for message in second.received()] == [1, 2]

    async def test_repeats_are_counted_by_reference_and_by_words(
        self, sandbox: Sandbox, client: httpx.AsyncClient
    ) -> None:
        await text(client, contact="c1")
        await text(client, contact="c1")
        await text(client, contact="c2")
        await text(client, to=BEN, contact="c3")

        assert sandbox.repeats().by_contact == {"c1": 2}
        assert sandbox.repeats().by_text == {(ANA, "Due tomorrow."): 3}

    async def test_a_message_without_business_time_has_its_files_time(
        self, sandbox: Sandbox, client: httpx.AsyncClient
    ) -> None:
        await text(client)

        [received] = sandbox.received()
        assert abs(received.at.timestamp() - received.path.stat().st_mtime) < 5


class TestTwiliosContract:
    async def test_a_created_message_is_queued_and_has_no_date_of_sending(self, client: httpx.AsyncClient) -> None:
        created = await text(client, at="2026-03-02T15:00:00+00:00")

        assert created.status_code == 201
        message = created.json()
        assert message["sid"].startswith("SM")
        assert (message["status"], message["date_sent"]) == ("queued", None)
        assert message["date_created"] == "Mon, 02 Mar 2026 15:00:00 +0000"
        assert message["direction"] == "outbound-api"
        assert message["num_segments"] == "1"

    async def test_one_message_can_be_fetched(self, client: httpx.AsyncClient) -> None:
        created = (await text(client)).json()

        fetched = await client.get(created["uri"])

        assert fetched.json() == created

    async def test_a_list_is_paged_newest_first_and_ends(self, client: httpx.AsyncClient) -> None:
        sids = [(await text(client, body=f"Reminder {number}")).json()["sid"] for number in range(5)]
        await text(client, to=BEN)

        seen: list[str] = []
        uri: str | None = f"{MESSAGES}.json?To=%2B14155550123&PageSize=2"
        while uri:
            page = (await client.get(uri)).json()
            seen += [message["sid"] for message in page["messages"]]
            uri = page["next_page_uri"]
        assert seen == sids[::-1]

    @pytest.mark.parametrize(
        ("form", "code"),
        [
            ({"From": "+15005550006", "Body": "x"}, 21604),
            ({"To": ANA, "Body": "x"}, 21603),
            ({"To": ANA, "From": "+15005550006"}, 21602),
            ({"To": "555", "From": "+15005550006", "Body": "x"}, 21211),
            ({"To": ANA, "From": "+15005550006", "Body": "x" * 1601}, 21617),
        ],
    )
    async def test_a_bad_message_is_refused_in_twilios_words(
        self, sandbox: Sandbox, client: httpx.AsyncClient, form: dict[str, str], code: int
    ) -> None:
        refused = await client.post(f"{MESSAGES}.json", data=form)

        assert refused.status_code == 400
        assert refused.json()["code"] == code
        assert set(refused.json()) == {"code", "message", "more_info", "status"}
        assert sandbox.received() == []

    @pytest.mark.parametrize(("sid", "token", "status"), [(SANDBOX_SID, "wrong", 401), ("AC1", SANDBOX_TOKEN, 401)])
    async def test_a_stranger_is_refused(self, sandbox: Sandbox, sid: str, token: str, status: int) -> None:
        async with httpx.AsyncClient(base_url=sandbox.sms_url, auth=(sid, token)) as stranger:
            assert (await text(stranger)).status_code == status
            assert (await stranger.get(f"{MESSAGES}.json")).status_code == status
        assert sandbox.received() == []

    async def test_an_unknown_message_is_not_found(self, client: httpx.AsyncClient) -> None:
        assert (await client.get(f"{MESSAGES}/SM0.json")).json()["code"] == 20404

    async def test_a_status_moves_on_and_dates_the_sending(self, sandbox: Sandbox, client: httpx.AsyncClient) -> None:
        created = (await text(client, at="2026-03-02T15:00:00+00:00")).json()

        sandbox.set_sms_status(created["sid"], "undelivered", 30003)

        fetched = (await client.get(created["uri"])).json()
        assert (fetched["status"], fetched["error_code"]) == ("undelivered", 30003)
        assert fetched["date_sent"] == "Mon, 02 Mar 2026 15:00:00 +0000"


class TestMisbehaviour:
    async def test_a_failure_lasts_as_often_as_it_was_asked_for(
        self, sandbox: Sandbox, client: httpx.AsyncClient
    ) -> None:
        sandbox.misbehave(Fail(channel="sms", status=429, code=20429, retry_after=3, times=2))

        answers = [await text(client) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [429, 429, 201]
        assert answers[0].headers["Retry-After"] == "3"

    async def test_a_trouble_can_be_meant_for_one_number(self, sandbox: Sandbox, client: httpx.AsyncClient) -> None:
        sandbox.misbehave(Fail(channel="sms", status=500, to=BEN))

        assert (await text(client, to=ANA)).status_code == 201
        assert (await text(client, to=BEN)).status_code == 500

    async def test_a_dropped_answer_leaves_the_message_accepted(
        self, sandbox: Sandbox, client: httpx.AsyncClient
    ) -> None:
        sandbox.misbehave(Drop(channel="sms"))

        with pytest.raises(httpx.RemoteProtocolError):
            await text(client)
        assert len(sandbox.received()) == 1

    async def test_a_held_answer_comes_when_it_is_released(self, sandbox: Sandbox, client: httpx.AsyncClient) -> None:
        accepted = asyncio.Event()

        async def note(_: Received) -> None:
            accepted.set()

        sandbox.on_accepted.append(note)
        sandbox.misbehave(Stall(channel="sms"))
        answer = asyncio.create_task(text(client))
        await accepted.wait()
        done_while_held, _ = await asyncio.wait({answer}, timeout=0.1)

        sandbox.behave()

        assert done_while_held == set()
        assert (await answer).status_code == 201

    async def test_a_hook_runs_between_acceptance_and_answer(self, sandbox: Sandbox, client: httpx.AsyncClient) -> None:
        """Here a test kills the sender: the message is kept, and nobody was told."""
        seen: list[tuple[str | None, bool]] = []
        answer: asyncio.Task[Any] | None = None

        async def note(message: Received) -> None:
            assert answer is not None
            seen.append((message.contact, answer.done()))

        sandbox.on_accepted.append(note)
        answer = asyncio.create_task(text(client))
        await answer
        await asyncio.to_thread(post, sandbox, "c2")

        assert seen[0] == ("c1", False)
        assert [contact for contact, _ in seen] == ["c1", "c2"]

    async def test_a_stop_does_not_wait_for_held_answers(self, tmp_path: Path) -> None:
        sandbox = Sandbox(tmp_path)
        await sandbox.start()
        accepted = asyncio.Event()

        async def note(_: Received) -> None:
            accepted.set()

        sandbox.on_accepted.append(note)
        sandbox.misbehave(Stall(channel="email"))
        held = asyncio.create_task(asyncio.to_thread(post, sandbox))
        await accepted.wait()

        await asyncio.wait_for(sandbox.stop(), timeout=3)

        await asyncio.wait({held})

    async def test_a_taken_port_is_refused_at_the_start(self, sandbox: Sandbox, tmp_path: Path) -> None:
        taken = int(sandbox.sms_url.rpartition(":")[2])

        with pytest.raises(OSError, match="in use"):
            await Sandbox(tmp_path / "other", http_port=taken).start()


class TestByHttp:
    async def test_troubles_are_asked_for_listed_and_forgotten(
        self, sandbox: Sandbox, client: httpx.AsyncClient
    ) -> None:
        added = await client.post("/sandbox/faults", json={"kind": "fail", "channel": "sms", "status": 500, "times": 9})
        first = await text(client)
        listed = await client.get("/sandbox/faults")
        await client.delete("/sandbox/faults")
        second = await text(client)

        assert added.json()[0]["times"] == 9
        assert listed.json()[0]["times"] == 8
        assert (first.status_code, second.status_code) == (500, 201)

    async def test_an_unknown_trouble_is_refused(self, client: httpx.AsyncClient) -> None:
        refused = await client.post("/sandbox/faults", json={"kind": "explode", "channel": "sms"})

        assert refused.status_code == 422
        assert "explode" in refused.text

    async def test_what_came_is_shown_as_json(self, sandbox: Sandbox, client: httpx.AsyncClient) -> None:
        await text(client)
        await text(client)

        received = (await client.get("/sandbox/received")).json()
        repeats = (await client.get("/sandbox/repeats")).json()
        assert [(m["number"], m["channel"], m["to"], m["text"]) for m in received] == [
            (1, "sms", ANA, "Due tomorrow."),
            (2, "sms", ANA, "Due tomorrow."),
        ]
        assert repeats["by_contact"] == {"c1": 2}

    async def test_a_status_is_set_from_outside(self, client: httpx.AsyncClient) -> None:
        sid = (await text(client)).json()["sid"]

        changed = await client.post(f"/sandbox/sms/{sid}/status", json={"status": "delivered"})

        assert changed.json()["status"] == "delivered"
        assert (await client.post("/sandbox/sms/SM0/status", json={"status": "sent"})).status_code == 404
        assert (await client.post(f"/sandbox/sms/{sid}/status", json={})).status_code == 422

    async def test_a_person_can_read_the_messages(self, sandbox: Sandbox, client: httpx.AsyncClient) -> None:
        """Markup in a message is shown, not obeyed, and nothing is loaded from elsewhere."""
        await text(client, body="<script>alert(1)</script>")
        await asyncio.to_thread(post, sandbox, "c2")

        index = await client.get("/")
        message = await client.get("/messages/2")
        html = await client.get("/messages/2/html")
        assert "&lt;script&gt;" in index.text
        assert "<script>" not in index.text
        assert "Due tomorrow" in message.text
        assert "sandbox" in html.headers["Content-Security-Policy"]
        assert "http://" not in index.text + message.text
        assert (await client.get("/messages/99")).status_code == 404
        assert (await client.get("/messages/1/html")).status_code == 404


async def test_the_sandbox_runs_by_itself_until_it_is_told_to_end(tmp_path: Path) -> None:
    """It prints the variables that lead to it, and a SIGTERM ends it cleanly."""
    arguments = ["-m", "duecourse.sandbox", "--dir", str(tmp_path), "--smtp-port", "0", "--http-port", "0"]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    variables: dict[str, str] = {}
    while (line := (await process.stdout.readline()).decode().strip()).startswith("export "):
        name, _, value = line.removeprefix("export ").partition("=")
        variables[name] = value.strip("'")
    login = (variables["DUECOURSE_TWILIO_SID"], variables["DUECOURSE_TWILIO_TOKEN"])
    async with httpx.AsyncClient(base_url=variables["DUECOURSE_TWILIO_URL"], auth=login) as client:
        created = await text(client)

    process.send_signal(signal.SIGTERM)

    assert await asyncio.wait_for(process.wait(), timeout=10) == 0
    assert created.status_code == 201
    [kept] = (tmp_path / "sms").glob("*.json")
    assert json.loads(kept.read_text())["message"]["sid"] == created.json()["sid"]
