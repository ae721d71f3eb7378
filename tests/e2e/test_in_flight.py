"""What arrives while a contact is under way: payments, opt-outs, holds, the edge of its window."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from temporalio.api.enums.v1 import EventType

from duecourse.ledger.facts import record
from duecourse.loans.facts import HoldLifted, HoldPlaced, OptOut, Payment
from duecourse.sandbox.faults import Fail
from duecourse.sandbox.received import Received
from tests.e2e.house import SHANGHAI, House, local, morning, until
from tests.e2e.ladders import ladder, notice, rung
from workflows.contracts import Applied

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

DUE = date(2031, 3, 13)
BUSY = Fail(channel="sms", status=429, code=20429, times=1000)
"""The gateway is busy, for as long as the test wants: each attempt is certainly not accepted, and repeated."""
ONE_SMS = ladder(rung("remind", -3))
ONE_NOTICE = ladder(notice("notice", 2, "sms", "email"))


BUSY_FOR_MINUTES = BUSY.model_copy(update={"retry_after": 240})
"""The next attempt is so far off that nothing in a test can have waited for it."""


async def retrying(house: House, loan: str = "L1", fault: Fail = BUSY) -> int:
    """Bring the loan to a contact that the gateway refuses for now, and wait until it is to be repeated."""
    house.sandbox.misbehave(fault)
    await house.to_just_before_next(loan)

    async def repeated() -> int:
        attempt = await house.pending_attempt(loan)
        return attempt if attempt >= 2 else 0

    return await until(repeated, "the contact is tried again")


async def activity_ends(house: House) -> list[str]:
    """How the activities of the loan's run ended, in the order of its history."""
    ends = {
        EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: "completed",
        EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED: "cancelled",
        EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: "failed",
        EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: "timed out",
    }
    return [ends[event.event_type] for events in await house.runs() for event in events if event.event_type in ends]


async def test_a_payment_while_a_contact_is_retried_is_answered_at_once_and_stops_it(house: House) -> None:
    """The answer does not wait for the next attempt, and that attempt never comes."""
    await house.start(due=DUE, installments=2, ladder=ONE_SMS)
    assert await retrying(house, fault=BUSY_FOR_MINUTES) == 2
    told = await house.pay()
    assert told.applied is not None
    assert told.applied.seq == told.recorded.fact.loan_seq

    async def nothing_pending() -> bool:
        return await house.pending_attempt() == 0

    await until(nothing_pending, "the contact is cancelled")
    house.sandbox.behave()
    status = await house.status()
    assert status.pending is None
    assert status.balance == "100.00"
    ends = await activity_ends(house)
    assert ends[0] == "cancelled"
    assert house.received() == []
    assert {state for _, _, state in house.contact_states()} == {"released"}
    # The ladder goes on with the next installment.
    await house.to(morning(DUE + timedelta(days=30)))
    assert [(name, local(message).date()) for name, message in house.received()] == [
        ("remind", DUE + timedelta(days=27))
    ]


async def test_a_payment_in_full_while_a_contact_is_retried_closes_the_loan(house: House) -> None:
    await house.start(due=DUE, ladder=ONE_SMS)
    await retrying(house, fault=BUSY_FOR_MINUTES)
    told = await house.pay()
    assert told.applied is not None
    assert told.applied.stage == "closed"
    result = await house.handle().result()
    assert result["closed"] is True
    assert house.received() == []


async def test_a_payment_stops_the_next_attempt_even_if_the_loan_cannot_hear_of_it(empty_house: House) -> None:
    """No worker serves the loan while it is paid: the attempt asks the ledger, and finds the rung moot."""
    house = empty_house
    async with house.workers("sms"):
        async with house.workers("loans"):
            await house.start(due=DUE, ladder=ONE_SMS)
            await retrying(house)
        house.ledger.transact(record, house.lender, "L1", await house.payment(), await house.now())
        house.sandbox.behave()

        async def ended() -> bool:
            return await activity_ends(house) != []

        await until(ended, "the next attempt is over")
        assert await activity_ends(house) == ["completed"]
    assert house.received() == []
    assert {state for _, _, state in house.contact_states()} == {"released"}


