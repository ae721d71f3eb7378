"""Facts on their way from the ledger to the loan: told late, told past the ledger, told to a loan that has ended."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from temporalio.client import WorkflowExecutionStatus

from duecourse import client as dc
from duecourse import delivery
from duecourse.delivery import How, deliver
from duecourse.engine import virtual_time
from duecourse.ledger import clock as book_clock
from duecourse.ledger import outbox
from duecourse.ledger.facts import record
from duecourse.loans.facts import Closed, Contacted, OptOut, Payment, Reversal
from duecourse.relay import relay, relay_once
from duecourse.sandbox.faults import Fail
from tests.e2e.edges import ROOMS, SHORT, start_at_the_edge
from tests.e2e.house import BEGINS, House, local, morning, until
from tests.e2e.ladders import ladder, notice, rung
from workflows.contracts import CLOSE, FACTS, SETTLE_ACTIVITY, Applied, FactsMessage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

DUE = date(2031, 3, 13)
REMIND = ladder(rung("remind", -3), notice("notice", 2, "email", "letter"))


async def relayed(house: House, *, later: timedelta = timedelta(0)) -> int:
    return await relay_once(house.ledger, house.client, datetime.now(UTC) + later)


async def test_the_relay_starts_a_loan_whose_starter_died(house: House) -> None:
    """Registered, and the program died before it could start the workflow: the relay does, after its patience."""
    await house.start(due=DUE, ladder=REMIND, delivered=False)
    assert await relayed(house) == 0  # a starter that is only slow is left alone
    assert await relayed(house, later=outbox.PATIENCE + timedelta(seconds=5)) == 1
    await virtual_time.arrive(house.client, house.workflow_id())
    assert (await house.status()).stage == "current"
    assert house.ledger.consult(outbox.pending) == 0
    await house.to(morning(DUE))
    assert [name for name, _ in house.received()] == ["remind"]


async def test_the_relay_tells_what_a_dead_starter_recorded(house: House) -> None:
    """A payment is true once the ledger has it, whoever dies afterwards."""
    await house.start(due=DUE, installments=2, ladder=REMIND)
    paid = await house.payment()
    house.ledger.transact(record, house.lender, "L1", paid, await house.now())
    assert (await house.status()).balance == "200.00"
    assert await relayed(house, later=outbox.PATIENCE + timedelta(seconds=5)) == 1

    async def told() -> bool:
        return (await house.status()).balance == "100.00"

    await until(told, "the loan hears of the payment")
    assert house.ledger.consult(outbox.pending) == 0
    assert await relayed(house, later=timedelta(hours=1)) == 0


async def test_a_loan_that_cannot_be_read_keeps_no_other_from_hearing(house: House) -> None:
    for loan in ("broken", "sound"):
        await house.start(loan, due=DUE, installments=2, ladder=REMIND, borrower=f"B-{loan}")
        paid = await house.payment(id=f"paid-{loan}")
        house.ledger.transact(record, house.lender, loan, paid, await house.now())
    with house.ledger.write() as connection:
        connection.exec_driver_sql("UPDATE loans SET terms = '{}' WHERE id = 'broken'")
    assert await relayed(house, later=timedelta(minutes=1)) == 1

    async def told() -> bool:
        return (await house.status("sound")).balance == "100.00"

    await until(told, "the sound loan hears of its payment")
    assert house.ledger.consult(outbox.pending) == 1  # the other is told again and again, until somebody mends it


async def test_the_relay_of_a_worker_survives_a_ledger_that_is_away(house: House) -> None:
    """It logs, waits, and goes on when the ledger is there again."""
    await house.start(due=DUE, installments=2, ladder=REMIND)
    house.ledger.transact(record, house.lender, "L1", await house.payment(), await house.now())
    with house.ledger.write() as connection:
        connection.exec_driver_sql("ALTER TABLE outbox RENAME TO away")
    stop, rounds = asyncio.Event(), 0

    def clock() -> datetime:
        nonlocal rounds
        rounds += 1
        return datetime.now(UTC) + timedelta(minutes=1)

    running = asyncio.create_task(relay(house.ledger, house.client, clock, stop))
    await until(lambda: rounds >= 2 or running.done(), "a first round without an outbox")
    assert not running.done()
    with house.ledger.write() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO outbox")

    async def told() -> bool:
        return (await house.status()).balance == "100.00"

    await until(told, "the loan hears of the payment")
    stop.set()
    await running


async def test_a_loan_that_is_told_twice_applies_once(house: House) -> None:
    await house.start(due=DUE, installments=2, ladder=REMIND)
    told = await house.pay()
    row = told.recorded.fact
    for _ in range(2):
        await house.handle().signal(FACTS, FactsMessage(batch=(row,)))
    await house.to(morning(DUE - timedelta(days=1)))
    status = await house.status()
    assert (status.balance, status.seq) == ("100.00", len(house.rows()))


async def test_a_person_who_opts_out_at_one_loan_is_heard_by_the_others(house: House) -> None:
    for loan in ("L1", "L2"):
        await house.start(loan, due=DUE, ladder=REMIND, borrower="B1")
    await house.tell(OptOut(id="stop", at=await house.now(), channel="sms"), "L1")
    assert [(await house.status(loan)).seq for loan in ("L1", "L2")] == [1, 1]
    await house.to(morning(DUE))
    assert house.received() == []
    assert house.outcomes("L2") == [("remind", "sms", "withheld")]


async def test_a_fact_typed_past_the_ledger_is_recorded_first(house: House) -> None:
    """A signal from the Web UI has no place in the sequence: an activity gives it one, and only then it counts."""
    await house.start(due=DUE, installments=2, ladder=REMIND)
    typed = Payment(id="typed", at=await house.now(), amount=Decimal("40.00"), currency="CNY")
    await house.handle().signal(FACTS, FactsMessage(batch=(typed,)))

    async def counted() -> bool:
        return (await house.status()).balance == "160.00"

    await until(counted, "the payment counts")
    assert [(row.id, row.loan_seq) for row in house.rows()] == [("typed", 1)]
    assert house.ledger.consult(outbox.pending) == 0


async def test_a_payment_typed_while_a_contact_is_retried_stops_it(house: House) -> None:
    """It is recorded beside the pending contact, not after it."""
    await house.start(due=DUE, ladder=REMIND)
    house.sandbox.misbehave(Fail(channel="sms", status=429, code=20429, times=1000))
    await house.to_just_before_next()

    async def repeated() -> bool:
        return await house.pending_attempt() >= 2

    await until(repeated, "the contact is tried again")
    await house.handle().signal(FACTS, FactsMessage(batch=(await house.payment(id="typed"),)))
    assert (await house.handle().result())["closed"] is True
    assert [row.id for row in house.rows() if isinstance(row, Payment)] == ["typed"]
    assert house.received() == []


async def test_a_closing_typed_as_an_update_is_answered_when_it_is_recorded(house: House) -> None:
    await house.start(due=DUE, ladder=REMIND)
    closing = Closed(id="sold", at=await house.now(), reason="sold to another lender")
    applied = await house.handle().execute_update(CLOSE, closing, result_type=Applied)
    assert applied == Applied(seq=1, stage="closed")
    assert (await house.handle().result())["closed"] is True
    assert [row.kind for row in house.rows()] == ["closed"]


async def test_who_pays_while_no_worker_runs_is_not_kept_waiting(
    empty_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger has it; the loan is told by a signal, which waits for a worker as long as it takes."""
    house = empty_house
    monkeypatch.setattr(delivery, "ANSWER_WITHIN", timedelta(seconds=1))
    async with house.workers():
        await house.start(due=DUE, ladder=REMIND)
        await house.status()
    told = await house.pay()
    assert told.applied is None
    assert house.ledger.consult(outbox.pending) == 0
    async with house.workers():
        assert (await house.handle().result())["closed"] is True


