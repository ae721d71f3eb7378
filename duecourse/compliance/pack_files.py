"""The files of a pack: their form, and the refusal of bad ones with file, line, field and how to mend."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Hashable
from datetime import date
from typing import Any, Literal, TypeVar

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic.json_schema import models_json_schema

from duecourse.compliance.primitive_files import (
    CalendarFile,
    CapFile,
    ConsentFile,
    ContentFile,
    CoolOffFile,
    CoverageFile,
    File,
    HoldFile,
    LocalTimeFile,
    NamedTimesFile,
    NoticeFile,
    OneReplyFile,
    QuietHoursFile,
    RecipientsFile,
    RuleId,
)
from duecourse.errors import InvalidInput


class TextFile(File):
    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)


class CitationFile(File):
    title: str = Field(min_length=1)
    href: str | None = None


class VersionFile(File):
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
    def primitives(self) -> list[File]:
        """The primitives that stand in this version; exactly one is allowed."""
        return [
            value
            for name, value in self
            if isinstance(value, File) and name not in ("coverage", "adopted", "in_force", "ended")
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


class RuleFile(File):
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


class EntryFile(File):
    """An instrument that a pack remembers without any rule: repealed, proposed, not yet adopted."""

    title: TextFile
    citation: CitationFile
    status: Literal["proposed", "adopted", "in_force", "repealed"]
    adopted: date | None = None
    in_force: date | None = None
    ended: date | None = None
    note: TextFile

    @model_validator(mode="after")
    def _dated(self) -> EntryFile:
        if self.status == "repealed" and self.ended is None:
            raise ValueError("ended, the first day on which it no longer held, for what is repealed")
        if self.status == "proposed" and self.in_force is not None:
            raise ValueError("no in_force for a proposal: it is not law")
        if self.in_force is not None and self.ended is not None and self.ended <= self.in_force:
            raise ValueError("an end after the date in_force")
        return self


class RulesFile(File):
    rules: tuple[RuleFile, ...] = ()
    entries: tuple[EntryFile, ...] = Field((), description="dated instruments without rules: drafts, repealed ones")

    @model_validator(mode="after")
    def _some(self) -> RulesFile:
        if not self.rules and not self.entries:
            raise ValueError("at least one rule, or one entry")
        return self


class HeaderFile(File):
    id: str = Field(pattern=r"^[a-z0-9_]+(/[a-z0-9_]+)*$")
    title: TextFile
    version: date | None = None  # left out: the latest in_force date of its rules
    zone: str = "UTC"  # the clock by which its rules come into force
    countries: tuple[str, ...] = ()  # residents of these are covered when a case names no packs
    regions: tuple[str, ...] = ()  # of these countries, only these; a region that is not known counts
    cities: tuple[str, ...] = ()
    postal: tuple[tuple[str, str], ...] = ()
    calendars: dict[str, CalendarFile] = Field({}, description="calendars of its own")
    overrides: tuple[RuleId, ...] = ()  # rules of included packs in whose place its own of the same id stand
    includes: tuple[str, ...] = ()
    rules: tuple[str, ...] = Field(min_length=1)  # files, relative to the packs' directory
    unverified_on: tuple[RuleId, ...] = ()  # rules of grade M that only make us more careful


_M = TypeVar("_M", bound=File)
# Ten times faster where libyaml is there: the commands that need no server load all packs each time.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Lines = dict[tuple[Hashable, ...], int]


def read(model: type[_M], path: str, text: str) -> tuple[_M, Any, Lines]:
    """Parse one file of a pack: the model, the plain data (for the content hash), the line of each field.

    Raises InvalidInput with `field` = "<path>:<field>", the value, what is expected, and the line.
    """
    try:
        loader = _Loader(text)
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


def pack_schema() -> dict[str, Any]:
    """The JSON Schema of pack files: a header under $defs HeaderFile, a file of rules under $defs RulesFile."""
    _, schema = models_json_schema([(HeaderFile, "validation"), (RulesFile, "validation")], by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Pack files",
        "description": "A pack is one header and the files of rules that it names.",
        "oneOf": [{"$ref": "#/$defs/HeaderFile"}, {"$ref": "#/$defs/RulesFile"}],
        **schema,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(pack_schema(), ensure_ascii=False, indent=2, default=str) + "\n")
