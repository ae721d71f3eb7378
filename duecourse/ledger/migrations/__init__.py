"""The ledger's schema over time. Alembic is loaded only when there is something to do."""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError, ProgrammingError

HEAD = "0001"
_VERSION = text("SELECT version_num FROM alembic_version")


def version_of(connection: Connection) -> str | None:
    """The schema's revision; None for an empty database."""
    nested = connection.begin_nested()  # PostgreSQL would refuse everything after a failed question
    try:
        found: str | None = connection.execute(_VERSION).scalar()
    except (OperationalError, ProgrammingError):
        nested.rollback()
        return None
    nested.commit()
    return found


def upgrade(connection: Connection) -> None:
    """Bring the schema to HEAD inside the connection's own transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "duecourse.ledger:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
