"""Record the histories that `test_replay.py` replays: `python -m tests.replay.record [PATH ...]`.

Only after a change of the workflow that is meant to leave running loans behind, or for a path that is new; say in the
change log how loans in flight get over it. Takes about a minute; writes `tests/histories/`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory

from duecourse.engine import virtual_time
from duecourse.engine.connect import plugin
from duecourse.engine.server import EmbeddedServer
from duecourse.loans.facts import Approval, HoldLifted, HoldPlaced, OptOut, Reversal
from duecourse.sandbox.faults import Fail
from tests.e2e.edges import ROOMS, SHORT, start_at_the_edge
from tests.e2e.house import House, morning, open_house, until
from tests.e2e.ladders import PLAIN, ladder, notice, rung
from tests.replay.histories import FOLDER
from workflows.contracts import CHANNEL_QUEUES, FACTS, LOANS_QUEUE, SETTLE_ACTIVITY, FactsMessage

DUE = date(2031, 3, 13)
BUSY = Fail(channel="sms", status=429, code=20429, times=1000)

Scenario = Callable[[House], Awaitable[str | None]]
"""Lives through one path; returns the loan's id where it is not L1."""


async def plain_ladder(house: House) -> None:
    """Two installments, none paid: every kind of rung, and two runs."""
    await house.start(due=DUE, installments=2, ladder=PLAIN)
    await house.to(morning(DUE + timedelta(days=34)))


async def payment_closes(house: House) -> None:
    """Told by update, applied at once, closed."""
    await house.start(due=DUE, ladder=PLAIN)
    await house.to(morning(DUE - timedelta(days=5)))
    await house.pay(amount="40.00")
    await house.pay(amount="60.00")
    await house.handle().result()


async def hold(house: House) -> None:
    """Placed, lifted, and an opt-out beside it."""
    await house.start(due=DUE, ladder=PLAIN)
    today = DUE + timedelta(days=1)
    await house.to(morning(today))
    await house.tell(HoldPlaced(id="hold", at=await house.now(), hold="h1", cause="hardship", starts=today))
    await house.to(morning(today + timedelta(days=6)))
    lifted_on = today + timedelta(days=6)
    await house.tell(HoldLifted(id="lift", at=await house.now(), hold="h1", on=lifted_on))
    await house.tell(OptOut(id="stop", at=await house.now(), channel="sms"))
    await house.to(morning(today + timedelta(days=20)))


async def moot_contact(house: House) -> None:
    """Paid while the gateway is busy: the contact is cancelled and settled."""
    await house.start(due=DUE, installments=2, ladder=ladder(rung("remind", -3)))
    house.sandbox.misbehave(BUSY)
    await house.to_just_before_next()
    await until(lambda: _retried(house), "the contact is tried again")
    await house.pay()
    await until(lambda: _idle(house), "the contact is cancelled")
    house.sandbox.behave()
    await house.to(morning(DUE + timedelta(days=1)))


async def busy_all_day(house: House) -> None:
    """The gateway is busy until the lawful hour is over: deferred to the next day."""
    await house.start(due=DUE, ladder=ladder(rung("remind", -3, life_days=3)))
    house.sandbox.misbehave(BUSY)
    await house.to(morning(DUE - timedelta(days=2)))
    house.sandbox.behave()
    await house.to(morning(DUE - timedelta(days=1)))


async def nobody_in_the_window(house: House) -> str:
    """The channel has no worker until the window is over: the activity times out and is settled."""
    with pytest.MonkeyPatch.context() as patch:
        for place, name in ROOMS:
            patch.setattr(place, name, SHORT)
        async with house.workers(LOANS_QUEUE):
            loan = await start_at_the_edge(house, DUE)
            await house.to_just_before_next(loan)
            await until(lambda: _settling(house, loan), "the window closes on the contact")
            async with house.workers(CHANNEL_QUEUES["sms"]):
                await until(lambda: house.outcomes(loan), "the contact is settled")
                await virtual_time.fast_forward(house.client, house.workflow_id(loan), morning(DUE))
    return loan


async def another_channel(house: House) -> None:
    """A mandatory notice whose number is refused for good goes by e-mail."""
    await house.start(due=DUE, ladder=ladder(notice("notice", 2, "sms", "email")))
    house.sandbox.misbehave(Fail(channel="sms", status=400, code=21211))
    await house.to(morning(DUE + timedelta(days=5)))


