"""The parameters of the primitives, each on the smallest rule that needs it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.compliance.case import Consent, Event, Lender, Place
from duecourse.compliance.gate import decide
from duecourse.compliance.local_time import zone_named
from duecourse.compliance.packs import PackSet
from duecourse.compliance.permissions import revocation_deadline
from duecourse.compliance.rules import ConsentRule
from duecourse.compliance.tally import tally
from duecourse.compliance.verdict import Defer, Permit, Verdict, Withhold
from duecourse.errors import InvalidInput
from tests.compliance.pieces import HOME, case, contact, debt, instant, pack, packs, rule

CALLS = "counts: {channels: [call]}"


def opens(verdict: Verdict) -> datetime | None:
    return verdict.opens if isinstance(verdict, Defer) else None


# Caps


def test_a_calendar_month_ends_at_its_end_and_not_after_thirty_days() -> None:
    """AU-03: ten a month; counted by the calendar of the person's own zone, year's end included."""
    monthly = packs(rule(f"cap: {{limit: 2, window: {{calendar: month}}, per: debt, {CALLS}}}"))
    two = (contact("2026-12-01T12:00"), contact("2026-12-31T12:00"))
    assert instant("2027-01-01T00:00") == opens(decide(case("2026-12-31T20:00", history=two), monthly))
    split = (contact("2026-11-30T12:00"), contact("2026-12-01T12:00"))
    assert isinstance(decide(case("2026-12-31T20:00", history=split), monthly), Permit)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-70 * 24, 40 * 24), max_size=6), st.integers(0, 80 * 24), st.integers(1, 3))
def test_a_month_never_holds_more_than_its_limit(steps: list[int], start: int, limit: int) -> None:
    monthly = packs(rule(f"cap: {{limit: {limit}, window: {{calendar: month}}, per: debt, {CALLS}}}"))
    base = datetime(2026, 12, 1, 17, tzinfo=UTC)
    history = tuple(
        Event(base + timedelta(hours=h), "call", "outbound", "x", ("D",), "collection", "no_answer") for h in steps
    )
    at = base + timedelta(hours=start)
    asked = case("2026-12-01T12:00", history=history)
    asked = replace(asked, request=replace(asked.request, at=at, not_after=at + timedelta(days=70)))
    verdict = decide(asked, monthly)

    def month(instant_: datetime) -> tuple[int, int]:
        local = instant_.astimezone(zone_named(HOME))
        return local.year, local.month

    def lawful(instant_: datetime) -> bool:
        return sum(month(event.at) == month(instant_) for event in history) < limit

    if isinstance(verdict, Withhold):
        assert not any(lawful(at + timedelta(days=d)) for d in range(70))
        return
    first = verdict.opens if isinstance(verdict, Defer) else at
    assert lawful(first)
    assert not any(lawful(at + timedelta(hours=h)) for h in range((first - at) // timedelta(hours=1)))
    assert not isinstance(verdict, Defer) or not lawful(first - timedelta(seconds=1))


def test_debtor_and_spouse_are_counted_together_where_the_law_says_so() -> None:
    """US-WA-01: three times a week to debtor or spouse."""
    pooled = packs(
        rule("cap: {limit: 2, window: {days: 7}, per: debt, counts: {channels: [call], pooled: [debtor, spouse]}}")
    )
    apart = packs(rule(f"cap: {{limit: 2, window: {{days: 7}}, per: debt, {CALLS}}}"))
    history = (contact("2026-03-09T12:00"), contact("2026-03-09T13:00", recipient="spouse"))
    assert isinstance(decide(case("2026-03-10T12:00", history=history), pooled), Defer)
    assert isinstance(decide(case("2026-03-10T12:00", history=history), apart), Permit)
    assert isinstance(decide(case("2026-03-10T12:00", history=history, recipient="guarantor"), pooled), Permit)


def test_calls_at_work_have_a_count_of_their_own() -> None:
    """US-MA-01: two in thirty days elsewhere than at home or on a personal number."""
    work = packs(
        rule(
            "cap: {limit: 1, window: {days: 30}, per: debt, counts: {channels: [call], places: [work]}}",
            more="coverage: {places: [work]}\n",
        )
    )
    history = (contact("2026-03-01T12:00", place="work"), contact("2026-03-02T12:00"))
    assert isinstance(decide(case("2026-03-10T12:00", history=history), work), Permit)
    assert isinstance(decide(case("2026-03-10T12:00", history=history, place="work"), work), Defer)
    assert isinstance(decide(case("2026-03-10T12:00", history=history[1:], place="work"), work), Permit)


@pytest.mark.parametrize(("policy", "allowed"), [("count", False), ("ignore", True)])
def test_contacts_from_before_the_rule_came_into_force(policy: str, allowed: bool) -> None:
    """DV-14: the version in force at the send governs; whether what lies before it counts is the pack's own word."""
    fresh = packs(
        rule(
            f"cap: {{limit: 1, window: {{days: 7}}, per: debt, {CALLS}, earlier_contacts: {policy}}}",
            in_force="2026-09-01",
        )
    )
    asked = case("2026-09-02T12:00", history=(contact("2026-08-30T12:00"),))
    assert allowed == isinstance(decide(asked, fresh), Permit)
    assert (0 if allowed else 1) == tally(replace(asked, packs=("t",)), fresh, "T-01").in_window


