"""A lender's house for one test: a ledger, the sandbox's providers, workers, and loans on a real server.

Business time begins at BEGINS, 10:00 on a Monday in Shanghai, where all borrowers live, and moves only when a test
moves it. The server is shared by all tests; each house has a lender of its own, so that no workflow id is used twice.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import dataclasses
import inspect
import shutil
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, overload
from zoneinfo import ZoneInfo

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

import worker
from activities.contact import ContactActivities
from activities.record import RecordActivities
from duecourse import client as dc
from duecourse.channels.settings import ChannelSettings, build_adapters
from duecourse.delivery import How, deliver
from duecourse.engine import virtual_time
from duecourse.engine.pool import WorkerSpec, running_workers
from duecourse.ledger import clock as book_clock
from duecourse.ledger import queries
from duecourse.ledger.dossier import rows_after
from duecourse.ledger.outbox import Batch
from duecourse.ledger.queries import StoredContact
from duecourse.ledger.registration import register_borrower, register_lender, register_loan
from duecourse.ledger.sending import Mode, Sending
from duecourse.ledger.store import Ledger
from duecourse.ledger.worklist import worklist_of
from duecourse.loans.facts import Contacted, Decided, Fact, FromOutside, Payment
from duecourse.loans.portfolio import BorrowerRecord, LenderRecord
from duecourse.loans.terms import Installment, Party, Terms
from duecourse.messages.render import Renderer
from duecourse.sandbox.received import Received
from duecourse.sandbox.server import Sandbox
from duecourse.treatments.ladder import Ladder, Tier
from tests.e2e.ladders import PLAIN
from workflows.contracts import CHANNEL_QUEUES, LOANS_QUEUE, LoanStatus, loan_workflow_id

BEGINS = datetime(2031, 3, 3, 2, tzinfo=UTC)
"""10:00 on a Monday in Shanghai. Far enough ahead for a book that may never go back."""
SHANGHAI = ZoneInfo("Asia/Shanghai")
ALL_QUEUES = (LOANS_QUEUE, *CHANNEL_QUEUES.values())
JUST_BEFORE = timedelta(seconds=2)
PATIENCE_S = 60.0
"""Longer than anything a test waits for takes on a busy machine; only a failure ever waits so long."""

T = TypeVar("T")


@overload
async def until(condition: Callable[[], Awaitable[T | None]], what: str) -> T: ...
@overload
async def until(condition: Callable[[], T], what: str) -> T: ...
async def until(condition: Callable[[], Any], what: str) -> Any:
    """Poll until the condition, asynchronous or not, gives something true; returns that."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        found = condition()
        value = await found if inspect.isawaitable(found) else found
        if value:
            return value
        if time.monotonic() > give_up:
            raise AssertionError(f"not in {PATIENCE_S:.0f} s: {what}")
        await asyncio.sleep(0.02)


