"""Reserve before sending: lock, fold, compare, decide, and take the slot, in one transaction.

Two loans of one person can never both take the last slot of a cap, since the contact of one is in the
history that the other is decided on.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, insert, select, update

from duecourse.compliance.verdict import Permit
from duecourse.ledger import verdicts
from duecourse.ledger.answers import (
    SOONEST,
    write_decision,
)
from duecourse.ledger.dossier import ContactPoint, ContactRow, Dossier, append, open_dossier, save
from duecourse.ledger.judgement import judge
from duecourse.ledger.outcomes import (
    Ask,
    Frozen,
    Reservation,
    Reserved,
    Result,
    Resumed,
    Settled,
    outcome_of,
)
from duecourse.ledger.plans import plan_of, preferred_channel
from duecourse.ledger.prepared import Prepared
from duecourse.ledger.sending import Sending
from duecourse.ledger.tables import contacts, rung_claims, texts
from duecourse.ledger.unsent import answer
from duecourse.ledger.verdicts import Judged
from duecourse.loans.facts import Contacted, Decided
from duecourse.loans.loan import ROOM, Candidate
from duecourse.treatments.thinning import channels_for

_SECOND = timedelta(seconds=1)

_CLAIM = Prepared(insert(rung_claims))
_CONTACT = Prepared(insert(contacts))
_STATE = update(contacts).where(contacts.c.id == bindparam("id_")).values(state=bindparam("state_"))
_AGAIN = (
    update(contacts)
    .where(contacts.c.id == bindparam("id_"))
    .values(attempt=bindparam("attempt_"), at=bindparam("at_"), closes=bindparam("closes_"), verdict=bindparam("no_"))
)
_FENCE = update(contacts).where(contacts.c.id == bindparam("id_")).values(attempt=bindparam("attempt_"))
_TEXT = select(
    texts.c.address,
    texts.c.sender,
    texts.c.subject,
    texts.c.text,
    texts.c.html,
    texts.c.language,
    texts.c.at,
    texts.c.provider,
).where(texts.c.contact == bindparam("id_"))


def contact_id(ask: Ask, number: int) -> str:
    """The first 32 hex digits of sha256 over what names the contact; `number` of ended ones before it."""
    text = f"{ask.lender}|{ask.loan}|{ask.episode}|{ask.installment}|{ask.rung}|{ask.channel}|{number}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def reserve(connection: Connection, ask: Ask, now: datetime, *, sending: Sending, room: timedelta = ROOM) -> Result:
    """Decide the ask and, if the gate permits, take the slot. `now` is business time, aware UTC.

    `room`: what a send needs before the lawful stretch closes (the adapter's time-out and 60 s).
    Raises NotFound for a loan that was never registered.
    """
    dossier = open_dossier(connection, ask.lender, ask.loan)
    candidate = dossier.loan.owes(ask.episode, ask.installment, ask.rung, now)
    mine = dossier.of_claim(ask.claim)
    live = next((one for one in mine if one.live), None)
    if candidate is None or not _fits(dossier, candidate, ask):
        return _moot(connection, dossier, ask, live, now)
    if live is not None and live.channel != ask.channel:
        return _other_live(connection, dossier, candidate, ask, live, now)
    result = _decide(connection, dossier, candidate, ask, live, now, sending, room)
    save(connection, dossier, now)
    if isinstance(result, Settled):  # the rows and the plan as they are after the last row was written
        return replace(result, rows=dossier.rows_after(ask.seq), plan=plan_of(dossier, now))
    return result


def _fits(dossier: Dossier, candidate: Candidate, ask: Ask) -> bool:
    """Whether the ask still names the channel that the loan, as folded here, would use."""
    claim = dossier.loan.claims.get(candidate.claim)
    if claim is not None and (claim.channel is not None or claim.outcome == "unknown"):
        return ask.channel == candidate.channel
    return ask.channel in channels_for(candidate.rung, dossier.tier, dossier.loan.ladder)


def _moot(connection: Connection, dossier: Dossier, ask: Ask, live: ContactRow | None, now: datetime) -> Result:
    """Not owed any more, or not like this. What an earlier attempt may have sent is still to be cleared up."""
    if live is not None and live.channel == ask.channel and live.state == "sending":
        return resume_moot(connection, dossier, live)
    if live is not None and live.state == "reserved":
        connection.execute(_STATE, {"id_": live.id, "state_": "released"})
        live.state = "released"
    last = next(
        (
            row
            for row in reversed(dossier.rows_after(ask.seq))
            if isinstance(row, Decided | Contacted)
            and (row.episode, row.installment, row.rung) == (ask.episode, ask.installment, ask.rung)
            and row.channel == ask.channel
        ),
        None,
    )
    # An answer whose transport was lost is given again; without one, the world has moved on.
    settled = Settled(
        outcome="moot" if last is None else outcome_of(last),
        rows=dossier.rows_after(ask.seq),
        plan=plan_of(dossier, now),
    )
    if isinstance(last, Decided):
        return replace(settled, opens=last.opens, closes=last.closes, next_channel=last.next_channel)
    return settled


def _other_live(
    connection: Connection, dossier: Dossier, candidate: Candidate, ask: Ask, live: ContactRow, now: datetime
) -> Settled:
    """The claim has a contact in the air on another channel: never two at once."""
    if live.state == "reserved" or live.deadline is None:
        connection.execute(_STATE, {"id_": live.id, "state_": "released"})
        live.state = "released"
        opens = now + SOONEST
    elif now > live.deadline:
        connection.execute(_STATE, {"id_": live.id, "state_": "unknown"})
        live.state = "unknown"
        append(connection, dossier, contacted(live, "unknown", now))
        save(connection, dossier, now)
        return Settled("moot", dossier.rows_after(ask.seq), plan_of(dossier, now))
    else:
        opens = live.deadline + _SECOND
    write_decision(connection, dossier, ask.key, ask.channel, "deferred", now, rule="ledger:in_flight", opens=opens)
    save(connection, dossier, now)
    return Settled("deferred", dossier.rows_after(ask.seq), plan_of(dossier, now), opens=opens)


def _decide(
    connection: Connection,
    dossier: Dossier,
    candidate: Candidate,
    ask: Ask,
    live: ContactRow | None,
    now: datetime,
    sending: Sending,
    room: timedelta,
) -> Result:
    silence = dossier.loan.silence(candidate, now)
    preferred = preferred_channel(dossier, candidate)
    if live is None and silence is None and preferred != ask.channel and dossier.point(ask.channel) is not None:
        row = write_decision(connection, dossier, ask.key, ask.channel, "deferred", now,
            rule="treatment:channels", opens=now + SOONEST, closes=now + SOONEST + room, next_channel=preferred,
        )  # fmt: skip
        return Settled("deferred", (), None, None, row.opens, row.closes, preferred)
    case, verdict = judge(dossier, candidate, ask, live, silence, now, room)
    judged = verdicts.store(connection, dossier, ask.key, ask.channel, now, verdict, case)
    if live is not None and live.state == "sending":
        may_repeat = isinstance(verdict, Permit)
        return _resume(connection, dossier, live, candidate, judged, may_repeat=may_repeat, moot=False)
    if isinstance(verdict, Permit):
        return _take(connection, dossier, candidate, ask, live, verdict, judged, now, sending)
    if live is not None:
        connection.execute(_STATE, {"id_": live.id, "state_": "released"})
        live.state = "released"
    return replace(answer(connection, dossier, candidate, ask, verdict, judged, now), judged=judged)


def _take(
    connection: Connection,
    dossier: Dossier,
    candidate: Candidate,
    ask: Ask,
    live: ContactRow | None,
    permit: Permit,
    judged: Judged,
    now: datetime,
    sending: Sending,
) -> Result:
    point = dossier.point(ask.channel)
    assert point is not None  # a permit was given for it
    closes = min(permit.closes, ask.closes)
    if live is not None:
        live.attempt, live.at, live.closes, live.verdict = live.attempt + 1, now, closes, judged.no
        connection.execute(
            _AGAIN,
            {"id_": live.id, "attempt_": live.attempt, "at_": now, "closes_": closes, "no_": judged.no},
        )
        contact = live
    else:
        shadow = not sending.reaches(point.address)
        contact = _insert(connection, dossier, candidate, ask, point, closes, judged, now, shadow=shadow)
    reservation = Reservation(
        contact, contact.attempt, candidate.rung, candidate, point, permit.grounds.required_content, dossier
    )
    if contact.state == "shadow":
        append(connection, dossier, contacted(contact, "shadow", now))
        return Settled("shadow", (), None, judged, shadow=reservation)
    return Reserved(reservation, judged)


def _insert(
    connection: Connection,
    dossier: Dossier,
    candidate: Candidate,
    ask: Ask,
    point: ContactPoint,
    closes: datetime,
    judged: Judged,
    now: datetime,
    *,
    shadow: bool,
) -> ContactRow:
    mine = dossier.of_claim(ask.claim)
    number = sum(one.channel == ask.channel for one in mine)  # none of them is live
    key = {
        "lender": ask.lender,
        "loan": ask.loan,
        "episode": ask.episode,
        "installment": ask.installment,
        "rung": ask.rung,
    }
    if not mine:
        _CLAIM.change(connection, {**key, "claimed_at": now})
    contact = ContactRow(
        id=contact_id(ask, number),
        **key,
        borrower=dossier.person.id,
        channel=ask.channel,
        number=number,
        contact_point=point.id,
        purpose=candidate.rung.purpose,
        obligation=candidate.rung.obligation or "",
        state="shadow" if shadow else "reserved",
        at=now,
        closes=closes,
        attempt=1,
        first_sending_at=None,
        deadline=None,
        provider_id=None,
        verdict=judged.no,
    )
    _CONTACT.change(
        connection,
        {
            **key,
            "id": contact.id,
            "borrower": contact.borrower,
            "channel": contact.channel,
            "number": number,
            "contact_point": contact.contact_point,
            "purpose": contact.purpose,
            "obligation": contact.obligation,
            "state": contact.state,
            "at": now,
            "closes": closes,
            "attempt": 1,
            "first_sending_at": None,
            "deadline": None,
            "provider_id": None,
            "verdict": judged.no,
        },
    )
    dossier.contacts.append(contact)
    return contact


def resume_moot(connection: Connection, dossier: Dossier, live: ContactRow) -> Resumed:
    """Take over a contact that is only to be cleared up: by look-up, else as unknown."""
    return _resume(connection, dossier, live, None, None, may_repeat=False, moot=True)


def _resume(
    connection: Connection,
    dossier: Dossier,
    live: ContactRow,
    candidate: Candidate | None,
    judged: Judged | None,
    *,
    may_repeat: bool,
    moot: bool,
) -> Resumed:
    """Take the contact over from the attempt before: from now on that one may not call any more."""
    live.attempt += 1
    connection.execute(_FENCE, {"id_": live.id, "attempt_": live.attempt})
    row = connection.execute(_TEXT, {"id_": live.id}).first()
    rung = candidate.rung if candidate else dossier.loan.ladder.rung(live.rung)
    known = [one for one in dossier.points if (one.channel, one.id) == (live.channel, live.contact_point)]
    point = known[0] if known else ContactPoint(live.channel, live.contact_point, "", False)
    return Resumed(
        Reservation(live, live.attempt, rung, candidate, point, (), dossier),
        judged,
        None if row is None else Frozen(*row),
        live.first_sending_at or live.at,
        live.deadline or live.at,
        may_repeat and row is not None,
        moot,
    )


def contacted(contact: ContactRow, state: str, at: datetime) -> Contacted:
    """The loan's row for what became of a contact."""
    return Contacted.model_validate(
        {
            "id": f"contact/{contact.id}/{state}",
            "at": at,
            "episode": contact.episode,
            "installment": contact.installment,
            "rung": contact.rung,
            "channel": contact.channel,
            "contact": contact.id,
            "state": state,
        }
    )
