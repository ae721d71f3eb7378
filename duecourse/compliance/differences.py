"""What changed between two versions of a pack, as its authors wrote it: rules, dates, values, words, sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from duecourse.compliance.pack_files import HeaderFile, RulesFile, read
from duecourse.compliance.packs import Pack, is_header

Kind = Literal[
    "rule_added",
    "rule_removed",
    "date_added",
    "date_removed",
    "value",
    "text",
    "citation",
    "grade",
    "strength",
    "approximated",
    "entry_added",
    "entry_removed",
    "entry",
    "header",
]
_WORDS: tuple[Kind, ...] = ("text", "citation", "grade", "strength", "approximated")
_DATES = ("adopted", "in_force", "ended")


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `where`: a rule's id, an instrument's title, or the pack's id; `path`: the field in its file.

    `since`: the date of the version that it is in, as ISO date; "" outside versions. `old`, `new`: None where the
    field is not there. `inner`: for an added date, how it differs from the one before it.
    """

    kind: Kind
    where: str
    path: str = ""
    old: Any = None
    new: Any = None
    since: str = ""
    inner: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A pack as it is written: plain values of its header, of each rule by id, of each instrument by title."""

    header: Mapping[str, Any]
    rules: Mapping[str, Mapping[str, Any]]
    entries: Mapping[str, Mapping[str, Any]]


def written(pack: Pack) -> Written:
    """The plain values of a pack's files."""
    header: Mapping[str, Any] = {}
    rules: dict[str, Mapping[str, Any]] = {}
    entries: dict[str, Mapping[str, Any]] = {}
    for path, text in pack.documents().items():
        if is_header(path, text):
            _, header, _ = read(HeaderFile, path, text)
            continue
        _, data, _ = read(RulesFile, path, text)
        rules |= {one["id"]: one for one in data.get("rules", ())}
        entries |= {one["title"]["en"]: one for one in data.get("entries", ())}
    return Written(header, rules, entries)


def leaves(data: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each value with its dotted path; a list is one value."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from leaves(value, f"{path}.{key}" if path else str(key))
    else:
        yield path, data


def differences(old: Pack, new: Pack) -> tuple[Change, ...]:
    """What leads from `old` to `new`: the pack's header, then its rules in the order of the new one, then instruments.

    That a rule moved to another file is no change.
    """
    before, after = written(old), written(new)
    changes = list(_values("header", new.id, _without(before.header, "rules"), _without(after.header, "rules")))
    for rule, data in after.rules.items():
        if rule in before.rules:
            changes += _rule(rule, before.rules[rule], data)
        else:
            changes.append(Change("rule_added", rule, new=data["text"], since=_first(data)))
    changes += [
        Change("rule_removed", rule, old=data["text"], since=_first(data))
        for rule, data in before.rules.items()
        if rule not in after.rules
    ]
    for title, data in after.entries.items():
        if title in before.entries:
            changes += _values("entry", title, before.entries[title], data)
        else:
            changes.append(Change("entry_added", title, new=data["title"]))
    changes += [
        Change("entry_removed", title, old=data["title"])
        for title, data in before.entries.items()
        if title not in after.entries
    ]
    return tuple(changes)


def _rule(rule: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for kind in _WORDS:
        yield from _values(kind, rule, {kind: old.get(kind)}, {kind: new.get(kind)})
    yield from _values("value", rule, _without(old, *_WORDS, "versions"), _without(new, *_WORDS, "versions"))
    was = {str(one["in_force"]): one for one in old["versions"]}
    now = {str(one["in_force"]): one for one in new["versions"]}
    for day, version in now.items():
        if day in was:
            begins = str(version.get("ended")) in now.keys() - was.keys()  # said by the version that begins then
            hidden = ("ended",) if begins and "ended" not in was[day] else ()
            yield from _values("value", rule, was[day], _without(version, *hidden), day)
            continue
        earlier = [known for known in now if known < day]
        base = _without(now[max(earlier)], *_DATES) if earlier else {}
        inner = tuple(_values("value", rule, base, _without(version, *_DATES), day))
        yield Change("date_added", rule, new=version.get("ended"), since=day, inner=inner)
    for day in was:
        if day not in now:
            yield Change("date_removed", rule, since=day)


def _values(kind: Kind, where: str, old: object, new: object, since: str = "") -> Iterator[Change]:
    before = {path: value for path, value in leaves(old) if value is not None}
    after = {path: value for path, value in leaves(new) if value is not None}
    for path in dict.fromkeys([*before, *after]):
        if before.get(path) != after.get(path):
            yield Change(kind, where, path, before.get(path), after.get(path), since)


def _without(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in names}


def _first(rule: Mapping[str, Any]) -> str:
    return str(rule["versions"][0]["in_force"])
