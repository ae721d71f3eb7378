"""The relay: repeats by signal what no loan has acknowledged, from ten seconds after the commit on.

Beside that it sweeps the book for notices that no step of a ladder will serve in time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from duecourse.delivery import How, deliver
from duecourse.ledger import outbox
from duecourse.ledger.clock import book_offset
from duecourse.ledger.duties import LoanKey
from duecourse.ledger.store import Ledger
from duecourse.sweep import sweep_on

EVERY = timedelta(seconds=2)

log = structlog.get_logger(__name__)


async def relay(ledger: Ledger, temporal: Client, clock: Callable[[], datetime], stop: asyncio.Event) -> None:
    """Run until `stop` is set. `clock` gives real time, aware UTC; business time is that plus the book's offset.

    Several relays may run at once: a loan that is told twice applies once.
    """
    swept: LoanKey | None = None  # as far as the sweep has come; None: it waits for its hour
    while not stop.is_set():
        try:
            told = await relay_once(ledger, temporal, clock())
            swept = await sweep_on(ledger, clock() + await ledger.consulting(book_offset), swept)
        except Exception as trouble:
            # Whatever it is, the ledger or the server may be there again in a moment; a relay that ended would not.
            log.warning("relay will try again", reason=type(trouble).__name__)
        else:
            if told:
                log.info("relayed", loans=told)
        try:
            async with asyncio.timeout(EVERY.total_seconds()):
                await stop.wait()
        except TimeoutError:
            continue


async def relay_once(
    ledger: Ledger, temporal: Client, real_now: datetime, *, patience: timedelta = outbox.PATIENCE
) -> int:
    """Tell every loan what it has not acknowledged for longer than `patience`; returns how many were told."""
    now = real_now + await ledger.consulting(book_offset)
    batches = await ledger.consulting(outbox.due, now, older_than=patience)
    told = 0
    for batch in batches:
        try:
            await deliver(ledger, temporal, batch, now, How.SIGNAL)
            told += 1
        except Exception as trouble:
            # One loan that cannot be told, or read, must not keep the others from hearing.
            reason = trouble.status.name if isinstance(trouble, RPCError) else type(trouble).__name__
            log.warning("loan not told", lender=batch.lender, loan=batch.loan, reason=reason)
    return told
