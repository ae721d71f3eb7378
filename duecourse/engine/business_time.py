"""Business time: the instant at which an activity acts, in the loan's own time.

The server's clock for a loan is real in production and virtual while the loan is fast-forwarded. Each attempt of an
activity is told when it started on that clock; what has passed since then is real. One rule serves both.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from datetime import datetime, timedelta

from temporalio import activity

_attempt_began: ContextVar[tuple[bytes, str, int, float] | None] = ContextVar("_attempt_began", default=None)


def activity_now() -> datetime:
    """Business time now, aware UTC: the start of this attempt on the engine's clock plus the time it has run.

    Callable only inside an activity, whether asynchronous or in a thread.
    """
    began = mark_attempt_began()
    return activity.info().started_time + timedelta(seconds=time.monotonic() - began)


def mark_attempt_began() -> float:
    """The monotonic instant at which this attempt began, remembered at the first call.

    Workers call it before the activity's own code (see `observe.py`); where no worker does, as in a test that runs an
    activity by itself, the attempt begins with the first question for the time.
    """
    info = activity.info()
    known = _attempt_began.get()
    # One context may run several activities in turn (a test does), so the mark is worth nothing to another attempt.
    if known is not None and known[:3] == (info.task_token, info.activity_id, info.attempt):
        return known[3]
    began = time.monotonic()
    _attempt_began.set((info.task_token, info.activity_id, info.attempt, began))
    return began
