"""A loan's story told by its steps: for each rung that was decided, what came of it and which finding decided.

Made from stored rows, verdicts and contacts alone; nothing is judged again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from duecourse.compliance.verdict import Finding
from duecourse.ledger.queries import StoredContact, StoredVerdict, Story
from duecourse.loans.facts import Approval, Contacted, Decided
from duecourse.loans.state import Claim
from duecourse.treatments.ladder import REVIEW_CHANNEL, Rung

Outcome = Literal[
    "sent", "delivered", "underway", "shadow", "unknown", "undelivered", "withheld", "waiting", "deferred",
    "overtaken", "expired", "skipped", "review", "approved", "refused", "task", "failed", "moot",
]  # fmt: skip
WENT_OUT: tuple[Outcome, ...] = ("sent", "delivered", "unknown")
KEPT_BACK: tuple[Outcome, ...] = ("withheld", "waiting", "overtaken", "expired", "skipped")

_OF_CONTACT: dict[str, Outcome] = {
    "accepted": "sent",
    "delivered": "delivered",
    "reserved": "underway",
    "sending": "underway",
    "shadow": "shadow",
    "unknown": "unknown",
    "failed": "undelivered",
}
_OF_CLAIM: dict[str, Outcome] = {
    "deferred": "deferred",
    "failed": "failed",
    "try_next": "deferred",
    "review": "review",
    "expired": "expired",
    "overtaken": "overtaken",
    "skipped": "skipped",
    "task": "task",
    "approved": "approved",
    "refused": "refused",
}
_BEST_CONTACT = ("delivered", "accepted", "shadow", "sending", "reserved", "unknown", "failed")
_REASONS = {
    "tier": "tier",
    "cap_day": "cap",
    "cap_days": "cap",
    "cap_week": "cap",
    "cap_hours": "cap",
    "gap": "cap",
    "cool_off": "cap",
    "hold": "hold",
    "hold_open": "hold",
    "opted_out": "opted_out",
    "no_consent": "no_consent",
    "quiet_hours": "hours",
    "quiet_hours_zones": "hours",
    "send_window": "hours",
    "room": "hours",
    "named_times": "wish",
    "named_channel": "wish",
    "contact_point": "address",
    "missing": "missing",
    "pack_unknown": "missing",
    "recipient": "recipient",
    "pause_all": "pause",
    "life_over": "life",
    "expired": "life",
    "overtaken": "overtaken",
}
_REASONS_OF_RULES = {
    "treatment:onboarding": "onboarding",
    "treatment:expired": "life",
    "treatment:overtaken": "overtaken",
    "treatment:channels": "channels",
    "ledger:in_flight": "in_flight",
    "ledger:decisions": "decisions",
    "ledger:contact_point": "address",
    "ledger:pause_all": "pause",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of one episode and installment, with all that was recorded of it. `at` is when it came to this."""

    episode: str
    installment: str
    rung: Rung
    at: datetime
    channel: str
    outcome: Outcome
    reason: str  # a group of reasons in words.yaml; "" where it went out
    rule: str
    finding: Finding | None  # the one that decided
    verdict: StoredVerdict | None  # the one that carries it
    verdicts: tuple[StoredVerdict, ...]
    contact: StoredContact | None
    state: Claim

    @property
    def claim(self) -> str:
        return f"{self.episode}/{self.installment}/{self.rung.id}"

    @property
    def message(self) -> bool:
        """Whether it reaches a borrower at all: a review does not."""
        return self.channel != REVIEW_CHANNEL


def steps_of(story: Story, now: datetime) -> tuple[Step, ...]:
    """Every rung with a record, in the order of the last thing that happened to it. `now`: aware UTC."""
    claims: dict[str, None] = {}
    events: Iterable[StoredVerdict | StoredContact] = (*story.verdicts, *story.contacts)
    for one in events:
        claims[f"{one.episode}/{one.installment}/{one.rung}"] = None
    claims.update(dict.fromkeys(story.loan.claims))
    steps = [_step(story, claim, now) for claim in claims]
    return tuple(sorted(steps, key=lambda step: (step.at, step.claim)))


