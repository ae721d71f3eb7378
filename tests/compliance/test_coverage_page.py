"""docs/compliance.md says what the packs say, rule by rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from duecourse.compliance.packs import load_packs
from duecourse.present.coverage import END, renewed

PAGE = Path(__file__).parents[2] / "docs" / "compliance.md"


def test_the_tables_are_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == renewed(page, load_packs()), "run: python -m duecourse.present.coverage docs/compliance.md"


def test_every_rule_and_every_approximation_stands_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for pack in load_packs().packs.values():
        for rule in pack.rules:
            assert f"| {rule.id} |" in page
            assert rule.approximated is None or f"- {rule.id}: {' '.join(rule.approximated.split())}" in page


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the line"):
        renewed(PAGE.read_text(encoding="utf-8").replace(END, ""), load_packs())
