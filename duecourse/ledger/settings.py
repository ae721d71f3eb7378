"""The switches that each reservation reads: pause-all, and which packs are in force; and when duties were swept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select

from duecourse.ledger.columns import instant_text
from duecourse.ledger.tables import settings

PAUSED = "paused_since"
PACKS = "packs"
SHIPPED = "shipped"
SWEPT = "duties_swept_at"

_GET = select(settings.c.value).where(settings.c.key == bindparam("name"))
_DROP = delete(settings).where(settings.c.key == bindparam("name"))


def get(connection: Connection, name: str) -> str | None:
    value: str | None = connection.execute(_GET, {"name": name}).scalar()
    return value


def put(connection: Connection, name: str, value: str) -> None:
    connection.execute(_DROP, {"name": name})
    connection.execute(insert(settings), {"key": name, "value": value})


def pause_all(connection: Connection, now: datetime) -> datetime:
    """Stop every send of every lender; returns since when. Reservations made before may still go out."""
    since = get(connection, PAUSED)
    if since is None:
        put(connection, PAUSED, instant_text(now))
        return now
    return datetime.fromisoformat(since)


def resume_all(connection: Connection) -> None:
    """Let sends go on."""
    connection.execute(_DROP, {"name": PAUSED})


def paused_since(connection: Connection) -> datetime | None:
    since = get(connection, PAUSED)
    return None if since is None else datetime.fromisoformat(since)