async def test_a_payment_does_not_undo_a_call_that_is_on_the_wire(house: House) -> None:
    """Paid between the gateway's acceptance and its answer: answered at once, and what was sent is still recorded."""
    answers: list[Applied | None] = []

    async def pay_now(_: Received) -> None:
        house.sandbox.on_accepted.clear()
        answers.append((await house.pay()).applied)

    house.sandbox.on_accepted.append(pay_now)
    await house.start(due=DUE, ladder=ONE_SMS)
    await house.to_just_before_next()
    result = await house.handle().result()
    assert [answer is not None and answer.stage for answer in answers] == ["closed"]
    assert house.outcomes() == [("remind", "sms", "accepted")]
    assert len(house.received()) == 1
    assert (result["closed"], result["seq"]) == (True, len(house.rows()))


async def test_a_stop_while_a_contact_is_pending_is_honoured_by_the_next_attempt(house: House) -> None:
    """An opt-out makes nothing moot: the next attempt is decided on it, and is withheld."""
    await house.start(due=DUE, ladder=ONE_SMS)
    await retrying(house)
    told = await house.tell(OptOut(id="stop", at=await house.now(), channel="sms"))
    assert told.applied is not None  # answered although the contact is still pending
    house.sandbox.behave()
    await until(lambda: house.outcomes() != [], "the next attempt is decided")
    assert house.outcomes() == [("remind", "sms", "withheld")]
    assert house.received() == []


async def test_after_a_stop_a_notice_goes_by_another_channel(house: House) -> None:
    """An opt-out from one channel leaves a mandatory notice the others."""
    await house.start(due=DUE, ladder=ONE_NOTICE)
    await retrying(house)
    await house.tell(OptOut(id="stop", at=await house.now(), channel="sms"))
    house.sandbox.behave()
    await until(lambda: house.outcomes() != [], "the next attempt is decided")
    await house.to(morning(DUE + timedelta(days=4)))  # the e-mail has its own place in the window
    assert [(name, message.channel) for name, message in house.received()] == [("notice", "email")]
    assert house.outcomes() == [("notice", "sms", "try_next"), ("notice", "email", "accepted")]


async def test_a_hold_stops_a_contact_under_way_and_lets_it_go_when_it_is_lifted(house: House) -> None:
    await house.start(due=DUE, ladder=ONE_NOTICE)
    await retrying(house)
    today = local_date(await house.now())
    hold = HoldPlaced(id="hold", at=await house.now(), hold="h1", cause="hardship", starts=today, days="counted")
    told = await house.tell(hold)
    assert told.applied is not None
    assert told.applied.stage == "held"
    house.sandbox.behave()
    await until(lambda: house.outcomes() != [], "the next attempt is decided")
    assert house.outcomes()[-1] == ("notice", "sms", "withheld")
    await house.to(morning(DUE + timedelta(days=6)))
    assert house.received() == []

    await house.tell(HoldLifted(id="lift", at=await house.now(), hold="h1", on=local_date(await house.now())))
    await house.to(morning(DUE + timedelta(days=7)))
    assert [(name, message.channel, local(message).date()) for name, message in house.received()] == [
        ("notice", "sms", DUE + timedelta(days=6))
    ]


async def test_a_retry_never_leaves_its_window(house: House) -> None:
    """The provider is down until the lawful hour is over: nothing is sent at night, and the rung goes out next day."""
    await house.start(due=DUE, ladder=ladder(rung("remind", -3, life_days=3)))
    house.sandbox.misbehave(BUSY)
    await house.to(morning(DUE - timedelta(days=2)))  # all of the first day passes in retries
    assert house.received() == []
    house.sandbox.behave()
    await house.to(morning(DUE))
    ((name, message),) = house.received()
    assert name == "remind"
    assert 9 <= local(message).hour < 20
    assert local(message).date() == DUE - timedelta(days=2)


async def test_the_same_payment_twice_counts_once(house: House) -> None:
    """A program that never saw the answer says it again: same id, same content, one effect."""
    await house.start(due=DUE, installments=2, ladder=ONE_SMS)
    payment = Payment(id="p1", at=await house.now(), amount=Decimal(100), currency="CNY")
    first, again = await house.tell(payment), await house.tell(payment)
    assert (first.recorded.again, again.recorded.again) == (False, True)
    assert (await house.status()).balance == "100.00"


def local_date(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()
