"""`decide`: may this be sent? From a case as JSON, without server, database or network."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from duecourse.cli.command import command
from duecourse.cli.desk import Answer, Desk, error_json
from duecourse.compliance.case import Person
from duecourse.compliance.contract import decide_case, decide_document, parse_case, read_case, shipped_packs
from duecourse.compliance.explain import explain_verdict
from duecourse.compliance.gate import decide
from duecourse.compliance.location import zones_of_place
from duecourse.errors import InvalidInput, Unavailable

STANDARD_INPUT = "-"


def add_to(app: typer.Typer) -> None:
    command(app, "decide", needs="nothing")(decide_file)


async def decide_file(
    desk: Desk,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A case as JSON, or - for standard input.")],
    lines: Annotated[bool, typer.Option("--lines", help="One case a line, answered a line each.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="The verdict and its findings as sentences.")] = False,
    lang: Annotated[str, typer.Option(help="en or zh, for --explain.")] = "en",
) -> Answer:
    """Say whether a contact may be made: permit, defer, withhold or review, with every rule's finding.

    Exit code 0 for any verdict, 2 for a case that is refused. With --lines a refused case is answered by a line
    with `error`, and the others are answered all the same.
    """
    text = _read(file)
    if lines:
        return _each_line(text, explain=explain, lang=lang)
    if explain:
        said = _sentences(parse_case(text), lang)
        return Answer(said, "\n".join(said))
    return Answer(None, decide_document(text))


def _each_line(text: str, *, explain: bool, lang: str) -> Answer:
    answers: list[str] = []
    code = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        answer: Any
        try:
            case = parse_case(line)
            answer = _sentences(case, lang) if explain else decide_case(case)
        except InvalidInput as refused:
            here = InvalidInput(refused.field, refused.value, refused.expected, line=number)
            answer, code = {"version": 1, "error": error_json(here)}, InvalidInput.exit_code
        answers.append(json.dumps(answer, ensure_ascii=False, default=str))
    return Answer(None, "\n".join(answers), code)


def _sentences(case: Any, lang: str) -> list[str]:
    packs = shipped_packs()
    read = read_case(case, packs)
    return explain_verdict(decide(read, packs), lang, _clock_for(read.person))


def _clock_for(person: Person) -> str:
    """Moments are told in the borrower's home clock where it is known, not in that of a number from elsewhere."""
    at_home = [zone for zone in zones_of_place(person.residence) if zone in person.zones]
    return next(iter([*at_home, *person.zones]), "UTC")


def _read(file: str) -> str:
    if file == STANDARD_INPUT:
        return sys.stdin.read()
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise Unavailable(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput("file", file, "text in UTF-8") from error
