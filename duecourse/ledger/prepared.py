"""Core statements that run with every contact, compiled once, and executed by the driver itself.

SQLAlchemy looks a statement up, builds its parameters and a result object anew for each execution; for a read of three
rows that is four times the work of the database. What is typed here is the same: instants, documents, both dialects.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Delete, Insert, Select, Update
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

_Process = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    names: tuple[str, ...]
    processes: tuple[_Process | None, ...]  # in the order of `names`
    literals: Mapping[str, Any]  # parameters that the statement holds itself
    positional: bool
    results: tuple[tuple[int, _Process], ...]  # columns whose values are made of what the driver gives
    row: Callable[[Any], Any]

    def arguments(self, values: Mapping[str, Any]) -> Any:
        given = {**self.literals, **values} if self.literals else values
        if self.positional:
            return tuple(
                given[name] if process is None else process(given[name])
                for name, process in zip(self.names, self.processes, strict=True)
            )
        return {
            name: given[name] if process is None else process(given[name])
            for name, process in zip(self.names, self.processes, strict=True)
        }


class Prepared:
    """One statement. Its parameters are its `bindparam`s; for an insert, the columns, all in each call.

    No lists as parameters, and no column with a default made in Python. What the database refuses is raised as the
    driver's own error.
    """

    __slots__ = ("_columns", "_compiled", "_statement")

    def __init__(self, statement: Select[Any] | Insert | Update | Delete) -> None:
        self._statement = statement
        self._columns = [column.key for column in statement.table.columns] if isinstance(statement, Insert) else None
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """All rows of a select, as named tuples."""
        compiled = self._for(connection.dialect)
        cursor = self._execute(connection, compiled, values)
        found = cursor.fetchall()
        cursor.close()
        if not compiled.results:
            return [compiled.row(row) for row in found]
        made = []
        for row in found:
            fields = list(row)
            for index, process in compiled.results:
                fields[index] = process(fields[index])
            made.append(compiled.row(fields))
        return made

    def first(self, connection: Connection, values: Mapping[str, Any]) -> Any | None:
        """The first row, None without any."""
        found = self.rows(connection, values)
        return found[0] if found else None

    def change(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Run an insert, update or delete; returns how many rows it changed."""
        cursor = self._execute(connection, self._for(connection.dialect), values)
        changed: int = cursor.rowcount
        cursor.close()
        return changed

    def _execute(self, connection: Connection, compiled: _Compiled, values: Mapping[str, Any]) -> Any:
        if not connection.in_transaction():
            # The driver opens a transaction by itself; SQLAlchemy must know of it, or `commit` does nothing.
            connection.begin()
        cursor = connection.connection.cursor()
        cursor.execute(compiled.sql, compiled.arguments(values))
        return cursor

    def _for(self, dialect: Dialect) -> _Compiled:
        known = self._compiled.get(dialect.name)
        if known is None:
            known = self._compiled[dialect.name] = self._compile(dialect)
        return known

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled = self._statement.compile(dialect=dialect, column_keys=self._columns)
        assert isinstance(compiled, SQLCompiler)
        names = tuple(compiled.positiontup or compiled.params)
        binds = compiled.binds
        columns = list(self._statement.selected_columns) if isinstance(self._statement, Select) else []
        results = [
            (index, process)
            for index, column in enumerate(columns)
            if (process := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
        ]
        row: Any = namedtuple("Row", [str(column.key) for column in columns])  # type: ignore[misc]
        return _Compiled(
            sql=str(compiled),
            names=names,
            processes=tuple(binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names),
            literals={name: binds[name].value for name in names if not binds[name].required and not self._columns},
            positional=compiled.positional,
            results=tuple(results),
            row=row._make,
        )
