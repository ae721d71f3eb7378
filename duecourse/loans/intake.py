"""Reading portfolio files: every bad row is named with its line, field, value and what is expected.

Text in, records out: no file is opened here. A name, address, number or e-mail in a refusal shows at most
its last two characters, because refusals are printed and logged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Generic, TypeVar

from pydantic import ValidationError

from duecourse.errors import InvalidInput
from duecourse.loans.loan_row import LoanRow
from duecourse.loans.portfolio import PERSONAL, BorrowerRecord, LenderRecord, LoanRecord
from duecourse.loans.rowfile import Format, Raw, rows_of
from duecourse.loans.schedule import EVERY_EXPECTED
from duecourse.treatments.ladder import Anchor, Ladder
from duecourse.treatments.located import remedy

R = TypeVar("R")

_LISTS_IN_CELLS = ("zones", "address")
_LONG_FORMS = ("parties", "schedule")
_CODE = re.compile(r"^[A-Za-z0-9_/:;.+-]{0,40}$")
_FIELD = re.compile(r"^[A-Za-z_]{1,24}$")
_LIKE_A_PHONE = re.compile(r"(?:\d[ ().-]*){7}")
_EXPECTED = {
    "id": "an id: letters, digits, '.', '_' or '-', at most 64",
    "phone": "a number in international form, such as +12125550100",
    "email": "an e-mail address, such as name@example.com",
    "country": "a country of two capital letters, such as CN or US",
    "region": "a region's code of one to three capitals or digits, such as NY",
    "language": "a language such as en or zh",
    "currency": "a currency of three capital letters, such as CNY or USD",
    "every": EVERY_EXPECTED,
    "risk_tier": "low, standard or high",
    "ladder": "the id of a ladder, such as cn_consumer",
    "lender": "a lender's id: letters, digits, '.', '_' or '-', at most 64",
    "loan": "a loan's id: letters, digits, '.', '_' or '-', at most 64",
    "borrower": "a borrower's id: letters, digits, '.', '_' or '-', at most 64",
    "payment_link": "an https address that holds {loan}",
}


@dataclass(frozen=True, slots=True)
class Intake(Generic[R]):
    """What a file held: the good rows with their lines, and a refusal for each problem of the bad ones."""

    source: str
    rows: tuple[R, ...]
    lines: tuple[int, ...]
    errors: tuple[InvalidInput, ...]


def read_lenders(text: str, format: Format, source: str) -> Intake[LenderRecord]:
    """Lenders, from a list or, in YAML, a list under `lenders`."""

    def build(raw: Raw) -> LenderRecord:
        return LenderRecord.model_validate(raw.fields)

    columns = tuple(LenderRecord.model_fields)
    return intake_of(rows_of(text, format, "lenders", columns), source, build, lambda lender: (lender.id,), "id")


def read_borrowers(text: str, format: Format, source: str) -> Intake[BorrowerRecord]:
    """Borrowers, one a row.

    In CSV, `zones`, `address` and `consents` hold several values separated by ";", a consent as
    `sms:given:2026-01-02` (a date alone means 00:00 UTC). An empty `consents` cell means that there is none;
    a file without that column says nothing, and consents are unknown.
    """

    def build(raw: Raw) -> BorrowerRecord:
        return BorrowerRecord.model_validate(_cells_of_borrower(raw) if format == "csv" else raw.fields)

    rows = rows_of(text, format, "borrowers", tuple(BorrowerRecord.model_fields), keep_empty=("consents",))
    return intake_of(rows, source, build, lambda borrower: (borrower.id,), "id", personal=PERSONAL)


def read_portfolio(text: str, format: Format, source: str) -> Intake[LoanRecord]:
    """Loans, one a row, with the fields of `LoanRow`; CSV has them all but `parties` and `schedule`.

    A loan with one installment is a single-payment loan and needs no `every`.
    """

    def build(raw: Raw) -> LoanRecord:
        return LoanRow.model_validate(raw.fields).record()

    columns = [name for name in LoanRow.model_fields if name not in _LONG_FORMS]
    rows = rows_of(text, format, "loans", columns)
    return intake_of(rows, source, build, lambda loan: (loan.lender, loan.loan), "loan")


def check_book(
    loans: Intake[LoanRecord],
    lenders: Mapping[str, LenderRecord],
    borrowers: Collection[str],
    ladders: Mapping[str, Ladder],
) -> Intake[LoanRecord]:
    """The same intake without the loans that point nowhere, each with a refusal.

    `borrowers` are the ids that are known, from the files read with it or from the ledger.
    """
    errors = list(loans.errors)
    kept: list[tuple[LoanRecord, int]] = []
    for loan, line in zip(loans.rows, loans.lines, strict=True):
        problems = [
            *_lender_problems(loan, line, lenders),
            *_borrower_problems(loan, line, borrowers),
            *_ladder_problems(loan, line, ladders),
        ]
        errors.extend(problems)
        if not problems:
            kept.append((loan, line))
    errors.sort(key=lambda error: error.line or 0)
    return Intake(loans.source, tuple(row for row, _ in kept), tuple(line for _, line in kept), tuple(errors))


def intake_of(
    items: Iterator[Raw | InvalidInput],
    source: str,
    build: Callable[[Raw], R],
    key: Callable[[R], tuple[str, ...]],
    id_field: str,
    personal: frozenset[str] = frozenset(),
) -> Intake[R]:
    """Build each row; `key` is what may stand in a file once, `id_field` the column that names it to people.

    `personal`: columns whose values a refusal hides; a file about people hides what slipped into any other, too.
    """
    rows: list[R] = []
    lines: list[int] = []
    errors: list[InvalidInput] = []
    first_seen: dict[tuple[str, ...], int] = {}
    try:
        for item in items:
            if isinstance(item, InvalidInput):
                errors.append(item)
                continue
            try:
                row = build(item)
            except InvalidInput as problem:
                errors.append(InvalidInput(problem.field, problem.value, problem.expected, line=item.line))
                continue
            except ValidationError as problem:
                errors.extend(_refusals(problem, item, id_field, personal))
                continue
            if key(row) in first_seen:
                expected = f"each id once; line {first_seen[key(row)]} has it already"
                errors.append(InvalidInput(id_field, key(row)[-1], expected, line=item.line))
                continue
            first_seen[key(row)] = item.line
            rows.append(row)
            lines.append(item.line)
    except InvalidInput as problem:  # from here on the file cannot be read
        errors.append(problem)
    return Intake(source, tuple(rows), tuple(lines), tuple(errors))


def masked(value: object) -> str:
    """A personal value as it may be shown: its last two characters at most."""
    return f"…{value[-2:]}" if isinstance(value, str) and len(value) > 4 else "…"


def _lender_problems(loan: LoanRecord, line: int, lenders: Mapping[str, LenderRecord]) -> Iterator[InvalidInput]:
    lender = lenders.get(loan.lender)
    if lender is None:
        known = ", ".join(sorted(lenders)) or "none"
        yield InvalidInput("lender", loan.lender, f"a known lender ({known})", line=line)
    elif loan.creditor is not None and loan.creditor not in lender.creditors:
        known = ", ".join(sorted(lender.creditors)) or "none"
        yield InvalidInput("creditor", loan.creditor, f"a creditor that lender {lender.id} lists ({known})", line=line)
    elif lender.role == "third_party_collector" and loan.creditor is None:
        yield InvalidInput("creditor", None, "the creditor whose debt it is: an agency must name it", line=line)


def _borrower_problems(loan: LoanRecord, line: int, borrowers: Collection[str]) -> Iterator[InvalidInput]:
    for party in loan.parties:
        if party.borrower not in borrowers:
            yield InvalidInput("borrower", party.borrower, "a known borrower; import that borrower first", line=line)


def _ladder_problems(loan: LoanRecord, line: int, ladders: Mapping[str, Ladder]) -> Iterator[InvalidInput]:
    ladder = ladders.get(loan.ladder)
    if ladder is None:
        yield InvalidInput("ladder", loan.ladder, f"a known ladder ({', '.join(sorted(ladders))})", line=line)
        return
    days = {Anchor.DISBURSED: ("disbursed_on", loan.disbursed_on), Anchor.PLACED: ("placed_on", loan.placed_on)}
    for anchor, (field, day) in days.items():
        rung = next((rung.id for rung in ladder.rungs if rung.anchor is anchor), None)
        if rung is not None and day is None:
            yield InvalidInput(field, None, f"a date: {rung} of ladder {ladder.id} counts from it", line=line)


def _cells_of_borrower(raw: Raw) -> dict[str, object]:
    fields: dict[str, object] = dict(raw.fields)
    for name in _LISTS_IN_CELLS:
        if name in raw.fields:
            fields[name] = [part.strip() for part in raw.fields[name].split(";") if part.strip()]
    if "consents" in raw.fields:
        fields["consents"] = [_consent(part) for part in raw.fields["consents"].split(";") if part.strip()]
    return fields


def _consent(text: str) -> dict[str, object]:
    try:
        channel, state, when = (piece.strip() for piece in text.split(":", 2))
        at = datetime.fromisoformat(when)
    except ValueError:
        raise InvalidInput("consents", masked(text), "channel:given:2026-01-02 or channel:revoked:2026-01-02") from None
    # A bare date is the start of that day; an instant without an offset would be a guess, and is refused later.
    return {"channel": channel, "state": state, "at": at.replace(tzinfo=UTC) if len(when) == len("2026-01-02") else at}


def _refusals(error: ValidationError, raw: Raw, id_field: str, personal: frozenset[str]) -> Iterator[InvalidInput]:
    """Pydantic's refusals of one row in the words of the file."""
    for one in error.errors(include_url=False):
        name = str(one["loc"][0]) if one["loc"] else id_field
        expected = remedy(one["type"], one["msg"])
        value: object
        match one["type"]:
            case "missing":
                value = None
            case "extra_forbidden":
                value = masked(one["input"])
            case _ if not one["loc"]:
                value = raw.fields.get(id_field)
            case kind:
                value = _shown(one["input"], name, personal)
                if len(one["loc"]) == 1 and kind != "value_error":
                    expected = _EXPECTED.get(name, expected)
        yield InvalidInput(_path(one["loc"]) or name, value, expected, line=raw.line)


def _path(loc: tuple[int | str, ...]) -> str:
    """Fields and positions; not the validators by which pydantic names the branches of a union, nor a name of no field:
    it may be a person's.
    """
    return ".".join(str(part) for part in loc if isinstance(part, int) or _FIELD.match(part)) or ("…" if loc else "")


def _shown(value: object, name: str, personal: frozenset[str]) -> object:
    """A value fit for a refusal. In a file about people, one that slipped into the wrong column stays hidden."""
    if name in personal:
        return masked(value)
    if isinstance(value, str) and personal and name != "id":
        return value if _CODE.match(value) and not _LIKE_A_PHONE.search(value) else masked(value)
    return value if isinstance(value, str | int | Decimal | date | None) else "…"
