"""May an act follow: a report to a bureau, acceleration, a suit, the legal department? From what the ledger knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from duecourse.compliance.acts import ActAnswer, may_act
from duecourse.compliance.rules import Act
from duecourse.compliance.verdict import Defer, Grounds, Withhold
from duecourse.ledger.answers import own_finding
from duecourse.ledger.cases import case_of_act
from duecourse.ledger.dossier import Dossier, read_dossier
from duecourse.loans.loan import BLIND

CLOSED = "ledger:closed"
NOT_PAST_DUE = "ledger:not_past_due"
_AGAINST: frozenset[Act] = frozenset({"accelerate", "sue", "legal"})  # a paid loan may still be reported, as paid


def may_follow(connection: Connection, lender: str, loan: str, act: Act, now: datetime) -> ActAnswer:
    """The answer as of now (business time, aware UTC). Raises NotFound for a loan that was never registered."""
    return answer_of(read_dossier(connection, lender, loan), act, now)


def answer_of(dossier: Dossier, act: Act, now: datetime) -> ActAnswer:
    """The same from a dossier. Nothing is done against a borrower who owes nothing today, whatever was served."""
    loan = dossier.loan
    answer = may_act(act, case_of_act(dossier, now), dossier.packs)
    if act not in _AGAINST:
        return answer
    if loan.closed():
        own = own_finding(CLOSED, "the loan is paid or closed", (), message="closed")
    elif not loan.past_due_days(loan.terms.book_date(now)):
        own = own_finding(NOT_PAST_DUE, "no payment of the loan is past due", (), message="not_past_due")
    else:
        return answer
    finding = replace(own, strength="ban", citation="Duecourse fails closed")
    return replace(answer, effect="refuse", opens=None, findings=(finding, *answer.findings))


def verdict_of(answer: ActAnswer) -> Defer | Withhold:
    """An answer that is not yes, in the form in which verdicts are kept."""
    grounds = Grounds(answer.findings, answer.packs, answer.owed)
    if answer.effect == "wait" and answer.opens is not None:
        return Defer(answer.opens, answer.opens + BLIND, grounds)
    return Withhold((), grounds)
