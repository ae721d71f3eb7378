"""Notices that are owed: by when, how often, what serves, when a person takes over, and what may follow only then."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.compliance.acts import may_act
from duecourse.compliance.case import Event, Hold, Milestone
from duecourse.compliance.gate import decide
from duecourse.compliance.obligations import due_notices
from duecourse.compliance.packs import PackSet
from duecourse.compliance.verdict import Defer, Obligation, Permit, Withhold
from tests.compliance.pieces import case, contact, day, debt, instant, packs, rule

ARREARS = packs(
    rule("notice: {trigger: past_due, latest_days: 14, forms: [letter], again: {earliest_days: 160, latest_days: 182}}")
)
FURNISHED = packs(
    rule("notice: {trigger: milestone, milestone: furnished, latest_days: 30, forms: [letter], per: person}")
)
EARLY = packs(rule("notice: {trigger: past_due, past_due_day: 20, latest_days: 25, forms: [letter]}"))
BUSINESS = "{business_days: 10, business: {calendar: KR}}"
ACCELERATE = packs(
    rule(
        "notice: {trigger: act, forms: [letter, email], proof: must_reach, calendar: KR, survives_holds: ['*'], "
        f"before: {{acts: [accelerate], wait: {BUSINESS}, since: received}}}}"
    )
)
REPORT = packs(
    rule(
        "notice: {trigger: act, forms: [letter, call], before: {acts: [report], wait: {days: 14}, at_once_by: [call]}}"
    )
)


def letter(at: str, result: str = "sent", obligation: str = "T-01", **more: Any) -> Event:
    return contact(at, result, "letter", obligation=obligation, purpose="notice", **more)


def one(found: tuple[Obligation, ...]) -> Obligation:
    assert 1 == len(found)
    return found[0]


def test_the_deadline_and_the_day_on_which_a_person_takes_over() -> None:
    """Past due since Sunday 1 March: 14 days end on Sunday the 15th, three business days before it is the 11th."""
    owed = one(due_notices(case("2026-03-04T12:00", debts=(debt(4),)), ARREARS))
    assert (day("2026-03-01"), day("2026-03-15"), day("2026-03-11")) == (owed.earliest, owed.latest, owed.task_by)


def test_a_person_takes_over_at_once_where_less_remains() -> None:
    owed = one(due_notices(case("2026-03-13T12:00", debts=(debt(13),)), ARREARS))
    assert (day("2026-03-15"), day("2026-03-13")) == (owed.latest, owed.task_by)


def test_a_notice_of_this_episode_serves_one_from_before_does_not() -> None:
    now = case("2026-03-10T12:00", debts=(debt(10),))
    assert () == due_notices(replace(now, history=(letter("2026-03-02T12:00"),)), ARREARS)
    assert due_notices(replace(now, history=(letter("2026-02-20T12:00"),)), ARREARS)


def test_one_that_came_back_serves_nothing() -> None:
    """EX-20: the first bounced, the second counts."""
    now = case("2026-03-10T12:00", debts=(debt(10),))
    bounced = letter("2026-03-02T12:00", "bounced")
    assert due_notices(replace(now, history=(bounced,)), ARREARS)
    assert () == due_notices(replace(now, history=(bounced, letter("2026-03-05T12:00"))), ARREARS)


def test_it_is_owed_again_while_the_state_lasts() -> None:
    served = (letter("2026-03-02T12:00"),)
    assert () == due_notices(case("2026-08-08T12:00", debts=(debt(161),), history=served), ARREARS)
    owed = one(due_notices(case("2026-08-10T12:00", debts=(debt(163),), history=served), ARREARS))
    assert (day("2026-08-09"), day("2026-08-31")) == (owed.earliest, owed.latest)


def test_a_duty_that_begins_on_a_day_past_due() -> None:
    assert () == due_notices(case("2026-03-19T12:00", debts=(debt(19),)), EARLY)
    assert day("2026-03-20") == one(due_notices(case("2026-03-25T12:00", debts=(debt(25),)), EARLY)).earliest


def test_a_duty_that_follows_a_milestone_once_per_person() -> None:
    marks = (Milestone("furnished", "D", date(2026, 3, 2)),)
    owed = one(due_notices(case("2026-03-10T12:00", milestones=marks), FURNISHED))
    assert day("2026-04-01") == owed.latest
    assert () == due_notices(case("2026-03-10T12:00", milestones=()), FURNISHED)
    earlier = (letter("2020-01-02T12:00", debts=("another",)),)
    assert () == due_notices(case("2026-03-10T12:00", milestones=marks, history=earlier), FURNISHED)


def test_with_an_unknown_history_a_notice_is_a_person_s_question_from_today_on() -> None:
    unclear = one(due_notices(case("2026-03-10T12:00", history=None), ARREARS))
    assert ("history", None, day("2026-03-10")) == (unclear.unknown, unclear.latest, unclear.task_by)
    early = case("2026-03-10T12:00", history=None, debts=(debt(0),))
    assert () == due_notices(early, ARREARS), "it has not arisen, whatever the history"


def test_unknown_milestones_and_holds_are_a_person_s_question_too() -> None:
    assert "milestones" == one(due_notices(case("2026-03-10T12:00", milestones=None), FURNISHED)).unknown
    on_hold = packs(rule("notice: {trigger: hold, hold_cause: hardship, latest_days: 5, forms: [letter]}"))
    assert "holds" == one(due_notices(case("2026-03-10T12:00", holds=None), on_hold)).unknown
    assert () == due_notices(case("2026-03-10T12:00", holds=()), on_hold)


def test_what_nobody_knows_is_no_obligation_of_a_verdict() -> None:
    """A verdict lists what is owed for certain; what is unclear is for the sweep to hand to a person."""
    assert () == decide(case("2026-03-10T12:00", milestones=None), FURNISHED).grounds.obligations


def test_what_only_an_act_asks_for_is_owed_to_nobody_before() -> None:
    assert () == due_notices(case("2026-03-10T12:00"), ACCELERATE)


def test_an_act_is_refused_without_proof_and_says_which_notice_opens_the_way() -> None:
    answer = may_act("accelerate", case("2026-03-10T12:00"), ACCELERATE)
    assert ("refuse", "T-01") == (answer.effect, answer.owed[0].rule)
    assert "no proof that it was served" in answer.findings[0].because
    assert "allow" == may_act("sue", case("2026-03-10T12:00"), ACCELERATE).effect


@pytest.mark.parametrize("result", ["sent", "unknown", "reserved", "bounced", "undelivered"])
def test_must_reach_means_that_it_arrived(result: str) -> None:
    history = (letter("2026-03-03T12:00", result),)
    assert "refuse" == may_act("accelerate", case("2026-05-10T12:00", history=history), ACCELERATE).effect


def test_ten_business_days_from_arrival_all_of_them_full() -> None:
    """Arrived on Friday 24 April 2026. Korea is off on 1 May and 5 May, so the tenth business day is 12 May."""
    served = (contact("2026-04-24T12:00", "delivered", "letter", obligation="T-01"),)
    waiting = may_act("accelerate", case("2026-05-12T12:00", history=served), ACCELERATE)
    assert ("wait", instant("2026-05-13T00:00")) == (waiting.effect, waiting.opens)
    assert "allow" == may_act("accelerate", case("2026-05-13T00:00", history=served), ACCELERATE).effect


def test_business_days_that_are_not_published_refuse_the_act() -> None:
    served = (contact("2026-12-28T12:00", "delivered", "letter", obligation="T-01"),)
    answer = may_act("accelerate", case("2027-06-01T12:00", history=served), ACCELERATE)
    assert "refuse" == answer.effect
    assert "not published yet" in answer.findings[0].because


def test_a_conversation_needs_no_wait_where_the_rule_says_so() -> None:
    """US-F-33: spoken with the consumer, or a letter and fourteen days for it to come back."""
    spoken = (contact("2026-03-03T12:00", "conversation", obligation="T-01"),)
    assert "allow" == may_act("report", case("2026-03-03T12:01", history=spoken), REPORT).effect
    posted = (letter("2026-03-03T12:00"),)
    assert "wait" == may_act("report", case("2026-03-17T23:59", history=posted), REPORT).effect
    assert "allow" == may_act("report", case("2026-03-18T00:00", history=posted), REPORT).effect
    back = (letter("2026-03-03T12:00", "bounced"),)
    assert "refuse" == may_act("report", case("2026-03-18T00:00", history=back), REPORT).effect


def test_an_act_fails_closed() -> None:
    now = case("2026-03-10T12:00")
    assert "refuse" == may_act("report", replace(now, history=None), REPORT).effect
    assert "refuse" == may_act("report", replace(now, packs=("atlantis",)), REPORT).effect
    nowhere = may_act("report", replace(now, packs=()), REPORT)
    assert ("refuse", "gate:packs") == (nowhere.effect, nowhere.findings[0].rule)


def test_advice_warns_and_lets_the_act_follow() -> None:
    advice = packs(rule("notice: {trigger: act, forms: [letter], before: {acts: [report]}}", strength="advisory"))
    answer = may_act("report", case("2026-03-10T12:00"), advice)
    assert ("allow", "warn") == (answer.effect, answer.findings[0].effect)


def test_a_hold_that_names_the_act_stops_it() -> None:
    """11 USC 362: a pending case stays suit and acceleration, whatever was served."""
    stay = packs(rule("hold: {causes: [bankruptcy], acts: [sue, accelerate]}"))
    held = (Hold("bankruptcy", None, date(2026, 3, 1), None),)
    assert "refuse" == may_act("sue", case("2026-03-10T12:00", holds=held), stay).effect
    assert "allow" == may_act("report", case("2026-03-10T12:00", holds=held), stay).effect
    assert "allow" == may_act("sue", case("2026-02-10T12:00", holds=held), stay).effect
    assert "refuse" == may_act("sue", case("2026-03-10T12:00", holds=None), stay).effect


def test_another_notice_may_serve_for_it() -> None:
    both = packs(
        rule("notice: {trigger: act, forms: [letter], served_by: [T-02], before: {acts: [report]}}"),
        rule("notice: {trigger: initial_communication, forms: [letter]}", "T-02"),
    )
    assert (
        "allow"
        == may_act(
            "report", case("2026-03-10T12:00", history=(letter("2026-03-02T12:00", obligation="T-02"),)), both
        ).effect
    )


FIRST = packs(rule("notice: {trigger: act, forms: [letter, email], before: {acts: [contact], wait: {days: 6}}}"))


def test_no_collection_before_the_notice_and_its_wait() -> None:
    """Ontario: a written notice, then six days before the first call."""
    unserved = decide(case("2026-03-10T12:00"), FIRST)
    assert isinstance(unserved, Withhold)
    assert ("notice_served",) == unserved.wake
    posted = (letter("2026-03-10T12:00"),)
    waiting = decide(case("2026-03-11T12:00", history=posted), FIRST)
    assert isinstance(waiting, Defer)
    assert instant("2026-03-17T00:00") == waiting.opens
    assert isinstance(decide(case("2026-03-11T12:00", purpose="servicing"), FIRST), Permit)
    notice = case("2026-03-10T12:00", channel="letter", purpose="notice", obligation="T-01")
    assert isinstance(decide(notice, FIRST), Permit)


LEGAL = packs(rule("notice: {trigger: act, forms: [letter], before: {acts: [legal], wait: {days: 6}}}"))


def test_no_legal_step_before_the_notice_and_its_wait_and_collection_goes_on() -> None:
    posted = (letter("2026-03-10T12:00"),)
    legal = case("2026-03-11T12:00", purpose="legal", channel="letter")
    unserved = decide(legal, LEGAL)
    assert isinstance(unserved, Withhold)
    assert "a legal step may follow only after" in unserved.grounds.findings[0].because
    assert isinstance(decide(replace(legal, history=posted), LEGAL), Defer)
    later = case("2026-03-17T12:00", purpose="legal", channel="letter", history=posted)
    assert isinstance(decide(later, LEGAL), Permit)
    assert isinstance(decide(case("2026-03-11T12:00"), LEGAL), Permit)


@given(st.integers(0, 60), st.integers(0, 90), st.integers(1, 60))
def test_a_task_never_comes_after_the_deadline_nor_before_today(latest: int, late: int, wait: int) -> None:
    notices: PackSet = packs(rule(f"notice: {{trigger: past_due, latest_days: {latest}, forms: [letter]}}"))
    now = case("2026-03-10T12:00", debts=(debt(late),))
    for owed in due_notices(now, notices):
        assert owed.latest is not None
        assert owed.task_by is not None
        assert day("2026-03-10") <= owed.task_by
        assert owed.task_by <= max(owed.latest, day("2026-03-10"))
    assert (late == 0) == (not due_notices(now, notices))
    gate = packs(rule(f"notice: {{trigger: act, forms: [letter], before: {{acts: [sue], wait: {{days: {wait}}}}}}}"))
    answer = may_act("sue", case("2026-03-10T12:00", history=(letter("2026-03-09T12:00"),)), gate)
    assert ("allow" if wait == 0 else "wait") == answer.effect
    if answer.opens is not None:
        assert (
            "allow"
            == may_act(
                "sue",
                replace(
                    now,
                    history=(letter("2026-03-09T12:00"),),
                    request=replace(now.request, at=answer.opens, not_after=answer.opens),
                ),
                gate,
            ).effect
        )
