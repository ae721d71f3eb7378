"""Take receipts, replies and facts by HTTP: `python receiver.py --host 127.0.0.1 --port 8090`.

Configured by DUECOURSE_LEDGER and the variables of duecourse/receiving/settings.py. It needs no Temporal server to
answer: what it records, the relay tells the loans (`worker.py --queues relay`), as it does with all that was not told.
TLS is the proxy's before it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import uvicorn

from duecourse.engine.logs import configure_logging
from duecourse.errors import DuecourseError
from duecourse.ledger.store import Ledger
from duecourse.receiving.app import Receiver
from duecourse.receiving.settings import ReceiverSettings

DEFAULT_LEDGER = "sqlite:///.duecourse/ledger.db"


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code."""
    parser = argparse.ArgumentParser(prog="receiver.py", description="Take receipts, replies and facts by HTTP.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    options = parser.parse_args(arguments)
    configure_logging(level=os.environ.get("DUECOURSE_LOG_LEVEL", "INFO"))
    try:
        settings = ReceiverSettings.from_environment(os.environ)
        ledger = Ledger.open(os.environ.get("DUECOURSE_LEDGER", DEFAULT_LEDGER))
    except DuecourseError as refused:
        sys.stderr.write(f"receiver: {refused}\n")
        return refused.exit_code
    try:
        app = Receiver(ledger, settings, lambda: datetime.now(UTC)).app()
        # No access log: addresses there carry our references, and a proxy keeps its own.
        uvicorn.run(app, host=options.host, port=options.port, log_config=None, access_log=False, lifespan="off")
    finally:
        ledger.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
