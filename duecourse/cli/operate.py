"""Running the book: `pause-all`, `outbox`, `fast-forward`, `demo`."""

from __future__ import annotations

import re
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

import typer

from duecourse.cli.command import command
from duecourse.cli.desk import Answer, Desk, console
from duecourse.client import drain_outbox, fast_forward, pause_all, resume_all, waiting
from duecourse.engine.lockstep import Step
from duecourse.errors import InvalidInput
from duecourse.ledger.outbox import Batch
from duecourse.loans.display import moment

DAYS = re.compile(r"^([1-9][0-9]{0,3})d$")


def add_to(app: typer.Typer) -> None:
    command(app, "pause-all", needs="ledger")(pause)
    command(app, "outbox", needs="temporal")(outbox)
    command(app, "fast-forward", needs="temporal")(forward)
    command(app, "demo", needs="nothing")(demo)


async def pause(
    desk: Desk, resume: Annotated[bool, typer.Option("--resume", help="Let sends go on.")] = False
) -> Answer:
    """Stop every send of every lender, from the next reservation on. Facts and decisions go on."""
    async with desk.session() as session:
        if resume:
            await resume_all(session)
            return Answer({"paused_since": None}, "Sends go on.")
        since = await pause_all(session)
    said = f"All sends are paused since {moment(since)}. `starter.py pause-all --resume` lets them go on."
    return Answer({"paused_since": since.isoformat()}, said)


async def outbox(
    desk: Desk, drain: Annotated[bool, typer.Option("--drain", help="Tell the loans now.")] = False
) -> Answer:
    """What loans have not acknowledged yet; with --drain, tell them now instead of waiting for the relay."""
    async with desk.session() as opened:
        batches = await waiting(opened)
        told = await drain_outbox(await desk.connected(opened)) if drain and batches else 0
    data = {
        "waiting": [
            {"lender": one.lender, "loan": one.loan, "rows": len(one.ids), "start": one.start} for one in batches
        ],
        "told": told,
    }
    return Answer(data, _outbox_text(batches, told, drain=drain))


async def forward(
    desk: Desk,
    until: Annotated[str, typer.Argument(help="A date, an instant with an offset, or a number of days such as 30d.")],
) -> Answer:
    """Move a sandbox's book, and with it all open loans, forward in virtual time."""
    async with desk.session() as opened:
        now = await opened.now()
        target = _instant(until, now)
        if target <= now:
            raise InvalidInput("until", until, f"a moment after the book's now, {moment(now)}")
        session = await desk.connected(opened)

        async def on_step(step: Step) -> None:
            if sys.stderr.isatty() and not desk.json:
                desk.warn(f"{moment(step.at)}, {len(step.open)} loans open")

        book = await fast_forward(session, target, on_step=on_step)
    data = {"at": book.at.isoformat(), "open": len(book.open), "closed": len(book.closed), "steps": book.steps}
    said = f"The book stands at {moment(book.at)}: {len(book.open)} loans open, {len(book.closed)} closed on the way."
    return Answer(data, said)


async def demo(
    desk: Desk,
    exit_after: Annotated[bool, typer.Option("--exit", help="End after the report.")] = False,
    directory: Annotated[Path, typer.Option(help="Where it keeps its data; made anew.")] = Path(".duecourse/demo"),
) -> Answer:
    """Four months of a small book on a real server: then its report, and its Web UI until Ctrl-C."""
    # Not at the top: the sandbox is an optional part of the installation.
    from duecourse.cli.demo_policy import publish_policy
    from duecourse.cli.demo_report import print_report
    from duecourse.sandbox.demo import run_demo

    code = await run_demo(
        keep=sys.stdout.isatty() and not exit_after,
        directory=directory,
        say=console(sys.stdout),
        clock=desk.clock,
        publish=publish_policy,
        report=print_report,
    )
    return Answer(None, "", code)


def _instant(text: str, now: datetime) -> datetime:
    found = DAYS.match(text)
    if found:
        return now + timedelta(days=int(found.group(1)))
    expected = "a date (2027-05-01), an instant with an offset (2027-05-01T08:00:00Z), or days (30d)"
    try:
        if len(text) == len("2027-05-01"):
            return datetime.combine(date.fromisoformat(text), time(0), UTC)
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput("until", text, expected) from None
    if instant.tzinfo is None:
        raise InvalidInput("until", text, expected)
    return instant.astimezone(UTC)


def _outbox_text(batches: tuple[Batch, ...], told: int, *, drain: bool) -> str:
    if not batches:
        return "Every loan has acknowledged what the ledger holds."
    lines = [f"{one.lender}/{one.loan}: {len(one.ids)} rows{', to be started' if one.start else ''}" for one in batches]
    lines.append(f"{told} loans were told." if drain else "The relay tells them, or `starter.py outbox --drain` now.")
    return "\n".join(lines)
