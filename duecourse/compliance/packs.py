"""Packs: rules as files whose path is the citation, loaded, checked and compiled once.

A pack is one header (`us/federal.yaml`, its id plus `.yaml`) and the rule files that it names. It is made from texts,
whether they come from this package or from rows of the ledger, and is known by the hash of its content.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date
from importlib import resources
from importlib.resources.abc import Traversable

from duecourse.compliance.case import Place
from duecourse.compliance.compilation import compile_rule, references
from duecourse.compliance.local_time import DAY, zone_named
from duecourse.compliance.pack_files import HeaderFile, Lines, RulesFile, line_of, read
from duecourse.compliance.rules import Cap, ConsentRule, CoolOff, LocalTime, Notice, OneReply, Rule, RuleVersion, Text
from duecourse.compliance.verdict import PackRef
from duecourse.errors import InvalidInput


class Pack:
    """One pack, checked and compiled. Make it with `Pack.from_documents`.

    Attributes: id, title, version (ISO date), hash (sha256 of the content), countries, includes, rules.
    """

    __slots__ = ("_documents", "countries", "hash", "id", "includes", "rules", "title", "version")

    def __init__(
        self,
        header: HeaderFile,
        version: str,
        content_hash: str,
        rules: tuple[Rule, ...],
        documents: Mapping[str, str],
    ) -> None:
        self.id = header.id
        self.title = Text(header.title.en, header.title.zh)
        self.version = version
        self.hash = content_hash
        self.countries = header.countries
        self.includes = header.includes
        self.rules = rules
        self._documents = dict(documents)

    @property
    def ref(self) -> PackRef:
        """Id, version and hash, as each verdict carries them."""
        return PackRef(self.id, self.version, self.hash)

    def documents(self) -> dict[str, str]:
        """The texts from which it was made, by path: what the ledger stores."""
        return dict(self._documents)

    @classmethod
    def from_documents(cls, documents: Mapping[str, str]) -> Pack:
        """Check and compile a pack from its texts, path -> YAML.

        Raises InvalidInput with file, field, value, line and how to mend it.
        """
        headers = [path for path, text in documents.items() if _is_header(path, text)]
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
        version = header.version or max(
            dated.in_force for rules_file, _ in parsed.values() for rule in rules_file.rules for dated in rule.versions
        )
        rules = _compile(parsed, header, version)
        _check_header(header, rules, path, lines)
        digest = hashlib.sha256(
            json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_iso).encode()
        )
        return cls(header, version.isoformat(), digest.hexdigest(), rules, documents)


class Selection:
    """The packs that apply to one case, indexed by what a request is. Compiled once per set of packs."""

    __slots__ = ("_by_request", "confirmations", "longest", "notices", "packs", "refs", "versions")

    def __init__(self, packs: tuple[Pack, ...]) -> None:
        self.packs = packs
        self.refs = tuple(pack.ref for pack in packs)
        rules: dict[str, Rule] = {}
        for pack in packs:
            for rule in pack.rules:
                if rule.on:
                    rules.setdefault(rule.id, rule)  # a file that several packs name speaks once
        self.versions: tuple[RuleVersion, ...] = tuple(v for rule in rules.values() for v in rule.versions)
        self.notices: dict[str, tuple[RuleVersion, ...]] = {}
        for version in self.versions:
            if isinstance(version.primitive, Notice):
                self.notices[version.rule] = (*self.notices.get(version.rule, ()), version)
        self.confirmations = frozenset(
            version.primitive.confirmation
            for version in self.versions
            if isinstance(version.primitive, ConsentRule) and version.primitive.confirmation is not None
        )
        self.longest = max((_reach(version) for version in self.versions), default=0)
        self._by_request: dict[tuple[str, tuple[str, ...], str, str, str], tuple[RuleVersion, ...]] = {}

    def binding(
        self, role: str, agreements: tuple[str, ...], channel: str, purpose: str, kind: str
    ) -> tuple[RuleVersion, ...]:
        """The versions that can bind such a request; place, product and dates are still to be looked at."""
        key = (role, agreements, channel, purpose, kind)
        known = self._by_request.get(key)
        if known is None:
            agreed = frozenset(agreements)
            known = tuple(
                version
                for version in self.versions
                if not isinstance(version.primitive, (Notice, LocalTime, OneReply))
                and version.coverage.binds(role, agreed, channel, purpose, kind)
            )
            if len(self._by_request) < 4096:
                self._by_request[key] = known
        return known


class PackSet:
    """The packs that a process knows. Immutable: a published change makes a new set."""

    __slots__ = ("_selections", "packs")

    def __init__(self, packs: Iterable[Pack]) -> None:
        self.packs: dict[str, Pack] = {pack.id: pack for pack in packs}
        self._selections: dict[tuple[str, ...], Selection] = {}
        for pack in self.packs.values():
            for included in pack.includes:
                if included not in self.packs:
                    raise InvalidInput(f"{pack.id}.yaml:includes", included, "a pack that is loaded with it")

    def select(self, ids: tuple[str, ...]) -> Selection:
        """The named packs with all that they include; raises InvalidInput for one that is not known."""
        known = self._selections.get(ids)
        if known is None:
            chosen: dict[str, Pack] = {}
            waiting = list(ids)
            while waiting:
                name = waiting.pop(0)
                if name in chosen:
                    continue
                if name not in self.packs:
                    raise InvalidInput("packs", name, f"one of {', '.join(sorted(self.packs))}")
                chosen[name] = self.packs[name]
                waiting.extend(self.packs[name].includes)
            known = Selection(tuple(chosen.values()))
            self._selections[ids] = known
        return known

    def ids_for(self, residence: Place | None) -> tuple[str, ...]:
        """The packs that follow from where the borrower lives; empty if none is known for that country.

        Which of their rules bind a lender's role or a product is for each rule's coverage to say.
        """
        if residence is None:
            return ()
        return tuple(pack.id for pack in self.packs.values() if residence.country in pack.countries)

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
    if header_text is None or not _is_header(path, header_text):
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
        elif entry.name.endswith(".yaml") and _is_header(f"{prefix}{entry.name}", entry.read_text(encoding="utf-8")):
            found.append(f"{prefix}{entry.name[:-5]}")
    return found


def _is_header(path: str, text: str) -> bool:
    # Rule files hold a list of rules and nothing else; whatever has an id of its own means to be a header.
    return path.endswith(".yaml") and any(line.startswith("id:") for line in text.splitlines())


def _compile(parsed: Mapping[str, tuple[RulesFile, Lines]], header: HeaderFile, version: date) -> tuple[Rule, ...]:
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
                rules[rule.id] = compile_rule(rule, header, version.isoformat(), name, line)
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


def _reach(version: RuleVersion) -> int:
    """How far back, in seconds, a contact can still matter to this rule."""
    match version.primitive:
        case Cap(unit="seconds", length=length):
            return length
        case Cap(length=length, counter=counter):
            return (length + (counter.consent_days or 0) + 3) * DAY
        case CoolOff(days=days, consent_days=consent_days):
            return (days + (consent_days or 0) + 3) * DAY
        case _:
            return 0


def _iso(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a pack holds a value that JSON cannot: {value!r}")
