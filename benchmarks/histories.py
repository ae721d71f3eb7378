"""What a history says of each contact: how many events, how many bytes, and when the step was over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent


@dataclass(frozen=True, slots=True)
class Contact:
    """One step: from its timer's start to the end of the workflow task that took the activity's result."""

    number: int  # 0 for the workflow's first measured contact
    due: datetime  # when the timer was to fire
    over: datetime
    events: int
    size: int  # bytes of these events as Temporal stores and sends them


def contacts_in(events: Sequence[HistoryEvent], since: datetime) -> list[Contact]:
    """The completed contacts whose activity was scheduled at or after `since` (aware UTC)."""
    found: list[Contact] = []
    for index, event in enumerate(events):
        if event.event_type != EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED or _at(event) < since:
            continue
        first = _before(events, index, EventType.EVENT_TYPE_TIMER_STARTED)
        done = _after(events, index, EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
        last = None if done is None else _after(events, done, EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
        if first is None or last is None:
            continue
        step = events[first : last + 1]
        timeout = events[first].timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
        found.append(
            Contact(
                number=len(found),
                due=_at(events[first]) + timeout,
                over=_at(events[last]),
                events=len(step),
                size=sum(one.ByteSize() for one in step),
            )
        )
    return found


def _at(event: HistoryEvent) -> datetime:
    return event.event_time.ToDatetime(tzinfo=UTC)


def _before(events: Sequence[HistoryEvent], index: int, kind: EventType.ValueType) -> int | None:
    return next((i for i in range(index, -1, -1) if events[i].event_type == kind), None)


def _after(events: Sequence[HistoryEvent], index: int, kind: EventType.ValueType) -> int | None:
    return next((i for i in range(index, len(events)) if events[i].event_type == kind), None)
