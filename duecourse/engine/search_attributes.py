"""The search attributes of a loan: what an operator can filter by in the Web UI and on the command line.

Importable inside the workflow sandbox: it knows Temporal's key types and nothing else. A self-hosted SQL visibility
store holds three Datetime and three KeywordList attributes per namespace, ten Keyword: two and two are used here,
so none runs out. They are stored in clear: ids only, never a name, a number or an address.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from temporalio.common import SearchAttributeKey

LOAN_STAGE: SearchAttributeKey[str] = SearchAttributeKey.for_keyword("LoanStage")
OLDEST_DUE_DATE: SearchAttributeKey[datetime] = SearchAttributeKey.for_datetime("OldestDueDate")
"""Midnight UTC of the due date of the oldest unpaid installment: a date, which the store knows only as an instant."""
RISK_TIER: SearchAttributeKey[str] = SearchAttributeKey.for_keyword("RiskTier")
BORROWER_ID = SearchAttributeKey.for_keyword_list("BorrowerId")
"""All borrowers of the loan: a loan can have several."""
JURISDICTION: SearchAttributeKey[str] = SearchAttributeKey.for_keyword("Jurisdiction")
NEXT_ACTION_AT: SearchAttributeKey[datetime] = SearchAttributeKey.for_datetime("NextActionAt")
HOLDS = SearchAttributeKey.for_keyword_list("Holds")

ALL: tuple[SearchAttributeKey[Any], ...] = (
    LOAN_STAGE,
    OLDEST_DUE_DATE,
    RISK_TIER,
    BORROWER_ID,
    JURISDICTION,
    NEXT_ACTION_AT,
    HOLDS,
)


def declarations() -> tuple[str, ...]:
    """Each attribute as ``Name=Type``, the spelling that the server's command line takes."""
    return tuple(f"{key.name}={_type_name(key)}" for key in ALL)


def _type_name(key: SearchAttributeKey[Any]) -> str:
    match key.indexed_value_type.name:
        case "TEXT":
            return "Text"
        case "KEYWORD":
            return "Keyword"
        case "DATETIME":
            return "Datetime"
        case "KEYWORD_LIST":
            return "KeywordList"
        case other:
            raise TypeError(f"search attribute {key.name} has the type {other}, which no loan uses")
