"""The recorded histories: where they lie, and how they are read and replayed.

Each is one run of one small synthetic loan on a real server, as `python -m tests.replay.record` wrote it. A loan that
is running when a new build takes it over is replayed from just such a history.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from duecourse.engine.connect import plugin
from workflows.loan import LoanWorkflow

FOLDER = Path(__file__).resolve().parents[1] / "histories"
RECORD_ANEW = "python -m tests.replay.record"
REPLAY = "python -m tests.replay.histories"


def recorded() -> tuple[Path, ...]:
    """The files, sorted by name: `<path>.<run>.json`."""
    return tuple(sorted(FOLDER.glob("*.json")))


def read(file: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(file.stem, file.read_text("utf-8"))


async def replay(history: WorkflowHistory) -> Exception | None:
    """What the workflow of today has against this history; None when it does the same again."""
    replayer = Replayer(workflows=[LoanWorkflow], plugins=[plugin()])
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    return result.replay_failure


def texts(value: Any) -> Iterator[str]:
    """Every string in a parsed JSON document, keys included."""
    match value:
        case str():
            yield value
        case dict():
            for key, inner in value.items():
                yield key
                yield from texts(inner)
        case list():
            for inner in value:
                yield from texts(inner)
        case _:
            pass


async def main() -> int:
    """Replay all; prints what failed."""
    failed = 0
    for file in recorded():
        failure = await replay(read(file))
        if failure is not None:
            failed += 1
            print(f"{file.name}: {failure}")
    print(json.dumps({"replayed": len(recorded()), "failed": failed}))
    return 1 if failed else 0


if __name__ == "__main__":
    import asyncio
    import os
    import sys

    code = asyncio.run(main())
    sys.stdout.flush()
    os._exit(code)  # the SDK can abort the interpreter while it exits
