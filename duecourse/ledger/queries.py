"""What people ask of the ledger: a loan's story and reasons, lists, and counts. Read only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection, Select, bindparam, func, select

from duecourse.compliance.location import derive_zones
from duecourse.compliance.verdict import Grounds
from duecourse.errors import NotFound
from duecourse.ledger.dossier import Person, read_dossier
from duecourse.ledger.outcomes import Frozen
from duecourse.ledger.plans import plan_of
from duecourse.ledger.tables import contacts, loans, reviews, tasks, texts, verdicts
from duecourse.ledger.verdicts import GROUNDS
from duecourse.loans.decisions import Plan
from duecourse.loans.facts import Fact
from duecourse.loans.loan import Loan
from duecourse.loans.state import Stage
from duecourse.treatments.ladder import Tier

_TEXT_COLUMNS = (
    texts.c.address,
    texts.c.sender,
    texts.c.subject,
    texts.c.text,
    texts.c.html,
    texts.c.language,
    texts.c.at.label("dated"),
    texts.c.provider,
)
_VERDICTS = (
    select(
        verdicts.c.no,
        verdicts.c.episode,
        verdicts.c.installment,
        verdicts.c.rung,
        verdicts.c.channel,
        verdicts.c.at,
        verdicts.c.kind,
        verdicts.c.rule,
        verdicts.c.until,
        verdicts.c.grounds,
        verdicts.c.hash,
    )
    .where(verdicts.c.lender == bindparam("lender_"), verdicts.c.loan == bindparam("loan_"))
    .order_by(verdicts.c.no)
)
_CONTACTS = (
    select(
        contacts.c.id,
        contacts.c.lender,
        contacts.c.loan,
        contacts.c.episode,
        contacts.c.installment,
        contacts.c.rung,
        contacts.c.channel,
        contacts.c.state,
        contacts.c.at,
        contacts.c.obligation,
        contacts.c.provider_id,
        contacts.c.verdict,
        *_TEXT_COLUMNS,
    )
    .join_from(contacts, texts, texts.c.contact == contacts.c.id, isouter=True)
    .order_by(contacts.c.at, contacts.c.id)
)
_CONTACTS_OF = _CONTACTS.where(contacts.c.lender == bindparam("lender_"), contacts.c.loan == bindparam("loan_"))
_CONTACT = _CONTACTS.where(contacts.c.id == bindparam("id_"))
_LOANS = select(loans.c.lender, loans.c.id).order_by(loans.c.lender, loans.c.id).limit(bindparam("limit_"))
_LOANS_OF = _LOANS.where(loans.c.lender == bindparam("lender_"))
_SENT = select(contacts.c.channel, contacts.c.state, func.count()).group_by(contacts.c.channel, contacts.c.state)
_JUDGED = select(verdicts.c.kind, verdicts.c.rule, func.count()).group_by(verdicts.c.kind, verdicts.c.rule)
_TASKS = select(
    tasks.c.lender, tasks.c.loan, tasks.c.episode, tasks.c.installment, tasks.c.rung, tasks.c.why, tasks.c.at
).order_by(tasks.c.at, tasks.c.lender, tasks.c.loan, tasks.c.rung)
_REVIEWS = (
    select(reviews.c.lender, reviews.c.loan, reviews.c.episode, reviews.c.installment, reviews.c.rung)
    .where(reviews.c.answer == "")
    .order_by(reviews.c.opened_at, reviews.c.lender, reviews.c.loan)
)
_FIND = select(loans.c.lender, loans.c.id).where(loans.c.id == bindparam("loan_")).order_by(loans.c.lender)
_OPEN = select(loans.c.lender, loans.c.id).where(loans.c.closed_at.is_(None)).order_by(loans.c.lender, loans.c.id)


@dataclass(frozen=True, slots=True)
class LoanLine:
    """One loan in a list. Money is Decimal in `currency`."""

    lender: str
    loan: str
    debtor: str
    product: str
    tier: str
    stage: Stage
    balance: Decimal
    overdue: Decimal
    currency: str
    past_due_days: int
    delinquent_days: int
    reached: str | None  # the last rung of the delinquency ladder whose day has come
    seq: int
    closed_at: datetime | None
    today: date  # the lender's book date


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """A verdict as it was written, with all its findings."""

    no: int
    episode: str
    installment: str
    rung: str
    channel: str
    at: datetime
    kind: str
    rule: str
    until: datetime | None
    grounds: Grounds
    hash: str

    @property
    def claim(self) -> str:
        return f"{self.episode}/{self.installment}/{self.rung}"


@dataclass(frozen=True, slots=True)
class StoredContact:
    """A contact with its frozen text, if one was worded. The text is personal."""

    id: str
    lender: str
    loan: str
    episode: str
    installment: str
    rung: str
    channel: str
    state: str
    at: datetime
    obligation: str
    provider_id: str | None
    verdict: int
    message: Frozen | None


_CONTACT_FIELDS = tuple(field.name for field in fields(StoredContact) if field.name != "message")


@dataclass(frozen=True, slots=True)
class Story:
    """All of one loan: its line, rows, verdicts and contacts, each in its own order of time."""

    line: LoanLine
    rows: tuple[Fact, ...]
    verdicts: tuple[StoredVerdict, ...]
    contacts: tuple[StoredContact, ...]
    language: str  # the debtor's
    zones: tuple[str, ...]  # all they may be in, that of their residence first
    loan: Loan  # folded from all rows
    loan_tier: Tier
    paused_since: datetime | None  # since when no message of any lender goes out
    plan: Plan | None  # the lawful window of the next rung, as of now


@dataclass(frozen=True, slots=True)
class Task:
    """A rung that only a person can carry further; `why` is the rule that left nothing else."""

    lender: str
    loan: str
    episode: str
    installment: str
    rung: str
    why: str
    at: datetime


def find_loan(connection: Connection, loan: str, lender: str | None = None) -> tuple[str, str]:
    """The lender and id of a loan named by its id alone. Raises NotFound, also where several lenders have it."""
    found = [(row.lender, row.id) for row in connection.execute(_FIND, {"loan_": loan})]
    found = [one for one in found if lender in (None, one[0])]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound("loan", loan, f"name the lender too: {', '.join(one[0] for one in found)}")
    raise NotFound("loan", loan, "see the list of loans for those that were registered")


def line(connection: Connection, lender: str, loan: str, now: datetime) -> LoanLine:
    """One loan as of now (business time). Raises NotFound."""
    dossier = read_dossier(connection, lender, loan)
    folded, terms = dossier.loan, dossier.loan.terms
    today = terms.book_date(now)
    reached = folded.reached(today)
    return LoanLine(
        lender=lender,
        loan=loan,
        debtor=terms.debtor,
        product=terms.product,
        tier=dossier.tier.value,
        stage=folded.stage(now),
        balance=folded.balance,
        overdue=folded.overdue_amount(today),
        currency=terms.currency,
        past_due_days=folded.past_due_days(today),
        delinquent_days=folded.delinquent_days(today),
        reached=reached.id if reached else None,
        seq=folded.seq,
        closed_at=dossier.closed_at,
        today=today,
    )


def list_loans(connection: Connection, now: datetime, lender: str | None = None, limit: int = 1000) -> list[LoanLine]:
    """The loans in the order of lender and id, folded as of now."""
    statement = _LOANS if lender is None else _LOANS_OF
    key = {"limit_": limit} if lender is None else {"limit_": limit, "lender_": lender}
    return [line(connection, row.lender, row.id, now) for row in connection.execute(statement, key).all()]


def open_loans(connection: Connection) -> list[tuple[str, str]]:
    """Lender and id of each loan that is not closed."""
    return [(row.lender, row.id) for row in connection.execute(_OPEN)]


def story(connection: Connection, lender: str, loan: str, now: datetime) -> Story:
    """Everything about one loan. Raises NotFound."""
    first = line(connection, lender, loan, now)
    dossier = read_dossier(connection, lender, loan)
    return Story(
        line=first,
        rows=tuple(dossier.rows),
        verdicts=tuple(explain(connection, lender, loan)),
        contacts=tuple(contacts_of(connection, lender, loan)),
        language=dossier.person.language,
        zones=_home_first(dossier.person),
        loan=dossier.loan,
        loan_tier=dossier.tier,
        paused_since=dossier.paused_since,
        plan=plan_of(dossier, now),
    )


def _home_first(person: Person) -> tuple[str, ...]:
    home = derive_zones(person.residence, None)
    return tuple(sorted(person.zones, key=lambda zone: zone not in home))


def explain(
    connection: Connection, lender: str, loan: str, rung: str | None = None, last: int | None = None
) -> list[StoredVerdict]:
    """The verdicts of a loan in their order, of one rung if given, and only the last few if given."""
    found = [
        StoredVerdict(
            row.no, row.episode, row.installment, row.rung, row.channel, row.at, row.kind, row.rule, row.until,
            GROUNDS.validate_json(row.grounds), row.hash,
        )
        for row in connection.execute(_VERDICTS, {"lender_": lender, "loan_": loan})
        if rung is None or row.rung == rung
    ]  # fmt: skip
    return found if last is None else found[-last:]


def contacts_of(connection: Connection, lender: str, loan: str) -> list[StoredContact]:
    """The contacts of a loan with their texts, by the instant of the send."""
    return list(_contacts(connection, _CONTACTS_OF, {"lender_": lender, "loan_": loan}))


def all_contacts(connection: Connection) -> list[StoredContact]:
    """The contacts of all loans with their texts, by the instant of the send."""
    return list(_contacts(connection, _CONTACTS, {}))


def contact(connection: Connection, id_: str) -> StoredContact:
    """One contact. Raises NotFound."""
    for found in _contacts(connection, _CONTACT, {"id_": id_}):
        return found
    raise NotFound("contact", id_, "only a reservation makes one")


def count_contacts(connection: Connection) -> dict[tuple[str, str], int]:
    """(channel, state) -> how many."""
    return {(channel, state): count for channel, state, count in connection.execute(_SENT)}


def count_verdicts(connection: Connection) -> dict[tuple[str, str], int]:
    """(kind, binding rule) -> how many; the rule is "" for permits."""
    return {(kind, rule): count for kind, rule, count in connection.execute(_JUDGED)}


def list_tasks(connection: Connection) -> list[Task]:
    """What waits for a person, oldest first."""
    return [Task(*row) for row in connection.execute(_TASKS)]


def open_reviews(connection: Connection) -> list[tuple[str, str, str, str, str]]:
    """(lender, loan, episode, installment, rung) of each review without an answer."""
    return [(row[0], row[1], row[2], row[3], row[4]) for row in connection.execute(_REVIEWS)]


def _contacts(connection: Connection, statement: Select, values: dict[str, str]) -> Iterator[StoredContact]:  # type: ignore[type-arg]  # the row's types are spelt out below
    for row in connection.execute(statement, values):
        found = row._mapping
        message = (
            None
            if row.text is None
            else Frozen(row.address, row.sender, row.subject, row.text, row.html, row.language, row.dated, row.provider)
        )
        yield StoredContact(**{name: found[name] for name in _CONTACT_FIELDS}, message=message)
