"""Which provider a contact was given to: a second one is only asked where the first certainly did not accept."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from duecourse.ledger.dossier import ContactRow
from duecourse.ledger.prepared import Prepared
from duecourse.ledger.tables import contacts, texts

_BEFORE = Prepared(
    select(texts.c.provider)
    .join(contacts, contacts.c.id == texts.c.contact)
    .where(
        contacts.c.lender == bindparam("lender_"),
        contacts.c.loan == bindparam("loan_"),
        contacts.c.episode == bindparam("episode_"),
        contacts.c.installment == bindparam("installment_"),
        contacts.c.rung == bindparam("rung_"),
        contacts.c.channel == bindparam("channel_"),
        contacts.c.number < bindparam("number_"),
        contacts.c.state == "released",
    )
    .order_by(contacts.c.number.desc())
    .limit(1)
)


def refused_by(connection: Connection, contact: ContactRow) -> str | None:
    """The provider that certainly did not accept the claim's contact before this one on its channel."""
    row = _BEFORE.first(
        connection,
        {
            "lender_": contact.lender,
            "loan_": contact.loan,
            "episode_": contact.episode,
            "installment_": contact.installment,
            "rung_": contact.rung,
            "channel_": contact.channel,
            "number_": contact.number,
        },
    )
    return None if row is None else str(row.provider)
