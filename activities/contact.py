"""One rung, decided and perhaps sent: reserve, commit `sending`, one call to the provider, record.

Three short transactions and one call between them. Temporal owns retries; the ledger's row says what an
attempt may still do, so that a stalled attempt that wakes up late sends nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import formataddr
from typing import Literal

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from duecourse.channels.adapter import (
    Accepted,
    Adapter,
    Capabilities,
    Idempotency,
    LookUpFailed,
    NotSent,
    OutcomeUnknown,
    Outgoing,
    Rejected,
    RetryLater,
)
from duecourse.channels.adapters import Adapters
from duecourse.engine.business_time import activity_now
from duecourse.ledger import contacts
from duecourse.ledger.contacts import Superseded
from duecourse.ledger.dossier import ContactRow
from duecourse.ledger.outcomes import Ask, Frozen, Reservation, Reserved, Resumed, Settled
from duecourse.ledger.providers import refused_by
from duecourse.ledger.refusals import refuse
from duecourse.ledger.reservations import reserve
from duecourse.ledger.sending import Sending
from duecourse.ledger.store import Ledger
from duecourse.loans.portfolio import LenderRecord
from duecourse.messages.content import missing_content
from duecourse.messages.errors import MessageRefused, UnknownTemplate
from duecourse.messages.from_loan import context_for
from duecourse.messages.letter import block, dated
from duecourse.messages.render import Renderer
from workflows.contracts import (
    ATTEMPT_TIMEOUT,
    CONTACT_ACTIVITY,
    SETTLE_ACTIVITY,
    ContactRequest,
    ContactResult,
    SettleRequest,
    VerdictNote,
)

MARGIN = timedelta(seconds=60)  # beside the adapter's time-out, what a send needs before its window closes

log = structlog.get_logger(__name__)


class ContactActivities:
    """The contact activity and what clears up after it, for the channels of this process."""

    def __init__(self, ledger: Ledger, adapters: Adapters, renderer: Renderer, sending: Sending) -> None:
        self._ledger = ledger
        self._adapters = adapters
        self._renderer = renderer
        self._sending = sending

    @activity.defn(name=CONTACT_ACTIVITY)
    async def contact(self, request: ContactRequest) -> ContactResult:
        """Decide one rung and carry the decision out; ends in a recorded answer or raises to be retried."""
        now = activity_now()
        self._served(request.channel)
        ask = _ask(request)
        room = self._adapters.timeout(request.channel) + MARGIN
        decided = await self._ledger.transacting(reserve, ask, now, sending=self._sending, room=room)
        match decided:
            case Settled():
                if decided.shadow is not None:
                    await self._keep_shadow(decided.shadow, now)
                return _result(request, decided, now)
            case Resumed():
                return _result(request, await self._resume(ask, decided, now), now)
            case Reserved():
                return _result(request, await self._send_new(ask, decided, now), now)

    @activity.defn(name=SETTLE_ACTIVITY)
    async def settle(self, request: SettleRequest) -> ContactResult:
        """Find out what became of a contact whose activity ended without an answer."""
        now = activity_now()
        ask = Ask(
            request.lender,
            request.loan,
            request.episode,
            request.installment,
            request.rung,
            request.channel,
            now,
            request.seq,
        )
        found = await self._ledger.transacting(contacts.settle, ask, now)
        if isinstance(found, Resumed):
            found = await self._clear_up(ask, self._adapter_of(request.channel, found.text), found, now)
        return ContactResult(outcome=found.outcome, rows=found.rows, plan=found.plan)

    # --- a contact that nothing was sent of yet ---

    async def _send_new(self, ask: Ask, reserved: Reserved, now: datetime) -> Settled:
        reservation = reserved.reservation
        adapter = await self._choose(reservation.contact)
        try:
            message = self._word(reservation, adapter, now)
        except (MessageRefused, UnknownTemplate) as refused:
            return await self._refuse(ask, reservation, type(refused).__name__)
        if isinstance(message, tuple):
            return await self._refuse(ask, reservation, ",".join(message))
        settled = await self._send(ask, adapter, reservation, message)
        return Settled(settled.outcome, settled.rows, settled.plan, reserved.judged)

    async def _refuse(self, ask: Ask, reservation: Reservation, reason: str) -> Settled:
        log.error("message refused", contact=reservation.contact.id, rung=ask.rung, missing=reason)
        return await self._ledger.transacting(refuse, ask, reservation.contact.id, reason, activity_now())

    def _word(self, reservation: Reservation, adapter: Adapter, now: datetime) -> Frozen | tuple[str, ...]:
        """The exact text, or the names of what it lacks of the content that its rules demand."""
        dossier = reservation.dossier
        loan, person = dossier.loan, dossier.person
        candidate = reservation.candidate
        if candidate is None:
            raise ApplicationError(f"contact {reservation.contact.id} is no longer owed", type="Moot")
        today = loan.terms.book_date(now)
        context = context_for(
            loan,
            candidate,
            lender=dossier.lender,
            creditor=dossier.creditor,
            tier=dossier.tier,
            name=person.name,
            language=person.language,
            today=today,
        )
        channel = reservation.contact.channel
        by_post = channel == "letter"
        rendered = self._renderer.render(reservation.rung.template, channel, person.language, context)
        missing = missing_content(rendered, reservation.required_content)
        if missing:
            return missing
        return Frozen(
            address=block(person.name, [reservation.point.address]) if by_post else reservation.point.address,
            sender=self._adapters.sender(adapter, _sender(dossier.lender, channel)),
            subject=rendered.subject or "",
            text=dated(rendered.text, today, rendered.language) if by_post else rendered.text,
            html=rendered.html or "",
            language=rendered.language,
            at=now,
            provider=adapter.provider,
        )

    async def _keep_shadow(self, reservation: Reservation, now: datetime) -> None:
        """Keep what would have been sent, to compare it with what the old system sent."""
        try:
            message = self._word(reservation, self._adapters[reservation.contact.channel], now)
        except (MessageRefused, UnknownTemplate) as refused:
            log.warning("shadow not worded", contact=reservation.contact.id, missing=type(refused).__name__)
            return
        if isinstance(message, Frozen):
            await self._ledger.transacting(contacts.keep_text, reservation.contact.id, message)

    # --- the call ---

    async def _send(self, ask: Ask, adapter: Adapter, reservation: Reservation, message: Frozen | None) -> Settled:
        """Commit that this attempt may call, call once, and record what is known afterwards.

        `message` is None where an earlier attempt froze one: it may have been accepted then, so that what
        this attempt learns of its own call frees no slot.
        """
        contact, attempt = reservation.contact, reservation.attempt
        timeout = adapter.capabilities.timeout
        # Business time from here on would be wrong for a deadline: the process may be frozen meanwhile.
        started = activity_now()
        limit = (activity.info().start_to_close_timeout or ATTEMPT_TIMEOUT) - (started - activity.info().started_time)
        deadline = min(started + limit, contact.closes) - timeout
        if deadline <= started:
            if message is not None:
                await self._release(contact.id, attempt)
            raise ApplicationError("no time is left for a call in this attempt", type="NoTimeLeft")
        give_up = time.monotonic() + (deadline - started).total_seconds()
        frozen = await self._ledger.transacting(contacts.mark_sending, contact.id, attempt, deadline, started, message)
        outgoing = _outgoing(contact.id, frozen, give_up, ask, self._guard(contact.id, attempt))
        try:
            accepted = await adapter.send(outgoing)
        except NotSent as refused:
            if message is not None:
                await self._release(contact.id, attempt, refused)
            raise _to_retry(refused, another=self._adapters.has_another(adapter)) from refused
        except OutcomeUnknown as unknown:
            return await self._unknown(ask, adapter, contact.id, deadline, unknown)
        return await self._accepted(ask, contact.id, accepted, started)

    def _guard(self, contact: str, attempt: int) -> Callable[[], None]:
        """Checked by the adapter right before the bytes leave."""

        def may_send() -> None:
            with self._ledger.read() as connection:
                if contacts.newer_attempt(connection, contact, attempt):
                    raise Superseded(f"contact {contact}: a newer attempt owns it; nothing was sent by {attempt}")

        return may_send

    async def _accepted(self, ask: Ask, contact: str, accepted: Accepted, sent_at: datetime) -> Settled:
        return await self._ledger.transacting(
            contacts.accept,
            contact,
            accepted.provider_id,
            sent_at,
            activity_now(),
            ask.seq,
        )

    async def _release(self, contact: str, attempt: int, refused: NotSent | None = None) -> None:
        """Give the slot back; a contact point that was refused for good is not used again."""
        cause: Literal["not_accepted", "undeliverable"] = "not_accepted"
        if isinstance(refused, Rejected):
            log.warning("rejected for good", contact=contact)
            cause = "undeliverable"
        await self._ledger.transacting(contacts.release, contact, activity_now(), cause, attempt=attempt)

    async def _unknown(
        self, ask: Ask, adapter: Adapter, contact: str, deadline: datetime, cause: OutcomeUnknown
    ) -> Settled:
        """The call may have been accepted. What can be repeated or looked up is; the rest stays unknown."""
        match adapter.capabilities.idempotency:
            case Idempotency.NONE:
                log.warning("outcome unknown", contact=contact)
                return await self._ledger.transacting(contacts.mark_unknown, contact, activity_now(), ask.seq)
            case Idempotency.NATIVE_KEY | Idempotency.LOOKUP:
                wait = max(deadline + adapter.capabilities.settle - activity_now(), timedelta(seconds=1))
                raise ApplicationError(
                    "the call may have been accepted; the next attempt finds out",
                    type="OutcomeUnknown",
                    next_retry_delay=wait,
                ) from cause

    # --- a contact that an earlier attempt may have sent ---

    async def _resume(self, ask: Ask, resumed: Resumed, now: datetime) -> Settled:
        adapter = self._adapter_of(ask.channel, resumed.text)
        if _key_holds(adapter.capabilities, resumed.since, now) and resumed.may_repeat and not resumed.moot:
            return await self._send(ask, adapter, resumed.reservation, None)
        cleared = await self._clear_up(ask, adapter, resumed, now)
        return Settled(cleared.outcome, cleared.rows, cleared.plan, resumed.judged)

    async def _clear_up(self, ask: Ask, adapter: Adapter, resumed: Resumed, now: datetime) -> Settled:
        """Look the send up by our reference, once the earlier attempt can call no more; else it is unknown."""
        contact = resumed.reservation.contact.id
        capabilities = adapter.capabilities
        # The earlier attempt's call may be on the wire until its deadline and the time-out after it.
        over = resumed.deadline + capabilities.timeout + capabilities.settle
        if now < over:
            raise ApplicationError(
                "an earlier attempt may still be heard of", type="TooEarly", next_retry_delay=over - now
            )
        if capabilities.idempotency is Idempotency.LOOKUP and resumed.text is not None:
            outgoing = _outgoing(contact, resumed.text, 0.0, ask, lambda: None)
            try:
                accepted = await adapter.look_up(outgoing, resumed.since)
            except LookUpFailed as failed:
                raise ApplicationError(str(failed), type="LookUpFailed") from failed
            if accepted is not None:
                return await self._accepted(ask, contact, accepted, resumed.since)
            if capabilities.lookup_complete:
                await self._release(contact, resumed.reservation.attempt)
                again = "the provider never had it; the next attempt decides anew"
                if activity.info().activity_type == CONTACT_ACTIVITY:
                    raise ApplicationError(again, type="NotAccepted", next_retry_delay=timedelta(seconds=1))
                settled = await self._ledger.transacting(contacts.settle, ask, now)
                if isinstance(settled, Settled):
                    return settled
                raise ApplicationError(again, type="NotAccepted")
        return await self._ledger.transacting(contacts.mark_unknown, contact, activity_now(), ask.seq)

    # --- whom to call ---

    def _served(self, channel: str) -> None:
        if channel not in self._adapters:
            raise ApplicationError(
                f"no adapter for {channel} in this worker: configure the channel, or take its queue from --queues",
                type="ChannelNotConfigured",
            )

    async def _choose(self, contact: ContactRow) -> Adapter:
        """The channel's first provider; after a contact that certainly was not accepted, the one that follows."""
        first = self._adapters[contact.channel]
        if contact.number == 0 or not self._adapters.has_another(first):
            return first
        return self._adapters.after(contact.channel, await self._ledger.consulting(refused_by, contact))

    def _adapter_of(self, channel: str, message: Frozen | None) -> Adapter:
        """Whom an earlier attempt may have called: what became of it is known there and nowhere else."""
        self._served(channel)
        if message is None:
            return self._adapters[channel]
        adapter = self._adapters.of(channel, message.provider)
        if adapter is None:
            raise ApplicationError(
                f"no adapter for {channel} by {message.provider} in this worker, and a contact is open there: "
                "configure it until its contacts are settled",
                type="ChannelNotConfigured",
            )
        return adapter


