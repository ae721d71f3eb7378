"""All that the ledger knows about one loan and its debtor, read in a few range reads and folded.

Reservations, the door and plans work on a dossier: they decide on it, append rows to it, and save its head.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from duecourse.compliance.case import Consent, Place
from duecourse.compliance.packs import PackSet
from duecourse.errors import NotFound
from duecourse.ledger import dialect, published, settings
from duecourse.ledger.past import Past, read_past
from duecourse.ledger.prepared import Prepared
from duecourse.ledger.tables import (
    borrowers,
    consents,
    contact_points,
    contacts,
    facts,
    ladders,
    lenders,
    loans,
    outbox,
)
from duecourse.ledger.tables import settings as settings_table
from duecourse.loans.facts import FACT, Fact
from duecourse.loans.loan import Loan
from duecourse.loans.portfolio import UNSTATED, History, LenderRecord, Standing
from duecourse.loans.terms import Terms
from duecourse.treatments.ladder import Ladder, Tier

_SETTING = (
    select(settings_table.c.value).where(settings_table.c.key == settings.PAUSED).scalar_subquery().label("paused"),
    select(settings_table.c.value).where(settings_table.c.key == settings.PACKS).scalar_subquery().label("packs"),
)
_HEAD = Prepared(
    select(
        loans.c.debtor,
        loans.c.terms,
        loans.c.ladder,
        loans.c.tier,
        loans.c.creditor,
        loans.c.standing,
        loans.c.seq,
        loans.c.closed_at,
        loans.c.verdicts,
        loans.c.verdict_head,
        lenders.c.record,
        lenders.c.pins,
        borrowers.c.name,
        borrowers.c.language,
        borrowers.c.residence,
        borrowers.c.zones,
        borrowers.c.consents_known,
        borrowers.c.history,
        borrowers.c.recorded,
        *_SETTING,
    )
    .join_from(loans, lenders, lenders.c.id == loans.c.lender)
    .join(borrowers, (borrowers.c.lender == loans.c.lender) & (borrowers.c.id == loans.c.debtor))
    .where(loans.c.lender == bindparam("lender_"), loans.c.id == bindparam("loan_"))
)
_ROWS = Prepared(
    select(facts.c.body)
    .where(
        facts.c.lender == bindparam("lender_"),
        facts.c.loan == bindparam("loan_"),
        facts.c.loan_seq > bindparam("after_"),
    )
    .order_by(facts.c.loan_seq)
)
_POINTS = Prepared(
    select(
        contact_points.c.channel,
        contact_points.c.id,
        contact_points.c.address,
        contact_points.c.place,
        contact_points.c.undeliverable_since,
    )
    .where(contact_points.c.lender == bindparam("lender_"), contact_points.c.borrower == bindparam("borrower_"))
    .order_by(contact_points.c.channel, contact_points.c.id)
)
_CONSENTS = Prepared(
    select(
        consents.c.channel,
        consents.c.contact_point,
        consents.c.state,
        consents.c.at,
        consents.c.about,
        consents.c.loans,
        consents.c.until,
        consents.c.form,
    ).where(consents.c.lender == bindparam("lender_"), consents.c.borrower == bindparam("borrower_"))
)
_CONTACTS = Prepared(
    select(contacts)
    .where(contacts.c.lender == bindparam("lender_"), contacts.c.borrower == bindparam("borrower_"))
    .order_by(contacts.c.at, contacts.c.id)
)
_LADDER = select(ladders.c.content).where(ladders.c.hash == bindparam("hash_"))
_ADD = Prepared(insert(facts))
_TELL = insert(outbox).returning(outbox.c.id)
_SAVE = Prepared(
    update(loans)
    .where(loans.c.lender == bindparam("lender_"), loans.c.id == bindparam("loan_"))
    .values(
        seq=bindparam("seq_"),
        closed_at=bindparam("closed_at_"),
        verdicts=bindparam("verdicts_"),
        verdict_head=bindparam("verdict_head_"),
    )
)
_ladders: dict[str, Ladder] = {}


@dataclass(frozen=True, slots=True)
class Person:
    """The debtor. `name` and the points' addresses are personal: they go into messages and nowhere else.

    `history`: whether all that came before is on record, as the records of borrower and lender say.
    """

    id: str
    name: str
    language: str
    residence: Place
    zones: tuple[str, ...]
    history: History


@dataclass(frozen=True, slots=True)
class ContactPoint:
    channel: str
    id: str
    address: str
    usable: bool
    place: str | None = None  # home | work


@dataclass(slots=True)
class ContactRow:
    """One contact as its row stands; `at` is the instant of the send, as far as it is known."""

    id: str
    lender: str
    loan: str
    borrower: str
    episode: str
    installment: str
    rung: str
    channel: str
    number: int
    contact_point: str
    purpose: str
    obligation: str
    state: str
    at: datetime
    closes: datetime
    attempt: int
    first_sending_at: datetime | None
    deadline: datetime | None
    provider_id: str | None
    verdict: int

    @property
    def claim(self) -> str:
        return f"{self.episode}/{self.installment}/{self.rung}"

    @property
    def live(self) -> bool:
        """Whether its outcome is still in our hands."""
        return self.state in ("reserved", "sending")


@dataclass(slots=True)
class Dossier:
    """One loan, as of this transaction. `rows` are all its rows, in sequence."""

    lender: LenderRecord
    person: Person
    tier: Tier
    creditor: str | None
    standing: Standing
    loan: Loan
    rows: list[Fact]
    points: tuple[ContactPoint, ...]
    consents: tuple[Consent, ...] | None
    contacts: list[ContactRow]
    past: Past
    packs: PackSet
    paused_since: datetime | None
    closed_at: datetime | None
    verdicts: int
    verdict_head: str

    @property
    def key(self) -> tuple[str, str]:
        return self.loan.terms.lender, self.loan.terms.loan

    def rows_after(self, seq: int) -> tuple[Fact, ...]:
        return tuple(self.rows[seq:])  # the sequence has no gaps: row n stands at n - 1

    def point(self, channel: str) -> ContactPoint | None:
        """The first contact point of a channel that is not known to be undeliverable."""
        return next((one for one in self.points if one.channel == channel and one.usable), None)

    def of_claim(self, claim: str) -> list[ContactRow]:
        """The contacts of one claim of this loan, oldest first."""
        return [one for one in self.contacts if one.loan == self.loan.terms.loan and one.claim == claim]


def open_dossier(connection: Connection, lender: str, loan: str) -> Dossier:
    """Lock (in a write transaction) and read. Raises NotFound for a loan that was never registered."""
    dialect.lock(connection, lender, loan)
    return read_dossier(connection, lender, loan)


def read_dossier(connection: Connection, lender: str, loan: str) -> Dossier:
    """Read without a lock: for plans, explanations and lists."""
    head = _HEAD.first(connection, {"lender_": lender, "loan_": loan})
    if head is None:
        raise NotFound("loan", f"{lender}/{loan}", "register it first: start or import")
    rows = list(_read_rows(connection, lender, loan, 0))
    folded = Loan.fold(_terms(head.terms), ladder_of(connection, head.ladder), rows)
    person = {"lender_": lender, "borrower_": head.debtor}
    record = _lender(head.record)
    past = read_past(connection, lender, head.debtor, head.recorded)
    listed = head.consents_known or past.complete
    known = tuple(_consent(row) for row in _CONSENTS.rows(connection, person)) if listed else None
    return Dossier(
        lender=record,
        person=Person(
            head.debtor,
            head.name,
            past.language or head.language,
            Place(**head.residence),
            tuple(head.zones),
            head.history or record.history,
        ),
        tier=Tier(head.tier),
        creditor=head.creditor or None,
        standing=Standing(**head.standing) if head.standing else UNSTATED,
        loan=folded,
        rows=rows,
        points=tuple(
            ContactPoint(row.channel, row.id, row.address, row.undeliverable_since is None, row.place or None)
            for row in _POINTS.rows(connection, person)
        ),
        consents=known,
        contacts=[ContactRow(*row) for row in _CONTACTS.rows(connection, person)],
        past=past,
        packs=published.in_force(connection, head.packs, head.pins),
        paused_since=datetime.fromisoformat(head.paused) if head.paused else None,
        closed_at=head.closed_at,
        verdicts=head.verdicts,
        verdict_head=head.verdict_head,
    )


def rows_after(connection: Connection, lender: str, loan: str, seq: int) -> tuple[Fact, ...]:
    """The loan's rows with a higher sequence, ascending, without gaps."""
    return tuple(_read_rows(connection, lender, loan, seq))


