"""The demo: a real server, a real worker, a loopback SMTP server and SMS gateway, and four months of a small book.

Everything lies under one directory that each run makes anew. Nothing leaves this machine.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from duecourse.client import Imported, Session, fast_forward, import_book, record_facts, session, set_book
from duecourse.compliance.packs import Pack
from duecourse.engine.lockstep import Step
from duecourse.engine.pool import stop_on_signals
from duecourse.engine.server import EmbeddedServer, ServerAddress, ServerPortTaken
from duecourse.errors import Unavailable
from duecourse.loans.intake import read_borrowers, read_lenders, read_portfolio
from duecourse.loans.portfolio import BorrowerRecord, LenderRecord, LoanRecord
from duecourse.loans.story import Publish, Scene, Story, read_story, scenes
from duecourse.sandbox.server import Sandbox

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
UI_PORT = 8233
WORKER_STOPS_WITHIN = 20.0


@dataclass(frozen=True, slots=True)
class Book:
    """The example files, read and checked."""

    lenders: tuple[LenderRecord, ...]
    borrowers: tuple[BorrowerRecord, ...]
    loans: tuple[LoanRecord, ...]
    story: Story

    @classmethod
    def read(cls, directory: Path) -> Book:
        """Read `lenders.yaml`, `borrowers.csv`, `portfolio.csv` and `story.yaml`. Raises InvalidInput."""
        lenders = read_lenders((directory / "lenders.yaml").read_text("utf-8"), "yaml", "lenders.yaml")
        borrowers = read_borrowers((directory / "borrowers.csv").read_text("utf-8"), "csv", "borrowers.csv")
        loans = read_portfolio((directory / "portfolio.csv").read_text("utf-8"), "csv", "portfolio.csv")
        for refused in (*lenders.errors, *borrowers.errors, *loans.errors):
            raise refused
        story = read_story((directory / "story.yaml").read_text("utf-8"), loans.rows)
        return cls(tuple(lenders.rows), tuple(borrowers.rows), tuple(loans.rows), story)

    def loan(self, scene: Scene) -> LoanRecord:
        return next(one for one in self.loans if (one.lender, one.loan) == (scene.lender, scene.loan))

    def scenes(self) -> list[Scene]:
        return list(scenes(self.story, self.loans, {one.id: one for one in self.lenders}))


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A pack that was published while the loans ran. `at` is business time, aware UTC."""

    at: datetime
    before: Pack
    after: Pack


@dataclass(slots=True)
class Run:
    """A demo that is up: what its report and its guests need."""

    session: Session
    sandbox: Sandbox
    server: ServerAddress
    directory: Path
    book: Book
    took: dict[str, float] = field(default_factory=dict)
    policies: list[PolicyChange] = field(default_factory=list)


@asynccontextmanager
async def house(directory: Path, clock: Callable[[], datetime], say: Console) -> AsyncIterator[Run]:
    """Server, sandbox, ledger and worker, all fresh and all stopped at the end."""
    await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)
    await asyncio.to_thread(directory.mkdir, parents=True)
    book = Book.read(EXAMPLES)
    server = await _server(directory / "temporal")
    try:
        async with Sandbox(directory / "outbox") as sandbox:
            _introduce(book, server.address, sandbox, say)
            ledger = f"sqlite:///{directory / 'ledger.db'}"
            async with session(clock=clock, ledger=ledger, target=server.address.target, sandbox=True) as opened:
                environment = {
                    **os.environ,
                    **sandbox.environment(),
                    "DUECOURSE_LEDGER": ledger,
                    "DUECOURSE_SEND": "on",  # to the sandbox, which delivers to nobody
                    "TEMPORAL_ADDRESS": server.address.target,
                }
                async with _worker(directory / "worker.log", environment):
                    yield Run(opened, sandbox, server.address, directory, book)
    finally:
        await server.stop()


PublishPolicy = Callable[[Run, Publish, Console], Awaitable[None]]


