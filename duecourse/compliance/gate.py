"""The gate: may this contact go now, else when, else why never. Pure: the same case and packs give the same verdict.

Each rule that binds the request says at which instants it allows (`Say.allowed`). The verdict is the earliest instant
at or after the request on which all agree, and the unbroken stretch that follows. An instant with a fraction of a
second is lawful only if the whole seconds on both sides of it are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from datetime import timedelta
from itertools import cycle

from duecourse.compliance.case import Case
from duecourse.compliance.counting import cap, cool_off
from duecourse.compliance.explain import because
from duecourse.compliance.facts import Evidence, Facts, Say, missing
from duecourse.compliance.hours import named_times, quiet_hours, send_window
from duecourse.compliance.intervals import BEGINNING, END, contains, first_from, normalize, stretch, union
from duecourse.compliance.local_time import EPOCH, to_datetime
from duecourse.compliance.obligations import owed
from duecourse.compliance.packs import PackSet
from duecourse.compliance.permissions import consent, hold, recipients
from duecourse.compliance.preconditions import notice_first
from duecourse.compliance.rules import (
    Cap,
    ConsentRule,
    Content,
    CoolOff,
    HoldRule,
    NamedTimes,
    Notice,
    QuietHours,
    Recipients,
    RuleVersion,
)
from duecourse.compliance.selection import Selection
from duecourse.compliance.verdict import Defer, Finding, Grounds, Permit, Review, Verdict, Withhold
from duecourse.errors import InvalidInput

_EVALUATORS: dict[type, Callable[[RuleVersion, Facts, object], Say | None]] = {
    QuietHours: quiet_hours,  # type: ignore[dict-item]  # each function takes just the primitive that is its key
    NamedTimes: named_times,  # type: ignore[dict-item]
    Cap: cap,  # type: ignore[dict-item]
    CoolOff: cool_off,  # type: ignore[dict-item]
    ConsentRule: consent,  # type: ignore[dict-item]
    HoldRule: hold,  # type: ignore[dict-item]
    Recipients: recipients,  # type: ignore[dict-item]
    Notice: notice_first,  # type: ignore[dict-item]
}
_ORDER = {"bar": 0, "review": 1, "defer": 2, "warn": 3, "allow": 4}


def decide(case: Case, packs: PackSet) -> Verdict:
    """Decide one request on the facts of its case, under the packs that the case names or its residence implies.

    The plan of a later contact is the same question with `request.at` = the moment from which it is wanted. Instants
    in the verdict are whole seconds, aware UTC; `closes` is the last lawful second, at most `request.not_after`.
    Never raises for a missing fact: what is unknown and needed ends in `Withhold` with a finding that names it.
    """
    selection = selection_for(case, packs)
    if isinstance(selection, Say):
        finding = as_finding(None, selection, "bar", None, 0, rule="gate:packs")
        return Withhold(selection.wake, Grounds((finding,), ()))
    facts = Facts(case, selection)
    if facts.ceil > facts.last:
        over = Say((), "life_over", lambda _: (("not_after", to_datetime(facts.last).isoformat()),))
        return Withhold((), Grounds((as_finding(None, over, "bar", None, 0, rule="gate:life"),), selection.refs))
    binding, advisory = _listen(facts)
    wish = send_window(facts)
    if wish is not None:
        binding.append((None, wish))
    barring = {index for index, (_, say) in enumerate(binding) if not facts.is_free(say)}
    opens, pushed = _earliest(facts, binding) if barring else (facts.floor, {})
    findings, wake, effects = _speak(facts, binding, barring, pushed)
    if opens is not None and not effects & {"bar", "review"}:
        for version, say in advisory:
            if not contains(say.allowed, opens):
                findings.append(as_finding(version, say, "warn", first_from(say.allowed, opens), opens))
    for version, say in [*binding, *advisory]:
        if say.passed and contains(say.passed, facts.ceil if opens is None else opens):
            findings.append(_allowed_by(version, say, facts))
    if facts.request.obligation not in (None, "contract") and facts.kind != "statutory":
        findings.extend(_unknown_obligation(facts))
    if packs.lacks_region(case.person.residence):
        findings.append(no_regional_rules(facts))
    findings = _said_once(findings)
    findings.sort(key=_rank)
    grounds = Grounds(tuple(findings), selection.refs, owed(facts), tuple(facts.required), tuple(facts.forbidden))
    if "bar" in effects or (opens is None and "review" not in effects):
        return Withhold(wake, grounds)
    if "review" in effects or opens is None:
        return Review(grounds)
    closes = to_datetime(_closes(facts, binding, opens))
    if opens == facts.floor:
        return Permit(closes, grounds)
    return Defer(to_datetime(opens), closes, grounds)


def _rank(finding: Finding) -> tuple[int, bool, timedelta, str]:
    """What stops the request as it stands comes before what only moves it on, and the latest moment first."""
    return _ORDER[finding.effect], finding.asked_from is not None, EPOCH - (finding.until or EPOCH), finding.rule


def _said_once(findings: list[Finding]) -> list[Finding]:
    """A policy (grade "-") that only repeats what a law says of the same facts is not said twice."""
    if len(findings) < 2:
        return findings
    lawful = [f for f in findings if f.grade != "-"]
    return [
        f
        for f in findings
        if f.grade != "-"
        or not any(
            f.message == law.message and f.effect == law.effect and set(f.evidence) <= set(law.evidence)
            for law in lawful
        )
    ]


_Heard = list[tuple[RuleVersion | None, Say]]


def selection_for(case: Case, packs: PackSet) -> Selection | Say:
    """The rules of the packs that the case names or its residence implies; else why there are none."""
    ids = case.packs or packs.ids_for(case.person.residence)
    if not ids:
        return missing("packs")
    try:
        return packs.select(ids)
    except InvalidInput as error:
        name = str(error.value)
        return Say((), "pack_unknown", lambda _: (("pack", name),), wake=("packs_known",))


def _listen(facts: Facts) -> tuple[_Heard, _Heard]:
    """What each rule says that binds this request: those that can stop it, and those that only advise."""
    binding: _Heard = []
    advisory: _Heard = []
    floor, last = facts.floor, facts.last
    for version, evaluate, primitive, starts, ends, by_debt in facts.selection.binding(
        facts.case, facts.request, facts.kind, _EVALUATORS
    ):
        if ends <= floor or starts > last:
            continue
        if by_debt is not None and not by_debt.reaches_debts(facts.request_debts):
            continue
        if evaluate is None:
            if isinstance(primitive, Content):
                facts.required.update(dict.fromkeys(primitive.require))
                facts.forbidden.update(dict.fromkeys(primitive.forbid))
            continue
        say = evaluate(version, facts, primitive)
        if say is None:
            continue
        if starts > floor or ends <= last:
            # In force for a part of the contact's life only: outside that part it says nothing.
            say.allowed = union(say.allowed, normalize(((BEGINNING, starts), (ends, END))))
        (advisory if version.strength == "advisory" else binding).append((version, say))
    return binding, advisory


def _earliest(facts: Facts, binding: _Heard) -> tuple[int | None, dict[int, tuple[int, int]]]:
    """The first second after the request that all allow, and which rules moved it from where to where."""
    at = facts.ceil
    pushed: dict[int, tuple[int, int]] = {}
    agreed = 0  # so many rules in a row allow `at`
    for index, (_, say) in cycle(enumerate(binding)):
        first = first_from(say.allowed, at)
        if first is None or first > facts.last:
            pushed[index] = (at, first if first is not None else END)
            return None, pushed
        if first > at:
            pushed[index] = (at, first)
            at = first
            agreed = 0
        agreed += 1
        if agreed == len(binding):
            break
    return at, pushed


def _speak(
    facts: Facts, binding: _Heard, barring: Set[int], pushed: Mapping[int, tuple[int, int]]
) -> tuple[list[Finding], tuple[str, ...], set[str]]:
    """A finding for each rule that does not allow the request as it stands, or that moved it further."""
    findings: list[Finding] = []
    wake: dict[str, None] = {}
    effects: set[str] = set()
    for index in sorted(barring | pushed.keys()):
        version, say = binding[index]
        first: int | None
        asked_from: int | None = None
        if index not in barring:
            # It allows the request as it stands, but not the moment to which other rules had moved it.
            asked_from, first = pushed[index]
            instant = asked_from
        else:
            instant = facts.floor if not contains(say.allowed, facts.floor) else facts.ceil
            first = first_from(say.allowed, facts.ceil)
        effect = "defer"
        if first is None or first >= facts.hi:
            first, effect = None, say.effect
            wake.update(dict.fromkeys(say.wake))
            unknown = first_from(say.unpublished, facts.floor) if say.unpublished else None
            if unknown is not None:
                # It would open again, but on dates whose holidays nobody knows yet.
                wake["calendar_published"] = None
                instant = unknown
        elif first > facts.last:
            # It would allow, but not within this contact's life.
            effect = say.effect
        effects.add(effect)
        findings.append(as_finding(version, say, effect, first, instant, asked_from=asked_from))
    return findings, tuple(wake), effects


def _closes(facts: Facts, binding: _Heard, opens: int) -> int:
    closes = facts.last
    for _, say in binding:
        lawful = stretch(say.allowed, opens)
        if lawful is not None and lawful[1] - 1 < closes:
            closes = lawful[1] - 1
    return closes


def as_finding(
    version: RuleVersion | None,
    say: Say,
    effect: str,
    first: int | None,
    instant: int,
    *,
    rule: str = "treatment:window",
    asked_from: int | None = None,
) -> Finding:
    """What one rule says of an instant; without a rule, what the treatment's own window or the gate itself says."""
    evidence: Evidence = say.describe(instant)
    message = say.message_at(instant)
    until = None if first is None else to_datetime(first)
    moved = None if asked_from is None else to_datetime(asked_from)
    if version is None:
        own = "treatment" if rule == "treatment:window" else "ban"
        citation = "The treatment's own send window" if rule == "treatment:window" else "Duecourse fails closed"
        return Finding(
            rule=rule,
            pack="-",
            version="-",
            effect=effect,
            strength=own,
            grade="-",
            citation=citation,
            because=because(message, evidence),
            until=until,
            evidence=evidence,
            asked_from=moved,
            message=message,
        )
    return Finding(
        rule=version.rule,
        pack=version.pack,
        version=version.in_force.isoformat(),
        effect=effect,
        strength=version.strength,
        grade=version.grade,
        citation=version.citation,
        because=because(message, evidence),
        until=until,
        evidence=evidence,
        asked_from=moved,
        message=message,
    )


