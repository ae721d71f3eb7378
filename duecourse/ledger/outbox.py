"""What loans have not been told yet. A row leaves when its loan has answered; until then it is told again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, func, select

from duecourse.ledger.tables import facts, outbox
from duecourse.loans.facts import FACT, Fact

PATIENCE = timedelta(seconds=10)  # who recorded a fact tells the loan at once; the relay only when that failed

_DUE = (
    select(outbox.c.id, outbox.c.lender, outbox.c.loan, outbox.c.start, facts.c.body)
    .join_from(
        outbox,
        facts,
        (facts.c.lender == outbox.c.lender) & (facts.c.loan == outbox.c.loan) & (facts.c.loan_seq == outbox.c.loan_seq),
        isouter=True,
    )
    .where(outbox.c.at <= bindparam("before_"))
    .order_by(outbox.c.id)
    .limit(bindparam("limit_"))
)
_COUNT = select(func.count()).select_from(outbox)
_ACKNOWLEDGE = delete(outbox).where(outbox.c.id.in_(bindparam("ids_", expanding=True)))


@dataclass(frozen=True, slots=True)
class Batch:
    """One message for one loan. `start`: it may not be running, so signal with start, from all its rows."""

    lender: str
    loan: str
    rows: tuple[Fact, ...]  # ascending, and empty for a start alone
    ids: tuple[int, ...]  # to acknowledge once the loan has applied the rows
    start: bool


def due(
    connection: Connection, now: datetime, *, older_than: timedelta = PATIENCE, limit: int = 500
) -> tuple[Batch, ...]:
    """What waits longer than `older_than`, a batch per loan, oldest first. `now`: as facts are recorded."""
    batches: dict[tuple[str, str], Batch] = {}
    for row in connection.execute(_DUE, {"before_": now - older_than, "limit_": limit}):
        key = (row.lender, row.loan)
        known = batches.get(key, Batch(*key, (), (), False))
        told = (FACT.validate_json(row.body),) if row.body is not None else ()
        batches[key] = Batch(*key, (*known.rows, *told), (*known.ids, row.id), known.start or row.start)
    return tuple(batches.values())


def pending(connection: Connection) -> int:
    """How many rows no loan has acknowledged yet."""
    return int(connection.execute(_COUNT).scalar_one())


def acknowledge(connection: Connection, ids: Sequence[int]) -> int:
    """Take rows out that their loan has applied; returns how many were still there."""
    if not ids:
        return 0
    return connection.execute(_ACKNOWLEDGE, {"ids_": list(ids)}).rowcount
