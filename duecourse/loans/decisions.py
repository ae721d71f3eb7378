"""What a loan wants next, and the plan that says when it lawfully can."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict


class Wait(BaseModel):
    model_config = ConfigDict(frozen=True)

    until: datetime
    why: str


class Contact(BaseModel):
    """Decide, and perhaps send, this rung now; `closes` bounds this one activity."""

    model_config = ConfigDict(frozen=True)

    episode: str
    installment: str
    rung: str
    channel: str
    closes: datetime

    @property
    def claim(self) -> str:
        return f"{self.episode}/{self.installment}/{self.rung}"


class Review(BaseModel):
    """A person must look: this rung is theirs to decide, or no channel is left on which a notice could arrive."""

    model_config = ConfigDict(frozen=True)

    episode: str
    installment: str
    rung: str

    @property
    def claim(self) -> str:
        return f"{self.episode}/{self.installment}/{self.rung}"


class Close(BaseModel):
    model_config = ConfigDict(frozen=True)

    reason: Literal["paid", "closed"]


Next = Wait | Contact | Review | Close


class Plan(BaseModel):
    """The lawful window of the next rung, as the ledger's side last computed it.

    `seq` is the loan sequence it was computed from: an older plan never replaces a newer one.
    """

    model_config = ConfigDict(frozen=True)

    rung: str
    installment: str
    episode: str
    channel: str
    planned_at: AwareDatetime
    closes: AwareDatetime
    seq: int
