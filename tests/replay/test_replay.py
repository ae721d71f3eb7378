"""Every recorded history replays on the workflow of today, in processes with different hash seeds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType

from duecourse.loans.intake import read_borrowers
from tests.replay.histories import FOLDER, RECORD_ANEW, REPLAY, read, recorded, replay
from workflows.contracts import CONTACT_ACTIVITY, RECORD_ACTIVITY, REVIEW_ACTIVITY, SETTLE_ACTIVITY

ROOT = Path(__file__).resolve().parents[2]
BROKEN = (
    f"{{output}}\nThe workflow no longer does what these histories say: loans in flight would stop at their next "
    f"task. Keep the order of its timers and activities, or guard the change with workflow.patched. See one failure "
    f"with `{REPLAY}`. Where running loans may be left behind on purpose: `{RECORD_ANEW}`."
)


@pytest.mark.parametrize("seed", ["1", "4242"])
def test_all_histories_replay_whatever_the_hash_seed(seed: str) -> None:
    """The order of a set differs from process to process; nothing in the workflow may depend on it."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.replay.histories"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert run.returncode == 0, BROKEN.format(output=run.stdout + run.stderr)
    assert json.loads(run.stdout.splitlines()[-1]) == {"replayed": len(recorded()), "failed": 0}


async def test_a_workflow_that_does_something_else_is_found_out() -> None:
    """The same history with another activity in the place of the first: this must not replay."""
    history = read(FOLDER / "plain_ladder.1.json")
    scheduled = next(
        event for event in history.events if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    )
    scheduled.activity_task_scheduled_event_attributes.activity_type.name = "something_else"
    failure = await replay(history)
    assert failure is not None
    assert "something_else" in str(failure) or "nondetermin" in str(failure).lower()


def test_the_histories_cover_every_path_of_the_loop() -> None:
    """Each activity, each way in, each way out; recorded anew, none may get lost."""
    events = [event for file in recorded() for event in read(file).events]
    activities = {
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    }
    assert activities == {CONTACT_ACTIVITY, SETTLE_ACTIVITY, REVIEW_ACTIVITY, RECORD_ACTIVITY}
    kinds = {event.event_type for event in events}
    for kind in (
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
        EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
        EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
        EventType.EVENT_TYPE_TIMER_CANCELED,
        EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    ):
        assert kind in kinds, EventType.Name(kind)


def test_no_history_holds_anything_personal() -> None:
    """Neither of the example people nor of those who were recorded: ids, amounts, dates and rule ids only."""
    sheet = read_borrowers((ROOT / "examples/borrowers.csv").read_text("utf-8"), "csv", "borrowers.csv")
    assert not sheet.errors
    personal = ["Sample Person", "13800138", "house.example", "Sample Road"]
    for person in sheet.rows:
        personal += [text for text in (person.name, person.phone, person.email, *person.address) if text]
    for file in recorded():
        content = _decoded(read(file).events) + file.read_bytes()
        found = [text for text in personal if text.encode() in content]
        assert not found, f"{file.name} holds {len(found)} personal values: a payload says more than ids"


def test_the_search_for_personal_values_would_find_one() -> None:
    """Payloads are base64 in the files: looked into as bytes, a name in one of them is seen."""
    history = read(FOLDER / "plain_ladder.1.json")
    assert b"plain-ladder" in _decoded(history.events)  # the lender's id, in the payload of the start


def _decoded(events: Sequence[object]) -> bytes:
    return b"".join(event.SerializeToString() for event in events)  # type: ignore[attr-defined]  # protobuf messages
