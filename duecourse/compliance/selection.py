"""The rules of the packs that apply to a case, indexed by what a request is; compiled once per set of packs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from duecourse.compliance.case import Case, Place, Request
from duecourse.compliance.local_time import DAY
from duecourse.compliance.rules import (
    Cap,
    ConsentRule,
    CoolOff,
    Coverage,
    LocalTime,
    Notice,
    OneReply,
    Primitive,
    Rule,
    RuleVersion,
)
from duecourse.compliance.verdict import PackRef

E = TypeVar("E")


class Bound(NamedTuple, Generic[E]):
    """A version that can bind a request, laid out for the loop that asks each of them."""

    version: RuleVersion
    evaluate: E | None
    primitive: Primitive
    starts: int
    ends: int
    by_debt: Coverage | None  # its coverage, where it looks at the debts


_Key = tuple[str, tuple[str, ...], tuple[str, ...] | None, str, str, str, str | None, str, Place | None]


def says_the_same(one: Rule, other: Rule) -> bool:
    """A file that several packs name speaks once; two rules that differ both speak, and the stricter decides."""
    return one.id == other.id and [_substance(v) for v in one.versions] == [_substance(v) for v in other.versions]


def _substance(version: RuleVersion) -> tuple[object, ...]:
    return (version.starts, version.ends, version.strength, version.coverage, version.primitive)


class Selection:
    """The rules of some packs that apply together.

    `versions`: all; `notices`: by rule; `confirmations`: obligations that confirm an opt-out; `longest`: how far back,
    in seconds, a contact can matter.
    """

    __slots__ = ("_by_place", "_by_request", "confirmations", "longest", "notices", "refs", "versions")

    def __init__(self, refs: tuple[PackRef, ...], rules: Iterable[Rule]) -> None:
        self.refs = refs
        chosen: dict[str, list[Rule]] = {}
        for rule in rules:
            same = chosen.setdefault(rule.id, [])
            if not any(says_the_same(rule, other) for other in same):
                same.append(rule)
        self.versions: tuple[RuleVersion, ...] = tuple(
            version for same in chosen.values() for rule in same for version in rule.versions
        )
        self.notices: dict[str, tuple[RuleVersion, ...]] = {}
        for version in self.versions:
            if isinstance(version.primitive, Notice):
                self.notices[version.rule] = (*self.notices.get(version.rule, ()), version)
        self.confirmations = frozenset(
            version.primitive.confirmation
            for version in self.versions
            if isinstance(version.primitive, ConsentRule) and version.primitive.confirmation is not None
        )
        self.longest = max((_reach(version) for version in self.versions), default=0)
        self._by_place = any(version.coverage.by_place for version in self.versions)
        self._by_request: dict[_Key, tuple[Bound[Any], ...]] = {}

    def binding(self, case: Case, request: Request, kind: str, evaluators: Mapping[type, E]) -> tuple[Bound[E], ...]:
        """The versions that can bind such a request; the debts and the dates are still to be looked at.

        `evaluators`, by type of primitive, are always the same: what is found is kept.
        """
        lender = case.lender
        residence = case.person.residence if self._by_place else None
        key = (
            lender.role,
            lender.agreements,
            lender.licences,
            request.channel,
            request.purpose,
            kind,
            request.place,
            request.recipient,
            residence,
        )
        known = self._by_request.get(key)
        if known is None:
            known = tuple(
                Bound(
                    version,
                    evaluators.get(type(version.primitive)),
                    version.primitive,
                    version.starts,
                    version.ends,
                    version.coverage if version.coverage.by_debt else None,
                )
                for version in self.versions
                if _can_bind(version, case, request, kind, residence)
            )
            if len(self._by_request) >= 16_384:  # a postal code each
                self._by_request.clear()
            self._by_request[key] = known
        return known


_CONTACTS = frozenset({"contact", "legal"})  # acts that are contacts, or can be


def _can_bind(version: RuleVersion, case: Case, request: Request, kind: str, residence: Place | None) -> bool:
    primitive = version.primitive
    if isinstance(primitive, (LocalTime, OneReply)):
        return False
    if isinstance(primitive, Notice) and (primitive.before is None or primitive.before.acts.isdisjoint(_CONTACTS)):
        return False
    coverage, lender = version.coverage, case.lender
    return (
        coverage.binds(
            lender.role, frozenset(lender.agreements), request.channel, request.purpose, kind, lender.licences
        )
        and coverage.addresses(request.place, request.recipient)
        and coverage.reaches_place(residence)
    )


def _reach(version: RuleVersion) -> int:
    """How far back, in seconds, a contact can still matter to this rule."""
    match version.primitive:
        case Cap(unit="seconds", length=length):
            return length
        case Cap(unit="month", counter=counter):
            return (31 + (counter.consent_days or 0) + 3) * DAY
        case Cap(length=length, counter=counter):
            return (length + (counter.consent_days or 0) + 3) * DAY
        case CoolOff(days=days, consent_days=consent_days):
            return (days + (consent_days or 0) + 3) * DAY
        case _:
            return 0
