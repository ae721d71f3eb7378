"""Telling a loan what the ledger holds: by update when somebody waits for the answer, by signal otherwise.

A fact is true once the ledger has it. What is told here may be told twice, late or out of order, and the
loan comes to the same state. A loan that does not run (closed before, or never started because a process
died in between) is started with all its rows in hand.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Any

from sqlalchemy import Connection
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from duecourse.engine import loan_attributes
from duecourse.engine.virtual_time import Closed as Ended
from duecourse.engine.virtual_time import arrive, clocked
from duecourse.errors import NotFound
from duecourse.ledger import outbox
from duecourse.ledger.clock import book_offset
from duecourse.ledger.dossier import Dossier, read_dossier
from duecourse.ledger.outbox import Batch
from duecourse.ledger.plans import plan_of
from duecourse.ledger.store import Ledger
from duecourse.loans.decisions import Plan, Wait
from workflows.contracts import (
    FACTS,
    LOAN_WORKFLOW,
    LOANS_QUEUE,
    Applied,
    FactsMessage,
    LoanInput,
    loan_workflow_id,
)

ANSWER_WITHIN = timedelta(seconds=10)
"""Of real time. A loan answers in a small part of it, whatever it is doing; without a worker, never."""


class How(StrEnum):
    """How a loan is told: with an answer, or without waiting for a worker."""

    UPDATE = "update"
    SIGNAL = "signal"


class Told(Enum):
    """What came of telling a loan."""

    ANSWERED = "answered"
    SIGNALLED = "signalled"
    NOBODY = "nobody"  # it does not run


async def deliver(ledger: Ledger, temporal: Client, batch: Batch, now: datetime, how: How) -> Applied | None:
    """Tell one loan a batch of the outbox and acknowledge it; `now` is business time, aware UTC.

    Returns the loan's answer where it gave one in `ANSWER_WITHIN`; a loan without a worker is told by signal then,
    which waits for one. Raises RPCError where Temporal cannot be reached: the rows
    stay in the outbox, and the relay repeats them.
    """
    dossier, plan, ahead = await ledger.consulting(_look, batch.lender, batch.loan, now)
    message = FactsMessage(batch=batch.rows, plan=plan)
    answer: Applied | None = None
    told = Told.NOBODY if batch.start else await _tell(temporal, batch, message, how, ahead)
    if told is Told.NOBODY:
        await _start(clocked(temporal, ahead=ahead) if ahead else temporal, dossier, message, now)
    elif told is Told.ANSWERED:
        answer = Applied(seq=dossier.loan.seq, stage=dossier.loan.stage(now))
    await ledger.transacting(outbox.acknowledge, batch.ids)
    return answer


def _look(connection: Connection, lender: str, loan: str, now: datetime) -> tuple[Dossier, Plan | None, timedelta]:
    # The plan is computed when the message is sent, not when it was stored.
    dossier = read_dossier(connection, lender, loan)
    return dossier, plan_of(dossier, now), book_offset(connection)


async def _tell(temporal: Client, batch: Batch, message: FactsMessage, how: How, ahead: timedelta) -> Told:
    """Give the message to the loan, if it runs."""
    workflow_id = loan_workflow_id(batch.lender, batch.loan)
    handle = temporal.get_workflow_handle(workflow_id)
    try:
        if ahead and isinstance(await arrive(temporal, workflow_id), Ended):  # never tell a loan under way
            return Told.NOBODY
        if how is How.UPDATE and await _answered(handle, batch, message):
            return Told.ANSWERED
        await handle.signal(FACTS, message)
    except NotFound:
        return Told.NOBODY
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return Told.NOBODY
        raise
    return Told.SIGNALLED


async def _answered(handle: WorkflowHandle[Any, Any], batch: Batch, message: FactsMessage) -> bool:
    try:
        await handle.execute_update(
            FACTS, message, id=_update_id(batch), result_type=Applied, rpc_timeout=ANSWER_WITHIN
        )
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        return False  # no worker is there: an update would be forgotten, a signal waits for one
    return True


def _update_id(batch: Batch) -> str:
    """The first fact's id: a repeat within one run is the same update."""
    return batch.rows[0].id if batch.rows else f"outbox-{batch.ids[0]}"


async def _start(temporal: Client, dossier: Dossier, message: FactsMessage, now: datetime) -> None:
    """Start or reopen the loan's workflow, with the message in hand: a signal with start."""
    loan = dossier.loan
    loan.adopt(message.plan)
    step = loan.next(now)
    next_at = step.until if isinstance(step, Wait) else now
    terms = loan.terms
    await temporal.start_workflow(
        LOAN_WORKFLOW,
        LoanInput(loan=loan, tier=dossier.tier.value, stage=loan.stage(now)),
        id=loan_workflow_id(terms.lender, terms.loan),
        task_queue=LOANS_QUEUE,
        # The loans table says whether a loan exists, not Temporal, which forgets closed runs.
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal=FACTS,
        start_signal_args=[message],
        search_attributes=loan_attributes.at_start(loan, dossier.tier.value, now, next_at),
        static_summary=f"{terms.product} {terms.loan}, {terms.currency} {loan.total}",
        memo={"product": terms.product, "currency": terms.currency, "ladder": loan.ladder.id},
        priority=Priority(fairness_key=terms.lender),
    )
