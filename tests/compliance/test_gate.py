"""What a verdict says besides yes and no: which rule decided, in what order, and never the same thing twice."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from duecourse.compliance.contract import read_case, shipped_packs
from duecourse.compliance.gate import decide
from duecourse.compliance.packs import Pack, PackSet, package_documents
from duecourse.compliance.verdict import Defer, Verdict, binding
from tests.compliance.situations import CHINA, COLLECTOR, call, rules, verdict


def judged(base: dict[str, Any], known: PackSet | None = None, **case: Any) -> Verdict:
    known = known or shipped_packs()
    return decide(read_case({**deepcopy(base), **case}, known), known)


SEVEN = [call(f"2026-03-{day:02d}T13:00:00Z") for day in range(4, 11)]


def test_the_cap_decides_not_the_morning_to_which_it_leads() -> None:
    found = judged(COLLECTOR, history=SEVEN)
    assert isinstance(found, Defer)
    decided = binding(found)
    assert decided is not None
    assert "US-F-16" == decided.rule
    morning = next(f for f in found.grounds.findings if f.rule == "US-F-03")
    assert decided.until == morning.asked_from
    assert found.opens == morning.until
    assert "00:00 in America/New_York" in morning.because


def test_what_bars_comes_first_then_what_defers_longest() -> None:
    held = [{"cause": "dispute", "from": "2026-03-01", "to": None}]
    answer = verdict(COLLECTOR, history=SEVEN, holds=held, at="2026-03-10T22:00:00-04:00")
    assert ["US-F-30", "US-F-03", "US-F-16"] == rules(answer, "bar", "defer")


def test_a_policy_that_repeats_a_law_is_not_said_twice() -> None:
    held = [{"cause": "dispute", "from": "2026-03-01", "to": None}]
    assert ["US-F-30"] == rules(verdict(COLLECTOR, holds=held))
    hardship = [{"cause": "hardship", "from": "2026-03-01", "to": None}]
    assert ["FLOOR-03"] == rules(verdict(COLLECTOR, holds=hardship))


def test_an_obligation_that_no_pack_knows_opens_no_exception_and_is_pointed_out() -> None:
    answer = verdict(CHINA, channel="letter", purpose="notice", obligation="CN-99")
    assert ("permit", ["gate:obligation"]) == (answer["verdict"], rules(answer, "warn"))
    held = [{"cause": "hardship", "from": "2026-03-01", "to": None}]
    assert "withhold" == verdict(CHINA, holds=held, purpose="notice", obligation="CN-99")["verdict"]


def test_every_verdict_names_the_packs_under_which_it_was_given() -> None:
    found = judged(CHINA, packs=["cn", "lender/default"])
    assert [p.ref for p in (shipped_packs().packs["cn"], shipped_packs().packs["lender/default"])] == list(
        found.grounds.packs
    )


def test_a_changed_number_in_a_published_pack_changes_the_next_verdict() -> None:
    texts = package_documents("us/federal")
    path = "us/regulation_f/call_frequency.yaml"
    stricter = Pack.from_documents({**texts, path: texts[path].replace("limit: 7", "limit: 3")})
    three = SEVEN[-3:]
    assert not isinstance(judged(COLLECTOR, history=three), Defer)
    changed = judged(COLLECTOR, PackSet([stricter]), history=three)
    assert isinstance(changed, Defer)
    assert shipped_packs().packs["us/federal"].hash != changed.grounds.packs[0].hash


def test_the_same_case_gives_the_same_verdict() -> None:
    assert judged(COLLECTOR, history=SEVEN) == judged(COLLECTOR, history=list(reversed(SEVEN)))
