"""May the lender report to a bureau, accelerate, sue, or go to its legal department? Notices first, and holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from duecourse.compliance.case import Case
from duecourse.compliance.facts import Facts, Say, missing
from duecourse.compliance.gate import as_finding, no_regional_rules, selection_for
from duecourse.compliance.intervals import NEVER
from duecourse.compliance.local_time import to_datetime
from duecourse.compliance.obligations import as_obligation, today
from duecourse.compliance.packs import PackSet
from duecourse.compliance.permissions import hold
from duecourse.compliance.preconditions import Standing, evidence_of, standing
from duecourse.compliance.rules import Act, HoldRule, Notice, RuleVersion
from duecourse.compliance.verdict import Finding, Obligation, PackRef

_MESSAGES = {"unproven": "notice_first", "unpublished": "notice_unpublished", "served": "notice_wait"}


@dataclass(frozen=True, slots=True)
class ActAnswer:
    """`allow`: now. `wait`: from `opens` (aware UTC) on, as far as is known now. `refuse`: something is missing.

    `owed` are the notices whose service would open the way; `findings` say which rules had a say, as in a verdict.
    """

    act: Act
    effect: Literal["allow", "wait", "refuse"]
    opens: datetime | None
    findings: tuple[Finding, ...]
    owed: tuple[Obligation, ...]
    packs: tuple[PackRef, ...]


def may_act(act: Act, case: Case, packs: PackSet) -> ActAnswer:
    """May this act follow at `case.request.at`, for the debts of the request?

    Refused where a rule in force makes a notice its precondition and its service is not proven, where a hold stops the
    act, and where the history, the holds or the packs are not known. A rule that only advises warns. Never raises for a
    missing fact.
    """
    selection = selection_for(case, packs)
    if isinstance(selection, Say):
        return ActAnswer(act, "refuse", None, (as_finding(None, selection, "bar", None, 0, rule="gate:packs"),), (), ())
    facts = Facts(case, selection)
    findings: list[Finding] = []
    owed: list[Obligation] = []
    opens = facts.floor
    for version in selection.versions:
        if not version.starts <= facts.floor < version.ends:
            continue
        primitive = version.primitive
        if isinstance(primitive, Notice) and primitive.before is not None and act in primitive.before.acts:
            opens = max(opens, _notice(act, version, primitive, facts, findings, owed))
        elif isinstance(primitive, HoldRule) and act in primitive.acts:
            stopped = _hold(act, version, primitive, facts)
            if stopped is not None:
                findings.append(stopped)
    if packs.lacks_region(case.person.residence):
        findings.append(no_regional_rules(facts))
    effects = {finding.effect for finding in findings}
    effect: Literal["allow", "wait", "refuse"] = "allow"
    if effects & {"bar", "review"}:
        effect = "refuse"
    elif "defer" in effects:
        effect = "wait"
    return ActAnswer(
        act, effect, to_datetime(opens) if effect == "wait" else None, tuple(findings), tuple(owed), selection.refs
    )


def _notice(
    act: Act, version: RuleVersion, notice: Notice, facts: Facts, findings: list[Finding], owed: list[Obligation]
) -> int:
    before = notice.before
    assert before is not None  # the caller looked
    opens = facts.floor
    advisory = version.strength == "advisory"
    for debt in facts.request_debts:
        if facts.case.history is None or (notice.trigger == "milestone" and facts.case.milestones is None):
            unknown = missing("history" if facts.case.history is None else "milestones")
            findings.append(as_finding(version, unknown, "bar", None, facts.floor))
            break
        stands = standing(version, notice, before, facts, debt)
        if stands is None:
            continue
        if stands.state == "served" and stands.opens is not None and stands.opens <= facts.floor:
            findings.append(_said(act, version, stands, "notice_proven", "allow", None, facts))
            continue
        if stands.opens is None:
            effect = "warn" if advisory else "bar"
            if stands.state == "unproven":
                owed.append(as_obligation(version, notice, facts, debt, today(facts), None, known=True))
        else:
            effect = "warn" if advisory else "defer"
            opens = opens if advisory else max(opens, stands.opens)
        findings.append(_said(act, version, stands, _MESSAGES[stands.state], effect, stands.opens, facts))
    return opens


def _said(
    act: Act, version: RuleVersion, stands: Standing, message: str, effect: str, until: int | None, facts: Facts
) -> Finding:
    evidence = evidence_of(version.rule, act, stands)
    return as_finding(version, Say(NEVER, message, lambda _: evidence), effect, until, facts.floor)


def _hold(act: Act, version: RuleVersion, rule: HoldRule, facts: Facts) -> Finding | None:
    case, coverage = facts.case, version.coverage
    if not coverage.binds_lender(case.lender.role, frozenset(facts.agreements), case.lender.licences):
        return None
    if not coverage.reaches(case.person.residence, facts.request_debts):
        return None
    holds = case.person.holds
    if holds is None:
        return as_finding(version, missing("holds"), "bar", None, facts.floor)
    standing_hold = hold(version, facts, rule, for_act=act)
    if standing_hold is None or facts.is_free(standing_hold):
        return None
    return as_finding(version, standing_hold, "warn" if version.strength == "advisory" else "bar", None, facts.floor)
