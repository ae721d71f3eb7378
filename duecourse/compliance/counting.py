"""How often: caps over days, weeks and hours, minimum gaps, cool-offs after a conversation.

A cap must hold for *every* window that contains the candidate, since facts arrive late and out of order: a contact
that lies after the candidate counts as one before it does. With the counted contacts sorted, any `limit` of them in a
row that fit into one window bar every candidate that would make such a window hold one more.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date

from duecourse.compliance.case import Event
from duecourse.compliance.facts import Evidence, Facts, Say, let_through, missing
from duecourse.compliance.intervals import (
    ALWAYS,
    BEGINNING,
    Interval,
    Intervals,
    complement,
    intersect,
    normalize,
    union,
)
from duecourse.compliance.local_time import day_start, local_day
from duecourse.compliance.rules import PENDING, Cap, CoolOff, Counter, Notice, RuleVersion

Group = frozenset[str] | None


def cap(version: RuleVersion, facts: Facts, rule: Cap) -> Say | None:
    """At most `limit` contacts in any window that contains the candidate."""
    recent = facts.recent
    if recent is None:
        return missing("history")
    zones = (rule.zone,) if rule.zone is not None else facts.zones
    if not zones and rule.unit != "seconds":
        return missing("zones")
    if facts.request.recipient in rule.counter.not_to:
        return None
    groups: tuple[Group, ...] = facts.debt_groups(rule.merge_products) if rule.key == "debt" else (None,)
    say: Say | None = None
    for group in groups:
        counted = counted_contacts(rule, facts, group, None if rule.counts_earlier else version.starts)
        if rule.limit > 0 and len(counted) < rule.limit:
            continue
        near = bisect_left(counted, facts.first_within(rule.reach))
        if rule.limit > 0 and len(counted) - near < rule.limit:
            continue
        barred = _barred_by_cap(rule, facts, zones, counted, near)
        if not barred:
            continue
        part = _cap_says(rule, facts, zones, counted, barred)
        if rule.counter.consent_days is not None:
            let_through(
                part, normalize(facts.consent_periods(rule.counter.consent_days, group)), version.rule, "consent"
            )
        say = part if say is None else _both(say, part, facts.floor)
    if say is None:
        return None
    if rule.agreed:
        let_through(say, facts.agreed("frequency"), version.rule, "agreed_frequency")
    return _survives_caps(say, facts)


def cool_off(version: RuleVersion, facts: Facts, rule: CoolOff) -> Say | None:
    """Nothing for `days` consecutive local days after an event, the event's own date being day 1."""
    recent = facts.recent
    if recent is None:
        return missing("history")
    zones = (rule.zone,) if rule.zone is not None else facts.zones
    if not zones:
        return missing("zones")
    if facts.request.recipient in rule.not_to:
        return None
    ending = facts.with_result(rule.results)
    if not ending:
        return None
    groups: tuple[Group, ...] = facts.debt_groups(rule.merge_products) if rule.key == "debt" else (None,)
    say: Say | None = None
    for group in groups:
        barred: list[Interval] = []
        for event, second in ((recent[index], facts.seconds[index]) for index in ending):
            if event.recipient == facts.request.recipient and starts_cool_off(rule, event, group):
                free = max(day_start(zone, local_day(zone, second) + rule.days) for zone in zones)
                barred.append((second, free))
        if not barred:
            continue
        part = _cool_off_says(rule, facts, zones, normalize(barred))
        if rule.consent_days is not None:
            let_through(part, normalize(facts.consent_periods(rule.consent_days, group)), version.rule, "consent")
        say = part if say is None else _both(say, part, facts.floor)
    return None if say is None else _survives_caps(say, facts)


