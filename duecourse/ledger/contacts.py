"""A contact after its reservation: sending, accepted, delivered or failed, or unknown, or released.

Each step is one short transaction; no call to a provider is made inside any of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from duecourse.compliance.acts import ActAnswer
from duecourse.compliance.verdict import Withhold
from duecourse.errors import Conflict, NotFound
from duecourse.ledger import verdicts
from duecourse.ledger.acts import answer_of, verdict_of
from duecourse.ledger.answers import ClaimKey, grounds_of, review_date, write_decision, write_review
from duecourse.ledger.dossier import ContactRow, Dossier, append, open_dossier, save, tell
from duecourse.ledger.judgement import silent
from duecourse.ledger.outcomes import Ask, Frozen, Resumed, Settled, outcome_of
from duecourse.ledger.plans import plan_of
from duecourse.ledger.prepared import Prepared
from duecourse.ledger.reservations import contacted, resume_moot
from duecourse.ledger.tables import contact_points, contacts, receipts, texts
from duecourse.loans.facts import Contacted, Decided
from duecourse.treatments.thinning import channels_for

FIRST_PAUSE = timedelta(minutes=15)  # after an activity that ended without an answer
LONGEST_PAUSE = timedelta(hours=4)
LOOK_AGAIN = timedelta(days=3)  # a legal step that is refused; a notice recorded from elsewhere wakes no loan
LEGAL_WAKES = ("hold_lifted", "contacted")  # what may make it lawful: a hold that ends, a notice that arrived

_BY_ID = Prepared(select(contacts.c.lender, contacts.c.loan).where(contacts.c.id == bindparam("id_")))
_BY_PROVIDER = select(contacts.c.id, contacts.c.lender, contacts.c.loan).where(
    contacts.c.channel == bindparam("channel_"), contacts.c.provider_id == bindparam("provider_id_")
)
_ATTEMPT = Prepared(select(contacts.c.attempt, contacts.c.state).where(contacts.c.id == bindparam("id_")))
_SENDING = Prepared(
    update(contacts)
    .where(
        contacts.c.id == bindparam("id_"),
        contacts.c.attempt == bindparam("attempt_"),
        or_(contacts.c.state == "reserved", contacts.c.state == "sending"),
    )
    .values(
        state="sending",
        at=bindparam("at_"),
        deadline=bindparam("deadline_"),
        first_sending_at=func.coalesce(contacts.c.first_sending_at, bindparam("at_", type_=contacts.c.at.type)),
    )
)
_TEXT = Prepared(
    select(
        texts.c.address,
        texts.c.sender,
        texts.c.subject,
        texts.c.text,
        texts.c.html,
        texts.c.language,
        texts.c.at,
        texts.c.provider,
    ).where(texts.c.contact == bindparam("id_"))
)
_KEEP_TEXT = Prepared(insert(texts))
_STATE = Prepared(
    update(contacts)
    .where(contacts.c.id == bindparam("id_"))
    .values(state=bindparam("state_"), at=bindparam("at_"), provider_id=bindparam("provider_id_"))
)
_RELEASE = (
    update(contacts)
    .where(contacts.c.id == bindparam("id_"), contacts.c.state.in_(("reserved", "sending")))
    .values(state="released")
)
_RELEASE_OWN = _RELEASE.where(contacts.c.attempt == bindparam("attempt_"))
_DEAD = (
    update(contact_points)
    .where(
        contact_points.c.lender == bindparam("lender_"),
        contact_points.c.borrower == bindparam("borrower_"),
        contact_points.c.channel == bindparam("channel_"),
        contact_points.c.id == bindparam("point_"),
        contact_points.c.undeliverable_since.is_(None),
    )
    .values(undeliverable_since=bindparam("at_"))
)
_POINT_OF = select(contacts.c.lender, contacts.c.borrower, contacts.c.channel, contacts.c.contact_point).where(
    contacts.c.id == bindparam("id_")
)
_RECEIPT = Prepared(
    select(receipts.c.status, receipts.c.at).where(
        receipts.c.channel == bindparam("channel_"), receipts.c.provider_id == bindparam("provider_id_")
    )
)


class Superseded(Conflict):
    """A newer attempt owns the contact, or it is settled: this attempt must not call the provider."""


def mark_sending(
    connection: Connection, contact: str, attempt: int, deadline: datetime, now: datetime, message: Frozen | None = None
) -> Frozen:
    """Commit, before the call, that this attempt may now reach the provider, until `deadline`.

    The message of the first attempt is frozen and comes back in each later one, byte for byte; `message`
    is needed only until then. `now` is the instant of the send that all caps count.

    Raises:
        Superseded: a newer attempt owns the contact, or it is settled.
    """
    changed = _SENDING.change(connection, {"id_": contact, "attempt_": attempt, "deadline_": deadline, "at_": now})
    if changed != 1:
        raise Superseded(f"contact {contact}: attempt {attempt} is over; nothing may be sent by it")
    return keep_text(connection, contact, message)


def keep_text(connection: Connection, contact: str, message: Frozen | None) -> Frozen:
    """Freeze a contact's message, or give back the one that is frozen already. Raises NotFound without either."""
    row = _TEXT.first(connection, {"id_": contact})
    if row is not None:
        return Frozen(*row)
    if message is None:
        raise NotFound("text of contact", contact, "give the message with the first attempt")
    _KEEP_TEXT.change(
        connection,
        {
            "contact": contact,
            "address": message.address,
            "sender": message.sender,
            "subject": message.subject,
            "text": message.text,
            "html": message.html,
            "language": message.language,
            "at": message.at,
            "provider": message.provider,
        },
    )
    return message


