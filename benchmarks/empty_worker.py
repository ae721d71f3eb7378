"""The activities that ours is measured against, which do the same I/O and nothing else, and their worker.

`python -m benchmarks.empty_worker LEDGER SMS_URL` polls as many queues as worker.py, over the same connection.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import httpx
from temporalio import activity

from benchmarks.empty import ACTS_QUEUE, WAITS_QUEUE, EmptyWorkflow
from benchmarks.messages import Ask
from duecourse.engine.connect import connect
from duecourse.engine.pool import WorkerSpec, run_workers, stop_on_signals
from duecourse.sandbox.server import SANDBOX_SID, SANDBOX_TOKEN

IDLE_QUEUES = ("empty-email", "empty-voice", "empty-letter")  # worker.py polls as many

_SCHEMA = """
CREATE TABLE IF NOT EXISTS verdicts (loan TEXT, no INTEGER, body TEXT, PRIMARY KEY (loan, no));
CREATE TABLE IF NOT EXISTS contacts (id TEXT PRIMARY KEY, loan TEXT, state TEXT, body TEXT);
CREATE TABLE IF NOT EXISTS texts (contact TEXT PRIMARY KEY, body TEXT);
CREATE TABLE IF NOT EXISTS facts (loan TEXT, no INTEGER, body TEXT, PRIMARY KEY (loan, no));
"""
_TEXT = "Bench Loans: 262.50 USD is due today, 1 Mar 2027. Pay at https://pay.example/bench/L-1. Help: +1 212-555-0100."
_VERDICT = "v" * 1500  # as long as the case and the findings of one verdict
_FACT = "f" * 250


class EmptyActivities:
    """Three commits by bare sqlite3 on one writing thread, and one POST between the second and the third."""

    def __init__(self, ledger: str, sms_url: str) -> None:
        self._database = sqlite3.connect(ledger, isolation_level=None, timeout=10, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_SCHEMA)
        self._writer = ThreadPoolExecutor(max_workers=1)
        self._url = f"{sms_url}/2010-04-01/Accounts/{SANDBOX_SID}/Messages.json"
        self._sms_url = sms_url
        self._free = asyncio.Semaphore(10)  # as our own adapter has it
        self._client = httpx.AsyncClient(
            auth=(SANDBOX_SID, SANDBOX_TOKEN), limits=httpx.Limits(max_connections=10), trust_env=False, timeout=20
        )

    @activity.defn(name="empty_contact")
    async def contact(self, ask: Ask) -> str:
        loop = asyncio.get_running_loop()
        name = f"{ask.loan}-{ask.number}"
        await loop.run_in_executor(self._writer, self._reserve, ask, name)
        await loop.run_in_executor(self._writer, self._sending, name)
        form = {
            "To": "+12125550100",
            "From": "+15005550006",
            "Body": _TEXT,
            "StatusCallback": f"{self._sms_url}/receipts/twilio?contact={name}",
        }
        async with self._free:
            answer = await self._client.post(
                self._url,
                content=urlencode(form).encode(),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            )
        answer.raise_for_status()
        await loop.run_in_executor(self._writer, self._accepted, ask, name)
        return str(answer.json()["sid"])

    @activity.defn(name="no_op")
    async def no_op(self, ask: Ask) -> None:
        return None

    def _reserve(self, ask: Ask, name: str) -> None:
        self._commit(
            ("INSERT INTO verdicts VALUES (?, ?, ?)", (ask.loan, ask.number, _VERDICT)),
            ("INSERT INTO contacts VALUES (?, ?, 'reserved', ?)", (name, ask.loan, _FACT)),
        )

    def _sending(self, name: str) -> None:
        self._commit(
            ("UPDATE contacts SET state = 'sending' WHERE id = ?", (name,)),
            ("INSERT INTO texts VALUES (?, ?)", (name, _TEXT)),
        )

    def _accepted(self, ask: Ask, name: str) -> None:
        self._commit(
            ("UPDATE contacts SET state = 'accepted' WHERE id = ?", (name,)),
            ("INSERT INTO facts VALUES (?, ?, ?)", (ask.loan, ask.number, _FACT)),
        )

    def _commit(self, *statements: tuple[str, tuple[object, ...]]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        for statement, values in statements:
            self._database.execute(statement, values)
        self._database.execute("COMMIT")


async def serve(ledger: str, sms_url: str) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    acts = EmptyActivities(ledger, sms_url)
    served: Sequence[Callable[..., Any]] = (acts.contact, acts.no_op)
    specs = [
        WorkerSpec(WAITS_QUEUE, workflows=(EmptyWorkflow,), activities=(acts.no_op,)),
        *(WorkerSpec(queue, activities=served) for queue in (ACTS_QUEUE, *IDLE_QUEUES)),
    ]
    await run_workers(await connect(), specs, stop)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2]))
    os._exit(0)  # the SDK can abort the interpreter while it exits
