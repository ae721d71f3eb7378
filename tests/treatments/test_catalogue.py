"""Ladder files: what ships can be loaded, and a wrong file is refused with its line, field and remedy."""

from __future__ import annotations

import pytest

from duecourse.errors import NotFound
from duecourse.treatments.catalogue import LadderRefused, ladder_ids, load_ladder, parse_ladder
from duecourse.treatments.ladder import Anchor, Tier

GOOD = """\
id: small
version: "2026-01"
title: Small
rungs:
  - id: due_day
    title: Due day
    title_zh: 到期日
    anchor: due
    offset_days: 0
    per: installment
    channels: [sms, email]
    template: due_today
    purpose: reminder
    window: {from: 09:00, to: 20:00}
  - id: notice
    title: Notice
    title_zh: 通知
    anchor: past_due
    offset_days: 15
    per: episode
    channels: [sms, letter]
    template: credit_report_notice
    purpose: notice
    window: {from: 10:00, to: 18:00}
    obligation: CN-17
    catch_up: in_order
  - id: legal
    title: Legal
    title_zh: 法务
    anchor: delinquent
    offset_days: 60
    per: episode
    channels: [review]
    template: legal_referral_note
    purpose: legal
    window: {from: 10:00, to: 18:00}
tiers:
  low:
    omits: [due_day]
    reason: Low risk.
    reason_zh: 风险较低。
  standard: {}
  high: {}
"""


def refused(text: str) -> LadderRefused:
    with pytest.raises(LadderRefused) as caught:
        parse_ladder(text, "small.yaml")
    return caught.value


@pytest.mark.parametrize("name", ladder_ids())
def test_every_ladder_that_ships_loads_under_its_own_name(name: str) -> None:
    assert load_ladder(name).id == name


def test_the_chinese_and_the_agency_ladder_ship() -> None:
    assert set(ladder_ids()) >= {"cn_consumer", "us_agency"}


def test_an_unknown_ladder_names_those_that_exist() -> None:
    with pytest.raises(NotFound, match="cn_consumer"):
        load_ladder("../../etc/passwd")


def test_the_agency_has_no_rung_before_placement_and_begins_with_the_validation_notice() -> None:
    """12 CFR 1006.34(a)(1): the notice comes with the first communication, so nothing goes before it."""
    rungs = load_ladder("us_agency").rungs
    assert {rung.anchor for rung in rungs} == {Anchor.PLACED}
    assert (rungs[0].obligation, rungs[0].offset_days) == ("US-F-27", 0)
    assert all(rung.offset_days > 5 for rung in rungs[1:])


def test_the_notice_before_credit_reporting_counts_plain_days_and_never_lapses() -> None:
    """A hold pauses the lender's ladder, not the calendar on which a bad record is reported."""
    rung = load_ladder("cn_consumer").rung("credit_report_notice")
    assert (rung.obligation, rung.anchor, rung.per, rung.catch_up.value) == (
        "CN-17",
        Anchor.PAST_DUE,
        "episode",
        "in_order",
    )


@pytest.mark.parametrize("name", ladder_ids())
def test_rungs_stand_in_the_order_of_their_days(name: str) -> None:
    rungs = load_ladder(name).rungs
    late = [rung.offset_days for rung in rungs if rung.anchor in (Anchor.PAST_DUE, Anchor.DELINQUENT, Anchor.PLACED)]
    early = [rung.offset_days for rung in rungs if rung.anchor is Anchor.DUE]
    assert late == sorted(late)
    assert early == sorted(early)


def test_a_good_file_is_read_and_clock_times_stay_clock_times() -> None:
    """YAML 1.1 would read 10:00 as 600 and 20:00 as 1200."""
    ladder = parse_ladder(GOOD, "small.yaml")
    assert (ladder.rung("notice").window.from_minute, ladder.rung("due_day").window.to_minute) == (600, 1200)
    assert ladder.tiers[Tier.LOW].omits == ("due_day",)


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "expected"),
    [
        ("offset_days: 15", "offset_days: soon", 19, "rungs.1.offset_days", "integer"),
        ("offset_days: 15", "offset_days: 0", 15, "rungs.1", "offset_days of at least 1"),
        ("catch_up: in_order", "catch_up: skip_and_record", 15, "rungs.1", "in_order"),
        ("    title_zh: 通知\n", "", 15, "rungs.1.title_zh", "required"),
        ("purpose: reminder", "purpose: reminder\n    lives: 3", 14, "rungs.0.lives", "spelling"),
        ("to: 20:00", "to: 25:00", 14, "rungs.0.window.to", "HH:MM"),
        ("to: 20:00", "to: 08:00", 14, "rungs.0.window", "open before it closes"),
        ("omits: [due_day]", "omits: [notice]", 38, "tiers.low", "mandatory"),
        ("omits: [due_day]", "omits: [due_dya]", 38, "tiers.low", "unknown rung"),
        ("    reason: Low risk.\n", "", 38, "tiers.low.reason", "reason"),
        ("  high: {}", "  high: {channels: {notice: [email]}}", 43, "tiers.high.channels.notice", "own channels"),
        ("  high: {}", "  high: {channels: {legal: [call]}}", 43, "tiers.high.channels.legal", "review"),
        ("  high: {}\n", "", 37, "tiers", "missing: high"),
        ("  - id: legal", "  - id: notice", 4, "rungs", "unique"),
        ("    purpose: legal\n", "    purpose: legal\n    purpose: legal\n", 36, "rungs.2.purpose", "each key once"),
        ("channels: [review]", "channels: [review", 34, "document", "YAML"),
        ("window: {from: 09:00, to: 20:00}", "window: &hours {from: 09:00, to: 20:00}", 14, "document", "anchors"),
    ],
)
def test_a_wrong_file_is_refused_with_line_field_and_remedy(
    old: str, new: str, line: int, field: str, expected: str
) -> None:
    assert GOOD.count(old) >= 1
    refusal = refused(GOOD.replace(old, new, 1))
    problem = refusal.problems[0]
    assert (problem.line, problem.field) == (line, field), str(refusal)
    assert expected in problem.expected
    assert str(refusal).startswith(f"small.yaml: line {line}: {field}: ")


def test_all_problems_of_a_file_are_named_at_once_in_the_order_of_lines() -> None:
    text = GOOD.replace("offset_days: 60", "offset_days: x").replace("purpose: reminder", "purpose: advert")
    assert [problem.line for problem in refused(text).problems] == [13, 31]


@pytest.mark.parametrize("text", ["", "[]", "just words", "\x00"])
def test_what_is_no_ladder_at_all_is_refused_too(text: str) -> None:
    assert refused(text).line == 1
