"""Portfolio files: every bad row is named with line, field, value and what is expected; no person is."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from duecourse.errors import InvalidInput
from duecourse.loans.intake import Intake, check_book, masked, read_borrowers, read_lenders, read_portfolio
from duecourse.loans.portfolio import BorrowerRecord, LenderRecord, LoanRecord
from duecourse.loans.rowfile import format_of
from duecourse.treatments.catalogue import load_ladder
from duecourse.treatments.ladder import Tier

LOANS = "lender,loan,borrower,product,currency,principal,interest,installments,first_due,every,disbursed_on,ladder"
ROW = "qinghe,L-1,B-1,consumer_loan,CNY,1000.00,30.00,3,2027-01-31,month,2027-01-04,cn_consumer"
PEOPLE = "id,name,language,country,region,phone,email,consents"
PERSON = "B-1,Avery Example,en,US,NY,+1 (415) 555-0101,avery@example.com,sms:given:2026-12-30"


def loans(*rows: str, header: str = LOANS) -> Intake[LoanRecord]:
    return read_portfolio("\n".join([header, *rows]) + "\n", "csv", "loans.csv")


def people(*rows: str, header: str = PEOPLE) -> Intake[BorrowerRecord]:
    return read_borrowers("\n".join([header, *rows]) + "\n", "csv", "people.csv")


def lender(**changes: object) -> LenderRecord:
    fields: dict[str, object] = {
        "id": "qinghe",
        "name": "Qinghe",
        "name_zh": "清禾",
        "role": "creditor",
        "country": "CN",
        "utc_offset_minutes": 480,
        "contact_number": "400-000-0001",
        "payment_link": "https://pay.example/{loan}",
        "sms_sender": "Qinghe",
        "mail_from": "service@qinghe.example",
    }
    return LenderRecord.model_validate(fields | changes)


def checked(intake: Intake[LoanRecord], owner: LenderRecord) -> Intake[LoanRecord]:
    return check_book(intake, {owner.id: owner}, {"B-1"}, {"cn_consumer": load_ladder("cn_consumer")})


# ---- loans -----------------------------------------------------------------------------------------------------


def test_a_row_becomes_a_loan_with_its_schedule() -> None:
    (loan,) = loans(ROW).rows
    assert [(one.due_on, one.total) for one in loan.installments] == [
        (date(2027, 1, 31), Decimal("343.33")),
        (date(2027, 2, 28), Decimal("343.33")),
        (date(2027, 3, 31), Decimal("343.34")),
    ]
    assert (loan.debtor, loan.risk_tier, loan.disbursed_on) == ("B-1", Tier.STANDARD, date(2027, 1, 4))


def test_a_loan_with_one_installment_is_a_single_payment_loan_and_needs_no_rhythm() -> None:
    (loan,) = loans(ROW.replace(",3,2027-01-31,month,", ",1,2027-01-31,,")).rows
    assert [one.total for one in loan.installments] == [Decimal("1030.00")]


@pytest.mark.parametrize(
    ("old", "new", "field", "value", "expected"),
    [
        ("1000.00", "-5", "principal", "-5", "greater than 0"),
        ("1000.00", "", "principal", None, "amount lent"),
        ("1000.00", "1000.005", "principal", "1000.005", "multiple of 0.01 CNY"),
        ("1000.00,30.00", "0.01,0", "principal", "0.01", "worth something"),
        ("1000.00", "NaN", "principal", "NaN", "finite"),
        ("CNY", "RMB?", "currency", "RMB?", "three capital letters"),
        ("2027-01-31", "31.01.2027", "first_due", "31.01.2027", "YYYY-MM-DD"),
        ("2027-01-31", "2027-02-29", "first_due", "2027-02-29", "YYYY-MM-DD"),
        ("2027-01-31", "1801440000", "first_due", "1801440000", "YYYY-MM-DD"),
        ("2027-01-31", "0207-01-31", "first_due", "0207-01-31", "1970"),
        ("2027-01-31", "", "first_due", None, "first due date"),
        (",month,", ",weekly,", "every", "weekly", "'month' or a number of days"),
        (",month,", ",,", "every", None, "'month' or a number of days"),
        (",3,", ",0,", "installments", "0", "greater than or equal to 1"),
        (",B-1,", ",,", "borrower", None, "borrower's id"),
        (",L-1,", ",L 1,", "loan", "L 1", "a loan's id"),
        ("qinghe,", ",", "lender", None, "required"),
        ("2027-01-04", "2027-02-04", "loan", "L-1", "before disbursed_on"),
    ],
)
def test_a_bad_row_is_named_with_its_line_field_and_value(
    old: str, new: str, field: str, value: object, expected: str
) -> None:
    assert ROW.count(old) >= 1
    intake = loans(ROW.replace("L-1", "L-0"), ROW.replace(old, new, 1))
    assert [row.loan for row in intake.rows] == ["L-0"]
    (problem,) = intake.errors
    assert (problem.line, problem.field, problem.value) == (3, field, value)
    assert expected in problem.expected


def test_the_same_loan_twice_is_refused_with_the_line_of_the_first() -> None:
    intake = loans(ROW, ROW)
    assert (len(intake.rows), intake.errors[0].line, intake.errors[0].field) == (1, 3, "loan")
    assert "line 2" in intake.errors[0].expected


def test_two_lenders_may_use_the_same_loan_id() -> None:
    assert loans(ROW, ROW.replace("qinghe", "other")).errors == ()


def test_a_column_that_nobody_reads_is_refused_instead_of_ignored() -> None:
    """A misspelt grace_days would otherwise silently be 0."""
    intake = loans(ROW + ",5", header=LOANS + ",grace")
    assert (intake.rows, intake.errors[0].line, intake.errors[0].value) == ((), 1, "grace")
    assert "grace_days" in intake.errors[0].expected


def test_a_column_twice_is_refused() -> None:
    assert loans(ROW + ",L-2", header=LOANS + ",loan").errors[0].expected == "each column once"


def test_a_row_with_too_few_cells_is_refused_and_the_next_is_read() -> None:
    intake = loans("qinghe,L-0", ROW)
    assert [error.line for error in intake.errors] == [2]
    assert intake.lines == (3,)


def test_line_numbers_are_those_of_an_editor_even_after_a_cell_with_a_line_break_and_blank_lines() -> None:
    text = f"{LOANS}\n\n{ROW.replace('consumer_loan', chr(34) + 'a' + chr(10) + 'b' + chr(34))}\n\n{ROW}\n"
    intake = read_portfolio(text, "csv", "loans.csv")
    assert [error.line for error in intake.errors] == [3]
    assert intake.lines == (6,)


def test_an_open_quote_ends_the_reading_with_its_line() -> None:
    intake = loans(ROW, '"qinghe,L-2', ROW.replace("L-1", "L-3"))
    assert (len(intake.rows), intake.errors[0].line) == (1, 3)
    assert "quotes" in intake.errors[0].expected


def test_a_byte_order_mark_and_windows_line_ends_are_read() -> None:
    text = "\ufeff" + "\r\n".join([LOANS, ROW, ""])
    intake = read_portfolio(text, "csv", "loans.csv")
    assert (intake.errors, len(intake.rows)) == ((), 1)


def test_an_empty_file_is_refused() -> None:
    assert read_portfolio("", "csv", "loans.csv").errors[0].field == "header"


AS_OBJECT = {
    "lender": "qinghe",
    "loan": "L-1",
    "parties": [{"borrower": "B-1"}, {"borrower": "B-2", "role": "guarantor"}],
    "product": "consumer_loan",
    "currency": "CNY",
    "schedule": [
        {"id": "a", "due_on": "2027-01-10", "principal": "100.00", "fees": "1.50"},
        {"id": "b", "due_on": "2027-02-10", "principal": 200.10},
    ],
    "ladder": "cn_consumer",
}


def test_json_writes_out_a_schedule_and_several_parties() -> None:
    (loan,) = read_portfolio(json.dumps([AS_OBJECT]), "json", "loans.json").rows
    assert [one.total for one in loan.installments] == [Decimal("101.50"), Decimal("200.10")]
    assert [party.role for party in loan.parties] == ["debtor", "guarantor"]


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"schedule": list(reversed(AS_OBJECT["schedule"]))}, "loan", "order of their due dates"),
        ({"schedule": [{"id": "0", "due_on": "2027-01-10", "principal": "1"}]}, "loan", "may not be called 0"),
        ({"schedule": [{"id": "a", "due_on": 20463, "principal": "1"}]}, "schedule.0.due_on", "YYYY-MM-DD"),
        ({"schedule": [{"id": "a", "due_on": "2027-01-10", "principal": "1.001"}]}, "schedule.a.principal", "0.01 CNY"),
        ({"principal": "300.00"}, "principal", "schedule says it already"),
        ({"borrower": "B-1"}, "borrower", "list of parties instead"),
        ({"parties": [{"borrower": "B-1"}, {"borrower": "B-1"}]}, "loan", "named once"),
        ({"colour": "red"}, "colour", "no such field"),
    ],
)
def test_a_bad_object_is_named_by_line_in_json_and_jsonl(change: dict[str, object], field: str, expected: str) -> None:
    bad = {**AS_OBJECT, "loan": "L-2", **change}
    listed = read_portfolio(json.dumps([AS_OBJECT, bad], indent=1), "json", "loans.json")
    in_lines = read_portfolio(f"{json.dumps(AS_OBJECT)}\n\n{json.dumps(bad)}\n", "jsonl", "loans.jsonl")
    second = json.dumps([AS_OBJECT], indent=1).count("\n") + 1  # its bracket stands where the list's end stood
    for intake, line in ((listed, second), (in_lines, 3)):
        assert len(intake.rows) == 1
        (problem,) = intake.errors
        assert (problem.field, problem.line) == (field, line)
        assert expected in problem.expected


@pytest.mark.parametrize(("text", "line"), [("[1]", 1), ("{}", 1), ('[\n{"a": 1},\n{]', 3), ("", 1)])
def test_what_is_no_list_of_objects_is_refused(text: str, line: int) -> None:
    intake = read_portfolio(text, "json", "loans.json")
    assert (intake.rows, [error.line for error in intake.errors]) == ((), [line])


@given(
    values=st.lists(
        st.dictionaries(st.text(max_size=4), st.text(max_size=6) | st.integers() | st.lists(st.text(max_size=3))),
        max_size=6,
    ),
    indent=st.sampled_from([None, 0, 2]),
)
def test_each_member_of_a_json_list_is_refused_at_the_line_on_which_it_begins(
    values: list[dict[str, object]], indent: int | None
) -> None:
    text = "\n[" + ",\n\n".join(json.dumps(value, indent=indent) for value in values) + "]"
    begins = [2]
    for value in values:
        begins.append(begins[-1] + json.dumps(value, indent=indent).count("\n") + 2)
    lines = {error.line for error in read_portfolio(text, "json", "x.json").errors}
    assert lines == set(begins[: len(values)])


# ---- references ------------------------------------------------------------------------------------------------


def test_a_loan_that_points_nowhere_is_refused_for_each_thing_it_misses() -> None:
    intake = loans(ROW.replace("B-1", "B-9").replace("cn_consumer", "cn_consumr"), ROW.replace("L-1", "L-2"))
    book = check_book(intake, {}, {"B-1"}, {"cn_consumer": load_ladder("cn_consumer")})
    assert book.rows == ()
    assert [(error.line, error.field) for error in book.errors] == [
        (2, "lender"),
        (2, "borrower"),
        (2, "ladder"),
        (3, "lender"),
    ]


def test_a_sound_loan_passes() -> None:
    book = checked(loans(ROW), lender())
    assert (book.errors, book.lines) == ((), (2,))


def test_a_ladder_that_counts_from_the_disbursement_needs_its_date() -> None:
    (problem,) = checked(loans(ROW.replace("2027-01-04", "")), lender()).errors
    assert problem.field == "disbursed_on"
    assert "disbursement_confirmation" in problem.expected


def test_an_agency_names_the_creditor_of_each_loan() -> None:
    agency = lender(role="third_party_collector", creditors={"north": "North Bank"})
    header = LOANS + ",creditor"
    named = checked(loans(ROW + ",north", header=header), agency)
    unnamed = checked(loans(ROW + ",", header=header), agency)
    unknown = checked(loans(ROW + ",south", header=header), agency)
    assert named.errors == ()
    assert [error.field for error in (*unnamed.errors, *unknown.errors)] == ["creditor", "creditor"]


# ---- borrowers -------------------------------------------------------------------------------------------------


def test_a_borrower_with_every_cell() -> None:
    header = PEOPLE + ",zones,address,history"
    (person,) = people(
        PERSON + ",America/Denver;America/New_York,1 Example Street;New York,complete", header=header
    ).rows
    assert (person.phone, person.jurisdiction) == ("+14155550101", "US-NY")
    assert person.zones == ("America/Denver", "America/New_York")
    assert person.address == ("1 Example Street", "New York")
    assert person.consents is not None
    assert person.consents[0].at == datetime(2026, 12, 30, tzinfo=UTC)


def test_an_empty_consents_cell_means_none_and_a_missing_column_means_unknown() -> None:
    """Unknown fails closed; none is a fact."""
    (nothing,) = people(PERSON.replace("sms:given:2026-12-30", "")).rows
    (unknown,) = people(PERSON.rsplit(",", 1)[0], header=PEOPLE.removesuffix(",consents")).rows
    assert nothing.consents == ()
    assert unknown.consents is None
    assert unknown.history is None  # and the lender's record says unknown


@pytest.mark.parametrize(
    ("old", "new", "field", "shown"),
    [
        ("+1 (415) 555-0101", "415-555-0101", "phone", "…01"),
        ("+1 (415) 555-0101", "12", "phone", "…"),
        ("avery@example.com", "avery.example.com", "email", "…om"),
        ("US", "USA", "country", "USA"),
        ("en", "english", "language", "english"),
        (",en,", ",415-555-0101,", "language", "…01"),
        (",en,", ",avery@example.com,", "language", "…om"),
        (",en,", ",Avery Example,", "language", "…le"),
        ("sms:given:2026-12-30", "sms:given", "consents", "…en"),
        ("sms:given:2026-12-30", "sms:given:2026-12-30T10:00", "consents.0.at", "…"),
        ("sms:given:2026-12-30", "fax:given:2026-12-30", "consents.0.channel", "fax"),
    ],
)
def test_a_refusal_shows_no_more_of_a_person_than_two_characters(old: str, new: str, field: str, shown: str) -> None:
    intake = people(PERSON.replace(old, new, 1))
    assert intake.rows == ()
    (problem,) = intake.errors
    assert (problem.line, problem.field) == (2, field)
    assert problem.value == shown or (shown == "…" and not isinstance(problem.value, str))
    for secret in ("avery", "Avery", "555-0101", "5550101"):
        assert secret not in str(problem)


def test_a_file_without_a_header_is_refused_without_showing_its_first_person() -> None:
    intake = read_borrowers(PERSON, "csv", "people.csv")
    assert intake.rows == ()
    assert not any(secret in str(error) for error in intake.errors for secret in ("Avery", "avery", "555-0101"))


def test_broken_yaml_about_people_shows_no_person() -> None:
    intake = read_borrowers("- {id: B-1, name: Avery Example: x", "yaml", "people.yaml")
    assert (len(intake.errors), intake.errors[0].line) == (1, 1)
    assert "Avery" not in str(intake.errors[0])


def test_an_unknown_zone_is_refused() -> None:
    intake = people(PERSON + ",America/Gotham", header=PEOPLE + ",zones")
    assert (intake.errors[0].field, "IANA" in intake.errors[0].expected) == ("zones", True)


def test_the_same_borrower_twice_is_refused() -> None:
    assert [(error.line, error.field) for error in people(PERSON, PERSON).errors] == [(3, "id")]


def test_a_record_does_not_print_the_person() -> None:
    (person,) = people(PERSON).rows
    for secret in ("Avery", "5550101", "avery"):
        assert secret not in repr(person)
        assert secret not in str(person)


@given(value=st.text(max_size=40))
def test_masking_keeps_at_most_two_characters(value: str) -> None:
    assert len(masked(value)) <= 3
    assert masked(value).startswith("…")


# ---- lenders ---------------------------------------------------------------------------------------------------


def test_a_lender_speaks_its_name_in_the_borrowers_language() -> None:
    assert (lender().name_in("zh"), lender().name_in("en"), lender(name_zh=None).name_in("zh")) == (
        "清禾",
        "Qinghe",
        "Qinghe",
    )
    assert lender().creditor_name(None, "zh") == "清禾"
    assert lender().link("L-1") == "https://pay.example/L-1"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"role": "third_party_collector"}, "creditors"),
        ({"payment_link": "https://pay.example/"}, "payment_link"),
        ({"payment_link": "http://pay.example/{loan}"}, "payment_link"),
        ({"packs": ["../etc"]}, "packs"),
    ],
)
def test_a_lender_that_could_not_write_a_demand_is_refused(change: dict[str, object], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        lender(**change)


def test_lenders_come_from_yaml_with_the_line_of_a_mistake_and_norway_stays_norway() -> None:
    text = "lenders:\n" + "".join(
        f"  - {json.dumps(lender(id=name, country='NO').model_dump(mode='json'))}\n" for name in ("a", "b")
    )
    good = read_lenders(text.replace('"NO"', "NO"), "yaml", "lenders.yaml")
    assert [row.country for row in good.rows] == ["NO", "NO"]
    bad = read_lenders(text.replace('"id": "b"', '"id": "a"'), "yaml", "lenders.yaml")
    assert [(error.line, error.field) for error in bad.errors] == [(3, "id")]


# ---- terms and files -------------------------------------------------------------------------------------------


def test_a_loan_becomes_terms_in_the_lenders_book_time_and_the_borrowers_jurisdiction() -> None:
    (loan,), (person,) = loans(ROW).rows, people(PERSON).rows
    start = datetime(2027, 1, 4, 18, tzinfo=UTC)
    terms = loan.terms(lender(), start, [person])
    assert (terms.jurisdictions, terms.active_from, terms.debtor) == (("US-NY",), start, "B-1")
    assert terms.book_date(start) == date(2027, 1, 5)
    assert loan.terms(lender(), start).jurisdictions == ("CN",)


def test_a_files_ending_tells_its_format() -> None:
    assert [format_of(name) for name in ("a.CSV", "b.json", "c.jsonl", "d.yml")] == ["csv", "json", "jsonl", "yaml"]
    with pytest.raises(InvalidInput, match="xlsx"):
        format_of("/home/someone/e.xlsx")
