"""Recording what came before us: each record once, under its own id, whole or not at all.

Contacts, notices, wishes and milestones are the gate's to read and stay rows. Consents, opt-outs and holds are facts
too: they enter by the one door, so that each running loan hears of them; for a person without a loan yet they wait
in the person's tables, and their loans begin with them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Protocol

from sqlalchemy import Connection, bindparam, insert, select

from duecourse.compliance.packs import PackSet
from duecourse.compliance.rules import Notice
from duecourse.errors import Conflict, DuecourseError, InvalidInput, NotFound
from duecourse.ledger import dialect, past, people, published
from duecourse.ledger.columns import instant_text
from duecourse.ledger.facts import AHEAD, RESERVED, record
from duecourse.ledger.tables import borrowers, consents, contact_points, holds, loans, parties, recorded
from duecourse.loans.facts import ConsentGiven, FromOutside, HoldPlaced, OptOut
from duecourse.loans.holds import check_placed
from duecourse.loans.recorded import (
    PAST_RECORD,
    HistoryComplete,
    LanguageNamed,
    PastConsent,
    PastContact,
    PastHold,
    PastMilestone,
    PastNotice,
    PastOptOut,
    PastRecord,
    Wish,
    WishEnded,
)
from duecourse.treatments.ladder import CONTRACT

OWN_MILESTONES = frozenset({"placed", "disbursed", "furnished", "accelerated", "assigned", "sold", "sued"})
"""Milestones that are understood whatever the packs name."""

_BORROWER = select(borrowers.c.id).where(
    borrowers.c.lender == bindparam("lender_"), borrowers.c.id == bindparam("borrower_")
)
_LOANS = (
    select(loans.c.id, loans.c.closed_at)
    .where(loans.c.lender == bindparam("lender_"), loans.c.debtor == bindparam("borrower_"))
    .order_by(loans.c.id)
)
_PARTIES = (
    select(parties.c.borrower)
    .join_from(parties, loans, (loans.c.lender == parties.c.lender) & (loans.c.id == parties.c.loan))
    .where(loans.c.lender == bindparam("lender_"), loans.c.debtor == bindparam("borrower_"))
)
_POINTS = select(contact_points.c.id).where(
    contact_points.c.lender == bindparam("lender_"), contact_points.c.borrower == bindparam("borrower_")
)
_KNOWN = select(recorded.c.id, recorded.c.body).where(
    recorded.c.lender == bindparam("lender_"), recorded.c.borrower == bindparam("borrower_")
)
_HOLD_RECORDS = _KNOWN.where(recorded.c.kind == "hold").order_by(recorded.c.id)
_CONSENT = select(consents.c.fact).where(
    consents.c.lender == bindparam("lender_"),
    consents.c.borrower == bindparam("borrower_"),
    consents.c.fact == bindparam("id_"),
)
_HOLD = select(holds.c.hold).where(
    holds.c.lender == bindparam("lender_"),
    holds.c.borrower == bindparam("borrower_"),
    holds.c.hold == bindparam("id_"),
)


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What came of the records of one borrower. `refused`: their positions, each with its reason; they left nothing."""

    new: int
    again: int
    refused: tuple[tuple[int, InvalidInput], ...]
    told: tuple[str, ...]  # the loans that hear of it through the outbox


class TakesIn(Protocol):
    """`take_in`, or its rehearsal."""

    def __call__(
        self,
        connection: Connection,
        lender: str,
        borrower: str,
        records: Sequence[PastRecord],
        now: datetime,
        /,
        *,
        expected: Collection[str] = (),
    ) -> TakenIn:
        """Record about one borrower."""
        ...


@dataclass(slots=True)
class _Borrower:
    """Whom the records are about, as of this transaction."""

    lender: str
    id: str
    loans: dict[str, bool]  # the borrower's own loans, and whether each is open
    expected: frozenset[str]  # loans that follow in the same import
    points: frozenset[str]
    known: dict[str, str]  # records by id, as JSON
    packs: PackSet
    now: datetime

    def entrance(self, fact: FromOutside) -> str | None:
        """The loan through which a fact of the person enters: an open one if there is any.

        A closed loan takes no hold; it then waits for the person's next loan.
        """
        closed = None if isinstance(fact, HoldPlaced) else next(iter(self.loans), None)
        return next((loan for loan, is_open in self.loans.items() if is_open), closed)


