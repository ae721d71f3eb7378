"""What a verdict says besides yes and no: which rule decided, in what order, and never the same thing twice."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import date
from typing import Any

from duecourse.compliance.case import SendWindow
from duecourse.compliance.contract import read_case, shipped_packs
from duecourse.compliance.explain import explain_finding
from duecourse.compliance.gate import decide
from duecourse.compliance.packs import Pack, PackSet, package_documents
from duecourse.compliance.verdict import Defer, Verdict, Withhold, binding
from tests.compliance.pieces import case, packs, rule
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


def test_the_treatments_own_hours_are_no_law_and_need_a_known_zone() -> None:
    wished = replace(read_case(COLLECTOR, shipped_packs()), packs=("us/federal",))
    evening = replace(wished, request=replace(wished.request, window=SendWindow(from_minute=18 * 60)))
    found = decide(evening, shipped_packs())
    assert isinstance(found, Defer)
    (finding,) = found.grounds.findings
    assert ("treatment:window", "treatment", "-", "-") == (finding.rule, finding.strength, finding.grade, finding.pack)
    letter = replace(evening.request, channel="letter")
    nowhere = decide(replace(evening, person=replace(evening.person, zones=()), request=letter), shipped_packs())
    assert isinstance(nowhere, Withhold)
    assert ("zones_known",) == nowhere.wake


def test_a_silence_of_the_treatments_own_is_told_as_its_choice() -> None:
    case = read_case(COLLECTOR, shipped_packs())
    late = replace(case.request, window=SendWindow(not_after=date(2026, 3, 1)))
    found = decide(replace(case, request=late), shipped_packs())
    assert isinstance(found, Withhold)
    said = [explain_finding(finding) for finding in found.grounds.findings if finding.rule == "treatment:window"]
    assert ["the lender's own choice, not a law" in one for one in said] == [True]


def test_what_fails_closed_is_a_ban_and_no_choice_of_the_treatment() -> None:
    lost = decide(replace(read_case(COLLECTOR, shipped_packs()), packs=("us/atlantis",)), shipped_packs())
    assert [("gate:packs", "ban")] == [(one.rule, one.strength) for one in lost.grounds.findings]


def test_advice_that_never_allows_and_begins_later_warns_without_a_moment() -> None:
    """Its version comes into force within the contact's life and has no end: there is no moment after it to name."""
    known = packs(
        rule("cap: {limit: 0, window: {days: 1}, per: person}", "T-01", strength="advisory", in_force="2026-03-12"),
        rule('quiet_hours: {windows: {FRI: [["09:00", "17:00"]]}, end: exclusive}', "T-02"),
    )
    found = decide(case("2026-03-10T12:00"), known)
    assert isinstance(found, Defer)
    assert [("T-01", None)] == [(f.rule, f.until) for f in found.grounds.findings if f.effect == "warn"]