def _allowed_by(version: RuleVersion | None, say: Say, facts: Facts) -> Finding:
    """An exception let the contact through a rule that would have stopped it: said, since an auditor will ask."""
    stopped = version.rule if version is not None else "treatment:window"
    evidence = (("by", say.passed_by), ("stopped", stopped), *say.describe(facts.floor))
    by = facts.notice if facts.notice is not None and facts.notice.rule == say.passed_by else version
    return Finding(
        rule=say.passed_by,
        pack=by.pack if by is not None else "-",
        version=by.in_force.isoformat() if by is not None else "-",
        effect="allow",
        strength=by.strength if by is not None else "ban",
        grade=by.grade if by is not None else "-",
        citation=_citation(facts, say.passed_by) or (by.citation if by is not None else "-"),
        because=because(say.passed_message, evidence),
        evidence=evidence,
        message=say.passed_message,
    )


def _citation(facts: Facts, rule: str) -> str | None:
    return next((version.citation for version in facts.selection.versions if version.rule == rule), None)


def no_regional_rules(facts: Facts) -> Finding:
    """No pack of the borrower's state or province is here, though others have theirs: silence would look like none."""
    residence = facts.case.person.residence
    place = "" if residence is None else f"{residence.country}-{residence.region}"
    evidence = (("region", place), ("packs", ", ".join(ref.id for ref in facts.selection.refs)))
    return _warning("gate:region", "no_regional_rules", evidence, "What the packs cover")


def _unknown_obligation(facts: Facts) -> list[Finding]:
    obligation = facts.request.obligation or ""
    if obligation in facts.selection.confirmations:
        return []
    evidence = (("obligation", obligation), ("channel", facts.request.channel))
    return [_warning("gate:obligation", "obligation_not_binding", evidence, "Duecourse fails closed")]


def _warning(rule: str, message: str, evidence: Evidence, citation: str) -> Finding:
    """What the gate itself says, and no rule of a pack."""
    return Finding(
        rule=rule,
        pack="-",
        version="-",
        effect="warn",
        strength="advisory",
        grade="-",
        citation=citation,
        because=because(message, evidence),
        evidence=evidence,
        message=message,
    )
