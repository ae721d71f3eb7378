"""The files of a pack: their form, and the refusal of bad ones with file, line, field and how to mend."""

from __future__ import annotations

import itertools
from collections.abc import Hashable
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from duecourse.errors import InvalidInput

Channel = Literal["sms", "email", "call", "letter", "visit", "chat"]
Purpose = Literal["servicing", "reminder", "collection", "notice", "reply", "legal"]
Role = Literal["creditor", "third_party_collector", "servicer", "debt_buyer"]
Recipient = Literal["debtor", "co_borrower", "guarantor", "spouse", "attorney", "executor", "listed_contact", "other"]
Kind = Literal["optional", "contract", "statutory"]
Direction = Literal["outbound", "inbound"]
Weekday = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
Window = tuple[str, str]
RuleId = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$")]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class TextFile(_File):
    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)


class CitationFile(_File):
    title: str = Field(min_length=1)
    href: str | None = None


class CoverageFile(_File):
    roles: tuple[Role, ...] = ()
    products: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    obligations: tuple[Kind, ...] = ()
    agreements: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    min_days_past_due: int | None = Field(default=None, ge=0)


class LocalTimeFile(_File):
    policy: Literal["every_candidate"]


class QuietHoursFile(_File):
    windows: dict[Literal["daily"] | Weekday, tuple[Window, ...]]
    end: Literal["inclusive", "exclusive"]
    zone: str | None = None
    zone_rule: RuleId | None = None
    unless_agreed: bool = False


class WindowFile(_File):
    days: int | None = Field(default=None, ge=1, le=366)
    hours: int | None = Field(default=None, ge=1, le=24 * 366)
    minutes: int | None = Field(default=None, ge=1)
    week_starts: Weekday | None = None

    @model_validator(mode="after")
    def _one(self) -> WindowFile:
        if sum(value is not None for value in (self.days, self.hours, self.minutes, self.week_starts)) != 1:
            raise ValueError("exactly one of days, hours, minutes, week_starts")
        return self


