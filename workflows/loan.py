"""One loan, from its start to its close: a loop that waits, contacts, asks a person, or ends.

The loan itself (`duecourse.loans`) says what is next. This file only drives: it applies the ledger's rows,
sets the timer, runs the one activity, and continues as new. It decides nothing, and keeps no personal data.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from duecourse.engine import loan_attributes
    from duecourse.loans import display
    from duecourse.loans.decisions import Close, Contact, Review, Wait
    from duecourse.loans.facts import Approval, Closed, Fact
    from workflows.contracts import (
        APPROVE,
        ATTEMPT_TIMEOUT,
        CHANNEL_QUEUES,
        CLOSE,
        CONTACT_ACTIVITY,
        CYCLE,
        FACTS,
        LOAN_WORKFLOW,
        LOANS_QUEUE,
        RECENT,
        RECENT_VERDICTS,
        RECORD_ACTIVITY,
        REVIEW_ACTIVITY,
        SETTLE_ACTIVITY,
        STATUS,
        Applied,
        ContactRequest,
        ContactResult,
        FactsMessage,
        LoanInput,
        LoanStatus,
        RecordRequest,
        ReviewRequest,
        SettleRequest,
        VerdictNote,
    )

# Temporal owns retries; a contact's own end is its window (schedule_to_close), not a count.
RETRY = RetryPolicy(initial_interval=timedelta(seconds=2), maximum_interval=timedelta(minutes=5))
RECORD_TIMEOUT = timedelta(seconds=30)


@workflow.defn(name=LOAN_WORKFLOW)
class LoanWorkflow:
    """The durable driver of one loan. Workflow id: `loan/<lender>/<loan>`."""

    @workflow.init
    def __init__(self, start: LoanInput) -> None:
        # Handlers may run before `run` does (signal-with-start), so the state must stand here already.
        self.loan = start.loan
        self.tier = start.tier
        self.notes: list[VerdictNote] = list(start.recent)
        self.inbox: list[FactsMessage] = []
        self.unrecorded: list[Fact] = []
        self.received = 0
        self.applied = 0
        self.stage = start.stage
        self.doing = "starting"
        self.next_at: datetime | None = None
        self.pending: str | None = None
        self.began = workflow.now()

    @workflow.run
    async def run(self, start: LoanInput) -> LoanStatus:
        """Drive the loan until it is closed; the result is its last status."""
        while True:
            self._apply_inbox()
            if self.unrecorded:
                await self._record()
                continue
            step = self.loan.next(workflow.now())
            self._show(step)
            match step:
                case Wait():
                    await self._wait(step)
                case Contact():
                    await self._contact(step)
                case Review():
                    await self._review(step)
                case Close():
                    await workflow.wait_condition(workflow.all_handlers_finished)
                    if not self.inbox:
                        return self._status()

    # --- messages ---

    @workflow.signal(name=FACTS)
    async def facts_signal(self, message: FactsMessage) -> None:
        """Rows from the relay. Handlers only append: the loop applies."""
        self._receive(message)

    @workflow.update(name=FACTS)
    async def facts_update(self, message: FactsMessage) -> Applied:
        """Rows from a starter; answered when the loan has applied them."""
        return await self._received(message)

    @workflow.update(name=APPROVE)
    async def approve(self, answer: Approval) -> Applied:
        """A person's answer to a review, by way of the ledger."""
        return await self._received(FactsMessage(batch=(answer,)))

    @workflow.update(name=CLOSE)
    async def close(self, closing: Closed) -> Applied:
        """The lender closes the loan, by way of the ledger."""
        return await self._received(FactsMessage(batch=(closing,)))

    @workflow.query(name=STATUS)
    def status(self) -> LoanStatus:
        """Where the loan stands, and what it waits for."""
        return self._status()

    @workflow.query(name=RECENT)
    def recent(self) -> list[str]:
        """The last five verdicts, and the command that explains all of them."""
        terms = self.loan.terms
        return [*self._verdicts(), f"all: python starter.py explain {terms.loan} --lender {terms.lender}"]

    def _receive(self, message: FactsMessage) -> int:
        self.inbox.append(message)
        self.received += 1
        return self.received

    async def _received(self, message: FactsMessage) -> Applied:
        ticket = self._receive(message)
        await workflow.wait_condition(lambda: self.applied >= ticket)
        return Applied(seq=self.loan.seq, stage=self.loan.stage(workflow.now()))

    def _apply_inbox(self) -> None:
        """Apply what has arrived. A fact without a sequence goes to the ledger first and counts after it."""
        while self.inbox:
            message = self.inbox.pop(0)
            self.unrecorded += [fact for fact in message.batch if fact.loan_seq is None]
            self._apply([fact for fact in message.batch if fact.loan_seq is not None])
            self.loan.adopt(message.plan)
        if not self.unrecorded:
            self.applied = self.received

    def _apply(self, rows: Sequence[Fact]) -> None:
        for row in rows:
            self.loan.apply(row)

    # --- steps ---

    async def _wait(self, wait: Wait) -> None:
        """Sleep until the moment or a message; afterwards the state decides, never which of them woke us."""
        if not self.inbox and self._cycle_over():
            await self._continue_as_new()
        until = min(wait.until, self.began + CYCLE)
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: bool(self.inbox),
                timeout=until - workflow.now(),
                timeout_summary=display.timer_summary(self.loan, wait),
            )

    async def _contact(self, contact: Contact) -> None:
        """Run the one activity of a rung, unless the rung becomes moot while it is still being retried."""
        now = workflow.now()
        terms = self.loan.terms
        failure = self.loan.failures.get(contact.claim)
        rung = self.loan.ladder.rung(contact.rung)
        handle: workflow.ActivityHandle[ContactResult] = workflow.start_activity(
            CONTACT_ACTIVITY,
            ContactRequest(
                lender=terms.lender,
                loan=terms.loan,
                episode=contact.episode,
                installment=contact.installment,
                rung=contact.rung,
                channel=contact.channel,
                closes=contact.closes,
                seq=self.loan.seq,
                failed=0 if failure is None else failure.times,
            ),
            result_type=ContactResult,
            task_queue=CHANNEL_QUEUES[contact.channel],
            # A send cannot leave its lawful hour: what is queued or retried past it ends unsent.
            schedule_to_close_timeout=contact.closes - now,
            start_to_close_timeout=ATTEMPT_TIMEOUT,
            retry_policy=RETRY,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=f"{contact.channel}: {display.claim_title(self.loan, contact.claim)}",
            priority=Priority(priority_key=2 if rung.mandatory else 3, fairness_key=terms.lender),
        )
        self.pending = contact.claim
        cancelled = False
        while not handle.done():
            await workflow.wait_condition(lambda: handle.done() or bool(self.inbox))
            await self._hear()
            owed = self.loan.owes(contact.episode, contact.installment, contact.rung, workflow.now())
            if owed is None and not handle.done() and not cancelled:
                handle.cancel()  # moot: stops every later attempt, never a call that is already on the wire
                cancelled = True
        self.pending = None
        try:
            self._take(await handle)
        except ActivityError:
            await self._settle(contact, cancelled)

    async def _settle(self, contact: Contact, cancelled: bool) -> None:
        """An activity ended without an answer: learn what became of the contact before going on."""
        if not cancelled:
            self.loan.fail(contact.claim, workflow.now())
        terms = self.loan.terms
        handle: workflow.ActivityHandle[ContactResult] = workflow.start_activity(
            SETTLE_ACTIVITY,
            SettleRequest(
                lender=terms.lender,
                loan=terms.loan,
                episode=contact.episode,
                installment=contact.installment,
                rung=contact.rung,
                channel=contact.channel,
                seq=self.loan.seq,
            ),
            result_type=ContactResult,
            task_queue=CHANNEL_QUEUES[contact.channel],
            start_to_close_timeout=ATTEMPT_TIMEOUT,
            retry_policy=RETRY,
            summary=f"settle: {display.claim_title(self.loan, contact.claim)}",
        )
        self._take(await self._while_listening(handle))

    async def _review(self, review: Review) -> None:
        """Put the rung before a person; the loan goes on when the answer is a fact."""
        terms = self.loan.terms
        handle: workflow.ActivityHandle[ContactResult] = workflow.start_activity(
            REVIEW_ACTIVITY,
            ReviewRequest(
                lender=terms.lender,
                loan=terms.loan,
                episode=review.episode,
                installment=review.installment,
                rung=review.rung,
                seq=self.loan.seq,
            ),
            result_type=ContactResult,
            task_queue=LOANS_QUEUE,
            start_to_close_timeout=RECORD_TIMEOUT,
            retry_policy=RETRY,
            summary=f"review: {display.claim_title(self.loan, review.claim)}",
        )
        self._take(await self._while_listening(handle))

    async def _record(self) -> None:
        """Facts that came past the ledger (typed into the Web UI) enter it first; only then are they applied."""
        facts, self.unrecorded = tuple(self.unrecorded), []
        received = self.received
        terms = self.loan.terms
        handle: workflow.ActivityHandle[ContactResult] = workflow.start_activity(
            RECORD_ACTIVITY,
            RecordRequest(lender=terms.lender, loan=terms.loan, facts=facts, seq=self.loan.seq),
            result_type=ContactResult,
            task_queue=LOANS_QUEUE,
            start_to_close_timeout=RECORD_TIMEOUT,
            retry_policy=RETRY,
            summary="record facts that came past the ledger",
        )
        self._take(await handle)
        self.applied = max(self.applied, received)

    async def _while_listening(self, handle: workflow.ActivityHandle[ContactResult]) -> ContactResult:
        """The activity's result; what arrives meanwhile is applied, and updates are answered."""
        while not handle.done():
            await workflow.wait_condition(lambda: handle.done() or bool(self.inbox))
            await self._hear()
        return await handle

    async def _hear(self) -> None:
        """Apply what arrived beside an activity; what the ledger has not seen is recorded now, not when that ends."""
        self._apply_inbox()
        if self.unrecorded:
            await self._record()

    def _take(self, result: ContactResult) -> None:
        self._apply(result.rows)
        self.loan.adopt(result.plan)
        if result.note is not None:
            self.notes = [*self.notes, result.note][-RECENT_VERDICTS:]

    # --- a run's end ---

    def _cycle_over(self) -> bool:
        """At each installment's date, at least every 31 days, and whenever the server suggests it."""
        now = workflow.now()
        today, first = self.loan.terms.book_date(now), self.loan.terms.book_date(self.began)
        return (
            now >= self.began + CYCLE
            or any(first < one.due_on <= today for one in self.loan.installments)
            or workflow.info().is_continue_as_new_suggested()
            or workflow.info().is_target_worker_deployment_version_changed()
        )

    async def _continue_as_new(self) -> None:
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self.inbox or self.unrecorded:
            return
        workflow.continue_as_new(
            LoanInput(loan=self.loan, tier=self.tier, stage=self.stage, recent=tuple(self.notes)),
            initial_versioning_behavior=workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE
            if workflow.info().is_target_worker_deployment_version_changed()
            else None,
        )

    # --- what an operator sees ---

    def _show(self, step: Wait | Contact | Review | Close) -> None:
        now = workflow.now()
        match step:
            case Wait():
                title = display.claim_title(self.loan, step.why)
                self.doing, self.next_at = f"{title}, {display.moment(step.until)}", step.until
            case Contact():
                title = display.claim_title(self.loan, step.claim)
                self.doing, self.next_at = f"deciding now: {title}", now
            case Review():
                title = display.claim_title(self.loan, step.claim)
                self.doing, self.next_at = f"asking a person: {title}", now
            case Close():
                self.doing, self.next_at = f"nothing more: {step.reason}", None
        self._mark_stage(now)
        workflow.set_current_details(display.details(self.loan, now, self.doing, self._verdicts()))

    def _mark_stage(self, now: datetime) -> None:
        """Refresh the search attributes, but only with the stage: each refresh is an event and an action."""
        stage = self.loan.stage(now)
        if stage == self.stage:
            return
        self.stage = stage
        workflow.upsert_search_attributes(loan_attributes.at_stage(self.loan, now, self.next_at))

    def _verdicts(self) -> list[str]:
        return [
            f"{display.moment(note.at)}: {self.loan.ladder.rung(note.rung).title}, {note.channel}: {note.verdict}"
            + (f" ({note.rule})" if note.rule else "")
            + (f" until {display.moment(note.until)}" if note.until is not None else "")
            for note in self.notes
        ]

    def _status(self) -> LoanStatus:
        now = workflow.now()
        loan, today = self.loan, self.loan.terms.book_date(now)
        return LoanStatus(
            lender=loan.terms.lender,
            loan=loan.terms.loan,
            stage=loan.stage(now),
            seq=loan.seq,
            balance=str(loan.balance),
            currency=loan.terms.currency,
            past_due_days=loan.past_due_days(today),
            delinquent_days=loan.delinquent_days(today),
            next=self.doing,
            next_at=self.next_at,
            pending=self.pending,
            closed=loan.closed(),
            notes=tuple(self.notes),
        )
