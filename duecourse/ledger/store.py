"""A ledger that is open: connections, transactions, and one thread that writes.

One writer per process: with several, SQLite's busy handler backs off in growing sleeps, and a send waits
behind ledger traffic that takes no time itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
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
    """The ledger of one or more lenders. Safe to share between threads; see `run` for asyncio."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
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

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `work(...)` on the ledger's own thread, e.g. `await ledger.run(ledger.transact, reserve, ask, now)`."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, partial(work, *args, **kwargs))

    def close(self) -> None:
        """Finish what is under way and let go of the database."""
        self._writer.shutdown(wait=True)
        self._engine.dispose()
