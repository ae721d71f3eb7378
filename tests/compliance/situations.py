"""Cases in the `decide` contract, one collector and one creditor, from which each test changes what it is about."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from duecourse.compliance.contract import decide_case

NEW_YORK = "America/New_York"
LOS_ANGELES = "America/Los_Angeles"

COLLECTOR: dict[str, Any] = {
    "version": 1,
    "packs": ["us/federal"],
    "lender": {"role": "third_party_collector", "agreements": []},
    "borrower": {
        "id": "B-1",
        "residence": {"country": "US", "region": "NY"},
        "zones": [NEW_YORK],
        "language": "en",
        "consents": [],
        "preferences": [],
        "holds": [],
    },
    "debts": [{"id": "L-1", "product": "card", "days_past_due": 40, "balance": "500.00", "currency": "USD"}],
    "history": [],
    "request": {
        "channel": "call",
        "address": "+12125550100",
        "recipient": "debtor",
        "debts": ["L-1"],
        "purpose": "collection",
        "obligation": None,
        "at": "2026-03-10T12:00:00-04:00",
        "not_after": "2026-04-09T12:00:00-04:00",
    },
}

CHINA: dict[str, Any] = {
    **deepcopy(COLLECTOR),
    "packs": ["cn"],
    "lender": {"role": "creditor", "agreements": []},
    "borrower": {
        "id": "B-2",
        "residence": {"country": "CN"},
        "zones": ["Asia/Shanghai"],
        "language": "zh",
        "consents": [],
        "preferences": [],
        "holds": [],
    },
    "request": {
        **deepcopy(COLLECTOR["request"]),
        "address": "+8613800138000",
        "at": "2026-03-10T12:00:00+08:00",
        "not_after": "2026-04-09T12:00:00+08:00",
    },
}


def call(at: str, result: str = "no_answer", **more: Any) -> dict[str, Any]:
    """An outbound call about L-1, unanswered if nothing else is said."""
    return {
        "at": at,
        "channel": "call",
        "direction": "outbound",
        "address": "+12125550100",
        "debts": ["L-1"],
        "purpose": "collection",
        "result": result,
    } | more


def verdict(base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The verdict of `decide` on a base case; `changes` go into the request, the borrower, or the case itself."""
    case = deepcopy(base)
    for name, value in changes.items():
        if name in ("at", "not_after", "channel", "address", "recipient", "purpose", "obligation", "place"):
            case["request"][name] = value
            if name == "at" and "not_after" not in changes:
                case["request"].pop("not_after", None)
        elif name in ("zones", "consents", "preferences", "holds", "residence"):
            case["borrower"][name] = value
        elif name == "about":
            case["request"]["debts"] = value
        else:
            case[name] = value
    return decide_case(case)


def rules(answer: dict[str, Any], *effects: str) -> list[str]:
    """The rules that had a say, or those with the given effects."""
    return [f["rule"] for f in answer["findings"] if not effects or f["effect"] in effects]