class House:
    """One lender with its loans. Calls to the ledger are transactions of their own."""

    def __init__(self, client: Client, ledger: Ledger, sandbox: Sandbox, url: str, lender: str) -> None:
        self.client = client
        self.ledger = ledger
        self.sandbox = sandbox
        self.url = url
        self.lender = lender
        self.session = dc.Session(ledger, lambda: datetime.now(UTC), client)
        self._people: set[str] = set()
        self._loans: list[str] = []
        self._facts = 0

    # --- loans and people ---

    async def start(
        self,
        loan: str = "L1",
        *,
        due: date,
        installments: int = 1,
        amount: str = "100.00",
        ladder: Ladder = PLAIN,
        borrower: str = "B1",
        tier: Tier = Tier.STANDARD,
        delivered: bool = True,
        **person: Any,
    ) -> str:
        """Register a loan with installments 30 days apart, and start it; not `delivered`: the starter dies between."""
        self.register_person(borrower, **person)
        now = await self.session.now()
        terms = Terms(
            lender=self.lender,
            loan=loan,
            product="consumer_loan",
            currency="CNY",
            jurisdictions=("CN",),
            parties=(Party(borrower=borrower),),
            installments=tuple(
                Installment(id=str(n), due_on=due + timedelta(days=30 * (n - 1)), principal=Decimal(amount))
                for n in range(1, installments + 1)
            ),
            utc_offset_minutes=480,
            active_from=now,
        )
        registered = self.ledger.transact(register_loan, terms, ladder, tier, now)
        self._loans.append(loan)
        if delivered:
            batch = Batch(self.lender, loan, (), registered.outbox, start=True)
            await deliver(self.ledger, self.client, batch, now, How.SIGNAL)
            await virtual_time.arrive(self.client, self.workflow_id(loan))
        return loan

    def register_person(self, borrower: str, **changes: Any) -> None:
        if borrower in self._people:
            return
        number = len(self._people) + 1
        fields: dict[str, Any] = {
            "id": borrower,
            "name": f"Sample Person {number}",
            "language": "en",
            "country": "CN",
            "city": "Shanghai",
            "phone": f"+86138001380{number:02}",
            "email": f"person{number}@house.example",
            "address": (f"{number} Sample Road", "Shanghai"),
            "consents": (),
            "history": "complete",
        }
        self.ledger.transact(register_lender, lender_record(self.lender))
        self.ledger.transact(register_borrower, self.lender, BorrowerRecord.model_validate(fields | changes))
        self._people.add(borrower)

    def workflow_id(self, loan: str = "L1") -> str:
        return loan_workflow_id(self.lender, loan)

    def handle(self, loan: str = "L1") -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(self.workflow_id(loan))

    # --- facts ---

    async def tell(self, fact: FromOutside, loan: str = "L1") -> dc.Told:
        (told,) = await dc.record_facts(self.session, self.lender, loan, [fact])
        return told

    async def pay(self, loan: str = "L1", amount: str = "100.00", *, id: str | None = None) -> dc.Told:
        return await self.tell(await self.payment(amount, id=id), loan)

    async def payment(self, amount: str = "100.00", *, id: str | None = None) -> Payment:
        return Payment(id=id or self.fact_id(), at=await self.now(), amount=Decimal(amount), currency="CNY")

    def fact_id(self) -> str:
        self._facts += 1
        return f"fact-{self._facts}"

    # --- time ---

    async def now(self) -> datetime:
        return await self.session.now()

    async def to(self, moment: datetime) -> None:
        """Move the book and all its open loans, in lockstep."""
        await dc.fast_forward(self.session, moment)

    async def next_moment(self, loan: str = "L1") -> datetime:
        """When the loan will act by itself, once it says so. A worker must run for it."""

        async def waiting() -> datetime | None:
            seen = await self.status(loan)
            return seen.next_at if seen.next_at and seen.next_at > await self.now() else None

        return await until(waiting, f"{loan} waits for a moment")

    async def to_just_before(self, moment: datetime, loan: str = "L1", *, by: timedelta = JUST_BEFORE) -> None:
        """Move one loan, and the book's clock with it, to shortly before a moment."""
        place = await virtual_time.fast_forward(self.client, self.workflow_id(loan), moment - by)
        assert isinstance(place, virtual_time.Arrived)
        await self.ledger.transacting(book_clock.move, place.at, datetime.now(UTC))

    async def to_just_before_next(self, loan: str = "L1") -> None:
        """Move one loan, and the book's clock with it, to two seconds before it acts: it then does in real time."""
        await self.to_just_before(await self.next_moment(loan), loan)

    # --- looking ---

    async def status(self, loan: str = "L1") -> LoanStatus:
        return await dc.status(self.session, self.lender, loan)

    def received(self, loan: str | None = None) -> list[tuple[str, Received]]:
        """What the providers accepted, with the rung that each message was for, oldest first by business time."""
        known = {one.id: one for one in self.contacts()}
        mine = [
            (known[message.contact].rung, message)
            for message in self.sandbox.received()
            if message.contact in known and loan in (None, known[message.contact].loan)
        ]
        return sorted(mine, key=lambda one: one[1].at)

    def contacts(self, loan: str | None = None) -> list[StoredContact]:
        return [one for one in self.ledger.consult(queries.all_contacts) if loan in (None, one.loan)]

    def contact_states(self, loan: str = "L1") -> list[tuple[str, str, str]]:
        """(rung, channel, state) of each contact, in the order in which they were sent."""
        return [(one.rung, one.channel, one.state) for one in self.contacts(loan)]

    def rows(self, loan: str = "L1") -> tuple[Fact, ...]:
        return self.ledger.consult(rows_after, self.lender, loan, 0)

    def outcomes(self, loan: str = "L1") -> list[tuple[str, str, str]]:
        """(rung, channel, outcome or state) of each row that we wrote, in the ledger's order."""
        found: list[tuple[str, str, str]] = []
        for row in self.rows(loan):
            match row:
                case Decided():
                    found.append((row.rung, row.channel, row.outcome))
                case Contacted():
                    found.append((row.rung, row.channel, row.state))
                case _:
                    pass
        return found

    async def pending_attempt(self, loan: str = "L1") -> int:
        """The attempt that the loan's pending activity is in, or waits for; 0 when none is pending."""
        seen = await self.handle(loan).describe()
        return max((one.attempt for one in seen.raw_description.pending_activities), default=0)

    async def runs(self, loan: str = "L1") -> list[list[HistoryEvent]]:
        """The events of each run of a loan, from its first; a reopened loan begins anew."""
        seen = await self.handle(loan).describe()
        run_id = seen.raw_description.workflow_execution_info.first_run_id
        runs = []
        while run_id:
            history = await self.client.get_workflow_handle(self.workflow_id(loan), run_id=run_id).fetch_history()
            runs.append(list(history.events))
            last = history.events[-1]
            run_id = (
                last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
                if last.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
                else ""
            )
        return runs

    # --- workers ---

    def environment(self) -> dict[str, str]:
        """The providers of this house: a second for a call, and a fifth of one for the look-up to be complete."""
        return {
            **self.sandbox.environment(),
            "DUECOURSE_CHANNEL_TIMEOUT_SECONDS": "1",
            "DUECOURSE_TWILIO_SETTLE_SECONDS": "0.2",
        }

    @contextlib.asynccontextmanager
    async def workers(self, *queues: str, sending: Mode = "on", allowed: str = "") -> AsyncIterator[None]:
        """Workers in this process for the queues, or for all, composed as worker.py composes them."""
        adapters = build_adapters(ChannelSettings.from_environment(self.environment()), worklist_of(self.ledger))
        contact = ContactActivities(self.ledger, adapters, Renderer(), Sending.of(sending, allowed))
        served = worker.specs(queues or ALL_QUEUES, contact, RecordActivities(self.ledger))
        try:
            async with running_workers(self.client, quick(served), drain=timedelta(seconds=2)):
                yield
        finally:
            await adapters.close()

    async def close(self) -> None:
        """End what is still open: another house's workers must never serve these loans."""
        for loan in self._loans:
            try:
                await self.handle(loan).terminate("the test is over")
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
        self.ledger.close()


