"""Looking at loans: `status`, `timeline`, `explain`, `list`."""

from __future__ import annotations

from typing import Annotated

import typer

from duecourse.cli.command import LenderId, LoanId, command
from duecourse.cli.desk import Answer, Desk
from duecourse.client import find, list_loans, loan_line, overview, status, story
from duecourse.errors import InvalidInput, NotFound
from duecourse.present.explanation import explain, explanation_json, print_explanation
from duecourse.present.tables import (
    line_json,
    loans_table,
    overview_json,
    print_overview,
    print_status,
)
from duecourse.present.timeline import print_timeline, timeline_json

Texts = Annotated[bool, typer.Option("--texts", help="Show addresses and texts: they are personal.")]


def add_to(app: typer.Typer) -> None:
    command(app, "status", needs="temporal")(show_status)
    command(app, "list", needs="ledger")(show_list)
    command(app, "timeline", needs="ledger")(show_timeline)
    command(app, "explain", needs="ledger")(show_explanation)


async def show_status(
    desk: Desk,
    loan: Annotated[str | None, typer.Argument(metavar="[LOAN]", help="Left out: the whole book.")] = None,
    lender: LenderId = None,
) -> Answer:
    """What a loan does next, from its workflow; without a loan the whole book, from the ledger alone."""
    async with desk.session() as opened:
        if loan is None:
            book = await overview(opened)
            return Answer(overview_json(book), lambda out: print_overview(book, out))
        key = await find(opened, loan, lender)
        line = await loan_line(opened, *key)
        # A closed loan's workflow has ended, and Temporal forgets it some day.
        said = None if line.closed_at else await status(await desk.connected(opened), *key)
        data = line_json(line) | {"workflow": said.model_dump(mode="json") if said else None}
        return Answer(data, lambda out: print_status(line, said, out))


async def show_list(desk: Desk, lender: LenderId = None) -> Answer:
    """All loans with their stages."""
    async with desk.session() as opened:
        lines = await list_loans(opened, lender)

    if not lines:
        return Answer([], "No loans: start them with `starter.py import` or `starter.py start`.")
    return Answer([line_json(line) for line in lines], lambda out: out.print(loans_table(lines)))


async def show_timeline(desk: Desk, loan: LoanId, texts: Texts = False, lender: LenderId = None) -> Answer:
    """Everything that happened to a loan: facts, verdicts, contacts, in one order of time."""
    async with desk.session() as opened:
        told = await story(opened, *await find(opened, loan, lender))
    return Answer(timeline_json(told, texts=texts), lambda out: print_timeline(told, out, texts=texts))


async def show_explanation(
    desk: Desk,
    loan: LoanId,
    rung: Annotated[str | None, typer.Option(help="One rung only, such as due_day.")] = None,
    lang: Annotated[str | None, typer.Option(help="en or zh; the borrower's language if left out.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every verdict with every finding.")] = False,
    texts: Texts = False,
    lender: LenderId = None,
) -> Answer:
    """Why each message went out and why each silence was kept: rule, evidence, citation, next moment."""
    if lang not in (None, "en", "zh"):
        raise InvalidInput("--lang", lang, "en or zh")
    async with desk.session() as opened:
        told = await story(opened, *await find(opened, loan, lender))
        now = await opened.now()
    names = [one.id for one in told.loan.ladder.rungs]
    if rung is not None and rung not in names:
        raise NotFound("rung", rung, f"the loan's ladder has {', '.join(names)}")
    said = explain(told, now, language=lang, rung=rung, every=every)
    return Answer(explanation_json(said, texts=texts), lambda out: print_explanation(said, out, rung=rung, texts=texts))