def main_finding(verdict: StoredVerdict) -> Finding | None:
    """The finding that kept a rung back: its tier where it has one, since nothing else would have helped."""
    findings = verdict.grounds.findings
    tier = next((one for one in findings if one.rule.endswith("/tier")), None)
    return tier or next((one for one in findings if one.rule == verdict.rule), None)


def reason_of(rule: str, finding: Finding | None) -> str:
    """The group of reasons that a rule belongs to."""
    if finding is not None and finding.message in _REASONS:
        return _REASONS[finding.message]
    if rule.endswith("/tier"):
        return "tier"
    return _REASONS_OF_RULES.get(rule, "other")


def _step(story: Story, claim: str, now: datetime) -> Step:
    episode, installment, name = claim.split("/")
    state = story.loan.claims.get(claim, Claim())
    verdicts = tuple(one for one in story.verdicts if one.claim == claim)
    row = _last_row(story, claim)
    contact = _contact(story, claim)
    outcome = _OF_CONTACT[contact.state] if contact is not None else _of_claim(state, open_=_open(story, claim, now))
    if outcome in ("undelivered", "unknown") and state.outcome in ("task", "review", "approved", "refused"):
        outcome = _OF_CLAIM[state.outcome]  # a person has it after a contact that did not arrive
    if contact is not None and outcome in _OF_CONTACT.values():
        verdict = next((one for one in verdicts if one.no == contact.verdict), None)
        at, channel, rule, finding, reason = contact.at, contact.channel, "", None, ""
    else:
        verdict = next((one for one in reversed(verdicts) if one.kind != "permit"), None)
        finding = main_finding(verdict) if verdict else None
        rule = finding.rule if finding else row.rule if isinstance(row, Decided) else ""
        reason = "" if outcome == "moot" else "failure" if outcome == "failed" else reason_of(rule, finding)
        at = row.at if row is not None else verdicts[-1].at
        channel = row.channel if isinstance(row, Decided | Contacted) else story.loan.ladder.rung(name).channels[0]
    return Step(
        episode=episode,
        installment=installment,
        rung=story.loan.ladder.rung(name),
        at=at,
        channel=channel,
        outcome=outcome,
        reason=reason,
        rule=rule,
        finding=finding,
        verdict=verdict,
        verdicts=verdicts,
        contact=contact,
        state=state,
    )


def _open(story: Story, claim: str, now: datetime) -> bool:
    """Whether the rung may still go out: the loan owes it, and no later step or its own life has ended it."""
    episode, installment, rung = claim.split("/")
    candidate = story.loan.owes(episode, installment, rung, now)
    return candidate is not None and story.loan.silence(candidate, now) is None


def _of_claim(state: Claim, *, open_: bool) -> Outcome:
    if state.outcome == "withheld":
        return "waiting" if state.state == "withheld" and open_ else "withheld"
    if state.outcome in ("deferred", "failed", "try_next") and not open_:
        return "moot"
    return _OF_CLAIM.get(state.outcome, "deferred")


def _contact(story: Story, claim: str) -> StoredContact | None:
    """The contact that says most of the claim: what arrived before what is uncertain; a released one never left."""
    mine = [
        one
        for one in story.contacts
        if f"{one.episode}/{one.installment}/{one.rung}" == claim and one.state in _BEST_CONTACT
    ]
    return min(mine, key=lambda one: _BEST_CONTACT.index(one.state), default=None)


def _last_row(story: Story, claim: str) -> Decided | Contacted | Approval | None:
    for row in reversed(story.rows):
        if isinstance(row, Decided | Contacted | Approval) and f"{row.episode}/{row.installment}/{row.rung}" == claim:
            return row
    return None
