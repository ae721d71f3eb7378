"""Workers that die or freeze at the worst moments, and a server that dies: nothing twice, nothing owed lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from temporalio.service import RPCError

from duecourse.engine.connect import connect
from duecourse.engine.server import EmbeddedServer
from duecourse.errors import Unavailable
from duecourse.ledger.facts import record
from duecourse.sandbox.received import Received
from tests.e2e.house import House, morning, open_house, until
from tests.e2e.ladders import ladder, notice, rung
from workflows.contracts import LoanStatus

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

DUE = date(2031, 3, 13)
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("worker_process.py")


class WorkerProcess:
    """A worker that can be killed, frozen and thawed, by its process id."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def dead(self) -> int:
        """Wait until it has ended; returns how."""
        return await asyncio.wait_for(self._process.wait(), 60)

    def frozen(self) -> bool:
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@contextlib.asynccontextmanager
async def worker_process(house: House, *queues: str, fuse: str = "") -> AsyncIterator[WorkerProcess]:
    """A worker process that serves; whatever is left of it is killed at the end."""
    environment = {
        **os.environ,
        **house.environment(),
        "DUECOURSE_LEDGER": house.url,
        "TEMPORAL_ADDRESS": house.client.service_client.config.target_host,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), ",".join(queues), *([fuse] if fuse else []),
        cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            while (await process.stdout.readline()).strip() != b"ready":
                assert process.returncode is None, "the worker process ended before it was ready"
        drained = asyncio.ensure_future(process.stdout.read())
        yield WorkerProcess(process)
        drained.cancel()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def kill_on_acceptance(house: House, worker: WorkerProcess) -> None:
    """SIGKILL between the provider's acceptance and its answer."""

    async def kill(_: Received) -> None:
        house.sandbox.on_accepted.clear()
        worker.send(signal.SIGKILL)

    house.sandbox.on_accepted.append(kill)


def assert_nothing_twice(house: House) -> None:
    repeats = house.sandbox.repeats()
    assert repeats.by_contact == {}
    assert repeats.by_text == {}


@pytest.mark.parametrize("channel", ["sms", "email"])
async def test_killed_between_reservation_and_call_sends_once(empty_house: House, channel: str) -> None:
    """What was only reserved is taken up again by the next attempt."""
    house = empty_house
    async with house.workers("loans"), worker_process(house, channel, fuse="kill-before-sending") as worker:
        await house.start(due=DUE, ladder=ladder(rung("remind", -3, channel)))
        await house.to_just_before_next()
        assert await worker.dead() == -signal.SIGKILL
        assert [state for _, _, state in house.contact_states()] == ["reserved"]
        assert house.received() == []
        async with house.workers(channel):
            await until(lambda: house.outcomes() != [], "the next attempt ends")
    assert house.outcomes() == [("remind", channel, "accepted")]
    assert len(house.received()) == 1
    assert_nothing_twice(house)


async def test_killed_before_the_call_an_sms_is_looked_up_and_sent_once(empty_house: House) -> None:
    """The ledger says that a call may have been made. The gateway does not know it: so it is sent, once."""
    house = empty_house
    async with house.workers("loans"), worker_process(house, "sms", fuse="kill-before-call") as worker:
        await house.start(due=DUE, ladder=ladder(rung("remind", -3, "sms")))
        await house.to_just_before_next()
        assert await worker.dead() == -signal.SIGKILL
        assert [state for _, _, state in house.contact_states()] == ["sending"]
        assert house.received() == []
        async with house.workers("sms"):
            await until(lambda: house.outcomes() != [], "a later attempt ends")
    assert house.outcomes() == [("remind", "sms", "accepted")]
    assert len(house.received()) == 1
    assert_nothing_twice(house)


