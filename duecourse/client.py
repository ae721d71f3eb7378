"""Duecourse for other people's programs: the async functions behind starter.py.

    async with duecourse.client.session(clock=real_time) as session:
        await import_book(session, lenders, borrowers, loans)
        await record_facts(session, "qinghe", "QH-1001", [Payment(...)])
        print(await status(session, "qinghe", "QH-1001"))

`clock` (here `real_time`, a function of the program's own) gives real time, aware UTC; business time is
that plus the ledger's book offset, which is zero outside the sandbox. Money is Decimal in the loan's
currency.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from duecourse import history
from duecourse.compliance.acts import ActAnswer
from duecourse.compliance.packs import Pack, PackSet
from duecourse.compliance.rules import Act
from duecourse.delivery import How, deliver
from duecourse.engine.connect import ServerUnreachable, connect
from duecourse.engine.lockstep import Book, Step, lockstep
from duecourse.engine.virtual_time import arrive
from duecourse.errors import NotAllowed, NotFound, Unavailable
from duecourse.history import PastRecorded
from duecourse.ledger import acts, outbox, published, queries, registration, settings
from duecourse.ledger import clock as book_clock
from duecourse.ledger.dossier import rows_after
from duecourse.ledger.duties import OpenDuty, open_duties
from duecourse.ledger.facts import Recorded, record_many
from duecourse.ledger.outbox import Batch
from duecourse.ledger.queries import LoanLine, Story, Task
from duecourse.ledger.registration import register_borrower, register_lender, register_loan
from duecourse.ledger.store import Ledger
from duecourse.loans.facts import Fact, FromOutside
from duecourse.loans.portfolio import BorrowerRecord, LenderRecord, LoanRecord
from duecourse.loans.recorded import PastRecord
from duecourse.sweep import sweep
from duecourse.treatments.catalogue import load_ladder
from workflows.contracts import STATUS, Applied, LoanStatus, loan_workflow_id

DEFAULT_LEDGER = "sqlite:///.duecourse/ledger.db"


@dataclass(frozen=True, slots=True)
class Session:
    """An open ledger and, where it is needed, a connection to Temporal."""

    ledger: Ledger
    clock: Callable[[], datetime]
    connected: Client | None = None

    @property
    def temporal(self) -> Client:
        """The connection. Raises Unavailable in a session that was opened without one."""
        if self.connected is None:
            raise Unavailable("this session has no connection to Temporal; open it with temporal=True")
        return self.connected

    async def now(self) -> datetime:
        """Business time, aware UTC."""
        return self.clock() + await self.ledger.consulting(book_clock.book_offset)


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of one loan of a book."""

    lender: str
    loan: str
    outcome: Literal["new", "again"]


@dataclass(frozen=True, slots=True)
class Told:
    """A fact as the ledger holds it, and what the loan answered; `applied` is None where it could not yet."""

    recorded: Recorded
    applied: Applied | None


@dataclass(frozen=True, slots=True)
class Overview:
    """A book at a glance. `at` is business time, aware UTC."""

    at: datetime
    loans: tuple[LoanLine, ...]
    contacts: Mapping[tuple[str, str], int]  # (channel, state)
    verdicts: Mapping[tuple[str, str], int]  # (kind, binding rule, "" for permits)
    tasks: tuple[Task, ...]
    duties: tuple[OpenDuty, ...]  # notices that no step of a ladder serves in time
    reviews: tuple[tuple[str, str, str, str, str], ...]  # lender, loan, episode, installment, rung
    waiting: int  # loans that have not acknowledged what the ledger holds
    paused_since: datetime | None
    packs: PackSet  # in force now, whatever a lender is pinned to


