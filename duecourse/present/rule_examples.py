"""An example for each rule of a pack: a case made of the rule's own data, decided by the gate, and told in words.

Nothing is written by hand for a rule or a country: who asks, by what channel and when follows from what the rule covers
and counts, so that the example changes with the rule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from duecourse.compliance.case import (
    Case,
    Consent,
    Debt,
    Event,
    Hold,
    Lender,
    Milestone,
    Person,
    Place,
    Preference,
    Request,
)
from duecourse.compliance.contract import shipped_packs
from duecourse.compliance.explain import finding_reason, word
from duecourse.compliance.gate import decide
from duecourse.compliance.local_time import zone_named
from duecourse.compliance.obligations import due_notices
from duecourse.compliance.packs import Pack, PackSet
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
from duecourse.compliance.verdict import Finding, Obligation, Verdict
from duecourse.errors import InvalidInput
from duecourse.present.words import Words

_CHANNELS = ("call", "sms", "email", "letter", "visit", "chat")
_PURPOSES = ("collection", "reminder", "servicing", "notice", "legal", "reply")
_ROLES = ("creditor", "third_party_collector", "servicer", "debt_buyer")
_OTHERS = ("other", "listed_contact", "spouse", "guarantor", "co_borrower", "executor", "attorney")
EFFECTS = {"defer": "defers", "warn": "warns", "review": "reviews"}
_NOON, _NIGHT, _DEEP_NIGHT = time(12), time(22, 30), time(3)
_WEDNESDAY, _SUNDAY = 2, 6


@dataclass(frozen=True, slots=True)
class Residence:
    """Where the pack's people live: a place in it, and its clock."""

    place: Place
    zone: str


def example(pack: Pack, version: RuleVersion, home: Residence, words: Words, today: date) -> str | None:
    """One sentence or two; None for a rule that says nothing by itself, or is switched off."""
    known = PackSet({**shipped_packs().packs, pack.id: pack}.values())
    if isinstance(version.primitive, Notice):
        return _notice(version, version.primitive, _plain(pack, version, home, today), known, words)
    for case in _cases(version, _plain(pack, version, home, today), home):
        try:
            verdict = decide(case, known)
        except InvalidInput:
            return None
        said = _said(version, verdict, case, home, words)
        if said is not None:
            return said
    return None


def _said(version: RuleVersion, verdict: Verdict, case: Case, home: Residence, words: Words) -> str | None:
    if isinstance(version.primitive, Content):
        wanted, unwanted = version.primitive.require, version.primitive.forbid
        if not {*wanted} <= {*verdict.grounds.required_content}:
            return None
        parts = [("must_contain", wanted)] * bool(wanted) + [("must_not_contain", unwanted)] * bool(unwanted)
        comma = words.say("comma")
        return _with_request(
            " ".join(words.say(key, of="handbook", list=comma.join(names)) for key, names in parts),
            case, home, words,
        )  # fmt: skip
    for finding in verdict.grounds.findings:
        if finding.rule == version.rule and finding.effect != "allow":
            return _with_request(_outcome(finding, home, words), case, home, words)
    return None


def _outcome(finding: Finding, home: Residence, words: Words) -> str:
    reason = finding_reason(finding, words.language)
    until = ""
    if finding.until is not None:
        local = finding.until.astimezone(zone_named(home.zone))
        until = f"{words.day(local.date())} {local:%H:%M}"
    key = (
        "bars"
        if finding.effect == "bar" and not until
        else "defers"
        if finding.effect == "bar"
        else EFFECTS[finding.effect]
    )
    return words.say(key, of="handbook", reason=reason, until=until)


def _with_request(said: str, case: Case, home: Residence, words: Words) -> str:
    local = case.request.at.astimezone(zone_named(home.zone))
    asked = words.say(
        "asked",
        of="handbook",
        channel=word(case.request.channel, words.language),
        recipient=word(case.request.recipient, words.language),
        day=words.day(local.date()),
        time=f"{local:%H:%M}",
    )
    return asked[:1].upper() + asked[1:] + said


def _notice(version: RuleVersion, notice: Notice, case: Case, known: PackSet, words: Words) -> str | None:
    """When a notice is owed that arose on the day before."""
    if notice.trigger == "act" and notice.before is not None:
        acts = words.say("comma").join(word(act, words.language) for act in sorted(notice.before.acts))
        return words.say("owed_before", of="handbook", acts=acts, forms=_forms(notice.forms, words))
    yesterday = case.request.at - timedelta(days=1)
    spoken = _event(case, yesterday, "letter", "delivered")
    held = (Hold(notice.hold_cause, None, yesterday.date(), None),) if notice.hold_cause else ()
    kind = notice.milestone
    happened = tuple(Milestone(kind, debt.id, yesterday.date()) for debt in case.debts) if kind else ()
    debts = tuple(replace(debt, days_past_due=max(1, notice.past_due_day)) for debt in case.debts)
    asked = replace(
        case, history=(spoken,), person=replace(case.person, holds=held), milestones=happened, debts=debts
    )  # fmt: skip
    owed = next((one for one in due_notices(asked, known) if one.rule == version.rule), None)
    return None if owed is None else _owed(owed, words)


