"""The one door: whatever happens in the world enters here, validated, sequenced, and put into the outbox.

One transaction locks the loan's borrowers and the loan, folds it, checks the fact with domain code, and
writes the fact, its place in the sequence, and the message that the loan will get.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select, update

from duecourse.errors import Conflict, InvalidInput, NotAllowed
from duecourse.ledger import people
from duecourse.ledger.acts import answer_of
from duecourse.ledger.columns import instant_text
from duecourse.ledger.dossier import Dossier, append, open_dossier, save, tell
from duecourse.ledger.tables import consents, reviews
from duecourse.loans.facts import (
    Approval,
    Closed,
    ConsentGiven,
    Contacted,
    Decided,
    Fact,
    HoldLifted,
    HoldPlaced,
    OptOut,
    Payment,
    Promise,
    Reversal,
    ScheduleChanged,
)
from duecourse.loans.holds import check_lifted, check_placed
from duecourse.loans.terms import check_schedule
from duecourse.treatments.ladder import REVIEW_CHANNEL

AHEAD = timedelta(days=1)  # clocks and time zones of other systems may be ahead by so much, not more
RESERVED = ("contact/", "decided/", "onboarding/", "person/")  # the ledger's own rows

_CONSENT = select(
    consents.c.channel,
    consents.c.contact_point,
    consents.c.state,
    consents.c.at,
    consents.c.about,
    consents.c.loans,
    consents.c.until,
    consents.c.form,
).where(
    consents.c.lender == bindparam("lender_"),
    consents.c.borrower == bindparam("borrower_"),
    consents.c.fact == bindparam("fact_"),
)
_ANSWER = (
    update(reviews)
    .where(
        reviews.c.lender == bindparam("lender_"),
        reviews.c.loan == bindparam("loan_"),
        reviews.c.episode == bindparam("episode_"),
        reviews.c.installment == bindparam("installment_"),
        reviews.c.rung == bindparam("rung_"),
        reviews.c.answer == "",
    )
    .values(answer=bindparam("answer_"), by=bindparam("by_"), answered_at=bindparam("at_"))
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact as it stands in the ledger, with its `loan_seq`."""

    lender: str
    loan: str
    fact: Fact
    again: bool  # the same fact was there already; nothing was written
    outbox: tuple[int, ...]  # to acknowledge once this loan has answered
    others: tuple[str, ...]  # the person's other open loans, told through the outbox
    start: bool  # the loan was closed: signal it with start
    closed: bool  # as the loan stands now


def record(connection: Connection, lender: str, loan: str, fact: Fact, now: datetime) -> Recorded:
    """Let one fact in. `now` is business time, aware UTC.

    Raises:
        NotFound: no such loan.
        InvalidInput: the loan's state does not admit the fact; names field, value, and what would be.
        Conflict: a fact of that id has other content, or it contradicts what is recorded.
        NotAllowed: it approves a legal step that a rule does not allow now.
    """
    if fact.id.startswith(RESERVED):
        raise InvalidInput(
            "id", fact.id, f"an id that does not begin with {', '.join(RESERVED)}: those are the ledger's"
        )
    if fact.loan_seq is not None:
        raise InvalidInput("loan_seq", fact.loan_seq, "none: the ledger allots it")
    if fact.at > now + AHEAD:
        raise InvalidInput("at", instant_text(fact.at), f"an instant up to {instant_text(now)}: facts have happened")
    dossier = open_dossier(connection, lender, loan)
    known = _known(connection, dossier, fact)
    if known is not None:
        return Recorded(lender, loan, known, True, (), (), dossier.closed_at is not None, dossier.closed_at is not None)
    _check(dossier, fact, now)
    was_closed = dossier.closed_at is not None
    placed = append(connection, dossier, fact)
    outbox = tell(connection, dossier, len(dossier.rows), now, start=was_closed)
    if isinstance(fact, Approval):
        _answer(connection, dossier, fact)
    save(connection, dossier, now)
    others = _spread(connection, dossier, fact, now)
    return Recorded(lender, loan, placed, False, (outbox,), others, was_closed, dossier.closed_at is not None)


def record_many(
    connection: Connection, lender: str, loan: str, facts: Iterable[Fact], now: datetime
) -> tuple[Recorded, ...]:
    """Let several facts in, all or none, in their order."""
    return tuple(record(connection, lender, loan, fact, now) for fact in facts)


def _known(connection: Connection, dossier: Dossier, fact: Fact) -> Fact | None:
    """The same fact, if it came before; Conflict if its id did with other content."""
    lender, _ = dossier.key
    # The person's fact may have entered through another loan of theirs, and lie here under its derived id.
    names = (fact.id, people.derived(fact, lender, dossier.person.id).id)
    for row in dossier.rows:
        if row.id in names:
            if row.model_copy(update={"id": fact.id, "loan_seq": None}) != fact:
                raise Conflict(f"fact {fact.id} is recorded with other content; a correction is a new fact")
            return row
    if isinstance(fact, ConsentGiven | OptOut):
        # This loan may have been registered since, and begun with another word on the same channel.
        found = connection.execute(
            _CONSENT, {"lender_": lender, "borrower_": dossier.person.id, "fact_": fact.id}
        ).first()
        if found is not None:
            state = "given" if isinstance(fact, ConsentGiven) else "revoked"
            terms = people.terms_of(fact)
            if tuple(found) != (fact.channel, fact.contact_point, state, fact.at, *terms.values()):
                raise Conflict(f"fact {fact.id} is recorded with other content; a correction is a new fact")
            return fact
    return None


