"""Reading lenders, borrowers and loans from files, with every refused row named, before anything has an effect."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from duecourse.cli.desk import RowsRefused
from duecourse.errors import InvalidInput, Unavailable
from duecourse.loans.intake import Intake, check_book, read_borrowers, read_lenders, read_portfolio
from duecourse.loans.portfolio import BorrowerRecord, LenderRecord, LoanRecord
from duecourse.loans.rowfile import Format, format_of
from duecourse.treatments.catalogue import ladder_ids, load_ladder


@dataclass(frozen=True, slots=True)
class Book:
    """What can be imported, and the rows that cannot, each with its file."""

    lenders: tuple[LenderRecord, ...]
    borrowers: tuple[BorrowerRecord, ...]
    loans: tuple[LoanRecord, ...]
    problems: tuple[tuple[str, InvalidInput], ...]


def read_book(portfolio: Path, borrowers: Path, lenders: Path) -> Book:
    """Read and check three files. Raises Unavailable or InvalidInput where one cannot be read at all."""
    known_lenders = read_lenders(*_text(lenders))
    known_borrowers = read_borrowers(*_text(borrowers))
    return checked(known_lenders, known_borrowers, read_portfolio(*_text(portfolio)))


def checked(lenders: Intake[LenderRecord], borrowers: Intake[BorrowerRecord], loans: Intake[LoanRecord]) -> Book:
    """Hold the loans against lenders, borrowers and ladders."""
    by_id = {one.id: one for one in lenders.rows}
    ladders = {name: load_ladder(name) for name in ladder_ids()}
    book = check_book(loans, by_id, {one.id for one in borrowers.rows}, ladders)
    problems = [(intake.source, problem) for intake in (lenders, borrowers, book) for problem in intake.errors]
    return Book(lenders.rows, borrowers.rows, book.rows, tuple(problems))


def refuse_bad_rows(book: Book, *, skip_bad: bool) -> None:
    """Raise RowsRefused where the book has bad rows and nobody said to leave them out."""
    if book.problems and not skip_bad:
        raise RowsRefused(list(book.problems), "nothing was imported; correct them, or leave them out by --skip-bad")


def read_text(file: Path) -> str:
    """A file's text. Raises Unavailable, or InvalidInput for what is no UTF-8."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise Unavailable(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput("file", str(file), "text in UTF-8") from error


def _text(file: Path) -> tuple[str, Format, str]:
    return read_text(file), format_of(file.name), file.name
