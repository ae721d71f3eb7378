"""The forms of the primitives in pack files: what may stand under a version of a rule."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Channel = Literal["sms", "email", "call", "letter", "visit", "chat"]
Purpose = Literal["servicing", "reminder", "collection", "notice", "reply", "legal"]
Role = Literal["creditor", "third_party_collector", "servicer", "debt_buyer"]
Recipient = Literal["debtor", "co_borrower", "guarantor", "spouse", "attorney", "executor", "listed_contact", "other"]
Kind = Literal["optional", "contract", "statutory"]
Direction = Literal["outbound", "inbound"]
Weekday = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
ActName = Literal["report", "accelerate", "sue", "legal", "contact"]
AddressPlace = Literal["home", "work", "personal"]
Window = tuple[str, str]
RuleId = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$")]


class File(BaseModel):
    """A part of a pack's file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class CoverageFile(File):
    """Whom and what a rule binds; what is left out binds all."""

    roles: tuple[Role, ...] = ()
    licences: tuple[str, ...] = Field((), description="any of these; a lender whose licences are unknown is bound")
    agreements: tuple[str, ...] = Field((), description="all of these must bind the lender")
    products: tuple[str, ...] = ()
    not_products: tuple[str, ...] = ()
    natures: tuple[Literal["consumer", "commercial"], ...] = ()
    obtained: tuple[Literal["originated", "current", "in_default"], ...] = ()
    min_days_past_due: int | None = Field(default=None, ge=0)
    max_days_past_due: int | None = Field(default=None, ge=0)
    channels: tuple[Channel, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    obligations: tuple[Kind, ...] = ()
    recipients: tuple[Recipient, ...] = ()
    places: tuple[AddressPlace, ...] = Field((), description="the place to which the address is tied")
    countries: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    cities: tuple[str, ...] = ()
    postal: tuple[tuple[str, str], ...] = Field((), description="postal codes [from, to] of the cities")


class LocalTimeFile(File):
    policy: Literal["every_candidate"]


class HolidaysFile(File):
    calendar: str = Field(min_length=1)
    windows: tuple[Window, ...] = Field((), description="none: no contact on a holiday")


class QuietHoursFile(File):
    windows: dict[Literal["daily"] | Weekday, tuple[Window, ...]] = Field(
        description="a weekday of its own stands in the place of daily; [] closes it"
    )
    end: Literal["inclusive", "exclusive"]
    holidays: HolidaysFile | None = None
    zone: str | None = None
    zone_rule: RuleId | None = None
    unless_agreed: bool = False
    free_channels: tuple[Channel, ...] = Field(
        (), description="channels that the rule itself leaves free at any hour; said where it lets one through"
    )

    @model_validator(mode="after")
    def _possible(self) -> QuietHoursFile:
        if not any(self.windows.values()):
            raise ValueError("a window on at least one day; hours that never open are a ban, and need no windows")
        return self


class WindowFile(File):
    days: int | None = Field(default=None, ge=1, le=366)
    hours: int | None = Field(default=None, ge=1, le=24 * 366)
    minutes: int | None = Field(default=None, ge=1)
    week_starts: Weekday | None = None
    calendar: Literal["month"] | None = None

    @model_validator(mode="after")
    def _one(self) -> WindowFile:
        if sum(value is not None for _, value in self) != 1:
            raise ValueError("exactly one of days, hours, minutes, week_starts, calendar")
        return self


class CountsFile(File):
    channels: tuple[Channel, ...] = ()
    directions: tuple[Direction, ...] = ("outbound",)
    results: tuple[str, ...] = ()
    not_counted: tuple[str, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    obligations: tuple[Kind, ...] = ()
    not_to: tuple[Recipient, ...] = ()
    places: tuple[AddressPlace, ...] = ()
    pooled: tuple[Recipient, ...] = Field((), description="recipients counted together")
    misdirected: Literal["counted", "not_counted"] = "counted"
    consent_days: int | None = Field(default=None, ge=1)


class CapFile(File):
    limit: int = Field(ge=0)
    window: WindowFile
    per: Literal["person", "debt", "address"]
    zone: str | None = None
    counts: CountsFile = CountsFile()
    merge_products: tuple[str, ...] = ()
    unless_agreed: bool = False
    earlier_contacts: Literal["count", "ignore"] = Field(
        "count", description="contacts from before this version came into force"
    )


class CoolOffFile(File):
    days: int = Field(ge=1, le=366)
    after: tuple[str, ...] = Field(min_length=1)
    channels: tuple[Channel, ...] = ()
    directions: tuple[Direction, ...] = ("outbound", "inbound")
    per: Literal["person", "debt"]
    zone: str | None = None
    merge_products: tuple[str, ...] = ()
    consent_days: int | None = Field(default=None, ge=1)
    not_to: tuple[Recipient, ...] = ()


class BusinessFile(File):
    """Which days are business days."""

    calendar: str | None = None
    weekend: tuple[Weekday, ...] = ("SAT", "SUN")
    first_day: Literal["skip", "count"] = "skip"

    @model_validator(mode="after")
    def _some_days(self) -> BusinessFile:
        if len(set(self.weekend)) == 7:
            raise ValueError("a weekend that leaves a business day")
        return self


class SpanFile(File):
    days: int | None = Field(default=None, ge=0, le=3660)
    business_days: int | None = Field(default=None, ge=1, le=1000)
    business: BusinessFile | None = None

    @model_validator(mode="after")
    def _one(self) -> SpanFile:
        if (self.days is None) == (self.business_days is None):
            raise ValueError("either days or business_days")
        if (self.business is None) != (self.business_days is None):
            raise ValueError("business (calendar, weekend, first_day) exactly with business_days")
        return self


class ConsentFile(File):
    basis: Literal["opt_out", "opt_in"]
    scope: Literal["address", "medium", "all"] = Field("address", description="how far a revocation reaches")
    max_age_days: int | None = Field(default=None, ge=1, le=3660)
    renewed_by: Literal["message"] | None = None
    forms: tuple[Literal["written", "electronic", "oral"], ...] = ()
    honour_by: SpanFile | None = None
    one_reply: RuleId | None = None
    required_by_law: Literal["passes", "stops"] = "stops"
    confirmation: RuleId | None = None  # the obligation under which one confirmation of the opt-out may go

    @model_validator(mode="after")
    def _fits(self) -> ConsentFile:
        if self.basis == "opt_out" and (self.max_age_days or self.forms or self.renewed_by):
            raise ValueError("max_age_days, renewed_by and forms only with basis: opt_in; they speak of a consent")
        return self


class NamedTimesFile(File):
    one_reply: RuleId | None = None


class OneReplyFile(File):
    medium: Literal["same"]


class HoldFile(File):
    causes: tuple[str, ...] = Field(min_length=1)
    except_causes: tuple[str, ...] = ()
    effect: Literal["bar", "review"] = "bar"
    acts: tuple[ActName, ...] = Field((), description="acts other than contacts that it stops as well")
    passes_obligations: tuple[RuleId, ...] = ()
    passes_recipients: tuple[Recipient, ...] = ()
    one_reply: RuleId | None = None


class LostContactFile(File):
    recipients: tuple[Recipient, ...] = Field(min_length=1)
    tries: int | None = Field(default=None, ge=1)
    days: int | None = Field(default=None, ge=1)
    results: tuple[str, ...] = ("no_answer", "voicemail", "busy", "not_in_service", "undelivered")
    require: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _some(self) -> LostContactFile:
        if self.tries is None and self.days is None:
            raise ValueError("tries, days or both: else nobody is ever out of reach")
        return self


class RecipientsFile(File):
    allowed: tuple[Recipient, ...] = Field(min_length=1)
    lost_contact: LostContactFile | None = None
    zone: str | None = None


class ContentFile(File):
    require: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _some(self) -> ContentFile:
        if not self.require and not self.forbid:
            raise ValueError("something to require or to forbid")
        if set(self.require) & set(self.forbid):
            raise ValueError("no content that is required and forbidden at once")
        return self


class BeforeFile(File):
    acts: tuple[ActName, ...] = Field(min_length=1)
    wait: SpanFile = SpanFile(days=0)
    since: Literal["sent", "received"] = "sent"
    at_once_by: tuple[Channel, ...] = ()


class AgainFile(File):
    earliest_days: int = Field(ge=1)
    latest_days: int = Field(ge=1)

    @model_validator(mode="after")
    def _order(self) -> AgainFile:
        if self.latest_days < self.earliest_days:
            raise ValueError("latest_days at or after earliest_days")
        return self


class NoticeFile(File):
    trigger: Literal["initial_communication", "past_due", "hold", "milestone", "act"]
    hold_cause: str | None = None
    milestone: str | None = Field(None, description="the kind of milestone that it follows from")
    past_due_day: int | None = Field(default=None, ge=1)
    earliest_days: int = Field(0, ge=0)
    latest_days: int | None = Field(default=None, ge=0)
    latest: SpanFile | None = Field(None, description="latest_days, or a span that may count business days")
    per: Literal["episode", "debt", "person"] = "episode"
    again: AgainFile | None = None
    forms: tuple[Channel, ...] = Field(min_length=1)
    proof: Literal["sent", "must_reach"] = "sent"
    assumed_receipt: SpanFile | None = None
    before: BeforeFile | None = None
    served_by: tuple[RuleId, ...] = ()
    calendar: str | None = Field(None, description="holidays for the business days before the deadline")
    survives_holds: tuple[str, ...] = ()
    survives_opt_out: bool = False
    survives_caps: bool = False

    @model_validator(mode="after")
    def _complete(self) -> NoticeFile:
        if (self.trigger == "hold") != (self.hold_cause is not None):
            raise ValueError("hold_cause exactly when the trigger is a hold")
        if (self.trigger == "milestone") != (self.milestone is not None):
            raise ValueError("milestone exactly when the trigger is one")
        if self.past_due_day is not None and self.trigger != "past_due":
            raise ValueError("past_due_day only when the trigger is past_due")
        if self.trigger == "act" and self.before is None:
            raise ValueError("before, with the acts that it comes before, when the trigger is an act")
        if self.latest_days is not None and self.latest is not None:
            raise ValueError("either latest_days or latest")
        latest = self.latest_days if self.latest is None else self.latest.days
        if latest is not None and latest < self.earliest_days:
            raise ValueError("latest_days at or after earliest_days")
        from_receipt = self.before is not None and self.before.since == "received"
        if from_receipt and self.assumed_receipt is None and self.proof != "must_reach":
            raise ValueError("assumed_receipt, or proof: must_reach, where the wait runs from receipt")
        return self


class HolidayFile(File):
    """One holiday of a law's own list; see `calendars.HolidayRule`."""

    month: int | None = Field(default=None, ge=1, le=12)
    day: int | None = Field(default=None, ge=1, le=31)
    weekday: Weekday | None = None
    nth: Literal[-1, 1, 2, 3, 4] | None = None
    before_day: int | None = Field(default=None, ge=2, le=28)
    easter: int | None = Field(default=None, ge=-60, le=80)
    shift: dict[Weekday, int] = Field({}, description="on such a weekday the holiday is so many days later instead")

    @model_validator(mode="after")
    def _shape(self) -> HolidayFile:
        given = {name for name, value in self if value is not None and name != "shift"}
        shapes = ({"easter"}, {"month", "day"}, {"month", "weekday", "nth"}, {"month", "weekday", "before_day"})
        if given not in shapes:
            raise ValueError("easter, or month with day, or month and weekday with nth or before_day")
        if self.month is not None and self.day is not None:
            date(2023, self.month, self.day)  # a year without 29 February, on which no yearly holiday can lie
        return self


class CalendarFile(File):
    """A calendar of the pack's own."""

    days: tuple[HolidayFile, ...] = ()
    dates: tuple[date, ...] = ()
    from_: int | None = Field(None, alias="from", description="first year that the list is good for")
    to: int | None = Field(None, description="last year; single dates need it")

    @model_validator(mode="after")
    def _bounded(self) -> CalendarFile:
        if not self.days and not self.dates:
            raise ValueError("days or dates")
        if self.dates and self.to is None:
            raise ValueError("to, the last year for which the dates are complete: later years are not published")
        return self
