"""What every command is given and what it gives back: consoles, clock and addresses in; one answer out."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from duecourse.errors import DuecourseError, InvalidInput, Unavailable

if TYPE_CHECKING:
    from rich.console import Console

    from duecourse.client import Session

_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found: JSON values, and the same for people. Without `data` there is one form for both.

    `show`: a text, or what prints itself on a console.
    """

    data: Any
    show: str | Callable[[Console], None]
    code: int = 0


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a command stands. `clock`: real time, aware UTC."""

    clock: Callable[[], datetime]
    json: bool
    ledger: str = ""
    address: str | None = None

    def warn(self, text: str) -> None:
        """Say something that is not the answer."""
        sys.stderr.write(f"{text}\n")

    @asynccontextmanager
    async def session(self, *, makes_ledger: bool = False) -> AsyncIterator[Session]:
        """The ledger alone; `connected` adds Temporal. Raises Unavailable where there is no ledger to read."""
        # Not at the top: `decide` answers at once and needs neither Temporal nor a database.
        from duecourse.client import session

        if not makes_ledger:
            _require(self.ledger)
        async with session(clock=self.clock, ledger=self.ledger, target=self.address, temporal=False) as opened:
            yield opened

    async def connected(self, session: Session) -> Session:
        """The same session with Temporal. Raises ServerUnreachable."""
        from duecourse.engine.connect import connect

        return replace(session, connected=await connect(self.address))

    def give(self, answer: Answer) -> int:
        """Print an answer; returns the exit code."""
        if self.json and answer.data is not None:
            write_json(sys.stdout, answer.data)
        elif isinstance(answer.show, str):
            sys.stdout.write(f"{answer.show}\n" if answer.show else "")
        else:
            answer.show(console(sys.stdout))
        return answer.code


class RowsRefused(InvalidInput):
    """Rows of files that are refused: each with its file, line, field, value and what is expected."""

    def __init__(self, problems: list[tuple[str, InvalidInput]], consequence: str) -> None:
        first = problems[0][1]
        super().__init__(first.field, first.value, first.expected, line=first.line)
        self.problems = tuple(problems)
        rows = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        said = [f"{source}, {problem}" for source, problem in problems]
        self.args = ("\n".join([f"{rows}; {consequence}", *said]),)


def console(file: TextIO) -> Console:
    """Where tables and bars are drawn."""
    from rich.console import Console  # not at the top: `decide` draws nothing and answers at once

    return Console(file=file, highlight=False, width=None if file.isatty() else 110)


def say_error(error: DuecourseError, *, as_json: bool) -> int:
    """Say what was refused and what to do; returns the exit code."""
    if as_json:
        write_json(sys.stderr, {"error": error_json(error)})
    else:
        sys.stderr.write(f"starter.py: {error}\n")
    return error.exit_code


def error_json(error: DuecourseError) -> dict[str, Any]:
    """An error as JSON values: its class, the exit code, the message, and the field where there is one."""
    shown: dict[str, Any] = {"type": type(error).__name__, "exit_code": error.exit_code, "message": str(error)}
    if isinstance(error, RowsRefused):
        shown["rows"] = rows_json(error.problems)
    elif isinstance(error, InvalidInput):
        shown |= _field_json(error)
    return shown


def rows_json(problems: tuple[tuple[str, InvalidInput], ...]) -> list[dict[str, Any]]:
    """Refused rows as JSON values."""
    return [{"file": source, **_field_json(problem)} for source, problem in problems]


def _require(ledger: str) -> None:
    """Opening would make a file that is not there, and an empty ledger answers every question wrongly."""
    if ledger.startswith(_SQLITE) and not Path(ledger.removeprefix(_SQLITE)).exists():
        raise Unavailable(
            f"there is no ledger at {ledger.removeprefix(_SQLITE)}: name yours by --ledger or DUECOURSE_LEDGER, "
            "or make one with `starter.py import` or `make demo`"
        )


def write_json(file: TextIO, data: Any) -> None:
    """One JSON document."""
    file.write(json.dumps(data, ensure_ascii=False, indent=2, default=str) + "\n")


def _field_json(error: InvalidInput) -> dict[str, Any]:
    return {"line": error.line, "field": error.field, "value": error.value, "expected": error.expected}
