"""Months of several loans, in lockstep on one server: what is sent, on which day, at what hour, and what is shown."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowExecutionStatus

from duecourse import client as dc
from duecourse.engine import search_attributes as keys
from duecourse.ledger import queries
from duecourse.loans.facts import Approval, HoldLifted, HoldPlaced, Promise
from duecourse.treatments.ladder import Tier
from tests.e2e.house import SHANGHAI, House, local, morning, until
from tests.e2e.ladders import ladder, rung
from workflows.contracts import CYCLE, RECENT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

DUE = date(2031, 3, 13)
# Not the loan's doing: time that is skipped, and who skips it.
OF_THE_CLOCK = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
)


def days(house: House, loan: str) -> list[tuple[str, str, date]]:
    """(rung, channel, local date) of each message of a loan."""
    return [(name, message.channel, local(message).date()) for name, message in house.received(loan)]


async def test_each_loan_gets_the_right_messages_on_the_right_days_each_once(house: House) -> None:
    """Four loans of four people for two months: one pays in time, one late, one never, one disputes."""
    for number, name in enumerate(("prompt", "tardy", "silent", "disputed"), start=1):
        await house.start(name, due=DUE, installments=2, borrower=f"B{number}")

    await house.to(morning(DUE - timedelta(days=5)))
    await house.pay("prompt")  # before the second reminder
    await house.to(morning(DUE + timedelta(days=4)))
    await house.pay("tardy")  # after the first overdue message, before the notice
    dispute = HoldPlaced(id="dispute", at=await house.now(), hold="d1", cause="dispute", starts=date(2031, 3, 17))
    await house.tell(dispute, "disputed")
    await house.to(morning(DUE + timedelta(days=52)))

    second = DUE + timedelta(days=30)
    before = [("remind_7", "sms", DUE - timedelta(days=7)), ("remind_3", "email", DUE - timedelta(days=3))]
    before_second = [(name, channel, day + timedelta(days=30)) for name, channel, day in before]
    late, late_second = ("late", "sms", DUE + timedelta(days=2)), ("late", "sms", second + timedelta(days=2))
    unpaid_second = [*before_second, late_second, ("notice", "email", second + timedelta(days=10))]
    assert days(house, "prompt") == [before[0], *unpaid_second]
    assert days(house, "tardy") == [*before, late, *unpaid_second]
    assert days(house, "silent") == [*before, late, ("notice", "email", DUE + timedelta(days=10))]
    assert days(house, "disputed") == [*before, late]
    assert all(9 <= local(message).hour < 20 for _, message in house.received())
    assert not house.sandbox.repeats().by_contact

    stages = {line.loan: line.stage for line in await dc.list_loans(house.session)}
    assert stages == {"prompt": "overdue", "tardy": "overdue", "silent": "review", "disputed": "held"}
    # Nothing is left untold, and the loan in the workflow is the loan in the ledger.
    for name in stages:
        seen = await house.status(name)
        assert (seen.seq, seen.stage) == (len(house.rows(name)), stages[name])


async def test_a_loan_goes_on_through_continue_as_new_and_shows_where_it_stands(house: House) -> None:
    """At each installment's date, and after 31 days of silence, a new run takes over with all that the old one knew."""
    await house.start(due=DUE, installments=2, borrower="B1", tier=Tier.HIGH)
    await house.to(morning(DUE + timedelta(days=1)))
    await house.pay()
    await house.to(morning(DUE + timedelta(days=33)))

    runs = await house.runs()
    assert [events[-1].event_type for events in runs[:-1]] == [
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
    ] * (len(runs) - 1)
    begun = [events[0].event_time.ToDatetime(tzinfo=UTC) for events in runs]
    offset = timedelta(hours=8)
    # The first run's first event bears the real time at which it was asked for. The others begin when the loan next
    # wakes after an installment's date (here: to hear of the payment), and at the latest after a cycle.
    assert [(instant + offset).date() for instant in begun[1:]] == [
        DUE + timedelta(days=1), DUE + timedelta(days=1) + CYCLE,
    ]  # fmt: skip
    assert [(name, channel) for name, channel, _ in days(house, "L1")] == [
        ("remind_7", "sms"), ("remind_3", "email"), ("remind_7", "sms"), ("remind_3", "email"), ("late", "sms"),
    ]  # fmt: skip

    status = await house.status()
    # As of the loan's last step: asking wakes nobody. What it is today, the ledger's fold says.
    assert (status.stage, status.balance, status.past_due_days, status.pending) == ("overdue", "100.00", 2, None)
    assert (await dc.loan_line(house.session, house.lender, "L1")).past_due_days == 3
    assert status.next.startswith("Formal overdue notice, due 12 Apr 2031")
    assert status.next_at is not None
    assert (status.next_at + offset).date() == date(2031, 4, 22)

    recent = await house.handle().query(RECENT)
    sent = ("Reminder, 7 days before, sms: sent", "Reminder, 3 days before, email: sent")
    assert [line.split(": ", 1)[1] for line in recent[:-1]] == [*sent, *sent, "Overdue message, 2 days, sms: sent"]
    assert recent[-1] == f"all: python starter.py explain L1 --lender {house.lender}"

    metadata = await house.handle().query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    details = metadata.current_details
    assert details.startswith(f"## Loan L1 of {house.lender}: overdue")
    assert "Formal overdue notice, due 12 Apr 2031" in details
    assert "Overdue message, 2 days, sms: sent" in details

    seen = await house.handle().describe()
    attributes = seen.typed_search_attributes
    assert attributes[keys.LOAN_STAGE] == "overdue"
    assert attributes[keys.RISK_TIER] == "high"
    assert attributes[keys.BORROWER_ID] == ["B1"]
    assert attributes[keys.JURISDICTION] == "CN"
    assert attributes[keys.OLDEST_DUE_DATE] == datetime(2031, 4, 12, tzinfo=UTC)
    # Refreshed with the stage, which became overdue the day after the date: the next step then was the message.
    assert (attributes[keys.NEXT_ACTION_AT] + offset).date() == date(2031, 4, 14)
    assert attributes.get(keys.HOLDS) is None


