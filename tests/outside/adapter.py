"""From a family of outside cases to our own code. No rule, date arithmetic, cap or window of its own.

`given` goes in, what `expect` compares comes out. A family that does not fit the product stands in SKIPPED, with
the reason; a single row that asks for what we have no word for raises NotExpressible, and says what that is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.outside import compliance_families, ledger_families, loans_families
from tests.outside.loans_families import NotExpressible

Family = Callable[[dict[str, Any]], dict[str, Any]]

FAMILIES: dict[str, Family] = {
    **loans_families.FAMILIES,
    "throttle": ledger_families.throttle,
    **{
        name: getattr(compliance_families, name)
        for name in (
            "regf_time",
            "regf_calls",
            "regf_preference",
            "window_contains",
            "window_next",
            "window_malformed",
            "weekday_schedule",
        )
    },
}

SKIPPED: dict[str, str] = {
    "campaign": (
        "a campaign counts attempts per person and currency over all debts; our ladders belong to one loan, and "
        "campaigns over a person's loans are not part of the product yet"
    ),
}

_ABOUT_THE_ROW = frozenset({"id", "family", "source", "given", "expect", "cite", "deliberate", "note"})


def outcome_of(row: dict[str, Any]) -> dict[str, Any]:
    """What our code answers to a row. Facts that a row keeps beside `given` belong to it."""
    beside = {key: value for key, value in row.items() if key not in _ABOUT_THE_ROW}
    try:
        return FAMILIES[row["family"]](row["given"] | beside)
    except KeyError as missing:
        if missing.args[0] in row["given"]:
            raise
        raise NotExpressible(f"a row of {row['family']} without {missing.args[0]!r}") from missing