def append(connection: Connection, dossier: Dossier, fact: Fact) -> Fact:
    """Give the fact the loan's next place, write it, apply it. `save` must follow in the same transaction."""
    lender, loan = dossier.key
    placed = fact.model_copy(update={"loan_seq": len(dossier.rows) + 1})
    _ADD.change(
        connection,
        {
            "lender": lender,
            "loan": loan,
            "loan_seq": placed.loan_seq,
            "id": placed.id,
            "kind": placed.kind,
            "at": placed.at,
            "body": placed.model_dump_json(exclude_none=True),
        },
    )
    dossier.rows.append(placed)
    dossier.loan.apply(placed)
    return placed


def tell(connection: Connection, dossier: Dossier, seq: int, now: datetime, *, start: bool) -> int:
    """Put a row, by its sequence, into the outbox; returns the id to acknowledge.

    `start`: the loan may not be running. Sequence 0 is no row, but the start alone.
    """
    lender, loan = dossier.key
    row_id: int = connection.execute(
        _TELL, {"lender": lender, "loan": loan, "loan_seq": seq, "start": start, "at": now}
    ).scalar_one()
    return row_id


def save(connection: Connection, dossier: Dossier, now: datetime) -> None:
    """Write the loan's head: sequence, chain, and whether it is closed."""
    lender, loan = dossier.key
    if not dossier.loan.closed():
        dossier.closed_at = None
    elif dossier.closed_at is None:
        dossier.closed_at = now
    _SAVE.change(
        connection,
        {
            "lender_": lender,
            "loan_": loan,
            "seq_": len(dossier.rows),
            "closed_at_": dossier.closed_at,
            "verdicts_": dossier.verdicts,
            "verdict_head_": dossier.verdict_head,
        },
    )


def ladder_of(connection: Connection, hash_: str) -> Ladder:
    """The ladder snapshot of that hash."""
    known = _ladders.get(hash_)
    if known is None:
        known = Ladder.model_validate_json(connection.execute(_LADDER, {"hash_": hash_}).scalar_one())
        _ladders[hash_] = known
    return known


def _consent(row: Any) -> Consent:
    return Consent(
        row.channel,
        row.contact_point,
        row.state,
        row.at,
        row.about,
        tuple(row.loans.split()),
        date.fromisoformat(row.until) if row.until else None,
        row.form or None,
    )


def _read_rows(connection: Connection, lender: str, loan: str, seq: int) -> Iterable[Fact]:
    found = _ROWS.rows(connection, {"lender_": lender, "loan_": loan, "after_": seq})
    return (FACT.validate_json(row.body) for row in found)


@lru_cache(maxsize=4096)
def _terms(text: str) -> Terms:
    return Terms.model_validate_json(text)


@lru_cache(maxsize=64)
def _lender(text: str) -> LenderRecord:
    return LenderRecord.model_validate_json(text)
