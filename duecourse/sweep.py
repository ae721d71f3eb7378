"""The sweep: each hour of business time every loan is looked at for notices that no step of a ladder serves in time."""

from __future__ import annotations

import asyncio
from datetime import datetime

from duecourse.ledger import duties
from duecourse.ledger.store import Ledger

PAGES = 4  # of loans that are looked at in one round: a worker that sends shares the loop
START: duties.LoanKey = ("", "")


async def sweep_on(ledger: Ledger, now: datetime, after: duties.LoanKey | None) -> duties.LoanKey | None:
    """Look at the next loans; returns where to go on, None until the next hour. `now`: business time, aware UTC.

    Safe to repeat, and in several processes at once: what is found is written only where it differs from what stands.
    """
    if after is None:
        last = await ledger.consulting(duties.swept_at)
        if last is not None and last <= now < last + duties.EVERY:
            return None
        after = START
    for _ in range(PAGES):
        stale, following = await ledger.consulting(duties.page, after, now)
        for lender, loan in stale:
            await ledger.transacting(duties.keep, lender, loan, now)
        if following is None:
            await ledger.transacting(duties.swept, now)
            return None
        after = following
        await asyncio.sleep(0)  # the others' turn
    return after


async def sweep(ledger: Ledger, now: datetime) -> None:
    """Look at every loan, however lately that was done. `now`: business time, aware UTC."""
    after: duties.LoanKey | None = START
    while after is not None:
        after = await sweep_on(ledger, now, after)