def take_in(
    connection: Connection,
    lender: str,
    borrower: str,
    records: Sequence[PastRecord],
    now: datetime,
    *,
    expected: Collection[str] = (),
) -> TakenIn:
    """Record what came before us about one borrower. `now`: business time, aware UTC.

    A record that is there already changes nothing. `expected`: loans that are registered right after, and may be
    named. Each refused record is left out alone; whoever wants all or nothing rolls the transaction back.
    """
    _lock(connection, lender, borrower)
    key = {"lender_": lender, "borrower_": borrower}
    if connection.execute(_BORROWER, key).first() is None:
        unknown = InvalidInput("borrower", borrower, f"a registered borrower of lender {lender}; import it first")
        return TakenIn(0, 0, tuple((index, unknown) for index in range(len(records))), ())
    about = _Borrower(
        lender,
        borrower,
        {row.id: row.closed_at is None for row in connection.execute(_LOANS, key)},
        frozenset(expected),
        frozenset(connection.execute(_POINTS, key).scalars()),
        {row.id: row.body for row in connection.execute(_KNOWN, key)},
        published.in_force(connection),
        now,
    )
    new = again = 0
    refused: list[tuple[int, InvalidInput]] = []
    told: set[str] = set()
    # By their own dates, not by the file's lines: what a hold is checked against must not depend on these.
    for index, one in sorted(enumerate(records), key=lambda item: (item[1].day, item[1].id)):
        body = one.model_dump_json(by_alias=True, exclude_none=True)
        if one.id in about.known:
            if about.known[one.id] == body:
                again += 1
            else:
                expectation = "an id that was not used before: it is recorded with other content"
                refused.append((index, InvalidInput("id", one.id, expectation)))
            continue
        try:
            with connection.begin_nested():
                _check(one, about)
                told.update(_enter(connection, one, about))
                connection.execute(
                    insert(recorded),
                    {
                        "lender": lender,
                        "borrower": borrower,
                        "id": one.id,
                        "kind": one.kind,
                        "body": body,
                        "recorded_at": now,
                    },
                )
        except DuecourseError as error:
            refused.append((index, _as_refusal(one, error)))
            continue
        about.known[one.id] = body
        new += 1
    if new:
        past.remember(connection, lender, borrower)
    return TakenIn(new, again, tuple(sorted(refused, key=lambda item: item[0])), tuple(sorted(told)))


def rehearse(
    connection: Connection,
    lender: str,
    borrower: str,
    records: Sequence[PastRecord],
    now: datetime,
    *,
    expected: Collection[str] = (),
) -> TakenIn:
    """What `take_in` would answer; nothing stays."""
    trial = connection.begin_nested()
    try:
        return take_in(connection, lender, borrower, records, now, expected=expected)
    finally:
        trial.rollback()


def holds_of(connection: Connection, lender: str, borrower: str, loan: str, now: datetime) -> Iterator[HoldPlaced]:
    """The holds that were recorded for a loan before it was registered, as its first facts."""
    for row in connection.execute(_HOLD_RECORDS, {"lender_": lender, "borrower_": borrower}):
        held = PAST_RECORD.validate_json(row.body)
        if isinstance(held, PastHold) and held.loan == loan:
            yield _hold_placed(held, now)


def _lock(connection: Connection, lender: str, borrower: str) -> None:
    found = connection.execute(_PARTIES, {"lender_": lender, "borrower_": borrower}).scalars()
    dialect.lock_people(connection, lender, {borrower, *found})


def _check(one: PastRecord, about: _Borrower) -> None:
    """What a record needs of the rest of the ledger. Raises InvalidInput."""
    if one.id.startswith(RESERVED):
        raise InvalidInput("id", one.id, f"an id that does not begin with {', '.join(RESERVED)}")
    match one:
        case PastContact():
            _past(one.at, "at", about)
            for loan in (*one.loans, *one.conversation_loans):
                _loan(loan, "loans", about)
        case PastNotice():
            _past(one.at, "at", about)
            _loan(one.loan, "loan", about)
            _notice(one.obligation, about)
        case PastConsent():
            _past(one.at, "at", about)
            _point(one.contact_point, about)
            for loan in one.loans:
                _loan(loan, "loans", about)
        case PastOptOut():
            _past(one.at, "at", about)
            _point(one.contact_point, about)
        case LanguageNamed():
            _past(one.at, "at", about)
        case Wish():
            _point(one.contact_point, about)
        case WishEnded():
            if '"kind":"preference"' not in about.known.get(one.preference, ""):
                raise InvalidInput("preference", one.preference, "the id of a preference of this borrower")
        case PastHold():
            if one.loan is not None:
                _loan(one.loan, "loan", about)
        case PastMilestone():
            _past(datetime.combine(one.on, time(0), UTC), "on", about)
            _loan(one.loan, "loan", about)
            _milestone(one.milestone, about)
        case HistoryComplete():
            if one.since is not None:
                _past(datetime.combine(one.since, time(0), UTC), "since", about)


