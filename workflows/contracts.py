"""Names and messages between starters, workflows, activities and other people's programs.

Nothing here holds personal data: ids, amounts, dates and rule ids only.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from duecourse.loans.decisions import Plan
from duecourse.loans.facts import Fact
from duecourse.loans.loan import Loan

LOAN_WORKFLOW = "LoanWorkflow"
CONTACT_ACTIVITY = "contact"
SETTLE_ACTIVITY = "settle"
REVIEW_ACTIVITY = "open_review"
RECORD_ACTIVITY = "record_facts"

LOANS_QUEUE = "loans"
RELAY_QUEUE = "relay"
CHANNEL_QUEUES = {"sms": "sms", "email": "email", "call": "voice", "letter": "letter"}
QUEUES = (LOANS_QUEUE, *CHANNEL_QUEUES.values(), RELAY_QUEUE)

FACTS = "facts"  # update and signal
APPROVE = "approve"  # update
CLOSE = "close"  # update
STATUS = "status"  # query
RECENT = "recent"  # query

ATTEMPT_TIMEOUT = timedelta(seconds=45)  # start_to_close of one contact attempt
CYCLE = timedelta(days=31)  # a run ends and continues as new at least this often
RECENT_VERDICTS = 5


def loan_workflow_id(lender: str, loan: str) -> str:
    """`loan/<lender>/<loan>`: stable for the life of the loan, and free of personal data."""
    return f"loan/{lender}/{loan}"


class VerdictNote(BaseModel):
    """What Temporal remembers of a verdict: its kind, the rule that bound it, and the ledger's hash."""

    model_config = ConfigDict(frozen=True)

    at: AwareDatetime
    rung: str
    channel: str
    verdict: str
    rule: str = ""
    until: AwareDatetime | None = None
    hash: str = ""


class LoanInput(BaseModel):
    """All state of a loan's workflow, for a start and for continue-as-new alike."""

    loan: Loan
    tier: str
    stage: str | None = None  # what the search attributes show now
    recent: tuple[VerdictNote, ...] = ()


class FactsMessage(BaseModel):
    """Rows of the ledger for one loan, and the plan computed when the message was sent."""

    model_config = ConfigDict(frozen=True)

    batch: tuple[Fact, ...]
    plan: Plan | None = None


class Applied(BaseModel):
    """The answer to a `facts` update: how far the loan has come."""

    seq: int
    stage: str


class ContactRequest(BaseModel):
    """Decide and perhaps send one rung; `seq` is the highest row the loan has applied."""

    model_config = ConfigDict(frozen=True)

    lender: str
    loan: str
    episode: str
    installment: str
    rung: str
    channel: str
    closes: AwareDatetime
    seq: int
    failed: int = 0  # activities for this claim that ended without an answer


ContactOutcome = Literal["sent", "deferred", "withheld", "review", "moot", "try_next", "unknown", "task", "shadow"]


class ContactResult(BaseModel):
    """How a contact ended, with every row after the loan's sequence and the plan of the next rung."""

    model_config = ConfigDict(frozen=True)

    outcome: ContactOutcome
    rows: tuple[Fact, ...] = ()
    plan: Plan | None = None
    note: VerdictNote | None = None
    head: str = ""  # the head of the loan's verdict chain: Temporal's history is its second witness


class SettleRequest(BaseModel):
    """Find out what became of a contact whose activity ended without an answer."""

    model_config = ConfigDict(frozen=True)

    lender: str
    loan: str
    episode: str
    installment: str
    rung: str
    channel: str
    seq: int


class ReviewRequest(BaseModel):
    model_config = ConfigDict(frozen=True)

    lender: str
    loan: str
    episode: str
    installment: str
    rung: str
    seq: int


class RecordRequest(BaseModel):
    """Facts that reached the workflow past the ledger, to be recorded first."""

    model_config = ConfigDict(frozen=True)

    lender: str
    loan: str
    facts: tuple[Fact, ...]
    seq: int


class LoanStatus(BaseModel):
    """What a loan's workflow says of itself."""

    lender: str
    loan: str
    stage: str
    seq: int
    balance: str
    currency: str
    past_due_days: int
    delinquent_days: int
    next: str
    next_at: datetime | None = None
    pending: str | None = None
    closed: bool = False
    notes: tuple[VerdictNote, ...] = Field(default=())