class CountsFile(_File):
    channels: tuple[Channel, ...] = ()
    directions: tuple[Direction, ...] = ("outbound",)
    results: tuple[str, ...] = ()
    not_counted: tuple[str, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    obligations: tuple[Kind, ...] = ()
    not_to: tuple[Recipient, ...] = ()
    misdirected: Literal["counted", "not_counted"] = "counted"
    consent_days: int | None = Field(default=None, ge=1)


class CapFile(_File):
    limit: int = Field(ge=0)
    window: WindowFile
    per: Literal["person", "debt", "address"]
    zone: str | None = None
    counts: CountsFile = CountsFile()
    merge_products: tuple[str, ...] = ()
    unless_agreed: bool = False


class CoolOffFile(_File):
    days: int = Field(ge=1, le=366)
    after: tuple[str, ...] = Field(min_length=1)
    channels: tuple[Channel, ...] = ()
    directions: tuple[Direction, ...] = ("outbound", "inbound")
    per: Literal["person", "debt"]
    zone: str | None = None
    merge_products: tuple[str, ...] = ()
    consent_days: int | None = Field(default=None, ge=1)
    not_to: tuple[Recipient, ...] = ()


class ConsentFile(_File):
    basis: Literal["opt_out", "opt_in"]
    one_reply: RuleId | None = None
    required_by_law: Literal["passes", "stops"] = "stops"
    confirmation: RuleId | None = None  # the obligation under which one confirmation of the opt-out may go


class NamedTimesFile(_File):
    one_reply: RuleId | None = None


class OneReplyFile(_File):
    medium: Literal["same"]


class HoldFile(_File):
    causes: tuple[str, ...] = Field(min_length=1)
    except_causes: tuple[str, ...] = ()
    effect: Literal["bar", "review"] = "bar"
    passes_obligations: tuple[RuleId, ...] = ()
    passes_recipients: tuple[Recipient, ...] = ()
    one_reply: RuleId | None = None


class RecipientsFile(_File):
    allowed: tuple[Recipient, ...] = Field(min_length=1)


class ContentFile(_File):
    require: tuple[str, ...] = Field(min_length=1)


class NoticeFile(_File):
    trigger: Literal["initial_communication", "past_due", "hold"]
    hold_cause: str | None = None
    earliest_days: int = 0
    latest_days: int | None = None
    forms: tuple[Channel, ...] = Field(min_length=1)
    survives_holds: tuple[str, ...] = ()
    survives_opt_out: bool = False
    survives_caps: bool = False

    @model_validator(mode="after")
    def _complete(self) -> NoticeFile:
        if (self.trigger == "hold") != (self.hold_cause is not None):
            raise ValueError("hold_cause exactly when the trigger is a hold")
        if self.latest_days is not None and self.latest_days < self.earliest_days:
            raise ValueError("latest_days at or after earliest_days")
        return self


class VersionFile(_File):
    adopted: date | None = None
    in_force: date
    ended: date | None = None  # first day on which it is no longer in force
    coverage: CoverageFile | None = None
    local_time: LocalTimeFile | None = None
    quiet_hours: QuietHoursFile | None = None
    cap: CapFile | None = None
    cool_off: CoolOffFile | None = None
    consent: ConsentFile | None = None
    named_times: NamedTimesFile | None = None
    one_reply: OneReplyFile | None = None
    hold: HoldFile | None = None
    recipients: RecipientsFile | None = None
    content: ContentFile | None = None
    notice: NoticeFile | None = None

    @property
    def primitives(self) -> list[_File]:
        """The primitives that stand in this version; exactly one is allowed."""
        return [
            value
            for name, value in self
            if isinstance(value, _File) and name not in ("coverage", "adopted", "in_force", "ended")
        ]

    @property
    def primitive_name(self) -> str:
        """The key under which the primitive stands."""
        return next(name for name, value in self if value is self.primitives[0])

    @model_validator(mode="after")
    def _sound(self) -> VersionFile:
        if len(self.primitives) != 1:
            raise ValueError("exactly one primitive (quiet_hours, cap, cool_off, consent, named_times, hold, ...)")
        if self.ended is not None and self.ended <= self.in_force:
            raise ValueError("an end after the date in_force")
        if self.adopted is not None and self.adopted > self.in_force:
            raise ValueError("adopted on or before in_force; a retroactive rule needs its own entry")
        return self


class RuleFile(_File):
    id: RuleId
    text: TextFile
    citation: CitationFile
    grade: Literal["A", "B", "M", "-"]
    strength: Literal["ban", "presumption", "advisory"]
    approximated: str | None = None
    coverage: CoverageFile = CoverageFile()
    versions: tuple[VersionFile, ...] = Field(min_length=1)

    @field_validator("versions")
    @classmethod
    def _in_order(cls, versions: tuple[VersionFile, ...]) -> tuple[VersionFile, ...]:
        for earlier, later in itertools.pairwise(versions):
            if later.in_force <= earlier.in_force:
                raise ValueError("versions in the order of their in_force dates, the oldest first")
            if earlier.ended is not None and earlier.ended > later.in_force:
                raise ValueError("versions that do not overlap: end the earlier one when the later one starts")
        return versions


class RulesFile(_File):
    rules: tuple[RuleFile, ...] = Field(min_length=1)


class HeaderFile(_File):
    id: str = Field(pattern=r"^[a-z0-9_]+(/[a-z0-9_]+)*$")
    title: TextFile
    version: date | None = None  # left out: the latest in_force date of its rules
    zone: str = "UTC"  # the clock by which its rules come into force
    countries: tuple[str, ...] = ()  # residents of these are covered when a case names no packs
    includes: tuple[str, ...] = ()
    rules: tuple[str, ...] = Field(min_length=1)  # files, relative to the packs' directory
    unverified_on: tuple[RuleId, ...] = ()  # rules of grade M that only make us more careful


_M = TypeVar("_M", bound=_File)
Lines = dict[tuple[Hashable, ...], int]


def read(model: type[_M], path: str, text: str) -> tuple[_M, Any, Lines]:
    """Parse one file of a pack: the model, the plain data (for the content hash), the line of each field.

    Raises InvalidInput with `field` = "<path>:<field>", the value, what is expected, and the line.
    """
    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                raise InvalidInput(path, "", "a YAML mapping; the file is empty", line=1)
            lines: Lines = {}
            _collect_lines(node, (), lines, path)
            data = loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise InvalidInput(path, error.problem or "unreadable", "well-formed YAML", line=line) from error
    try:
        return model.model_validate(data), data, lines
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = tuple(first["loc"])
        name = ".".join(str(part) for part in where) or "file"
        raise InvalidInput(
            f"{path}:{name}", _shown(first["input"]), _mend(first), line=line_of(lines, where)
        ) from error


def line_of(lines: Lines, where: tuple[Hashable, ...]) -> int | None:
    """The line of a field, or of what encloses it."""
    for length in range(len(where), -1, -1):
        if (line := lines.get(where[:length])) is not None:
            return line
    return None


def _collect_lines(node: yaml.Node, where: tuple[Hashable, ...], lines: Lines, path: str) -> None:
    lines.setdefault(where, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*where, key.value)
            if inner in lines:
                raise InvalidInput(f"{path}:{key.value}", key.value, "each key once", line=key.start_mark.line + 1)
            lines[inner] = key.start_mark.line + 1
            _collect_lines(value, inner, lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _collect_lines(value, (*where, index), lines, path)


def _shown(value: object) -> object:
    text = repr(value)
    return value if len(text) <= 80 else text[:77] + "..."


def _mend(problem: Any) -> str:
    match problem["type"]:
        case "extra_forbidden":
            return "a known key; check the spelling, or remove it"
        case "missing":
            return f"a value for {problem['loc'][-1]}, which is missing"
        case "value_error":
            return str(problem["ctx"]["error"])
        case "string_type" if isinstance(problem["input"], int):
            return 'text in quotes (YAML reads 22:00 as the number 1320; write "22:00")'
        case _:
            return str(problem["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")
