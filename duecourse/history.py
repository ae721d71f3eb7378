"""What came before us enters the ledger, one borrower at a time, and running loans are told.

A transaction for each borrower: a file of a hundred thousand old contacts must not stop the sends for a minute. All or
nothing is kept by a rehearsal of the whole first, in which nothing stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType

from temporalio.client import Client

from duecourse.delivery import How, deliver
from duecourse.errors import InvalidInput
from duecourse.ledger import outbox, recording
from duecourse.ledger.store import Ledger
from duecourse.loans.recorded import PastRecord

Debtors = Mapping[tuple[str, str], str]
"""Loans by lender and id, and their debtors."""
NOBODY: Debtors = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PastRecorded:
    """How many records were new, how many there already; `refused`: their positions, each with its reason."""

    new: int
    again: int
    refused: tuple[tuple[int, InvalidInput], ...]


class RecordsRefused(InvalidInput):
    """Records that the ledger does not admit, by their positions; nothing was recorded."""

    def __init__(self, refused: Sequence[tuple[int, InvalidInput]]) -> None:
        first = refused[0][1]
        super().__init__(first.field, first.value, first.expected)
        self.refused = tuple(refused)


@dataclass(slots=True)
class _Tally:
    new: int
    again: int
    refused: list[tuple[int, InvalidInput]]
    told: set[tuple[str, str]]


async def record_past(
    ledger: Ledger,
    temporal: Client | None,
    records: Sequence[PastRecord],
    now: datetime,
    *,
    expected: Debtors = NOBODY,
    keep_good: bool = False,
) -> PastRecorded:
    """Record what came before us; a record that is there already changes nothing. `now`: business time, aware UTC.

    `expected`: loans that are registered right after, and may be named. Loans that run hear of consents, opt-outs and
    holds, from the relay where there is no `temporal`. Raises RecordsRefused, and records nothing, where a record is
    refused, unless `keep_good` says to record the others.
    """
    rehearsed = await _each(ledger, recording.rehearse, records, now, expected)
    if rehearsed.refused and not keep_good:
        raise RecordsRefused(rehearsed.refused)
    done = await _each(ledger, recording.take_in, records, now, expected)
    if done.told and temporal is not None:
        for batch in await ledger.consulting(outbox.due, now, older_than=timedelta(0)):
            if (batch.lender, batch.loan) in done.told:
                await deliver(ledger, temporal, batch, now, How.SIGNAL)
    return PastRecorded(done.new, done.again, tuple(done.refused))


async def _each(
    ledger: Ledger, take: recording.TakesIn, records: Sequence[PastRecord], now: datetime, expected: Debtors
) -> _Tally:
    people: dict[tuple[str, str], list[int]] = {}
    for index, one in enumerate(records):
        people.setdefault((one.lender, one.borrower), []).append(index)
    following: dict[tuple[str, str], set[str]] = {}
    for (lender, loan), debtor in expected.items():
        following.setdefault((lender, debtor), set()).add(loan)
    tally = _Tally(0, 0, [], set())
    for (lender, borrower), places in people.items():
        taking = partial(take, expected=following.get((lender, borrower), frozenset()))
        taken = await ledger.transacting(taking, lender, borrower, [records[index] for index in places], now)
        tally.new += taken.new
        tally.again += taken.again
        tally.refused += [(places[at], why) for at, why in taken.refused]
        tally.told |= {(lender, loan) for loan in taken.told}
    tally.refused.sort(key=lambda item: item[0])
    return tally
