"""A ledger that is open: connections, transactions, and how asyncio calls them.

A SQLite transaction here takes about a millisecond of pure work, and a hop to a thread and back costs more than that,
since the two take turns at one interpreter lock. So `transacting` and `consulting` work where they are called, and
wait for nobody there: where another process holds the lock, the work moves to the ledger's own thread and waits in it.
One such thread per process: with several, SQLite's busy handler backs off in growing sleeps, and a send waits behind
ledger traffic that takes no time itself. A database behind a network is always asked from a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, Self, TypeVar

from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import DatabaseError

from duecourse.errors import Unavailable
from duecourse.ledger import clock, dialect, published
from duecourse.ledger.migrations import HEAD, upgrade, version_of

P = ParamSpec("P")
T = TypeVar("T")


class Ledger:
    """The ledger of one or more lenders. Safe to share between threads; for asyncio: `transacting`, `consulting`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._in_process = engine.dialect.name == "sqlite"
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")

    @classmethod
    def open(cls, url: str, *, sandbox: bool = False) -> Self:
        """Open `sqlite:///FILE` (made and upgraded as needed) or `postgresql+psycopg://...`.

        `sandbox` makes the book clock of a *new* ledger movable; an existing ledger stays what it is.

        Raises:
            InvalidInput: the address is no ledger's.
            Unavailable: the database cannot be reached or opened, or awaits a migration.
        """
        engine = dialect.create(url)
        if engine.dialect.name == "sqlite" and engine.url.database:
            Path(engine.url.database).expanduser().parent.mkdir(parents=True, exist_ok=True)
        ledger = cls(engine)
        try:
            ledger._make_ready(sandbox)
        except DatabaseError as error:
            ledger.close()
            raise Unavailable(f"the ledger at {engine.url!r} cannot be opened: {error.orig}") from error
        except BaseException:
            ledger.close()
            raise
        return ledger

    def _make_ready(self, sandbox: bool) -> None:
        with self.read() as connection:
            if version_of(connection) == HEAD and published.is_complete(connection):
                return
        with self.write() as connection:  # looked at again under the lock: two processes may open a new file
            if version_of(connection) != HEAD:
                fresh = not inspect(connection).has_table("loans")
                upgrade(connection)
                if fresh:
                    clock.create(connection, movable=sandbox)
            published.complete(connection)

    def read(self) -> AbstractContextManager[Connection]:
        """A read transaction: one state of the ledger, however many questions."""
        return dialect.reading(self._engine)

    def write(self) -> AbstractContextManager[Connection]:
        """A write transaction, opened by BEGIN IMMEDIATE; committed at the end, rolled back on any error."""
        return dialect.writing(self._engine)

    def transact(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `work(connection, ...)` in a write transaction of its own."""
        with self.write() as connection:
            return work(connection, *args, **kwargs)

    def consult(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `work(connection, ...)` in a read transaction of its own."""
        with self.read() as connection:
            return work(connection, *args, **kwargs)

    async def transacting(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`transact` for asyncio, e.g. `await ledger.transacting(reserve, ask, now)`; never waits on the event loop."""
        if self._in_process:
            try:
                with dialect.writing(self._engine, timedelta(0)) as connection:
                    return work(connection, *args, **kwargs)
            except dialect.Busy:
                pass  # nothing was begun
        return await self._in_thread(partial(self.transact, work, *args, **kwargs))

    async def consulting(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`consult` for asyncio. A reader of SQLite waits for no writer."""
        if self._in_process:
            return self.consult(work, *args, **kwargs)
        return await self._in_thread(partial(self.consult, work, *args, **kwargs))

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, call)

    def close(self) -> None:
        """Finish what is under way and let go of the database."""
        self._writer.shutdown(wait=True)
        self._engine.dispose()
