"""A pack of one rule (or a few), written in the test that speaks of it, and cases under it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from textwrap import indent
from typing import Any

from duecourse.compliance.case import Case, Consent, Debt, Event, Hold, Lender, Milestone, Person, Place, Request
from duecourse.compliance.packs import Pack, PackSet

HOME = "America/New_York"


def rule(
    body: str, rule_id: str = "T-01", *, strength: str = "ban", in_force: str = "2020-01-01", more: str = ""
) -> str:
    """One rule; `body` is its primitive, `more` what stands beside the versions."""
    return (
        f"  - id: {rule_id}\n    text: {{en: words, zh: 文字}}\n    citation: {{title: Statute {rule_id}}}\n"
        f"    grade: A\n    strength: {strength}\n{indent(more, '    ')}"
        f"    versions:\n      - in_force: {in_force}\n{indent(body.strip(), '        ')}\n"
    )


def pack(*rules: str, header: str = "", pack_id: str = "t") -> Pack:
    """A pack of these rules."""
    return Pack.from_documents(
        {
            f"{pack_id}.yaml": f"id: {pack_id}\ntitle: {{en: T, zh: 测}}\n{header}rules: [{pack_id}/rules.yaml]\n",
            f"{pack_id}/rules.yaml": "rules:\n" + "".join(rules),
        }
    )


def packs(*rules: str, header: str = "") -> PackSet:
    """A set of one pack, `t`, of these rules."""
    return PackSet([pack(*rules, header=header)])


def instant(text: str, zone: str = HOME) -> datetime:
    """A local time as aware UTC."""
    from duecourse.compliance.local_time import zone_named

    return datetime.fromisoformat(text).replace(tzinfo=zone_named(zone)).astimezone(UTC)


def contact(at: str, result: str = "no_answer", channel: str = "call", **more: Any) -> Event:
    """An outbound contact about D, at a local time in New York."""
    given = {"direction": "outbound", "address": "x", "debts": ("D",), "purpose": "collection"} | more
    return Event(at=instant(at), channel=channel, result=result, **given)


def case(
    at: str,
    *,
    history: tuple[Event, ...] | None = (),
    consents: tuple[Consent, ...] | None = (),
    holds: tuple[Hold, ...] | None = (),
    milestones: tuple[Milestone, ...] | None = None,
    residence: Place | None = None,
    debts: tuple[Debt, ...] | None = None,
    lender: Lender | None = None,
    zone: str = HOME,
    days: float = 30,
    **request: Any,
) -> Case:
    """A collection call about D at a local time, by a creditor; what is named is otherwise."""
    begin = instant(at, zone)
    asked = {
        "channel": "call",
        "address": "x",
        "recipient": "debtor",
        "debts": ("D",),
        "purpose": "collection",
        "obligation": None,
        "at": begin,
        "not_after": begin + timedelta(days=days),
    } | request
    return Case(
        packs=("t",),
        lender=lender or Lender("creditor"),
        person=Person("P", residence, (zone,), "en", consents, (), holds),
        debts=debts or (debt(),),
        history=history,
        request=Request(**asked),
        milestones=milestones,
    )


def debt(days_past_due: int = 40, **more: Any) -> Debt:
    """The debt D."""
    given: dict[str, Any] = {"id": "D", "product": "card", "balance": Decimal(100), "currency": "USD"}
    return Debt(**(given | more), days_past_due=days_past_due)


def day(text: str) -> date:
    """A date."""
    return date.fromisoformat(text)
