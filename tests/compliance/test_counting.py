"""Caps, gaps and cool-offs against counting by hand, for every unit and key."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.compliance.case import Case, Consent, Debt, Event, Lender, Person, Request
from duecourse.compliance.gate import decide
from duecourse.compliance.packs import Pack, PackSet
from duecourse.compliance.tally import tally
from duecourse.compliance.verdict import Defer, Permit

NOON = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)  # a Wednesday


def packs(primitive: str) -> PackSet:
    rule = (
        "rules:\n  - id: T-01\n    text: {en: t, zh: t}\n    citation: {title: t}\n    grade: A\n    strength: ban\n"
        f"    versions:\n      - in_force: 2000-01-01\n        {primitive}\n"
    )
    header = "id: t\ntitle: {en: t, zh: t}\nrules: [t/r.yaml]\n"
    return PackSet([Pack.from_documents({"t.yaml": header, "t/r.yaml": rule})])


def event(at: datetime, result: str = "no_answer", **more: Any) -> Event:
    fields = {"channel": "call", "direction": "outbound", "address": "x", "debts": ("D",), "purpose": "reminder"} | more
    return Event(at=at, result=result, **fields)


def case(
    history: list[Event],
    at: datetime = NOON,
    consents: tuple[Consent, ...] = (),
    debts: tuple[Debt, ...] = (Debt("D", "card", 1, Decimal(1), "USD"),),
    about: tuple[str, ...] = ("D",),
) -> Case:
    return Case(
        ("t",),
        Lender("creditor"),
        Person("P", None, ("UTC",), "en", consents, (), ()),
        debts,
        tuple(history),
        Request("call", "x", "debtor", about, "reminder", None, at, at + timedelta(days=60)),
    )


def lawful(given_case: Case, rules: PackSet) -> bool:
    return isinstance(decide(given_case, rules), Permit)


hours = st.lists(st.integers(-400, 400), max_size=8)


@settings(max_examples=100, deadline=None)
@given(hours, st.integers(1, 3), st.integers(1, 8))
def test_consecutive_days_hold_for_every_window_that_contains_the_candidate(
    offsets: list[int], limit: int, length: int
) -> None:
    """Also for windows that begin before and end after it: facts arrive late and out of order."""
    history = [event(NOON + timedelta(hours=offset)) for offset in offsets]
    days = [e.at.date() for e in history]
    crowded = any(
        sum(start <= day < start + timedelta(days=length) for day in days) >= limit
        for start in (NOON.date() - timedelta(days=back) for back in range(length))
    )
    rules = packs(f"cap: {{limit: {limit}, window: {{days: {length}}}, per: person}}")
    assert crowded != lawful(case(history), rules)


@settings(max_examples=100, deadline=None)
@given(hours, st.integers(1, 3), st.integers(1, 100))
def test_rolling_hours_hold_for_every_window_that_contains_the_candidate(
    offsets: list[int], limit: int, length: int
) -> None:
    history = [event(NOON + timedelta(hours=offset)) for offset in offsets]
    instants = sorted([*((offset, False) for offset in offsets), (0, True)])
    crowded = any(
        sum(first <= offset < first + length for offset, _ in instants) > limit
        for first, _ in instants
        if first <= 0 < first + length
    )
    rules = packs(f"cap: {{limit: {limit}, window: {{hours: {length}}}, per: person}}")
    assert crowded != lawful(case(history), rules)


@settings(max_examples=60, deadline=None)
@given(hours, st.integers(1, 3), st.sampled_from(["MON", "SUN", "THU"]))
def test_calendar_weeks_begin_on_the_named_day(offsets: list[int], limit: int, start: str) -> None:
    first = {"MON": 0, "SUN": 6, "THU": 3}[start]
    history = [event(NOON + timedelta(hours=offset)) for offset in offsets]
    begin = NOON.date() - timedelta(days=(NOON.weekday() - first) % 7)
    inside = sum(begin <= e.at.date() < begin + timedelta(days=7) for e in history)
    rules = packs(f"cap: {{limit: {limit}, window: {{week_starts: {start}}}, per: person}}")
    assert (inside < limit) == lawful(case(history), rules)


@pytest.mark.parametrize("result", ["reserved", "sending", "unknown"])
def test_a_contact_whose_outcome_is_open_counts_even_where_only_conversations_do(result: str) -> None:
    rules = packs("cap: {limit: 1, window: {days: 1}, per: person, counts: {results: [conversation]}}")
    assert not lawful(case([event(NOON - timedelta(hours=1), result)]), rules)
    assert lawful(case([event(NOON - timedelta(hours=1), "no_answer")]), rules)


def test_what_was_released_never_counts_where_the_rule_says_so() -> None:
    rules = packs("cap: {limit: 1, window: {days: 1}, per: person, counts: {not_counted: [released]}}")
    assert lawful(case([event(NOON - timedelta(hours=1), "released")]), rules)


@pytest.mark.parametrize(
    ("key", "other", "expected"),
    [
        ("debt", {"debts": ("E",)}, True),
        ("person", {"debts": ("E",)}, False),
        ("address", {"address": "y"}, True),
        ("person", {"address": "y"}, False),
        ("person", {"direction": "inbound"}, True),
        ("person", {"recipient": "co_borrower"}, True),
    ],
)
def test_what_is_pooled_and_what_is_counted_apart(key: str, other: dict[str, Any], expected: bool) -> None:
    rules = packs(f"cap: {{limit: 1, window: {{days: 1}}, per: {key}}}")
    assert expected == lawful(case([event(NOON - timedelta(hours=1), **other)]), rules)


def test_a_contact_about_two_debts_must_be_lawful_for_each() -> None:
    rules = packs("cap: {limit: 1, window: {days: 1}, per: debt}")
    two = (Debt("D", "card", 1, Decimal(1), "USD"), Debt("E", "card", 1, Decimal(1), "USD"))
    history = [event(NOON - timedelta(hours=1), debts=("E",))]
    assert lawful(case(history, debts=two), rules)
    assert not lawful(case(history, debts=two, about=("D", "E")), rules)


def test_debts_of_one_account_are_one_where_the_rule_merges_them() -> None:
    rules = packs("cap: {limit: 1, window: {days: 1}, per: debt, merge_products: [student_loan]}")
    loans = tuple(Debt(name, "student_loan", 1, Decimal(1), "USD", "A-1") for name in ("D", "E"))
    apart = (loans[0], Debt("E", "student_loan", 1, Decimal(1), "USD", "A-2"))
    history = [event(NOON - timedelta(hours=1), debts=("E",))]
    assert not lawful(case(history, debts=loans), rules)
    assert lawful(case(history, debts=apart), rules)


def test_a_gap_ends_to_the_second() -> None:
    rules = packs("cap: {limit: 1, window: {hours: 20}, per: person}")
    sent = NOON - timedelta(hours=20)
    assert lawful(case([event(sent)]), rules)
    assert not lawful(case([event(sent + timedelta(seconds=1))]), rules)
    assert not lawful(case([event(sent + timedelta(microseconds=1))]), rules)


def test_a_cool_off_starts_with_a_conversation_that_the_borrower_began() -> None:
    rules = packs("cool_off: {days: 7, after: [conversation], channels: [call], per: debt}")
    for days, expected in ((6, False), (7, True)):
        spoken = event(NOON - timedelta(days=days, hours=3), "conversation", direction="inbound")
        assert expected == lawful(case([spoken]), rules)


def test_the_tally_names_what_counted_and_what_did_not() -> None:
    rules = packs("cap: {limit: 7, window: {days: 7}, per: debt, counts: {not_counted: [busy]}}")
    history = [
        event(NOON - timedelta(days=1)),
        event(NOON - timedelta(days=2), "busy"),
        event(NOON - timedelta(days=9)),
    ]
    count = tally(case(history), rules, "T-01")
    assert (1, 2, 1) == (count.in_window, len(count.counted), len(count.excluded))


CONSENT = "cap: {limit: 1, window: {days: 10}, per: debt, counts: {channels: [call], consent_days: 7}}"


@pytest.mark.parametrize(
    ("consent_days_ago", "revoked_days_ago", "spoken_days_ago", "expected"),
    [
        (3, None, None, True),  # within the consent nothing counts
        (6, None, None, True),  # its date is day 1: the seventh day is still within
        (7, None, None, False),
        (3, 1, None, False),  # revoked
        (3, None, 1, False),  # ended by a conversation
        (3, None, 5, True),  # an earlier conversation ends nothing
        (None, None, None, False),
    ],
)
def test_a_consent_excludes_calls_until_it_ends(
    consent_days_ago: int | None, revoked_days_ago: int | None, spoken_days_ago: int | None, expected: bool
) -> None:
    consents = []
    if consent_days_ago is not None:
        consents.append(Consent("call", "*", "given", NOON - timedelta(days=consent_days_ago)))
    if revoked_days_ago is not None:
        consents.append(Consent("*", "*", "revoked", NOON - timedelta(days=revoked_days_ago)))
    history = [event(NOON - timedelta(days=8))]
    if spoken_days_ago is not None:
        history.append(event(NOON - timedelta(days=spoken_days_ago), "conversation", direction="inbound"))
    assert expected == lawful(case(history, consents=tuple(consents)), packs(CONSENT))


def test_a_consent_may_name_an_earlier_last_day_and_a_debt() -> None:
    given_on = NOON - timedelta(days=3)
    history = [event(NOON - timedelta(days=5))]
    until_yesterday = Consent("call", "*", "given", given_on, "frequency", (), (NOON - timedelta(days=1)).date())
    other_debt = Consent("call", "*", "given", given_on, "frequency", ("E",))
    assert lawful(case(history, consents=(Consent("call", "*", "given", given_on, "frequency"),)), packs(CONSENT))
    assert not lawful(case(history, consents=(until_yesterday,)), packs(CONSENT))
    assert not lawful(case(history, consents=(other_debt,)), packs(CONSENT))


def test_calls_to_a_number_that_proved_wrong_are_not_calls_to_the_person() -> None:
    rules = packs(
        "cap: {limit: 1, window: {days: 7}, per: person, "
        "counts: {not_counted: [wrong_number], misdirected: not_counted}}"
    )
    called = event(NOON - timedelta(days=2), address="y")
    learned = event(NOON - timedelta(days=1), "wrong_number", address="y", direction="inbound")
    assert not lawful(case([called]), rules)
    assert lawful(case([called, learned]), rules)
    assert not lawful(case([called, learned, event(NOON - timedelta(hours=3))]), rules)


def test_a_call_about_two_debts_waits_for_the_later_of_two_cool_offs() -> None:
    rules = packs("cool_off: {days: 7, after: [conversation], channels: [call], per: debt}")
    two = (Debt("D", "card", 1, Decimal(1), "USD"), Debt("E", "card", 1, Decimal(1), "USD"))
    spoken = [
        event(NOON - timedelta(days=8), "conversation", debts=("D",)),
        event(NOON - timedelta(days=1), "conversation", debts=("E",)),
    ]
    assert lawful(case(spoken, debts=two), rules)
    assert not lawful(case(spoken, debts=two, about=("E",)), rules)
    both = decide(case([*spoken[1:], replace(spoken[1], debts=("D",))], debts=two, about=("D", "E")), rules)
    assert isinstance(both, Defer)
    assert (NOON + timedelta(days=6)).date() == both.opens.date()


def test_a_cool_off_may_be_counted_in_one_fixed_zone() -> None:
    """20:00 in London is the next day already in Shanghai, and the seven days begin with that one."""
    spoken = event(datetime(2026, 3, 2, 20, tzinfo=UTC), "conversation")
    opened = {}
    for zone in ("", "zone: Asia/Shanghai, "):
        rules = packs(f"cool_off: {{{zone}days: 7, after: [conversation], channels: [call], per: debt}}")
        verdict = decide(case([spoken], at=spoken.at + timedelta(hours=1)), rules)
        assert isinstance(verdict, Defer)
        opened[zone] = verdict.opens
    assert datetime(2026, 3, 9, 0, tzinfo=UTC) == opened[""]
    assert datetime(2026, 3, 9, 16, tzinfo=UTC) == opened["zone: Asia/Shanghai, "]


def test_a_count_is_said_with_its_number_its_length_and_its_limit() -> None:
    rules = packs("cap: {limit: 2, window: {days: 3}, per: debt, counts: {channels: [call]}}")
    two = [event(NOON - timedelta(hours=hours)) for hours in (1, 30)]
    (finding,) = decide(case(two), rules).grounds.findings
    assert "2 counted (call) within 3 consecutive days; at most 2 per debt" == finding.because
    gap = packs("cap: {limit: 1, window: {hours: 20}, per: person}")
    (finding,) = decide(case(two[:1]), gap).grounds.findings
    assert "less than 20 hours from another contact" in finding.because


def test_a_consent_that_lets_a_call_about_two_debts_pass_is_named_with_the_rule_that_it_passes() -> None:
    two = (Debt("D", "card", 1, Decimal(1), "USD"), Debt("E", "card", 1, Decimal(1), "USD"))
    rules = packs("cool_off: {days: 7, after: [conversation], channels: [call], per: debt, consent_days: 7}")
    spoken = [event(NOON - timedelta(days=2), "conversation", debts=("D", "E"))]
    agreed = (Consent("call", "*", "given", NOON - timedelta(days=1), "frequency"),)
    assert not lawful(case(spoken, debts=two, about=("D", "E")), rules)
    verdict = decide(case(spoken, debts=two, about=("D", "E"), consents=agreed), rules)
    assert isinstance(verdict, Permit)
    assert [("T-01", "allow", "consent")] == [(one.rule, one.effect, one.message) for one in verdict.grounds.findings]


def test_of_two_debts_the_one_that_waits_longer_is_told() -> None:
    two = (Debt("D", "card", 1, Decimal(1), "USD"), Debt("E", "card", 1, Decimal(1), "USD"))
    rules = packs("cool_off: {days: 7, after: [conversation], channels: [call], per: debt}")
    for late, early in (("D", "E"), ("E", "D")):
        spoken = [
            event(NOON - timedelta(days=5), "conversation", debts=(early,)),
            event(NOON - timedelta(days=2), "conversation", debts=(late,)),
        ]
        (finding,) = decide(case(spoken, debts=two, about=("D", "E")), rules).grounds.findings
        assert f"a conversation took place on {(NOON - timedelta(days=2)).date()}" in finding.because
