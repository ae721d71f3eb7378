"""One answer to a borrower who writes, and when a debtor counts as out of reach."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from duecourse.compliance.case import Consent, Event
from duecourse.compliance.gate import decide
from duecourse.compliance.verdict import Defer, Permit, Verdict, Withhold
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