def test_advice_warns_of_two_calls_within_five_minutes_and_of_the_sum_over_debts() -> None:
    """US-F-22: factors that weigh against the collector; they warn, and permit."""
    watch = packs(
        rule("cap: {limit: 1, window: {minutes: 5}, per: address, counts: {channels: [call]}}", strength="advisory"),
        rule(f"cap: {{limit: 2, window: {{days: 7}}, per: person, {CALLS}}}", "T-02", strength="advisory"),
    )
    history = (contact("2026-03-10T11:57"), contact("2026-03-09T12:00", debts=("E",)))
    verdict = decide(case("2026-03-10T12:00", history=history), watch)
    assert isinstance(verdict, Permit)
    assert ["T-01", "T-02"] == sorted(f.rule for f in verdict.grounds.findings if f.effect == "warn")


# Coverage


@pytest.mark.parametrize(
    ("coverage", "given", "bound"),
    [
        ("cities: [New York], postal: [['10001', '10499']]", {"residence": Place("US", "NY", "new york")}, True),
        ("cities: [New York], postal: [['10001', '10499']]", {"residence": Place("US", "NY", "Albany")}, False),
        ("cities: [New York], postal: [['10001', '10499']]", {"residence": Place("US", "NY", "Bronx", "10451")}, True),
        ("cities: [New York], postal: [['10001', '10499']]", {"residence": Place("US", "NY")}, True),
        ("cities: [New York]", {"residence": Place("US", "NY", None, "12207")}, True),
        ("regions: [MA]", {"residence": Place("US", "NY")}, False),
        ("regions: [MA]", {"residence": Place("US")}, True),
        ("licences: [wa/collection_agency]", {"lender": Lender("creditor", (), ("other",))}, False),
        ("licences: [wa/collection_agency]", {"lender": Lender("creditor", (), ())}, False),
        ("licences: [wa/collection_agency]", {"lender": Lender("creditor")}, True),
        ("natures: [consumer]", {"debts": (debt(nature="commercial"),)}, False),
        ("natures: [consumer]", {"debts": (debt(),)}, True),
        ("obtained: [in_default]", {"debts": (debt(obtained="originated"),)}, False),
        ("obtained: [in_default]", {"debts": (debt(obtained="in_default"),)}, True),
        ("not_products: [mortgage]", {"debts": (debt(product="mortgage"),)}, False),
        ("min_days_past_due: 31", {"debts": (debt(30),)}, False),
        ("min_days_past_due: 31", {"debts": (debt(31),)}, True),
        ("max_days_past_due: 15", {"debts": (debt(16),)}, False),
        ("recipients: [spouse]", {}, False),
        ("places: [work]", {}, False),
        ("places: [personal]", {}, True),
        ("agreements: [cn/banking_association]", {}, False),
        ("agreements: [cn/banking_association]", {"lender": Lender("creditor", ("cn/banking_association",))}, True),
    ],
)
def test_coverage(coverage: str, given: dict[str, object], bound: bool) -> None:
    """Known facts decide; unknown ones count as covered, which is stricter."""
    ban = packs(rule("recipients: {allowed: [attorney]}", more=f"coverage: {{{coverage}}}\n"))
    assert bound == isinstance(decide(case("2026-03-10T12:00", **given), ban), Withhold)  # type: ignore[arg-type]


def test_packs_follow_from_state_and_city() -> None:
    city = pack(
        rule("named_times: {}"),
        header="countries: [US]\nregions: [NY]\ncities: [New York]\npostal: [['10001', '10499']]\n",
    )
    known = PackSet([city])
    assert ("t",) == known.ids_for(Place("US", "NY", "New York"))
    assert ("t",) == known.ids_for(Place("US", "NY"))
    assert () == known.ids_for(Place("US", "NY", "Buffalo", "14201"))
    assert () == known.ids_for(Place("US", "MA", "Boston"))


