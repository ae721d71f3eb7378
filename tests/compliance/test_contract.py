"""The contract of `decide`: its worked example to the letter, its refusals, and a schema that is current."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs are one more package for two lines
import pytest

from duecourse.compliance.contract import decide_case, decide_document, json_schema
from duecourse.errors import InvalidInput
from tests.compliance.pieces import packs, rule
from tests.compliance.situations import CHINA, COLLECTOR, call, verdict

SCHEMA = Path(__file__).parents[2] / "docs" / "decide.schema.json"

EXAMPLE: dict[str, Any] = {
    "version": 1,
    "packs": ["us/federal"],
    "lender": {"role": "third_party_collector", "agreements": []},
    "borrower": {
        "id": "B-1",
        "residence": {"country": "US", "region": "NY", "city": "New York", "postal_code": "10001"},
        "zones": ["America/New_York", "America/Los_Angeles"],
        "language": "en",
        "consents": [{"channel": "sms", "address": "*", "state": "given", "at": "2026-01-02T10:00:00Z"}],
        "preferences": [{"weekdays": ["WED"], "from": "00:00", "to": "24:00", "channel": "*"}],
        "holds": [],
    },
    "debts": [{"id": "L-1", "product": "consumer_loan", "days_past_due": 12, "balance": "500.00", "currency": "USD"}],
    "history": [
        {
            "at": "2026-03-02T15:00:00Z",
            "channel": "call",
            "direction": "outbound",
            "address": "+14155550100",
            "debts": ["L-1"],
            "purpose": "collection",
            "result": "no_answer",
        }
    ],
    "request": {
        "channel": "call",
        "address": "+14155550100",
        "recipient": "debtor",
        "debts": ["L-1"],
        "purpose": "collection",
        "obligation": None,
        "at": "2026-03-06T13:30:00Z",
        "not_after": "2026-03-10T00:00:00Z",
    },
}


def changed(path: str, value: Any) -> dict[str, Any]:
    case = deepcopy(EXAMPLE)
    *way, last = path.split(".")
    at: Any = case
    for part in way:
        at = at[int(part)] if isinstance(at, list) else at[part]
    at[int(last) if isinstance(at, list) else last] = value
    return case


def test_the_worked_example() -> None:
    answer = decide_case(EXAMPLE)
    assert len(answer["packs"][0].pop("hash")) == 64
    assert {
        "version": 1,
        "verdict": "defer",
        "until": "2026-03-06T16:00:00Z",
        "closes": "2026-03-07T02:00:00Z",
        "packs": [{"id": "us/federal", "version": "2026-01-01"}],
        "findings": [
            {
                "rule": "US-F-03",
                "effect": "defer",
                "strength": "ban",
                "until": "2026-03-06T16:00:00Z",
                "citation": "12 CFR 1006.6(b)(1)(i)",
                "because": "05:30 in America/Los_Angeles; allowed 08:00-21:00 in every zone the borrower may be in",
            }
        ],
        "obligations": [],
        "required_content": ["mini_miranda"],
    } == answer


def test_the_worked_example_under_a_dispute() -> None:
    held = [{"cause": "dispute", "debt": "L-1", "from": "2026-03-01", "to": None}]
    answer = decide_case(changed("borrower.holds", held))
    assert ("withhold", ["hold_lifted"]) == (answer["verdict"], answer["wake"])
    assert "US-F-30" in [finding["rule"] for finding in answer["findings"]]
    assert "until" not in answer


def test_text_in_text_out() -> None:
    assert decide_case(EXAMPLE) == json.loads(decide_document(json.dumps(EXAMPLE)))
    with pytest.raises(InvalidInput, match="JSON") as refused:
        decide_document('{"version": 1,\n "packs": [}')
    assert 2 == refused.value.line


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("version", 2, "1"),
        ("lender.role", "shark", "creditor"),
        ("packs.0", "us/atlantis", "us/federal"),
        ("packs", [], "at least 1"),
        ("borrower.zones.0", "America/Gotham", "time zone"),
        ("borrower.residence.country", "USA", "pattern"),
        ("borrower.consents.0.state", "maybe", "revoked"),
        ("borrower.consents.0.at", "2026-01-02T10:00:00", "offset"),
        ("borrower.preferences.0.from", "25:00", "00:00 and 24:00"),
        ("borrower.preferences.0.from", "24:00", "before 24:00"),
        ("borrower.preferences.0.weekdays.0", "WEDNESDAY", "WED"),
        ("debts.0.days_past_due", -1, "0"),
        ("debts.0.currency", "dollars", "pattern"),
        ("history.0.result", "shrug", "no_answer"),
        ("history.0.channel", "pigeon", "letter"),
        ("request.debts.0", "L-7", "L-1"),
        ("request.debts", [], "at least 1"),
        ("request.at", "yesterday", "ISO 8601"),
        ("request.at", 1772803800, "ISO 8601"),
        ("request.at", "1772803800", "ISO 8601"),
        ("request.at", "2026-13-06T13:30:00Z", "datetime"),
        ("debts.0.balance", 500.0, "as text"),
        ("debts.0.days_past_due", "12", "integer"),
        ("request.not_after", "2026-03-01T00:00:00Z", "at or after"),
        ("request.colour", "red", "no such field"),
        ("borrower.holds", [{"cause": "dispute", "from": "2026-03-02", "to": "2026-03-01"}], "at or after"),
    ],
)
def test_a_refusal_names_the_field_its_value_and_what_is_expected(path: str, value: Any, expected: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        decide_case(changed(path, value))
    assert refused.value.field.startswith(path)
    assert expected in refused.value.expected
    assert 2 == refused.value.exit_code


def test_equal_start_and_end_of_a_preference_is_refused() -> None:
    with pytest.raises(InvalidInput, match="00:00 to 24:00 is the whole day"):
        decide_case(changed("borrower.preferences.0.to", "00:00"))


def test_a_refused_pack_is_named_with_its_value() -> None:
    with pytest.raises(InvalidInput) as refused:
        decide_case(changed("packs.0", "us/atlantis"))
    assert ("packs.0", "us/atlantis") == (refused.value.field, refused.value.value)


def test_a_named_time_ends_when_it_says() -> None:
    wish = [{"weekdays": ["TUE"], "from": "09:00", "to": "12:00"}]
    assert "permit" == verdict(COLLECTOR, preferences=wish)["verdict"]  # it is Tuesday, noon
    assert "defer" == verdict(COLLECTOR, preferences=wish, at="2026-03-10T11:59:59-04:00")["verdict"]


def test_where_the_borrower_lives_reaches_the_rules_that_ask() -> None:
    """A rule of one state inside a pack that holds for several."""
    only = packs(rule("content: {require: [of_texas]}", more="coverage: {countries: [US], regions: [TX]}\n"))
    for region, required in (("TX", ["of_texas"]), ("us-tx", ["of_texas"]), ("NY", [])):
        case = deepcopy(COLLECTOR)
        case["packs"] = ["t"]
        case["borrower"]["residence"] = {"country": "US", "region": region}
        assert required == decide_case(case, only)["required_content"]


@pytest.mark.parametrize(
    ("written", "other", "channel"),
    [("B1@Mail.example", "b1@mail.example", "email"), ("+1 (212) 555-0100", "+12125550100", "call")],
)
def test_an_opt_out_holds_however_the_address_was_spelled(written: str, other: str, channel: str) -> None:
    stop = [{"channel": channel, "address": written, "state": "revoked", "at": "2026-03-01T10:00:00Z"}]
    assert "withhold" == verdict(COLLECTOR, channel=channel, address=other, consents=stop)["verdict"]


def test_a_contact_about_no_debt_in_particular_counts_for_each() -> None:
    spoken = call("2026-03-09T15:00:00Z", "conversation", debts=[])
    assert "defer" == verdict(COLLECTOR, history=[spoken])["verdict"]


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("request.at", "9999-12-31T23:59:59Z", "request.at"),
        ("request.at", "0001-01-01T00:00:00Z", "request.at"),
        ("request.at", "1999-12-31T00:00:00Z", "request.at"),
        ("request.not_after", "2099-01-01T00:00:00Z", "request.not_after"),
        ("history.0.at", "9999-12-31T23:59:59-12:00", "history.0.at"),
        ("debts.0.days_past_due", 10**30, "debts.0.days_past_due"),
        ("debts.0.balance", "NaN", "debts.0.balance"),
        ("history.0.debts", ["l-1"], "history.0.debts"),
        ("borrower.residence.region", "New York", "borrower.residence.region"),
        ("borrower.language", "", "borrower.language"),
        ("version", True, "version"),
    ],
)
def test_what_lies_outside_of_any_sense_is_refused_and_never_a_crash(path: str, value: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        decide_case(changed(path, value))
    assert field == refused.value.field


def test_9999_means_without_an_end() -> None:
    held = [{"cause": "dispute", "from": "2026-03-01", "to": "9999-12-31"}]
    assert "withhold" == decide_case(changed("borrower.holds", held))["verdict"]
    wish = {"weekdays": ["FRI"], "until": "9999-12-31"}
    assert "defer" == decide_case(changed("borrower.preferences", [wish]))["verdict"]


def test_a_missing_field_is_named() -> None:
    case = deepcopy(EXAMPLE)
    del case["request"]["purpose"]
    with pytest.raises(InvalidInput, match=r"request\.purpose"):
        decide_case(case)


def test_left_out_the_life_is_thirty_days() -> None:
    held = [{"cause": "dispute", "from": "2026-03-01", "to": "2026-04-08"}]
    assert "defer" == verdict(COLLECTOR, at="2026-03-10T12:00:00-04:00", holds=held)["verdict"]
    held[0]["to"] = "2026-04-10"
    assert "withhold" == verdict(COLLECTOR, at="2026-03-10T12:00:00-04:00", holds=held)["verdict"]


def test_left_out_zones_follow_from_residence_and_number() -> None:
    """A New Yorker with a Californian number at 8:30 a.m. Eastern: it is 5:30 in California."""
    answer = verdict(COLLECTOR, zones=None, address="+14155550100", at="2026-03-10T08:30:00-04:00")
    assert ("defer", "2026-03-10T15:00:00Z") == (answer["verdict"], answer["until"])


def test_left_out_packs_follow_from_the_residence() -> None:
    albany = {"country": "US", "region": "NY", "city": "Albany"}
    assert ["us/federal"] == [pack["id"] for pack in verdict(COLLECTOR, packs=None, residence=albany)["packs"]]
    assert ["cn"] == [pack["id"] for pack in verdict(CHINA, packs=None)["packs"]]


def test_offsets_are_read_and_utc_is_written() -> None:
    answer = verdict(COLLECTOR, at="2026-03-10T17:30:00+05:30")
    assert "2026-03-11T01:00:00Z" == answer["closes"]


def test_the_committed_schema_is_current() -> None:
    assert json_schema() == json.loads(SCHEMA.read_text(encoding="utf-8")), (
        "run: python -m duecourse.compliance.contract > docs/decide.schema.json"
    )


def test_cases_and_verdicts_conform_to_the_schema() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    of_case = {"$ref": "#/$defs/CaseIn", "$defs": schema["$defs"]}
    of_verdict = {"$ref": "#/$defs/VerdictOut", "$defs": schema["$defs"]}
    for case in (EXAMPLE, COLLECTOR, CHINA):
        jsonschema.validate(case, of_case)
        jsonschema.validate(decide_case(case), of_verdict)
    held = [{"cause": "dispute", "from": "2026-03-01", "to": None}]
    jsonschema.validate(verdict(COLLECTOR, holds=held), of_verdict)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**EXAMPLE, "colour": "red"}, of_case)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"version": ' + "9" * 5_000 + "}"])
def test_a_text_past_the_interpreters_limits_is_refused_like_any_other(text: str) -> None:
    with pytest.raises(InvalidInput):
        decide_document(text)
