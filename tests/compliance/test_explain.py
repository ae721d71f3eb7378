"""Findings in words, in both languages, from nothing but what the finding itself carries."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from duecourse.compliance.contract import read_case, shipped_packs
from duecourse.compliance.explain import _phrases, explain_finding, explain_verdict
from duecourse.compliance.gate import decide
from duecourse.compliance.verdict import Verdict, Withhold, binding
from tests.compliance.situations import CHINA, COLLECTOR, NEW_YORK, call


def judged(base: dict[str, Any], borrower: dict[str, Any] | None = None, **changes: Any) -> Verdict:
    packs = shipped_packs()
    return decide(
        read_case(
            {
                **base,
                **{k: v for k, v in changes.items() if k in ("history", "packs")},
                "borrower": {**base["borrower"], **(borrower or {})},
                "request": {**base["request"], **{k: v for k, v in changes.items() if k not in ("history", "packs")}},
            },
            packs,
        ),
        packs,
    )


REFUSALS = {
    "night": judged(COLLECTOR, at="2026-03-10T22:00:00-04:00"),
    "cap": judged(COLLECTOR, history=[call(f"2026-03-{day:02d}T13:00:00Z") for day in range(4, 11)]),
    "talk": judged(COLLECTOR, history=[call("2026-03-09T15:00:00Z", "conversation")]),
    "hold": judged(COLLECTOR, {"holds": [{"cause": "dispute", "from": "2026-03-01", "to": None}]}),
    "dated hold": judged(COLLECTOR, {"holds": [{"cause": "dispute", "from": "2026-03-01", "to": "2026-03-20"}]}),
    "review": judged(COLLECTOR, {"holds": [{"cause": "deceased", "from": "2026-03-01", "to": None}]}),
    "opt-out": judged(COLLECTOR, {"consents": [{"channel": "call", "state": "revoked", "at": "2026-03-01T00:00:00Z"}]}),
    "wish": judged(COLLECTOR, {"preferences": [{"weekdays": ["TUE"]}]}),
    "third person": judged(COLLECTOR, recipient="other"),
    "unknown": judged(COLLECTOR, {"holds": None}),
    "china": judged(CHINA, at="2026-03-10T22:05:00+08:00"),
    "policy": judged(
        CHINA,
        packs=["cn", "lender/default"],
        channel="sms",
        purpose="reminder",
        history=[call(f"2026-03-{day}T02:00:00Z", "sent", channel="sms", purpose="reminder") for day in ("08", "10")],
    ),
    "notice in a hold": judged(
        CHINA,
        {"holds": [{"cause": "hardship", "from": "2026-03-01", "to": None}]},
        channel="sms",
        purpose="notice",
        obligation="CN-17",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_each_finding_is_said_in_both_languages_with_rule_and_citation(name: str) -> None:
    verdict = REFUSALS[name]
    assert verdict.grounds.findings
    for finding in verdict.grounds.findings:
        english, chinese = explain_finding(finding, "en", NEW_YORK), explain_finding(finding, "zh", NEW_YORK)
        for said in (english, chinese):
            assert finding.rule in said
            assert not re.search(r"[{}]", said)
        assert finding.citation in english
        assert re.search("[一-鿿]", chinese)
        assert english != chinese
        assert finding.because.split(";")[0].lower() in english.lower()


def test_the_agent_reads_the_next_moment_in_the_borrowers_own_clock() -> None:
    said = explain_finding(REFUSALS["night"].grounds.findings[0], "en", NEW_YORK)
    assert (
        "22:00 in America/New_York; allowed 08:00-21:00. "
        "Earliest under US-F-03 (12 CFR 1006.6(b)(1)(i)): 2026-03-11 08:00 (America/New_York)." == said
    )


def test_the_verdict_comes_first_and_every_finding_follows() -> None:
    for verdict in REFUSALS.values():
        lines = explain_verdict(verdict, "zh-CN", "Asia/Shanghai")
        wakes = isinstance(verdict, Withhold) and bool(verdict.wake)
        assert 1 + len(verdict.grounds.findings) + wakes == len(lines)


def test_a_silence_says_what_would_be_worth_asking_again_after() -> None:
    assert "Ask again once the hold is lifted." == explain_verdict(REFUSALS["hold"])[-1]
    assert "借款人同意后可再询问。" == explain_verdict(REFUSALS["opt-out"], "zh")[-1]
    assert "Ask again once the holds are known." == explain_verdict(REFUSALS["unknown"])[-1]


def test_a_rule_that_only_moves_the_moment_on_speaks_of_that_moment_and_comes_last() -> None:
    """The cap frees at midnight, and only then does the night count: that it is dark at midnight is not the reason."""
    _, first, then = explain_verdict(REFUSALS["cap"], "en", NEW_YORK)
    assert first.startswith("7 counted (call)")
    assert then.startswith("At that moment: 00:00 in America/New_York")


def test_a_day_without_hours_is_named_by_its_date() -> None:
    quebec = {"residence": {"country": "CA", "region": "QC"}, "zones": ["America/Toronto"]}
    sunday = judged(COLLECTOR, quebec, packs=["ca/quebec"], at="2026-10-11T14:00:00-04:00", not_after=None)
    assert explain_verdict(sunday)[1].startswith("2026-10-11 14:00 in America/Toronto; allowed at no hour of that day")


def test_a_stored_finding_without_a_message_is_still_said() -> None:
    finding = replace(REFUSALS["night"].grounds.findings[0], message="", evidence=())
    assert "22:00 in America/New_York" in explain_finding(finding, "zh")


def test_the_rule_that_binds_changes_with_the_facts() -> None:
    bound = {name: found.rule for name, verdict in REFUSALS.items() if (found := binding(verdict)) is not None}
    assert {"US-F-03", "US-F-16", "US-F-17", "US-F-30", "US-F-23", "US-F-05", "US-F-11", "CN-02"} <= set(bound.values())


def test_findings_carry_no_address_number_or_name() -> None:
    for verdict in REFUSALS.values():
        for finding in verdict.grounds.findings:
            shown = f"{finding.because} {finding.evidence}"
            assert "5550100" not in shown
            assert "B-1" not in shown


def test_every_sentence_exists_in_both_languages() -> None:
    phrases = _phrases()
    for group in (phrases.sentences, phrases.frames, phrases.verdicts, phrases.words):
        for name, said in group.items():
            assert {"en", "zh"} == set(said), name
            assert all(said.values()), name
