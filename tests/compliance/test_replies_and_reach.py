"""One answer to a borrower who writes, who counts as out of reach, whom a rule reaches, and what outranks what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from duecourse.compliance.case import Consent, Event, Hold, Place
from duecourse.compliance.gate import decide
from duecourse.compliance.verdict import Defer, Permit, Verdict, Withhold, binding
from tests.compliance.pieces import case, contact, instant, packs, rule

OPT_OUT = packs(rule("consent: {basis: opt_out, one_reply: T-01}"))
STOPPED = (Consent("sms", "x", "revoked", instant("2026-03-01T12:00")),)
ASKED = contact("2026-03-10T09:00", "message", "sms", direction="inbound", purpose="reply")


def answer(*history: Event, purpose: str = "reply", at: str = "2026-03-10T12:00") -> Verdict:
    return decide(case(at, channel="sms", consents=STOPPED, history=history, purpose=purpose), OPT_OUT)


def test_who_opted_out_and_then_writes_gets_one_answer_and_the_verdict_says_by_which_exception() -> None:
    """12 CFR 1006.14(h)(2)(ii): one reply through the medium that the person used."""
    verdict = answer(ASKED)
    assert isinstance(verdict, Permit)
    (let_through,) = verdict.grounds.findings
    assert ("allow", "T-01", "one_reply") == (let_through.effect, let_through.rule, let_through.message)
    assert ("t", "2020-01-01", "A") == (let_through.pack, let_through.version, let_through.grade)
    assert isinstance(answer(), Withhold)
    assert isinstance(answer(ASKED, purpose="collection"), Withhold)


@pytest.mark.parametrize(("state", "again"), [("sent", False), ("unknown", False), ("released", True)])
def test_an_answer_that_went_or_may_have_gone_was_the_one(state: str, again: bool) -> None:
    sent = contact("2026-03-10T10:00", state, "sms", purpose="reply")
    assert again == isinstance(answer(ASKED, sent), Permit)


def test_a_message_by_another_channel_or_after_the_answer_opens_nothing() -> None:
    assert isinstance(answer(replace(ASKED, channel="email")), Withhold)
    later = replace(ASKED, at=instant("2026-03-10T15:00"))
    verdict = answer(later)
    assert isinstance(verdict, Defer)
    assert instant("2026-03-10T15:00") == verdict.opens


def test_a_yes_that_comes_later_is_no_yes_yet() -> None:
    opt_in = packs(rule("consent: {basis: opt_in}"))
    given = Consent("sms", "x", "given", instant("2026-03-10T12:00"))
    asked = case("2026-03-10T12:00", channel="sms", consents=(given,))
    assert isinstance(decide(asked, opt_in), Permit)
    early = replace(asked, person=replace(asked.person, consents=(replace(given, at=instant("2026-03-10T12:01")),)))
    assert isinstance(decide(early, opt_in), Withhold)


LOST = packs(rule("recipients: {allowed: [debtor], lost_contact: {recipients: [spouse], tries: 9, days: 3}}"))


def reaches_spouse(*history: Event, at: str = "2026-03-10T12:00") -> datetime | None:
    verdict = decide(case(at, history=history, recipient="spouse", address="z"), LOST)
    match verdict:
        case Permit():
            return instant(at)
        case Defer(opens=opens):
            return opens
        case _:
            return None


def in_vain(*days: str) -> list[Event]:
    return [contact(f"{day}T09:00") for day in days]


@pytest.mark.parametrize(
    ("days", "from_day"),
    [
        (("2026-03-08", "2026-03-09", "2026-03-10"), "2026-03-11T00:00"),
        (("2026-03-05", "2026-03-06", "2026-03-10"), None),  # not running
        (("2026-03-05", "2026-03-07", "2026-03-09"), None),
        (("2026-02-26", "2026-02-27", "2026-02-28", "2026-03-10"), "2026-03-10T12:00"),  # and it stays so
    ],
)
def test_three_running_days_in_vain_and_no_others(days: tuple[str, ...], from_day: str | None) -> None:
    assert (None if from_day is None else instant(from_day)) == reaches_spouse(*in_vain(*days))


def test_a_message_of_the_debtor_ends_it_and_a_message_to_the_debtor_does_not() -> None:
    days = in_vain("2026-03-06", "2026-03-07", "2026-03-08")
    message = contact("2026-03-09T09:00", "message", "sms", direction="inbound")
    assert None is reaches_spouse(*days, message)
    assert instant("2026-03-10T12:00") == reaches_spouse(*days, replace(message, direction="outbound"))
    assert instant("2026-03-10T12:00") == reaches_spouse(*days, replace(message, recipient="spouse"))


@pytest.mark.parametrize(
    ("place", "bound"),
    [
        (Place("US", "NY", "New York"), True),
        (Place("US", "NY", "Albany"), False),
        (Place("US", "NJ", "New York"), False),
        (Place("CA", "NY", "New York"), False),
        (Place("US", "NY", None, "10001"), True),  # the first code of the range, and the last
        (Place("US", "NY", None, "10499"), True),
        (Place("US", "NY", None, "10500"), False),
        (Place("US", "NY", None, "10000"), False),
        (Place("US", "NY", "Riverdale", "10471"), True),  # a neighbourhood: the code decides
        (Place("US"), True),  # not known: it may be there
    ],
)
def test_a_rule_of_one_city_reaches_its_people_by_name_or_code(place: Place, bound: bool) -> None:
    here = 'coverage: {countries: [US], regions: [NY], cities: [New York], postal: [["10001", "10499"]]}\n'
    found = decide(case("2026-03-10T12:00", residence=place), packs(rule("content: {require: [word]}", more=here)))
    assert (("word",) if bound else ()) == found.grounds.required_content


def test_a_consent_given_in_a_call_excludes_calls_as_a_recorded_one_does() -> None:
    rules = packs(rule("cap: {limit: 1, window: {days: 3}, per: debt, counts: {channels: [call], consent_days: 7}}"))
    called = contact("2026-03-09T09:00")
    assert isinstance(decide(case("2026-03-10T12:00", history=(called,)), rules), Defer)
    for about, verdict in (("D", Permit), ("E", Defer)):
        agreed = contact("2026-03-10T09:00", "consent", direction="inbound", debts=(about,))
        assert isinstance(decide(case("2026-03-10T12:00", history=(called, agreed)), rules), verdict)


def test_a_persons_decision_outranks_a_wait_and_a_bar_outranks_both() -> None:
    night = rule('quiet_hours: {windows: {daily: [["08:00", "21:00"]]}, end: exclusive}', "T-01")
    ask_first = rule("hold: {causes: [fraud], effect: review}", "T-02")
    stop = rule("hold: {causes: [cease]}", "T-03")
    fraud, cease = (Hold(cause, None, date(2026, 3, 1), None) for cause in ("fraud", "cease"))
    for holds, decides in (((), "T-01"), ((fraud,), "T-02"), ((fraud, cease), "T-03")):
        verdict = decide(case("2026-03-10T23:00", holds=holds), packs(night, ask_first, stop))
        found = binding(verdict)
        assert found is not None
        assert decides == found.rule


def test_a_window_that_ends_in_the_hour_that_comes_twice_ends_the_first_time() -> None:
    """1 November 2026, New York: 01:30 comes twice; neither reading of the rule may be broken."""
    late = packs(rule('quiet_hours: {windows: {daily: [["20:00", "01:30"]]}, end: exclusive}'))
    verdict = decide(case("2026-10-31T23:00"), late)
    assert isinstance(verdict, Permit)
    assert datetime(2026, 11, 1, 5, 29, 59, tzinfo=UTC) == verdict.closes
    early = packs(rule('quiet_hours: {windows: {daily: [["01:30", "20:00"]]}, end: exclusive}'))
    opened = decide(case("2026-10-31T23:00"), early)
    assert isinstance(opened, Defer)
    assert datetime(2026, 11, 1, 6, 30, tzinfo=UTC) == opened.opens
