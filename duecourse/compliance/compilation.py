"""From checked pack files to the rules that the gate runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import assert_never

from duecourse.compliance import pack_files
from duecourse.compliance import primitive_files as files
from duecourse.compliance.calendars import BusinessDays, HolidayCalendar
from duecourse.compliance.intervals import BEGINNING, END
from duecourse.compliance.local_time import day_start, zone_named
from duecourse.compliance.rules import (
    Before,
    Cap,
    ConsentRule,
    Content,
    CoolOff,
    Counter,
    Coverage,
    HoldRule,
    LocalTime,
    LostContact,
    NamedTimes,
    Notice,
    OneReply,
    Primitive,
    QuietHours,
    Recipients,
    Rule,
    RuleVersion,
    Span,
    Text,
)
from duecourse.compliance.weekdays import WEEKDAYS
from duecourse.compliance.weekly import weekly_from
from duecourse.errors import InvalidInput

Calendars = Callable[[str], HolidayCalendar]
"""From a calendar's name to the calendar: the pack's own first; raises InvalidInput for an unknown one."""


def compile_rule(
    rule: pack_files.RuleFile,
    header: pack_files.HeaderFile,
    version: str,
    path: str,
    line: int,
    calendars: Calendars,
) -> Rule:
    """One rule with all its versions; `version` is the pack's.

    Raises InvalidInput, with the field inside the rule, for windows, zones and the like that no model can check.
    """
    versions = []
    for index, (dated, following) in enumerate(zip(rule.versions, [*rule.versions[1:], None], strict=True)):
        ended = dated.ended
        if following is not None and (ended is None or ended > following.in_force):
            ended = following.in_force
        try:
            primitive = compile_primitive(dated, calendars)
        except InvalidInput as error:
            field = f"versions.{index}.{dated.primitive_name}.{error.field}"
            raise InvalidInput(field, error.value, error.expected) from error
        versions.append(
            RuleVersion(
                rule=rule.id,
                pack=header.id,
                pack_version=version,
                adopted=dated.adopted,
                in_force=dated.in_force,
                ended=ended,
                starts=_midnight(header.zone, dated.in_force, BEGINNING),
                ends=_midnight(header.zone, ended, END),
                strength=rule.strength,
                grade=rule.grade,
                citation=rule.citation.title,
                coverage=compile_coverage(dated.coverage or rule.coverage),
                primitive=primitive,
            )
        )
    return Rule(
        id=rule.id,
        text=Text(rule.text.en, rule.text.zh),
        citation=rule.citation.title,
        href=rule.citation.href,
        grade=rule.grade,
        strength=rule.strength,
        on=rule.grade != "M" or rule.id in header.unverified_on,
        approximated=rule.approximated,
        file=path,
        line=line,
        versions=tuple(versions),
    )


def compile_coverage(coverage: files.CoverageFile) -> Coverage:
    """Sets instead of lists, for the hot loop."""
    return Coverage(
        roles=frozenset(coverage.roles),
        products=frozenset(coverage.products),
        channels=frozenset(coverage.channels),
        purposes=frozenset(coverage.purposes),
        kinds=frozenset(coverage.obligations),
        agreements=frozenset(coverage.agreements),
        countries=frozenset(coverage.countries),
        regions=frozenset(coverage.regions),
        min_days_past_due=coverage.min_days_past_due,
        max_days_past_due=coverage.max_days_past_due,
        cities=frozenset(city.strip().lower() for city in coverage.cities),
        postal=coverage.postal,
        natures=frozenset(coverage.natures),
        obtained=frozenset(coverage.obtained),
        not_products=frozenset(coverage.not_products),
        licences=frozenset(coverage.licences),
        places=frozenset(coverage.places),
        recipients=frozenset(coverage.recipients),
    )


def compile_primitive(version: pack_files.VersionFile, calendars: Calendars) -> Primitive:
    """The one primitive of a version."""
    match version.primitives[0]:
        case files.LocalTimeFile(policy=policy):
            return LocalTime(policy)
        case files.QuietHoursFile() as hours:
            holidays = hours.holidays
            windows = weekly_from(
                {day: list(pairs) for day, pairs in hours.windows.items()},
                hours.end,
                None if holidays is None else calendars(holidays.calendar),
                () if holidays is None else holidays.windows,
            )
            free = frozenset(hours.free_channels)
            return QuietHours(windows, _zone(hours.zone), hours.zone_rule, hours.unless_agreed, free)
        case files.CapFile() as cap:
            return _cap(cap)
        case files.CoolOffFile() as cool:
            return CoolOff(
                days=cool.days,
                results=frozenset(cool.after),
                channels=frozenset(cool.channels),
                directions=frozenset(cool.directions),
                key=cool.per,
                zone=_zone(cool.zone),
                merge_products=frozenset(cool.merge_products),
                consent_days=cool.consent_days,
                not_to=frozenset(cool.not_to),
            )
        case files.ConsentFile() as consent:
            return ConsentRule(
                basis=consent.basis,
                reply=consent.one_reply,
                required_by_law=consent.required_by_law == "passes",
                confirmation=consent.confirmation,
                scope=consent.scope,
                max_age_days=consent.max_age_days,
                renewed_by_message=consent.renewed_by == "message",
                forms=frozenset(consent.forms),
                honour_by=None if consent.honour_by is None else _span(consent.honour_by, calendars),
            )
        case files.NamedTimesFile(one_reply=reply):
            return NamedTimes(reply)
        case files.OneReplyFile():
            return OneReply()
        case files.HoldFile() as hold:
            return HoldRule(
                causes=frozenset(hold.causes),
                except_causes=frozenset(hold.except_causes),
                effect=hold.effect,
                passes_obligations=frozenset(hold.passes_obligations),
                passes_recipients=frozenset(hold.passes_recipients),
                reply=hold.one_reply,
                acts=frozenset(hold.acts),
            )
        case files.RecipientsFile(allowed=allowed, lost_contact=lost, zone=zone):
            return Recipients(frozenset(allowed), None if lost is None else _lost(lost), _zone(zone))
        case files.ContentFile(require=require, forbid=forbid):
            return Content(require, forbid)
        case files.NoticeFile() as notice:
            return _notice(notice, calendars)
        case unknown:
            raise TypeError(f"no primitive is compiled from {type(unknown).__name__}")


def references(primitive: Primitive) -> tuple[str, ...]:
    """The other rules that a primitive names; they must exist in the same pack."""
    match primitive:
        case QuietHours(zone_rule=rule) if rule is not None:
            return (rule,)
        case ConsentRule(reply=reply, confirmation=confirmation):
            return tuple(rule for rule in (reply, confirmation) if rule is not None)
        case NamedTimes(reply=rule) if rule is not None:
            return (rule,)
        case HoldRule(reply=rule, passes_obligations=obligations):
            return (*((rule,) if rule is not None else ()), *sorted(obligations))
        case Notice(served_by=others):
            return tuple(sorted(others))
        case LocalTime() | QuietHours() | Cap() | CoolOff() | NamedTimes() | OneReply() | Recipients() | Content():
            return ()
        case never:
            assert_never(never)


_counters: dict[Counter, Counter] = {}
"""Equal counters are one object, so that the contacts that they count are found once per decision, by identity."""


def _cap(cap: files.CapFile) -> Cap:
    counts = cap.counts
    counter = Counter(
        channels=frozenset(counts.channels),
        directions=frozenset(counts.directions),
        results=frozenset(counts.results),
        not_counted=frozenset(counts.not_counted),
        purposes=frozenset(counts.purposes),
        kinds=frozenset(counts.obligations),
        not_to=frozenset(counts.not_to),
        misdirected=counts.misdirected == "not_counted",
        consent_days=counts.consent_days,
        places=frozenset(counts.places),
        pooled=frozenset(counts.pooled),
    )
    window = cap.window
    return Cap(
        limit=cap.limit,
        unit="days" if window.days else "week" if window.week_starts else "month" if window.calendar else "seconds",
        length=window.days or (window.hours or 0) * 3600 + (window.minutes or 0) * 60 or 7,
        week_start=WEEKDAYS.index(window.week_starts) if window.week_starts else 0,
        key=cap.per,
        zone=_zone(cap.zone),
        counter=_counters.setdefault(counter, counter),
        merge_products=frozenset(cap.merge_products),
        agreed=cap.unless_agreed,
        counts_earlier=cap.earlier_contacts == "count",
    )


def _notice(notice: files.NoticeFile, calendars: Calendars) -> Notice:
    latest = notice.latest if notice.latest_days is None else files.SpanFile(days=notice.latest_days)
    before = notice.before
    return Notice(
        trigger=notice.trigger,
        hold_cause=notice.hold_cause,
        earliest_days=notice.earliest_days,
        latest=None if latest is None else _span(latest, calendars),
        forms=notice.forms,
        survives_holds=frozenset(notice.survives_holds),
        survives_opt_out=notice.survives_opt_out,
        survives_caps=notice.survives_caps,
        milestone=notice.milestone,
        past_due_day=notice.past_due_day or 1,
        per=notice.per,
        again=None if notice.again is None else (notice.again.earliest_days, notice.again.latest_days),
        proof=notice.proof,
        assumed_receipt=None if notice.assumed_receipt is None else _span(notice.assumed_receipt, calendars),
        before=None
        if before is None
        else Before(frozenset(before.acts), _span(before.wait, calendars), before.since, frozenset(before.at_once_by)),
        served_by=frozenset(notice.served_by),
        calendar=None if notice.calendar is None else calendars(notice.calendar),
    )


def _lost(lost: files.LostContactFile) -> LostContact:
    return LostContact(frozenset(lost.recipients), lost.tries, lost.days, frozenset(lost.results), lost.require)


def _span(span: files.SpanFile, calendars: Calendars) -> Span:
    if span.business_days is None or span.business is None:
        return Span(span.days or 0)
    business = span.business
    counting = BusinessDays(
        None if business.calendar is None else calendars(business.calendar),
        frozenset(WEEKDAYS.index(name) for name in business.weekend),
        business.first_day,
    )
    return Span(span.business_days, counting)


def _zone(name: str | None) -> str | None:
    if name is not None:
        zone_named(name)
    return name


def _midnight(zone: str, day: date | None, otherwise: int) -> int:
    return otherwise if day is None else day_start(zone, day.toordinal())