# Overrides and entries

HOURS = 'quiet_hours: {windows: {daily: [["08:00", "21:00"]]}, end: exclusive}'
STRICT = 'quiet_hours: {windows: {daily: [["10:00", "12:00"]]}, end: exclusive}'
LOOSE = 'quiet_hours: {windows: {daily: [["06:00", "23:00"]]}, end: exclusive}'


def test_a_pack_inherits_and_overrides_openly() -> None:
    base = pack(rule(HOURS), pack_id="base")
    child = pack(rule(LOOSE), header="includes: [base]\noverrides: [T-01]\n")
    both = PackSet([base, child])
    assert isinstance(decide(case("2026-03-10T22:00"), both), Permit)
    assert isinstance(decide(replace(case("2026-03-10T22:00"), packs=("base",)), both), Defer)


def test_what_is_replaced_without_a_word_is_refused() -> None:
    base = pack(rule(HOURS), pack_id="base")
    with pytest.raises(InvalidInput, match="named under overrides") as refused:
        PackSet([base, pack(rule(LOOSE), header="includes: [base]\n")])
    assert 2 == refused.value.line
    PackSet([base, pack(rule(HOURS), header="includes: [base]\n")])  # the same words are not a change


@pytest.mark.parametrize("rule_id", ["T-02", "T-09"])
def test_an_override_of_nothing_is_refused(rule_id: str) -> None:
    base = pack(rule(HOURS), pack_id="base")
    child = pack(rule(LOOSE, "T-02"), header=f"includes: [base]\noverrides: [{rule_id}]\n")
    with pytest.raises(InvalidInput, match="an included pack"):
        PackSet([base, child])


def test_a_lenders_policy_never_stands_in_the_place_of_law() -> None:
    base = pack(rule(HOURS), pack_id="base")
    own = pack(rule(LOOSE).replace("grade: A", 'grade: "-"'), header="includes: [base]\noverrides: [T-01]\n")
    with pytest.raises(InvalidInput, match="on top of the law"):
        PackSet([base, own])


def test_packs_that_do_not_inherit_both_speak_and_the_strictest_wins() -> None:
    both = PackSet([pack(rule(LOOSE)), pack(rule(STRICT), pack_id="other")])
    verdict = decide(replace(case("2026-03-10T09:00"), packs=("t", "other")), both)
    assert instant("2026-03-10T10:00") == opens(verdict)


def test_an_entry_without_rules_is_remembered_and_binds_nothing() -> None:
    from duecourse.compliance.packs import Pack

    repealed = Pack.from_documents(
        {
            "t.yaml": "id: t\nversion: 2025-02-28\ntitle: {en: T, zh: 测}\nrules: [t/old.yaml]\n",
            "t/old.yaml": (
                "entries:\n  - title: {en: Old guideline, zh: 旧指引}\n    citation: {title: Guideline}\n"
                "    status: repealed\n    in_force: 2024-05-15\n    ended: 2025-02-28\n"
                "    note: {en: replaced, zh: 废止}\n"
            ),
        }
    )
    assert (date(2024, 5, 15), "repealed") == (repealed.entries[0].in_force, repealed.entries[0].status)
    assert isinstance(decide(case("2024-06-01T03:00"), PackSet([repealed])), Permit)


# Consent and revocation

OPT_IN = "consent: {basis: opt_in, %s}"


def given_on(
    day: str, state: str = "given", address: str = "x", channel: str = "sms", form: str | None = None
) -> Consent:
    return Consent(channel, address, state, instant(f"{day}T12:00"), form=form)


def sms(rule_body: str, *consents: Consent, at: str = "2026-03-10T12:00", **more: object) -> Verdict:
    return decide(case(at, channel="sms", consents=consents, **more), packs(rule(rule_body)))  # type: ignore[arg-type]


def test_a_consent_grows_old() -> None:
    """US-F-13: within the past sixty days; the permit closes with the last second of them."""
    body = OPT_IN % "max_age_days: 60"
    fresh = sms(body, given_on("2026-01-15"), days=60)
    assert isinstance(fresh, Permit)
    assert instant("2026-01-15T12:00") + timedelta(days=60, seconds=-1) == fresh.closes
    old = sms(body, given_on("2026-01-01"))
    assert isinstance(old, Withhold)
    assert ("consent_given",) == old.wake


