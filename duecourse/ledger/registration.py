"""Lenders, borrowers and loans enter the ledger; the same content twice changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from duecourse.compliance.case import Place
from duecourse.compliance.location import derive_zones
from duecourse.errors import Conflict, InvalidInput, NotFound
from duecourse.ledger import dialect, people, recording
from duecourse.ledger.dossier import append, open_dossier, read_dossier, save, tell
from duecourse.ledger.tables import borrowers, consents, contact_points, ladders, lenders, loans, parties
from duecourse.loans.facts import Fact
from duecourse.loans.portfolio import UNSTATED, BorrowerRecord, LenderRecord, Standing
from duecourse.loans.terms import Terms
from duecourse.treatments.ladder import Ladder, Tier

Outcome = Literal["new", "again", "changed"]

_LENDER = select(lenders.c.record).where(lenders.c.id == bindparam("lender_"))
_BORROWER = select(borrowers.c.digest).where(
    borrowers.c.lender == bindparam("lender_"), borrowers.c.id == bindparam("borrower_")
)
_KNOWN = select(borrowers.c.id).where(
    borrowers.c.lender == bindparam("lender_"), borrowers.c.id.in_(bindparam("ids_", expanding=True))
)
_PEOPLE = select(borrowers.c.id, borrowers.c.language, borrowers.c.residence, borrowers.c.zones).where(
    borrowers.c.lender == bindparam("lender_"), borrowers.c.id.in_(bindparam("people_", expanding=True))
)
_CONSENTS = select(consents.c.fact).where(
    consents.c.lender == bindparam("lender_"), consents.c.borrower == bindparam("borrower_")
)
_LOANS_OF = select(loans.c.id).where(loans.c.lender == bindparam("lender_"), loans.c.debtor == bindparam("borrower_"))
_LOAN = select(loans.c.digest, loans.c.seq).where(
    loans.c.lender == bindparam("lender_"), loans.c.id == bindparam("loan_")
)
_POINTS = select(contact_points.c.channel, contact_points.c.id, contact_points.c.address, contact_points.c.place).where(
    contact_points.c.lender == bindparam("lender_"), contact_points.c.borrower == bindparam("borrower_")
)
_DROP_POINT = delete(contact_points).where(
    contact_points.c.lender == bindparam("lender_"),
    contact_points.c.borrower == bindparam("borrower_"),
    contact_points.c.channel == bindparam("channel_"),
    contact_points.c.id == bindparam("point_"),
)
_LADDER = select(ladders.c.hash).where(ladders.c.hash == bindparam("hash_"))


@dataclass(frozen=True, slots=True)
class Registered:
    """A loan as it stands in the ledger: `rows` are all its rows, for the start of its workflow."""

    lender: str
    loan: str
    outcome: Literal["new", "again"]
    terms: Terms
    ladder: Ladder
    rows: tuple[Fact, ...]
    outbox: tuple[int, ...]  # to acknowledge once the loan runs; the relay starts it otherwise
    closed: bool


def register_lender(connection: Connection, record: LenderRecord) -> Outcome:
    """Write or replace a lender's record. It holds what the lender says in public, no secrets."""
    text = record.model_dump_json()
    known = connection.execute(_LENDER, {"lender_": record.id}).scalar()
    if known == text:
        return "again"
    if known is not None:
        connection.execute(update(lenders).where(lenders.c.id == record.id).values(record=text))
        return "changed"
    connection.execute(insert(lenders), {"id": record.id, "record": text, "pins": ""})
    return "new"


