"""Dated cases from other people's tests and from official commentary, run on our code.

`OUTSIDE_CASES=<file> pytest tests/outside` runs another file of the same shape.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.outside.adapter import FAMILIES, SKIPPED, outcome_of
from tests.outside.decisions import DECISIONS
from tests.outside.loans_families import NotExpressible

CASES = Path(os.environ.get("OUTSIDE_CASES") or Path(__file__).with_name("outside_cases.json"))
ROWS: list[dict[str, Any]] = json.loads(CASES.read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_outside_case(row: dict[str, Any]) -> None:
    """Every key that the row expects has the expected value; see `decisions.py` for the deliberate ones."""
    family = row["family"]
    if family in SKIPPED:
        pytest.skip(f"{family}: {SKIPPED[family]}")
    assert family in FAMILIES, f"no adapter for the family {family!r}: add one, or declare it skipped with a reason"
    try:
        answer = outcome_of(row)
    except NotExpressible as gap:
        pytest.skip(f"{row['id']}: {gap}")

    expected = row["expect"]
    if "deliberate" in row:
        expected = ours(row, answer)
    assert expected == {key: answer.get(key) for key in expected}


def ours(row: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """What a deliberate row must give: our written value, else the peer's, else what the family decided."""
    decision = DECISIONS.get(row["family"])
    assert decision is not None, f"{row['id']}: {row['family']} needs a written decision in decisions.py"
    if row["id"] in decision.instead:
        return decision.instead[row["id"]]
    agrees = all(answer.get(key) == value for key, value in row["expect"].items())
    if agrees or not set(row["expect"]) <= set(answer):
        return dict(row["expect"])
    return {key: answer[key] for key in row["expect"]}


def test_every_family_is_either_run_or_skipped_for_a_reason() -> None:
    assert not set(FAMILIES) & set(SKIPPED)
    assert {row["family"] for row in ROWS} <= set(FAMILIES) | set(SKIPPED)
    assert all(len(reason) > 40 for reason in SKIPPED.values())


def test_each_value_of_ours_belongs_to_a_row_that_is_marked_deliberate() -> None:
    own = json.loads(Path(__file__).with_name("outside_cases.json").read_text(encoding="utf-8"))["cases"]
    deliberate = {row["id"]: row["family"] for row in own if "deliberate" in row}
    for family, decision in DECISIONS.items():
        assert all(deliberate.get(name) == family for name in decision.instead)
