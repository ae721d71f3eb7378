"""Files of what came before: one flat layout for CSV, the same fields in JSONL, and each bad row named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from duecourse.errors import InvalidInput
from duecourse.loans.record_file import COLUMNS, LISTS, read_records
from duecourse.loans.recorded import KINDS, PastConsent, PastContact, PastHold, PastRecord, Wish

EXAMPLE = Path(__file__).parents[2] / "examples" / "history.csv"
CONTACT = {
    "kind": "contact", "lender": "L1", "borrower": "B-MEI", "at": "2026-01-05T10:00:00+08:00", "channel": "call",
    "loans": ["A"], "purpose": "collection", "result": "no_answer",
}  # fmt: skip


def lines(*rows: Mapping[str, object]) -> str:
    return "\n".join(json.dumps(row) for row in rows)


def one(row: Mapping[str, object]) -> PastRecord:
    (record,) = read_records(lines(row), "jsonl", "history.jsonl").rows
    return record


def refusal(row: Mapping[str, object]) -> InvalidInput:
    read = read_records(lines(CONTACT, row), "jsonl", "history.jsonl")
    assert (1, 1) == (len(read.rows), len(read.errors))
    assert 2 == read.errors[0].line
    return read.errors[0]


def test_a_record_says_what_happened_and_instants_are_utc() -> None:
    record = one(CONTACT)
    assert isinstance(record, PastContact)
    assert datetime(2026, 1, 5, 2, tzinfo=UTC) == record.at
    assert ("outbound", ("A",), None) == (record.direction, record.loans, record.contact_point)


def test_a_row_without_an_id_is_named_by_what_it_says() -> None:
    """So a file can be recorded again, and the same instant in another zone is the same contact."""
    assert one(CONTACT).id == one({**CONTACT, "at": "2026-01-05T02:00:00Z"}).id
    assert one(CONTACT).id != one({**CONTACT, "result": "voicemail"}).id
    assert "old-1" == one({**CONTACT, "id": "old-1"}).id


def test_csv_and_jsonl_mean_the_same() -> None:
    table = (
        "kind,lender,borrower,at,channel,loans,purpose,result,weekdays,from,to,form\n"
        "contact,L1,B-MEI,2026-01-05T10:00:00+08:00,call,A,collection,no_answer,,,,\n"
        "preference,L1,B-MEI,,sms,,,,SAT;SUN,22:00,07:00,\n"
        "consent,L1,B-MEI,2026-01-05T10:00:00+08:00,sms,A;B,,,,,,written\n"
    )
    wish = {"kind": "preference", "lender": "L1", "borrower": "B-MEI", "channel": "sms", "weekdays": ["SAT", "SUN"],
            "from": "22:00", "to": "07:00"}  # fmt: skip
    consent = {"kind": "consent", "lender": "L1", "borrower": "B-MEI", "at": "2026-01-05T02:00:00Z", "channel": "sms",
               "loans": ["A", "B"], "form": "written"}  # fmt: skip
    written = read_records(table, "csv", "history.csv")
    assert () == written.errors
    assert read_records(lines(CONTACT, wish, consent), "jsonl", "history.jsonl").rows == written.rows
    assert isinstance(written.rows[1], Wish)
    assert isinstance(written.rows[2], PastConsent)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "rumour"}, "kind"),
        ({"kind": None}, "kind"),
        ({"at": "2026-01-05T10:00:00"}, "at"),
        ({"at": 1767578400}, "at"),
        ({"at": "1767578400"}, "at"),
        ({"channel": "pigeon"}, "channel"),
        ({"result": "opt_out"}, "result"),
        ({"result": "reserved"}, "result"),
        ({"direction": "inbound"}, "id"),
        ({"lender": ""}, "lender"),
        ({"until": "2026-05-01"}, "until"),
        ({"loans": ["A B"]}, "loans.0"),
    ],
)
def test_a_bad_row_is_named_with_line_field_and_what_is_expected(change: dict[str, object], field: str) -> None:
    problem = refusal({**CONTACT, **change})
    assert field == problem.field
    assert problem.expected


def test_a_number_in_the_place_of_a_contact_point_is_refused_and_not_repeated() -> None:
    for number in ("+6591234567", "6591234567", "tel6591234567", "tel-312-555-0100", "m.312.555.0100"):
        problem = refusal({**CONTACT, "contact_point": number})
        assert "contact_point" == problem.field
        assert number not in str(problem)


@pytest.mark.parametrize(
    "row",
    [
        {"kind": "preference", "from": "10:00", "to": "10:00"},
        {"kind": "preference", "from": "25:00"},
        {"kind": "preference", "from": "24:00", "to": "08:00"},
        {"kind": "preference", "until": "0001-01-01"},
        {"kind": "hold", "cause": "dispute", "starts": "2026-02-01", "ends": "2026-02-01"},
        {"kind": "opt_out", "channel": "sms", "at": "0001-01-01T00:00:00+14:00"},
        {"kind": "opt_out", "channel": "sms", "at": "9999-12-31T23:59:59-12:00"},
        {"kind": "hold", "cause": "boredom", "starts": "2026-02-01"},
        {"kind": "language", "at": "2026-02-01T00:00:00Z", "language": "Klingon"},
        {"kind": "contact", "at": "2026-02-01T00:00:00Z", "channel": "sms", "purpose": "reminder", "result": "message"},
    ],
)
def test_what_cannot_be_is_refused(row: Mapping[str, object]) -> None:
    refusal({"lender": "L1", "borrower": "B-MEI", **row})


def test_what_is_without_end_by_its_year_is_a_date_that_arithmetic_survives() -> None:
    hold = {"kind": "hold", "lender": "L1", "borrower": "B-MEI", "cause": "dispute", "starts": "2026-02-01"}
    (record,) = read_records(lines({**hold, "ends": "9999-12-31"}), "jsonl", "history.jsonl").rows
    assert isinstance(record, PastHold)
    assert date(2199, 12, 31) == record.ends


@pytest.mark.parametrize("text", ["[" * 100_000, '{"at": ' + "9" * 5_000 + "}"])
def test_a_line_past_the_interpreters_limits_is_refused_like_any_other(text: str) -> None:
    for format in ("json", "jsonl"):
        (problem,) = read_records(text, format, "history").errors
        assert "…" == problem.value


def test_what_slipped_into_kind_or_a_field_s_name_is_not_repeated() -> None:
    assert "Mei Lan" not in str(refusal({**CONTACT, "kind": "Mei Lan"}))
    assert "Mei Lan" not in str(refusal({**CONTACT, "Mei Lan": "1"}))


def test_a_refusal_speaks_the_file_s_words() -> None:
    opt_out = {"kind": "opt_out", "lender": "L1", "borrower": "B-MEI", "channel": "sms", "at": "2026-01-05T02:00:00Z"}
    assert "at: '…05' is not accepted; expected an instant with its" in str(refusal({**opt_out, "at": "2026-01-05"}))
    assert "expected text: a date" in str(refusal({**opt_out, "at": 5}))
    assert "contact_point" == refusal({**opt_out, "contact_point": "+13125550100"}).field


def test_the_same_row_twice_in_one_file_is_named() -> None:
    """Two attempts in one instant would be one by their content: an id of its own for each tells them apart."""
    assert "line 1 has it already" in refusal(CONTACT).expected
    twice = read_records(lines({**CONTACT, "id": "a"}, {**CONTACT, "id": "b"}), "jsonl", "history.jsonl")
    assert 2 == len(twice.rows)


def test_the_example_shows_each_kind_of_record_but_the_end_of_a_wish() -> None:
    read = read_records(EXAMPLE.read_text("utf-8"), "csv", EXAMPLE.name)
    assert () == read.errors
    assert set(KINDS) - {"preference_ended"} == {record.kind for record in read.rows}


def test_each_field_of_each_record_has_a_column() -> None:
    fields = {field.alias or name for kind in KINDS.values() for name, field in kind.model_fields.items()}
    assert fields == set(COLUMNS)
    assert set(LISTS) <= fields
