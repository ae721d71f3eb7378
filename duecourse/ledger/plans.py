"""The plan of the next rung: its lawful window, and a moment in it that spreads the loans.

Only the ledger's side knows zones and addresses, so the plan is made here and travels with every message
and every result to the loan.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import Connection

from duecourse.compliance.gate import decide
from duecourse.compliance.verdict import Defer, Permit
from duecourse.ledger.cases import case_for
from duecourse.ledger.dossier import Dossier, read_dossier
from duecourse.loans.decisions import Plan
from duecourse.loans.loan import ROOM, Candidate
from duecourse.treatments.ladder import REVIEW_CHANNEL
from duecourse.treatments.thinning import channels_for

_SECOND = timedelta(seconds=1)


def plan_next(connection: Connection, lender: str, loan: str, now: datetime) -> Plan | None:
    """The plan as of now (business time, aware UTC); None where no lawful window is known. See `plan_of`."""
    return plan_of(read_dossier(connection, lender, loan), now)


def plan_of(dossier: Dossier, now: datetime) -> Plan | None:
    """The plan for the rung that the loan acts on or waits for.

    None: nothing is due, or the gate sees no window. The loan then asks blindly when the rung's date
    begins, and the answer is recorded with its reason.
    """
    candidate = dossier.loan.upcoming(now)
    if candidate is None or candidate.channel == REVIEW_CHANNEL:
        return None
    channel = preferred_channel(dossier, candidate)
    claim = dossier.loan.claims.get(candidate.claim)
    waits = claim.not_before if claim is not None and claim.state == "deferred" else None
    at = _whole(max(now, candidate.begins, waits or now))
    case = case_for(dossier, candidate, channel, at)
    if case is None:
        return None
    match decide(case, dossier.packs):
        case Permit(closes=closes):
            opens = at
        case Defer(opens=opens, closes=closes):
            opens = _whole(opens)
        case _:
            return None
    spread = int((closes - ROOM - opens).total_seconds())
    if spread < 0:
        return None
    terms = dossier.loan.terms
    return Plan(
        rung=candidate.rung.id,
        installment=candidate.installment,
        episode=candidate.episode,
        channel=channel,
        planned_at=opens + timedelta(seconds=_place(terms.debtor, terms.loan) % (spread + 1)),
        closes=closes,
        seq=dossier.loan.seq,
    )


def preferred_channel(dossier: Dossier, candidate: Candidate) -> str:
    """The channel to ask on: the loan's own once one was tried, else the tier's first that can be reached."""
    loan = dossier.loan
    claim = loan.claims.get(candidate.claim)
    if claim is not None and (claim.channel is not None or claim.outcome == "unknown"):
        return candidate.channel
    order = channels_for(candidate.rung, dossier.tier, loan.ladder)
    return next((name for name in order if dossier.point(name) is not None), order[0])


def _place(borrower: str, loan: str) -> int:
    # By borrower alone, two loans of one person would meet in the same second, and one would starve.
    return int.from_bytes(hashlib.sha256(f"{borrower}|{loan}".encode()).digest()[:8], "big")


def _whole(instant: datetime) -> datetime:
    """The next whole second."""
    return instant if instant.microsecond == 0 else instant.replace(microsecond=0) + _SECOND
