"""A worker in a process of its own, to be killed or frozen: worker.py's parts, with a fuse.

Usage: python tests/e2e/worker_process.py QUEUE,QUEUE [FUSE]

FUSE says at which statement of the ledger this process ends itself by SIGKILL, or freezes by SIGSTOP, once:
    kill-before-sending     a contact is reserved, and nothing is said of a call yet
    kill-before-call        it is committed that a call may be made; the adapter asks for the last time whether it may
    stop-before-call        the same, and the process is frozen instead
    kill-after-record       the provider's acceptance is committed, and Temporal has not heard of it
The product has no hook for this: the fuse listens to the driver's own trace. Prints "ready" when its workers run.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import workflows.contracts

workflows.contracts.ATTEMPT_TIMEOUT = timedelta(seconds=3)  # before anything reads it

from sqlalchemy import Engine, event  # noqa: E402

import worker  # noqa: E402
from activities.contact import ContactActivities  # noqa: E402
from activities.record import RecordActivities  # noqa: E402
from duecourse.channels.settings import ChannelSettings, build_adapters  # noqa: E402
from duecourse.engine.connect import connect  # noqa: E402
from duecourse.engine.pool import running_workers  # noqa: E402
from duecourse.ledger.sending import Sending  # noqa: E402
from duecourse.ledger.store import Ledger  # noqa: E402
from duecourse.ledger.worklist import worklist_of  # noqa: E402
from duecourse.messages.render import Renderer  # noqa: E402
from tests.e2e.house import quick  # noqa: E402

BEFORE_SENDING = "UPDATE contacts SET state="
LAST_QUESTION = "SELECT contacts.attempt, contacts.state"
ACCEPTANCE = "UPDATE contacts SET state='accepted'"
FUSES = {
    "kill-before-sending": (BEFORE_SENDING, signal.SIGKILL),
    "kill-before-call": (LAST_QUESTION, signal.SIGKILL),
    "stop-before-call": (LAST_QUESTION, signal.SIGSTOP),
    "kill-after-record": (ACCEPTANCE, signal.SIGKILL),
}


def light(fuse: str) -> None:
    """End or freeze this process when the fuse's statement is about to run for the first time."""
    beginning, number = FUSES[fuse]
    seen = burnt = False

    def burn() -> None:
        nonlocal burnt
        if not burnt:
            burnt = True
            os.kill(os.getpid(), number)

    def watch(statement: str) -> None:
        nonlocal seen
        if " ".join(statement.split()).startswith(beginning):
            seen = True
            if beginning != ACCEPTANCE:
                burn()

    @event.listens_for(Engine, "connect")
    def listen(connection: sqlite3.Connection, _record: object) -> None:
        connection.set_trace_callback(watch)

    @event.listens_for(Engine, "checkin")
    def committed(_connection: object, _record: object) -> None:
        if seen:
            burn()


async def serve(queues: list[str]) -> None:
    ledger = Ledger.open(os.environ["DUECOURSE_LEDGER"])
    adapters = build_adapters(ChannelSettings.from_environment(os.environ), worklist_of(ledger))
    contact = ContactActivities(ledger, adapters, Renderer(), Sending("on"))
    served = worker.specs(queues, contact, RecordActivities(ledger))
    # One activity at a time and none asked for meanwhile: a frozen process must not swallow its own successor's work.
    async with running_workers(await connect(), quick(served, at_once=1)):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        light(sys.argv[2])
    asyncio.run(serve(sys.argv[1].split(",")))
