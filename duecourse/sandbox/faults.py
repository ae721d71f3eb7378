"""What the sandbox can be told to do wrong, for the next messages of a channel."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Moment = Literal["before_acceptance", "after_acceptance"]


class _Trouble(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: Literal["email", "sms"]
    times: int = Field(default=1, ge=1, description="how many messages it hits")
    to: str | None = Field(default=None, description="only messages to this address or number")


class Fail(_Trouble):
    """Refuse the message: an SMTP reply or an HTTP status, and Twilio's error code."""

    kind: Literal["fail"] = "fail"
    status: int = Field(ge=400, le=599)
    code: int | None = None
    retry_after: int | None = Field(default=None, ge=0, description="seconds, for the Retry-After header")
    stage: Literal["recipient", "data"] = Field(default="data", description="of the SMTP conversation")


class Delay(_Trouble):
    """Wait before accepting, then accept and answer."""

    kind: Literal["delay"] = "delay"
    seconds: float = Field(gt=0, le=3600)


class Stall(_Trouble):
    """Hold the answer until the sandbox is told to release it, or stops."""

    kind: Literal["stall"] = "stall"
    when: Moment = "after_acceptance"


class Drop(_Trouble):
    """Close the connection instead of answering."""

    kind: Literal["drop"] = "drop"
    when: Moment = "after_acceptance"


Fault = Annotated[Fail | Delay | Stall | Drop, Field(discriminator="kind")]


class Faults:
    """The troubles still to come, in the order in which they were asked for; each message meets at most one."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fault, int]] = []
        self._released = asyncio.Event()

    def add(self, fault: Fault) -> None:
        self._waiting.append((fault, fault.times))

    def clear(self) -> None:
        """Forget the troubles to come and let go of the answers that are held."""
        self._waiting.clear()
        self._released.set()
        self._released = asyncio.Event()

    def waiting(self) -> list[Fault]:
        """What is still to come, with the number of messages left to hit."""
        return [fault.model_copy(update={"times": left}) for fault, left in self._waiting]

    def peek(self, channel: str, address: str) -> Fault | None:
        """The trouble that the next message to this address will meet."""
        index = self._index(channel, address)
        return None if index is None else self._waiting[index][0]

    def take(self, channel: str, address: str) -> Fault | None:
        """The same, and count it as met."""
        index = self._index(channel, address)
        if index is None:
            return None
        fault, left = self._waiting[index]
        if left > 1:
            self._waiting[index] = (fault, left - 1)
        else:
            del self._waiting[index]
        return fault

    async def until_released(self) -> None:
        await self._released.wait()

    def _index(self, channel: str, address: str) -> int | None:
        for index, (fault, _) in enumerate(self._waiting):
            if fault.channel == channel and fault.to in {None, address}:
                return index
        return None
