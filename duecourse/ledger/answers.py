"""How an answer without a contact is written down: the loan's row, and a person's task where nothing is left."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Literal

from sqlalchemy import Connection, bindparam, insert, select, update

from duecourse.compliance.verdict import Finding, Grounds, Withhold
from duecourse.ledger.dossier import Dossier, append
from duecourse.ledger.tables import reviews, tasks
from duecourse.loans.facts import Decided
from duecourse.loans.loan import MOST_DECISIONS
from duecourse.loans.state import PAUSED

SOONEST = timedelta(seconds=2)  # a deferral to "now" would let the loan spin
_KINDS_OF_WAKE = {"hold_lifted": "hold_lifted", "consent_given": "consent"}  # the gate's words, our facts' kinds

_TASK = select(tasks.c.why).where(
    tasks.c.lender == bindparam("lender_"),
    tasks.c.loan == bindparam("loan_"),
    tasks.c.episode == bindparam("episode_"),
    tasks.c.installment == bindparam("installment_"),
    tasks.c.rung == bindparam("rung_"),
)
_REOPEN = (
    update(reviews)
    .where(
        reviews.c.lender == bindparam("lender_"),
        reviews.c.loan == bindparam("loan_"),
        reviews.c.episode == bindparam("episode_"),
        reviews.c.installment == bindparam("installment_"),
        reviews.c.rung == bindparam("rung_"),
    )
    .values(opened_at=bindparam("at_"), answer="", by="", answered_at=None)
)

ClaimKey = tuple[str, str, str]  # episode, installment, rung
Unsent = Literal["deferred", "withheld", "review", "try_next", "failed", "expired", "overtaken", "task"]


def wakes(verdict: Withhold) -> tuple[str, ...]:
    """The kinds of fact after which it is worth asking again; what no fact can change is left out."""
    return tuple(_KINDS_OF_WAKE[kind] for kind in verdict.wake if kind in _KINDS_OF_WAKE)


def write_decision(
    connection: Connection,
    dossier: Dossier,
    claim: ClaimKey,
    channel: str,
    outcome: Unsent,
    now: datetime,
    *,
    rule: str,
    opens: datetime | None = None,
    closes: datetime | None = None,
    wake: tuple[str, ...] = (),
    next_channel: str | None = None,
    reviewed: tuple[str, ...] | None = None,
) -> Decided:
    """Append what came of a rung; what was decided too often becomes a task for a person."""
    episode, installment, rung = claim
    known = dossier.loan.claims.get("/".join(claim))
    goes_on = outcome in ("deferred", "failed", "try_next") or (outcome == "withheld" and wake)
    if goes_on and rule != PAUSED and known is not None and known.decisions + 1 >= MOST_DECISIONS:
        outcome, opens, closes, wake, next_channel = "task", None, None, (), None
        rule = rule or "ledger:decisions"
    if outcome == "deferred":
        opens = max(opens or now, now + SOONEST)
        closes = max(closes or opens, opens)
    if outcome == "task":
        write_task(connection, dossier, claim, rule, now)
    row = append(
        connection,
        dossier,
        Decided(
            id=f"decided/{len(dossier.rows) + 1}",
            at=now,
            episode=episode,
            installment=installment,
            rung=rung,
            channel=channel,
            outcome=outcome,
            opens=opens,
            closes=closes,
            wake=wake,
            next_channel=next_channel,
            rule=rule,
            reviewed=reviewed,
        ),
    )
    assert isinstance(row, Decided)
    return row


def write_task(connection: Connection, dossier: Dossier, claim: ClaimKey, why: str, now: datetime) -> None:
    """Give the rung to a person, once."""
    lender, loan = dossier.key
    if connection.execute(_TASK, _claim_key(lender, loan, claim)).first() is None:
        connection.execute(
            insert(tasks),
            {
                "lender": lender,
                "loan": loan,
                "episode": claim[0],
                "installment": claim[1],
                "rung": claim[2],
                "why": why,
                "at": now,
            },
        )


def write_review(connection: Connection, dossier: Dossier, claim: ClaimKey, now: datetime) -> None:
    """Ask a person; a rung that comes back after an answer is asked about again."""
    lender, loan = dossier.key
    if connection.execute(_REOPEN, {**_claim_key(lender, loan, claim), "at_": now}).rowcount == 0:
        connection.execute(
            insert(reviews),
            {
                "lender": lender,
                "loan": loan,
                "episode": claim[0],
                "installment": claim[1],
                "rung": claim[2],
                "opened_at": now,
                "answer": "",
                "by": "",
            },
        )


def review_date(dossier: Dossier, now: datetime) -> datetime | None:
    """When a hold in force is to be looked at again: the first review date still ahead, at 00:00 UTC."""
    today = dossier.loan.terms.book_date(now)
    dates = [
        placed.review_on
        for placed in dossier.loan.placed.values()
        if placed.review_on is not None and placed.review_on > today and placed.hold not in dossier.loan.lifted
    ]
    return datetime.combine(min(dates), time(0), UTC) if dates else None


def own_finding(
    rule: str,
    because: str,
    evidence: tuple[tuple[str, str], ...],
    *,
    effect: str = "bar",
    until: datetime | None = None,
    message: str = "",
) -> Finding:
    """A finding of the ledger's own, for silences that no law asks for; `message` names its sentence."""
    return Finding(
        rule=rule,
        pack="-",
        version="-",
        effect=effect,
        strength="treatment",
        grade="-",
        citation="The lender's own treatment",
        because=because,
        until=until,
        evidence=evidence,
        message=message,
    )


def grounds_of(finding: Finding) -> Grounds:
    return Grounds((finding,), ())


def _claim_key(lender: str, loan: str, claim: ClaimKey) -> dict[str, str]:
    return {
        "lender_": lender,
        "loan_": loan,
        "episode_": claim[0],
        "installment_": claim[1],
        "rung_": claim[2],
    }
