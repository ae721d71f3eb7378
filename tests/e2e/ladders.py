"""Small ladders for the tests, from the templates that the product ships."""

from __future__ import annotations

from typing import Any

from duecourse.treatments.catalogue import parse_ladder
from duecourse.treatments.ladder import Ladder, Tier

PLAIN = parse_ladder(
    """
id: plain
version: "1"
title: Every kind of rung, once
rungs:
  - id: remind_7
    title: Reminder, 7 days before
    title_zh: 到期前7天提醒
    anchor: due
    offset_days: -7
    per: installment
    channels: [sms]
    template: reminder_before_due
    purpose: reminder
    window: {from: "09:00", to: "20:00"}
  - id: remind_3
    title: Reminder, 3 days before
    title_zh: 到期前3天提醒
    anchor: due
    offset_days: -3
    per: installment
    channels: [email]
    template: reminder_before_due
    purpose: reminder
    window: {from: "09:00", to: "20:00"}
  - id: late
    title: Overdue message, 2 days
    title_zh: 逾期2天提醒
    anchor: delinquent
    offset_days: 2
    per: episode
    channels: [sms]
    template: early_overdue
    purpose: collection
    window: {from: "09:00", to: "20:00"}
    life_days: 3
  - id: notice
    title: Formal overdue notice
    title_zh: 逾期正式通知
    anchor: delinquent
    offset_days: 10
    per: episode
    channels: [email, letter]
    template: overdue_notice
    purpose: notice
    window: {from: "09:00", to: "18:00"}
    obligation: contract
    catch_up: in_order
  - id: referral
    title: Legal referral, for review
    title_zh: 法务移交审核
    anchor: delinquent
    offset_days: 30
    per: episode
    channels: [review]
    template: legal_referral_note
    purpose: legal
    window: {from: "09:00", to: "18:00"}
    life_days: 60
tiers: {low: {}, standard: {}, high: {}}
""",
    "plain",
)


def rung(name: str, offset: int, *channels: str, **changes: Any) -> dict[str, Any]:
    """An optional reminder relative to the due date; it becomes an overdue message for a positive offset."""
    late = offset > 0
    fields: dict[str, Any] = {
        "id": name,
        "title": f"{name}, {abs(offset)} days {'after' if late else 'before'}",
        "title_zh": name,
        "anchor": "delinquent" if late else "due",
        "offset_days": offset,
        "per": "episode" if late else "installment",
        "channels": channels or ("sms",),
        "template": "early_overdue" if late else "reminder_before_due",
        "purpose": "collection" if late else "reminder",
        "window": {"from": "09:00", "to": "20:00"},
    }
    return fields | changes


def notice(name: str, offset: int, *channels: str, **changes: Any) -> dict[str, Any]:
    """A notice that the contract demands."""
    demanded = {"purpose": "notice", "template": "overdue_notice", "obligation": "contract", "catch_up": "in_order"}
    return rung(name, offset, *channels, **(demanded | changes))


def ladder(*rungs: dict[str, Any], **tiers: dict[str, Any]) -> Ladder:
    """A ladder of these rungs alone."""
    return Ladder.model_validate(
        {
            "id": "own",
            "version": "1",
            "title": "Own",
            "rungs": rungs,
            "tiers": {tier.value: tiers.get(tier.value, {}) for tier in Tier},
        }
    )