def _key_holds(capabilities: Capabilities, since: datetime, now: datetime) -> bool:
    """Whether the provider still knows the first call's key, so that a repeat cannot be a second message."""
    native = capabilities.idempotency is Idempotency.NATIVE_KEY
    return native and (capabilities.window is None or now - since < capabilities.window)


def _to_retry(refused: NotSent, *, another: bool) -> ApplicationError:
    """What was certainly not accepted is decided again by the next attempt: another provider or channel, or the same.

    A provider's "come back in a minute" binds no other provider: where there is one, our own back-off holds.
    """
    after = refused.after if isinstance(refused, RetryLater) and not another else None
    return ApplicationError(
        str(refused), type=type(refused).__name__, next_retry_delay=after, category=ApplicationErrorCategory.BENIGN
    )


def _sender(lender: LenderRecord, channel: str) -> str | None:
    """Each lender writes under its own number, mailbox and address."""
    match channel:
        case "sms":
            return lender.sms_sender
        case "email":
            return formataddr((lender.name, lender.mail_from))
        case "letter":
            return block(lender.name, lender.postal_address)
        case _:
            return None


def _ask(request: ContactRequest) -> Ask:
    return Ask(
        request.lender,
        request.loan,
        request.episode,
        request.installment,
        request.rung,
        request.channel,
        request.closes,
        request.seq,
    )


def _outgoing(contact: str, message: Frozen, deadline: float, ask: Ask, may_send: Callable[[], None]) -> Outgoing:
    return Outgoing(
        contact_id=contact,
        address=message.address,
        sender=message.sender,
        subject=message.subject or None,
        text=message.text,
        html=message.html or None,
        language=message.language,
        at=message.at,
        deadline=deadline,
        may_send=may_send,
    )


def _result(request: ContactRequest, settled: Settled, now: datetime) -> ContactResult:
    judged = settled.judged
    note = VerdictNote(
        at=now,
        rung=request.rung,
        channel=request.channel,
        verdict=settled.outcome,
        rule="" if judged is None else judged.rule,
        until=settled.opens,
        hash="" if judged is None else judged.hash,
    )
    return ContactResult(
        outcome=settled.outcome,
        rows=settled.rows,
        plan=settled.plan,
        note=note,
        head="" if judged is None else judged.hash,
    )