def counted_contacts(rule: Cap, facts: Facts, group: Group, since: int | None = None) -> list[int]:
    """The positions in `facts.recent` of the contacts that count toward a cap, for one debt (or group of merged ones).

    What is excluded: other directions, channels, purposes and results than the rule counts, recipients it leaves out,
    numbers that proved to be wrong, contacts within a consent, and those before `since` (epoch seconds). In the
    order of their instants.
    """
    address = facts.request.address if rule.key == "address" else None
    key = (id(rule.counter), address, group, since)  # equal counters are one object: see compilation
    known = facts.counted.get(key)
    if known is None:
        known = _find_counted(rule.counter, facts, address, group)
        if since is not None:
            known = [index for index in known if facts.seconds[index] >= since]
        facts.counted[key] = known
    return known


def count_at(rule: Cap, facts: Facts, zones: tuple[str, ...], counted: list[int], instant: int) -> int:
    """The most counted contacts that any one window containing `instant` holds, the candidate left out."""
    if rule.unit == "seconds":
        return _most_around(instant, [facts.seconds[index] for index in counted], rule.length)
    most = 0
    for zone in zones:
        days = facts.days(zone, counted)
        today = local_day(zone, instant)
        if rule.unit == "days":
            most = max(most, _most_around(today, days, rule.length))
        else:
            low, high = _bucket(rule, today)
            most = max(most, bisect_left(days, high) - bisect_left(days, low))
    return most


def _most_around(middle: int, marks: list[int], length: int) -> int:
    """The most of the ascending marks that one stretch of that length can hold which contains `middle`."""
    near = marks[bisect_right(marks, middle - length) : bisect_left(marks, middle + length)]
    if near and near[-1] - near[0] < length:
        return len(near)
    # Of the stretches that do, one begins with a mark, or at `middle`, where only the later marks count.
    return max((bisect_left(near, low + length) - i for i, low in enumerate(near)), default=0)


def _bucket(rule: Cap, day: int) -> tuple[int, int]:
    """The calendar week or month that a local date lies in: its first day, and the first day after it."""
    if rule.unit == "week":
        low = day - (day - 1 - rule.week_start) % 7
        return low, low + 7
    first = date.fromordinal(day).replace(day=1)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return first.toordinal(), following.toordinal()


def starts_cool_off(rule: CoolOff, event: Event, group: Group) -> bool:
    """Does this contact start the cool-off for that debt?"""
    return (
        event.result in rule.results
        and (not rule.channels or event.channel in rule.channels)
        and event.direction in rule.directions
        and (group is None or not group.isdisjoint(event.conversation_debts or event.debts))
    )


def _find_counted(counter: Counter, facts: Facts, address: str | None, group: Group) -> list[int]:
    recent = facts.recent or []
    # Co-borrowers, spouses and lawyers are persons of their own: each has a count of their own.
    recipient = facts.request.recipient
    recipients = counter.pooled if recipient in counter.pooled else frozenset((recipient,))
    counted = facts.between(recipients, counter.directions)
    # One pass for each thing that this rule asks of a contact; most ask little.
    if channels := counter.channels:
        counted = [i for i in counted if recent[i].channel in channels]
    if not_counted := counter.not_counted:
        counted = [i for i in counted if recent[i].result not in not_counted]
    if counter.results:
        results = counter.results | PENDING
        counted = [i for i in counted if recent[i].result in results]
    if purposes := counter.purposes:
        counted = [i for i in counted if recent[i].purpose in purposes]
    if kinds := counter.kinds:
        counted = [i for i in counted if _kind_of(recent[i], facts) in kinds]
    if places := counter.places:
        counted = [i for i in counted if (recent[i].place or "personal") in places]
    if address is not None:
        counted = [i for i in counted if recent[i].address == address]
    if group is not None:
        counted = [i for i in counted if not group.isdisjoint(recent[i].debts)]
    if counted and counter.misdirected and "wrong_number" in facts.results():
        wrong = [(event.address, event.at) for event in recent if event.result == "wrong_number"]
        counted = [
            index
            for index in counted
            if not any(recent[index].address == number and recent[index].at <= learned for number, learned in wrong)
        ]
    if counted and counter.consent_days is not None:
        periods = facts.consent_periods(counter.consent_days, group)
        if periods:
            seconds = facts.seconds
            counted = [i for i in counted if not any(start <= seconds[i] < stop for start, stop in periods)]
    return counted


