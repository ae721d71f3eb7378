"""Virtual time for one loan: start it on the book's date, ask for its clock, move its clock.

The server can skip time for a single workflow: while nothing of it is at work, its clock leaps to its next timer. Time
skipping is off between fast-forwards, so that the loan waits at its date and takes messages. Two rules, both paid for:

- Never send a loan a message during its fast-forward: the clock may leap past the timer that the message re-arms.
- Keep the target away from the loan's timers (`quiet_moments.py` says why and how far).
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import FastForwardConfig, TimeSkippingConfig, WorkflowExecution
from temporalio.api.enums.v1 import EventType, FastForwardPollingResult, WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    PollWorkflowExecutionTimeSkippingRequest,
    UpdateWorkflowExecutionOptionsRequest,
)
from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    StartWorkflowUpdateWithStartInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)
from temporalio.service import RPCError, RPCStatusCode

from duecourse.errors import NotAllowed, NotFound, Unavailable

# The server's own limit is 200 skips, fewer than a year of daily decisions.
_MOST_SKIPS = 100_000
_TOLERANCE = timedelta(seconds=1)
_TRIES = 5
_DEFAULT_PATIENCE = timedelta(seconds=60)


class ClockMissed(Unavailable):
    """A loan's clock does not stand where it was sent."""

    def __init__(self, workflow_id: str, target: datetime, reached: datetime) -> None:
        self.field = workflow_id
        self.value = reached
        super().__init__(
            f"the clock of {workflow_id} stands at {reached.isoformat()} and should stand at {target.isoformat()}: "
            "nothing may be sent to a loan while it is fast-forwarded, and the target may not follow a timer closely; "
            "run the fast-forward again to the later of the two"
        )


class ClockStalled(Unavailable):
    """A fast-forward waits for a loan that does nothing."""

    def __init__(self, workflow_id: str, stands_at: datetime | None, waited: timedelta) -> None:
        self.field = workflow_id
        self.value = stands_at
        super().__init__(
            f"{workflow_id} has done nothing for {waited.total_seconds():.0f} s"
            f"{f' and stands at {stands_at.isoformat()}' if stands_at else ''}: "
            "see that a worker runs for its queues (`python worker.py`), and in the Web UI whether its task fails"
        )


class NoVirtualTime(NotAllowed):
    """The loan was started without a virtual clock, or the server does not allow one."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """The loan is open and its clock stands at `at` (aware UTC)."""

    workflow_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """The loan has ended; it has no clock any more."""

    workflow_id: str


def clocked(client: Client, *, ahead: timedelta = timedelta(0)) -> Client:
    """A client whose starts get a virtual clock, `ahead` of real time; everything else is as with `client`.

    Covers start and signal-with-start (update-with-start raises NoVirtualTime); a signal to a workflow that runs
    already leaves its clock alone. With `ahead` the workflow's first line runs at real time plus `ahead`: it lives
    through no gap, because its start is delayed by as much as its clock is advanced. Follow a start by `arrive`.
    """
    config = client.config()
    config["interceptors"] = [*config["interceptors"], _Clocked(ahead)]
    return Client(**config)


async def virtual_now(client: Client, workflow_id: str) -> datetime:
    """The workflow's clock now, aware UTC. Raises NotFound; NoVirtualTime when it was started without `clocked`."""
    return (await _look(client, workflow_id)).now


async def arrive(client: Client, workflow_id: str, *, patience: timedelta = _DEFAULT_PATIENCE) -> Arrived | Closed:
    """Wait until a `clocked` start stands on its date and can be asked and told things. Returns at once if it does.

    Raises ClockStalled after `patience` (real time), NotFound, NoVirtualTime.
    """
    seen = await _look(client, workflow_id)
    if seen.open and seen.under_way is not None:
        await _wait_for(client, workflow_id, seen.under_way, patience)
        seen = await _look(client, workflow_id)
    if seen.open and seen.delayed:
        # The clock arrives a moment before the first task, and until then the server refuses queries.
        await _first_task(client, seen, patience)
        seen = await _look(client, workflow_id)
    return Arrived(workflow_id, seen.now) if seen.open else Closed(workflow_id)


