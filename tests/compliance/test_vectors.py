"""Every official example of Regulation F and every vector derived from a rule's text, by its number, as one table.

EX: official interpretations of 12 CFR 1006, answers of the CFPB, court decisions. DV: computed from the text of a
rule. Each runs as a case through the contract of `decide`: facts, the answer, the rule that has a say. What another
test tells at length is named, and what no pack here can tell stands at the end with the reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.compliance.situations import CHINA, COLLECTOR, LOS_ANGELES, NEW_YORK, call, rules, verdict

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Vector:
    """In words: source and facts; then what is asked, and what must come out."""

    id: str
    citation: str
    facts: str
    asked: dict[str, Any]
    answer: str
    until: str | None = None
    rule: str | None = None
    effect: str = ""
    base: dict[str, Any] = field(default_factory=lambda: COLLECTOR)


def seven(first: int = 1, **more: Any) -> list[dict[str, Any]]:
    """A call a day for seven days of April 2026, from that day on; the first is a Wednesday."""
    return [call(f"2026-04-{day:02d}T15:00:00Z", **more) for day in range(first, first + 7)]


def debts(*names: str) -> list[dict[str, Any]]:
    return [COLLECTOR["debts"][0] | {"id": name} for name in names]


def talk(at: str) -> list[dict[str, Any]]:
    return [call(at, "conversation")]


def wrote(at: str, channel: str = "email") -> dict[str, Any]:
    return call(at, "message", direction="inbound", channel=channel, purpose="reply")


def texts(*at: str, **more: Any) -> list[dict[str, Any]]:
    return [call(one, "delivered", channel="sms", **more) for one in at]


KOREAN_ACT = "개인금융채권의 관리 및 개인금융채무자의 보호에 관한 법률"
AFTERNOONS = [{"weekdays": ["MON", "TUE", "WED", "THU", "FRI"], "from": "15:00", "to": "17:00"}]
MASSACHUSETTS = COLLECTOR | {"packs": ["us/federal", "us/massachusetts"], "lender": {"role": "creditor"}}
NEW_YORK_CITY = COLLECTOR | {"packs": ["us/federal", "us/new_york_city"]}
FLORIDA = COLLECTOR | {"packs": ["us/federal", "us/florida"]}
KOREA = COLLECTOR | {"packs": ["kr"], "lender": {"role": "creditor"}}
E_MAIL_AGREED = [
    {"channel": "email", "address": "*", "state": "given", "at": "2026-08-01T00:00:00Z", "form": "written"}
]
ON_HOLD = [{"cause": "stop_collection", "from": "2026-03-01", "to": None}]

VECTORS = (
    Vector(
        "EX-01", "comment 14(a)-1.i", "twelve texts in three days: no number forbids them, and none is called lawful",
        {"channel": "sms", "history": texts(*(f"2026-03-{day:02d}T{hour}:00:00Z" for day in (8, 9, 10)
                                              for hour in (13, 14, 15, 15)))},
        "permit", None, "US-F-24", "warn",
    ),
    Vector("EX-02", "comment 14(b)(2)(i)-1.i", "a message on Wednesday 1 April, six calls to Tuesday 7; the eighth",
           {"history": seven(result="voicemail"), "at": "2026-04-07T16:00:00Z"},
           "defer", "2026-04-08T12:00:00Z", "US-F-16", "defer"),
    Vector("EX-02", "comment 14(b)(2)(i)-1.i", "the same, on Wednesday 8 April: the first has left the window",
           {"history": seven(result="voicemail"), "at": "2026-04-08T15:00:00Z"}, "permit"),
    Vector("EX-04", "comment 14(b)(2)(i)-1.iii", "seven calls to a third person for location information",
           {"history": seven(recipient="other"), "at": "2026-04-07T16:00:00Z"}, "permit"),
    Vector("EX-05", "comment 14(b)(2)(i)-2.i", "a second unanswered call within five minutes",
           {"history": [call("2026-03-10T15:58:00Z")]}, "permit", None, "US-F-22", "warn"),
    Vector("EX-05", "comment 14(b)(2)(i)-2.i", "a seventh call to one number on one day",
           {"history": [call(f"2026-03-10T12:{minute:02d}:00Z") for minute in range(0, 36, 6)]},
           "permit", None, "US-F-22-DAY", "warn"),
    Vector("EX-10", "comment 14(b)(4)-1.i", "seven calls about two debts: each has had seven",
           {"debts": debts("L-1", "L-2"), "about": ["L-2"], "history": seven(debts=["L-1", "L-2"]),
            "at": "2026-04-07T16:00:00Z"}, "defer", "2026-04-08T12:00:00Z", "US-F-16", "defer"),
    Vector("EX-12", "comment 14(b)(4)-2.i", "the twenty-first call, seven on each of three debts",
           {"debts": debts("A", "B", "C"), "about": ["C"], "at": "2026-04-07T16:00:00Z",
            "history": [one for name in "ABC" for one in seven(debts=[name])][:-1]},
           "permit", None, "US-F-22-SUM", "warn"),
    Vector("EX-14", "comment 6(b)(1)-1", "\"I cannot talk right now\" at 12:00 bars no later noon: no wish is recorded",
           {"history": [call("2026-03-09T16:00:00Z")], "at": "2026-03-10T12:00:00-04:00"}, "permit"),
    Vector("EX-15", "comment 6(b)(1)-1", "the creditor's notes name weekday afternoons: barred from the first day",
           {"preferences": AFTERNOONS, "at": "2026-03-10T15:30:00-04:00"},
           "defer", "2026-03-10T21:00:00Z", "US-F-05", "defer"),
    Vector("EX-16", "comment 6(b)(1)-2", "the consumer writes at such a time: one e-mail in reply",
           {"preferences": AFTERNOONS, "history": [wrote("2026-03-10T19:30:00Z")], "channel": "email",
            "purpose": "reply", "at": "2026-03-10T15:50:00-04:00"}, "permit", None, "US-F-06", "allow"),
    Vector("EX-16", "comment 6(b)(1)-2", "a second reply is one too many",
           {"preferences": AFTERNOONS, "channel": "email", "purpose": "reply", "at": "2026-03-10T15:55:00-04:00",
            "history": [wrote("2026-03-10T19:30:00Z"),
                        call("2026-03-10T19:50:00Z", "sent", channel="email", purpose="reply")]},
           "defer", "2026-03-10T21:00:00Z", "US-F-05", "defer"),
    Vector("EX-17", "CFPB FAQ Unusual Times 6", "an automatic receipt for an e-mail, by text message",
           {"preferences": AFTERNOONS, "history": [wrote("2026-03-10T19:30:00Z")], "channel": "sms",
            "purpose": "reply", "at": "2026-03-10T15:31:00-04:00"},
           "defer", "2026-03-10T21:00:00Z", "US-F-05", "defer"),
    Vector("EX-24", "Vinson v. Credit Control Servs.", "9:39 p.m. Eastern in Valley, Alabama, officially Central",
           {"zones": ["America/Chicago"], "at": "2026-07-15T21:39:00-04:00"}, "permit"),
    Vector("EX-25", "CFPB v. Discover, 2015-07-22", "area code Eastern, address Pacific, at 9 a.m. Eastern",
           {"zones": None, "residence": {"country": "US", "region": "CA"}, "at": "2026-03-10T09:00:00-04:00"},
           "defer", "2026-03-10T15:00:00Z", "US-F-03", "defer"),
    Vector("DV-01", "12 CFR 1006.14(b)(2)(i)(B)", "a conversation on Friday 6 March: barred to Thursday 12",
           {"history": talk("2026-03-06T17:00:00Z"), "at": "2026-03-12T23:00:00Z"},
           "defer", "2026-03-13T12:00:00Z", "US-F-17", "defer"),
    Vector("DV-02", "12 CFR 1006.14(b)(2)(i)(B)", "days of the calendar, not 168 hours: the clocks changed",
           {"history": talk("2026-03-06T23:30:00Z"), "at": "2026-03-13T12:00:00Z"}, "permit"),
    Vector("DV-03", "12 CFR 1006.6(b)(1)(i)", "7:59 in New York on the day on which the clocks go forward",
           {"at": "2026-03-08T11:59:00Z"}, "defer", "2026-03-08T12:00:00Z", "US-F-03", "defer"),
    Vector("DV-03", "12 CFR 1006.6(b)(1)(i)", "8:00 on that day", {"at": "2026-03-08T12:00:00Z"}, "permit"),
    Vector("DV-05", "comment 6(b)(1)(i)-2", "Eastern and Pacific: from 11:00 Eastern on",
           {"zones": [NEW_YORK, LOS_ANGELES], "at": "2026-07-01T10:59:59-04:00"},
           "defer", "2026-07-01T15:00:00Z", "US-F-03", "defer"),
    Vector("DV-07", "comment 6(b)(1)(i)-2", "Los Angeles and Phoenix in winter: to 20:00 Pacific",
           {"zones": [LOS_ANGELES, "America/Phoenix"], "at": "2026-01-15T20:00:01-08:00"},
           "defer", "2026-01-16T16:00:00Z", "US-F-03", "defer"),
    Vector("DV-07", "comment 6(b)(1)(i)-2", "and in summer: to 21:00",
           {"zones": [LOS_ANGELES, "America/Phoenix"], "at": "2026-07-15T21:00:00-07:00"}, "permit"),
    Vector("DV-12", "940 CMR 7.04(1)(f)", "a creditor's third text in seven days about one debt",
           {"channel": "sms", "purpose": "reminder", "at": "2026-03-10T12:00:00-04:00",
            "history": texts("2026-03-05T15:00:00Z", "2026-03-08T15:00:00Z", purpose="reminder")},
           "defer", "2026-03-12T04:00:00Z", "US-MA-01", "defer", MASSACHUSETTS),
    Vector("DV-13", "6 RCNY 5-77", "three e-mails about A since 1 September 2026, a fourth about A",
           {"debts": debts("A", "B"), "about": ["A"], "channel": "email", "consents": E_MAIL_AGREED,
            "history": [call(f"2026-09-{day:02d}T15:00:00Z", "sent", channel="email", debts=["A"])
                        for day in (14, 15, 16)], "at": "2026-09-17T12:00:00-04:00"},
           "defer", "2026-09-21T12:00:00Z", "US-NYC-01", "defer", NEW_YORK_CITY),
    Vector("DV-13", "6 RCNY 5-77", "the same, and a call about B",
           {"debts": debts("A", "B"), "about": ["B"], "consents": E_MAIL_AGREED,
            "history": [call(f"2026-09-{day:02d}T15:00:00Z", "sent", channel="email", debts=["A"])
                        for day in (14, 15, 16)], "at": "2026-09-17T12:00:00-04:00"}, "permit", base=NEW_YORK_CITY),
    Vector("DV-17", "GB/T 45251-2025, 5.3", "22:30, and the borrower agreed to such hours",
           {"at": "2026-03-10T22:30:00+08:00",
            "consents": [{"channel": "call", "state": "given", "about": "hours", "at": "2026-03-01T00:00:00Z"}]},
           "permit", None, "CN-02", "allow", CHINA),
    Vector("DV-18", "征信业管理条例 第十五条", "collection is on hold, and the report is due: the notice goes out",
           {"holds": ON_HOLD, "channel": "sms", "purpose": "notice", "obligation": "CN-17"},
           "permit", None, "CN-17", "allow", CHINA),
    Vector("DV-20", KOREAN_ACT, "seven contacts used, an eighth",
           {"channel": "sms", "zones": ["Asia/Seoul"], "residence": {"country": "KR"},
            "history": texts(*(f"2026-03-{day:02d}T03:00:00Z" for day in range(4, 11))),
            "at": "2026-03-10T15:00:00+09:00"},
           "defer", "2026-03-10T23:00:00Z", "KR-01", "defer", KOREA),
    Vector("DV-20", KOREAN_ACT, "the notice of acceleration goes all the same",
           {"channel": "email", "zones": ["Asia/Seoul"], "residence": {"country": "KR"}, "purpose": "notice",
            "obligation": "KR-05", "at": "2026-03-10T15:00:00+09:00",
            "history": texts(*(f"2026-03-{day:02d}T03:00:00Z" for day in range(4, 11)))},
           "permit", base=KOREA),
    Vector("DV-24", "Fla. Stat. 559.72(17)", "a creditor's e-mail to Miami at 23:00",
           {"channel": "email", "purpose": "reminder", "at": "2026-03-10T23:00:00-04:00",
            "lender": {"role": "creditor"}}, "permit", None, "US-FL-01", "allow", FLORIDA),
    Vector("DV-24", "Fla. Stat. 559.72(17)", "a creditor's text to Miami at 23:00",
           {"channel": "sms", "purpose": "reminder", "at": "2026-03-10T23:00:00-04:00",
            "lender": {"role": "creditor"}}, "defer", "2026-03-11T12:00:00Z", "US-FL-01", "defer", FLORIDA),
    Vector("DV-24", "12 CFR 1006.6(b)(1)(i)", "a collector's e-mail to Miami at 23:00",
           {"channel": "email", "at": "2026-03-10T23:00:00-04:00"},
           "defer", "2026-03-11T12:00:00Z", "US-F-03", "defer", FLORIDA),
    Vector("DV-27", "47 CFR 64.1200(a)(10)", "\"opt out\" on Friday: stopped at once, not on the tenth business day",
           {"channel": "sms", "at": "2026-03-06T12:00:01-05:00",
            "history": [call("2026-03-06T12:00:00-05:00", "opt_out", channel="sms", direction="inbound")]},
           "withhold", None, "US-F-39", "bar"),
    Vector("DV-28", "12 CFR 1006.14(h)(2)(i)", "after the one confirmation, a receipt by text message",
           {"channel": "sms", "purpose": "servicing",
            "history": [call("2026-03-10T15:00:00Z", "opt_out", channel="sms", direction="inbound"),
                        call("2026-03-10T15:01:00Z", "sent", channel="sms", purpose="notice", obligation="US-F-23")]},
           "withhold", None, "US-F-23", "bar"),
)  # fmt: skip

TOLD_ELSEWHERE = {
    "EX-20": ("test_notices.py", "EX-20"),
    "DV-09": ("test_calendars.py", "DV-09"),
    "DV-14": ("test_states_and_countries.py", "DV-14"),
}

NOT_FOR_THE_GATE = {
    "EX-06": "what rebuts a presumption of violation is argued before a judge; the gate does not place the call",
    "EX-19": "a receipt that was assumed may be kept; the gate never takes an assumed date back",
    "EX-21": "to whom a letter is addressed by name stands in its text, which people write",
    "EX-22": "a proof of claim is filed by counsel and is no contact of ours",
    "EX-23": "whether a message was cut off is heard on the recording; the call counts in any case",
    "EX-26": "Wisconsin has no pack yet",
    "DV-19": "a notice counts only as what it was sent for: told by the preconditions of a report",
    "DV-23": "Australia has no pack yet",
    "DV-25": "the Philippines have no pack yet",
}

NUMBERS = {
    *(f"EX-{n:02d}" for n in (1, 2, 4, 5, 6, 10, 12, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24, 25, 26)),
    *(f"DV-{n:02d}" for n in (1, 2, 3, 5, 7, 9, 12, 13, 14, 17, 18, 19, 20, 23, 24, 25, 27, 28)),
}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: f"{one.id} {one.facts}")
def test_vector(vector: Vector) -> None:
    found = verdict(vector.base, **vector.asked)
    assert (vector.answer, vector.until) == (found["verdict"], found.get("until")), vector.citation
    if vector.rule is not None:
        assert vector.rule in rules(found, vector.effect), vector.citation
    else:
        assert [] == rules(found, "defer", "bar", "review")


def test_every_number_is_in_the_table_or_has_its_place_or_its_reason() -> None:
    told = {one.id for one in VECTORS}
    assert NUMBERS == told | set(TOLD_ELSEWHERE) | set(NOT_FOR_THE_GATE)
    assert not told & (set(TOLD_ELSEWHERE) | set(NOT_FOR_THE_GATE))


@pytest.mark.parametrize(("file", "number"), TOLD_ELSEWHERE.values(), ids=TOLD_ELSEWHERE)
def test_what_is_told_elsewhere_is_told_there(file: str, number: str) -> None:
    assert re.search(rf"{number}|{number.lower().replace('-', '_')}", (HERE / file).read_text(encoding="utf-8"))
