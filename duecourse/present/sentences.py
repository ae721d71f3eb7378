"""What is said of one step of a loan, in words that a support agent could read to the borrower."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from duecourse.compliance.explain import explain_finding, finding_reason, word
from duecourse.compliance.verdict import Finding
from duecourse.ledger.queries import StoredVerdict, Story
from duecourse.loans.display import rung_title
from duecourse.loans.state import NONE
from duecourse.present.account import KEPT_BACK, Step
from duecourse.present.handbook import HASH_SHOWN
from duecourse.present.words import Words
from duecourse.treatments.ladder import CONTRACT, Anchor, Rung


def title_of(story: Story, words: Words, rung: Rung, episode: str, installment: str) -> str:
    """The rung's title with the due date it speaks of."""
    named = installment if installment != NONE else episode
    if words.language == "en":
        return rung_title(story.loan, rung, named)
    due = next((one.due_on for one in story.loan.installments if one.id == named), None)
    if due is None or rung.anchor in (Anchor.DISBURSED, Anchor.PLACED):
        return rung.title_zh
    return words.say("title_due", title=rung.title_zh, day=words.day(due))


def obligation_of(words: Words, rung: Rung) -> str:
    """`by contract`, or the id of the rule that demands it; "" for an optional one."""
    match rung.obligation:
        case None:
            return ""
        case obligation if obligation == CONTRACT:
            return words.say("by_contract")
        case rule:
            return words.say("by_rule", rule=rule)


def duty_of(words: Words, rung: Rung) -> str:
    """`optional`, or `mandatory` with what demands it."""
    if rung.mandatory:
        return words.say("mandatory", obligation=obligation_of(words, rung))
    return words.say("optional")


def outcome_of(words: Words, story: Story, step: Step) -> str:
    """What came of it, with the reason's name where it was kept back: `Not sent: the low risk tier`."""
    by_hand = f"{step.outcome}_{step.channel}"  # a call or letter is a person's work: what was sent is the task
    outcome = words.say(by_hand if words.has(by_hand, of="outcomes") else step.outcome, of="outcomes")
    if not step.reason or step.outcome in ("review", "approved", "refused"):
        return outcome
    return words.say("kept_by", outcome=outcome, reason=reason_name(words, story, step.reason, step.rule))


def reason_name(words: Words, story: Story, reason: str, rule: str) -> str:
    return words.say(reason, of="reasons", tier=word(story.line.tier, words.language), rule=rule)


def sentences_of(
    story: Story, words: Words, step: Step, told: dict[str, date], now: datetime, *, every: bool = False
) -> list[str]:
    """Why it came to this, and what comes next. `told`: reasons already given in full, with the day of their step.

    `every`: each stored verdict with each of its findings, instead of the one that decided.
    """
    if every:
        said = [line for verdict in step.verdicts for line in _verdict(words, verdict)]
    else:
        said = [*_before(words, step), *_reason(words, step, told), *_through(words, step)]
    return [*said, *_after(words, step, now)]


def _reason(words: Words, step: Step, told: dict[str, date]) -> list[str]:
    if step.outcome == "skipped":
        return [words.say("was_skipped")]
    if step.finding is None:
        return []
    said = explain_finding(step.finding, words.language, words.zone)
    if said in told:
        reason = [words.say("same_reason", day=words.day(told[said]), rule=step.finding.rule)]
    else:
        told[said] = words.local_day(step.at)
        reason = [said]
    if step.reason == "tier" and step.outcome == "withheld" and len(reason[0]) == len(said):
        reason.append(words.say("stays_out"))
    return reason + _others(words, step)


def _others(words: Words, step: Step) -> list[str]:
    """The other findings that would have kept it back as well."""
    if step.verdict is None:
        return []
    return [
        explain_finding(one, words.language, words.zone)
        for one in step.verdict.grounds.findings
        if one is not step.finding and one.effect in ("bar", "review")
    ]