def quick(specs: Sequence[WorkerSpec], *, at_once: int = 100) -> list[WorkerSpec]:
    """The specs with a sticky time-out of a second, so that a killed worker is not waited for."""
    return [
        dataclasses.replace(spec, sticky_timeout=timedelta(seconds=1), max_concurrent_activities=at_once)
        for spec in specs
    ]


def lender_record(id_: str) -> LenderRecord:
    return LenderRecord(
        id=id_,
        name="Sample Lender",
        role="creditor",
        country="CN",
        utc_offset_minutes=480,
        contact_number="400-000-0009",
        payment_link="https://pay.example/{loan}",
        sms_sender="Sample",
        mail_from="service@lender.example",
        postal_address=("1 Sample Street",),
    )


def local(message: Received) -> datetime:
    """When a message went out, on the borrower's clock."""
    return message.at.astimezone(SHANGHAI)


def morning(day: date) -> datetime:
    """02:30 in Shanghai on that day: no rung is open, and none is near."""
    return datetime(day.year, day.month, day.day, 2, 30, tzinfo=SHANGHAI).astimezone(UTC)


@contextlib.asynccontextmanager
async def open_house(client: Client, folder: Path, lender: str | None = None) -> AsyncIterator[House]:
    """A house in its folder, at BEGINS, without workers; with a lender that no other house on the server has."""
    shutil.copy(_template(), folder / "ledger.db")
    url = f"sqlite:///{folder}/ledger.db"
    async with Sandbox(folder / "sandbox") as sandbox:
        house = House(client, Ledger.open(url), sandbox, url, lender or f"house-{uuid.uuid4().hex[:8]}")
        try:
            await dc.set_book(house.session, BEGINS)
            yield house
        finally:
            await house.close()


@cache
def _template() -> Path:
    """A sandbox's ledger that is made once: publishing all packs for each test would take longer than the tests."""
    folder = Path(tempfile.mkdtemp(prefix="duecourse-e2e-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Ledger.open(f"sqlite:///{folder}/ledger.db", sandbox=True).close()
    return folder / "ledger.db"
