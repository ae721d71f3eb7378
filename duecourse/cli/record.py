"""`record`: what the lender's old system knew enters the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from duecourse.cli.command import command
from duecourse.cli.desk import Answer, Desk, RowsRefused, rows_json
from duecourse.cli.files import read_text
from duecourse.client import record_past
from duecourse.errors import InvalidInput
from duecourse.history import RecordsRefused
from duecourse.loans.intake import Intake
from duecourse.loans.record_file import read_records
from duecourse.loans.recorded import PastRecord
from duecourse.loans.rowfile import format_of

CONSEQUENCE = "nothing was recorded; correct them, or leave them out by --skip-bad"


def add_to(app: typer.Typer) -> None:
    command(app, "record", needs="temporal")(record)


async def record(
    desk: Desk,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The records: .jsonl or .csv (.json and .yaml too).")],
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Record the good rows of a file with bad ones.")] = False,
) -> Answer:
    """Record what came before: contacts, notices, consents, opt-outs, preferences, holds, milestones. Safe to repeat.

    Running loans hear of consents, opt-outs and holds at once. A file with bad rows records nothing, and each of them
    is named with line, field, value and what is expected.
    """
    read = read_history(file)
    if read.errors and not skip_bad:
        raise RowsRefused([(read.source, problem) for problem in read.errors], CONSEQUENCE)
    async with desk.session() as opened:
        session = await desk.connected(opened)
        try:
            done = await record_past(session, read.rows, keep_good=skip_bad)
        except RecordsRefused as error:
            raise RowsRefused(refused_rows(read, error.refused), CONSEQUENCE) from error
    problems = sorted(
        [*((read.source, problem) for problem in read.errors), *refused_rows(read, done.refused)],
        key=lambda row: row[1].line or 0,
    )
    data = {"recorded": done.new, "known": done.again, "skipped": rows_json(tuple(problems))}
    lines = [f"{done.new} records taken in{f', {done.again} were there before' if done.again else ''}."]
    if problems:
        lines.append(f"{len(problems)} bad rows were left out:")
    return Answer(data, "\n".join([*lines, *(f"  {source}, {problem}" for source, problem in problems)]))


def read_history(file: Path) -> Intake[PastRecord]:
    """The records of a file, and a refusal for each bad row."""
    return read_records(read_text(file), format_of(file.name), file.name)


def refused_rows(
    read: Intake[PastRecord], refused: tuple[tuple[int, InvalidInput], ...]
) -> list[tuple[str, InvalidInput]]:
    """What the ledger refused, with file and line."""
    return [
        (read.source, InvalidInput(one.field, one.value, one.expected, line=read.lines[index]))
        for index, one in refused
    ]