def test_a_message_of_the_person_renews_it() -> None:
    body = OPT_IN % "max_age_days: 60, renewed_by: message"
    wrote = Event(instant("2026-02-20T12:00"), "sms", "inbound", "x", ("D",), "reply", "message")
    assert isinstance(sms(body, given_on("2026-01-01"), history=(wrote,)), Permit)
    assert isinstance(sms(body, given_on("2026-01-01"), history=(replace(wrote, address="y"),)), Withhold)
    assert isinstance(sms(body, given_on("2026-01-01"), history=None), Withhold)


def test_only_the_forms_that_the_law_accepts() -> None:
    body = OPT_IN % "forms: [written]"
    assert isinstance(sms(body, given_on("2026-03-01", form="written")), Permit)
    assert isinstance(sms(body, given_on("2026-03-01", form="oral")), Withhold)
    assert isinstance(sms(body, given_on("2026-03-01")), Withhold)


@pytest.mark.parametrize(
    ("scope", "channel", "address", "stopped"),
    [
        ("address", "sms", "x", True),
        ("address", "sms", "y", False),
        ("address", "call", "x", False),
        ("medium", "sms", "y", True),
        ("medium", "call", "x", False),
        ("all", "call", "y", True),
    ],
)
def test_how_far_a_revocation_reaches(scope: str, channel: str, address: str, stopped: bool) -> None:
    body = f"consent: {{basis: opt_out, scope: {scope}}}"
    revoked = given_on("2026-03-01", "revoked", address, channel)
    assert stopped == isinstance(sms(body, revoked), Withhold)


def test_dv_27_ten_business_days_to_honour_a_revocation() -> None:
    """47 CFR 64.1200(a)(10): from Friday 6 March 2026 the tenth business day is Friday the 20th; here it is at once."""
    body = "consent: {basis: opt_out, honour_by: {business_days: 10, business: {calendar: US-federal-6103a}}}"
    rules_of = packs(rule(body)).rule("T-01")
    assert rules_of is not None
    primitive = rules_of.versions[0].primitive
    assert isinstance(primitive, ConsentRule)
    assert date(2026, 3, 20) == revocation_deadline(primitive, instant("2026-03-06T12:00"), HOME)
    verdict = sms(body, given_on("2026-03-06", "revoked"), at="2026-03-06T12:01")
    assert isinstance(verdict, Withhold)
    assert ("honour_by", "2026-03-20") in verdict.grounds.findings[0].evidence


# Recipients

LOST = packs(
    rule(
        "recipients: {allowed: [debtor], "
        "lost_contact: {recipients: [listed_contact], tries: 3, days: 3, require: [no_debt]}}"
    )
)


def third(at: str, *history: Event) -> Verdict:
    return decide(case(at, history=history, recipient="listed_contact", address="z"), LOST)


def test_a_listed_contact_only_once_the_debtor_is_out_of_reach() -> None:
    """CN-09: three calls in vain, from the next day on; or calls in vain on three running days."""
    tried = [contact(f"2026-03-10T{hour}:00") for hour in ("09", "10", "11")]
    assert isinstance(third("2026-03-10T12:00", *tried[:2]), Withhold)
    verdict = third("2026-03-10T12:00", *tried)
    assert instant("2026-03-11T00:00") == opens(verdict)
    assert ("no_debt",) == verdict.grounds.required_content
    running = [contact(f"2026-03-{day}T09:00") for day in ("07", "08", "09")]
    assert isinstance(third("2026-03-10T12:00", *running), Permit)


def test_a_debtor_who_was_reached_is_not_out_of_reach() -> None:
    tried = [contact(f"2026-03-09T{hour}:00") for hour in ("09", "10", "11")]
    assert isinstance(third("2026-03-10T12:00", *tried), Permit)
    assert isinstance(third("2026-03-10T12:00", *tried, contact("2026-03-10T09:00", "conversation")), Withhold)


def test_who_refused_is_not_asked_again() -> None:
    tried = [contact(f"2026-03-08T{hour}:00") for hour in ("09", "10", "11")]
    refused = contact("2026-03-09T09:00", "refused", recipient="listed_contact", address="z")
    assert isinstance(third("2026-03-10T12:00", *tried, refused), Withhold)
    assert isinstance(third("2026-03-10T12:00", *tried, replace(refused, address="w")), Permit)


def test_content_that_is_demanded_and_that_is_banned() -> None:
    both = packs(rule("content: {require: [agent_identity], forbid: [threat, deadline]}"))
    grounds = decide(case("2026-03-10T12:00"), both).grounds
    assert (("agent_identity",), ("threat", "deadline")) == (grounds.required_content, grounds.forbidden_content)