def newer_attempt(connection: Connection, contact: str, attempt: int) -> bool:
    """Whether this attempt must not call any more: a newer one owns the contact, or it is settled. One read."""
    row = _ATTEMPT.first(connection, {"id_": contact})
    return row is None or row.attempt != attempt or row.state != "sending"


def accept(
    connection: Connection, contact: str, provider_id: str, sent_at: datetime, now: datetime, seq: int
) -> Settled:
    """The provider has it. `sent_at`: the instant of the send; `seq`: the last row that the loan has applied."""
    dossier, row = _open(connection, contact)
    if row.state in ("reserved", "sending", "unknown"):
        _set(connection, row, "accepted", sent_at, provider_id)
        append(connection, dossier, contacted(row, "accepted", sent_at))
        early = _RECEIPT.rows(connection, {"channel_": row.channel, "provider_id_": provider_id})
        for receipt in sorted(early, key=lambda one: one.status == "failed"):
            _receive(connection, dossier, row, receipt.status, receipt.at)
        save(connection, dossier, now)
    elif row.state == "released":
        raise Conflict(f"contact {contact} was released as certainly not accepted; it cannot be accepted now")
    return _settled(dossier, row, now, seq)


def mark_unknown(connection: Connection, contact: str, now: datetime, seq: int) -> Settled:
    """Nobody knows whether the provider has it: it counts, and is never sent again by itself."""
    dossier, row = _open(connection, contact)
    if row.live:
        _set(connection, row, "unknown", row.at, row.provider_id)
        append(connection, dossier, contacted(row, "unknown", now))
        save(connection, dossier, now)
    return _settled(dossier, row, now, seq)


def release(
    connection: Connection,
    contact: str,
    now: datetime,
    cause: Literal["not_accepted", "undeliverable"] = "not_accepted",
    *,
    attempt: int | None = None,
) -> None:
    """It was certainly not accepted: the slot is free again. The next reservation is a new try.

    `undeliverable`: the provider refused the address for good; the contact point is not used again, and
    the next `reserve` goes to another address or channel. `attempt`: the attempt that knows it; what it
    says late of its own call must not free the slot that a newer attempt may be using.
    """
    if attempt is None:
        connection.execute(_RELEASE, {"id_": contact})
    else:
        connection.execute(_RELEASE_OWN, {"id_": contact, "attempt_": attempt})
    if cause == "undeliverable":
        point = connection.execute(_POINT_OF, {"id_": contact}).one()
        connection.execute(
            _DEAD,
            {
                "lender_": point.lender,
                "borrower_": point.borrower,
                "channel_": point.channel,
                "point_": point.contact_point,
                "at_": now,
            },
        )