def _enter(connection: Connection, one: PastRecord, about: _Borrower) -> tuple[str, ...]:
    """Let in what is a fact too; returns the loans that will hear of it."""
    match one:
        case PastConsent() | PastOptOut():
            return _person_fact(connection, _word(one), about)
        case PastHold(loan=None):
            return _person_fact(connection, _hold_placed(one, about.now), about)
        case PastHold() if one.loan in about.loans:
            entered = record(connection, about.lender, one.loan, _hold_placed(one, about.now), about.now)
            return () if entered.again else (one.loan,)
        case PastHold():
            check_placed(_hold_placed(one, about.now), (), loan_open=True, disbursed_on=None)
            return ()
        case _:
            return ()


def _person_fact(connection: Connection, fact: FromOutside, about: _Borrower) -> tuple[str, ...]:
    loan = about.entrance(fact)
    if loan is not None:
        entered = record(connection, about.lender, loan, fact, about.now)
        return () if entered.again else (loan, *entered.others)
    key = {"lender_": about.lender, "borrower_": about.id, "id_": fact.id}
    if isinstance(fact, HoldPlaced):
        check_placed(fact, (), loan_open=True, disbursed_on=None)
    if connection.execute(_HOLD if isinstance(fact, HoldPlaced) else _CONSENT, key).first() is not None:
        raise Conflict(f"{fact.id} is on record for this borrower already; use another id")
    people.write(connection, about.lender, about.id, fact)
    return ()


def _word(one: PastConsent | PastOptOut) -> ConsentGiven | OptOut:
    about = None if one.about == "contact" else one.about
    if isinstance(one, PastOptOut):
        return OptOut(id=one.id, at=one.at, channel=one.channel, contact_point=one.contact_point, about=about)
    return ConsentGiven(
        id=one.id,
        at=one.at,
        channel=one.channel,
        contact_point=one.contact_point,
        about=about,
        loans=one.loans or None,
        until=one.until,
        form=one.form,
    )


def _hold_placed(one: PastHold, now: datetime) -> HoldPlaced:
    return HoldPlaced(
        id=one.id,
        at=min(datetime.combine(one.starts, time(0), UTC), now),
        hold=one.id,
        cause=one.cause,
        scope="person" if one.loan is None else "debt",
        starts=one.starts,
        ends=one.ends,
        review_on=one.review_on,
        days=one.days,
    )


def _past(at: datetime, field: str, about: _Borrower) -> None:
    if at > about.now + AHEAD:
        raise InvalidInput(field, instant_text(at), f"a moment up to {instant_text(about.now)}: it has happened")


def _loan(loan: str, field: str, about: _Borrower) -> None:
    if loan not in about.loans and loan not in about.expected:
        known = ", ".join(sorted({*about.loans, *about.expected})) or "none"
        hint = f"a registered loan of borrower {about.id} ({known})"
        besides = "; a contact that names no loan counts for each of them" if field == "loans" else ""
        raise InvalidInput(field, loan, hint + besides)


def _point(point: str, about: _Borrower) -> None:
    if point != "*" and point not in about.points:
        expected = f"*, or a contact point of the borrower ({', '.join(sorted(about.points)) or 'none'})"
        raise InvalidInput("contact_point", point, expected)


def _notice(rule: str, about: _Borrower) -> None:
    """A misspelt rule would leave the notice unproven for good."""
    if rule == CONTRACT:
        return
    names: set[str] = set()
    for notice in _notices(about.packs):
        names.update(notice.served_by)
    for pack in about.packs.packs.values():
        names.update(one.id for one in pack.rules if any(isinstance(v.primitive, Notice) for v in one.versions))
    if rule not in names:
        raise InvalidInput("obligation", rule, f"contract, or a rule that demands a notice: {', '.join(sorted(names))}")


def _milestone(kind: str, about: _Borrower) -> None:
    """A misspelt kind would be a duty that nobody sees."""
    named = {notice.milestone for notice in _notices(about.packs) if notice.milestone is not None}
    if kind not in OWN_MILESTONES | named:
        raise InvalidInput("milestone", kind, f"one of {', '.join(sorted(OWN_MILESTONES | named))}")


def _notices(packs: PackSet) -> Iterable[Notice]:
    for pack in packs.packs.values():
        for rule in pack.rules:
            for version in rule.versions:
                if isinstance(version.primitive, Notice):
                    yield version.primitive


def _as_refusal(one: PastRecord, error: DuecourseError) -> InvalidInput:
    match error:
        case InvalidInput():
            return error
        case NotFound():
            return InvalidInput(error.what, error.name, str(error))
        case _:
            return InvalidInput("id", one.id, str(error))
