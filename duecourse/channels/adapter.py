"""The contract between the contact activity and a provider.

A call makes exactly one attempt; Temporal owns retries. How it ends is typed by what is known:
accepted (a value), certainly not accepted (RetryLater, Rejected), or not known (OutcomeUnknown).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class Idempotency(StrEnum):
    """What a repeat after a crash can rely on."""

    NATIVE_KEY = "native_key"  # the same key and bytes may be sent again
    LOOKUP = "lookup"  # a send can be found again by our reference
    NONE = "none"  # a repeat may be a duplicate: never repeated


@dataclass(frozen=True, slots=True)
class Capabilities:
    idempotency: Idempotency
    timeout: timedelta  # of one attempt, connection included
    settle: timedelta = timedelta(0)  # how long after a call its trace may still be missing
    lookup_complete: bool = False  # absent after `settle` means: not accepted
    window: timedelta | None = None  # how long after the first call a native key still holds; None for ever


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message as it goes on the wire. Byte-identical for the same contact id.

    `deadline` is wall-clock monotonic seconds (time.monotonic()) after which no call may be made;
    the adapter checks it as late as it can, in the transport.
    """

    contact_id: str
    address: str
    sender: str
    subject: str | None
    text: str
    html: str | None
    language: str
    at: datetime  # business time, aware UTC, fixed per contact (the mail's Date)
    deadline: float
    obligation: str | None = None
    may_send: Callable[[], None] = lambda: None  # raises if a newer attempt owns the contact


@dataclass(frozen=True, slots=True)
class Accepted:
    provider_id: str


class NotSent(Exception):
    """Certainly not accepted by the provider."""


class RetryLater(NotSent):
    """Worth another attempt; `after` if the provider said when."""

    def __init__(self, reason: str, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Rejected(NotSent):
    """Refused for good: invalid address, blocked, unsubscribed at the provider."""


class DeadlinePassed(NotSent):
    """The attempt's deadline passed before the call was made."""


class OutcomeUnknown(Exception):
    """The call may or may not have been accepted (time-out or close after the request left)."""


class LookUpFailed(Exception):
    """The provider could not be asked, or not wholly: the outcome is as unknown as it was before.

    Not a `NotSent`: whoever released the reservation on it would send twice.
    """


def in_time(message: Outgoing) -> None:
    """Whether it is worth connecting at all. Raises DeadlinePassed when the attempt's deadline is over."""
    if time.monotonic() >= message.deadline:
        raise DeadlinePassed("the attempt's deadline passed before the message left; nothing was sent")


def may_leave(message: Outgoing) -> None:
    """Call once, as late as possible: right before the bytes that the provider acts upon leave.

    Raises:
        DeadlinePassed: the attempt's deadline is over; nothing was sent.
        Exception: whatever `message.may_send` raises when a newer attempt owns the contact.
    """
    message.may_send()
    # After `may_send`, which asks the ledger and may take its time.
    in_time(message)


class Adapter(Protocol):
    channel: str
    provider: str  # written down with each contact, so that it is asked there and nowhere else
    capabilities: Capabilities

    async def send(self, message: Outgoing) -> Accepted: ...

    async def look_up(self, message: Outgoing, since: datetime) -> Accepted | None:
        """Find an earlier send of this message; None if the provider does not show one.

        `since` is the business time (aware UTC) at which the first attempt began. The whole message is given,
        because some providers keep no reference of ours: there address and text must do.

        Raises:
            LookUpFailed: the provider could not be asked.
        """
        ...

    async def close(self) -> None: ...
