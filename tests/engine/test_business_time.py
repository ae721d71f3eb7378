"""The clock of an activity."""

from __future__ import annotations

import dataclasses
import time
from datetime import UTC, datetime, timedelta

import pytest
from temporalio import activity
from temporalio.testing import ActivityEnvironment

from duecourse.engine.business_time import activity_now

BEGAN = datetime(2027, 3, 14, 9, 0, tzinfo=UTC)


def environment(*, attempt: int = 1, started: datetime = BEGAN) -> ActivityEnvironment:
    env = ActivityEnvironment()
    env.info = dataclasses.replace(env.default_info(), started_time=started, attempt=attempt)
    return env


@activity.defn
async def ask_twice() -> tuple[datetime, datetime, float]:
    first, real = activity_now(), time.monotonic()
    while time.monotonic() - real < 0.05:
        pass
    second = activity_now()
    return first, second, time.monotonic() - real


async def test_it_is_the_attempts_start_plus_what_has_really_passed() -> None:
    first, second, passed = await environment().run(ask_twice)
    assert timedelta(0) <= first - BEGAN < timedelta(milliseconds=50)
    assert timedelta(milliseconds=50) <= second - first <= timedelta(seconds=passed)


async def test_a_later_attempt_in_the_same_context_has_its_own_start() -> None:
    await environment().run(ask_twice)
    later = BEGAN + timedelta(days=1)
    first, _, _ = await environment(attempt=2, started=later).run(ask_twice)
    assert timedelta(0) <= first - later < timedelta(milliseconds=50)


async def test_it_has_no_meaning_outside_an_activity() -> None:
    with pytest.raises(RuntimeError, match="activity"):
        activity_now()
