"""What the search attributes say of a loan: set free of charge at the start, refreshed only with the stage."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from temporalio.common import SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

from duecourse.engine import search_attributes as keys
from duecourse.loans.loan import Loan


def at_start(loan: Loan, tier: str, now: datetime, next_at: datetime | None) -> TypedSearchAttributes:
    """All attributes of a loan that starts at `now` (aware UTC)."""
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(keys.LOAN_STAGE, loan.stage(now)),
        SearchAttributePair(keys.RISK_TIER, tier),
        SearchAttributePair(keys.BORROWER_ID, [party.borrower for party in loan.terms.parties]),
        SearchAttributePair(keys.JURISDICTION, ", ".join(loan.terms.jurisdictions)),
    ]
    due = _oldest_due(loan, now)
    if due is not None:
        pairs.append(SearchAttributePair(keys.OLDEST_DUE_DATE, due))
    if next_at is not None:
        pairs.append(SearchAttributePair(keys.NEXT_ACTION_AT, next_at))
    holds = _holds(loan, now)
    if holds:
        pairs.append(SearchAttributePair(keys.HOLDS, holds))
    return TypedSearchAttributes(pairs)


def at_stage(loan: Loan, now: datetime, next_at: datetime | None) -> list[SearchAttributeUpdate[Any]]:
    """What changes together with the stage."""
    due, holds = _oldest_due(loan, now), _holds(loan, now)
    return [
        keys.LOAN_STAGE.value_set(loan.stage(now)),
        keys.HOLDS.value_set(holds) if holds else keys.HOLDS.value_unset(),
        keys.OLDEST_DUE_DATE.value_unset() if due is None else keys.OLDEST_DUE_DATE.value_set(due),
        keys.NEXT_ACTION_AT.value_unset() if next_at is None else keys.NEXT_ACTION_AT.value_set(next_at),
    ]


def _oldest_due(loan: Loan, now: datetime) -> datetime | None:
    missed = loan.oldest_unpaid(loan.terms.book_date(now))
    return None if missed is None else datetime(missed.due_on.year, missed.due_on.month, missed.due_on.day, tzinfo=UTC)


def _holds(loan: Loan, now: datetime) -> list[str]:
    today = loan.terms.book_date(now)
    causes: list[str] = []
    for held in loan.holds():
        if held.covers(today) and held.cause not in causes:
            causes.append(held.cause)
    return causes
