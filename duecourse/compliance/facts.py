"""One case, prepared for its rules: whole seconds, zones, recent contacts, and what lets a contact through.

Prepared once per decision and shared by all rules, since forty rules would otherwise ask the same local date of the
same contact forty times. Nothing here decides anything.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from duecourse.compliance.case import Case, Event
from duecourse.compliance.intervals import (
    BEGINNING,
    END,
    NEVER,
    Interval,
    Intervals,
    complement,
    contains,
    intersect,
    normalize,
    union,
)
from duecourse.compliance.local_time import (
    DAY,
    ceil_second,
    earliest_start,
    floor_second,
    floor_seconds,
    latest_start,
    local_day,
    local_days,
    zone_named,
)
from duecourse.compliance.rules import Notice, ObligationKind, RuleVersion
from duecourse.compliance.selection import Selection
from duecourse.errors import InvalidInput

Evidence = tuple[tuple[str, str], ...]
_instant = attrgetter("at")

BEYOND = 40 * DAY
"""How far past the end of a contact's life a rule still says when it would allow: for people, not for the verdict."""


SPOKEN = {"opt_out": "revoked", "consent": "given"}
"""Results in which the person said whether to be contacted, and the state since."""


class Word(NamedTuple):
    """What the person last said about a channel and address, given or revoked, and the last day on which it holds."""

    at: datetime
    state: str
    until: date | None


class Say:
    """What one rule says about every instant: when it allows, why not otherwise, and what it let through."""

    __slots__ = (
        "allowed",
        "describe",
        "effect",
        "message",
        "passed",
        "passed_by",
        "passed_message",
        "unpublished",
        "wake",
    )

    def __init__(
        self,
        allowed: Intervals,
        message: str,
        describe: Callable[[int], Evidence],
        *,
        wake: tuple[str, ...] = (),
        effect: str = "bar",
        passed: Intervals = NEVER,
        passed_by: str = "",
        passed_message: str = "",
        unpublished: Intervals = NEVER,
    ) -> None:
        self.allowed = allowed
        self.message = message
        self.describe = describe
        self.wake = wake
        self.effect = effect  # what it does where it never allows: bar | review
        self.passed = passed  # allowed only because an exception lets it through
        self.passed_by = passed_by
        self.passed_message = passed_message
        self.unpublished = (
            unpublished  # dates whose holidays are not known yet: never allowed, with a reason of its own
        )

    def message_at(self, instant: int) -> str:
        """The sentence for that instant."""
        return "calendar_unpublished" if self.unpublished and contains(self.unpublished, instant) else self.message


