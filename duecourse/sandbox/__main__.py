"""`python -m duecourse.sandbox --dir D --smtp-port P --http-port P`: the sandbox by itself, until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from duecourse.sandbox.server import Sandbox


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m duecourse.sandbox", description=__doc__)
    parser.add_argument("--dir", type=Path, default=Path(".duecourse/sandbox"), help="where messages are kept")
    parser.add_argument("--smtp-port", type=int, default=2525)
    parser.add_argument("--http-port", type=int, default=8025)
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 inside a container")
    given = parser.parse_args()
    sandbox = Sandbox(given.dir, smtp_port=given.smtp_port, http_port=given.http_port, host=given.host)
    try:
        asyncio.run(_serve(sandbox))
    except OSError as error:
        sys.stderr.write(f"the sandbox cannot listen: {error}; choose other ports with --smtp-port and --http-port\n")
        return 6
    return 0


async def _serve(sandbox: Sandbox) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with sandbox:
        for name, value in sandbox.environment().items():
            sys.stdout.write(f"export {name}='{value}'\n")
        sys.stdout.write(f"# messages: {sandbox.sms_url}/ and {sandbox.directory}/\n")
        sys.stdout.flush()
        await ended.wait()


if __name__ == "__main__":
    raise SystemExit(main())
