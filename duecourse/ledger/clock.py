"""The book clock: how far the book's time is ahead of the real time. 0 in production, always.

Only a ledger made for the sandbox has a clock that moves: it is how months pass in a demo, with all open
loans in lockstep. Real time is passed in; nothing here reads a clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, insert, select, update

from duecourse.errors import InvalidInput, NotAllowed
from duecourse.ledger.columns import instant_text
from duecourse.ledger.tables import clock

_OFFSET = select(clock.c.offset_seconds, clock.c.movable)
_MOVE = update(clock).values(offset_seconds=bindparam("seconds"))


def create(connection: Connection, *, movable: bool) -> None:
    """Set the clock of a new ledger to real time."""
    connection.execute(insert(clock), {"id": 1, "offset_seconds": 0, "movable": movable})


def book_offset(connection: Connection) -> timedelta:
    """What to add to real time to get business time."""
    return timedelta(seconds=connection.execute(_OFFSET).one().offset_seconds)


def move(connection: Connection, to: datetime, real_now: datetime) -> timedelta:
    """Move the book's time forward to `to`; returns the new offset. Both are aware instants.

    Raises:
        NotAllowed: the ledger was not made for the sandbox.
        InvalidInput: `to` lies in the book's past.
    """
    row = connection.execute(_OFFSET).one()
    if not row.movable:
        raise NotAllowed("the book clock moves only in a ledger that was made for the sandbox")
    seconds = -((real_now - to) // timedelta(seconds=1))
    if seconds < row.offset_seconds:
        raise InvalidInput("to", instant_text(to), "an instant after the book's present time: time never goes back")
    connection.execute(_MOVE, {"seconds": seconds})
    return timedelta(seconds=seconds)