async def live_through(run: Run, say: Console, publish: PublishPolicy) -> None:
    """Import the book on the story's first day and live through it, with its facts and its changes of policy."""
    story = run.book.story
    await set_book(run.session, story.begins)
    waiting = run.book.scenes()
    first = [scene for scene in waiting if scene.fact is None and scene.at <= story.begins]
    waiting = [scene for scene in waiting if scene not in first]
    began = time.monotonic()
    with _progress(say) as progress:
        task = progress.add_task("importing", total=len(first))

        def imported(_: Imported) -> None:
            progress.advance(task)

        await import_book(
            run.session,
            run.book.lenders,
            run.book.borrowers,
            [run.book.loan(scene) for scene in first],
            on_loan=imported,
        )
        run.took["import"] = time.monotonic() - began
        began = time.monotonic()
        task = progress.add_task("living", total=(story.ends - story.begins).days)

        async def on_step(step: Step) -> None:
            progress.update(
                task,
                completed=(step.at - story.begins) / timedelta(days=1),
                description=f"{step.at:%d %b %Y}, {len(step.open)} loans open",
            )

        upcoming: list[Scene | Publish] = [*waiting, *story.publications]
        for scene in sorted(upcoming, key=lambda one: one.at):
            # To the minute of the scene, so that a loan that starts in it starts on its own day.
            await fast_forward(run.session, scene.at, on_step=on_step)
            match scene:
                case Scene():
                    await _play(run, scene, progress.console)
                case Publish():
                    await publish(run, scene, progress.console)
        await fast_forward(run.session, story.ends, on_step=on_step)
        run.took["fast-forward"] = time.monotonic() - began


def _introduce(book: Book, server: ServerAddress, sandbox: Sandbox, say: Console) -> None:
    names = " and ".join(one.name for one in book.lenders)
    say.print(
        f"{len(book.loans)} loans of {names}, lived through from {book.story.begins:%d %b %Y} to "
        f"{book.story.ends:%d %b %Y} on a real Temporal server. Nothing leaves this machine.\n"
        f"Web UI {server.ui}   messages {sandbox.sms_url}\n",
        highlight=False,
    )


async def _play(run: Run, scene: Scene, say: Console) -> None:
    """Let one scene happen, and say so."""
    if scene.fact is None:
        record = run.book.loan(scene)
        lenders = [one for one in run.book.lenders if one.id == scene.lender]
        await import_book(run.session, lenders, run.book.borrowers, [record])
        what = "starts"
    else:
        await record_facts(run.session, scene.lender, scene.loan, [scene.fact])
        what = scene.fact.kind.replace("_", " ")
    if scene.note:
        say.print(f"  {scene.at:%d %b} {scene.loan}: {what}. {scene.note}", highlight=False)


def _progress(say: Console) -> Progress:
    return Progress(TextColumn("{task.description:<34}"), BarColumn(), TimeElapsedColumn(), console=say, transient=True)


async def _server(directory: Path) -> EmbeddedServer:
    """The embedded server with its Web UI on the usual port, or on a free one where that is taken."""
    server = EmbeddedServer(directory, ui_port=UI_PORT)
    try:
        await server.start()
    except ServerPortTaken:
        server = EmbeddedServer(directory, ui_port=0)
        await server.start()
    return server


@asynccontextmanager
async def _worker(log: Path, environment: Mapping[str, str]) -> AsyncIterator[None]:
    """A real worker process for all queues; asked to drain at the end, by its process id."""
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "worker.py", cwd=ROOT, env=dict(environment), stdout=out, stderr=out
        )
        try:
            if process.returncode is not None:
                raise Unavailable(f"the worker did not start; see {log}")
            yield
        finally:
            if process.returncode is None:
                process.terminate()
                try:
                    async with asyncio.timeout(WORKER_STOPS_WITHIN):
                        await process.wait()
                except TimeoutError:
                    process.kill()
                    await process.wait()


async def run_demo(
    *,
    keep: bool,
    directory: Path,
    say: Console,
    clock: Callable[[], datetime],
    publish: PublishPolicy,
    report: Callable[[Run, Console], Awaitable[None]],
) -> int:
    """Run the whole demo and print its report; with `keep`, everything stays up until Ctrl-C. Gives the exit code.

    `publish` carries out the story's changes of policy.
    """
    began = time.monotonic()
    async with house(directory, clock, say) as run:
        await live_through(run, say, publish)
        await report(run, say)
        took = time.monotonic() - began
        say.print(
            f"\n{len(run.book.loans)} loans lived through {(run.book.story.ends - run.book.story.begins).days} days "
            f"in {took:.0f} s.\nWeb UI {run.server.ui}   messages {directory / 'outbox'}   worker log "
            f"{directory / 'worker.log'}",
            highlight=False,
            soft_wrap=True,
        )
        if keep:
            await _until_interrupted(run, say)
    return 0


async def _until_interrupted(run: Run, say: Console) -> None:
    """Server, worker and Web UI stay up; the loans' clocks go on at the pace of real time."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    say.print(
        f"\nStill running: Web UI {run.server.ui}, messages {run.sandbox.sms_url}. In another terminal:\n"
        f"  export DUECOURSE_LEDGER=sqlite:///{run.directory / 'ledger.db'} TEMPORAL_ADDRESS={run.server.target}\n"
        "  .venv/bin/python starter.py list\n"
        "Ctrl-C ends it.",
        highlight=False,
    )
    await stop.wait()
