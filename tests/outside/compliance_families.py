"""The outside cases that belong to the gate, turned into calls of the gate: no rule and no date arithmetic here.

Each function takes a row's `given` and returns what its `expect` compares. Regulation F runs under the rules of
`us/federal` as they are shipped, through `decide`; weekly windows run on the calendar that the gate uses. The official
examples carry no year and the rows date them in 2020, before the regulation was in force: so the same files are loaded
with an earlier date of entry into force, and nothing else changed.
Where a row is marked `deliberate`, this is what we chose: windows are half-open, equal start and end is refused, and
without a known zone nothing is sent.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from duecourse.compliance.case import Case, Consent, Debt, Event, Hold, Lender, Person, Preference, Request
from duecourse.compliance.contract import LIFE
from duecourse.compliance.gate import decide
from duecourse.compliance.local_time import floor_second, instant_of_second, local_day, parse_minutes, to_datetime
from duecourse.compliance.packs import Pack, PackSet, package_documents
from duecourse.compliance.tally import tally
from duecourse.compliance.verdict import Permit, Verdict
from duecourse.compliance.weekly import Weekly, next_inside, on_days, weekly_from
from duecourse.errors import InvalidInput
from tests.outside.loans_families import NotExpressible

HOME = "America/New_York"
PERSON = Person("P", None, (HOME,), "en", (), (), ())
CALLS = "US-F-16"
CONVERSATIONS = "US-F-17"


def regf_time(given: dict[str, Any]) -> dict[str, Any]:
    """12 CFR 1006.6(b)(1)(i): may a collector make contact at that instant?"""
    person = replace(PERSON, zones=tuple(given["zones"]))
    verdict = decide(_case(person, _at(given["at"]), channel=given.get("channel", "call")), _packs())
    return {"allowed": isinstance(verdict, Permit)}


def regf_preference(given: dict[str, Any]) -> dict[str, Any]:
    """12 CFR 1006.6(b), (c) and 1006.14(h): what the consumer asked for, and one attempt."""
    wish, attempt = given["designation"], given["attempt"]
    channel, place = _medium(attempt["channel"])
    address = attempt.get("address", "address")
    person = replace(
        PERSON,
        preferences=_preferences(wish),
        consents=_revocations(wish, channel),
        holds=_holds(wish),
    )
    history = []
    if reply_to := attempt.get("reply_to"):
        medium, _ = _medium(reply_to["channel"])
        history.append(_event(_local(reply_to["local"]), medium, "inbound", "message", address=address))
        if attempt.get("already_replied"):
            history.append(
                _event(_local(reply_to["local"]), medium, "outbound", "sent", address=address, purpose="reply")
            )
    obligation = None
    if attempt.get("legally_required"):
        obligation = "US-F-27"  # a notice that the law demands in that medium
    elif attempt.get("opt_out_confirmation") or attempt.get("confirmation"):
        obligation = "US-F-23"
    case = _case(
        person,
        _local(attempt["local"]),
        channel=channel,
        address=address,
        place=place,
        debts=(attempt.get("debt", "D"),),
        history=tuple(history),
        purpose="reply" if reply_to else "notice" if obligation else "collection",
        obligation=obligation,
    )
    return {"allowed": isinstance(decide(case, _packs()), Permit)}


def regf_calls(given: dict[str, Any]) -> dict[str, Any]:
    """12 CFR 1006.14(b): a history of calls; presumption, and what counts at its end."""
    events = [_call_event(index, row) for index, row in enumerate(given["events"])]
    consents = tuple(consent for index, row in enumerate(given["events"]) for consent in _call_consents(index, row))
    names = tuple(dict.fromkeys(name for event in events for name in (*event.debts, *event.conversation_debts))) or (
        "D",
    )
    person = replace(PERSON, consents=consents)
    last = _noon(given["events"][-1]["date"], len(events))
    merged = {name: f"account {i}" for i, group in enumerate(given.get("merge_debts", ())) for name in group}
    debts = tuple(
        Debt(name, "student_loan" if name in merged else "card", 90, Decimal(100), "USD", merged.get(name))
        for name in names
    )
    whole = replace(_case(person, last, debts=names, history=tuple(events)), debts=debts)
    packs = _packs()
    calls = {name: tally(_about(whole, name), packs, CALLS) for name in names}
    talks = {name: tally(_about(whole, name), packs, CONVERSATIONS) for name in names}
    most = max(count.in_window for count in calls.values())
    return {
        "presumed": "violation" if any(_breaks(whole, event) for event in events) else "compliance",
        "counted_on": given["events"][-1]["date"],
        "counted": most,
        "counted_in_window": most,
        "excluded": sum(len(count.excluded) for count in calls.values()),
        "per_debt": {name: [calls[name].in_window, talks[name].in_window] for name in names},
    }


def window_contains(given: dict[str, Any]) -> dict[str, Any]:
    """Does an instant lie in weekly local windows? No windows at all (null) means no restriction."""
    if given.get("weekly") is None:
        return {"inside": True}
    try:
        return {"inside": _inside(_weekly(given), _zone(given), given["at"]), "refused": False}
    except InvalidInput:
        return {"inside": None, "refused": True}


def window_next(given: dict[str, Any]) -> dict[str, Any]:
    """The instant itself if it lies in the windows, else the next opening."""
    if given.get("weekly") is None:
        return {"next": given["at"]}
    try:
        opening = next_inside(_weekly(given), (_zone(given),), _at(given["at"]))
    except InvalidInput:
        return {"next": None, "refused": True}
    return {"next": None if opening is None else _text(opening), "refused": False}


def window_malformed(given: dict[str, Any]) -> dict[str, Any]:
    """Hours that make no sense are refused, not guessed: `inside` is None then."""
    try:
        if "weekly" in given:
            windows = _weekly(given)
        else:
            hours = given["hours"]
            windows = weekly_from({"daily": [[hours["start"], hours["end"]]]})
        return {"inside": _inside(windows, _zone(given), given["at"]), "refused": False}
    except (InvalidInput, KeyError, TypeError, AttributeError, ValueError):
        return {"inside": None, "refused": True}


def weekday_schedule(given: dict[str, Any]) -> dict[str, Any]:
    """After a delay, on a date, or on the next such weekday, at a local time in a zone."""
    now = _at(given["now"])
    if "delay_s" in given:
        return {"at": _text(now + timedelta(seconds=given["delay_s"]))}
    zone = "UTC" if given.get("in") == "UTC" else given["tz"]
    if "date" in given:
        day = date.fromisoformat(given["date"]).toordinal()
    else:
        on_the_day = next_inside(on_days((given["weekday"],), 0, 1440), (zone,), now)
        if on_the_day is None:
            return {"at": None}
        day = local_day(zone, floor_second(on_the_day))
    of_day = time.fromisoformat(given["time"])
    at = instant_of_second(zone, day, of_day.hour * 3600 + of_day.minute * 60 + of_day.second)
    return {"at": _text(to_datetime(at))}


@cache
def _packs() -> PackSet:
    texts = package_documents("us/federal")
    earlier = {
        path: text.replace("adopted: 2020-11-30", "adopted: 2010-11-30").replace(
            "in_force: 2021-11-30", "in_force: 2011-11-30"
        )
        for path, text in texts.items()
    }
    return PackSet([Pack.from_documents(earlier)])


def _case(
    person: Person,
    at: datetime,
    *,
    channel: str = "call",
    address: str = "number",
    place: str | None = None,
    debts: tuple[str, ...] = ("D",),
    history: tuple[Event, ...] = (),
    purpose: str = "collection",
    obligation: str | None = None,
) -> Case:
    return Case(
        packs=("us/federal",),
        lender=Lender("third_party_collector"),
        person=person,
        debts=tuple(Debt(name, "card", 90, Decimal(100), "USD") for name in debts),
        history=history,
        request=Request(channel, address, "debtor", debts, purpose, obligation, at, at + LIFE, place=place),
    )


def _event(at: datetime, channel: str, direction: str, result: str, **more: Any) -> Event:
    given = {"address": "number", "debts": ("D",), "purpose": "collection"} | more
    return Event(at=at, channel=channel, direction=direction, result=result, **given)


def _about(case: Case, debt: str) -> Case:
    return replace(case, request=replace(case.request, debts=(debt,)))


def _breaks(case: Case, event: Event) -> bool:
    """Would the gate have let this call through, knowing what was known then and what was learned of numbers since?

    A call that does not count is no breach, whatever came before it.
    """
    if event.channel != "call" or event.direction != "outbound" or event.purpose != "collection":
        return False
    known = tuple(
        other
        for other in case.history or ()
        if other is not event and (other.at < event.at or other.result == "wrong_number")
    )
    for debt in event.debts:
        request = replace(
            case.request, debts=(debt,), address=event.address, recipient=event.recipient, at=event.at,
            not_after=event.at + LIFE,
        )  # fmt: skip
        before = replace(case, history=known, request=request)
        counts = tally(replace(before, history=(*known, event)), _packs(), CALLS).counted
        if event in counts and _stopped_by(decide(before, _packs()), CALLS, CONVERSATIONS):
            return True
    return False


def _stopped_by(verdict: Verdict, *rules: str) -> bool:
    return any(finding.rule in rules and finding.effect in ("defer", "bar") for finding in verdict.grounds.findings)


_RESULTS = {
    "busy": "busy",
    "busy_signal": "busy",
    "not_in_service": "not_in_service",
    "wrong_number": "wrong_number",
    "answered_dropped": "no_answer",
    "voicemail": "voicemail",
    "voicemail_left": "voicemail",
}
_RECIPIENTS = {"third_party": "other", "consumer": "debtor", "person": "debtor"}
_MEDIA = {
    "call": "call",
    "phone": "call",
    "text": "sms",
    "sms": "sms",
    "email": "email",
    "letter": "letter",
    "mail": "letter",
}


def _call_event(index: int, row: dict[str, Any]) -> Event:
    at, kind = _noon(row["date"], index), row["kind"]
    debts = tuple(row.get("debts", ()))
    number = row.get("number", "number")
    spoken = bool(row.get("conversation"))
    inbound = row.get("direction") == "inbound" or kind.startswith(("inbound", "consumer"))
    recipient = _RECIPIENTS.get(row.get("to", "debtor"), row.get("to", "debtor"))
    more = {"debts": debts, "address": number, "conversation_debts": tuple(row.get("conversation_debts", ()))}
    if kind == "learn_wrong_number":
        return _event(at, "call", "inbound", "wrong_number", **more)
    if kind in ("consent", "revoke", "revoke_consent", "consent_revoked"):
        return _event(at, "email", "inbound", "message", **more)
    if "call" not in kind and "voicemail" not in kind:
        medium = next((_MEDIA[word] for word in kind.split("_") if word in _MEDIA), None)
        if medium is None:
            raise NotExpressible(f"an event of the kind {kind!r}")
        return _event(at, medium, "inbound" if inbound else "outbound", "message" if inbound else "sent", **more)
    heard = "voicemail" if "voicemail" in kind else str(row.get("outcome"))
    result = "conversation" if spoken else _RESULTS.get(heard, "no_answer")
    return _event(at, "call", "inbound" if inbound else "outbound", result, recipient=recipient, **more)


def _call_consents(index: int, row: dict[str, Any]) -> list[Consent]:
    at, debts = _noon(row["date"], index), tuple(row.get("debts", ()))
    until = date.fromisoformat(row["until"]) if "until" in row else None
    if row["kind"] == "consent" or row.get("consent_given"):
        return [Consent("call", "*", "given", at, "frequency", debts, until)]
    if row["kind"] in ("revoke", "revoke_consent", "consent_revoked"):
        return [Consent("call", "*", "revoked", at, "frequency", debts)]
    return []


def _medium(name: str) -> tuple[str, str | None]:
    words = name.split("_")
    channel = next((_MEDIA[word] for word in words if word in _MEDIA), name)
    place = next((word for word in words if word in ("home", "work")), None)
    return channel, place or ("home" if channel == "letter" else None)


def _preferences(wish: dict[str, Any]) -> tuple[Preference, ...]:
    if not {"weekdays", "from", "place", "also_weekdays"} & set(wish):
        return ()
    until = date.fromisoformat(wish["until"]) if "until" in wish else None
    named = Preference(
        weekdays=tuple(wish.get("weekdays", ())),
        from_minute=parse_minutes(wish.get("from", "00:00")),
        to_minute=parse_minutes(wish.get("to", "24:00")),
        until=until,
        place=wish.get("place", "*"),
    )
    also = wish.get("also_weekdays")
    return (named, Preference(weekdays=tuple(also), until=until)) if also else (named,)


def _revocations(wish: dict[str, Any], channel: str) -> tuple[Consent, ...]:
    before = datetime(2000, 1, 1, tzinfo=UTC)
    found = []
    if "stop_address" in wish:
        found.append(Consent(channel, wish["stop_address"], "revoked", before))
    if "stop_medium" in wish:
        found.append(Consent(_medium(wish["stop_medium"])[0], "*", "revoked", before))
    return tuple(found)


def _holds(wish: dict[str, Any]) -> tuple[Hold, ...]:
    if wish.get("attorney"):
        return (Hold("attorney", None, date(2000, 1, 1), None),)
    if "cease_received" in wish:
        return (Hold("cease", None, date.fromisoformat(wish["cease_received"]), None),)
    return ()


def _weekly(given: dict[str, Any]) -> Weekly:
    return weekly_from({day: pairs or () for day, pairs in given["weekly"].items()})


def _zone(given: dict[str, Any]) -> str:
    return given.get("tz") or "UTC"


def _inside(windows: Weekly, zone: str, at: str) -> bool:
    return next_inside(windows, (zone,), _at(at)) == _at(at)


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(HOME)).astimezone(UTC)


def _noon(day: str, index: int) -> datetime:
    """Rows name dates only: their order within a day is the order in which they stand."""
    return datetime.combine(date.fromisoformat(day), time(12, index), ZoneInfo(HOME)).astimezone(UTC)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
