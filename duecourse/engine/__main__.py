"""`python -m duecourse.engine`: the embedded Temporal server with its Web UI, on its usual ports, until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from duecourse.engine.pool import stop_on_signals
from duecourse.engine.server import EmbeddedServer
from duecourse.errors import DuecourseError

DIRECTORY = Path(".duecourse/temporal")
PORT, UI_PORT = 7233, 8233


async def serve() -> None:
    """Run the server, with the search attributes of loans, on one file that a later start goes on with."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    async with EmbeddedServer(DIRECTORY, port=PORT, ui_port=UI_PORT) as server:
        sys.stdout.write(f"Temporal {server.address.target}   Web UI {server.address.ui}   Ctrl-C ends it\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> int:
    """Run, and give the exit code."""
    argparse.ArgumentParser(prog="python -m duecourse.engine", description=__doc__).parse_args()  # it takes none
    try:
        asyncio.run(serve())
    except DuecourseError as refused:
        sys.stderr.write(f"server: {refused}\n")
        return refused.exit_code
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
