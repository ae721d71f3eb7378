"""`import` and `start`: loans enter the book."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from duecourse.cli.command import command
from duecourse.cli.desk import Answer, Desk, RowsRefused, console, rows_json
from duecourse.cli.files import Book, checked, read_book, read_text, refuse_bad_rows
from duecourse.cli.record import read_history, refused_rows
from duecourse.client import Imported, import_book, registered_parties, start_loan
from duecourse.errors import InvalidInput
from duecourse.history import RecordsRefused
from duecourse.loans.intake import Intake, read_borrowers, read_lenders, read_portfolio
from duecourse.loans.rowfile import format_of

Borrowers = Annotated[Path, typer.Option("--borrowers", help="The borrowers: .csv, .json, .jsonl or .yaml.")]
Lenders = Annotated[Path, typer.Option("--lenders", help="The lenders: .yaml or .json.")]

History = Annotated[
    Path | None, typer.Option("--history", help="What the old system knew, as `record` takes it: .jsonl or .csv.")
]


def add_to(app: typer.Typer) -> None:
    command(app, "import", needs="temporal")(import_portfolio)
    command(app, "start", needs="temporal")(start)


async def import_portfolio(
    desk: Desk,
    portfolio: Annotated[Path, typer.Argument(metavar="PORTFOLIO", help="The loans: .csv, .json, .jsonl or .yaml.")],
    borrowers: Borrowers,
    lenders: Lenders,
    past: History = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Import the good rows of a file with bad ones.")] = False,
) -> Answer:
    """Register and start every loan of a portfolio file. Safe to repeat: what is there already stays as it is.

    What came before (--history, as `record` takes it) is on record before any loan starts. A file with bad rows imports
    nothing, and each of them is named with line, field, value and what is expected.
    """
    book = read_book(portfolio, borrowers, lenders)
    known = Intake("", (), (), ()) if past is None else read_history(past)
    book = replace(book, problems=(*book.problems, *((known.source, problem) for problem in known.errors)))
    refuse_bad_rows(book, skip_bad=skip_bad)
    async with desk.session(makes_ledger=True) as opened:
        session = await desk.connected(opened)
        with _bar(desk, len(book.loans)) as advance:
            try:
                done = await import_book(
                    session, book.lenders, book.borrowers, book.loans, past=known.rows, on_loan=advance
                )
            except RecordsRefused as error:
                problems = refused_rows(known, error.refused)
                book = replace(book, problems=(*book.problems, *problems))
                refuse_bad_rows(book, skip_bad=skip_bad)
                refused = {index for index, _ in error.refused}
                good = [one for index, one in enumerate(known.rows) if index not in refused]
                done = await import_book(session, book.lenders, book.borrowers, book.loans, past=good, on_loan=advance)
    new = sum(one.outcome == "new" for one in done)
    data = {
        "imported": new,
        "known": len(done) - new,
        "skipped": rows_json(book.problems),
        "loans": [{"lender": one.lender, "loan": one.loan, "outcome": one.outcome} for one in done],
    }
    return Answer(data, _imported_text(book, new, len(done) - new))


async def start(
    desk: Desk,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="One loan as JSON, with the fields of a portfolio row.")
    ] = None,
    lender: Annotated[str | None, typer.Option(help="The lender's id.")] = None,
    loan: Annotated[str | None, typer.Option(help="The loan's id.")] = None,
    borrower: Annotated[str | None, typer.Option(help="The borrower's id.")] = None,
    product: Annotated[str | None, typer.Option(help="Such as consumer_loan.")] = None,
    currency: Annotated[str | None, typer.Option(help="Such as CNY or USD.")] = None,
    principal: Annotated[str | None, typer.Option(help="The amount lent, such as 3000.00.")] = None,
    interest: Annotated[str | None, typer.Option(help="All interest of the loan.")] = None,
    installments: Annotated[int | None, typer.Option(help="How many; 1 if left out.")] = None,
    first_due: Annotated[str | None, typer.Option(help="YYYY-MM-DD.")] = None,
    every: Annotated[str | None, typer.Option(help="month, or a number of days such as '15 days'.")] = None,
    disbursed_on: Annotated[str | None, typer.Option(help="YYYY-MM-DD.")] = None,
    placed_on: Annotated[str | None, typer.Option(help="YYYY-MM-DD, for an agency's loan.")] = None,
    grace_days: Annotated[int | None, typer.Option(help="Days past due that do not count as delinquent.")] = None,
    risk_tier: Annotated[str | None, typer.Option(help="low, standard or high.")] = None,
    ladder: Annotated[str | None, typer.Option(help="The id of a ladder, such as cn_consumer.")] = None,
    creditor: Annotated[str | None, typer.Option(help="Whose debt it is, for an agency.")] = None,
    borrowers: Annotated[Path | None, typer.Option("--borrowers", help="Borrowers to register with it.")] = None,
    lenders: Annotated[Path | None, typer.Option("--lenders", help="Lenders to register with it.")] = None,
) -> Answer:
    """Start one loan, from a JSON file or from options, or from both: an option wins.

    Lender and borrower are those that the ledger knows, or come from the files named by --lenders and --borrowers.
    Safe to repeat.
    """
    if (lenders is None) != (borrowers is None):
        raise InvalidInput("--lenders", None, "--lenders and --borrowers together, or neither of them")
    given: dict[str, Any] = {
        "lender": lender,
        "loan": loan,
        "borrower": borrower,
        "product": product,
        "currency": currency,
        "principal": principal,
        "interest": interest,
        "installments": installments,
        "first_due": first_due,
        "every": every,
        "disbursed_on": disbursed_on,
        "placed_on": placed_on,
        "grace_days": grace_days,
        "risk_tier": risk_tier,
        "ladder": ladder,
        "creditor": creditor,
    }
    row = {**_row_of(file), **{name: value for name, value in given.items() if value is not None}}
    read = read_portfolio(json.dumps([row], default=str), "json", file.name if file else "options")
    async with desk.session(makes_ledger=True) as opened:
        named = [party.borrower for one in read.rows for party in one.parties]
        known = await registered_parties(opened, str(row.get("lender", "")), named)
        book = checked(
            _read_or(lenders, read_lenders, [known.lender] if known.lender else []),
            _read_or(borrowers, read_borrowers, known.borrowers),
            read,
        )
        if book.problems:
            # The row has no lines that a person could look up.
            unlined = [
                (source, InvalidInput(one.field, one.value, one.expected) if source == read.source else one)
                for source, one in book.problems
            ]
            raise RowsRefused(unlined, "nothing was started")
        session = await desk.connected(opened)
        (record,) = book.loans
        if lenders is None and borrowers is None:
            parties = [one for one in book.borrowers if one.id in named]
            imported = await start_loan(session, next(iter(book.lenders)), record, parties)
        else:
            its_lender = [one for one in book.lenders if one.id == record.lender]
            (imported,) = await import_book(session, its_lender, book.borrowers, [record])
    data = {"lender": imported.lender, "loan": imported.loan, "outcome": imported.outcome}
    said = "started" if imported.outcome == "new" else "was started before; nothing changed"
    return Answer(data, f"{record.lender}/{record.loan} {said}.")


def _row_of(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        row = json.loads(read_text(file), parse_float=str)
    except json.JSONDecodeError as error:
        raise InvalidInput("document", "…", f"JSON; {error.msg}", line=error.lineno) from error
    except (RecursionError, ValueError) as error:
        raise InvalidInput("document", "…", "JSON with fewer brackets inside each other, shorter numbers") from error
    if not isinstance(row, dict):
        raise InvalidInput("document", type(row).__name__, "one JSON object, a loan")
    return row


def _read_or(file: Path | None, read: Callable[[str, Any, str], Intake[Any]], known: Sequence[Any]) -> Intake[Any]:
    if file is not None:
        return read(read_text(file), format_of(file.name), file.name)
    return Intake("ledger", tuple(known), (), ())


@contextmanager
def _bar(desk: Desk, total: int) -> Iterator[Callable[[Imported], None]]:
    """A progress bar on a terminal; nothing elsewhere, so that logs and pipes stay clean."""
    if not sys.stderr.isatty() or desk.json:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(sys.stderr), transient=True) as progress:
        task = progress.add_task("importing", total=total)
        yield lambda _: progress.advance(task)


def _imported_text(book: Book, new: int, known: int) -> str:
    lines = [f"{new} loans imported and started{f', {known} were there before' if known else ''}."]
    if book.problems:
        lines.append(f"{len(book.problems)} bad rows were left out:")
    return "\n".join([*lines, *(f"  {source}, {problem}" for source, problem in book.problems)])