def _owed(owed: Obligation, words: Words) -> str:
    key = "owed" if owed.latest is None else "owed_until"
    earliest, latest = ("" if day is None else words.day(day) for day in (owed.earliest, owed.latest))
    return words.say(key, of="handbook", earliest=earliest, latest=latest, forms=_forms(owed.forms, words))


def _forms(forms: tuple[str, ...], words: Words) -> str:
    return words.say("comma").join(word(form, words.language) for form in forms)


def _cases(version: RuleVersion, case: Case, home: Residence) -> list[Case]:
    """What the rule is about; the first on which it has something to say is told."""
    at = case.request.at
    match version.primitive:
        case QuietHours():
            return [
                _at(case, home, _WEDNESDAY, _NIGHT),
                _at(case, home, _WEDNESDAY, _DEEP_NIGHT),
                _at(case, home, _SUNDAY, _NOON),
            ]
        case Cap() as cap:
            apart = timedelta(seconds=1) if cap.unit == "seconds" else timedelta(minutes=8)
            channel = next((one for one in _CHANNELS if one in cap.counter.channels), case.request.channel)
            results = sorted(cap.counter.results) or ["no_answer" if channel == "call" else "delivered", "conversation"]
            result = next(one for one in results if one not in cap.counter.not_counted)
            about = ("L-2",) if cap.key == "person" else case.request.debts
            purpose = _one(_PURPOSES, cap.counter.purposes)
            return [
                replace(
                    case,
                    history=tuple(
                        replace(_event(case, at - apart * (number + 1), channel, result), purpose=purpose, debts=about)
                        for number in range(cap.limit)
                    ),
                )
            ]
        case CoolOff() as rest:
            channel = _one(_CHANNELS, rest.channels)
            spoken = _event(case, at - timedelta(days=1), channel, sorted(rest.results)[0])
            return [replace(case, history=(spoken,))]
        case ConsentRule(basis="opt_out"):
            # By the channel on which no law says the same: a law's finding stands in the place of a policy's.
            channels = [one for one in _CHANNELS if not version.coverage.channels or one in version.coverage.channels]
            stop = at - timedelta(days=1)
            return [_person(_by(case, one), consents=(Consent(one, "*", "revoked", stop),)) for one in channels]
        case ConsentRule():
            return [case]
        case NamedTimes():
            return [_person(case, preferences=(Preference(weekdays=("WED",)),))]
        case HoldRule(causes=causes, except_causes=spared):
            named = sorted(causes - {"*"}) or [one for one in ("hardship", "dispute") if one not in spared]
            return [_person(case, holds=(Hold(named[0], None, (at - timedelta(days=7)).date(), None),))]
        case Recipients(allowed=allowed):
            request = replace(case.request, recipient=next(one for one in _OTHERS if one not in allowed))
            return [replace(case, request=request)]
        case Content():
            return [case]
        case _:
            return []


def _plain(pack: Pack, version: RuleVersion, home: Residence, today: date) -> Case:
    """A contact at noon on a Wednesday that the rule covers, with nothing known against it."""
    bound = version.coverage
    channel, purpose = _one(_CHANNELS, bound.channels), _one(_PURPOSES, bound.purposes)
    product = next((one for one in sorted(bound.products)), "consumer_loan")
    nature, obtained = (next(iter(sorted(one)), None) for one in (bound.natures, bound.obtained))
    late = bound.min_days_past_due or min(40, bound.max_days_past_due or 40)
    debt = Debt(
        "L-1",
        product,
        max(late, 40) if bound.max_days_past_due is None else late,
        Decimal(500),
        "USD",
        None,
        nature,
        obtained,
    )
    role = _one(_ROLES, bound.roles)
    zone = zone_named(home.zone)
    live = version.in_force <= today and (version.ended is None or today < version.ended)
    day = today if live else version.in_force + timedelta(days=1)
    at = datetime.combine(day + timedelta(days=(_WEDNESDAY - day.weekday()) % 7), _NOON, zone)
    return Case(
        packs=(pack.id,),
        lender=Lender(role, tuple(sorted(bound.agreements)), tuple(sorted(bound.licences))),
        person=Person("B", home.place, (home.zone,), "en", (), (), ()),
        debts=(debt,),
        history=(),
        request=Request(
            channel, "address", "debtor", ("L-1",), purpose, None, at, at + timedelta(days=40), place=_place(version)
        ),
        milestones=(),
    )


def _place(version: RuleVersion) -> str | None:
    places = version.coverage.places
    return None if not places or "personal" in places else sorted(places)[0]


def _event(case: Case, at: datetime, channel: str, result: str) -> Event:
    request = case.request
    return Event(
        at, channel, "outbound", request.address, request.debts, request.purpose, result, place=request.place
    )  # fmt: skip


def _at(case: Case, home: Residence, weekday: int, clock: time) -> Case:
    local = case.request.at.astimezone(zone_named(home.zone))
    day = local.date() + timedelta(days=(weekday - local.weekday()) % 7)
    at = datetime.combine(day, clock, zone_named(home.zone))
    return replace(case, request=replace(case.request, at=at, not_after=at + timedelta(days=40)))


def _by(case: Case, channel: str) -> Case:
    return replace(case, request=replace(case.request, channel=channel))


def _person(case: Case, **known: Any) -> Case:
    return replace(case, person=replace(case.person, **known))


def _one(order: tuple[str, ...], among: frozenset[str]) -> str:
    return next((one for one in order if one in among), order[0])
