"""Tasks for a person from what came in: replies to read, and reported facts to mend.

A task may hold optional messages back. Its holds are facts like any other, and end with it; holds for a dispute,
hardship or a lawyer are not the task's: they stand until somebody lifts them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from duecourse.errors import Conflict, NotFound
from duecourse.ledger.dossier import read_dossier
from duecourse.ledger.facts import record
from duecourse.ledger.tables import inbox
from duecourse.loans.facts import Cause, HoldLifted, HoldPlaced

LAST_ZONE = timedelta(hours=12)  # where a date begins last

_OPEN = select(inbox).where(inbox.c.closed_at.is_(None)).order_by(inbox.c.opened_at, inbox.c.id)
_BY_ID = select(inbox).where(inbox.c.id == bindparam("id_"))
_BAD = select(inbox).where(
    inbox.c.kind == "bad_row",
    inbox.c.lender == bindparam("lender_"),
    inbox.c.row == bindparam("row_"),
)
_CLOSE = (
    update(inbox)
    .where(inbox.c.id == bindparam("id_"), inbox.c.closed_at.is_(None))
    .values(closed_at=bindparam("at_"), closed_by=bindparam("by_"))
)


@dataclass(frozen=True, slots=True)
class InboxTask:
    """One task. `text` is personal where `kind` is reply: shown to a person, never logged."""

    id: str
    kind: Literal["reply", "bad_row"]
    lender: str
    borrower: str
    loan: str
    channel: str
    about: str
    text: str
    row: str
    holds: tuple[tuple[str, str], ...]  # loan, hold
    opened_at: datetime
    closed_at: datetime | None


def open_inbox(connection: Connection) -> tuple[InboxTask, ...]:
    """The tasks that wait, oldest first."""
    return tuple(_task(row) for row in connection.execute(_OPEN))


def put(connection: Connection, task: InboxTask, rules: str = "") -> None:
    """Open one task. Its id must be new."""
    connection.execute(
        insert(inbox),
        {
            "id": task.id,
            "kind": task.kind,
            "lender": task.lender,
            "borrower": task.borrower,
            "loan": task.loan,
            "channel": task.channel,
            "about": task.about,
            "text": task.text,
            "rules": rules,
            "row": task.row,
            "holds": dict(task.holds),
            "opened_at": task.opened_at,
            "closed_by": "",
        },
    )


def close(connection: Connection, id: str, by: str, now: datetime) -> tuple[str, ...]:
    """Close a task and lift what it holds back; returns the loans that hear of it through the outbox.

    Raises NotFound; Conflict where it is closed already.
    """
    found = connection.execute(_BY_ID, {"id_": id}).first()
    if found is None:
        raise NotFound("task", id, "list them: starter.py inbox list")
    task = _task(found)
    if task.closed_at is not None:
        raise Conflict(f"task {id} is closed already")
    connection.execute(_CLOSE, {"id_": id, "at_": now, "by_": by})
    told: set[str] = set()
    for loan, hold in task.holds:
        told.update(_lift(connection, task.lender, loan, hold, now))
    return tuple(sorted(told))


def mend(connection: Connection, lender: str, loan: str, row: str, now: datetime) -> None:
    """Close the tasks of bad rows with that id: a good one has come."""
    for found in connection.execute(_BAD, {"lender_": lender, "row_": row}).all():
        task = _task(found)
        if task.closed_at is None and (task.loan == loan or not task.holds):
            close(connection, task.id, "mended", now)


def note_bad_row(
    connection: Connection, lender: str, loan: str, row: str, field: str, reason: str, now: datetime
) -> InboxTask:
    """Put a row that could not be taken before a person, and pause the optional rungs of the loan that it names.

    `lender` and `loan` as they stand in the row; `loan` may be unknown, and then nothing pauses. One task per row,
    however often it comes.
    """
    earlier = [_task(one) for one in connection.execute(_BAD, {"lender_": lender, "row_": row})]
    for one in earlier:
        if one.closed_at is None and one.loan == loan:
            return one
    name = hashlib.sha256(f"{lender}|{loan}|{row}|{len(earlier)}".encode()).hexdigest()[:24]
    held = hold(connection, lender, loan, f"unreadable/{name}", "unreadable_fact", "debt", now)
    task = InboxTask(
        f"bad-{name}", "bad_row", lender, "", loan, "", field, reason, row, ((loan, held),) if held else (), now, None
    )
    put(connection, task)
    return task


def hold(
    connection: Connection,
    lender: str,
    loan: str,
    id: str,
    cause: Cause,
    scope: Literal["debt", "person"],
    now: datetime,
) -> str | None:
    """Place a hold on an open loan, or through it on the person; None where the loan is unknown or closed."""
    try:
        dossier = read_dossier(connection, lender, loan)
    except NotFound:
        return None
    if dossier.loan.closed():
        return None
    # From the day that has begun wherever the borrower may be: the lender's books may be a day ahead.
    begins = min((now.astimezone(UTC) - LAST_ZONE).date(), dossier.loan.terms.book_date(now))
    disbursed = dossier.loan.terms.disbursed_on
    fact = HoldPlaced(
        id=id,
        at=now,
        hold=id,
        cause=cause,
        scope=scope,
        starts=max(begins, disbursed) if disbursed else begins,
        days="counted",
    )
    record(connection, lender, loan, fact, now)
    return id


def _lift(connection: Connection, lender: str, loan: str, hold: str, now: datetime) -> tuple[str, ...]:
    dossier = read_dossier(connection, lender, loan)
    if hold in dossier.loan.lifted or dossier.loan.closed():
        return ()
    lift = HoldLifted(id=f"{hold}/lifted", at=now, hold=hold, on=dossier.loan.terms.book_date(now))
    return (loan, *record(connection, lender, loan, lift, now).others)


def _task(row: Row[tuple[object, ...]]) -> InboxTask:
    return InboxTask(
        row.id,
        row.kind,
        row.lender,
        row.borrower,
        row.loan,
        row.channel,
        row.about,
        row.text,
        row.row,
        tuple(row.holds.items()),
        row.opened_at,
        row.closed_at,
    )