async def fast_forward(
    client: Client, workflow_id: str, target: datetime, *, patience: timedelta = _DEFAULT_PATIENCE
) -> Arrived | Closed:
    """Move one workflow's clock to `target` (aware UTC), through all that it does until then, over continue-as-new.

    A clock that is already there or further stays. Raises ClockStalled when the workflow does nothing for `patience`
    (real time), ClockMissed when it went too far or does not get there, NotFound, NoVirtualTime.
    """
    seen = await _look(client, workflow_id)
    for _ in range(_TRIES):
        seen = await _at_rest(client, seen, patience)
        if not seen.open:
            return Closed(workflow_id)
        if seen.clock is None:
            # Started in real time: the smallest fast-forward gives it a clock of its own.
            seen = await _go(client, workflow_id, timedelta(milliseconds=1), patience)
            continue
        gap = target - seen.clock
        if gap <= timedelta(0):
            return Arrived(workflow_id, seen.clock)
        began = time.monotonic()
        seen = await _go(client, workflow_id, gap, patience)
        took = timedelta(seconds=time.monotonic() - began)
        if seen.open and seen.now > target + took + _TOLERANCE:
            raise ClockMissed(workflow_id, target, seen.now)
        if seen.open and seen.now >= target - _TOLERANCE:
            return Arrived(workflow_id, seen.now)
    raise ClockMissed(workflow_id, target, seen.now)


@dataclass(frozen=True, slots=True)
class _Seen:
    workflow_id: str
    open: bool
    clock: datetime | None
    under_way: str | None
    delayed: bool
    thinking: bool
    """A workflow task is scheduled or running."""
    history: int
    run_id: str

    @property
    def now(self) -> datetime:
        if self.clock is None:
            raise NoVirtualTime(
                f"{self.workflow_id} has no virtual clock: it was started in real time, and stays there until it is "
                "fast-forwarded in a sandbox"
            )
        return self.clock


async def _look(client: Client, workflow_id: str) -> _Seen:
    try:
        answer = await client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(
                namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
            ),
            retry=True,
        )
    except RPCError as error:
        raise _typed(error, workflow_id) from error
    info = answer.workflow_execution_info
    skipping = answer.workflow_extended_info.time_skipping_info
    has_clock = answer.workflow_extended_info.HasField("time_skipping_info") and skipping.HasField("current_time")
    config = skipping.effective_config
    return _Seen(
        workflow_id=workflow_id,
        open=info.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING,
        clock=skipping.current_time.ToDatetime(tzinfo=UTC) if has_clock else None,
        # The server switches skipping off when the fast-forward has ended, and does not otherwise tell its state.
        under_way=config.fast_forward_config.id if config.enabled else None,
        delayed=info.execution_time.ToNanoseconds() > info.start_time.ToNanoseconds(),
        thinking=answer.HasField("pending_workflow_task"),
        history=info.history_length,
        run_id=info.execution.run_id,
    )


async def _at_rest(client: Client, seen: _Seen, patience: timedelta) -> _Seen:
    """Wait until no workflow task is under way.

    A fast-forward that begins during one leaps past the timer which that task is about to set: measured on loans
    that had just started.
    """
    began = time.monotonic()
    while seen.open and seen.thinking:
        if time.monotonic() - began > patience.total_seconds():
            raise ClockStalled(seen.workflow_id, seen.clock, patience)
        await asyncio.sleep(0.01)
        seen = await _look(client, seen.workflow_id)
    return seen


async def _go(client: Client, workflow_id: str, gap: timedelta, patience: timedelta) -> _Seen:
    marker = uuid.uuid4().hex
    if await _forward(client, workflow_id, gap, marker):
        await _wait_for(client, workflow_id, marker, patience)
    return await _look(client, workflow_id)