@asynccontextmanager
async def session(
    *,
    clock: Callable[[], datetime],
    ledger: str = DEFAULT_LEDGER,
    target: str | None = None,
    temporal: bool = True,
    sandbox: bool = False,
) -> AsyncIterator[Session]:
    """Open a session.

    Args:
        clock: real time, aware UTC.
        ledger: its address, `sqlite:///FILE` or `postgresql+psycopg://...`.
        target: Temporal's `host:port`; left out: TEMPORAL_ADDRESS, the profile file, or localhost:7233.
        temporal: whether to connect; what only reads the ledger needs no server.
        sandbox: a new ledger gets a book clock that can be moved.

    Raises:
        ServerUnreachable, InvalidInput, Unavailable.
    """
    opened = Ledger.open(ledger, sandbox=sandbox)
    try:
        yield Session(opened, clock, await connect(target) if temporal else None)
    except RPCError as error:
        if error.status not in (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED):
            raise
        raise ServerUnreachable(target or "the configured address") from error
    finally:
        opened.close()


async def import_book(
    session: Session,
    lenders: Sequence[LenderRecord],
    borrowers: Sequence[BorrowerRecord],
    loans: Sequence[LoanRecord],
    *,
    past: Sequence[PastRecord] = (),
    on_loan: Callable[[Imported], None] = lambda _: None,
) -> list[Imported]:
    """Register lenders, each lender's borrowers and the loans, and start the loans. Safe to repeat.

    `past`: what came before us; it is on record before any of these loans starts. Raises RecordsRefused, and starts no
    loan, where one of its records is refused; Conflict for a loan whose content differs from what is registered: those
    before it stay.
    """
    known = {one.id: one for one in borrowers}
    for lender in lenders:
        theirs = [loan for loan in loans if loan.lender == lender.id]
        await session.ledger.transacting(register_lender, lender)
        for borrower in sorted({party.borrower for loan in theirs for party in loan.parties}):
            await session.ledger.transacting(register_borrower, lender.id, known[borrower])
    by_id = {lender.id: lender for lender in lenders}
    if past:
        debtors = {(loan.lender, loan.loan): loan.debtor for loan in loans}
        await history.record_past(session.ledger, session.connected, past, await session.now(), expected=debtors)
    done = []
    for loan in loans:
        imported = await start_loan(session, by_id[loan.lender], loan, [known[one.borrower] for one in loan.parties])
        on_loan(imported)
        done.append(imported)
    return done


async def start_loan(
    session: Session, lender: LenderRecord, loan: LoanRecord, borrowers: Sequence[BorrowerRecord]
) -> Imported:
    """Register one loan and start its workflow; lender and borrowers are registered already.

    The loan is active from now on: what lies before it is caught up or skipped, as each rung says.
    """
    now = await session.now()
    registered = await session.ledger.transacting(
        register_loan,
        loan.terms(lender, now, borrowers),
        load_ladder(loan.ladder),
        loan.risk_tier,
        now,
        creditor=loan.creditor,
        standing=loan.standing,
    )
    if registered.outbox:
        batch = Batch(loan.lender, loan.loan, (), registered.outbox, start=True)
        await deliver(session.ledger, session.temporal, batch, now, How.SIGNAL)
    return Imported(loan.lender, loan.loan, registered.outcome)


@dataclass(frozen=True, slots=True)
class Parties:
    """A lender and borrowers as the ledger knows them: None and left out where it does not."""

    lender: LenderRecord | None
    borrowers: tuple[BorrowerRecord, ...]


async def registered_parties(session: Session, lender: str, borrowers: Sequence[str]) -> Parties:
    """Who is registered already, for the start of one more loan. The records hold no contact points."""
    found = await session.ledger.consulting(registration.known_parties, lender, borrowers)
    return Parties(*found)


async def record_facts(
    session: Session,
    lender: str,
    loan: str,
    facts: Sequence[FromOutside],
    *,
    at: datetime | None = None,
) -> list[Told]:
    """Let facts into the ledger, all or none, then tell the loan and the person's other loans.

    A fact whose id is known with the same content changes nothing. `at`: business time, now if left out.
    Raises NotFound, InvalidInput, Conflict before any effect.
    """
    now = at or await session.now()
    recorded = await session.ledger.transacting(record_many, lender, loan, facts, now)
    fresh = [one for one in recorded if not one.again]
    told: dict[str, Applied | None] = {}
    if fresh:
        batch = Batch(
            lender,
            loan,
            tuple(one.fact for one in fresh),
            tuple(row for one in fresh for row in one.outbox),
            start=any(one.start for one in fresh),
        )
        applied = await deliver(session.ledger, session.temporal, batch, now, How.UPDATE)
        told = {one.fact.id: applied for one in fresh}
    others = sorted({other for one in fresh for other in one.others})
    if others:
        await drain_outbox(session, at=now)
    return [Told(one, told.get(one.fact.id)) for one in recorded]


