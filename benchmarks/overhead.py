"""What Duecourse costs beside the bare engine: contacts per second, events and bytes, in one run on one server.

    python benchmarks/overhead.py [--loans 200] [--series 2]

Loans of three messages, workflows that do the same timers, commits and POSTs without any domain, and workflows whose
activity does nothing wait on the same embedded server. In each minute they fall due in turn, all of one kind at once:
ours, empty, no-op, ours, ... Each ratio is taken between neighbours of one minute; the table shows the median.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from temporalio.client import Client  # noqa: E402

from benchmarks.book import LENDER, RUNGS, bench_ladder, loan_ids, local_offset, open_book, open_loan  # noqa: E402
from benchmarks.empty import WAITS_QUEUE  # noqa: E402
from benchmarks.histories import Contact, contacts_in  # noqa: E402
from benchmarks.messages import Waits  # noqa: E402
from duecourse.delivery import How, deliver  # noqa: E402
from duecourse.engine.connect import connect  # noqa: E402
from duecourse.engine.server import EmbeddedServer  # noqa: E402
from duecourse.ledger.outbox import Batch  # noqa: E402
from duecourse.ledger.store import Ledger  # noqa: E402
from workflows.contracts import loan_workflow_id  # noqa: E402

KINDS = ("ours", "empty", "no-op")
TURN = timedelta(seconds=20)  # what one kind has of each minute
LEAST_RATIO, EVENTS, MOST_BYTES = 0.85, 11, 3000  # the bars
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Burst:
    """All contacts of one kind that fell due at one moment."""

    contacts: tuple[Contact, ...]
    cpu: Mapping[str, float]  # seconds, by process

    @property
    def rate(self) -> float:
        """Contacts per second from the moment at which all were due to the end of the last."""
        took = max(one.over for one in self.contacts) - min(one.due for one in self.contacts)
        return len(self.contacts) / took.total_seconds()


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes of one run, by what they are."""

    ids: Mapping[str, int]

    def cpu(self) -> dict[str, float]:
        """CPU seconds used so far, user and system."""
        used = {}
        for name, number in self.ids.items():
            fields = Path(f"/proc/{number}/stat").read_text().rpartition(") ")[2].split()
            used[name] = (int(fields[11]) + int(fields[12])) / _TICK
        return used


