"""`inbox`: what came in and waits for a person: replies to read, reported facts to mend."""

from __future__ import annotations

from typing import Annotated

import typer

from duecourse.cli.command import command
from duecourse.cli.desk import Answer, Desk
from duecourse.ledger import inbox
from duecourse.loans.display import moment


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="Replies to read, reported facts to mend: list, close.", no_args_is_help=True)
    command(group, "list", needs="ledger")(list_tasks)
    command(group, "close", needs="ledger")(close_task)
    app.add_typer(group, name="inbox")


async def list_tasks(desk: Desk) -> Answer:
    """The tasks that wait, oldest first, with what was written."""
    async with desk.session() as session:
        tasks = await session.ledger.consulting(inbox.open_inbox)
    data = [
        {
            "id": one.id,
            "kind": one.kind,
            "lender": one.lender,
            "borrower": one.borrower,
            "loan": one.loan,
            "about": one.about,
            "text": one.text,
            "row": one.row,
            "pauses": [loan for loan, _ in one.holds],
            "opened_at": one.opened_at.isoformat(),
        }
        for one in tasks
    ]
    lines = [
        f"{one.id}  {moment(one.opened_at)}  {one.lender or '?'} {one.borrower or one.loan or '?'}  {one.about}: "
        f"{' '.join(one.text.split())}"
        for one in tasks
    ]
    return Answer({"tasks": data}, "\n".join(lines) or "Nothing waits for a person.")


async def close_task(
    desk: Desk,
    task: Annotated[str, typer.Argument(metavar="TASK", help="Its id, as `inbox list` shows it.")],
    by: Annotated[str, typer.Option(help="Who closes it: a staff id.")],
) -> Answer:
    """Close a task: optional messages that waited for it go on. Holds for a dispute, hardship or a lawyer stay."""
    async with desk.session() as session:
        told = await session.ledger.transacting(inbox.close, task, by, await session.now())
    heard = f"; {', '.join(told)} will hear of it by the relay" if told else ""
    return Answer({"closed": task, "told": list(told)}, f"Task {task} is closed{heard}.")
