"""Start, steer and explain loans from the command line: `python starter.py --help`.

The entry alone reads the real clock; the commands are in duecourse/cli. Exit codes follow the class of the error
(duecourse/errors.py): 2 refused input, 3 unknown, 4 conflict, 5 not allowed, 6 something cannot be reached.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime

import typer

from duecourse.cli import decide
from duecourse.cli.desk import say_error, write_json
from duecourse.errors import DuecourseError

UsageError: type[typer.BadParameter] = typer.BadParameter.__mro__[1]  # typer exports no name for it
USAGE_ERROR = 2
INTERRUPTED = 130


def clock() -> datetime:
    """Real time, aware UTC."""
    return datetime.now(UTC)


def application(arguments: Sequence[str]) -> typer.Typer:
    """The command line. `decide` is loaded without Temporal and the ledger: it answers in a fraction of a second."""
    app = typer.Typer(
        name="starter.py",
        help="Duecourse: start, steer and explain loans.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )

    @app.callback()
    def _commands() -> None:
        """Duecourse: start, steer and explain loans."""

    decide.add_to(app)
    if arguments[:1] != ["decide"]:
        from duecourse.cli import acts, book, facts, inbox, operate, packs, record, views

        for group in (book, record, facts, inbox, views, acts, operate, packs):
            group.add_to(app)
    return app


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code. Errors that are expected are one line, or JSON with --json."""
    as_json = "--json" in arguments
    try:
        code = application(arguments)(list(arguments), prog_name="starter.py", standalone_mode=False, obj=clock)
    except DuecourseError as error:
        return say_error(error, as_json=as_json)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except UsageError as error:
        message = error.format_message()
        if as_json:
            shown = {"type": "UsageError", "exit_code": USAGE_ERROR, "message": message}
            write_json(sys.stderr, {"error": shown})
        else:
            sys.stderr.write(f"{message}\n" if not arguments else f"starter.py: {message}\n")
        return USAGE_ERROR
    except Exception:
        traceback.print_exc()
        return DuecourseError.exit_code
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    exit_code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # The SDK can abort the interpreter while it exits; everything is said and written by now.
    os._exit(exit_code)
