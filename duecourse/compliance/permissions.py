"""Whether at all: consent and opt-out, holds, and who may be contacted."""

from __future__ import annotations

from datetime import date, datetime

from duecourse.compliance.case import Hold
from duecourse.compliance.facts import SPOKEN, Evidence, Facts, Say, Word, let_through, missing
from duecourse.compliance.intervals import ALWAYS, BEGINNING, END, NEVER, Interval, Intervals, normalize
from duecourse.compliance.local_time import DAY, day_start, floor_second, local_day
from duecourse.compliance.rules import Act, ConsentRule, HoldRule, LostContact, Notice, Recipients, RuleVersion

_NONE: frozenset[str] = frozenset()


def consent(version: RuleVersion, facts: Facts, rule: ConsentRule) -> Say | None:
    """The last word of the person about this channel and address decides; a revocation holds from when it is known."""
    if facts.case.person.consents is None:
        return missing("consents")
    last = last_word(facts, rule, version.coverage.channels)
    state = None if last is None else last.state
    if last is not None and state == "given":
        return _while_it_lasts(facts, rule, last) if rule.basis == "opt_in" else None
    if state is None and rule.basis == "opt_out":
        return None
    request = facts.request

    def describe(_: int) -> Evidence:
        if last is None:
            return (("channel", request.channel), ("since", ""))
        deadline = revocation_deadline(rule, last.at, facts.zones[0] if facts.zones else "UTC")
        legal = () if deadline is None else (("honour_by", deadline.isoformat()),)
        return (("channel", request.channel), ("since", last.at.date().isoformat()), *legal)

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
        and not _confirmed(facts, last.at)
    ):
        let_through(say, ALWAYS, request.obligation or version.rule, "confirmation")
    return say


def last_word(facts: Facts, rule: ConsentRule, medium: frozenset[str]) -> Word | None:
    """When the person last spoke about this channel and address, and the state since: given or revoked.

    Consents and the opt-outs in the history count alike; of two at the same instant the revocation wins. A revocation
    reaches as far as the rule's scope (all: every channel of `medium`, the rule's own), a consent never further than
    the channel and address that it names.
    """
    key = (rule.scope, rule.forms, medium if rule.scope == "all" else _NONE)
    if key not in facts.words:
        facts.words[key] = _find_word(facts, rule, medium)
    return facts.words[key]


def revocation_deadline(rule: ConsentRule, revoked: datetime, zone: str) -> date | None:
    """The last day on which the law still lets a revocation wait; None where it names none, or it is not known yet."""
    if rule.honour_by is None:
        return None
    last = rule.honour_by.after(local_day(zone, floor_second(revoked)))
    return None if last is None else date.fromordinal(last)


def _find_word(facts: Facts, rule: ConsentRule, medium: frozenset[str]) -> Word | None:
    words = [
        Word(consent.at, consent.state, consent.until)
        for consent in facts.case.person.consents or ()
        if consent.about == "contact"
        and _reaches(facts, rule, medium, consent.state, consent.channel, consent.address)
        and (consent.state != "given" or not rule.forms or consent.form in rule.forms)
        and (consent.state != "given" or consent.at <= facts.request.at)  # a later yes is no yes yet
        and (consent.state != "given" or not consent.debts or set(facts.request.debts) <= set(consent.debts))
        and (consent.until is None or facts.floor < facts.start_of(consent.until.toordinal() + 1))
    ]
    for event in facts.spoken():
        state = SPOKEN[event.result]
        if state == "given" and (rule.forms or event.at > facts.request.at):
            continue
        if _reaches(facts, rule, medium, state, event.channel, event.address):
            words.append(Word(event.at, state, None))
    return max(words, key=lambda word: (word.at, word.state == "revoked"), default=None)


def _reaches(facts: Facts, rule: ConsentRule, medium: frozenset[str], state: str, channel: str, address: str) -> bool:
    request = facts.request
    if state == "revoked" and rule.scope == "all":
        return channel == "*" or not medium or channel in medium
    same_channel = channel in ("*", request.channel)
    if state == "revoked" and rule.scope == "medium":
        return same_channel
    return same_channel and address in ("*", request.address)