def _spread(connection: Connection, dossier: Dossier, fact: Fact, now: datetime) -> tuple[str, ...]:
    """Write a person's fact into the person's tables and each of their other open loans."""
    lender, loan = dossier.key
    person = dossier.person.id
    if not people.covers_person(fact, people.hold_ids(connection, lender, person)):
        return ()
    others = people.other_loans(connection, lender, person, loan)
    twin = people.derived(fact, lender, person)
    for other, is_open in others.items():
        theirs = open_dossier(connection, lender, other)
        if isinstance(fact, HoldPlaced) and fact.hold in theirs.loan.placed:
            raise Conflict(f"hold {fact.hold} names a hold of loan {other} already; use another id")
        append(connection, theirs, twin)
        if is_open:
            tell(connection, theirs, len(theirs.rows), now, start=False)
        save(connection, theirs, now)
    people.write(connection, lender, person, fact)
    return tuple(other for other, is_open in others.items() if is_open)


def _check(dossier: Dossier, fact: Fact, now: datetime) -> None:
    """What the loan's state says of a fact. Raises InvalidInput or Conflict."""
    loan = dossier.loan
    today = loan.terms.book_date(now)
    match fact:
        case Payment():
            _check_currency(fact.currency, loan.terms.currency)
        case Reversal():
            if fact.payment not in loan.payments:
                raise InvalidInput("payment", fact.payment, "the fact id of a payment of this loan")
            if fact.payment in loan.reversals:
                raise Conflict(f"payment {fact.payment} is reversed already")
        case HoldPlaced():
            # A person's hold may be older than the loan through which it enters.
            since = None if fact.scope == "person" else loan.terms.disbursed_on
            check_placed(fact, loan.holds(), loan_open=not loan.closed(), disbursed_on=since)
        case HoldLifted():
            check_lifted(fact, loan.placed, loan.lifted, today=today, loan_open=not loan.closed())
        case Promise():
            _check_currency(fact.currency, loan.terms.currency)
            _require_open(dossier, "promise")
            if fact.by < loan.terms.book_date(fact.at):
                raise InvalidInput("by", fact.by.isoformat(), "the day of the promise, or later")
            if fact.amount > loan.balance:
                raise InvalidInput("amount", str(fact.amount), f"at most the balance, {loan.balance}")
            if fact.tolerance >= fact.amount:
                raise InvalidInput("tolerance", str(fact.tolerance), "less than the amount")
        case ConsentGiven() | OptOut():
            points = {point.id for point in dossier.points}
            if fact.contact_point != "*" and fact.contact_point not in points:
                raise InvalidInput(
                    "contact_point", "(hidden)", f"*, or a contact point's id: {', '.join(sorted(points)) or 'none'}"
                )
        case ScheduleChanged():
            _check_change(dossier, fact)
        case Approval():
            claim = loan.claims.get(f"{fact.episode}/{fact.installment}/{fact.rung}")
            if claim is None or claim.state != "review":
                raise Conflict(f"no review of rung {fact.rung} is open for loan {loan.terms.loan}")
            if fact.answer == "approved":
                _check_act(dossier, fact.rung, now)
        case Closed():
            _require_open(dossier, "closed")
        case Decided() | Contacted():
            raise InvalidInput("kind", fact.kind, "a fact from outside; outcomes are the ledger's own")


def _check_act(dossier: Dossier, rung: str, now: datetime) -> None:
    """A legal step may have become unlawful since a person was asked: a hold was placed, a notice came back."""
    step = dossier.loan.ladder.rung(rung)
    if step.purpose != "legal" or REVIEW_CHANNEL not in step.channels:
        return
    answer = answer_of(dossier, "legal", now)
    if answer.effect != "allow":
        reasons = "; ".join(f"{one.because} ({one.rule})" for one in answer.findings if one.effect in ("bar", "defer"))
        raise NotAllowed(f"the legal step cannot be approved now: {reasons}")


def _check_currency(given: str, wanted: str) -> None:
    if given != wanted:
        raise InvalidInput("currency", given, f"{wanted}, the loan's currency")


def _require_open(dossier: Dossier, kind: str) -> None:
    if dossier.loan.closed():
        raise InvalidInput("kind", kind, "a loan that is open; this one is paid or closed")


def _check_change(dossier: Dossier, fact: ScheduleChanged) -> None:
    loan = dossier.loan
    version = (loan.schedule.version if loan.schedule else 1) + 1
    if fact.version != version:
        raise InvalidInput("version", fact.version, f"{version}, the schedule's next version")
    _require_open(dossier, "schedule_changed")
    try:
        check_schedule(fact.installments)
    except ValueError as problem:
        raise InvalidInput("installments", [one.id for one in fact.installments], str(problem)) from None


def _answer(connection: Connection, dossier: Dossier, fact: Approval) -> None:
    lender, loan = dossier.key
    connection.execute(
        _ANSWER,
        {
            "lender_": lender,
            "loan_": loan,
            "episode_": fact.episode,
            "installment_": fact.installment,
            "rung_": fact.rung,
            "answer_": fact.answer,
            "by_": fact.by,
            "at_": fact.at,
        },
    )
