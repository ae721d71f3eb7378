"""Notices that are owed: what has arisen, from when and until when it may be served, and what fulfils it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from duecourse.compliance.calendars import workdays_before
from duecourse.compliance.case import Case, Debt, Event
from duecourse.compliance.facts import Facts
from duecourse.compliance.local_time import floor_second, local_day
from duecourse.compliance.packs import PackSet
from duecourse.compliance.rules import Notice, RuleVersion
from duecourse.compliance.verdict import Obligation

COMMUNICATED = frozenset({"sent", "delivered", "conversation", "voicemail", "accepted", "third_party", "refused"})
"""Outbound results that may have told the borrower of the debt; counting a voicemail owes the notice sooner."""
NOT_SERVED = frozenset(
    {"undelivered", "bounced", "released", "failed", "wrong_number", "not_in_service", "busy", "no_answer"}
)
REACHED = frozenset({"delivered", "conversation"})
PERSON_DAYS = 3
"""Business days before a deadline at which a person takes over."""


def due_notices(case: Case, packs: PackSet) -> tuple[Obligation, ...]:
    """The notices owed at `case.request.at` for all debts of the case, by deadline, those without one last.

    `latest` is the last day on which each may be served, `task_by` the day on which a person must take over: three
    business days earlier, or at once where less remains or the deadline cannot be known. Where it is not known whether
    a notice arose, or was served, it is among them with the fact that is missing in `unknown`: a duty that nobody can
    rule out is a person's question, not nobody's. Raises InvalidInput for an unknown pack.
    """
    selection = packs.select(case.packs or packs.ids_for(case.person.residence))
    facts = Facts(case, selection)
    found = (*owed(facts, case.debts), *_perhaps_owed(facts))
    return tuple(sorted(found, key=lambda one: (one.latest or date.max, one.rule, one.debt)))


def owed(facts: Facts, debts: tuple[Debt, ...] | None = None) -> tuple[Obligation, ...]:
    """The notices of the packs in force that are owed for the debts of the request (or others), by rule and debt."""
    if not facts.selection.notices or facts.case.history is None:
        return ()
    found: list[Obligation] = []
    for version, notice, debt in _binding(facts, facts.request_debts if debts is None else debts):
        arisen = arose(notice, facts, debt)
        owing = None if arisen is None else _owing(version, notice, facts, debt, arisen)
        if owing is not None:
            found.append(owing)
    return tuple(found)


def _binding(facts: Facts, debts: tuple[Debt, ...]) -> Iterator[tuple[RuleVersion, Notice, Debt]]:
    """The notices in force that concern these debts; not those that are owed only before somebody acts."""
    for versions in facts.selection.notices.values():
        for version in versions:
            notice = version.primitive
            if not isinstance(notice, Notice) or notice.trigger == "act":
                continue  # what only an act asks for is owed to nobody until somebody means to act
            if not version.starts <= facts.floor < version.ends:
                continue
            for debt in debts:
                if binds_debt(version, notice, facts, debt):
                    yield version, notice, debt


def _perhaps_owed(facts: Facts) -> Iterator[Obligation]:
    """Notices of which a missing fact leaves open whether they arose, or whether they were served."""
    case = facts.case
    for version, notice, debt in _binding(facts, case.debts):
        missing = ""
        if notice.trigger == "milestone" and case.milestones is None:
            missing = "milestones"
        elif notice.trigger == "hold" and case.person.holds is None:
            missing = "holds"
        elif case.history is None and (
            notice.trigger == "initial_communication" or arose(notice, facts, debt) is not None
        ):
            missing = "history"
        if missing:
            unclear = as_obligation(version, notice, facts, debt, today(facts), None, known=False)
            yield replace(unclear, earliest=None, unknown=missing)


def binds_debt(version: RuleVersion, notice: Notice, facts: Facts, debt: Debt) -> bool:
    """Does that notice concern this lender and this debt?"""
    case, coverage = facts.case, version.coverage
    return coverage.binds(
        case.lender.role,
        frozenset(facts.agreements),
        notice.forms[0],
        "notice",
        "statutory",
        case.lender.licences,
    ) and coverage.reaches(case.person.residence, (debt,))


def arose(notice: Notice, facts: Facts, debt: Debt) -> int | None:
    """The local day (ordinal) on which the duty arose; None: it has not. A duty before an act is always there."""
    case = facts.case
    match notice.trigger:
        case "act":
            return today(facts)
        case "past_due":
            late = debt.days_past_due - notice.past_due_day
            return None if late < 0 else today(facts) - late
        case "hold":
            starts = [
                held.starts.toordinal()
                for held in case.person.holds or ()
                if held.cause == notice.hold_cause and held.debt in (None, debt.id)
            ]
            return min(starts, default=None)
        case "milestone":
            days = [
                mark.on.toordinal()
                for mark in case.milestones or ()
                if mark.kind == notice.milestone and mark.debt == debt.id and mark.on.toordinal() <= today(facts)
            ]
            return (min if notice.per == "person" else max)(days, default=None)
        case "initial_communication":
            spoken = [
                event.at
                for event in case.history or ()
                if (event.result == "conversation" if event.direction == "inbound" else event.result in COMMUNICATED)
                and debt.id in event.debts
            ]
            return day_of(facts, floor_second(min(spoken))) if spoken else None


def serving(version: RuleVersion, notice: Notice, facts: Facts, debt: Debt, arisen: int | None) -> list[Event]:
    """The contacts that serve it, those on their way too, the oldest first.

    At its moment: a notice from before the duty arose (a line in an earlier reminder) serves nothing, unless it is owed
    once for the debt or the person. One that came back serves nothing either.
    """
    names = {version.rule, *notice.served_by}
    since = arisen if notice.per == "episode" and notice.trigger != "act" else None
    return sorted(
        (
            event
            for event in facts.case.history or ()
            if event.obligation in names
            and event.direction == "outbound"
            and (notice.per == "person" or debt.id in event.debts)
            and event.result not in NOT_SERVED
            and (since is None or day_of(facts, floor_second(event.at)) >= since)
        ),
        key=lambda event: event.at,
    )


def today(facts: Facts) -> int:
    """The borrower's local day at the request's instant."""
    return day_of(facts, facts.floor)


def day_of(facts: Facts, second: int) -> int:
    """A local day (ordinal); where no zone is known, by UTC."""
    return local_day(facts.zones[0] if facts.zones else "UTC", second)


def as_obligation(
    version: RuleVersion, notice: Notice, facts: Facts, debt: Debt, earliest: int, latest: int | None, *, known: bool
) -> Obligation:
    """A notice that is owed, with the day on which a person takes over. `known`: the deadline could be computed."""
    now = today(facts)
    task_by: int | None = None
    if not known:
        task_by = now
    elif latest is not None:
        task_by = max(now, workdays_before(latest, PERSON_DAYS, notice.calendar))
    return Obligation(
        rule=version.rule,
        debt=debt.id,
        earliest=date.fromordinal(earliest),
        latest=None if latest is None else date.fromordinal(latest),
        forms=notice.forms,
        task_by=None if task_by is None else date.fromordinal(task_by),
        proof=notice.proof,
        citation=version.citation,
    )


def _owing(version: RuleVersion, notice: Notice, facts: Facts, debt: Debt, arisen: int) -> Obligation | None:
    served = serving(version, notice, facts, debt, arisen)
    if notice.proof == "must_reach" and notice.assumed_receipt is None:
        served = [event for event in served if event.result in REACHED]
    if served:
        if notice.again is None:
            return None
        last = day_of(facts, floor_second(served[-1].at))
        opens, closes = notice.again
        if today(facts) < last + opens:
            return None
        return as_obligation(version, notice, facts, debt, last + opens, last + closes, known=True)
    latest = None if notice.latest is None else notice.latest.after(arisen)
    known = notice.latest is None or latest is not None
    return as_obligation(version, notice, facts, debt, arisen + notice.earliest_days, latest, known=known)
