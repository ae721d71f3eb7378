"""Statements that the driver runs by itself mean what SQLAlchemy would make of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, MetaData, Table, Text, bindparam, create_engine, insert, or_, select, update
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from duecourse.errors import InvalidInput
from duecourse.ledger import dialect
from duecourse.ledger.columns import Document, Instant
from duecourse.ledger.prepared import Prepared

things = Table(
    "things",
    MetaData(),
    Column("id", Text, primary_key=True),
    Column("try", Text, key="number"),
    Column("at", Instant),
    Column("body", Document),
    Column("state", Text),
)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADD = Prepared(insert(things))
ALL = Prepared(select(things).order_by(things.c.id))
MOVE = Prepared(
    update(things)
    .where(things.c.id == bindparam("id_"), or_(things.c.state == "new", things.c.state == "open"))
    .values(state="done", at=bindparam("at_"))
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = dialect.create(f"sqlite:///{tmp_path}/things.db")
    things.create(engine)
    with dialect.writing(engine) as opened:
        yield opened
    engine.dispose()


def thing(name: str, **changes: object) -> dict[str, object]:
    return {"id": name, "number": "1", "at": NOON, "body": {"b": 1, "a": [2]}, "state": "new", **changes}


def test_values_come_back_as_the_types_of_their_columns(connection: Connection) -> None:
    ADD.change(connection, thing("a", at=NOON.astimezone(timezone(timedelta(hours=8)))))
    ADD.change(connection, thing("b", at=None, body=None))
    one, other = ALL.rows(connection, {})
    assert ("a", "1", NOON, {"a": [2], "b": 1}, "new") == tuple(one)
    assert (None, None) == (other.at, other.body)
    assert [tuple(one), tuple(other)] == [tuple(row) for row in connection.execute(select(things))]


def test_an_insert_and_a_select_know_a_column_by_its_key(connection: Connection) -> None:
    ADD.change(connection, thing("a", number="7"))
    row = ALL.first(connection, {})
    assert row is not None
    assert "7" == row.number


def test_literals_of_the_statement_stand_beside_its_parameters(connection: Connection) -> None:
    ADD.change(connection, thing("a"))
    assert 1 == MOVE.change(connection, {"id_": "a", "at_": NOON + timedelta(hours=1)})
    assert 0 == MOVE.change(connection, {"id_": "a", "at_": NOON})  # it is done by now
    row = ALL.first(connection, {})
    assert row is not None
    assert ("done", NOON + timedelta(hours=1)) == (row.state, row.at)


def test_a_naive_instant_is_refused_as_everywhere(connection: Connection) -> None:
    with pytest.raises(InvalidInput):
        ADD.change(connection, thing("a", at=NOON.replace(tzinfo=None)))


def test_a_parameter_that_is_left_out_is_an_error_and_not_a_null(connection: Connection) -> None:
    with pytest.raises(KeyError):
        ADD.change(connection, {"id": "a"})
    with pytest.raises(KeyError):
        MOVE.change(connection, {"id_": "a"})


def test_a_transaction_that_begins_with_a_prepared_statement_is_committed(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/driver.db")  # the driver opens the transaction, as for PostgreSQL
    things.create(engine)
    with engine.connect() as connection:
        ADD.change(connection, thing("a"))
        connection.commit()
    with engine.connect() as connection:
        assert 1 == len(ALL.rows(connection, {}))
    engine.dispose()


def test_postgresql_gets_named_parameters_and_the_same_literals() -> None:
    compiled = MOVE._compile(PGDialect_psycopg())  # type: ignore[no-untyped-call]
    assert not compiled.positional
    arguments = compiled.arguments({"id_": "a", "at_": NOON})
    assert {"a", "2026-03-01T12:00:00.000000Z", "new", "open", "done"} == set(arguments.values())
    for name in arguments:
        assert f"%({name})s" in compiled.sql