async def test_killed_before_the_call_a_mandatory_mail_goes_by_another_channel(empty_house: House) -> None:
    """Nobody can be asked whether the mail left, so it never goes again; what is owed goes otherwise, a day later."""
    house = empty_house
    steps = ladder(notice("notice", 2, "email", "sms", "letter"))
    async with house.workers("loans"), worker_process(house, "email", fuse="kill-before-call") as worker:
        await house.start(due=DUE, ladder=steps)
        await house.to_just_before_next()
        assert await worker.dead() == -signal.SIGKILL
        async with house.workers("sms", "email"):
            await until(lambda: house.outcomes() != [], "a later attempt ends")
            assert house.outcomes() == [("notice", "email", "unknown")]
            await house.to(morning(DUE + timedelta(days=5)))
    assert house.outcomes() == [("notice", "email", "unknown"), ("notice", "sms", "accepted")]
    assert [message.channel for _, message in house.received()] == ["sms"]


async def test_killed_after_acceptance_an_sms_is_found_and_not_sent_again(empty_house: House) -> None:
    house = empty_house
    async with house.workers("loans"), worker_process(house, "sms") as worker:
        kill_on_acceptance(house, worker)
        await house.start(due=DUE, ladder=ladder(notice("notice", 2, "sms", "email")))
        await house.to_just_before_next()
        assert await worker.dead() == -signal.SIGKILL
        assert [state for _, _, state in house.contact_states()] == ["sending"]
        async with house.workers("sms", "email"):
            await until(lambda: house.outcomes() != [], "the next attempt ends")
            await house.to(morning(DUE + timedelta(days=5)))
    assert house.outcomes() == [("notice", "sms", "accepted")]
    assert len(house.received()) == 1
    ((_, message),) = house.received()
    assert [one.provider_id for one in house.contacts()] == [message.provider_id]


async def test_killed_after_acceptance_a_mail_is_not_sent_again(empty_house: House) -> None:
    """It arrived, and we cannot know: it is never repeated, and what is owed goes by another channel as well."""
    house = empty_house
    async with house.workers("loans", "sms"), worker_process(house, "email") as worker:
        kill_on_acceptance(house, worker)
        await house.start(due=DUE, ladder=ladder(notice("notice", 2, "email", "sms", "letter")))
        await house.to_just_before_next()
        assert await worker.dead() == -signal.SIGKILL
        async with house.workers("email"):
            await until(lambda: house.outcomes() != [], "the next attempt ends")
            await house.to(morning(DUE + timedelta(days=5)))
    assert house.outcomes() == [("notice", "email", "unknown"), ("notice", "sms", "accepted")]
    assert [message.channel for _, message in house.received()] == ["email", "sms"]
    assert house.sandbox.repeats().by_contact == {}


@pytest.mark.parametrize("channel", ["sms", "email"])
async def test_killed_after_the_record_the_answer_is_given_again(empty_house: House, channel: str) -> None:
    """The ledger knows that it was accepted, and the workflow does not: the next attempt says so, and calls nobody."""
    house = empty_house
    async with house.workers("loans"), worker_process(house, channel, fuse="kill-after-record") as worker:
        await house.start(due=DUE, ladder=ladder(rung("remind", -3, channel)))
        await house.to_just_before_next()
        assert await worker.dead() == -signal.SIGKILL
        assert house.outcomes() == [("remind", channel, "accepted")]
        assert (await house.status()).seq == 0
        async with house.workers(channel):
            await until(lambda: _heard(house), "the loan hears that it was sent")
            assert (await house.status()).notes[-1].verdict == "sent"
    assert house.outcomes() == [("remind", channel, "accepted")]
    assert len(house.received()) == 1
    assert_nothing_twice(house)


async def _heard(house: House) -> bool:
    return (await house.status()).seq == 1


