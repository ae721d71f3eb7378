"""What is written when a rung does not go out now: put off, kept back, by another channel, or to a person."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection

from duecourse.compliance.gate import decide
from duecourse.compliance.verdict import Defer, Permit, Review, Withhold, binding
from duecourse.ledger.answers import Unsent, review_date, wakes, write_decision, write_review
from duecourse.ledger.cases import case_for
from duecourse.ledger.dossier import Dossier
from duecourse.ledger.outcomes import Ask, Settled, outcome_of
from duecourse.ledger.verdicts import Judged
from duecourse.loans.facts import Decided
from duecourse.loans.loan import BLIND, Candidate
from duecourse.treatments.thinning import channels_for


def answer(
    connection: Connection,
    dossier: Dossier,
    candidate: Candidate,
    ask: Ask,
    verdict: Defer | Withhold | Review,
    judged: Judged,
    now: datetime,
) -> Settled:
    """Write what came of a rung that does not go out now."""
    match verdict:
        case Defer() if (other := _in_time(dossier, candidate, ask.channel, verdict, now)) is not None:
            row = write_decision(
                connection, dossier, ask.key, ask.channel, "try_next", now, rule=judged.rule, next_channel=other
            )
        case Defer(opens=opens, closes=closes):
            row = write_decision(
                connection,
                dossier,
                ask.key,
                ask.channel,
                "deferred",
                now,
                rule=judged.rule,
                opens=opens,
                closes=closes,
            )
        case Review():
            write_review(connection, dossier, ask.key, now)
            row = write_decision(
                connection,
                dossier,
                ask.key,
                ask.channel,
                "review",
                now,
                rule=judged.rule,
                reviewed=tuple(dict.fromkeys(f.rule for f in verdict.grounds.findings if f.effect == "review")),
            )
        case Withhold():
            row = _withhold(connection, dossier, candidate, ask, verdict, judged, now)
    return Settled(outcome_of(row), (), None, judged, row.opens, row.closes, row.next_channel)


def _withhold(
    connection: Connection,
    dossier: Dossier,
    candidate: Candidate,
    ask: Ask,
    verdict: Withhold,
    judged: Judged,
    now: datetime,
) -> Decided:
    mandatory = candidate.rung.mandatory
    bound = binding(verdict)
    rule = judged.rule
    if bound is not None and bound.rule in ("treatment:expired", "treatment:overtaken"):
        outcome: Unsent = "expired" if bound.rule == "treatment:expired" else "overtaken"
        return write_decision(connection, dossier, ask.key, ask.channel, outcome, now, rule=rule)
    thinned = any(finding.rule.endswith("/tier") for finding in verdict.grounds.findings)
    # An optional message does not change its channel to get round a cap; one that can never go this way may.
    barred = all(finding.until is None for finding in verdict.grounds.findings if finding.effect == "bar")
    if not thinned and (mandatory or barred):
        following = _next_channel(dossier, candidate, ask.channel, now)
        if following is not None:
            return write_decision(
                connection, dossier, ask.key, ask.channel, "try_next", now, rule=rule, next_channel=following
            )
    wake = wakes(verdict)
    if wake and not (mandatory and wake == ("consent",)):
        return write_decision(connection, dossier, ask.key, ask.channel, "withheld", now,
            rule=rule, wake=wake, opens=review_date(dossier, now),
        )  # fmt: skip
    moments = [finding.until for finding in verdict.grounds.findings if finding.effect == "bar" and finding.until]
    if mandatory and moments and not barred and all(f.until for f in verdict.grounds.findings if f.effect == "bar"):
        # It will be lawful, only later than the gate looks ahead: a notice waits for that moment.
        opens = max(moments)
        return write_decision(
            connection, dossier, ask.key, ask.channel, "deferred", now, rule=rule, opens=opens, closes=opens + BLIND
        )
    if mandatory:
        return write_decision(connection, dossier, ask.key, ask.channel, "task", now, rule=rule)
    return write_decision(connection, dossier, ask.key, ask.channel, "withheld", now, rule=rule)


def _in_time(dossier: Dossier, candidate: Candidate, channel: str, verdict: Defer, now: datetime) -> str | None:
    """A channel on which a statutory notice can still go by its deadline, where this one opens only after it."""
    deadline = next((one.latest for one in verdict.grounds.obligations if one.rule == candidate.rung.obligation), None)
    if deadline is None or verdict.opens.date() <= deadline:
        return None
    return _next_channel(dossier, candidate, channel, now, by=deadline)


def _next_channel(
    dossier: Dossier, candidate: Candidate, channel: str, now: datetime, by: date | None = None
) -> str | None:
    """The first channel not yet tried on which the gate sees a lawful moment, no later than on that day if given."""
    claim = dossier.loan.claims.get(candidate.claim)
    tried = {channel, *(claim.tried if claim else ())}
    for other in channels_for(candidate.rung, dossier.tier, dossier.loan.ladder):
        case = None if other in tried else case_for(dossier, candidate, other, now)
        match None if case is None else decide(case, dossier.packs):
            case Permit():
                return other
            case Defer(opens=opens) if by is None or opens.date() <= by:
                return other
            case _:
                pass
    return None