def settle(connection: Connection, ask: Ask, now: datetime) -> Resumed | Settled:
    """What became of a contact whose activity ended without an answer.

    What was only reserved is released. What stands at `sending` comes back as Resumed: look it up, then
    `accept`, `release` and settle again, or `mark_unknown`. Where nothing left the house and the rung is
    still owed, it is deferred, longer each time.
    """
    dossier = open_dossier(connection, ask.lender, ask.loan)
    live = next((one for one in dossier.of_claim(ask.claim) if one.live and one.channel == ask.channel), None)
    if live is not None and live.state == "sending":
        return resume_moot(connection, dossier, live)
    if live is not None:
        connection.execute(_RELEASE, {"id_": live.id})
        live.state = "released"
    candidate = dossier.loan.owes(ask.episode, ask.installment, ask.rung, now)
    written = [row for row in dossier.rows_after(ask.seq) if _is_of(row, ask)]
    if candidate is None or written:
        outcome = outcome_of(written[-1]) if written else "moot"
        return Settled(outcome, dossier.rows_after(ask.seq), plan_of(dossier, now))
    claim = dossier.loan.claims.get(ask.claim)
    pause = min(FIRST_PAUSE * 2 ** min(claim.decisions if claim else 0, 10), LONGEST_PAUSE)
    row = write_decision(connection, dossier, ask.key, ask.channel, "failed", now,
        rule="ledger:no_answer", opens=now + pause, closes=now + pause + FIRST_PAUSE,
    )  # fmt: skip
    save(connection, dossier, now)
    return Settled(outcome_of(row), dossier.rows_after(ask.seq), plan_of(dossier, now), None, row.opens, row.closes)


def open_review(
    connection: Connection, lender: str, loan: str, episode: str, installment: str, rung: str, now: datetime, seq: int
) -> Settled:
    """Ask a person about a rung whose channel is a review; the loan then waits for an approval.

    Nobody is asked to approve a legal step that a rule does not allow, or not yet.
    """
    dossier = open_dossier(connection, lender, loan)
    candidate = dossier.loan.owes(episode, installment, rung, now)
    claim = dossier.loan.claims.get(f"{episode}/{installment}/{rung}")
    if candidate is None:
        return Settled("moot", dossier.rows_after(seq), plan_of(dossier, now))
    silence = dossier.loan.silence(candidate, now)
    if silence is not None:
        key = (episode, installment, rung)
        verdict = Withhold((), grounds_of(silent(candidate, silence)))
        judged = verdicts.store(connection, dossier, key, "review", now, verdict, None)
        outcome: Literal["expired", "overtaken"] = "expired" if silence == "expired" else "overtaken"
        write_decision(connection, dossier, key, "review", outcome, now, rule=judged.rule)
        save(connection, dossier, now)
        return Settled("withheld", dossier.rows_after(seq), plan_of(dossier, now), judged)
    if candidate.rung.purpose == "legal" and (claim is None or claim.state != "review"):
        answer = answer_of(dossier, "legal", now)
        if answer.effect != "allow":
            return _not_yet(connection, dossier, (episode, installment, rung), answer, now, seq)
    if claim is None or claim.state != "review":
        write_review(connection, dossier, (episode, installment, rung), now)
        write_decision(
            connection, dossier, (episode, installment, rung), "review", "review", now, rule="treatment:review"
        )
        save(connection, dossier, now)
    return Settled("review", dossier.rows_after(seq), plan_of(dossier, now))