async def test_the_stage_follows_the_loan(house: House) -> None:
    """Each change of stage reaches the search attributes, with the holds and the next moment."""
    await house.start(due=DUE)

    async def shown() -> str:
        return (await house.handle().describe()).typed_search_attributes[keys.LOAN_STAGE]

    assert await shown() == "current"
    hold = HoldPlaced(id="fact-h", at=await house.now(), hold="h1", cause="hardship", starts=date(2031, 3, 3))
    told = await house.tell(hold)
    assert told.applied is not None
    assert told.applied.stage == "held"
    seen = (await house.handle().describe()).typed_search_attributes
    assert (seen[keys.LOAN_STAGE], seen[keys.HOLDS]) == ("held", ["hardship"])

    await house.tell(HoldLifted(id="fact-l", at=await house.now(), hold="h1", on=date(2031, 3, 3)))
    assert (await house.handle().describe()).typed_search_attributes.get(keys.HOLDS) is None
    assert await shown() == "current"

    promise = Promise(id="fact-p", at=await house.now(), amount=Decimal(50), currency="CNY", by=date(2031, 3, 10))
    await house.tell(promise)
    assert await shown() == "promised"
    await house.to(morning(DUE + timedelta(days=3)))
    assert await shown() == "overdue"
    closed = await house.pay()
    assert closed.applied is not None
    assert closed.applied.stage == "closed"
    await until(lambda: _ended(house), "the workflow ends")
    assert await shown() == "closed"


async def _ended(house: House) -> bool:
    return (await house.handle().describe()).status is WorkflowExecutionStatus.COMPLETED


async def test_an_uneventful_contact_costs_eleven_events(house: House) -> None:
    """One timer, one activity, two workflow tasks: nothing else between two contacts of one stage."""
    steps = ladder(*(rung(f"remind_{days}", -days) for days in (8, 6, 4, 2)))
    await house.start(due=DUE, ladder=steps)
    await house.to(morning(DUE - timedelta(days=1)))

    (events,) = await house.runs()
    own = [event for event in events if event.event_type not in OF_THE_CLOCK]
    sends = [i for i, event in enumerate(own) if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED]
    assert len(sends) == 4
    assert [later - earlier for earlier, later in pairwise(sends)] == [11, 11, 11]
    between = sum(event.ByteSize() for event in own[sends[1] : sends[3]]) / 2
    assert between < 3000, f"{between:.0f} bytes of history for each contact"


async def test_an_operator_reads_what_each_timer_and_activity_is_for(house: House) -> None:
    """Timers and activities carry a summary in words; no history holds anything of the person."""
    await house.start(due=DUE)
    await house.to(morning(DUE - timedelta(days=6)))
    (events,) = await house.runs()

    def summaries(kind: EventType.ValueType) -> list[str]:
        return [json.loads(event.user_metadata.summary.data) for event in events if event.event_type == kind]

    assert summaries(EventType.EVENT_TYPE_TIMER_STARTED) == [
        "Reminder, 7 days before 13 Mar 2031", "Reminder, 3 days before 13 Mar 2031",
    ]  # fmt: skip
    assert summaries(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) == ["sms: Reminder, 7 days before 13 Mar 2031"]
    text = "".join(event.SerializeToString().decode("latin-1") for event in events)
    for personal in ("Sample Person", "13800138", "house.example", "Sample Road"):
        assert personal not in text


async def test_a_borrower_who_may_be_in_two_zones_is_written_to_when_it_is_day_in_both(house: House) -> None:
    """Over the change to summer time in one of them."""
    zones = ("Asia/Shanghai", "Europe/Berlin")
    due = date(2031, 4, 2)  # Berlin changes its clocks on 30 March
    steps = ladder(*(rung(f"remind_{days}", -days) for days in (7, 5, 3, 1)))
    await house.start(due=due, ladder=steps, zones=zones)
    await house.to(morning(due))
    sent = [message.at for _, message in house.received()]
    assert [instant.astimezone(SHANGHAI).date() for instant in sent] == [
        due - timedelta(days=days) for days in (7, 5, 3, 1)
    ]
    for instant in sent:
        assert [9 <= instant.astimezone(ZoneInfo(zone)).hour < 20 for zone in zones] == [True, True], instant


@pytest.mark.parametrize(("answer", "stage"), [("approved", "legal"), ("refused", "overdue")])
async def test_a_person_answers_a_review_and_the_loan_goes_on(
    house: House, answer: Literal["approved", "refused"], stage: str
) -> None:
    """The legal referral waits for a person as long as it takes; nothing is sent for it."""
    steps = ladder(rung("referral", 5, "review", template="legal_referral_note", purpose="legal", life_days=60))
    await house.start(due=DUE, ladder=steps)
    await house.to(morning(DUE + timedelta(days=20)))
    assert (await house.status()).stage == "review"
    assert house.ledger.consult(queries.open_reviews) == [(house.lender, "L1", "1", "0", "referral")]
    approval = Approval(
        id="answer", at=await house.now(), episode="1", installment="0", rung="referral", answer=answer, by="clerk-7"
    )
    told = await house.tell(approval)
    assert told.applied is not None
    assert told.applied.stage == stage
    assert house.ledger.consult(queries.open_reviews) == []
    assert house.sandbox.received() == []