# Files


@pytest.mark.parametrize(
    ("body", "mend"),
    [
        ("quiet_hours: {windows: {SUN: []}, end: exclusive}", "a window on at least one day"),
        (
            'quiet_hours: {windows: {daily: [["08:00", "21:00"]]}, end: exclusive, holidays: {calendar: Atlantis}}',
            "a country",
        ),
        (
            'quiet_hours: {windows: {daily: [["08:00", "21:00"]]}, end: exclusive, '
            'holidays: {calendar: US, windows: [["09:00", "09:00"]]}}',
            "two different times",
        ),
        ("cap: {limit: 1, window: {days: 1, calendar: month}, per: debt}", "exactly one of"),
        ("consent: {basis: opt_out, max_age_days: 60}", "only with basis: opt_in"),
        ("consent: {basis: opt_out, honour_by: {business_days: 10}}", "exactly with business_days"),
        ("notice: {trigger: act, forms: [letter]}", "before, with the acts"),
        ("notice: {trigger: milestone, forms: [letter]}", "milestone exactly"),
        ("notice: {trigger: past_due, forms: [letter], latest_days: 3, earliest_days: 4}", "at or after"),
        ("notice: {trigger: hold, hold_cause: dispute, forms: [letter], past_due_day: 3}", "past_due_day only"),
        (
            "notice: {trigger: act, forms: [letter], before: {acts: [sue], since: received}}",
            "where the wait runs from receipt",
        ),
        ("content: {}", "something to require"),
        ("content: {require: [a], forbid: [a]}", "at once"),
        ("recipients: {allowed: [debtor], lost_contact: {recipients: [other]}}", "tries, days or both"),
        ("notice: {trigger: past_due, forms: [letter], served_by: [T-77]}", "a rule of the same pack"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(body: str, mend: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        pack(rule(body))
    assert mend in refused.value.expected
    assert refused.value.line is not None
    assert refused.value.field.startswith("t/rules.yaml:")


@pytest.mark.parametrize(
    ("calendars", "mend"),
    [
        ("q: {}", "days or dates"),
        ("q: {dates: [2026-01-01]}", "not published"),
        ("q: {days: [{month: 2, day: 30}]}", "out of range"),
        ("q: {days: [{month: 2, weekday: MON}]}", "easter, or month"),
        ("US: {days: [{easter: 1}]}", "not yet a calendar's"),
    ],
)
def test_a_calendar_that_cannot_be_drawn_is_refused(calendars: str, mend: str) -> None:
    with pytest.raises(InvalidInput, match=mend):
        pack(rule(HOURS), header=f"calendars: {{{calendars}}}\n")


def test_a_calendar_of_the_packs_own() -> None:
    """Quebec's list: 2 July where the first is a Sunday, as in 2029."""
    own = packs(
        rule(HOURS.replace("end: exclusive", "end: exclusive, holidays: {calendar: quebec}")),
        header="calendars: {quebec: {days: [{month: 7, day: 1, shift: {SUN: 1}}]}}\n",
    )
    assert instant("2029-07-03T08:00") == opens(decide(case("2029-07-02T12:00"), own))
    assert isinstance(decide(case("2029-07-01T12:00"), own), Permit)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(
        ["{days: 7}", "{days: 1}", "{week_starts: SUN}", "{calendar: month}", "{hours: 30}", "{minutes: 5}"]
    ),
    st.lists(st.integers(-40 * 24, 10 * 24), max_size=5),
    st.lists(st.integers(-400, -41), max_size=5),
    st.integers(0, 59),
)
def test_contacts_too_old_for_every_window_change_nothing(
    window: str, hours: list[int], days: list[int], minute: int
) -> None:
    """However long the history, what lies outside the longest window neither stops a contact nor moves it."""
    capped = packs(rule(f"cap: {{limit: 2, window: {window}, per: debt, {CALLS}}}"))
    base = instant("2026-03-10T12:00") + timedelta(minutes=minute)

    def at(offset: timedelta) -> Event:
        return Event(base + offset, "call", "outbound", "x", ("D",), "collection", "no_answer")

    near = tuple(at(timedelta(hours=h)) for h in hours)
    old = tuple(at(timedelta(days=d)) for d in days)
    short, long = (decide(case("2026-03-10T12:00", history=h), capped) for h in (near, (*old, *near)))
    assert type(short) is type(long)
    assert opens(short) == opens(long)
