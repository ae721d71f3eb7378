"""The command line as processes, against a real server and a real worker."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from duecourse.engine.server import EmbeddedServer
from duecourse.sandbox.server import Sandbox

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
STATUSES = 50
AT_ONCE = 4

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Shell:
    """A person's shell: the ledger and the server are in its environment."""

    environment: dict[str, str]

    async def starter(self, *arguments: str) -> Done:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "starter.py",
            *arguments,
            cwd=ROOT,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return Done(process.returncode or 0, out.decode(), err.decode())

    async def good(self, *arguments: str) -> Any:
        done = await self.starter(*arguments, "--json")
        assert 0 == done.code, done.err
        return done.json

    async def refused(self, *arguments: str) -> Any:
        done = await self.starter(*arguments, "--json")
        assert "" == done.out
        error = json.loads(done.err)["error"]
        assert done.code == error["exit_code"]
        return error


@pytest.fixture(scope="module")
async def shell(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shell]:
    """The example book, imported, with a worker that sends to the sandbox."""
    folder = tmp_path_factory.mktemp("cli")
    async with EmbeddedServer(None) as server, Sandbox(folder / "outbox") as sandbox:
        environment = {
            **os.environ,
            **sandbox.environment(),
            "DUECOURSE_LEDGER": f"sqlite:///{folder}/ledger.db",
            "DUECOURSE_SEND": "on",
            "TEMPORAL_ADDRESS": server.address.target,
            "COLUMNS": "100",
        }
        log = (folder / "worker.log").open("wb")
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "worker.py", cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            yield Shell(environment)
        finally:
            worker.send_signal(signal.SIGTERM)
            await worker.wait()
            log.close()


IMPORT = (
    "import", str(EXAMPLES / "portfolio.csv"), "--borrowers", str(EXAMPLES / "borrowers.csv"),
    "--lenders", str(EXAMPLES / "lenders.yaml"),
)  # fmt: skip


def far_loan(loan: str, borrower: str) -> tuple[str, ...]:
    """The start of a loan that is current on whatever day this test is run."""
    return (
        "start", "--lender", "qinghe", "--loan", loan, "--borrower", borrower, "--product", "consumer_loan",
        "--currency", "CNY", "--principal", "900.00", "--first-due", "2099-01-10", "--disbursed-on", "2026-11-10",
        "--ladder", "cn_consumer",
    )  # fmt: skip


@pytest.fixture(scope="module")
async def imported(shell: Shell) -> Any:
    return await shell.good(*IMPORT)


@pytest.mark.usefixtures("imported")
async def test_an_import_may_be_repeated(shell: Shell, imported: Any) -> None:
    assert (15, 0) == (imported["imported"], imported["known"])
    again = await shell.good(*IMPORT)
    assert (0, 15) == (again["imported"], again["known"])


@pytest.mark.usefixtures("imported")
async def test_status_exits_with_0_fifty_times(shell: Shell) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask() -> Done:
        async with gate:
            return await shell.starter("status", "QH-1003")

    done = await asyncio.gather(*(ask() for _ in range(STATUSES)))
    assert [0] * STATUSES == [one.code for one in done], {one.err for one in done}
    assert all("QH-1003 of qinghe" in one.out and "Next" in one.out for one in done)


@pytest.mark.usefixtures("imported")
async def test_a_payment_of_the_wrong_currency_is_refused_and_changes_nothing(shell: Shell) -> None:
    before = await shell.good("status", "QH-1004")
    error = await shell.refused("pay", "QH-1004", "10.00", "--currency", "USD")
    assert ("InvalidInput", 2, "currency", "USD") == (
        error["type"], error["exit_code"], error["field"], error["value"],
    )  # fmt: skip
    assert "CNY, the loan's currency" in error["expected"]
    assert before["seq"] == (await shell.good("status", "QH-1004"))["seq"]


@pytest.mark.usefixtures("imported")
async def test_a_payment_is_applied_once_whatever_its_repeats(shell: Shell) -> None:
    before = (await shell.good("status", "QH-1005"))["balance"]
    first = await shell.good("pay", "QH-1005", "100.00", "--id", "bank-7")
    again = await shell.good("pay", "QH-1005", "100.00", "--id", "bank-7")
    assert (False, True, True) == (first["again"], first["applied"], again["again"])
    assert float(before) - 100 == float(again["balance"])
    error = await shell.refused("pay", "QH-1005", "200.00", "--id", "bank-7")
    assert ("Conflict", 4) == (error["type"], error["exit_code"])
    assert (await shell.good("status", "QH-1005"))["workflow"]["balance"] == again["balance"]
    undone = await shell.good("reverse", "QH-1005", "bank-7")
    assert before == undone["balance"]


@pytest.mark.usefixtures("imported")
async def test_a_hold_is_placed_and_lifted_and_a_promise_and_an_opt_out_are_heard(shell: Shell) -> None:
    await shell.good(*far_loan("QH-2002", "CN-007"))
    placed = await shell.good("hold", "QH-2002", "dispute", "--hold", "D1", "--id", "hold-1")
    repeated = await shell.good("hold", "QH-2002", "dispute", "--hold", "D1", "--id", "hold-1")
    assert ("held", True) == (placed["stage"], repeated["again"])
    lifted = await shell.good("lift", "QH-2002", "D1")
    assert "held" != lifted["stage"]
    promised = await shell.good("promise", "QH-2002", "300.00", "--by", "2099-01-01")
    assert "promised" == promised["stage"]
    stopped = await shell.good("opt-out", "QH-1001", "sms")
    assert ["QH-1002"] == stopped["others"], "it is the person's: their second loan hears of it too"
    kinds = [one["what"] for one in (await shell.good("timeline", "QH-1002"))["entries"]]
    assert "opt-out from SMS" in kinds


@pytest.mark.usefixtures("imported")
async def test_a_running_loan_hears_of_an_opt_out_from_the_old_system(shell: Shell, tmp_path: Path) -> None:
    await shell.good(*far_loan("QH-2003", "CN-008"))
    file = tmp_path / "old.jsonl"
    stop = {"kind": "opt_out", "lender": "qinghe", "borrower": "CN-008", "channel": "sms", "at": "2026-01-05T02:00:00Z"}
    file.write_text(json.dumps(stop), "utf-8")
    before = (await shell.good("status", "QH-2003"))["seq"]
    assert {"recorded": 1, "known": 0, "skipped": []} == await shell.good("record", str(file))
    assert [] == (await shell.good("outbox"))["waiting"], "the loan was told, and the ledger knows it"
    after = await shell.good("status", "QH-2003")
    assert before < after["seq"] == after["workflow"]["seq"]
    assert {"recorded": 0, "known": 1, "skipped": []} == await shell.good("record", str(file))


@pytest.mark.usefixtures("imported")
async def test_one_more_loan_starts_from_options_with_the_parties_that_are_known(shell: Shell) -> None:
    options = far_loan("QH-2001", "CN-002")
    assert "new" == (await shell.good(*options))["outcome"]
    assert "again" == (await shell.good(*options))["outcome"]
    assert "900.00" == (await shell.good("status", "QH-2001"))["balance"]
    assert (await shell.good("status", "QH-1003"))["stage"], "the person's records are as they were"


@pytest.mark.usefixtures("imported")
async def test_every_view_has_both_forms(shell: Shell) -> None:
    for command in (("list",), ("status",), ("timeline", "HL-2001"), ("explain", "HL-2001"), ("outbox",)):
        assert await shell.good(*command) is not None
        text = await shell.starter(*command)
        assert (0, "") == (text.code, text.err)
        assert text.out