async def main(loans: int, series: int, directory: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{directory}/ledger.db")
    children: list[subprocess.Popen[bytes]] = []
    bursts: dict[str, list[Burst]] = {kind: [] for kind in KINDS}
    try:
        async with EmbeddedServer(directory / "temporal") as server:
            sandbox, environment = _sandbox(directory)
            children.append(sandbox)
            environment |= {
                "DUECOURSE_LEDGER": f"sqlite:///{directory}/ledger.db",
                "DUECOURSE_SEND": "on",
                "DUECOURSE_LOG_LEVEL": "WARNING",
                "TEMPORAL_ADDRESS": server.address.target,
            }
            ours = _child(
                ["worker.py", "--queues", "loans,sms,email,voice,letter"], environment, directory / "ours.log"
            )
            children.append(ours)
            bare = [str(directory / "bare.db"), environment["DUECOURSE_TWILIO_URL"]]
            empty = _child(["-m", "benchmarks.empty_worker", *bare], environment, directory / "empty.log")
            children.append(empty)
            processes = Processes(
                {"server": server.address.process_id, "ours": ours.pid, "empty": empty.pid, "sandbox": sandbox.pid}
            )
            temporal = await connect(server.address.target)
            for number in range(series):
                for kind, found in (await _series(ledger, temporal, processes, number, loans)).items():
                    bursts[kind] += found
    finally:
        ledger.close()
        for child in reversed(children):
            child.send_signal(signal.SIGTERM)
            child.wait(20)
    _print(bursts, loans)


async def _series(
    ledger: Ledger, temporal: Client, processes: Processes, number: int, loans: int
) -> dict[str, list[Burst]]:
    """Start all, live through the three minutes, and read what came of it."""
    began = datetime.now(UTC)
    lead = timedelta(seconds=25 + loans * 0.2)  # what it takes to start all, and to plan their three messages
    first = (began + lead).replace(second=0, microsecond=0) + timedelta(minutes=1)
    ids = await _start(ledger, temporal, number, loans, first)
    print(f"series {number + 1}: {loans} of each kind started in {_since(began):.0f} s", flush=True)
    used: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    for minute in range(RUNGS):
        for turn, kind in enumerate(KINDS):
            due = first + timedelta(minutes=minute) + turn * TURN
            await _until(due - timedelta(seconds=0.5))
            before = processes.cpu()
            await _until(due + TURN - timedelta(seconds=1))
            after = processes.cpu()
            used[kind].append({name: after[name] - before[name] for name in after})
    await asyncio.sleep(5)
    return {
        kind: [
            Burst(tuple(one for each in histories for one in each if one.number == minute), used[kind][minute])
            for minute in range(RUNGS)
        ]
        for kind, histories in [(kind, await _histories(temporal, ids[kind], first)) for kind in KINDS]
    }


async def _start(ledger: Ledger, temporal: Client, number: int, loans: int, first: datetime) -> dict[str, list[str]]:
    """Start the workflows of all kinds; returns their ids by kind."""
    now = datetime.now(UTC)
    offset = local_offset(now)
    lender = ledger.transact(open_book, offset)
    ladder = bench_ladder(first, offset)
    made = loan_ids(number)
    ids: dict[str, list[str]] = {kind: [] for kind in KINDS}

    async def start(index: int) -> None:
        borrower, loan = next(made)
        registered = await ledger.transacting(open_loan, lender, ladder, borrower, loan, now, offset)
        batch = Batch(LENDER, loan, (), registered.outbox, start=True)
        await deliver(ledger, temporal, batch, datetime.now(UTC), How.SIGNAL)
        ids["ours"].append(loan_workflow_id(LENDER, loan))
        for turn, kind in enumerate(KINDS[1:], start=1):
            moments = tuple(first + timedelta(minutes=minute) + turn * TURN for minute in range(RUNGS))
            waits = Waits(loan, moments, {"empty": "empty_contact", "no-op": "no_op"}[kind])
            name = f"{kind}/{number}/{index}"
            await temporal.start_workflow("EmptyWorkflow", waits, id=name, task_queue=WAITS_QUEUE)
            ids[kind].append(name)

    for begin in range(0, loans, 10):
        await asyncio.gather(*(start(index) for index in range(begin, min(begin + 10, loans))))
    await asyncio.sleep(1)
    if datetime.now(UTC) > first - timedelta(seconds=10):
        raise SystemExit("starting took too long on this machine: give fewer --loans")
    return ids


async def _histories(temporal: Client, ids: Sequence[str], since: datetime) -> list[list[Contact]]:
    found = []
    for name in ids:
        for _ in range(60):
            history = await temporal.get_workflow_handle(name).fetch_history()
            contacts = contacts_in(history.events, since)
            if len(contacts) >= RUNGS:
                break
            await asyncio.sleep(1)
        if len(contacts) != RUNGS:
            raise SystemExit(f"{name} made {len(contacts)} contacts instead of {RUNGS}: see its history and the log")
        found.append(contacts)
    return found


def _sandbox(directory: Path) -> tuple[subprocess.Popen[bytes], dict[str, str]]:
    """The SMS gateway in a process of its own, and the variables that lead to it."""
    command = [sys.executable, "-m", "duecourse.sandbox", "--dir", str(directory / "out")]
    process = subprocess.Popen([*command, "--smtp-port", "0", "--http-port", "0"], cwd=ROOT, stdout=subprocess.PIPE)
    environment = dict(os.environ)
    assert process.stdout is not None
    for line in process.stdout:
        text = line.decode()
        if not text.startswith("export "):
            break
        name, _, value = text.removeprefix("export ").strip().partition("=")
        environment[name] = value.strip("'")
    return process, environment


def _child(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=dict(environment), stdout=out, stderr=subprocess.STDOUT
        )


async def _until(moment: datetime) -> None:
    await asyncio.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


def _since(moment: datetime) -> float:
    return (datetime.now(UTC) - moment).total_seconds()


def _print(bursts: Mapping[str, Sequence[Burst]], loans: int) -> None:
    ours, empty, no_op = (bursts[kind] for kind in KINDS)
    to_empty = [mine.rate / theirs.rate for mine, theirs in zip(ours, empty, strict=True)]
    to_no_op = [mine.rate / theirs.rate for mine, theirs in zip(ours, no_op, strict=True)]
    print(f"\n{loans} loans x {RUNGS} messages, {len(ours)} minutes; {os.cpu_count()} cores, {platform.machine()}, "
          f"Python {platform.python_version()}\n")  # fmt: skip
    print("| kind | contacts/s, each minute | median | worker ms | server ms | sandbox ms | events | bytes |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for kind in KINDS:
        found = bursts[kind]
        contacts = [contact for burst in found for contact in burst.contacts]
        worker = "ours" if kind == "ours" else "empty"
        print(
            f"| {kind} | {', '.join(f'{burst.rate:.1f}' for burst in found)} "
            f"| {statistics.median(burst.rate for burst in found):.1f} "
            + "".join(f"| {_cpu(found, name):.1f} " for name in (worker, "server", "sandbox"))
            + f"| {_range(contact.events for contact in contacts)} | {_range(contact.size for contact in contacts)} |"
        )
    print("\n(ms: CPU time per contact)")
    print(f"ratio to empty: {statistics.median(to_empty):.2f} (each minute: {_list(to_empty)})")
    print(f"CPU of empty to CPU of ours, all processes: {_all_cpu(empty, 'empty') / _all_cpu(ours, 'ours'):.2f}")
    print(f"ratio to no-op: {statistics.median(to_no_op):.2f} (each minute: {_list(to_no_op)})")
    contacts = [contact for burst in ours for contact in burst.contacts]
    for said, holds in (
        (f"ratio to empty >= {LEAST_RATIO}", statistics.median(to_empty) >= LEAST_RATIO),
        (f"{EVENTS} events per contact", all(contact.events == EVENTS for contact in contacts)),
        (f"< {MOST_BYTES} bytes per contact", all(contact.size < MOST_BYTES for contact in contacts)),
    ):
        print(f"{'holds' if holds else 'FAILS'}: {said}")


def _cpu(bursts: Sequence[Burst], name: str) -> float:
    return statistics.median(burst.cpu[name] / len(burst.contacts) * 1000 for burst in bursts)


def _all_cpu(bursts: Sequence[Burst], worker: str) -> float:
    return sum(_cpu(bursts, name) for name in (worker, "server", "sandbox"))


def _range(values: Iterable[int]) -> str:
    known = sorted(values)
    return f"{known[0]}" if known[0] == known[-1] else f"{known[0]}..{known[-1]}"


def _list(values: Iterable[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Our overhead against an empty workflow, in the same run.")
    parser.add_argument("--loans", type=int, default=200, help="loans, and workflows of each other kind (200)")
    parser.add_argument("--series", type=int, default=2, help="how often three minutes are lived through (2)")
    parser.add_argument("--keep", type=Path, help="a directory for databases and logs; left out: a temporary one")
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(main(options.loans, options.series, options.keep or Path(temporary)))
    print(f"took {time.monotonic() - started:.0f} s")
    sys.stdout.flush()
    os._exit(0)  # the SDK can abort the interpreter while it exits
