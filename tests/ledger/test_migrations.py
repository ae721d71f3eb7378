"""The schema that the migrations build is the schema that the code uses."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateTable

from duecourse.errors import InvalidInput, Unavailable
from duecourse.ledger import dialect
from duecourse.ledger.migrations import HEAD
from duecourse.ledger.store import Ledger
from duecourse.ledger.tables import metadata
from tests.ledger.world import Book, scalar

PSYCOPG: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


def test_the_migrations_build_exactly_the_tables_of_the_code(book: Book) -> None:
    with book.ledger.read() as connection:
        assert [] == compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
        assert {*metadata.tables, "alembic_version"} == set(inspect(connection).get_table_names())


def test_the_newest_revision_is_the_one_that_open_waits_for() -> None:
    config = Config()
    config.set_main_option("script_location", "duecourse.ledger:migrations")
    config.set_main_option("path_separator", "os")
    assert [HEAD] == ScriptDirectory.from_config(config).get_heads()


def test_a_ledger_that_is_opened_again_is_as_it_was(book: Book) -> None:
    book.register("A")
    again = Ledger.open(book.url)
    with again.read() as connection:
        assert 1 == scalar(connection, "SELECT count(*) FROM loans")
    again.close()


def test_sqlite_runs_in_wal_with_foreign_keys_and_patience(book: Book) -> None:
    with book.ledger.read() as connection:
        assert "wal" == scalar(connection, "PRAGMA journal_mode")
        assert 1 == scalar(connection, "PRAGMA foreign_keys")
        assert 1 == scalar(connection, "PRAGMA synchronous")
        assert 10_000 == scalar(connection, "PRAGMA busy_timeout")


def test_a_write_transaction_holds_the_write_lock_from_its_first_moment(book: Book) -> None:
    """A deferred transaction would let two readers see the same free slot."""
    import sqlite3

    with book.ledger.write():
        other = sqlite3.connect(book.url.removeprefix("sqlite:///"), timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_a_lock_that_somebody_keeps_is_named_as_such(book: Book) -> None:
    other = dialect.create(book.url)
    with book.ledger.write(), pytest.raises(Unavailable, match="write lock"), dialect.writing(other, timedelta(0)):
        pass
    with other.connect() as connection:  # its connection waits again as every other
        assert 10_000 == scalar(connection, "PRAGMA busy_timeout")
    other.dispose()


def test_several_processes_may_open_a_new_ledger_at_once(tmp_path: Path) -> None:
    code = f"from duecourse.ledger.store import Ledger; Ledger.open('sqlite:///{tmp_path}/new.db').close()"
    running = [
        subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
        for _ in range(4)
    ]
    assert [(0, "")] * 4 == [(one.wait(60), one.communicate()[1]) for one in running]


def test_postgresql_understands_the_tables() -> None:
    for table in metadata.sorted_tables:
        ddl = str(CreateTable(table).compile(dialect=PSYCOPG))
        assert "CREATE TABLE" in ddl
        assert "ROWID" not in ddl


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "nonsense"])
def test_what_is_no_ledger_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(InvalidInput, match="sqlite:///"):
        Ledger.open(url)


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("these are not the bytes of a database\n" * 50)
    with pytest.raises(Unavailable, match="cannot be opened"):
        Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
