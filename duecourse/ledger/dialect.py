"""Where SQLite and PostgreSQL differ: how a transaction opens, and how a person and a loan are locked."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from duecourse.errors import InvalidInput, Unavailable
from duecourse.ledger.tables import parties

PATIENCE = timedelta(seconds=10)
"""How long a transaction waits for the write lock of another."""
CACHE_KIB = 32 * 1024
CHECKPOINT_PAGES = 4000  # each checkpoint waits for the disk twice, and the write after it waits with it
_MILLISECOND = timedelta(milliseconds=1)
_LOCK = text("SELECT pg_advisory_xact_lock(:key)")
_PARTIES = select(parties.c.borrower).where(parties.c.lender == text(":lender"), parties.c.loan == text(":loan"))


class Busy(Unavailable):
    """Somebody else kept the write lock for longer than this engine waits. Nothing was begun."""


def create(url: str) -> Engine:
    """An engine for a `sqlite:///FILE` or `postgresql+psycopg://...` address. Opens nothing yet."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InvalidInput("ledger", url, "an address such as sqlite:///.duecourse/ledger.db") from None
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            waits = {"timeout": PATIENCE.total_seconds(), "check_same_thread": False}
            # The last used first: a connection that has not seen the newest writes must read all its pages again.
            engine = create_engine(parsed, connect_args=waits, pool_use_lifo=True)
            event.listen(engine, "connect", _prepare_sqlite)
            return engine
        case "postgresql":
            try:
                return create_engine(parsed, isolation_level="READ COMMITTED", pool_pre_ping=True)
            except ModuleNotFoundError as missing:
                raise Unavailable(f"PostgreSQL needs the driver {missing.name}: pip install psycopg[binary]") from None
        case _:
            raise InvalidInput(
                "ledger", url, "sqlite:///FILE or postgresql+psycopg://...; a ledger in memory cannot be shared"
            )


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver would open deferred transactions by itself: two readers then both see the free slot
    # of a cap, and both take it.
    connection.isolation_level = None
    cursor = connection.cursor()
    if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    cursor.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A read transaction: one state of the ledger, however many questions."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            _begin_sqlite(connection, "BEGIN")
        else:
            connection.execution_options(isolation_level="REPEATABLE READ")
        try:
            yield connection
        finally:
            connection.rollback()


@contextmanager
def writing(engine: Engine, patience: timedelta = PATIENCE) -> Iterator[Connection]:
    """A write transaction, committed at its end. In SQLite it holds the only write lock from its start.

    Raises Busy where that lock was not free within `patience`.
    """
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            try:
                if patience == PATIENCE:
                    _begin_sqlite(connection, "BEGIN IMMEDIATE")
                else:
                    _begin_within(connection, patience)
            except sqlite3.OperationalError as busy:
                raise Busy(
                    f"another process keeps the ledger's write lock ({busy}); "
                    "nothing was written: try again, and look for a process that hangs"
                ) from busy
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.commit()


def _begin_sqlite(connection: Connection, statement: str) -> None:
    # By the driver itself: SQLAlchemy would spend on this sentence as much as on a query, with each transaction.
    connection.begin()
    driver: Any = connection.connection.driver_connection
    driver.execute(statement)


def _begin_within(connection: Connection, patience: timedelta) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA busy_timeout = {patience // _MILLISECOND}").close()
    try:
        _begin_sqlite(connection, "BEGIN IMMEDIATE")
    finally:  # the connection goes back to those who wait
        driver.execute(f"PRAGMA busy_timeout = {PATIENCE // _MILLISECOND}").close()


def lock(connection: Connection, lender: str, loan: str) -> None:
    """Lock all borrowers of the loan, ids ascending, then the loan, until the transaction ends.

    SQLite holds its one write lock already.
    """
    if connection.dialect.name == "sqlite":
        return
    found = connection.execute(_PARTIES, {"lender": lender, "loan": loan}).scalars().all()
    lock_people(connection, lender, found)
    connection.execute(_LOCK, {"key": _key("loan", lender, loan)})


def lock_people(connection: Connection, lender: str, borrowers: Iterable[str]) -> None:
    """Lock these people, ids ascending, so that two transactions never wait for each other."""
    if connection.dialect.name == "sqlite":
        return
    for borrower in sorted(borrowers):
        connection.execute(_LOCK, {"key": _key("borrower", lender, borrower)})


def _key(kind: str, lender: str, name: str) -> int:
    digest = hashlib.sha256(f"{kind}|{lender}|{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
