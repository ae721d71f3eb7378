"""What is unknown and needed ends in no contact, with a finding that says which fact is missing."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from duecourse.compliance.contract import decide_case, read_case, shipped_packs
from duecourse.compliance.gate import decide
from duecourse.compliance.verdict import Withhold
from duecourse.errors import InvalidInput
from tests.compliance.situations import CHINA, COLLECTOR, rules, verdict


def without(case: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    changed = deepcopy(case)
    at = changed
    for part in path[:-1]:
        at = at[part]
    del at[path[-1]]
    return changed


@pytest.mark.parametrize(
    ("base", "path", "fact"),
    [
        (COLLECTOR, ("history",), "history"),
        (COLLECTOR, ("borrower", "consents"), "consents"),
        (COLLECTOR, ("borrower", "preferences"), "preferences"),
        (COLLECTOR, ("borrower", "holds"), "holds"),
        (CHINA, ("history",), "history"),
        (CHINA, ("borrower", "consents"), "consents"),
        (CHINA, ("borrower", "preferences"), "preferences"),
        (CHINA, ("borrower", "holds"), "holds"),
    ],
)
def test_a_list_that_is_left_out_is_unknown(base: dict[str, Any], path: tuple[str, ...], fact: str) -> None:
    assert "permit" == decide_case(base)["verdict"]
    answer = decide_case(without(base, path))
    assert "withhold" == answer["verdict"]
    assert [f"{fact}_known"] == answer["wake"]
    assert any("not known" in finding["because"] for finding in answer["findings"])


def test_no_known_zone() -> None:
    """No address and a toll-free number: nothing says where the borrower is."""
    nowhere = verdict(COLLECTOR, residence=None, zones=None, address="+18005550100")
    assert ("withhold", ["zones_known"]) == (nowhere["verdict"], nowhere["wake"])
    assert "US-F-03" in rules(nowhere, "bar")
    assert "withhold" == verdict(COLLECTOR, zones=[])["verdict"]


def test_a_letter_needs_no_zone_and_no_call_history() -> None:
    assert "permit" == verdict(COLLECTOR, zones=[], channel="letter", history=None)["verdict"]


def test_no_residence_and_no_packs() -> None:
    answer = verdict(COLLECTOR, residence=None, packs=None)
    assert ("withhold", ["packs_known"]) == (answer["verdict"], answer["wake"])
    assert ["gate:packs"] == rules(answer, "bar")


def test_a_country_without_a_pack() -> None:
    answer = verdict(COLLECTOR, residence={"country": "FR"}, packs=None)
    assert "withhold" == answer["verdict"]


def test_inside_the_gate_an_unknown_zone_or_pack_withholds_and_does_not_raise() -> None:
    packs = shipped_packs()
    case = read_case(COLLECTOR, packs)
    gotham = decide(replace(case, person=replace(case.person, zones=("America/Gotham",))), packs)
    assert isinstance(gotham, Withhold)
    assert ("zones_known",) == gotham.wake
    lost = decide(replace(case, packs=("us/atlantis",)), packs)
    assert isinstance(lost, Withhold)
    assert "us/atlantis" in lost.grounds.findings[0].because


OPTIONAL = {
    # Fields whose absence has a defined meaning that keeps the contact lawful; each with its reason.
    ("borrower", "residence"): "the packs are named, and the zones too",
    ("borrower", "zones"): "they follow from residence and number",
    ("borrower", "language"): "English is the default, and no rule reads it",
    ("lender", "agreements"): "no association's rules bind this lender",
    ("packs",): "they follow from the residence",
    ("request", "recipient"): "the debtor is the default",
    ("request", "obligation"): "an optional contact, to which every rule applies",
    ("request", "not_after"): "thirty days are the default",
}


@pytest.mark.parametrize("base", [COLLECTOR, CHINA])
def test_deleting_any_field_of_a_permitted_case_is_no_permit_or_stands_in_the_list(base: dict[str, Any]) -> None:
    paths: list[tuple[str, ...]] = [(name,) for name in base]
    paths += [(part, name) for part in ("lender", "borrower", "request") for name in base[part]]
    for path in paths:
        try:
            permitted = decide_case(without(base, path))["verdict"] == "permit"
        except InvalidInput:
            permitted = False
        assert permitted == (path in OPTIONAL), path


@pytest.mark.parametrize("base", [COLLECTOR, CHINA])
@pytest.mark.parametrize("garbage", [{}, [{}], 17, "?", None])
def test_corrupting_any_field_is_refused_or_defined(base: dict[str, Any], garbage: Any) -> None:
    nullable = {"history", "consents", "preferences", "holds", "zones", "residence", "packs", "obligation", "not_after"}
    free_text = {"id", "address", "language", "obligation"}
    for part in (None, "lender", "borrower", "request"):
        for name in base if part is None else base[part]:
            if (garbage is None and name in nullable) or (garbage == "?" and name in free_text):
                continue
            changed = deepcopy(base)
            (changed if part is None else changed[part])[name] = garbage
            try:
                answer = decide_case(changed)["verdict"]
            except InvalidInput:
                answer = "refused"
            assert answer in ("refused", "withhold"), (part, name)