def register_borrower(connection: Connection, lender: str, record: BorrowerRecord) -> Outcome:
    """Write or replace what a lender knows of a person; contact points keep their standing unless they change.

    Raises:
        NotFound: the lender is not registered.
        Conflict: consents differ though loans run already: those wait for facts, not for files.
    """
    key = {"lender_": lender, "borrower_": record.id}
    _require_lender(connection, lender)
    dialect.lock_people(connection, lender, [record.id])
    digest = hashlib.sha256(record.model_dump_json().encode()).hexdigest()
    known = connection.execute(_BORROWER, key).scalar()
    if known == digest:
        return "again"
    place = Place(record.country, record.region, record.city, record.postal_code)
    values: dict[str, Any] = {
        "name": record.name,
        "language": record.language,
        # City and postal code are told to the zones and then left out: verdicts keep the place they were
        # decided for, and must not say where a person lives.
        "residence": {"country": record.country, "region": record.region},
        "zones": list(record.zones or derive_zones(place, record.phone)),
        "consents_known": record.consents is not None,
        "history": record.history or "",
        "digest": digest,
    }
    if known is None:
        connection.execute(insert(borrowers), {"lender": lender, "id": record.id, "recorded": "", **values})
    else:
        connection.execute(
            update(borrowers).where(borrowers.c.lender == lender, borrowers.c.id == record.id).values(**values)
        )
    _write_points(connection, lender, record)
    _write_consents(connection, lender, record)
    return "new" if known is None else "changed"


def register_loan(
    connection: Connection,
    terms: Terms,
    ladder: Ladder,
    tier: Tier,
    now: datetime,
    *,
    creditor: str | None = None,
    standing: Standing = UNSTATED,
) -> Registered:
    """Write a loan with a snapshot of its ladder, and the rows it begins with.

    Those are the rungs that its catch-up policy skips, the consents and holds of its debtor that are in
    force, and its own holds that were recorded before it. `now` is business time. The same content again gives
    the loan as it stands.

    Raises:
        NotFound: lender or a borrower is not registered.
        InvalidInput: the creditor is not among the lender's.
        Conflict: a loan of that id has other content.
    """
    key = {"lender_": terms.lender, "loan_": terms.loan}
    lender = _require_lender(connection, terms.lender)
    if creditor is not None and creditor not in lender.creditors:
        raise InvalidInput("creditor", creditor, f"one of {', '.join(sorted(lender.creditors)) or 'none'}")
    bound = [party.borrower for party in terms.parties]
    known_people = set(connection.execute(_KNOWN, {"lender_": terms.lender, "ids_": bound}).scalars())
    for borrower in bound:
        if borrower not in known_people:
            raise NotFound("borrower", borrower, "register the borrower before the loan")
    dialect.lock_people(connection, terms.lender, bound)
    dialect.lock(connection, terms.lender, terms.loan)
    terms_text, ladder_text = terms.model_dump_json(), ladder.model_dump_json()
    ladder_hash = hashlib.sha256(ladder_text.encode()).hexdigest()
    # active_from is the moment of the start, not content: an import that is repeated tomorrow is a repeat.
    content = terms.model_dump_json(exclude={"active_from"})
    besides = f"{tier.value}\n{creditor or ''}\n{standing.model_dump_json()}"
    digest = hashlib.sha256(f"{content}\n{ladder_hash}\n{besides}".encode()).hexdigest()
    known = connection.execute(_LOAN, key).first()
    if known is not None:
        if known.digest != digest:
            raise Conflict(
                f"loan {terms.lender}/{terms.loan} is registered with other terms, ladder, tier or creditor; "
                "record a change of its schedule as a fact, or use another id"
            )
        return loan_as_registered(connection, terms.lender, terms.loan)
    if connection.execute(_LADDER, {"hash_": ladder_hash}).first() is None:
        connection.execute(insert(ladders), {"hash": ladder_hash, "content": ladder_text})
    connection.execute(
        insert(loans),
        {
            "lender": terms.lender,
            "id": terms.loan,
            "debtor": terms.debtor,
            "terms": terms_text,
            "ladder": ladder_hash,
            "tier": tier.value,
            "creditor": creditor or "",
            "standing": standing.model_dump(exclude_none=True),
            "digest": digest,
            "seq": 0,
            "registered_at": now,
            "closed_at": None,
            "verdicts": 0,
            "verdict_head": "",
        },
    )
    connection.execute(
        insert(parties),
        [
            {"lender": terms.lender, "loan": terms.loan, "borrower": party.borrower, "role": party.role}
            for party in terms.parties
        ],
    )
    dossier = open_dossier(connection, terms.lender, terms.loan)
    for fact in people.in_force(connection, terms.lender, terms.debtor, terms.book_date(now)):
        append(connection, dossier, fact)
    for held in recording.holds_of(connection, terms.lender, terms.debtor, terms.loan, now):
        append(connection, dossier, held)
    for row in dossier.loan.onboarding(now):
        append(connection, dossier, row)
    # Whoever registers may die before the workflow runs: the relay then starts the loan.
    outbox = tell(connection, dossier, 0, now, start=True)
    save(connection, dossier, now)
    return Registered(
        terms.lender, terms.loan, "new", terms, dossier.loan.ladder, tuple(dossier.rows), (outbox,), False
    )