async def review(house: House) -> None:
    """A person is asked about the legal referral, and approves."""
    steps = ladder(rung("referral", 5, "review", template="legal_referral_note", purpose="legal", life_days=60))
    await house.start(due=DUE, ladder=steps)
    await house.to(morning(DUE + timedelta(days=6)))
    now = await house.now()
    await house.tell(
        Approval(id="yes", at=now, episode="1", installment="0", rung="referral", answer="approved", by="clerk-7")
    )
    await house.to(morning(DUE + timedelta(days=8)))


async def reversal_reopens(house: House) -> None:
    """Paid, closed, bounced, paid again: the second workflow begins by signal-with-start."""
    await house.start(due=DUE, ladder=ladder(rung("late", 2)))
    await house.pay(id="cheque")
    await house.handle().result()
    await house.to(morning(DUE + timedelta(days=1)))
    await house.tell(Reversal(id="bounced", at=await house.now(), payment="cheque"))
    await house.to(morning(DUE + timedelta(days=4)))
    await house.pay(id="transfer")
    await house.handle().result()


async def typed_past_the_ledger(house: House) -> None:
    """A payment without a place in the sequence: an activity records it first."""
    await house.start(due=DUE, installments=2, ladder=ladder(rung("remind", -3)))
    await house.handle().signal(FACTS, FactsMessage(batch=(await house.payment("40.00", id="typed"),)))
    await until(lambda: _counted(house), "the payment counts")
    await house.to(morning(DUE))


SCENARIOS: dict[str, Scenario] = {
    one.__name__: one
    for one in (
        plain_ladder,
        payment_closes,
        hold,
        moot_contact,
        busy_all_day,
        nobody_in_the_window,
        another_channel,
        review,
        reversal_reopens,
        typed_past_the_ledger,
    )
}


NOBODY = ("nobody_in_the_window",)  # scenarios that bring their own workers


async def _retried(house: House) -> bool:
    return await house.pending_attempt() >= 2


async def _idle(house: House) -> bool:
    return await house.pending_attempt() == 0


async def _settling(house: House, loan: str) -> bool:
    seen = await house.handle(loan).describe()
    return any(one.activity_type.name == SETTLE_ACTIVITY for one in seen.raw_description.pending_activities)


async def _counted(house: House) -> bool:
    return (await house.status()).balance == "160.00"


async def record(name: str, client: Client, folder: Path) -> None:
    """Live through one scenario and write the history of each run."""
    folder.mkdir()
    async with open_house(client, folder, lender=name.replace("_", "-")) as house:
        async with contextlib.nullcontext() if name in NOBODY else house.workers():
            loan = await SCENARIOS[name](house) or "L1"
            # The last task is complete in the history, and none is under way.
            await until(lambda: _at_rest(house, loan), "the loan rests")
        runs = await house.runs(loan)
    for file in FOLDER.glob(f"{name}.*.json"):
        file.unlink()
    for number, events in enumerate(runs, start=1):
        text = WorkflowHistory(house.workflow_id(loan), events).to_json()
        pretty = json.dumps(_portable(json.loads(text)), indent=1, ensure_ascii=False)
        (FOLDER / f"{name}.{number}.json").write_text(f"{pretty}\n", "utf-8")
    print(f"{name}: {len(runs)} runs, {sum(map(len, runs))} events")


async def _at_rest(house: House, loan: str) -> bool:
    history = await house.handle(loan).fetch_history()
    kinds = [event.event_type for event in history.events]
    asked = [i for i, kind in enumerate(kinds) if kind == EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED]
    done = [i for i, kind in enumerate(kinds) if kind == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
    return bool(done) and done[-1] > asked[-1]


async def main(names: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedServer(None) as server:
            # An identity of no machine: it stands in the events.
            client = await Client.connect(server.address.target, plugins=[plugin()], identity="recorder")
            for name in names or SCENARIOS:
                await record(name, client, Path(folder) / name)


def _portable(value: Any) -> Any:
    """Without stack traces, which name folders of the machine that recorded; replay does not read them."""
    match value:
        case dict():
            return {key: _portable(inner) for key, inner in value.items() if key != "stackTrace"}
        case list():
            return [_portable(inner) for inner in value]
        case _:
            return value


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
    sys.stdout.flush()
    os._exit(0)  # the SDK can abort the interpreter while it exits
