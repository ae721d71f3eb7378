"""Facts that a lender's core system reports, row by row: a good one is taken, a bad one is named and pauses its loan.

One bad row must not get a payer dunned: what it said is not known, so the optional rungs of the loan that it names
wait until it is mended, by a good row with the same id or by a person.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from sqlalchemy import Connection

from duecourse.errors import Conflict, DuecourseError, InvalidInput, NotFound
from duecourse.ledger import inbox
from duecourse.ledger.facts import Recorded, record
from duecourse.loans.facts import (
    Closed,
    ConsentGiven,
    HoldLifted,
    HoldPlaced,
    OptOut,
    Payment,
    Promise,
    Reversal,
    ScheduleChanged,
)
from duecourse.loans.terms import Identifier

Reported = Annotated[
    Payment | Reversal | HoldPlaced | HoldLifted | ConsentGiven | OptOut | Promise | ScheduleChanged | Closed,
    Field(discriminator="kind"),
]
OURS: Final = ("reply/", "unreadable/")
"""Facts whose ids begin so are made here, and no other system may report them."""

_FACT: Final[TypeAdapter[Reported]] = TypeAdapter(Reported)


class _Address(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    lender: Identifier
    loan: Identifier


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a row was not taken. `paused`: the optional rungs of its loan wait until `task` is closed."""

    lender: str
    loan: str
    row: str
    field: str
    reason: str
    task: str
    paused: bool


def take_reported(connection: Connection, row: object, now: datetime) -> Recorded | Refused:
    """Let one reported row in; the same again changes nothing. `now`: business time, aware UTC.

    A row is an object with `lender`, `loan` and the fields of a fact. Its refusal is recorded too, so the caller
    commits in either case.
    """
    lender, loan, id = _named(row)
    try:
        with connection.begin_nested():
            fact, lender, loan = _read(row)
            taken = record(connection, lender, loan, fact, now)
            inbox.mend(connection, lender, loan, fact.id, now)
            return taken
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        names = [str(part) for part in first["loc"] if part not in _KINDS]
        field, reason = ".".join(names) or "kind", str(first["msg"])
    except InvalidInput as error:
        field, reason = error.field, f"expected {error.expected}"
    except NotFound as error:
        field, reason = error.what, str(error)
    except Conflict as error:
        field, reason = "id", str(error)
    except DuecourseError as error:
        field, reason = "kind", str(error)
    task = inbox.note_bad_row(connection, lender, loan, id, field, reason, now)
    return Refused(lender, loan, id, field, reason, task.id, bool(task.holds))


_KINDS: Final = frozenset(
    {
        "payment",
        "reversal",
        "hold_placed",
        "hold_lifted",
        "consent",
        "opt_out",
        "promise",
        "schedule_changed",
        "closed",
    }
)


def _read(row: object) -> tuple[Reported, str, str]:
    if not isinstance(row, dict):
        raise InvalidInput("row", type(row).__name__, "an object with lender, loan, id, kind and at")
    address = _Address.model_validate(row)
    fact = _FACT.validate_python({name: value for name, value in row.items() if name not in ("lender", "loan")})
    if fact.id.startswith(OURS):
        raise InvalidInput("id", fact.id, f"an id that does not begin with {' or '.join(OURS)}")
    return fact, address.lender, address.loan


def _named(row: object) -> tuple[str, str, str]:
    """Lender, loan and id as the row states them; an id made from its content where it states none."""
    given: dict[Any, Any] = row if isinstance(row, dict) else {}
    lender, loan, id = (_short(given.get(name)) for name in ("lender", "loan", "id"))
    return lender, loan, id or f"row-{hashlib.sha256(repr(row).encode()).hexdigest()[:24]}"


def _short(value: object) -> str:
    return value[:128] if isinstance(value, str) else ""