class Facts:
    """The case in whole seconds. `floor` and `ceil` are the request's instant; `last` is the end of its life."""

    __slots__ = (
        "_between",
        "_days",
        "_groups",
        "_periods",
        "_reply",
        "_results",
        "_spoken",
        "_wholes",
        "_with_result",
        "_within",
        "agreements",
        "case",
        "ceil",
        "counted",
        "floor",
        "forbidden",
        "hi",
        "kind",
        "last",
        "named",
        "notice",
        "recent",
        "request",
        "request_debts",
        "required",
        "seconds",
        "selection",
        "words",
        "zones",
    )

    def __init__(self, case: Case, selection: Selection) -> None:
        request = case.request
        self.case = case
        self.request = request
        self.selection = selection
        self.zones = _known_zones(case.person.zones)
        self.floor = floor_second(request.at)
        self.ceil = ceil_second(request.at)
        self.last = floor_second(request.not_after)
        self.hi = max(self.last, self.ceil) + BEYOND
        self.agreements = case.lender.agreements
        self.request_debts = tuple(debt for debt in case.debts if debt.id in request.debts)
        self.notice: RuleVersion | None = None
        self.kind: ObligationKind = self._kind()
        self.recent: list[Event] | None = None
        self.seconds: list[int] = []
        if case.history is not None:
            # Contacts before this can stand in no window with the candidate; later ones can.
            cutoff = request.at - timedelta(seconds=selection.longest + DAY)
            self.recent = sorted([event for event in case.history if event.at >= cutoff], key=_instant)
            self.seconds = floor_seconds([event.at for event in self.recent])
        self.required: dict[str, None] = {}  # what the message must contain, and what it must not
        self.forbidden: dict[str, None] = {}
        self.words: dict[
            tuple[str, frozenset[str], frozenset[str]], Word | None
        ] = {}  # the person's last word, by what counts as one
        self.named: Intervals | None = None  # times named as inconvenient, once a rule has asked
        self.counted: dict[tuple[int, str | None, frozenset[str] | None, int | None], list[int]] = {}
        self._days: dict[tuple[str, int], list[int]] = {}
        self._groups: dict[frozenset[str], tuple[frozenset[str], ...]] = {}
        self._periods: dict[tuple[int, frozenset[str] | None], list[Interval]] = {}
        self._reply: int | None = -1
        self._wholes: list[int] | None = None
        self._results: frozenset[str] | None = None
        self._spoken: list[Event] | None = None
        self._between: dict[tuple[frozenset[str], frozenset[str]], list[int]] = {}
        self._within: dict[int, int] = {}
        self._with_result: dict[frozenset[str], list[int]] = {}

    def results(self) -> frozenset[str]:
        """The results of all contacts, however old: what none of them has need not be looked for in each."""
        if self._results is None:
            self._results = frozenset(event.result for event in self.case.history or ())
        return self._results

    def spoken(self) -> list[Event]:
        """The contacts, however old, in which the person consented or opted out."""
        if self._spoken is None:
            said = not self.results().isdisjoint(SPOKEN)
            self._spoken = [event for event in self.case.history or () if event.result in SPOKEN] if said else []
        return self._spoken

    def with_result(self, results: frozenset[str]) -> list[int]:
        """The positions in `recent` of contacts with one of these results."""
        known = self._with_result.get(results)
        if known is None:
            some = not results.isdisjoint(self.results())
            known = [index for index, event in enumerate(self.recent or ()) if event.result in results] if some else []
            self._with_result[results] = known
        return known

    def between(self, recipients: frozenset[str], directions: frozenset[str]) -> list[int]:
        """The positions in `recent` of contacts with one of these persons, to them or from them."""
        key = (recipients, directions)
        known = self._between.get(key)
        if known is None:
            known = [
                index
                for index, event in enumerate(self.recent or ())
                if event.recipient in recipients and event.direction in directions
            ]
            self._between[key] = known
        return known

    def first_within(self, reach: int) -> int:
        """The position in `recent` from which on contacts lie at most so many seconds before the request."""
        known = self._within.get(reach)
        if known is None:
            known = self._within[reach] = bisect_left(self.seconds, self.floor - reach)
        return known

    def wholes(self) -> list[int]:
        """The whole seconds at or after the recent contacts, beside `seconds`, those at or before them."""
        if self._wholes is None:
            events = self.recent or []
            self._wholes = [
                second + (event.at.microsecond > 0) for second, event in zip(self.seconds, events, strict=True)
            ]
        return self._wholes

    def days(self, zone: str, counted: list[int]) -> list[int]:
        """The local dates of counted contacts, ascending; `counted` is a list that `self.counted` keeps."""
        key = (zone, id(counted))
        known = self._days.get(key)
        if known is None:
            seconds = self.seconds
            known = local_days(zone, [seconds[index] for index in counted])
            self._days[key] = known
        return known

    def debt_groups(self, merge_products: frozenset[str]) -> tuple[frozenset[str], ...]:
        """The debts of the request, each alone; products that merge, by account."""
        known = self._groups.get(merge_products)
        if known is None:
            groups: dict[frozenset[str], None] = {}
            accounts = {
                debt.id: (debt.product, debt.account)
                for debt in self.case.debts
                if debt.account is not None and debt.product in merge_products
            }
            for name in self.request.debts:
                account = accounts.get(name)
                members = {name} if account is None else {d for d, other in accounts.items() if other == account}
                groups[frozenset(members)] = None
            known = tuple(groups)
            self._groups[merge_products] = known
        return known

    def consent_periods(self, days: int, group: frozenset[str] | None) -> list[Interval]:
        """Seconds after a consent to be called, its date being day 1, until it ends.

        It ends after `days`, at its own last day, with its revocation, or with a conversation about the debt.
        """
        key = (days, group)
        known = self._periods.get(key)
        if known is None:
            known = self._find_consent_periods(days, group)
            self._periods[key] = known
        return known

    def agreed(self, about: str) -> Intervals:
        """When an agreement with the borrower about hours or frequency holds for this channel and address."""
        consents = self.case.person.consents
        if not consents:
            return NEVER
        changes = sorted(
            (ceil_second(c.at), c.state != "given", c.until)
            for c in consents
            if c.about == about
            and c.channel in ("*", self.request.channel)
            and c.address in ("*", self.request.address)
            and (not c.debts or set(self.request.debts) <= set(c.debts))
        )
        periods = []
        for index, (start, revoked, until) in enumerate(changes):
            stop = changes[index + 1][0] if index + 1 < len(changes) else END
            if until is not None:
                stop = min(stop, earliest_start(self.zones, until.toordinal() + 1))
            if not revoked:
                periods.append((start, stop))
        return normalize(periods)

    def reply_open_since(self) -> int | None:
        """The second of the borrower's last message by this channel, while it is unanswered and this is a reply."""
        if self._reply == -1:
            self._reply = self._find_reply()
        return self._reply

    def start_of(self, day: int) -> int:
        """The earliest start of a local date wherever the borrower may be."""
        return earliest_start(self.zones, day)

    def over_by(self, day: int) -> int:
        """The second at which a local date has begun wherever the borrower may be."""
        return latest_start(self.zones, day)

    def free(self, barred: Intervals) -> Intervals:
        """What is not barred, over everything that can matter."""
        return complement(barred, BEGINNING, END)

    def is_free(self, say: Say) -> bool:
        """Does that rule allow the request's own instant?"""
        return contains(say.allowed, self.floor) and (self.ceil == self.floor or contains(say.allowed, self.ceil))

    def _kind(self) -> ObligationKind:
        obligation = self.request.obligation
        if obligation is None:
            return "optional"
        if obligation == "contract":
            return "contract"
        role = self.case.lender.role
        for version in self.selection.notices.get(obligation, ()):
            in_force = version.starts <= self.floor < version.ends
            primitive = version.primitive
            if (
                in_force
                and isinstance(primitive, Notice)
                and self.request.channel in primitive.forms
                and version.coverage.binds(
                    role,
                    frozenset(self.agreements),
                    self.request.channel,
                    "notice",
                    "statutory",
                    self.case.lender.licences,
                )
                and version.coverage.reaches(self.case.person.residence, self.request_debts)
            ):
                self.notice = version
                return "statutory"
        return "optional"

    def _find_consent_periods(self, days: int, group: frozenset[str] | None) -> list[Interval]:
        consents = self.case.person.consents or ()
        recent = self.recent or []
        given = [
            (c.at, c.until)
            for c in consents
            if c.channel == "call"
            and c.state == "given"
            and c.about in ("contact", "frequency")
            and c.address in ("*", self.request.address)
            and (not c.debts or group is None or not group.isdisjoint(c.debts))
        ]
        given += [
            (e.at, None)
            for e in recent
            if e.result == "consent" and e.channel == "call" and (group is None or not group.isdisjoint(e.debts))
        ]
        if not given:
            return []
        ends = [c.at for c in consents if c.state == "revoked" and c.channel in ("*", "call")]
        ends += [e.at for e in recent if e.result == "opt_out" and e.channel == "call"]
        ends += [
            e.at
            for e in recent
            if e.result == "conversation"
            and e.channel == "call"
            and (group is None or not group.isdisjoint(e.conversation_debts or e.debts))
        ]
        periods = []
        for at, until in given:
            second = floor_second(at)
            zones = self.zones or ("UTC",)
            stop = min(earliest_start((zone,), local_day(zone, second) + days) for zone in zones)
            if until is not None:
                stop = min(stop, self.start_of(until.toordinal() + 1))
            # A call counts or not by whether it was placed under the consent: the conversation that ends it was.
            later = [ceil_second(end) for end in ends if end > at]
            stop = min([stop, *(end + 1 for end in later)])
            periods.append((second + 1, stop))
        return periods

    def _find_reply(self) -> int | None:
        if self.request.purpose != "reply" or self.case.history is None:
            return None
        channel = self.request.channel
        asked = [
            event.at
            for event in self.case.history
            if event.direction == "inbound" and event.channel == channel and event.result in ("message", "conversation")
        ]
        if not asked:
            return None
        last = max(asked)
        answered = any(
            event.direction == "outbound"
            and event.channel == channel
            and event.purpose == "reply"
            and event.at >= last
            and event.result != "released"
            for event in self.case.history
        )
        return None if answered else ceil_second(last)


def _known_zones(zones: tuple[str, ...]) -> tuple[str, ...]:
    """All zones, or none: a zone that nobody knows may be any, and then nothing local is allowed."""
    try:
        for zone in zones:
            zone_named(zone)
    except InvalidInput:
        return ()
    return zones


_PAST = frozenset({"history", "preferences", "milestones"})
"""What is known once the lender has recorded, or declared complete, what came before."""


def missing(fact: str) -> Say:
    """A rule cannot be answered without this fact: nothing is allowed until it is known."""
    message = "missing_past" if fact in _PAST else "missing"
    return Say(NEVER, message, lambda _: (("fact", fact),), wake=(f"{fact}_known",))


def let_through(say: Say, exempt: Intervals, by: str, message: str) -> Say:
    """The same rule, with the instants at which an exception passes it."""
    if not exempt:
        return say
    passed = intersect(exempt, complement(say.allowed))
    if passed:
        say.allowed = union(say.allowed, exempt)
        say.passed = union(say.passed, passed)
        say.passed_by = by
        say.passed_message = message
    return say
