"""What enters the ledger on a loan's own behalf: reviews to be answered, facts that came past it."""

from __future__ import annotations

import structlog
from temporalio import activity

from duecourse.engine.business_time import activity_now
from duecourse.errors import DuecourseError
from duecourse.ledger import contacts, outbox
from duecourse.ledger.dossier import rows_after
from duecourse.ledger.facts import record
from duecourse.ledger.plans import plan_next
from duecourse.ledger.store import Ledger
from duecourse.loans.facts import Contacted, Decided
from workflows.contracts import (
    RECORD_ACTIVITY,
    REVIEW_ACTIVITY,
    ContactResult,
    RecordRequest,
    ReviewRequest,
    VerdictNote,
)

log = structlog.get_logger(__name__)


class RecordActivities:
    """Activities of the loans queue."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @activity.defn(name=REVIEW_ACTIVITY)
    async def open_review(self, request: ReviewRequest) -> ContactResult:
        """Put a rung before a person; the loan waits for the answer as a fact."""
        now = activity_now()
        settled = await self._ledger.transacting(
            contacts.open_review,
            request.lender,
            request.loan,
            request.episode,
            request.installment,
            request.rung,
            now,
            request.seq,
        )
        note = VerdictNote(at=now, rung=request.rung, channel="review", verdict=settled.outcome)
        return ContactResult(outcome=settled.outcome, rows=settled.rows, plan=settled.plan, note=note)

    @activity.defn(name=RECORD_ACTIVITY)
    async def record_facts(self, request: RecordRequest) -> ContactResult:
        """Let facts in that were typed into the Web UI; what the ledger refuses is logged and left out."""
        now = activity_now()
        for fact in request.facts:
            if isinstance(fact, Decided | Contacted):
                log.error("refused a fact that came past the ledger", fact=fact.id, kind=fact.kind)
                continue
            try:
                recorded = await self._ledger.transacting(record, request.lender, request.loan, fact, now)
            except DuecourseError as refused:
                log.error("refused a fact that came past the ledger", fact=fact.id, reason=type(refused).__name__)
                continue
            await self._ledger.transacting(outbox.acknowledge, recorded.outbox)
        rows = await self._ledger.consulting(rows_after, request.lender, request.loan, request.seq)
        plan = await self._ledger.consulting(plan_next, request.lender, request.loan, now)
        return ContactResult(outcome="moot", rows=rows, plan=plan)
