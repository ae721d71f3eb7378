"""Run workers by role: `python worker.py --queues loans,email,sms,voice,letter,relay`.

The composition root: the only place that builds the ledger, the adapters and the activities together.
Configuration comes from the environment and from Temporal's own profile file (TEMPORAL_PROFILE):
DUECOURSE_LEDGER, DUECOURSE_SEND, DUECOURSE_SMTP_URL, DUECOURSE_TWILIO_*; SIGTERM drains.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from activities.contact import ContactActivities
from activities.record import RecordActivities
from duecourse.channels.settings import ChannelSettings, build_adapters
from duecourse.engine.connect import connect
from duecourse.engine.logs import configure_logging
from duecourse.engine.pool import WorkerSpec, run_workers, stop_on_signals
from duecourse.errors import DuecourseError, InvalidInput
from duecourse.ledger.sending import Sending
from duecourse.ledger.store import Ledger
from duecourse.ledger.worklist import worklist_of
from duecourse.messages.render import Renderer
from duecourse.relay import relay
from workflows.contracts import CHANNEL_QUEUES, LOANS_QUEUE, QUEUES, RELAY_QUEUE
from workflows.loan import LoanWorkflow

DEFAULT_LEDGER = "sqlite:///.duecourse/ledger.db"
DRAIN = timedelta(seconds=30)

log = structlog.get_logger(__name__)


def specs(queues: Sequence[str], contact: ContactActivities, record: RecordActivities) -> list[WorkerSpec]:
    """What each queue of this process serves: an activity sends only on its own channel's queue."""
    served: dict[str, tuple[Sequence[type], Sequence[Callable[..., Any]]]] = {
        LOANS_QUEUE: ((LoanWorkflow,), (record.open_review, record.record_facts)),
    }
    for queue in CHANNEL_QUEUES.values():
        served[queue] = ((), (contact.contact, contact.settle))
    return [
        WorkerSpec(queue, workflows=served[queue][0], activities=served[queue][1])
        for queue in queues
        if queue in served
    ]


def queues_from(text: str) -> tuple[str, ...]:
    """The queues named by a comma-separated list. Raises InvalidInput for an unknown one."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in QUEUES:
            raise InvalidInput("--queues", name, f"names among {', '.join(QUEUES)}")
    if not names:
        raise InvalidInput("--queues", text, f"at least one of {', '.join(QUEUES)}")
    return names


async def serve(queues: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
    """Serve the queues until SIGTERM or SIGINT, then drain."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    ledger = Ledger.open(environment.get("DUECOURSE_LEDGER", DEFAULT_LEDGER))
    adapters = build_adapters(ChannelSettings.from_environment(environment), worklist_of(ledger))
    sending = Sending.of(environment.get("DUECOURSE_SEND", "off"), environment.get("DUECOURSE_SEND_ALLOWLIST", ""))
    try:
        temporal = await connect()
        contact = ContactActivities(ledger, adapters, Renderer(), sending)
        served = specs(queues, contact, RecordActivities(ledger))
        log.info("worker serves", queues=list(queues), sending=sending.mode)
        async with asyncio.TaskGroup() as group:
            if RELAY_QUEUE in queues:
                group.create_task(relay(ledger, temporal, lambda: datetime.now(UTC), stop))
            if served:
                group.create_task(run_workers(temporal, served, stop, drain=DRAIN, environment=environment))
    finally:
        await adapters.close()
        ledger.close()


def main(arguments: Sequence[str]) -> int:
    """Parse, serve, and give the exit code."""
    parser = argparse.ArgumentParser(prog="worker.py", description="Run Duecourse workers.")
    parser.add_argument("--queues", default=",".join(QUEUES), help=f"comma-separated, of: {', '.join(QUEUES)}")
    options = parser.parse_args(arguments)
    configure_logging(level=os.environ.get("DUECOURSE_LOG_LEVEL", "INFO"))
    code = 0
    try:
        asyncio.run(serve(queues_from(options.queues)))
    except* DuecourseError as group:
        for refused in group.exceptions:
            sys.stderr.write(f"worker: {refused}\n")
        code = DuecourseError.exit_code
    return code


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # The SDK can abort the interpreter while it exits; everything is drained and written by now.
    os._exit(code)