async def test_what_the_ledger_refuses_does_not_reach_the_loan(house: House) -> None:
    """Typed in the wrong currency, or an outcome that only we may write: refused, and the loan goes on."""
    await house.start(due=DUE, installments=2, ladder=REMIND)
    now = await house.now()
    wrong = Payment(id="wrong", at=now, amount=Decimal("40.00"), currency="USD")
    forged = Contacted(
        id="forged", at=now, episode="0", installment="1", rung="remind", channel="sms", contact="0" * 32,
        state="accepted",
    )  # fmt: skip
    right = Payment(id="right", at=now, amount=Decimal("10.00"), currency="CNY")
    await house.handle().signal(FACTS, FactsMessage(batch=(wrong, forged, right)))

    async def counted() -> bool:
        return (await house.status()).balance == "190.00"

    await until(counted, "the right payment counts")
    assert [row.id for row in house.rows()] == ["right"]
    await house.to(morning(DUE))
    assert [name for name, _ in house.received()] == ["remind"]


async def test_a_reversal_after_closing_reopens_the_loan_on_the_book_s_date(house: House) -> None:
    """Paid, closed, and bounced a month later: the ladder goes on from there, and sends nothing of the time between."""
    await house.start(due=DUE, ladder=REMIND)
    await house.pay(id="cheque")
    assert (await house.handle().result())["closed"] is True
    bounced_on = DUE + timedelta(days=20)
    await house.to(morning(bounced_on))

    told = await house.tell(Reversal(id="bounced", at=await house.now(), payment="cheque"))
    assert told.recorded.start
    place = await virtual_time.arrive(house.client, house.workflow_id())
    assert isinstance(place, virtual_time.Arrived)
    assert abs(place.at - await house.now()) < timedelta(seconds=30)
    seen = await house.handle().describe()
    assert seen.status is WorkflowExecutionStatus.RUNNING
    status = await house.status()
    assert (status.stage, status.balance, status.past_due_days) == ("overdue", "100.00", 20)

    await house.to(morning(bounced_on + timedelta(days=2)))
    assert [(name, local(message).date()) for name, message in house.received()] == [("notice", bounced_on)]
    await house.pay(id="transfer")
    assert (await house.handle().result())["closed"] is True


