"""The verdict on one ask: the gate's, and what treatment, pause and the room a send needs add to it. No I/O."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from duecourse.compliance.case import Case
from duecourse.compliance.gate import decide
from duecourse.compliance.verdict import Defer, Finding, Grounds, Permit, Verdict, Withhold
from duecourse.ledger.answers import SOONEST, grounds_of, own_finding
from duecourse.ledger.cases import case_for
from duecourse.ledger.dossier import ContactRow, Dossier
from duecourse.ledger.outcomes import Ask
from duecourse.loans.loan import Candidate
from duecourse.loans.state import PAUSED
from duecourse.treatments.thinning import thin

_SECOND = timedelta(seconds=1)
_PAUSE_STEP = timedelta(minutes=15)
_LONGEST_PAUSE_STEP = timedelta(hours=4)  # how late, at most, a rung hears that sends go on


def judge(
    dossier: Dossier,
    candidate: Candidate,
    ask: Ask,
    live: ContactRow | None,
    silence: str | None,
    now: datetime,
    room: timedelta,
) -> tuple[Case | None, Verdict]:
    """The gate's verdict, and what the treatment and the room a send needs add to it."""
    if silence is not None:
        return None, Withhold((), grounds_of(silent(candidate, silence)))
    if dossier.paused_since is not None:
        opens = now + min(max(_PAUSE_STEP, now - dossier.paused_since), _LONGEST_PAUSE_STEP)
        finding = own_finding(
            PAUSED,
            "all sends are paused by the lender",
            (("since", dossier.paused_since.isoformat()),),
            effect="defer",
            until=opens,
            message="pause_all",
        )
        return None, Defer(opens, opens + room, grounds_of(finding))
    thinned = thin(candidate.rung, dossier.tier, dossier.loan.ladder)
    case = case_for(dossier, candidate, ask.channel, now, without=live.id if live else None)
    if case is None:
        finding = own_finding(
            "ledger:contact_point",
            f"no usable contact point for {ask.channel} is on record",
            (("channel", ask.channel),),
            message="contact_point",
        )
        found = (finding,) if thinned is None else (finding, thinned)
        return None, Withhold((), Grounds(found, ()))
    verdict = decide(case, dossier.packs)
    if thinned is not None:
        grounds = verdict.grounds
        return case, Withhold((), replace(grounds, findings=(thinned, *grounds.findings)))
    if isinstance(verdict, Permit):
        return case, _with_room(dossier, candidate, ask, case, verdict, now, room)
    return case, verdict


def _with_room(
    dossier: Dossier, candidate: Candidate, ask: Ask, case: Case, permit: Permit, now: datetime, room: timedelta
) -> Verdict:
    """A permit that ends before a send could be over is a deferral to the next stretch."""
    needed = now + room
    if permit.closes >= needed and ask.closes >= needed:
        return permit
    finding = own_finding(
        "ledger:room",
        "too little time is left in this stretch for a send to end in it",
        (("needs", f"{int(room.total_seconds())} s"),),
        effect="defer",
        until=now + SOONEST,
        message="room",
    )
    if permit.closes >= needed:  # lawful long enough: only the loan's own window was too short
        return Defer(now + SOONEST, permit.closes, _adding(permit.grounds, finding))
    later = permit.closes + _SECOND
    if later > case.request.not_after:
        return Withhold((), _adding(permit.grounds, replace(finding, effect="bar", until=None)))
    verdict = decide(replace(case, request=replace(case.request, at=later)), dossier.packs)
    match verdict:
        case Permit(closes=closes, grounds=grounds):
            return Defer(later, closes, _adding(grounds, replace(finding, until=later)))
        case Defer(opens=opens, closes=closes, grounds=grounds):
            return Defer(opens, closes, _adding(grounds, replace(finding, until=later)))
        case _:
            return verdict


def _adding(grounds: Grounds, finding: Finding) -> Grounds:
    return replace(grounds, findings=(*grounds.findings, finding))


def silent(candidate: Candidate, silence: str) -> Finding:
    """Why an optional rung is over without having gone out."""
    said = {
        "expired": "its life of {life} days was over before it could go out",
        "overtaken": "a later step of the same purpose fell due before it could go out",
    }
    because = said.get(silence, silence).format(life=candidate.rung.life_days)
    evidence = (
        ("rung", candidate.rung.id),
        ("due_on", candidate.due_on.isoformat()),
        ("life", str(candidate.rung.life_days)),
    )
    return own_finding(f"treatment:{silence}", because, evidence, message=silence)
