"""Notices that no step of a ladder will serve in time: what a person must see to, and by when.

A loan's own rungs carry their notices, and hand them to a person when no channel is left. What is looked for here is
the rest: a notice that no rung carries, or one too late; one that was still not served on the day on which a person
takes over; one of which nobody knows whether it is owed. A sweep looks at each loan every hour of business time, since
a duty arises by the calendar alone too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from pydantic import TypeAdapter
from sqlalchemy import Connection, bindparam, insert, or_, select, tuple_, update

from duecourse.compliance.local_time import zone_named
from duecourse.compliance.obligations import due_notices
from duecourse.compliance.verdict import Obligation
from duecourse.errors import InvalidInput
from duecourse.ledger import settings
from duecourse.ledger.cases import case_of_act
from duecourse.ledger.columns import instant_text
from duecourse.ledger.dossier import Dossier, read_dossier
from duecourse.ledger.tables import duties, loans

EVERY = timedelta(hours=1)
PAGE = 25  # loans that are looked at in one read: a worker that sends waits for it
AFTER_CLOSE = timedelta(days=62)  # a notice of what was reported before the loan was paid is still owed

Why = Literal["no_step", "step_too_late", "not_served", "unknown"]


@dataclass(frozen=True, slots=True)
class Duty:
    """A notice that a person must see to. Dates are the borrower's; `latest` is the last day on which it may be served.

    `why`: no rung of the ladder carries it; its rung falls due too late; the day has come on which a person takes over;
    a fact (`unknown`: history | milestones | holds) without which nobody can say whether it is owed.
    """

    rule: str
    citation: str
    forms: tuple[str, ...]
    proof: str
    latest: date | None
    task_by: date | None
    why: Why
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class OpenDuty:
    """A duty of one loan, as it stands since `opened_at` (business time, aware UTC)."""

    lender: str
    loan: str
    duty: Duty
    opened_at: datetime


LoanKey = tuple[str, str]

_DUTY: TypeAdapter[Duty] = TypeAdapter(Duty)
_STORED = select(duties.c.rule, duties.c.body, duties.c.settled_at).where(
    duties.c.lender == bindparam("lender_"), duties.c.loan == bindparam("loan_")
)
_ONE = (
    (duties.c.lender == bindparam("lender_"))
    & (duties.c.loan == bindparam("loan_"))
    & (duties.c.rule == bindparam("rule_"))
)
_SETTLE = update(duties).where(_ONE).values(settled_at=bindparam("at_"))
_CHANGE = update(duties).where(_ONE).values(body=bindparam("body_"))
_REOPEN = update(duties).where(_ONE).values(body=bindparam("body_"), opened_at=bindparam("at_"), settled_at=None)
_OPEN = (
    select(duties.c.lender, duties.c.loan, duties.c.body, duties.c.opened_at)
    .where(duties.c.settled_at.is_(None))
    .order_by(duties.c.opened_at, duties.c.lender, duties.c.loan, duties.c.rule)
)
_PAGE = (
    select(loans.c.lender, loans.c.id)
    .where(
        tuple_(loans.c.lender, loans.c.id) > tuple_(bindparam("lender_"), bindparam("loan_")),
        or_(loans.c.closed_at.is_(None), loans.c.closed_at >= bindparam("since_")),
    )
    .order_by(loans.c.lender, loans.c.id)
    .limit(PAGE)
)


def duties_of(dossier: Dossier, now: datetime) -> tuple[Duty, ...]:
    """What a person must see to for one loan, as of now (business time, aware UTC), by deadline."""
    case = case_of_act(dossier, now)
    try:
        owed = due_notices(case, dossier.packs) if case.packs else ()
    except InvalidInput:  # a pack that the lender names and the ledger lacks: each verdict says so and sends nothing
        return ()
    found = [(one, _why(dossier, one, now)) for one in owed]
    return tuple(
        Duty(one.rule, one.citation, one.forms, one.proof, one.latest, one.task_by, why, one.unknown)
        for one, why in found
        if why is not None
    )


def open_duties(connection: Connection) -> list[OpenDuty]:
    """What waits for a person, the oldest first."""
    return [
        OpenDuty(row.lender, row.loan, _DUTY.validate_json(row.body), row.opened_at)
        for row in connection.execute(_OPEN)
    ]


def keep(connection: Connection, lender: str, loan: str, now: datetime) -> int:
    """Write what a person must see to for one loan as it stands now; returns how many rows changed."""
    found = {one.rule: _DUTY.dump_json(one).decode() for one in duties_of(read_dossier(connection, lender, loan), now)}
    key = {"lender_": lender, "loan_": loan}
    stored = {row.rule: row for row in connection.execute(_STORED, key)}
    changed = 0
    for rule, body in found.items():
        known = stored.get(rule)
        if known is None:
            row = {"lender": lender, "loan": loan, "rule": rule, "body": body, "opened_at": now, "settled_at": None}
            connection.execute(insert(duties), row)
        elif known.settled_at is not None:
            connection.execute(_REOPEN, {**key, "rule_": rule, "body_": body, "at_": now})
        elif known.body != body:
            connection.execute(_CHANGE, {**key, "rule_": rule, "body_": body})
        else:
            continue
        changed += 1
    for rule, known in stored.items():
        if rule not in found and known.settled_at is None:
            connection.execute(_SETTLE, {**key, "rule_": rule, "at_": now})
            changed += 1
    return changed


def page(connection: Connection, after: LoanKey, now: datetime) -> tuple[Sequence[LoanKey], LoanKey | None]:
    """Look at the next loans after that one (`("", "")`: from the first): those whose duties are not as they stand in
    the ledger, and where to go on; None at the end.
    """
    lender, loan = after
    rows = connection.execute(_PAGE, {"lender_": lender, "loan_": loan, "since_": now - AFTER_CLOSE}).all()
    keys = [(row.lender, row.id) for row in rows]
    stale = [key for key in keys if not _stands(connection, key, now)]
    return stale, keys[-1] if len(keys) == PAGE else None


def swept_at(connection: Connection) -> datetime | None:
    """When all loans were last looked at, by any process."""
    text = settings.get(connection, settings.SWEPT)
    return None if text is None else datetime.fromisoformat(text)


def swept(connection: Connection, now: datetime) -> None:
    """All loans have been looked at."""
    settings.put(connection, settings.SWEPT, instant_text(now))


def _stands(connection: Connection, key: LoanKey, now: datetime) -> bool:
    lender, loan = key
    found = {one.rule: _DUTY.dump_json(one).decode() for one in duties_of(read_dossier(connection, lender, loan), now)}
    stored = connection.execute(_STORED, {"lender_": lender, "loan_": loan})
    return found == {row.rule: row.body for row in stored if row.settled_at is None}


def _latest_date(dossier: Dossier, now: datetime) -> date:
    """The date that it is already, wherever the borrower may be."""
    dates = [now.astimezone(zone_named(zone)).date() for zone in dossier.person.zones]
    return max([*dates, dossier.loan.terms.book_date(now)])


def _why(dossier: Dossier, one: Obligation, now: datetime) -> Why | None:
    """Why a person must see to it; None while a rung does, or a person has that rung already."""
    if one.unknown:
        return "unknown"
    loan = dossier.loan
    if loan.left_to_a_person(one.rule):
        return None
    if one.task_by is not None and one.task_by <= _latest_date(dossier, now):
        return "not_served"
    step = loan.step_for(one.rule, now)
    if step is None:
        return "no_step"
    return "step_too_late" if one.task_by is not None and step.due_on > one.task_by else None
