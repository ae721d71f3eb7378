"""The ten questions of the README, asked as a person asks them: verdict, rule, citation and next moment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.conftest import Say

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "decide"

COLLECTORS_HOURS = "12 CFR 1006.6(b)(1)(i)"
ASSOCIATION = "中国银行业协会《金融机构个人消费类贷款催收工作指引（试行）》第三章"


@dataclass(frozen=True)
class Answer:
    """What the case must be answered: `until` to `closes` is the lawful stretch; no `until` means now, or never."""

    verdict: str
    effect: str
    rule: str
    citation: str
    until: str | None
    closes: str | None
    wake: tuple[str, ...] = ()


ANSWERS = {
    "01_new_yorker_with_a_california_number": Answer(
        "defer", "defer", "US-F-03", COLLECTORS_HOURS, "2026-10-06T15:00:00Z", "2026-10-07T01:00:00Z"
    ),
    "02_the_eighth_call": Answer(
        "defer", "defer", "US-F-16", "12 CFR 1006.14(b)(2)(i)(A)", "2026-10-12T13:00:00Z", "2026-10-13T02:00:00Z"
    ),
    "03_the_day_after_a_conversation": Answer(
        "defer", "defer", "US-F-17", "12 CFR 1006.14(b)(2)(i)(B)", "2026-10-13T13:00:00Z", "2026-10-14T02:00:00Z"
    ),
    "04_a_creditors_third_text_in_massachusetts": Answer(
        "defer", "defer", "US-MA-01", "940 CMR 7.04(1)(f)", "2026-10-12T04:00:00Z", "2026-11-08T16:00:00Z"
    ),
    "05_shanghai_at_22_05": Answer(
        "defer", "defer", "CN-02", "GB/T 45251-2025, 5.3", "2026-10-15T00:00:00Z", "2026-10-15T13:59:59Z"
    ),
    "06_a_seventh_unanswered_call_in_china": Answer(
        "permit", "warn", "CN-08", ASSOCIATION, None, "2026-10-14T13:59:59Z"
    ),
    "07_an_agency_on_a_sunday_in_quebec": Answer(
        "defer",
        "defer",
        "CA-QC-01",
        "Act respecting the collection of certain debts, Quebec",
        "2026-10-13T12:00:00Z",
        "2026-10-13T23:59:59Z",
    ),
    "08a_florida_email_at_23_00_from_a_creditor": Answer(
        "permit", "allow", "US-FL-01", "Fla. Stat. 559.72(17)", None, "2026-11-06T03:00:00Z"
    ),
    "08b_florida_email_at_23_00_from_a_collector": Answer(
        "defer", "defer", "US-F-03", COLLECTORS_HOURS, "2026-10-07T12:00:00Z", "2026-10-08T01:00:00Z"
    ),
    "09_the_bureau_notice_during_a_hold": Answer(
        "permit", "allow", "CN-17", "征信业管理条例 第十五条", None, "2026-10-14T13:59:59Z"
    ),
    "10_a_stop_a_second_ago": Answer(
        "withhold", "bar", "US-F-39", "47 CFR 64.1200(a)(10)", None, None, ("consent_given",)
    ),
}


def test_every_example_has_its_answer_here() -> None:
    assert sorted(ANSWERS) == sorted(file.stem for file in FOLDER.iterdir())


@pytest.mark.parametrize(("name", "answer"), ANSWERS.items(), ids=ANSWERS)
def test_the_example_is_answered_with_rule_citation_and_next_moment(name: str, answer: Answer, say: Say) -> None:
    said = say("decide", FOLDER / f"{name}.json")
    assert (0, "") == (said.code, said.err)
    verdict = said.json
    first = verdict["findings"][0]
    assert answer == Answer(
        verdict["verdict"],
        first["effect"],
        first["rule"],
        first["citation"],
        verdict.get("until"),
        verdict.get("closes"),
        tuple(verdict.get("wake", ())),
    )


@pytest.mark.parametrize(("name", "answer"), ANSWERS.items(), ids=ANSWERS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_in_words_the_reason_comes_right_after_the_verdict(name: str, answer: Answer, lang: str, say: Say) -> None:
    _, reason, *_ = say("decide", FOLDER / f"{name}.json", "--explain", "--lang", lang).out.splitlines()
    assert answer.rule in reason
    assert answer.citation in reason


def test_a_new_yorker_is_answered_in_the_clock_of_new_york(say: Say) -> None:
    said = say("decide", FOLDER / "01_new_yorker_with_a_california_number.json", "--explain").out
    assert "2026-10-06 11:00 (America/New_York)" in said.splitlines()[0]


@pytest.mark.parametrize(("name", "answer"), ANSWERS.items(), ids=ANSWERS)
def test_the_readme_gives_the_same_answer(name: str, answer: Answer) -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    number = name.split("_", 1)[0]
    (row,) = [line for line in lines if line.startswith(f"| `{number}` ")]
    _, _, verdict, why, moment, _ = row.split("|")
    words = {"defer": "not yet", "withhold": "no", "permit": "yes"}
    assert verdict.strip().startswith(words[answer.verdict])
    assert f"{answer.rule}, {answer.citation}" in why
    if answer.until is not None:
        assert f"{answer.until[11:16]} UTC" in moment
    elif answer.verdict == "permit" and "life" not in moment:
        assert answer.closes is not None
        assert f"{answer.closes[11:19]} UTC" in moment
