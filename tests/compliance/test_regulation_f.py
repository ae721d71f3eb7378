"""Regulation F on its own official examples and on vectors derived from its text, through the contract of `decide`.

The examples of the official interpretations name weekdays without a year; here they are dated in 2026, on days that
fit, and always while the regulation is in force.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from tests.compliance.situations import COLLECTOR, LOS_ANGELES, NEW_YORK, call, rules, verdict

WEEKDAYS_3_TO_5_AND_WEEKENDS = [
    {"weekdays": ["MON", "TUE", "WED", "THU", "FRI"], "from": "15:00", "to": "17:00"},
    {"weekdays": ["SAT", "SUN"]},
]


def text(at: str, **more: Any) -> dict[str, Any]:
    return call(at, "sent", channel="sms") | more


def wrote(at: str, channel: str = "email") -> dict[str, Any]:
    return call(at, "message", direction="inbound", channel=channel, purpose="servicing")


@pytest.mark.parametrize(
    ("citation", "zones", "at", "expected", "until"),
    [
        ("1006.6(b)(1)(i)", [NEW_YORK], "2026-03-10T07:59:59-04:00", "defer", "2026-03-10T12:00:00Z"),
        ("1006.6(b)(1)(i)", [NEW_YORK], "2026-03-10T08:00:00-04:00", "permit", None),
        ("1006.6(b)(1)(i)", [NEW_YORK], "2026-03-10T21:00:00-04:00", "permit", None),
        ("1006.6(b)(1)(i)", [NEW_YORK], "2026-03-10T21:00:01-04:00", "defer", "2026-03-11T12:00:00Z"),
        ("1006.6(b)(1)(i)", [NEW_YORK], "2026-03-10T21:00:00.5-04:00", "defer", "2026-03-11T12:00:00Z"),
        # Clocks go forward that night: 8 a.m. comes an hour earlier in UTC.
        ("1006.6(b)(1)(i)", [NEW_YORK], "2026-03-08T11:59:00Z", "defer", "2026-03-08T12:00:00Z"),
        ("1006.6(b)(1)(i)", [NEW_YORK], "2026-03-08T12:00:00Z", "permit", None),
        # Comment 6(b)(1)(i)-2.i: area code Eastern, address Pacific: 11:00 to 21:00 Eastern.
        ("6(b)(1)(i)-2.i", [NEW_YORK, LOS_ANGELES], "2026-07-01T10:59:59-04:00", "defer", "2026-07-01T15:00:00Z"),
        ("6(b)(1)(i)-2.i", [NEW_YORK, LOS_ANGELES], "2026-07-01T11:00:00-04:00", "permit", None),
        ("6(b)(1)(i)-2.i", [NEW_YORK, LOS_ANGELES], "2026-07-01T21:00:01-04:00", "defer", "2026-07-02T15:00:00Z"),
        ("6(b)(1)(i)-2.ii", [NEW_YORK, "America/Denver"], "2026-07-01T09:59:59-04:00", "defer", "2026-07-01T14:00:00Z"),
        ("6(b)(1)(i)-2.ii", [NEW_YORK, "America/Denver"], "2026-07-01T10:00:00-04:00", "permit", None),
        # Los Angeles and Phoenix: one hour apart in winter, the same in summer.
        (
            "6(b)(1)(i)-2",
            [LOS_ANGELES, "America/Phoenix"],
            "2026-01-15T20:00:01-08:00",
            "defer",
            "2026-01-16T16:00:00Z",
        ),
        ("6(b)(1)(i)-2", [LOS_ANGELES, "America/Phoenix"], "2026-07-15T21:00:00-07:00", "permit", None),
        # The official zone, not the town's custom (Vinson, D. Mass. 2012): Alabama is Central.
        ("Vinson v. Credit Control", ["America/Chicago"], "2026-07-15T21:39:00-04:00", "permit", None),
    ],
)
def test_quiet_hours(citation: str, zones: list[str], at: str, expected: str, until: str | None) -> None:
    answer = verdict(COLLECTOR, zones=zones, at=at)
    assert (expected, until) == (answer["verdict"], answer.get("until")), citation
    assert (["US-F-03"] if until else []) == rules(answer, "defer")


SEVEN_CALLS = [call(f"2026-04-{day:02d}T15:00:00Z") for day in range(1, 8)]  # Wednesday 1 to Tuesday 7 April


@pytest.mark.parametrize(
    ("citation", "history", "at", "expected", "until"),
    [
        ("14(b)(2)(i)-1.i", SEVEN_CALLS[:6], "2026-04-07T15:00:00Z", "permit", None),  # the seventh
        ("14(b)(2)(ii)-1.i", SEVEN_CALLS, "2026-04-07T16:00:00Z", "defer", "2026-04-08T12:00:00Z"),  # the eighth
        ("14(b)(2)(i)-1.i", SEVEN_CALLS, "2026-04-08T15:00:00Z", "permit", None),  # 1 April has left the window
        # A call that is recorded after the candidate, for later, counts as well.
        ("every window", SEVEN_CALLS, "2026-04-01T14:00:00Z", "defer", "2026-04-08T12:00:00Z"),
        # Friday 6 March is day 1: barred to Thursday 12, allowed on Friday 13, across the change of the clocks.
        ("14(b)(2)(i)(B)", [call("2026-03-06T15:00:00Z", "conversation")], "2026-03-12T15:00:00Z", "defer",
         "2026-03-13T12:00:00Z"),
        ("14(b)(2)(i)(B)", [call("2026-03-06T15:00:00Z", "conversation")], "2026-03-13T15:00:00Z", "permit", None),
        # Thursday 13 August, the consumer calls: not before Thursday 20.
        ("14(b)(2)(i)-1.ii", [call("2026-08-13T15:00:00Z", "conversation", direction="inbound")],
         "2026-08-19T15:00:00Z", "defer", "2026-08-20T12:00:00Z"),
        ("14(b)(2)(i)-1.ii", [call("2026-08-13T15:00:00Z", "conversation", direction="inbound")],
         "2026-08-20T15:00:00Z", "permit", None),
        ("14(b)(2)(ii)-1.ii", [call("2026-08-11T15:00:00Z"), call("2026-08-14T15:00:00Z", "conversation")],
         "2026-08-20T15:00:00Z", "defer", "2026-08-21T12:00:00Z"),
        # Unconnected calls do not count: comment 14(b)(3)(ii)-1.
        ("14(b)(3)(ii)-1", [call(c["at"], "busy") for c in SEVEN_CALLS], "2026-04-07T16:00:00Z", "permit", None),
        ("14(b)(3)(ii)-1", [call(c["at"], "not_in_service") for c in SEVEN_CALLS], "2026-04-07T16:00:00Z", "permit",
         None),
        ("14(b)(3)(ii)-1", [call(c["at"], "voicemail") for c in SEVEN_CALLS], "2026-04-07T16:00:00Z", "defer",
         "2026-04-08T12:00:00Z"),
        # Texts and e-mails are not calls (comment 14(b)-1), inbound calls are not placed.
        ("14(b)-1", [text(c["at"]) for c in SEVEN_CALLS], "2026-04-07T16:00:00Z", "permit", None),
        ("14(b)(2)(i)", [call(c["at"], direction="inbound", result="message") for c in SEVEN_CALLS],
         "2026-04-07T16:00:00Z", "permit", None),
        # Calls about another debt, or to another person, have a count of their own.
        ("14(b)(4)-1.i", [call(c["at"], debts=["L-2"]) for c in SEVEN_CALLS], "2026-04-07T16:00:00Z", "permit", None),
        ("14(b)(2)(i)-1.iii", [call(c["at"], recipient="other") for c in SEVEN_CALLS], "2026-04-07T16:00:00Z", "permit",
         None),
        # Another number of the same person does not make another count.
        ("14(b)(2)", [call(c["at"], address="+13105550100") for c in SEVEN_CALLS], "2026-04-07T16:00:00Z", "defer",
         "2026-04-08T12:00:00Z"),
        # A slot that is reserved or on the wire is taken.
        ("reservation", [*SEVEN_CALLS[:6], call("2026-04-07T15:59:00Z", "sending")], "2026-04-07T16:00:00Z", "defer",
         "2026-04-08T12:00:00Z"),
    ],
)  # fmt: skip
def test_call_frequency(
    citation: str, history: list[dict[str, Any]], at: str, expected: str, until: str | None
) -> None:
    answer = verdict(COLLECTOR, history=history, at=at)
    assert (expected, until) == (answer["verdict"], answer.get("until")), citation
    if until:
        assert {"US-F-16", "US-F-17"} & set(rules(answer, "defer"))
        assert "presumption" in {f["strength"] for f in answer["findings"]}


def test_one_call_about_two_debts_counts_for_each() -> None:
    """Comment 14(b)(4)-1.i."""
    debts = [{**COLLECTOR["debts"][0], "id": name} for name in ("L-1", "L-2")]
    history = [call(c["at"], "voicemail", debts=["L-1", "L-2"]) for c in SEVEN_CALLS]
    for about in (["L-1"], ["L-2"], ["L-1", "L-2"]):
        answer = verdict(COLLECTOR, debts=debts, history=history, about=about, at="2026-04-07T16:00:00Z")
        assert "defer" == answer["verdict"]


def test_seven_unanswered_calls_on_each_of_three_debts_are_presumed_lawful() -> None:
    """Comment 14(b)(4)-2.i: 21 calls, seven counted toward each debt."""
    debts = [{**COLLECTOR["debts"][0], "id": name} for name in ("L-1", "L-2", "L-3")]
    history = [call(c["at"], debts=[debt["id"]]) for c in SEVEN_CALLS for debt in debts][:-1]
    answer = verdict(COLLECTOR, debts=debts, history=history, about=["L-3"], at="2026-04-07T16:00:00Z")
    assert "permit" == answer["verdict"]


def test_a_debt_that_the_consumer_raises_has_been_spoken_of() -> None:
    """Comment 14(b)(4)-2.vi: the call was about the medical debt, the talk about the card as well."""
    debts = [{**COLLECTOR["debts"][0], "id": name} for name in ("L-1", "L-2")]
    history = [call("2026-11-09T15:00:00Z", "conversation", conversation_debts=["L-1", "L-2"])]
    answer = verdict(COLLECTOR, debts=debts, history=history, about=["L-2"], at="2026-11-10T15:00:00Z")
    assert "US-F-17" in rules(answer, "defer")
    assert "2026-11-16T13:00:00Z" == answer["until"]


@pytest.mark.parametrize(
    ("citation", "consents", "history", "at", "expected"),
    [
        # "Call back on Monday": 14(b)(3)(i)-3.i.
        ("14(b)(3)(i)-3.i", ["2026-04-03T15:00:00Z"], [call("2026-04-03T15:00:00Z", "conversation")],
         "2026-04-06T15:00:00Z", "permit"),
        ("14(b)(3)(i)-3.i", [], [call("2026-04-03T15:00:00Z", "conversation")], "2026-04-06T15:00:00Z", "defer"),
        # The conversation on Monday ends the consent: 14(b)(3)(i)-3.ii.
        ("14(b)(3)(i)-3.ii", ["2026-04-03T15:00:00Z"],
         [call("2026-04-03T15:00:00Z", "conversation"), call("2026-04-06T15:00:00Z", "conversation")],
         "2026-04-08T15:00:00Z", "defer"),
        # Consent by e-mail on Thursday 4 June; eight calls on 8 to 10 June do not count, from 11 June on they do.
        ("14(b)(3)(i)-3.iii", ["2026-06-04T15:00:00Z"],
         [call(f"2026-06-0{day}T15:00:00Z") for day in (1, 2, 3)]
         + [call(f"2026-06-08T1{h}:00:00Z") for h in range(3, 8)],
         "2026-06-10T15:00:00Z", "permit"),
        ("14(b)(3)(i)-3.iii", ["2026-06-04T15:00:00Z"], [call(f"2026-06-11T1{h}:00:00Z") for h in range(3, 10)],
         "2026-06-11T20:00:00Z", "defer"),
    ],
)  # fmt: skip
def test_calls_within_the_persons_consent(
    citation: str, consents: list[str], history: list[dict[str, Any]], at: str, expected: str
) -> None:
    given = [{"channel": "call", "address": "*", "state": "given", "at": instant} for instant in consents]
    answer = verdict(COLLECTOR, consents=given, history=history, at=at)
    assert expected == answer["verdict"], citation
    if consents and expected == "permit" and "conversation" in {e["result"] for e in history}:
        assert ["US-F-17"] == rules(answer, "allow")


@pytest.mark.parametrize(
    ("citation", "request_fields", "history", "expected"),
    [
        ("6(b)(1)-1.ii", {"at": "2026-10-07T15:30:00-04:00", "channel": "email"}, [], "defer"),
        ("6(b)(1)-1.ii", {"at": "2026-10-07T14:59:59-04:00", "channel": "email"}, [], "permit"),
        ("6(b)(1)-1.ii", {"at": "2026-10-10T11:00:00-04:00", "channel": "email"}, [], "defer"),
        # The consumer writes at 15:30 on Wednesday: one answer by e-mail before 17:00.
        ("6(b)(1)-2.i", {"at": "2026-10-07T15:50:00-04:00", "channel": "email", "purpose": "reply"},
         [wrote("2026-10-07T15:30:00-04:00")], "permit"),
        ("6(b)(1)-2.i", {"at": "2026-10-07T15:50:00-04:00", "channel": "sms", "purpose": "reply"},
         [wrote("2026-10-07T15:30:00-04:00")], "defer"),
        ("6(b)(1)-2.i", {"at": "2026-10-07T15:50:00-04:00", "channel": "email", "purpose": "collection"},
         [wrote("2026-10-07T15:30:00-04:00")], "defer"),
        # A second answer is barred, but each new message may be answered once.
        ("6(b)(1)-2.i", {"at": "2026-10-07T15:55:00-04:00", "channel": "email", "purpose": "reply"},
         [wrote("2026-10-07T15:30:00-04:00"),
          call("2026-10-07T15:40:00-04:00", "sent", channel="email", purpose="reply")], "defer"),
        ("6(b)(1)-2.i", {"at": "2026-10-07T15:55:00-04:00", "channel": "email", "purpose": "reply"},
         [wrote("2026-10-07T15:30:00-04:00"),
          call("2026-10-07T15:40:00-04:00", "sent", channel="email", purpose="reply"),
          wrote("2026-10-07T15:45:00-04:00")], "permit"),
        # Not at the next inconvenient time.
        ("6(b)(1)-2", {"at": "2026-10-08T15:30:00-04:00", "channel": "email", "purpose": "reply"},
         [wrote("2026-10-07T15:30:00-04:00")], "defer"),
    ],
)  # fmt: skip
def test_times_that_the_consumer_named(
    citation: str, request_fields: dict[str, Any], history: list[dict[str, Any]], expected: str
) -> None:
    answer = verdict(COLLECTOR, preferences=WEEKDAYS_3_TO_5_AND_WEEKENDS, history=history, **request_fields)
    assert expected == answer["verdict"], citation
    if expected == "permit" and request_fields.get("purpose") == "reply":
        assert ["US-F-06"] == [rule for rule in rules(answer, "allow") if rule.startswith("US-")]
    if expected == "defer":
        assert "US-F-05" in rules(answer, "defer")


def test_a_place_bars_what_is_tied_to_it_and_nothing_else() -> None:
    """Comments 6(b)(1)-1.iii and 6(b)(1)(ii)-1.i: landline and letters yes, mobile and e-mail no."""
    home = [{"place": "home"}]
    assert "withhold" == verdict(COLLECTOR, preferences=home, place="home")["verdict"]
    assert "withhold" == verdict(COLLECTOR, preferences=home, place="home", channel="letter")["verdict"]
    assert "permit" == verdict(COLLECTOR, preferences=home)["verdict"]
    assert "permit" == verdict(COLLECTOR, preferences=home, channel="email")["verdict"]


@pytest.mark.parametrize(
    ("citation", "consents", "request_fields", "expected"),
    [
        ("14(h)(1)-3.i", [("call", "*")], {}, "withhold"),
        ("14(h)(1)-3.i", [("call", "*")], {"channel": "sms"}, "permit"),
        ("14(h)(1)-2", [("call", "+12125550100")], {}, "withhold"),
        ("14(h)(1)-2", [("call", "+12125550199")], {}, "permit"),
        ("14(h)(1)-3.ii", [("email", "a@x.example")], {"channel": "email", "address": "a@x.example"}, "withhold"),
        # Required by law in that medium: 14(h)(2)-1.
        ("14(h)(2)-1", [("letter", "*")],
         {"channel": "letter", "purpose": "notice", "obligation": "US-F-27"}, "permit"),
        ("14(h)(2)-1", [("letter", "*")],
         {"channel": "letter", "purpose": "notice", "obligation": "contract"}, "withhold"),
        ("14(h)(2)-1", [("letter", "*")],
         {"channel": "letter", "purpose": "notice", "obligation": "US-X-99"}, "withhold"),
        # One confirmation of the opt-out: 14(h)(2)(i).
        ("14(h)(2)(i)", [("sms", "*")], {"channel": "sms", "purpose": "notice", "obligation": "US-F-23"}, "permit"),
        ("15 USC 1692c", [("*", "*")], {"channel": "visit"}, "withhold"),
    ],
)  # fmt: skip
def test_media_that_the_person_refused(
    citation: str, consents: list[tuple[str, str]], request_fields: dict[str, Any], expected: str
) -> None:
    revoked = [{"channel": c, "address": a, "state": "revoked", "at": "2026-03-01T00:00:00Z"} for c, a in consents]
    answer = verdict(COLLECTOR, consents=revoked, **request_fields)
    assert expected == answer["verdict"], citation
    if expected == "withhold":
        assert ["consent_given"] == answer["wake"]


def test_a_second_confirmation_is_barred() -> None:
    revoked = [{"channel": "sms", "address": "*", "state": "revoked", "at": "2026-03-10T15:00:00Z"}]
    sent = call("2026-03-10T15:01:00Z", "sent", channel="sms", purpose="notice", obligation="US-F-23")
    answer = verdict(COLLECTOR, consents=revoked, history=[sent], channel="sms", purpose="notice", obligation="US-F-23")
    assert "withhold" == answer["verdict"]


@pytest.mark.parametrize("history", [[call("2026-03-10T15:59:59Z", "opt_out", direction="inbound", channel="sms")]])
def test_a_stop_a_second_ago_stops(history: list[dict[str, Any]]) -> None:
    answer = verdict(COLLECTOR, history=history, channel="sms", at="2026-03-10T16:00:00Z")
    assert "withhold" == answer["verdict"]
    assert "US-F-23" in rules(answer, "bar")


def test_the_later_word_counts_and_a_revocation_wins_a_tie() -> None:
    def words(*states: tuple[str, str]) -> list[dict[str, str]]:
        return [{"channel": "sms", "address": "*", "state": state, "at": at} for state, at in states]

    early, late = "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"
    given_again = words(("revoked", early), ("given", late))
    assert "permit" == verdict(COLLECTOR, channel="sms", consents=given_again)["verdict"]
    assert (
        "withhold" == verdict(COLLECTOR, channel="sms", consents=words(("given", early), ("revoked", late)))["verdict"]
    )
    assert (
        "withhold" == verdict(COLLECTOR, channel="sms", consents=words(("revoked", late), ("given", late)))["verdict"]
    )


@pytest.mark.parametrize(
    ("rule", "hold", "request_fields", "expected"),
    [
        ("US-F-30", {"cause": "dispute", "debt": "L-1", "from": "2026-03-01", "to": None}, {}, "withhold"),
        ("US-F-30", {"cause": "dispute", "debt": "L-9", "from": "2026-03-01", "to": None}, {}, "permit"),
        ("US-F-30", {"cause": "dispute", "debt": "L-1", "from": "2026-03-01", "to": "2026-03-10"}, {}, "permit"),
        ("US-F-30", {"cause": "dispute", "from": "2026-03-01", "to": "2026-03-12"}, {}, "defer"),
        # Its answer lifts the hold, so it passes it.
        ("US-F-30", {"cause": "dispute", "debt": "L-1", "from": "2026-03-01", "to": None},
         {"channel": "letter", "purpose": "notice", "obligation": "MN-US-02"}, "permit"),
        ("US-F-09", {"cause": "attorney", "from": "2026-03-01", "to": None}, {}, "withhold"),
        ("US-F-09", {"cause": "attorney", "from": "2026-03-01", "to": None}, {"recipient": "attorney"}, "permit"),
        ("US-F-10", {"cause": "cease", "from": "2026-03-01", "to": None}, {}, "withhold"),
        ("US-F-10", {"cause": "cease", "from": "2026-03-11", "to": None}, {}, "permit"),  # not received yet
        ("US-F-36", {"cause": "bankruptcy", "from": "2026-03-01", "to": None}, {}, "withhold"),
        # A validation notice is owed in spite of what the agency decides for itself, not in spite of the stay.
        ("US-F-27", {"cause": "promise", "from": "2026-03-01", "to": None},
         {"channel": "letter", "purpose": "notice", "obligation": "US-F-27"}, "permit"),
        ("US-F-36", {"cause": "bankruptcy", "from": "2026-03-01", "to": None},
         {"channel": "letter", "purpose": "notice", "obligation": "US-F-27"}, "withhold"),
        ("FLOOR-04", {"cause": "deceased", "from": "2026-03-01", "to": None}, {}, "review"),
    ],
)  # fmt: skip
def test_holds(rule: str, hold: dict[str, Any], request_fields: dict[str, Any], expected: str) -> None:
    answer = verdict(COLLECTOR, holds=[hold], **request_fields)
    assert expected == answer["verdict"]
    if expected in ("withhold", "review", "defer"):
        assert rule in rules(answer)
    if expected == "withhold":
        assert ["hold_lifted"] == answer["wake"]


def test_a_represented_consumer_who_writes_may_be_answered_once() -> None:
    """Comment 6(b)(2)-1."""
    held = [{"cause": "attorney", "from": "2026-03-01", "to": None}]
    history = [wrote("2026-03-10T12:00:00-04:00")]
    answer = verdict(
        COLLECTOR, holds=held, history=history, channel="email", purpose="reply", at="2026-03-10T12:05:00-04:00"
    )
    assert "permit" == answer["verdict"]
    assert "US-F-09" in rules(answer, "allow")


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("debtor", "permit"),
        ("spouse", "permit"),
        ("executor", "permit"),
        ("listed_contact", "withhold"),
        ("other", "withhold"),
    ],
)
def test_third_parties(recipient: str, expected: str) -> None:
    answer = verdict(COLLECTOR, recipient=recipient)
    assert expected == answer["verdict"]
    assert (["US-F-11"] if expected == "withhold" else []) == rules(answer, "bar")


def test_what_messages_must_contain() -> None:
    assert ["mini_miranda"] == verdict(COLLECTOR)["required_content"]
    assert {"opt_out", "mini_miranda"} == set(verdict(COLLECTOR, channel="sms")["required_content"])
    assert [] == verdict(COLLECTOR, lender={"role": "creditor"}, purpose="reminder")["required_content"]


def test_the_validation_notice_is_owed_within_five_days_of_the_first_communication() -> None:
    history = [text("2026-03-08T15:00:00Z"), text("2026-03-09T15:00:00Z")]
    owed = verdict(COLLECTOR, history=history)["obligations"]
    assert [("US-F-27", "L-1", "2026-03-08", "2026-03-13")] == [
        (o["rule"], o["debt"], o["earliest"], o["latest"]) for o in owed
    ]
    served = call("2026-03-09T16:00:00Z", "sent", channel="letter", purpose="notice", obligation="US-F-27")
    assert [] == verdict(COLLECTOR, history=[*history, served])["obligations"]
    returned = {**served, "result": "undelivered"}
    assert owed == verdict(COLLECTOR, history=[*history, returned])["obligations"]


class TestACreditorInItsOwnName:
    """Regulation F does not bind it; the borrower's own word does."""

    base: ClassVar[dict[str, Any]] = {**COLLECTOR, "lender": {"role": "creditor"}}

    def test_the_eighth_call_and_a_late_hour_are_not_federal_matters(self) -> None:
        answer = verdict(self.base, history=SEVEN_CALLS, at="2026-04-07T22:00:00-04:00", purpose="reminder")
        assert "permit" == answer["verdict"]

    def test_an_opt_out_holds(self) -> None:
        revoked = [{"channel": "sms", "address": "*", "state": "revoked", "at": "2026-03-01T00:00:00Z"}]
        answer = verdict(self.base, consents=revoked, channel="sms", purpose="reminder")
        assert ["US-F-39"] == rules(answer, "bar")

    def test_a_named_time_holds(self) -> None:
        answer = verdict(self.base, preferences=[{"weekdays": ["TUE"]}], purpose="reminder")
        assert ("defer", "2026-03-11T04:00:00Z") == (answer["verdict"], answer["until"])
        assert ["FLOOR-02"] == rules(answer, "defer")

    def test_a_hold_stops_reminders_and_contractual_notices(self) -> None:
        held = [{"cause": "hardship", "from": "2026-03-01", "to": None}]
        assert "withhold" == verdict(self.base, holds=held, purpose="reminder")["verdict"]
        contract = verdict(self.base, holds=held, purpose="notice", obligation="contract", channel="letter")
        assert "withhold" == contract["verdict"]


def test_before_it_was_in_force_it_bound_nobody() -> None:
    answer = verdict(COLLECTOR, history=[], at="2021-11-29T05:00:00-05:00", not_after="2021-11-29T06:00:00-05:00")
    assert "permit" == answer["verdict"]


def test_it_binds_from_the_second_on_which_it_comes_into_force() -> None:
    """The contact may go in the night before, and closes with it."""
    answer = verdict(COLLECTOR, at="2021-11-29T22:00:00-05:00", not_after="2021-12-02T00:00:00-05:00")
    assert ("permit", "2021-11-30T04:59:59Z") == (answer["verdict"], answer["closes"])