async def test_a_reopened_loan_hears_what_comes_next(house: House) -> None:
    """The same payment bounces, is made good and bounces again: each time the loan stands where the ledger does."""
    await house.start(due=DUE, ladder=REMIND)
    for number in (1, 2):
        await house.pay(id=f"p{number}")
        await until(lambda: _closed(house), "the loan closes")
        await house.tell(Reversal(id=f"r{number}", at=await house.now(), payment=f"p{number}"))
        assert (await house.status()).balance == "100.00"
    assert house.ledger.consult(outbox.pending) == 0
    line = await dc.loan_line(house.session, house.lender, "L1")
    assert (line.stage, line.seq, line.closed_at) == ("current", 4, None)


async def _closed(house: House) -> bool:
    return (await house.handle().describe()).status is WorkflowExecutionStatus.COMPLETED


async def test_an_outage_longer_than_a_plan_s_window_sends_late_and_never_at_night(empty_house: House) -> None:
    """Told a plan, and first served eight days later, at 23:00: what was optional is over, what is owed goes out."""
    house = empty_house
    steps = ladder(
        rung("remind", -7, life_days=2), notice("promised", -4, "email", "letter", template="reminder_before_due")
    )
    planned_at = await house.now()
    loan = await house.start(due=BEGINS.date() + timedelta(days=9), ladder=steps, delivered=False)
    (batch,) = await dc.waiting(house.session)
    outage_ends = BEGINS + timedelta(days=8, hours=13)
    house.ledger.transact(book_clock.move, outage_ends, datetime.now(UTC))
    await deliver(house.ledger, house.client, batch, planned_at, How.SIGNAL)

    async with house.workers():
        await virtual_time.arrive(house.client, house.workflow_id(loan))
        await until(lambda: _said(house, "remind"), "the reminder is decided")
        assert house.received() == []
        await house.to(outage_ends + timedelta(days=1))
    assert ("remind", "sms", "expired") in house.outcomes()
    ((name, message),) = house.received()
    assert name == "promised"
    assert local(message).date() == (BEGINS + timedelta(days=9)).date()
    assert 9 <= local(message).hour < 20


async def test_a_channel_without_workers_until_its_window_is_over(
    empty_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contact was asked for and nobody came: what became of it is settled first, and the next window used."""
    house = empty_house
    for place, name in ROOMS:
        monkeypatch.setattr(place, name, SHORT)
    async with house.workers("loans"):
        loan = await start_at_the_edge(house, DUE)
        await house.to_just_before_next(loan)

        async def settling() -> bool:
            seen = await house.handle(loan).describe()
            return any(one.activity_type.name == SETTLE_ACTIVITY for one in seen.raw_description.pending_activities)

        await until(settling, "the window closes on the contact")
        assert house.contacts(loan) == []
        async with house.workers("sms"):
            await until(lambda: house.outcomes(loan) != [], "the contact is settled")
            assert house.outcomes(loan) == [("remind", "sms", "failed")]
            # Only this loan ever started: the others were tried for their ids.
            await virtual_time.fast_forward(house.client, house.workflow_id(loan), morning(DUE - timedelta(days=1)))
    assert house.outcomes(loan)[-1] == ("remind", "sms", "accepted")
    ((_, message),) = house.received(loan)
    assert (local(message).date(), local(message).hour) == (DUE - timedelta(days=2), 10)


def _said(house: House, rung_id: str) -> bool:
    return any(name == rung_id for name, _, _ in house.outcomes())
