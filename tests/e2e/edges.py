"""Windows of a minute, so that a test can live through the end of one in real time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import activities.contact
import duecourse.ledger.plans
import duecourse.loans.loan
from duecourse import client as dc
from duecourse.delivery import How, deliver
from duecourse.engine import virtual_time
from duecourse.ledger import outbox
from duecourse.ledger.plans import plan_next
from tests.e2e.house import House
from tests.e2e.ladders import ladder, rung

A_MINUTE = {"from": "10:00", "to": "10:01"}
SHORT = timedelta(seconds=3)
ROOMS = (
    (duecourse.loans.loan, "ROOM"),
    (duecourse.ledger.plans, "ROOM"),
    (activities.contact, "MARGIN"),
)
"""What a send needs before its window closes, where it is kept: a minute and more, to be patched to SHORT."""


async def start_at_the_edge(house: House, due: date, **changes: Any) -> str:
    """Start a loan whose one reminder is planned for the last ten seconds of a minute's window; returns its id.

    The place in the window follows from the loan's id, so ids are tried until one lies there.
    """
    now = await house.now()
    for number in range(1, 200):
        loan = f"edge-{number}"
        steps = ladder(rung("remind", -3, window=A_MINUTE, life_days=3, **changes))
        await house.start(loan, due=due, ladder=steps, delivered=False)
        plan = house.ledger.consult(plan_next, house.lender, loan, now)
        assert plan is not None
        if timedelta(seconds=5) < plan.closes - plan.planned_at < timedelta(seconds=12):
            break
    else:
        raise AssertionError("no id among 200 is planned for the end of the window")
    waiting = await dc.waiting(house.session)
    await house.ledger.transacting(outbox.acknowledge, [id_ for one in waiting for id_ in one.ids])
    batch = next(one for one in waiting if one.loan == loan)
    await deliver(house.ledger, house.client, batch, now, How.SIGNAL)
    await virtual_time.arrive(house.client, house.workflow_id(loan))
    return loan