def _while_it_lasts(facts: Facts, rule: ConsentRule, given: Word) -> Say | None:
    """A consent that grows old or ends on a day lets nothing go after that."""
    request = facts.request
    stop = END if given.until is None else facts.start_of(given.until.toordinal() + 1)
    if rule.max_age_days is not None:
        renewals = [given.at]
        if rule.renewed_by_message:
            if facts.case.history is None:
                return missing("history")
            renewals += [
                event.at
                for event in facts.case.history
                if event.direction == "inbound"
                and event.channel == request.channel
                and event.address == request.address
                and event.result in ("message", "conversation", "consent")
            ]
        stop = min(stop, floor_second(max(renewals)) + rule.max_age_days * DAY)
    if stop >= END:
        return None
    since = given.at.date().isoformat()
    say = Say(
        ((BEGINNING, stop),),
        "consent_old",
        lambda _: (("channel", request.channel), ("since", since)),
        wake=("consent_given",),
    )
    if rule.required_by_law and facts.kind == "statutory" and facts.notice is not None:
        let_through(say, ALWAYS, facts.notice.rule, "obligation_opt_out")
    if rule.reply is not None and (asked := facts.reply_open_since()) is not None:
        let_through(say, ((asked, END),), rule.reply, "one_reply")
    return say


def hold(version: RuleVersion, facts: Facts, rule: HoldRule, for_act: Act | None = None) -> Say | None:
    """Nothing while a hold of these causes lasts, but for the classes of message that the rule itself names.

    `for_act`: the question is about an act, which no class of message lets through.
    """
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
    if not binding or (for_act is None and request.recipient in rule.passes_recipients):
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
    if for_act is not None:
        return say
    if rule.effect == "review" and version.rule in request.approved:
        let_through(say, ALWAYS, version.rule, "approved")
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
    """Only the roles that the rule names, and those whom it names for a debtor who cannot be reached."""
    role = facts.request.recipient
    if role in rule.allowed:
        return None
    lost = rule.lost
    if lost is None or role not in lost.recipients:
        return Say(NEVER, "recipient", lambda _: (("recipient", role), ("allowed", ", ".join(sorted(rule.allowed)))))
    zones = (rule.zone,) if rule.zone is not None else facts.zones
    if facts.case.history is None:
        return missing("history")
    if not zones:
        return missing("zones")
    if any(
        event.recipient == role and event.address == facts.request.address and event.result in ("refused", "opt_out")
        for event in facts.case.history
    ):
        return Say(NEVER, "recipient_refused", lambda _: (("recipient", role),))
    facts.required.update(dict.fromkeys(lost.require))
    opens = max((_lost_from(lost, facts, zone) for zone in zones), default=END)
    allowed: Intervals = ((opens, END),) if opens < END else NEVER
    return Say(allowed, "not_lost", lambda _: (("recipient", role),), wake=("contact_failed",))


def _lost_from(lost: LostContact, facts: Facts, zone: str) -> int:
    """The second from which the debtor counts as out of reach; END: not yet."""
    history = facts.case.history or ()
    to_debtor = [event for event in history if event.recipient == "debtor"]
    reached = max(
        (e.at for e in to_debtor if e.result == "conversation" or (e.direction == "inbound" and e.result == "message")),
        default=None,
    )
    failed = sorted(
        floor_second(event.at)
        for event in to_debtor
        if event.direction == "outbound"
        and event.channel == "call"
        and event.result in lost.results
        and (reached is None or event.at > reached)
    )
    days = [local_day(zone, second) for second in failed]
    found = [days[lost.tries - 1] + 1] if lost.tries is not None and len(days) >= lost.tries else []
    if lost.days is not None:
        run = sorted(set(days))
        found += [
            run[i] + 1 for i in range(lost.days - 1, len(run)) if run[i] - run[i - lost.days + 1] == lost.days - 1
        ][:1]
    return day_start(zone, min(found)) if found else END


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
