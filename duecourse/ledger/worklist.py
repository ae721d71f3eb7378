"""Calls to make and letters to post: contacts that a person carries out, with the words frozen beside them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select

from duecourse.channels.worklist import OpenTask
from duecourse.ledger.store import Ledger
from duecourse.ledger.tables import worklist

_KNOWN = select(worklist.c.contact).where(worklist.c.contact == bindparam("contact_"))


def open_task(connection: Connection, contact: str, channel: str, at: datetime) -> None:
    """Put a contact on the worklist, once; `at` is business time, aware UTC."""
    if connection.execute(_KNOWN, {"contact_": contact}).first() is None:
        connection.execute(insert(worklist), {"contact": contact, "channel": channel, "opened_at": at})


def worklist_of(ledger: Ledger) -> OpenTask:
    """What the worklist adapter calls. The text stands in the ledger already, frozen with the contact."""

    async def open_in_ledger(contact_id: str, channel: str, text: str, language: str, at: datetime) -> None:
        await ledger.transacting(open_task, contact_id, channel, at)

    return open_in_ledger
