"""One decorator for all commands: it adds the options that all share, runs the command, and prints its answer."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

import typer

from duecourse.cli.desk import Answer, Desk

Needs = Literal["nothing", "ledger", "temporal"]
Act = TypeVar("Act", bound=Callable[..., Awaitable[Answer]])

DEFAULT_LEDGER = "sqlite:///.duecourse/ledger.db"

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text; errors too.")]
LedgerUrl = Annotated[
    str, typer.Option(envvar="DUECOURSE_LEDGER", help="sqlite:///FILE or postgresql+psycopg://...", show_default=True)
]
Address = Annotated[
    str | None, typer.Option(envvar="TEMPORAL_ADDRESS", help="Temporal's host:port; else its profile file.")
]
LoanId = Annotated[str, typer.Argument(metavar="LOAN", help="The loan's id.")]
LenderId = Annotated[str | None, typer.Option("--lender", help="Its lender, where several have a loan of that id.")]

_SHARED: dict[Needs, dict[str, tuple[Any, Any]]] = {
    "nothing": {"as_json": (Json, False)},
    "ledger": {"ledger": (LedgerUrl, DEFAULT_LEDGER), "as_json": (Json, False)},
    "temporal": {"ledger": (LedgerUrl, DEFAULT_LEDGER), "address": (Address, None), "as_json": (Json, False)},
}


def command(app: typer.Typer, name: str, *, needs: Needs) -> Callable[[Act], Act]:
    """Make an async function `act(desk, ...) -> Answer` a command; its docstring is the help."""

    def register(act: Act) -> Act:
        hints = get_type_hints(act, include_extras=True)
        _, *own = inspect.signature(act).parameters.values()
        shared = _SHARED[needs]

        def run(context: typer.Context, **given: Any) -> int:
            common = {option: given.pop(option) for option in shared}
            desk = _desk(context.obj, **common)

            async def answer() -> int:
                return desk.give(await act(desk, **given))

            return asyncio.run(answer())

        parameters = [inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
        parameters += [one.replace(annotation=hints[one.name], kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
        parameters += [
            inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for option, (annotation, default) in shared.items()
        ]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads options from it
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        run.__doc__ = act.__doc__
        app.command(name)(run)
        return act

    return register


def _desk(clock: Callable[[], datetime], *, as_json: bool, ledger: str = "", address: str | None = None) -> Desk:
    return Desk(clock, as_json, ledger, address)
