"""A stand-in for a loan: something to do at a fixed hour of each day, and nothing of the product's own rules."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel
from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    import structlog

    from duecourse.engine.business_time import activity_now


class Diary(BaseModel):
    """What the stand-in remembers: `acted` on its own clock, `told` by its activities' clock."""

    hour: int
    minute: int = 0
    days: int
    every_days: int = 1
    days_per_run: int = 10
    acted: list[datetime] = []
    told: list[datetime] = []
    nudges: int = 0
    began: datetime | None = None


@activity.defn
async def say_the_time() -> datetime:
    return activity_now()


@workflow.defn
class DailyLoan:
    @workflow.init
    def __init__(self, diary: Diary) -> None:
        self._diary = diary
        self._next: datetime | None = None

    @workflow.run
    async def run(self, diary: Diary) -> Diary:
        if self._diary.began is None:
            self._diary.began = workflow.now()
        acted_in_this_run = 0
        while len(self._diary.acted) < self._diary.days:
            self._next = self._next_moment()
            while workflow.now() < self._next:
                nudges = self._diary.nudges
                try:
                    await workflow.wait_condition(
                        lambda known=nudges: self._diary.nudges > known,  # type: ignore[misc]
                        timeout=self._next - workflow.now(),
                    )
                except TimeoutError:
                    pass
            self._diary.acted.append(workflow.now())
            self._diary.told.append(
                await workflow.execute_activity(say_the_time, start_to_close_timeout=timedelta(seconds=10))
            )
            acted_in_this_run += 1
            if acted_in_this_run >= self._diary.days_per_run:
                workflow.continue_as_new(self._diary)
        self._next = None
        return self._diary

    def _next_moment(self) -> datetime:
        now = workflow.now()
        last = self._diary.acted[-1] if self._diary.acted else None
        moment = (last or now).replace(hour=self._diary.hour, minute=self._diary.minute, second=0, microsecond=0)
        if last is not None:
            return moment + timedelta(days=self._diary.every_days)
        return moment if moment > now else moment + timedelta(days=1)

    @workflow.query
    def diary(self) -> Diary:
        return self._diary

    @workflow.query
    def next_moment(self) -> datetime | None:
        return self._next

    @workflow.signal
    def nudge(self, by: int) -> None:
        self._diary.nudges += by

    @workflow.update
    def nudge_and_tell(self, by: int) -> int:
        self._diary.nudges += by
        return self._diary.nudges


@activity.defn
async def say_hello() -> None:
    structlog.get_logger().info("hello")
    activity.logger.info("hello again")


@workflow.defn
class OneLine:
    """Says one thing, and has one thing said."""

    @workflow.run
    async def run(self) -> None:
        workflow.logger.info("stage entered", extra={"stage": "due"})
        await workflow.execute_activity(say_hello, start_to_close_timeout=timedelta(seconds=10))
        await workflow.sleep(0.01)