async def record_past(session: Session, records: Sequence[PastRecord], *, keep_good: bool = False) -> PastRecorded:
    """Record what the lender's old system knew; a record that is there already changes nothing.

    Raises RecordsRefused, and records nothing, where a record is refused, unless `keep_good` says to record the others.
    """
    return await history.record_past(
        session.ledger, session.connected, records, await session.now(), keep_good=keep_good
    )


async def drain_outbox(session: Session, *, at: datetime | None = None) -> int:
    """Tell every loan all that it has not acknowledged, however young; returns how many were told."""
    now = at or await session.now()
    waiting = await session.ledger.consulting(outbox.due, now, older_than=timedelta(0))
    for batch in waiting:
        await deliver(session.ledger, session.temporal, batch, now, How.UPDATE)
    return len(waiting)


async def find(session: Session, loan: str, lender: str | None = None) -> tuple[str, str]:
    """Lender and id of a loan named by its id. Raises NotFound, also where several lenders have it."""
    return await session.ledger.consulting(queries.find_loan, loan, lender)


async def status(session: Session, lender: str, loan: str) -> LoanStatus:
    """What the loan's workflow says of itself. Raises NotFound, Unavailable where no worker answers."""
    workflow_id = loan_workflow_id(lender, loan)
    try:
        return await _ask(session, workflow_id)
    except RPCError as error:
        match error.status:
            case RPCStatusCode.NOT_FOUND:
                raise NotFound("loan", f"{lender}/{loan}", "it has no workflow: import or start it") from error
            case RPCStatusCode.FAILED_PRECONDITION:
                # Started on the sandbox's clock a moment ago: the server refuses queries before the first task.
                await arrive(session.temporal, workflow_id)
                return await _ask(session, workflow_id)
            case _:
                raise Unavailable(
                    f"loan {lender}/{loan} does not answer ({error.status.name.lower()}): run `python worker.py`"
                ) from error


async def _ask(session: Session, workflow_id: str) -> LoanStatus:
    handle = session.temporal.get_workflow_handle(workflow_id)
    answer: LoanStatus = await handle.query(STATUS, result_type=LoanStatus, rpc_timeout=timedelta(seconds=10))
    return answer


async def loan_line(session: Session, lender: str, loan: str) -> LoanLine:
    """One loan as the ledger folds it now. Raises NotFound."""
    return await session.ledger.consulting(queries.line, lender, loan, await session.now())


async def list_loans(session: Session, lender: str | None = None) -> list[LoanLine]:
    """All loans, in the order of lender and id."""
    return await session.ledger.consulting(queries.list_loans, await session.now(), lender)


async def story(session: Session, lender: str, loan: str) -> Story:
    """Facts, verdicts with their findings, and contacts with their texts. Raises NotFound."""
    return await session.ledger.consulting(queries.story, lender, loan, await session.now())


async def overview(session: Session) -> Overview:
    """The whole book as of now: loans, counts of messages and verdicts, and what waits for people or for loans."""
    return await session.ledger.consulting(_overview, await session.now())


def _overview(connection: Connection, now: datetime) -> Overview:
    return Overview(
        at=now,
        loans=tuple(queries.list_loans(connection, now)),
        contacts=queries.count_contacts(connection),
        verdicts=queries.count_verdicts(connection),
        tasks=tuple(queries.list_tasks(connection)),
        duties=tuple(open_duties(connection)),
        reviews=tuple(queries.open_reviews(connection)),
        waiting=len(outbox.due(connection, now, older_than=timedelta(0))),
        paused_since=settings.paused_since(connection),
        packs=published.in_force(connection),
    )


