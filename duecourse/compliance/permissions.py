"""Whether at all: consent and opt-out, holds, and who may be contacted."""

from __future__ import annotations

from datetime import date, datetime

from duecourse.compliance.case import Hold
from duecourse.compliance.facts import Evidence, Facts, Say, let_through, missing
from duecourse.compliance.intervals import ALWAYS, BEGINNING, END, NEVER, Interval, normalize
from duecourse.compliance.rules import ConsentRule, HoldRule, Notice, Recipients, RuleVersion

_STATES = {"opt_out": "revoked", "consent": "given"}


def consent(version: RuleVersion, facts: Facts, rule: ConsentRule) -> Say | None:
    """The last word of the person about this channel and address decides; a revocation holds from when it is known."""
    if facts.case.person.consents is None:
        return missing("consents")
    if facts.word == "unasked":
        facts.word = last_word(facts)
    last = facts.word
    state = None if last is None else last[1]
    if state == "given" or (state is None and rule.basis == "opt_out"):
        return None
    request = facts.request

    def describe(_: int) -> Evidence:
        return (("channel", request.channel), ("since", last[0].date().isoformat() if last is not None else ""))

    say = Say(NEVER, "opted_out" if state is not None else "no_consent", describe, wake=("consent_given",))
    if rule.reply is not None and (since := facts.reply_open_since()) is not None:
        let_through(say, ((since, END),), rule.reply, "one_reply")
    if facts.kind == "statutory" and facts.notice is not None:
        notice = facts.notice.primitive
        if rule.required_by_law or (isinstance(notice, Notice) and notice.survives_opt_out):
            let_through(say, ALWAYS, facts.notice.rule, "obligation_opt_out")
    if (
        rule.confirmation is not None
        and last is not None
        # Packs that apply together each stop an opted-out address: a confirmation under one of them passes all.
        and request.obligation in facts.selection.confirmations
        and not _confirmed(facts, last[0])
    ):
        let_through(say, ALWAYS, request.obligation or version.rule, "confirmation")
    return say


def last_word(facts: Facts) -> tuple[datetime, str] | None:
    """When the person last spoke about this channel and address, and the state since: given or revoked.

    Consents and the opt-outs in the history count alike; of two at the same instant the revocation wins.
    """
    request = facts.request
    words = [
        (consent.at, consent.state)
        for consent in facts.case.person.consents or ()
        if consent.about == "contact"
        and consent.channel in ("*", request.channel)
        and consent.address in ("*", request.address)
        and (consent.until is None or facts.floor < facts.start_of(consent.until.toordinal() + 1))
    ]
    for event in facts.case.history or ():
        if event.result in _STATES and event.channel == request.channel and event.address in ("*", request.address):
            words.append((event.at, _STATES[event.result]))
    return max(words, key=lambda word: (word[0], word[1] == "revoked"), default=None)


def hold(version: RuleVersion, facts: Facts, rule: HoldRule) -> Say | None:
    """Nothing while a hold of these causes lasts, but for the classes of message that the rule itself names."""
    holds = facts.case.person.holds
    if holds is None:
        return missing("holds")
    if not holds:
        return None
    request = facts.request
    binding = [
        held
        for held in holds
        if (held.cause in rule.causes or "*" in rule.causes)
        and held.cause not in rule.except_causes
        and (held.debt is None or held.debt in request.debts)
    ]
    if not binding or request.recipient in rule.passes_recipients:
        return None
    barred = normalize(_lasts(held, facts) for held in binding)
    if not barred:
        return None

    def describe(instant: int) -> Evidence:
        first = next((held for held in binding if _lasts(held, facts)[1] > instant), binding[0])
        ends = (("ends", first.ends.isoformat()),) if first.ends is not None else ()
        scope = (("debt", first.debt),) if first.debt is not None else ()
        return (("cause", first.cause), ("since", first.starts.isoformat()), *scope, *ends)

    open_ended = any(held.ends is None for held in binding)
    message = "hold_open" if open_ended else "hold"
    say = Say(facts.free(barred), message, describe, wake=("hold_lifted",), effect=rule.effect)
    if request.obligation is not None and request.obligation in rule.passes_obligations and facts.kind == "statutory":
        let_through(say, ALWAYS, request.obligation, "obligation_hold")
    notice = facts.notice
    if notice is not None and isinstance(notice.primitive, Notice):
        survives = notice.primitive.survives_holds
        if "*" in survives or all(held.cause in survives for held in binding):
            let_through(say, ALWAYS, notice.rule, "obligation_hold")
    if rule.reply is not None and (since := facts.reply_open_since()) is not None:
        let_through(say, ((since, END),), rule.reply, "one_reply")
    return say


def recipients(version: RuleVersion, facts: Facts, rule: Recipients) -> Say | None:
    """Only the roles that the rule names."""
    role = facts.request.recipient
    if role in rule.allowed:
        return None
    return Say(NEVER, "recipient", lambda _: (("recipient", role), ("allowed", ", ".join(sorted(rule.allowed)))))


def _lasts(held: Hold, facts: Facts) -> Interval:
    start = facts.start_of(held.starts.toordinal()) if held.starts > date.min else BEGINNING
    return start, facts.over_by(held.ends.toordinal()) if held.ends is not None else END


def _confirmed(facts: Facts, since: datetime) -> bool:
    return any(
        event.direction == "outbound"
        and event.obligation == facts.request.obligation
        and event.at >= since
        and event.result != "released"
        for event in facts.case.history or ()
    )
