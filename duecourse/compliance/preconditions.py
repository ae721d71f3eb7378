"""What must have been served, and how long ago, before something else may follow."""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

from duecourse.compliance.case import Debt, Event
from duecourse.compliance.facts import Evidence, Facts, Say, missing
from duecourse.compliance.intervals import ALWAYS, BEGINNING, END, NEVER, Intervals
from duecourse.compliance.local_time import ceil_second, floor_second
from duecourse.compliance.obligations import REACHED, arose, binds_debt, day_of, serving
from duecourse.compliance.rules import Before, Notice, RuleVersion

PROVEN = frozenset({"sent", "delivered", "conversation", "accepted"})
"""Results that prove a notice was sent; one that is still on its way, or whose fate is unknown, proves nothing."""
ACTS_OF = {"collection": frozenset({"contact"}), "legal": frozenset({"contact", "legal"})}
"""What a contact of that purpose does, of the acts that a notice may have to come before."""


class Standing(NamedTuple):
    """How one notice stands for one debt: from when it lets the act follow (epoch seconds; None: not at all yet)."""

    debt: Debt
    state: Literal["unproven", "unpublished", "served"]
    opens: int | None
    served_on: date | None


def standing(version: RuleVersion, notice: Notice, before: Before, facts: Facts, debt: Debt) -> Standing | None:
    """None where the notice does not concern this debt, or its duty has not arisen."""
    if not binds_debt(version, notice, facts, debt):
        return None
    arisen = arose(notice, facts, debt)
    if arisen is None:
        # Too early for the notice is too early for what must come after it.
        too_early = notice.trigger == "past_due" and debt.days_past_due > 0
        return Standing(debt, "unproven", None, None) if too_early else None
    best: Standing | None = None
    for event in serving(version, notice, facts, debt, arisen):
        proven = _opens(notice, before, facts, event)
        if proven is None:
            continue
        served_on = date.fromordinal(day_of(facts, floor_second(event.at)))
        if proven == END:
            best = best or Standing(debt, "unpublished", None, served_on)
        elif best is None or best.opens is None or proven < best.opens:
            best = Standing(debt, "served", proven, served_on)
    return best or Standing(debt, "unproven", None, None)


def notice_first(version: RuleVersion, facts: Facts, notice: Notice) -> Say | None:
    """No collection and no legal step before the notice was served and its wait is over, where the rule says so."""
    before = notice.before
    asked = ACTS_OF.get(facts.request.purpose, frozenset[str]()) & (before.acts if before is not None else frozenset())
    if before is None or not asked or facts.kind == "statutory":
        return None
    if facts.case.history is None:
        return missing("history")
    allowed: Intervals = ALWAYS
    binding: Standing | None = None
    for debt in facts.request_debts:
        stands = standing(version, notice, before, facts, debt)
        if stands is None:
            continue
        if stands.opens is None:
            allowed, binding = NEVER, stands
            break
        if binding is None or (binding.opens or BEGINNING) < stands.opens:
            allowed, binding = ((stands.opens, END),), stands
    if binding is None:
        return None
    message = {"unproven": "notice_first", "unpublished": "notice_unpublished", "served": "notice_wait"}
    evidence = evidence_of(version.rule, "contact" if "contact" in asked else "legal", binding)
    wake = ("calendar_published",) if binding.state == "unpublished" else ("notice_served",)
    return Say(allowed, message[binding.state], lambda _: evidence, wake=wake)


def evidence_of(rule: str, act: str, stands: Standing) -> Evidence:
    """What a finding says of it."""
    on = () if stands.served_on is None else (("date", stands.served_on.isoformat()),)
    return (("notice", rule), ("act", act), ("debt_id", stands.debt.id), *on)


def _opens(notice: Notice, before: Before, facts: Facts, event: Event) -> int | None:
    """From when this contact lets the act follow; None: it proves nothing; END: a calendar is not published."""
    if event.result not in PROVEN:
        return None
    if event.channel in before.at_once_by and event.result == "conversation":
        return ceil_second(event.at) + 1
    if notice.proof == "must_reach" and notice.assumed_receipt is None and event.result not in REACHED:
        return None
    day = day_of(facts, floor_second(event.at))
    if before.since == "received" and notice.assumed_receipt is not None:
        received = notice.assumed_receipt.after(day)
        if received is None:
            return END
        day = received
    elif before.wait.days == 0:
        return ceil_second(event.at) + 1
    last = before.wait.after(day)
    # All days of the wait pass in full: the act may follow on the next one, wherever the borrower may be.
    return END if last is None else facts.over_by(last + 1)
