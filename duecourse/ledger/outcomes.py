"""How a reservation ends: with a contact to make, one to clear up, or an answer that is already recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from duecourse.ledger.dossier import ContactPoint, ContactRow, Dossier
from duecourse.ledger.verdicts import Judged
from duecourse.loans.decisions import Plan
from duecourse.loans.facts import Contacted, Decided, Fact
from duecourse.loans.loan import Candidate
from duecourse.treatments.ladder import Rung

Outcome = Literal["sent", "deferred", "withheld", "review", "moot", "try_next", "unknown", "task", "shadow"]

_OF_CONTACT: dict[str, Outcome] = {
    "accepted": "sent",
    "delivered": "sent",
    "failed": "sent",
    "unknown": "unknown",
    "shadow": "shadow",
}
_OF_DECISION: dict[str, Outcome] = {
    "deferred": "deferred",
    "failed": "deferred",
    "withheld": "withheld",
    "expired": "withheld",
    "overtaken": "withheld",
    "skipped": "withheld",
    "review": "review",
    "try_next": "try_next",
    "task": "task",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One rung that a loan wants decided on one channel; `seq` is the last row that the loan has applied."""

    lender: str
    loan: str
    episode: str
    installment: str
    rung: str
    channel: str
    closes: datetime
    seq: int

    @property
    def key(self) -> tuple[str, str, str]:
        return self.episode, self.installment, self.rung

    @property
    def claim(self) -> str:
        return "/".join(self.key)


@dataclass(frozen=True, slots=True)
class Frozen:
    """A message as it goes on the wire, the same in each attempt. Personal: never logged, never in a history."""

    address: str
    sender: str
    subject: str
    text: str
    html: str
    language: str
    at: datetime  # the date that the message bears
    provider: str  # whom the contact's attempts may call, and nobody else

    def __repr__(self) -> str:
        return "Frozen(...)"


@dataclass(frozen=True, slots=True)
class Reservation:
    """One contact and all that is needed to word it. `attempt` rises with each reservation of the contact."""

    contact: ContactRow
    attempt: int
    rung: Rung
    candidate: Candidate | None  # what is to be worded; None where nothing is any more
    point: ContactPoint
    required_content: tuple[str, ...]
    dossier: Dossier  # the folded loan, the lender's record, the person

    def __repr__(self) -> str:
        return f"Reservation({self.contact.id}, attempt={self.attempt})"


@dataclass(frozen=True, slots=True)
class Reserved:
    """The slot is taken and nothing was sent yet: word it, `mark_sending`, send."""

    reservation: Reservation
    judged: Judged


@dataclass(frozen=True, slots=True)
class Resumed:
    """An earlier attempt may have sent it. Ask the provider after `deadline` plus its settle delay.

    `may_repeat`: the gate permits a send now, so a provider with a native key may get the same bytes again.
    `moot`: the rung is no longer owed; it is only to be cleared up, by look-up, else as unknown.
    """

    reservation: Reservation
    judged: Judged | None
    text: Frozen | None
    since: datetime
    deadline: datetime
    may_repeat: bool
    moot: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """The answer is recorded: the rows after the loan's sequence, and the plan of what is next."""

    outcome: Outcome
    rows: tuple[Fact, ...]
    plan: Plan | None
    judged: Judged | None = None
    opens: datetime | None = None
    closes: datetime | None = None
    next_channel: str | None = None
    shadow: Reservation | None = None  # what would have been sent: word it and `keep_text`, for comparison


Result = Reserved | Resumed | Settled


def outcome_of(row: Fact) -> Outcome:
    """What a row of the ledger means to the loan that asked."""
    match row:
        case Contacted():
            return _OF_CONTACT[row.state]
        case Decided():
            return _OF_DECISION[row.outcome]
        case _:
            return "moot"
