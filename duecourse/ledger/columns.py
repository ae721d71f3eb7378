"""Column types that neither database gets wrong: instants and documents.

Instants are stored as fixed-width UTC text, so that they sort as they happened in SQLite and PostgreSQL
alike and a person can read them. A naive datetime is refused: it would mean another moment on each machine.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from duecourse.errors import InvalidInput


def instant_text(value: datetime) -> str:
    """`2026-03-01T08:00:00.000000Z`. Raises InvalidInput for a naive datetime."""
    if value.tzinfo is None:
        raise InvalidInput("instant", value.isoformat(), "a datetime with a time zone")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class Instant(TypeDecorator[datetime]):
    """An aware datetime in, an aware UTC datetime out."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else instant_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class Document(TypeDecorator[Any]):
    """A JSON document as text with sorted keys, so that equal contents are equal bytes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)