async def facts_of(session: Session, lender: str, loan: str) -> tuple[Fact, ...]:
    """All rows of a loan in their sequence; none for a loan that is unknown."""
    return await session.ledger.consulting(rows_after, lender, loan, 0)


async def open_reviews(session: Session) -> list[tuple[str, str, str, str, str]]:
    """(lender, loan, episode, installment, rung) of each review that waits for a person's answer."""
    return await session.ledger.consulting(queries.open_reviews)


async def may_act(session: Session, lender: str, loan: str, act: Act) -> ActAnswer:
    """May the lender report this loan to a bureau, accelerate it, sue, or hand it to its legal department, as of now?

    `act`: report | accelerate | sue | legal. `allow` is good for this moment; `wait` names from when on, as far as is
    known now; `refuse` says in its findings what is missing and in `owed` which notices open the way. Unknown facts
    refuse. Raises NotFound.
    """
    return await session.ledger.consulting(acts.may_follow, lender, loan, act, await session.now())


async def pause_all(session: Session) -> datetime:
    """Stop every send of every lender, from the next reservation on; returns since when."""
    return await session.ledger.transacting(settings.pause_all, await session.now())


async def resume_all(session: Session) -> None:
    """Let sends go on."""
    await session.ledger.transacting(settings.resume_all)


async def publish_packs(session: Session, packs: Iterable[Mapping[str, str]]) -> list[Pack]:
    """Put packs in force from their texts, path -> YAML, on every worker from its next reservation on.

    Raises InvalidInput with file, field, line and remedy, and publishes none, where one is wrong or does not fit.
    """
    return await session.ledger.transacting(published.publish_all, packs)


async def waiting(session: Session) -> tuple[Batch, ...]:
    """What no loan has acknowledged yet."""
    return await session.ledger.consulting(outbox.due, await session.now(), older_than=timedelta(0))


async def set_book(session: Session, to: datetime) -> None:
    """Set the clock of a sandbox's book that has no open loan yet to `to` (aware UTC).

    Raises NotAllowed for a ledger that was not made for the sandbox, or that has open loans.
    """
    if await session.ledger.consulting(queries.open_loans):
        raise NotAllowed("the book has open loans: move it with fast-forward, so that they live through the time")
    await session.ledger.transacting(book_clock.move, to, session.clock())


async def fast_forward(
    session: Session, until: datetime, *, on_step: Callable[[Step], Awaitable[None]] | None = None
) -> Book:
    """Move the sandbox's book, and with it all open loans, to `until` (aware UTC, business time).

    `on_step` is awaited between steps, while all clocks stand: the place for facts.
    Raises NotAllowed for a ledger that was not made for the sandbox, and what `lockstep` raises.
    """

    async def move_clock(to: datetime) -> None:
        await session.ledger.transacting(book_clock.move, to, session.clock())

    async def stepped(step: Step) -> None:
        await move_clock(step.at)
        if on_step is not None:
            await on_step(step)
        await drain_outbox(session)

    await move_clock(await session.now())  # refused at once where the book's clock is not movable
    await drain_outbox(session)
    book = await lockstep(session.temporal, await _open_ids(session), until, lambda: _moments(session), on_step=stepped)
    await move_clock(max(book.at, await session.now()))
    await sweep(session.ledger, await session.now())
    return book


async def _open_ids(session: Session) -> list[str]:
    found = await session.ledger.consulting(queries.open_loans)
    return [loan_workflow_id(lender, loan) for lender, loan in found]


async def _moments(session: Session) -> Mapping[str, datetime | None]:
    """For each open loan the moment at which it will act by itself, as it says itself."""
    moments: dict[str, datetime | None] = {}
    for lender, loan in await session.ledger.consulting(queries.open_loans):
        seen = await status(session, lender, loan)
        if not seen.closed:
            moments[loan_workflow_id(lender, loan)] = seen.next_at
    return moments