def _not_yet(
    connection: Connection, dossier: Dossier, claim: ClaimKey, answer: ActAnswer, now: datetime, seq: int
) -> Settled:
    """A legal step waits for its day, for a notice, or for a hold to be lifted; it is looked at again within days."""
    judged = verdicts.store(connection, dossier, claim, "review", now, verdict_of(answer), None)
    if answer.effect == "wait":
        row = write_decision(
            connection, dossier, claim, "review", "deferred", now, rule=judged.rule, opens=answer.opens
        )
    else:
        held = review_date(dossier, now)
        row = write_decision(connection, dossier, claim, "review", "withheld", now,
            rule=judged.rule, wake=LEGAL_WAKES, opens=min(now + LOOK_AGAIN, held) if held else now + LOOK_AGAIN,
        )  # fmt: skip
    save(connection, dossier, now)
    return Settled(outcome_of(row), dossier.rows_after(seq), plan_of(dossier, now), judged, row.opens, row.closes)


def receive(
    connection: Connection,
    channel: str,
    provider_id: str,
    status: Literal["delivered", "failed"],
    at: datetime,
    now: datetime,
) -> str | None:
    """A receipt of the provider; returns the contact's id, None if no contact is known by that id yet.

    Receipts repeat and come out of order: one that is known changes nothing, and `delivered` stays. The
    loan hears of it through the outbox.
    """
    key = {"channel_": channel, "provider_id_": provider_id}
    if any(row.status == status for row in _RECEIPT.rows(connection, key)):
        return connection.execute(_BY_PROVIDER, key).scalar()
    connection.execute(insert(receipts), {"channel": channel, "provider_id": provider_id, "status": status, "at": at})
    found = connection.execute(_BY_PROVIDER, key).first()
    if found is None:
        return None
    dossier, row = _open(connection, found.id)
    start = dossier.closed_at is not None
    before = len(dossier.rows)
    _receive(connection, dossier, row, status, at)
    for written in range(before + 1, len(dossier.rows) + 1):
        tell(connection, dossier, written, now, start=start)
    save(connection, dossier, now)
    return row.id


def _receive(connection: Connection, dossier: Dossier, row: ContactRow, status: str, at: datetime) -> None:
    if row.state not in ("accepted", "unknown", "sending", "failed") or row.state == status:
        return
    _set(connection, row, status, row.at, row.provider_id)
    append(connection, dossier, contacted(row, status, at))
    if status != "failed" or not row.obligation or dossier.loan.closed():
        return
    # A notice that did not arrive is still owed: by another channel, or by a person.
    rung = dossier.loan.ladder.rung(row.rung)
    claim = dossier.loan.claims[row.claim]
    following = [
        name
        for name in channels_for(rung, dossier.tier, dossier.loan.ladder)
        if name not in claim.tried and dossier.point(name) is not None
    ]
    write_decision(
        connection,
        dossier,
        (row.episode, row.installment, row.rung),
        row.channel,
        "try_next" if following else "task",
        at,
        rule="ledger:not_delivered",
        next_channel=following[0] if following else None,
    )


def _open(connection: Connection, contact: str) -> tuple[Dossier, ContactRow]:
    found = _BY_ID.first(connection, {"id_": contact})
    if found is None:
        raise NotFound("contact", contact, "only a reservation makes one")
    dossier = open_dossier(connection, found.lender, found.loan)
    return dossier, next(one for one in dossier.contacts if one.id == contact)


def _set(connection: Connection, row: ContactRow, state: str, at: datetime, provider_id: str | None) -> None:
    values: Mapping[str, Any] = {"id_": row.id, "state_": state, "at_": at, "provider_id_": provider_id}
    _STATE.change(connection, values)
    row.state, row.at, row.provider_id = state, at, provider_id


def _settled(dossier: Dossier, row: ContactRow, now: datetime, seq: int) -> Settled:
    last = contacted(row, row.state, now) if row.state != "released" else None
    return Settled("moot" if last is None else outcome_of(last), dossier.rows_after(seq), plan_of(dossier, now))


def _is_of(row: object, ask: Ask) -> bool:
    return isinstance(row, Decided | Contacted) and (row.episode, row.installment, row.rung) == (
        ask.episode,
        ask.installment,
        ask.rung,
    )
