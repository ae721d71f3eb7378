"""A contact whose text may not go out: it lacks what a rule demands, or could not be written at all."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from duecourse.ledger.answers import write_decision
from duecourse.ledger.contacts import release
from duecourse.ledger.dossier import open_dossier, save
from duecourse.ledger.outcomes import Ask, Settled
from duecourse.ledger.plans import plan_of


def refuse(connection: Connection, ask: Ask, contact: str, reason: str, now: datetime) -> Settled:
    """Give the slot back and the rung to a person; `reason` names what is missing, never the text."""
    release(connection, contact, now)
    dossier = open_dossier(connection, ask.lender, ask.loan)
    write_decision(connection, dossier, ask.key, ask.channel, "task", now, rule=f"content:{reason}"[:120])
    save(connection, dossier, now)
    return Settled("task", dossier.rows_after(ask.seq), plan_of(dossier, now))