def _kind_of(event: Event, facts: Facts) -> str:
    if event.obligation is None:
        return "optional"
    return "statutory" if event.obligation in facts.selection.notices else "contract"


def _barred_by_cap(rule: Cap, facts: Facts, zones: tuple[str, ...], counted: list[int], near: int) -> Intervals:
    """What the counted contacts bar from the request on; those before the position `near` are too old to."""
    limit, length = rule.limit, rule.length
    if limit == 0:
        return ALWAYS
    if rule.unit == "seconds":
        seconds = facts.seconds
        wholes = facts.wholes()
        return normalize(
            (seconds[counted[i + limit - 1]] - length + 1, wholes[counted[i]] + length)
            for i in range(near, len(counted) - limit + 1)
            if seconds[counted[i + limit - 1]] - seconds[counted[i]] < length
        )
    barred: list[Interval] = []
    for zone in zones:
        days = facts.days(zone, counted)
        start = stop = days[0] - 400  # the run of barred days that is being gathered
        for i in range(near, len(days) - limit + 1):
            first, last = days[i], days[i + limit - 1]
            if rule.unit != "days":
                low, high = _bucket(rule, first)
                if last >= high:
                    continue
            elif last - first >= length:
                continue
            else:
                low, high = last - length + 1, first + length
            if low <= stop:
                stop = high
                continue
            if start < stop:
                barred.append((day_start(zone, start), day_start(zone, stop)))
            start, stop = low, high
        if start < stop:
            barred.append((day_start(zone, start), day_start(zone, stop)))
    return normalize(barred)


def _cap_says(rule: Cap, facts: Facts, zones: tuple[str, ...], counted: list[int], barred: Intervals) -> Say:
    def describe(instant: int) -> Evidence:
        since = (("last", _day(zones[0], facts.seconds[counted[-1]])),) if counted and zones else ()
        return (("counted", str(count_at(rule, facts, zones, counted, instant))), *rule.told, *since)

    return Say(facts.free(barred), rule.message, describe)


def _cool_off_says(rule: CoolOff, facts: Facts, zones: tuple[str, ...], barred: Intervals) -> Say:
    def describe(instant: int) -> Evidence:
        began = max((low for low, high in barred if low <= instant < high), default=barred[0][0])
        return (("date", _day(zones[0], began)), ("days", str(rule.days)), ("per", rule.key))

    return Say(facts.free(barred), "cool_off", describe)


def _both(one: Say, other: Say, instant: int) -> Say:
    """Two debts in one contact: both must allow; the one that bars (longer) is the one to speak."""
    barred_one, barred_other = _ends(one, instant), _ends(other, instant)
    speaks = other if barred_other > barred_one else one
    barred = union(complement(one.allowed), complement(other.allowed))
    both = Say(complement(barred), speaks.message, speaks.describe, wake=speaks.wake)
    passed = union(one.passed, other.passed)
    both.passed = intersect(passed, both.allowed)
    both.passed_by = one.passed_by or other.passed_by
    both.passed_message = one.passed_message or other.passed_message
    return both


def _ends(say: Say, instant: int) -> int:
    for low, high in complement(say.allowed):
        if low <= instant < high:
            return high
    return BEGINNING


def _survives_caps(say: Say, facts: Facts) -> Say:
    notice = facts.notice
    if notice is not None and isinstance(notice.primitive, Notice) and notice.primitive.survives_caps:
        let_through(say, ALWAYS, notice.rule, "obligation_cap")
    return say


def _day(zone: str, second: int) -> str:
    return date.fromordinal(local_day(zone, second)).isoformat()
