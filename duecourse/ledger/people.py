"""Facts of a person: consents, opt-outs and holds that cover all their loans, present and future.

A person's fact enters through one loan and becomes one row in each other loan of the debtor; a loan that
is registered later begins with what is still in force. Closed loans get the row too, without being told: a
reversal may open them again, and their hold or opt-out must then be there.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from duecourse.ledger.tables import consents, holds, loans
from duecourse.loans.facts import (
    PERSON_KINDS,
    ConsentGiven,
    Fact,
    HoldLifted,
    HoldPlaced,
    OptOut,
)

_CONSENTS = (
    select(consents)
    .where(consents.c.lender == bindparam("lender_"), consents.c.borrower == bindparam("borrower_"))
    .order_by(consents.c.at, consents.c.fact)
)
_HOLDS = (
    select(holds.c.hold, holds.c.fact, holds.c.placed, holds.c.lifted)
    .where(holds.c.lender == bindparam("lender_"), holds.c.borrower == bindparam("borrower_"))
    .order_by(holds.c.hold)
)
_OTHERS = (
    select(loans.c.id, loans.c.closed_at)
    .where(
        loans.c.lender == bindparam("lender_"),
        loans.c.debtor == bindparam("borrower_"),
        loans.c.id != bindparam("loan_"),
    )
    .order_by(loans.c.id)
)
_LIFT = (
    update(holds)
    .where(
        holds.c.lender == bindparam("lender_"),
        holds.c.borrower == bindparam("borrower_"),
        holds.c.hold == bindparam("hold_"),
    )
    .values(lifted=bindparam("lifted_"))
)


def covers_person(fact: Fact, person_holds: frozenset[str]) -> bool:
    """Whether a fact is the person's, not only the loan's."""
    match fact:
        case HoldPlaced(scope="person"):
            return True
        case HoldLifted():
            return fact.hold in person_holds
        case _:
            return fact.kind in PERSON_KINDS


def hold_ids(connection: Connection, lender: str, borrower: str) -> frozenset[str]:
    """The ids of the person's own holds, lifted ones included."""
    return frozenset(row.hold for row in connection.execute(_HOLDS, {"lender_": lender, "borrower_": borrower}))


def other_loans(connection: Connection, lender: str, borrower: str, besides: str) -> dict[str, bool]:
    """The debtor's other loans, ids ascending, and whether each is open."""
    found = connection.execute(_OTHERS, {"lender_": lender, "borrower_": borrower, "loan_": besides})
    return {row.id: row.closed_at is None for row in found}


def write(connection: Connection, lender: str, borrower: str, fact: Fact) -> None:
    """Keep a person's fact for the gate and for loans to come."""
    match fact:
        case ConsentGiven() | OptOut():
            connection.execute(
                insert(consents),
                {
                    "lender": lender,
                    "borrower": borrower,
                    "fact": fact.id,
                    "channel": fact.channel,
                    "contact_point": fact.contact_point,
                    "state": "given" if isinstance(fact, ConsentGiven) else "revoked",
                    "at": fact.at,
                    **terms_of(fact),
                },
            )
        case HoldPlaced():
            connection.execute(
                insert(holds),
                {
                    "lender": lender,
                    "borrower": borrower,
                    "hold": fact.hold,
                    "fact": fact.id,
                    "placed": _text(fact),
                    "lifted": "",
                },
            )
        case HoldLifted():
            connection.execute(
                _LIFT, {"lender_": lender, "borrower_": borrower, "hold_": fact.hold, "lifted_": _text(fact)}
            )
        case _:
            raise ValueError(f"a {fact.kind} is not a person's fact")


def terms_of(fact: ConsentGiven | OptOut) -> dict[str, str]:
    """What a consent or its end is about, as the table has it."""
    terms = {"about": fact.about or "contact", "loans": "", "until": "", "form": ""}
    if isinstance(fact, ConsentGiven):
        terms["loans"] = " ".join(fact.loans or ())
        terms["until"] = "" if fact.until is None else fact.until.isoformat()
        terms["form"] = fact.form or ""
    return terms


def derived(fact: Fact, lender: str, borrower: str) -> Fact:
    """The same fact for another loan of the person: its own id, no sequence yet."""
    digest = hashlib.sha256(f"{lender}|{borrower}|{fact.id}".encode()).hexdigest()
    return fact.model_copy(update={"id": f"person/{digest[:32]}", "loan_seq": None})


def in_force(connection: Connection, lender: str, borrower: str, today: date) -> tuple[Fact, ...]:
    """What a new loan of the person begins with: the last word on each channel, and holds that still stand."""
    key = {"lender_": lender, "borrower_": borrower}
    last: dict[tuple[str, str, str, str], ConsentGiven | OptOut] = {}
    for row in connection.execute(_CONSENTS, key):
        last[row.channel, row.contact_point, row.about, row.loans] = _word(row)
    standing: list[Fact] = list(last.values())
    for hold in connection.execute(_HOLDS, key):
        placed = HoldPlaced.model_validate_json(hold.placed)
        lifted = HoldLifted.model_validate_json(hold.lifted) if hold.lifted else None
        if (placed.ends is not None and placed.ends <= today) or (lifted is not None and lifted.on <= today):
            continue
        standing.append(placed)
    return tuple(derived(fact, lender, borrower) for fact in standing)


def _word(row: Row[Any]) -> ConsentGiven | OptOut:
    """The fact that a row of consents was made of."""
    fields: dict[str, Any] = {
        "id": row.fact,
        "at": row.at,
        "channel": row.channel,
        "contact_point": row.contact_point,
        "about": None if row.about == "contact" else row.about,
    }
    if row.state == "revoked":
        return OptOut.model_validate(fields)
    terms = {"loans": row.loans.split() or None, "until": row.until or None, "form": row.form or None}
    return ConsentGiven.model_validate(fields | terms)


def _text(fact: Fact) -> str:
    return fact.model_dump_json(exclude={"loan_seq"}, exclude_none=True)