async def _forward(client: Client, workflow_id: str, gap: timedelta, marker: str) -> bool:
    """Begin a fast-forward; False when the workflow has ended."""
    forward = FastForwardConfig(id=marker)
    forward.duration.FromTimedelta(gap)
    try:
        await client.workflow_service.update_workflow_execution_options(
            UpdateWorkflowExecutionOptionsRequest(
                namespace=client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=workflow_id),
                workflow_execution_options=WorkflowExecutionOptions(
                    time_skipping_config=TimeSkippingConfig(
                        enabled=True, max_session_skip_count=_MOST_SKIPS, fast_forward_config=forward
                    )
                ),
                update_mask=FieldMask(paths=["time_skipping_config"]),
                identity=client.identity,
            ),
            retry=True,
        )
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise _typed(error, workflow_id) from error
    return True


async def _wait_for(client: Client, workflow_id: str, marker: str, patience: timedelta) -> None:
    """Wait until the fast-forward `marker` has ended in one way or the other, wherever the clock then stands."""
    request = PollWorkflowExecutionTimeSkippingRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=workflow_id),
        fast_forward_id=marker,
    )
    last, last_change = None, time.monotonic()
    while True:
        try:
            answer = await client.workflow_service.poll_workflow_execution_time_skipping(
                request, timeout=min(timedelta(seconds=10), patience)
            )
        except RPCError as error:
            match error.status:
                case RPCStatusCode.DEADLINE_EXCEEDED | RPCStatusCode.CANCELLED:
                    pass
                case RPCStatusCode.UNAVAILABLE:
                    await asyncio.sleep(0.2)
                case _:
                    raise _typed(error, workflow_id) from error
        else:
            if answer.fast_forward_polling_result in (
                FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED,
                FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_FAILED,
            ):
                return
        seen = await _look(client, workflow_id)
        if not seen.open or seen.under_way != marker:
            return
        if (seen.run_id, seen.history) != last:
            last, last_change = (seen.run_id, seen.history), time.monotonic()
        elif time.monotonic() - last_change > patience.total_seconds():
            raise ClockStalled(workflow_id, seen.clock, patience)


async def _first_task(client: Client, seen: _Seen, patience: timedelta) -> None:
    handle = client.get_workflow_handle(seen.workflow_id, run_id=seen.run_id)
    try:
        async with asyncio.timeout(patience.total_seconds()):
            async for event in handle.fetch_history_events(wait_new_event=True, page_size=10):
                if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
                    return
    except TimeoutError:
        raise ClockStalled(seen.workflow_id, seen.clock, patience) from None


def _typed(error: RPCError, workflow_id: str) -> Exception:
    match error.status:
        case RPCStatusCode.NOT_FOUND:
            return NotFound("workflow", workflow_id, "start the loan first")
        case RPCStatusCode.UNAVAILABLE:
            return Unavailable(f"the Temporal server does not answer ({error.message}): see that it runs")
        case _ if "ime-Skipping feature is not enabled" in error.message or "ime skipping" in error.message:
            return NoVirtualTime(f"this Temporal server allows no virtual time ({error.message}): use the embedded one")
        case _:
            return error


class _Clocked(Interceptor):
    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _ClockedOutbound(next, self._ahead)


class _ClockedOutbound(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, ahead: timedelta) -> None:
        super().__init__(next)
        self._ahead = ahead

    def _config(self) -> TimeSkippingConfig:
        if self._ahead <= timedelta(0):
            return TimeSkippingConfig(enabled=False, max_session_skip_count=_MOST_SKIPS)
        forward = FastForwardConfig(id=uuid.uuid4().hex)
        forward.duration.FromTimedelta(self._ahead)
        return TimeSkippingConfig(enabled=True, max_session_skip_count=_MOST_SKIPS, fast_forward_config=forward)

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        input.time_skipping_config = self._config()
        if self._ahead > timedelta(0):
            input.start_delay = self._ahead
        try:
            return await super().start_workflow(input)
        except RPCError as error:
            raise _typed(error, input.id) from error

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        raise NoVirtualTime(
            "an update-with-start cannot begin on the book's date, because the server delays no such start: "
            "start the loan, or signal it with start"
        )