def _through(words: Words, step: Step) -> list[str]:
    """What let it go out in spite of a rule, or warned of it."""
    if step.verdict is None or step.contact is None:
        return []
    return [
        explain_finding(one, words.language, words.zone)
        for one in step.verdict.grounds.findings
        if one.effect in ("allow", "warn")
    ]


def _before(words: Words, step: Step) -> list[str]:
    """Deferrals before the last word, and channels that were tried first."""
    said = []
    earlier = [one for one in step.verdicts if one is not step.verdict]
    deferred = [one for one in earlier if one.kind == "defer"]
    if deferred:
        rules = words.listed(list(dict.fromkeys(one.rule for one in deferred)))
        key = "put_off_one" if len(deferred) == 1 else "put_off_many"
        said.append(words.say(key, n=len(deferred), rules=rules))
    for one in earlier:
        if one.kind == "withhold" and one.channel != step.channel and one.channel in step.state.tried:
            finding = next((found for found in one.grounds.findings if found.rule == one.rule), None)
            reason = finding_reason(finding, words.language) if finding else one.rule
            said.append(words.say("other_channel", channel=word(one.channel, words.language), reason=reason))
    return said


def _after(words: Words, step: Step, now: datetime) -> list[str]:
    """What would change it, or when it comes up again."""
    state = step.state
    match step.outcome:
        case "waiting" if state.wake:
            facts = words.listed([words.say(kind, of="wakes") for kind in state.wake])
            if state.not_before is not None:
                return [words.say("asked_again_or", facts=facts, moment=words.moment(state.not_before))]
            return [words.say("asked_again", facts=facts)]
        case "deferred" if state.not_before is not None and state.closes is not None:
            return [
                words.say("window", opens=words.moment(state.not_before), closes=words.moment(state.closes))
                if state.closes > state.not_before
                else words.say("window_from", opens=words.moment(state.not_before))
            ]
        case "failed" if state.not_before is not None:
            return [words.say("window_from", opens=words.moment(max(state.not_before, now)))]
        case "review":
            return [words.say("person_decides")]
        case "task":
            return [words.say("person_has_it")]
        case "unknown":
            return [words.say("unknown_mandatory" if step.rung.mandatory else "unknown_optional")]
        case _:
            return []


def _verdict(words: Words, verdict: StoredVerdict) -> list[str]:
    """One stored verdict in full: when, on which channel, and each finding."""
    head = words.say(
        "verdict_head",
        no=verdict.no,
        moment=words.moment(verdict.at),
        channel=word(verdict.channel, words.language),
        verdict=words.say(verdict.kind, of="verdicts"),
    )
    said = [head, *(explain_finding(one, words.language, words.zone) for one in verdict.grounds.findings)]
    return [*said, under_packs(words, verdict)] if verdict.grounds.packs else said


def under_packs(words: Words, verdict: StoredVerdict) -> str:
    """Under which versions a verdict was decided, and to which of them the lender is pinned."""
    named = [
        words.say("pack_pinned" if ref.pinned else "pack", id=ref.id, version=ref.version, hash=ref.hash[:HASH_SHOWN])
        for ref in verdict.grounds.packs
    ]
    return words.say("under_packs", packs=words.listed(named))


def kept_back(steps: Sequence[Step]) -> list[Step]:
    """The optional steps that did not reach the borrower."""
    return [one for one in steps if not one.rung.mandatory and one.message and one.outcome in KEPT_BACK]


def finding_json(finding: Finding, words: Words) -> dict[str, object]:
    """A stored finding as JSON values, its sentence in the language asked for."""
    return {
        "rule": finding.rule,
        "effect": finding.effect,
        "strength": finding.strength,
        "grade": finding.grade,
        "citation": finding.citation,
        "until": finding.until.isoformat() if finding.until else None,
        "evidence": dict(finding.evidence),
        "because": finding_reason(finding, words.language),
        "sentence": explain_finding(finding, words.language, words.zone),
    }
