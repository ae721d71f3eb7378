"""The messages of the empty workflow: outside its sandbox, as ours are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Ask:
    loan: str
    number: int


@dataclass(frozen=True)
class Waits:
    """The moments at which to act (aware UTC), and which activity."""

    loan: str
    moments: tuple[datetime, ...]
    activity: str
