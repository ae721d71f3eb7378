"""What a counting rule counted for a case, and what it left out: for explanations, timelines and audits."""

from __future__ import annotations

from dataclasses import dataclass

from duecourse.compliance.case import Case, Event
from duecourse.compliance.counting import count_at, counted_contacts, starts_cool_off
from duecourse.compliance.facts import Facts
from duecourse.compliance.local_time import local_day
from duecourse.compliance.packs import PackSet
from duecourse.compliance.rules import Cap, CoolOff
from duecourse.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Tally:
    """`counted`: contacts that count; `excluded`: contacts of the same kind that do not; `in_window`: the most that
    any one window holds which contains the request's instant. For a cool-off, `counted` are the events that start one.
    """

    counted: tuple[Event, ...]
    excluded: tuple[Event, ...]
    in_window: int


def tally(case: Case, packs: PackSet, rule_id: str) -> Tally:
    """Count as the rule does, for the debts of the request, at the request's instant.

    Raises InvalidInput if no version of that rule is in force, if it counts nothing, or if the history is unknown.
    """
    selection = packs.select(case.packs or packs.ids_for(case.person.residence))
    facts = Facts(case, selection)
    version = next(
        (v for v in selection.versions if v.rule == rule_id and v.starts <= facts.floor < v.ends),
        None,
    )
    if version is None:
        raise InvalidInput("rule", rule_id, "a rule that is in force at the request's instant")
    if facts.recent is None:
        raise InvalidInput("history", None, "a known history")
    match version.primitive:
        case Cap() as cap:
            return _of_cap(cap, facts, facts.recent, None if cap.counts_earlier else version.starts)
        case CoolOff() as cool_off:
            return _of_cool_off(cool_off, facts, facts.recent)
        case _:
            raise InvalidInput("rule", rule_id, "a rule that counts: a cap or a cool-off")


def _of_cap(rule: Cap, facts: Facts, recent: list[Event], since: int | None) -> Tally:
    zones = (rule.zone,) if rule.zone is not None else facts.zones
    counter = rule.counter
    groups = facts.debt_groups(rule.merge_products) if rule.key == "debt" else (None,)
    counted: set[int] = set()
    same_kind: set[int] = set()
    most = 0
    for group in groups:
        of_group = counted_contacts(rule, facts, group, since)
        counted.update(of_group)
        same_kind.update(
            index
            for index, event in enumerate(recent)
            if (not counter.channels or event.channel in counter.channels)
            and event.direction in counter.directions
            and event.recipient == facts.request.recipient
            and (group is None or not group.isdisjoint(event.debts))
        )
        most = max(most, count_at(rule, facts, zones, of_group, facts.floor))
    return Tally(
        counted=tuple(recent[index] for index in sorted(counted)),
        excluded=tuple(recent[index] for index in sorted(same_kind - counted)),
        in_window=most,
    )


def _of_cool_off(rule: CoolOff, facts: Facts, recent: list[Event]) -> Tally:
    zones = (rule.zone,) if rule.zone is not None else facts.zones
    groups = facts.debt_groups(rule.merge_products) if rule.key == "debt" else (None,)
    starting = [
        (event, second)
        for event, second in zip(recent, facts.seconds, strict=True)
        if event.recipient == facts.request.recipient and any(starts_cool_off(rule, event, group) for group in groups)
    ]
    still = sum(
        any(local_day(zone, second) + rule.days > local_day(zone, facts.floor) for zone in zones)
        for _, second in starting
    )
    return Tally(counted=tuple(event for event, _ in starting), excluded=(), in_window=still)
