"""Packs: rules as files whose path is the citation, loaded, checked and compiled once.

A pack is one header (`us/federal.yaml`, its id plus `.yaml`) and the rule files that it names. It is made from texts,
whether they come from this package or from rows of the ledger, and is known by the hash of its content.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from importlib import resources
from importlib.resources.abc import Traversable

from duecourse.compliance.calendars import HolidayCalendar, calendar_named, listed_calendar
from duecourse.compliance.case import Place
from duecourse.compliance.compilation import compile_rule, references
from duecourse.compliance.local_time import zone_named
from duecourse.compliance.pack_files import HeaderFile, Lines, RulesFile, line_of, read
from duecourse.compliance.rules import Rule, Text, is_in_city
from duecourse.compliance.selection import Selection, says_the_same
from duecourse.compliance.verdict import PackRef
from duecourse.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Entry:
    """An instrument that a pack remembers without any rule: repealed, proposed, not yet in force."""

    title: Text
    citation: str
    href: str | None
    status: str  # proposed | adopted | in_force | repealed
    adopted: date | None
    in_force: date | None
    ended: date | None
    note: Text
    file: str


class Pack:
    """One pack, checked and compiled. Make it with `Pack.from_documents`.

    Attributes: id, title, version (ISO date), hash (sha256 of the content), countries, includes, overrides, rules,
    entries (instruments without rules).
    """

    __slots__ = (
        "_cities",
        "_documents",
        "_postal",
        "_regions",
        "countries",
        "entries",
        "hash",
        "id",
        "includes",
        "overrides",
        "rules",
        "title",
        "version",
    )

    def __init__(
        self,
        header: HeaderFile,
        version: str,
        content_hash: str,
        rules: tuple[Rule, ...],
        entries: tuple[Entry, ...],
        documents: Mapping[str, str],
    ) -> None:
        self.id = header.id
        self.title = Text(header.title.en, header.title.zh)
        self.version = version
        self.hash = content_hash
        self.countries = header.countries
        self.includes = header.includes
        self.overrides = header.overrides
        self.rules = rules
        self.entries = entries
        self._regions = frozenset(header.regions)
        self._cities = frozenset(city.strip().lower() for city in header.cities)
        self._postal = header.postal
        self._documents = dict(documents)

    @property
    def regions(self) -> frozenset[str]:
        """The states or provinces that it is for; none named: the whole of its countries."""
        return self._regions

    @property
    def ref(self) -> PackRef:
        """Id, version and hash, as each verdict carries them."""
        return PackRef(self.id, self.version, self.hash)

    def governs(self, residence: Place) -> bool:
        """Does it follow from where the borrower lives? A state or city that is not known counts: that is stricter."""
        return (
            residence.country in self.countries
            and (not self._regions or residence.region is None or residence.region in self._regions)
            and is_in_city(residence, self._cities, self._postal)
        )

    def documents(self) -> dict[str, str]:
        """The texts from which it was made, by path: what the ledger stores."""
        return dict(self._documents)

    @classmethod
    def from_documents(cls, documents: Mapping[str, str]) -> Pack:
        """Check and compile a pack from its texts, path -> YAML.

        Raises InvalidInput with file, field, value, line and how to mend it.
        """
        headers = [path for path, text in documents.items() if is_header(path, text)]
        if len(headers) != 1:
            raise InvalidInput("pack", sorted(documents), "exactly one header, a file named <id>.yaml with that id")
        path = headers[0]
        header, header_data, lines = read(HeaderFile, path, documents[path])
        if path != f"{header.id}.yaml":
            raise InvalidInput(
                f"{path}:id", header.id, f"the file's path without .yaml: {path[:-5]}", line=lines.get(("id",))
            )
        try:
            zone_named(header.zone)
        except InvalidInput as error:
            raise InvalidInput(f"{path}:zone", error.value, error.expected, line=lines.get(("zone",))) from error
        parsed: dict[str, tuple[RulesFile, Lines]] = {}
        content: dict[str, object] = {path: header_data}
        for index, name in enumerate(header.rules):
            if name not in documents:
                raise InvalidInput(
                    f"{path}:rules.{index}", name, "a file that exists", line=line_of(lines, ("rules", index))
                )
            rules_file, data, rule_lines = read(RulesFile, name, documents[name])
            parsed[name] = (rules_file, rule_lines)
            content[name] = data
        stray = sorted(set(documents) - set(content))
        if stray:
            raise InvalidInput(f"{path}:rules", stray[0], "every file of the pack named under rules")
        dates = [d.in_force for rules_file, _ in parsed.values() for rule in rules_file.rules for d in rule.versions]
        version = header.version or max(dates, default=None)
        if version is None:
            raise InvalidInput(f"{path}:version", None, "a date, where no rule has one", line=1)
        rules = _compile(parsed, header, version, _calendars(header, path, lines))
        _check_header(header, rules, path, lines)
        digest = hashlib.sha256(
            json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_iso).encode()
        )
        return cls(header, version.isoformat(), digest.hexdigest(), rules, _entries(parsed), documents)


class PackSet:
    """The packs that a process knows. Immutable: a published change makes a new set.

    `pinned`: ids of those that a lender stays on until somebody reviewed what was published since.
    """

    __slots__ = ("_regional", "_selections", "packs", "pinned")

    def __init__(self, packs: Iterable[Pack], pinned: frozenset[str] = frozenset()) -> None:
        self.packs: dict[str, Pack] = {pack.id: pack for pack in packs}
        self.pinned = pinned
        self._selections: dict[tuple[str, ...], Selection] = {}
        self._regional: dict[tuple[str, str], bool] = {}
        for pack in self.packs.values():
            for included in pack.includes:
                if included not in self.packs:
                    raise InvalidInput(f"{pack.id}.yaml:includes", included, "a pack that is loaded with it")
        for pack in self.packs.values():
            _check_overrides(pack, {name: self.packs[name] for name in self._inherited(pack)})

    def select(self, ids: tuple[str, ...]) -> Selection:
        """The named packs with all that they include; raises InvalidInput for one that is not known."""
        known = self._selections.get(ids)
        if known is None:
            chosen: dict[str, Pack] = {}
            for name in ids:
                if name not in self.packs:
                    raise InvalidInput("packs", name, f"one of {', '.join(sorted(self.packs))}")
                chosen[name] = self.packs[name]
                chosen.update((other, self.packs[other]) for other in self._inherited(chosen[name]))
            replaced = {
                (inherited, rule)
                for pack in chosen.values()
                for inherited in self._inherited(pack)
                for rule in pack.overrides
            }
            known = Selection(
                tuple(replace(pack.ref, pinned=pack.id in self.pinned) for pack in chosen.values()),
                [
                    rule
                    for pack in chosen.values()
                    for rule in pack.rules
                    if rule.on and (pack.id, rule.id) not in replaced
                ],
            )
            self._selections[ids] = known
        return known

    def _inherited(self, pack: Pack) -> list[str]:
        """All that a pack includes, itself not among them, nearest first."""
        found: dict[str, None] = {}
        waiting = list(pack.includes)
        while waiting:
            name = waiting.pop(0)
            if name != pack.id and name not in found:
                found[name] = None
                waiting.extend(self.packs[name].includes)
        return list(found)

    def ids_for(self, residence: Place | None) -> tuple[str, ...]:
        """The packs that follow from where the borrower lives; empty if none is known for that country.

        Which of their rules bind a lender's role or a product is for each rule's coverage to say.
        """
        if residence is None:
            return ()
        return tuple(pack.id for pack in self.packs.values() if pack.governs(residence))

    def lacks_region(self, residence: Place | None) -> bool:
        """Whether other states or provinces of that country have a pack of their own here, and this one has none."""
        if residence is None or residence.region is None:
            return False
        known = self._regional.get((residence.country, residence.region))
        if known is None:
            divided = [one for one in self.packs.values() if one.regions and residence.country in one.countries]
            known = bool(divided) and not any(residence.region in one.regions for one in divided)
            self._regional[residence.country, residence.region] = known
        return known

    def rule(self, rule_id: str) -> Rule | None:
        """The rule of that id, from whichever pack has it."""
        for pack in self.packs.values():
            for rule in pack.rules:
                if rule.id == rule_id:
                    return rule
        return None


def load_packs(ids: Iterable[str] | None = None) -> PackSet:
    """The packs that come with Duecourse, all or those named (with what they include)."""
    root = resources.files(__package__).joinpath("packs")
    packs: dict[str, Pack] = {}
    waiting = sorted(_shipped(root, "")) if ids is None else list(ids)
    while waiting:
        name = waiting.pop(0)
        if name not in packs:
            packs[name] = Pack.from_documents(package_documents(name))
            waiting.extend(packs[name].includes)
    return PackSet(packs.values())


def package_documents(pack_id: str) -> dict[str, str]:
    """The texts of a pack that comes with Duecourse: its header and the files that it names."""
    root = resources.files(__package__).joinpath("packs")
    path = f"{pack_id}.yaml"
    header_text = _text(root, path)
    if header_text is None or not is_header(path, header_text):
        raise InvalidInput("packs", pack_id, f"one of {', '.join(sorted(_shipped(root, '')))}")
    documents = {path: header_text}
    header, _, _ = read(HeaderFile, path, header_text)
    for name in header.rules:
        text = _text(root, name)
        if text is not None:
            documents[name] = text
    return documents


def _text(root: Traversable, path: str) -> str | None:
    file = root.joinpath(*path.split("/"))
    return file.read_text(encoding="utf-8") if file.is_file() else None


def _shipped(root: Traversable, prefix: str) -> list[str]:
    found: list[str] = []
    for entry in root.iterdir():
        if entry.is_dir():
            found.extend(_shipped(entry, f"{prefix}{entry.name}/"))
        elif entry.name.endswith(".yaml") and is_header(f"{prefix}{entry.name}", entry.read_text(encoding="utf-8")):
            found.append(f"{prefix}{entry.name[:-5]}")
    return found


def is_header(path: str, text: str) -> bool:
    """Whether a file of a pack is its header, not a file of rules."""
    # Rule files hold a list of rules and nothing else; whatever has an id of its own means to be a header.
    return path.endswith(".yaml") and any(line.startswith("id:") for line in text.splitlines())


def _calendars(header: HeaderFile, path: str, lines: Lines) -> Callable[[str], HolidayCalendar]:
    own: dict[str, HolidayCalendar] = {}
    for name, listed in header.calendars.items():
        rules = [one.model_dump(exclude_none=True) for one in listed.days]
        own[name] = listed_calendar(name, rules, listed.dates, listed.from_, listed.to)
        try:
            calendar_named(name)
        except InvalidInput:
            continue
        raise InvalidInput(
            f"{path}:calendars.{name}",
            name,
            "a name that is not yet a calendar's",
            line=line_of(lines, ("calendars", name)),
        )
    return lambda name: own[name] if name in own else calendar_named(name)


def _entries(parsed: Mapping[str, tuple[RulesFile, Lines]]) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            title=Text(one.title.en, one.title.zh),
            citation=one.citation.title,
            href=one.citation.href,
            status=one.status,
            adopted=one.adopted,
            in_force=one.in_force,
            ended=one.ended,
            note=Text(one.note.en, one.note.zh),
            file=name,
        )
        for name, (rules_file, _) in parsed.items()
        for one in rules_file.entries
    )


def _compile(
    parsed: Mapping[str, tuple[RulesFile, Lines]],
    header: HeaderFile,
    version: date,
    calendars: Callable[[str], HolidayCalendar],
) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for name, (rules_file, lines) in parsed.items():
        for index, rule in enumerate(rules_file.rules):
            line = line_of(lines, ("rules", index)) or 1
            if rule.id in rules:
                where = rules[rule.id]
                raise InvalidInput(
                    f"{name}:rules.{index}.id",
                    rule.id,
                    f"an id that is new; {where.file}:{where.line} has it",
                    line=line,
                )
            try:
                rules[rule.id] = compile_rule(rule, header, version.isoformat(), name, line, calendars)
            except InvalidInput as error:
                inner: tuple[str | int, ...] = tuple(int(p) if p.isdigit() else p for p in error.field.split("."))
                raise InvalidInput(
                    f"{name}:rules.{index}.{error.field}",
                    error.value,
                    error.expected,
                    line=line_of(lines, ("rules", index, *inner)),
                ) from error
    for compiled in rules.values():
        for dated in compiled.versions:
            for other in references(dated.primitive):
                if other not in rules:
                    raise InvalidInput(
                        f"{compiled.file}:{compiled.id}", other, "a rule of the same pack", line=compiled.line
                    )
    return tuple(rules.values())


def _check_overrides(pack: Pack, inherited: Mapping[str, Pack]) -> None:
    """What a pack replaces, it names; what it names, it replaces; and no lender's own policy stands in law's place."""
    below: dict[str, list[Rule]] = {}
    for other in inherited.values():
        for rule in other.rules:
            below.setdefault(rule.id, []).append(rule)
    own = {rule.id: rule for rule in pack.rules}
    for index, rule_id in enumerate(pack.overrides):
        if rule_id not in below or rule_id not in own:
            raise InvalidInput(
                f"{pack.id}.yaml:overrides.{index}",
                rule_id,
                "a rule of an included pack, with one of the same id in this pack to stand in its place",
            )
        if own[rule_id].grade == "-" and any(rule.grade != "-" for rule in below[rule_id]):
            raise InvalidInput(
                f"{own[rule_id].file}:{rule_id}",
                rule_id,
                "an id of its own: a lender's policy comes on top of the law, and the stricter of the two decides",
                line=own[rule_id].line,
            )
    for rule_id, rule in own.items():
        if rule_id not in pack.overrides and not all(says_the_same(rule, other) for other in below.get(rule_id, ())):
            raise InvalidInput(
                f"{rule.file}:{rule_id}",
                rule_id,
                f"the rule named under overrides in {pack.id}.yaml, or an id of its own: an included pack has it too",
                line=rule.line,
            )


def _check_header(header: HeaderFile, rules: tuple[Rule, ...], path: str, lines: Lines) -> None:
    grades = {rule.id: rule.grade for rule in rules}
    for index, rule_id in enumerate(header.unverified_on):
        if grades.get(rule_id) != "M":
            raise InvalidInput(
                f"{path}:unverified_on.{index}",
                rule_id,
                "a rule of this pack with grade M",
                line=line_of(lines, ("unverified_on", index)),
            )


def _iso(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a pack holds a value that JSON cannot: {value!r}")