async def test_frozen_before_the_call_the_old_attempt_wakes_and_sends_nothing(empty_house: House) -> None:
    """The server gives the contact to another worker, which sends it; thawed, the first asks again, and does not."""
    house = empty_house
    async with house.workers("loans"), worker_process(house, "sms", fuse="stop-before-call") as worker:
        await house.start(due=DUE, ladder=ladder(rung("remind", -3, "sms")))
        await house.to_just_before_next()
        await until(worker.frozen, "the worker freezes")
        async with house.workers("sms"):
            await until(lambda: house.outcomes() != [], "a later attempt ends")
            assert len(house.received()) == 1
            worker.send(signal.SIGCONT)
            # Thawed and at work again, it serves the next contact: so the old attempt is over by then.
            await until(lambda: not worker.frozen(), "the worker thaws")
        await house.start("L2", due=DUE + timedelta(days=10), ladder=ladder(rung("remind", -3, "sms")), borrower="B2")
        await house.to(morning(DUE + timedelta(days=9)))
        assert house.outcomes("L2") == [("remind", "sms", "accepted")]
    assert house.outcomes() == [("remind", "sms", "accepted")]
    assert len(house.received("L1")) == 1
    assert_nothing_twice(house)


async def test_frozen_after_acceptance_the_old_attempt_wakes_and_changes_nothing(empty_house: House) -> None:
    """The answer comes when the contact was long found by look-up: one message, one row."""
    house = empty_house

    async def freeze(_: Received) -> None:
        house.sandbox.on_accepted.clear()
        worker.send(signal.SIGSTOP)

    async with house.workers("loans"), worker_process(house, "sms") as worker:
        house.sandbox.on_accepted.append(freeze)
        await house.start(due=DUE, ladder=ladder(rung("remind", -3, "sms")))
        await house.to_just_before_next()
        await until(lambda: len(house.received()) == 1 and worker.frozen(), "accepted, and frozen")
        async with house.workers("sms"):
            await until(lambda: house.outcomes() != [], "the next attempt ends")
        worker.send(signal.SIGCONT)
        await house.start("L2", due=DUE + timedelta(days=10), ladder=ladder(rung("remind", -3, "sms")), borrower="B2")
        await house.to(morning(DUE + timedelta(days=9)))
        assert house.outcomes("L2") == [("remind", "sms", "accepted")]
    assert house.outcomes() == [("remind", "sms", "accepted")]
    assert house.contact_states() == [("remind", "sms", "accepted")]
    assert len(house.received("L1")) == 1


async def test_a_loan_s_own_worker_killed_in_mid_ladder_is_replaced(empty_house: House) -> None:
    """Another process replays the loan and goes on where it stood; a payment recorded meanwhile is not lost."""
    house = empty_house
    steps = ladder(rung("remind", -3), rung("late", 2), notice("notice", 5, "email", "letter"))
    async with house.workers("sms", "email"):
        async with worker_process(house, "loans") as worker:
            await house.start(due=DUE, ladder=steps, installments=2)
            await house.to(morning(DUE))
            worker.send(signal.SIGKILL)
            assert await worker.dead() == -signal.SIGKILL
        paid = await house.payment()
        house.ledger.transact(record, house.lender, "L1", paid, await house.now())  # its starter has nobody to ask
        async with worker_process(house, "loans"):
            await house.to(morning(DUE + timedelta(days=38)))
    assert [name for name, _ in house.received()] == ["remind", "remind", "late", "notice"]
    assert_nothing_twice(house)


async def test_a_server_that_is_killed_comes_back_with_every_loan(tmp_path: Path) -> None:
    """SIGKILL of the embedded server on a file: facts acknowledged, timers and the loan's date are all there again."""
    (tmp_path / "house").mkdir()
    async with EmbeddedServer(tmp_path / "server") as server:
        client = await connect(server.address.target)
        async with open_house(client, tmp_path / "house") as house:
            async with house.workers():
                await house.start(due=DUE, ladder=ladder(rung("remind", -3), rung("late", 2)), installments=2)
                await house.to(morning(DUE))
                await house.pay(amount="50.00")
            os.kill(server.address.process_id, signal.SIGKILL)
            await server.stop()
            await server.start()
            async with house.workers():
                status = await until(lambda: _answers(house), "the loan answers")
                assert (status.balance, status.seq) == ("150.00", 2)
                await house.to(morning(DUE + timedelta(days=3)))
            assert [name for name, _ in house.received()] == ["remind", "late"]
            assert_nothing_twice(house)


async def _answers(house: House) -> LoanStatus | None:
    try:
        return await house.status()
    except (Unavailable, RPCError):
        return None
