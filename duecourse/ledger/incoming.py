"""What providers send us: receipts and replies, each stored once as it came, and told to the loans it concerns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Connection, bindparam, insert, select, update

from duecourse.errors import DuecourseError
from duecourse.ledger import contacts as sent
from duecourse.ledger import inbox, people
from duecourse.ledger.facts import record
from duecourse.ledger.inbox import InboxTask
from duecourse.ledger.tables import contact_points, contacts, lenders, loans, provider_events
from duecourse.loans.facts import Cause, OptOut
from duecourse.loans.portfolio import LenderRecord
from duecourse.messages.replies import Kind, read_reply

HOLDS: Final[dict[Kind, Cause]] = {"dispute": "dispute", "hardship": "hardship", "lawyer": "attorney"}
"""They stand until somebody lifts them."""

_KNOWN = select(provider_events.c.status).where(
    provider_events.c.provider == bindparam("provider_"),
    provider_events.c.id == bindparam("id_"),
    provider_events.c.status == bindparam("status_"),
)
_TROUBLE = (
    update(provider_events)
    .where(
        provider_events.c.provider == bindparam("provider_"),
        provider_events.c.id == bindparam("id_"),
        provider_events.c.status == bindparam("status_"),
    )
    .values(trouble=bindparam("trouble_"))
)
_ADOPT = (
    update(contacts)
    .where(
        contacts.c.id == bindparam("id_"),
        contacts.c.channel == bindparam("channel_"),
        contacts.c.provider_id.is_(None),
        contacts.c.state.in_(("sending", "unknown")),
    )
    .values(provider_id=bindparam("provider_id_"))
)
_SENDERS = (
    select(contact_points.c.lender, contact_points.c.borrower, contact_points.c.id, lenders.c.record)
    .join_from(contact_points, lenders, lenders.c.id == contact_points.c.lender)
    .where(contact_points.c.channel == bindparam("channel_"), contact_points.c.address == bindparam("address_"))
    .order_by(contact_points.c.lender, contact_points.c.borrower)
)
_LOANS = (
    select(loans.c.id, loans.c.closed_at)
    .where(loans.c.lender == bindparam("lender_"), loans.c.debtor == bindparam("borrower_"))
    .order_by(loans.c.id)
)
_DEAD = (
    update(contact_points)
    .where(
        contact_points.c.lender == bindparam("lender_"),
        contact_points.c.borrower == bindparam("borrower_"),
        contact_points.c.address == bindparam("address_"),
        contact_points.c.undeliverable_since.is_(None),
    )
    .values(undeliverable_since=bindparam("at_"))
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider says of a message. `status` is its own word; `means` None: nothing is settled by it yet."""

    provider: str
    channel: str
    provider_id: str
    status: str
    means: Literal["delivered", "failed"] | None
    contact: str | None  # our reference, where the provider gives it back


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody wrote back. `sender`, `text`: personal."""

    provider: str
    channel: Literal["sms", "email"]
    provider_id: str
    sender: str
    to: str
    text: str

    def __repr__(self) -> str:
        return f"Reply({self.provider}, {self.provider_id})"


@dataclass(frozen=True, slots=True)
class _Writer:
    lender: str
    borrower: str
    point: str


def take_in(connection: Connection, event: Receipt | Reply, body: str, now: datetime) -> bool:
    """Store the event, once, and tell the loans; False if it was there already. `now`: business time, aware UTC.

    `body`: the event as it came. What the ledger refuses stays stored, with the reason: the provider is not to repeat
    what would be refused again.
    """
    status = event.status if isinstance(event, Receipt) else "received"
    key = {"provider_": event.provider, "id_": event.provider_id, "status_": status}
    if connection.execute(_KNOWN, key).first() is not None:
        return False
    stored = {"provider": event.provider, "id": event.provider_id, "status": status, "body": body}
    connection.execute(insert(provider_events), {**stored, "at": now, "trouble": ""})
    try:
        with connection.begin_nested():
            match event:
                case Receipt():
                    _settle(connection, event, now)
                case Reply():
                    _hear(connection, event, now)
    except DuecourseError as refused:
        connection.execute(_TROUBLE, {**key, "trouble_": type(refused).__name__})
    return True


def _settle(connection: Connection, receipt: Receipt, now: datetime) -> None:
    if receipt.contact is not None:
        # A crash may have lost the provider's id: our own reference finds the contact again.
        adopted = {"id_": receipt.contact, "channel_": receipt.channel, "provider_id_": receipt.provider_id}
        connection.execute(_ADOPT, adopted)
    if receipt.means is not None:
        sent.receive(connection, receipt.channel, receipt.provider_id, receipt.means, now, now)


def _hear(connection: Connection, reply: Reply, now: datetime) -> None:
    """Do what a reply says, for everybody who has that address with the lender it was written to."""
    reading = read_reply(reply.text)
    writers = tuple(_writers(connection, reply))
    rules = " ".join((*reading.rules, reading.version))
    about = " ".join(reading.kinds) or "unclassified"
    for writer in writers:
        name = hashlib.sha256(f"{reply.provider}|{reply.provider_id}|{writer.lender}|{writer.borrower}".encode())
        id = name.hexdigest()[:24]
        held = _obey(connection, reply, reading.kinds, writer, id, now)
        if reading.kinds == ("stop",):
            continue  # there is nothing for a person to do
        task = InboxTask(f"reply-{id}", "reply", writer.lender, writer.borrower, "", reply.channel, about, reply.text,
                         "", held, now, None)  # fmt: skip
        inbox.put(connection, task, rules)
    if not writers:
        id = hashlib.sha256(f"{reply.provider}|{reply.provider_id}".encode()).hexdigest()[:24]
        stranger = InboxTask(f"reply-{id}", "reply", "", "", "", reply.channel, about, reply.text, "", (), now, None)
        inbox.put(connection, stranger, rules)


def _obey(
    connection: Connection, reply: Reply, kinds: tuple[Kind, ...], writer: _Writer, id: str, now: datetime
) -> tuple[tuple[str, str], ...]:
    """Record what the reply says of the person; returns the holds that end with the task."""
    theirs = connection.execute(_LOANS, {"lender_": writer.lender, "borrower_": writer.borrower}).all()
    open_loans = [one.id for one in theirs if one.closed_at is None]
    if "stop" in kinds:
        stop = OptOut(id=f"reply/{id}/stop", at=now, channel=reply.channel, contact_point=writer.point)
        if theirs:
            record(connection, writer.lender, (open_loans or [theirs[0].id])[0], stop, now)
        else:
            people.write(connection, writer.lender, writer.borrower, stop)
    if "wrong_person" in kinds:
        key = {"lender_": writer.lender, "borrower_": writer.borrower, "address_": reply.sender, "at_": now}
        connection.execute(_DEAD, key)
    if not open_loans:
        return ()
    # One debt: it is the one that is meant. Several: nobody guesses which.
    scope: Literal["debt", "person"] = "debt" if len(open_loans) == 1 else "person"
    for kind, cause in HOLDS.items():
        if kind in kinds:
            inbox.hold(connection, writer.lender, open_loans[0], f"reply/{id}/{kind}", cause, scope, now)
    pausing: Cause | None = "unclear_reply" if not kinds else "paid_claim" if "paid_claim" in kinds else None
    if pausing is None:
        return ()
    held = inbox.hold(connection, writer.lender, open_loans[0], f"reply/{id}/pause", pausing, "person", now)
    return ((open_loans[0], held),) if held else ()


def _writers(connection: Connection, reply: Reply) -> Iterator[_Writer]:
    found = connection.execute(_SENDERS, {"channel_": reply.channel, "address_": reply.sender}).all()
    theirs = [(one, LenderRecord.model_validate_json(one.record)) for one in found]
    addressed = [one for one, lender in theirs if reply.to in (lender.sms_sender, lender.mail_from)]
    for one in addressed or [one for one, _ in theirs]:
        yield _Writer(one.lender, one.borrower, one.id)