def known_parties(
    connection: Connection, lender: str, people_: Sequence[str]
) -> tuple[LenderRecord | None, tuple[BorrowerRecord, ...]]:
    """A lender's record and those of its borrowers that are registered, without names and contact points."""
    text = connection.execute(_LENDER, {"lender_": lender}).scalar()
    found = connection.execute(_PEOPLE, {"lender_": lender, "people_": list(people_)})
    return (
        None if text is None else LenderRecord.model_validate_json(text),
        tuple(
            BorrowerRecord(
                id=row.id,
                name=row.id,
                language=row.language,
                country=row.residence["country"],
                region=row.residence["region"],
                zones=tuple(row.zones) or None,
            )
            for row in found
        ),
    )


def loan_as_registered(connection: Connection, lender: str, loan: str) -> Registered:
    """What the start of a loan's workflow needs: terms, ladder, all rows. Raises NotFound."""
    dossier = read_dossier(connection, lender, loan)
    return Registered(
        lender,
        loan,
        "again",
        dossier.loan.terms,
        dossier.loan.ladder,
        tuple(dossier.rows),
        (),
        dossier.closed_at is not None,
    )


def _require_lender(connection: Connection, lender: str) -> LenderRecord:
    text = connection.execute(_LENDER, {"lender_": lender}).scalar()
    if text is None:
        raise NotFound("lender", lender, "register the lender first")
    return LenderRecord.model_validate_json(text)


def _write_points(connection: Connection, lender: str, record: BorrowerRecord) -> None:
    """One row per channel and contact point; their ids say what they are and nothing of whose."""
    wanted: dict[tuple[str, str], tuple[str, str]] = {}  # the address, and the place to which it is tied
    if record.phone:
        wanted["sms", "phone"] = wanted["call", "phone"] = (record.phone, record.phone_place or "")
    if record.email:
        wanted["email", "email"] = (record.email, "")
    if record.address:
        wanted["letter", "address"] = ("\n".join(record.address), "home")
    found = connection.execute(_POINTS, {"lender_": lender, "borrower_": record.id})
    known = {(row.channel, row.id): (row.address, row.place) for row in found}
    for (channel, point), tied in known.items():
        if wanted.get((channel, point)) != tied:
            connection.execute(
                _DROP_POINT, {"lender_": lender, "borrower_": record.id, "channel_": channel, "point_": point}
            )
    for (channel, point), tied in wanted.items():
        if known.get((channel, point)) != tied:
            address, place = tied
            connection.execute(
                insert(contact_points),
                {
                    "lender": lender,
                    "borrower": record.id,
                    "channel": channel,
                    "id": point,
                    "address": address,
                    "place": place,
                },
            )


def _write_consents(connection: Connection, lender: str, record: BorrowerRecord) -> None:
    key = {"lender_": lender, "borrower_": record.id}
    known = set(connection.execute(_CONSENTS, key).scalars())
    listed = {
        f"consent-{hashlib.sha256(one.model_dump_json().encode()).hexdigest()[:32]}": one
        for one in record.consents or ()
    }
    new = [fact for fact in listed if fact not in known]
    if new and connection.execute(_LOANS_OF, key).first() is not None:
        raise Conflict(
            f"borrower {record.id}: consents cannot change by registration while loans run; "
            "record each change as a fact (consent or opt-out), so that the loans hear of it"
        )
    if new:
        connection.execute(
            insert(consents),
            [
                {
                    "lender": lender,
                    "borrower": record.id,
                    "fact": fact,
                    "channel": listed[fact].channel,
                    "contact_point": "*",
                    "state": listed[fact].state,
                    "at": listed[fact].at,
                    "about": "contact",
                    "loans": "",
                    "until": "" if listed[fact].until is None else str(listed[fact].until),
                    "form": listed[fact].form or "",
                }
                for fact in new
            ],
        )
