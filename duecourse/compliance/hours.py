"""When: quiet hours, times that the borrower named, the treatment's own window."""

from __future__ import annotations

from datetime import date

from duecourse.compliance.case import Preference
from duecourse.compliance.facts import Evidence, Facts, Say, let_through, missing
from duecourse.compliance.intervals import (
    ALWAYS,
    BEGINNING,
    END,
    NEVER,
    Intervals,
    contains,
    first_from,
    intersect,
    stretch,
    union,
)
from duecourse.compliance.local_time import DAY, clock, day_start, local_day, show_minutes
from duecourse.compliance.rules import NamedTimes, QuietHours, RuleVersion
from duecourse.compliance.weekly import CLOSED, Weekly, on_days


def quiet_hours(version: RuleVersion, facts: Facts, rule: QuietHours) -> Say | None:
    """Inside the rule's local hours in every zone that it looks at; no zone known: never."""
    zones = (rule.zone,) if rule.zone is not None else facts.zones
    if not zones:
        return missing("zones")
    windows = rule.windows
    allowed = windows.everywhere(zones, facts.floor - DAY, facts.hi)
    unpublished = NEVER if windows.calendar is None else windows.unpublished(zones, facts.floor, facts.hi)

    free = (("channel", facts.request.channel),) if facts.request.channel in rule.free_channels else ()

    def describe(instant: int) -> Evidence:
        if unpublished and windows.calendar is not None and contains(unpublished, instant):
            day = date.fromordinal(local_day(zones[0], instant))
            return (("calendar", windows.calendar.name), ("year", str(day.year)))
        zone = _latest_to_open(rule.windows, zones, instant, facts.hi)
        basis = (("zone_rule", rule.zone_rule),) if rule.zone_rule and len(zones) > 1 else ()
        today, time = local_day(zone, instant), clock(zone, instant)
        hours = windows.label(today)
        return (
            # On a day without hours it is the date that explains.
            ("time", f"{date.fromordinal(today)} {time}" if hours == CLOSED else time),
            ("zone", zone),
            ("allowed", hours),
            ("zones", ", ".join(zones)),
            *basis,
            *free,
        )

    message = "quiet_hours_zones" if len(zones) > 1 else "quiet_hours"
    say = Say(allowed, message, describe, unpublished=unpublished)
    if rule.agreed:
        let_through(say, facts.agreed("hours"), version.rule, "agreed_hours")
    if facts.request.channel in rule.free_channels:
        let_through(say, ALWAYS, version.rule, "any_hour")
    return say


def named_times(version: RuleVersion, facts: Facts, rule: NamedTimes) -> Say | None:
    """Not at the times, by the channels, at the addresses and places that the borrower named as inconvenient."""
    preferences = facts.case.person.preferences
    if preferences is None:
        return missing("preferences")
    barred = facts.named
    if barred is None:
        barred = NEVER
        for preference in preferences:
            if _concerns(preference, facts):
                times = _barred_times(preference, facts)
                if times is None:
                    return missing("zones")
                barred = union(barred, times)
        facts.named = barred
    if not barred:
        return None
    zones = facts.zones

    def describe(instant: int) -> Evidence:
        zone, named = _named_at(preferences, facts, instant)
        local = (("time", clock(zone, instant)), ("zone", zone)) if zone is not None else ()
        return (("channel", facts.request.channel), *local, ("named", named))

    message = "named_times" if zones else "named_channel"
    say = Say(facts.free(barred), message, describe, wake=("preference_changed",))
    since = facts.reply_open_since() if rule.reply is not None else None
    if since is not None:
        # The answer may go while that same inconvenient stretch lasts, not at the next one.
        asked_in = stretch(barred, since)
        if asked_in is not None:
            let_through(say, ((since, asked_in[1]),), rule.reply or version.rule, "one_reply")
    return say


def send_window(facts: Facts) -> Say | None:
    """The treatment's local dates and minutes for this rung, in each zone; None where it has no wishes."""
    window = facts.request.window
    whole_day = window.from_minute == 0 and window.to_minute == 1440
    if whole_day and window.not_before is None and window.not_after is None:
        return None
    zones = facts.zones
    if not zones:
        return missing("zones")
    start = (
        max((day_start(z, window.not_before.toordinal()) for z in zones), default=0) if window.not_before else BEGINNING
    )
    stop = min((day_start(z, window.not_after.toordinal() + 1) for z in zones), default=0) if window.not_after else END
    allowed: Intervals = ((start, stop),) if start < stop else NEVER
    if not whole_day:
        hours = on_days((), window.from_minute, window.to_minute)
        allowed = intersect(allowed, hours.everywhere(zones, facts.floor - DAY, facts.hi))
    wishes = f"{show_minutes(window.from_minute)}-{show_minutes(window.to_minute)}"
    dates = f"{window.not_before or '…'} – {window.not_after or '…'}"

    def describe(instant: int) -> Evidence:
        zone = max(zones, key=lambda name: day_start(name, local_day(name, instant)))
        time = f"{date.fromordinal(local_day(zone, instant))} {clock(zone, instant)}"
        return (("time", time), ("zone", zone), ("hours", wishes), ("dates", dates))

    return Say(allowed, "send_window", describe)


def _concerns(preference: Preference, facts: Facts) -> bool:
    request = facts.request
    return (
        preference.channel in ("*", request.channel)
        and preference.address in ("*", request.address)
        and (preference.place == "*" or preference.place == request.place)
    )


def _named_at(preferences: tuple[Preference, ...], facts: Facts, instant: int) -> tuple[str | None, str]:
    """The zone and the wish that stand in the way at that instant: what to tell the person who asks."""
    for preference in preferences:
        if not _concerns(preference, facts):
            continue
        for zone in facts.zones:
            times = _barred_times(preference, facts, (zone,))
            if times is not None and contains(times, instant):
                days = ", ".join(preference.weekdays) or "daily"
                return zone, f"{days} {show_minutes(preference.from_minute)}-{show_minutes(preference.to_minute)}"
    return (facts.zones[0] if facts.zones else None), "daily 00:00-24:00"


def _barred_times(preference: Preference, facts: Facts, zones: tuple[str, ...] | None = None) -> Intervals | None:
    """None where local time is needed and no zone is known."""
    zones = facts.zones if zones is None else zones
    always = not preference.weekdays and preference.from_minute == 0 and preference.to_minute == 1440
    times: Intervals
    if always:
        times = ((BEGINNING, END),)
    elif not zones:
        return None
    else:
        named = on_days(preference.weekdays, preference.from_minute, preference.to_minute)
        times = named.anywhere(zones, facts.floor - 8 * DAY, facts.hi)
    if preference.until is not None:
        times = intersect(times, ((BEGINNING, facts.over_by(preference.until.toordinal() + 1)),))
    return times


def _latest_to_open(windows: Weekly, zones: tuple[str, ...], instant: int, hi: int) -> str:
    """The zone that keeps the contact waiting longest: the one to name."""
    if len(zones) == 1:
        return zones[0]

    def opens(zone: str) -> int:
        hours = windows.everywhere((zone,), instant - DAY, hi)
        if contains(hours, instant):
            return instant
        first = first_from(hours, instant)
        return END if first is None else first

    return max(zones, key=opens)
