"""Notices that are owed: what has arisen, from when and until when it may be served, and what fulfils it."""

from __future__ import annotations

from datetime import date, timedelta

from duecourse.compliance.case import Case, Debt
from duecourse.compliance.facts import Facts
from duecourse.compliance.local_time import floor_second, local_day
from duecourse.compliance.rules import Notice, RuleVersion
from duecourse.compliance.verdict import Obligation

COMMUNICATED = frozenset({"sent", "delivered", "conversation", "voicemail", "accepted", "third_party", "refused"})
"""Outbound results that may have told the borrower of the debt; counting a voicemail owes the notice sooner."""
NOT_SERVED = frozenset(
    {"undelivered", "bounced", "released", "failed", "wrong_number", "not_in_service", "busy", "no_answer"}
)


def owed(facts: Facts) -> tuple[Obligation, ...]:
    """The notices of the packs in force that are owed for the debts of the request, by debt and rule.

    Without a known history nothing can be said about what was already served; then none are listed, and the rules
    that read the history stop the contact anyway.
    """
    case = facts.case
    if not facts.selection.notices or case.history is None:
        return ()
    found: list[Obligation] = []
    for versions in facts.selection.notices.values():
        for version in versions:
            notice = version.primitive
            if not isinstance(notice, Notice) or not version.starts <= facts.floor < version.ends:
                continue
            coverage = version.coverage
            if not coverage.binds(
                case.lender.role, frozenset(facts.agreements), notice.forms[0], "notice", "statutory"
            ):
                continue
            for debt in facts.request_debts:
                if coverage.reaches(case.person.residence, (debt,)):
                    arisen = _arisen(notice, case, debt, facts)
                    if arisen is not None and not _served(version, case, debt, facts, arisen):
                        found.append(_obligation(version, notice, debt, arisen))
    return tuple(found)


def _obligation(version: RuleVersion, notice: Notice, debt: Debt, arisen: date) -> Obligation:
    latest = None if notice.latest_days is None else arisen + timedelta(days=notice.latest_days)
    return Obligation(version.rule, debt.id, arisen + timedelta(days=notice.earliest_days), latest, notice.forms)


def _arisen(notice: Notice, case: Case, debt: Debt, facts: Facts) -> date | None:
    match notice.trigger:
        case "past_due":
            if debt.days_past_due < 1:
                return None
            return _today(facts) - timedelta(days=debt.days_past_due - 1)
        case "hold":
            starts = [
                held.starts
                for held in case.person.holds or ()
                if held.cause == notice.hold_cause and held.debt in (None, debt.id)
            ]
            return min(starts, default=None)
        case "initial_communication":
            spoken = [
                event.at
                for event in case.history or ()
                if (event.result == "conversation" if event.direction == "inbound" else event.result in COMMUNICATED)
                and debt.id in event.debts
            ]
            return _date(facts, floor_second(min(spoken))) if spoken else None


def _served(version: RuleVersion, case: Case, debt: Debt, facts: Facts, arisen: date) -> bool:
    """Served at its moment: a notice from before it arose (a line in an earlier reminder) fulfils nothing."""
    return any(
        event.obligation == version.rule
        and event.direction == "outbound"
        and debt.id in event.debts
        and event.result not in NOT_SERVED
        and _date(facts, floor_second(event.at)) >= arisen
        for event in case.history or ()
    )


def _today(facts: Facts) -> date:
    return _date(facts, facts.floor)


def _date(facts: Facts, second: int) -> date:
    zone = facts.zones[0] if facts.zones else "UTC"
    return date.fromordinal(local_day(zone, second))
