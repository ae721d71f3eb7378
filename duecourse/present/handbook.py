"""Packs as people read them: a page of a handbook to train with, as Markdown, and what changed between two versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

from duecourse.compliance.case import Place
from duecourse.compliance.differences import Change, Written, leaves, written
from duecourse.compliance.explain import word
from duecourse.compliance.packs import Entry, Pack
from duecourse.compliance.rules import Coverage, Rule, RuleVersion
from duecourse.present.rule_examples import Residence, example
from duecourse.present.words import Words

ALWAYS = date(1970, 1, 1)  # what packs write where no source names the first day
HASH_SHOWN = 12
ANYWHERE = Place("XX")
"""Where the example of a pack lives that no country governs: a lender's own policy."""


def page(pack: Pack, words: Words, today: date) -> str:
    """The whole pack as Markdown, as it stands on a day: each rule in words, then instruments without rules."""
    text = written(pack)
    parts = [f"# {pack.title.said(words.language)}", _about(pack, text, words)]
    parts += [_rule(rule, pack, text, words, today) for rule in pack.rules]
    if pack.entries:
        lines = [_entry(one, words) for one in pack.entries]
        parts.append("\n".join([f"## {_say(words, 'entries')}", "", *lines]))
    return "\n\n".join(parts)


def page_json(pack: Pack, words: Words, today: date) -> dict[str, Any]:
    """The same as JSON values; the keys are stable."""
    text = written(pack)
    return {
        "id": pack.id,
        "version": pack.version,
        "hash": pack.hash,
        "title": pack.title.said(words.language),
        "countries": list(pack.countries),
        "includes": list(pack.includes),
        "overrides": list(pack.overrides),
        "rules": [_rule_json(rule, pack, text, words, today) for rule in pack.rules],
        "entries": [
            {
                "title": one.title.said(words.language),
                "citation": one.citation,
                "href": one.href,
                "status": one.status,
                **_dates(one.adopted, one.in_force, one.ended),
                "note": _line(one.note.said(words.language)),
            }
            for one in pack.entries
        ],
    }


def changes_text(old: Pack, new: Pack, changes: Sequence[Change], words: Words) -> str:
    """What `differences` found, a line each."""
    if not changes:
        return words.say("none", of="changes", id=new.id)
    count = words.say("one" if len(changes) == 1 else "many", of="changes", n=len(changes))
    head = words.say(
        "head",
        of="changes",
        id=new.id if new.id == old.id else f"{old.id} -> {new.id}",
        old=old.version,
        old_hash=old.hash[:HASH_SHOWN],
        new=new.version,
        new_hash=new.hash[:HASH_SHOWN],
        count=count,
    )
    return "\n".join([head, *(f"- {said(change, words)}" for change in changes)])


def said(change: Change, words: Words) -> str:
    """One change as a sentence."""
    key = "value_since" if change.kind == "value" and change.since else change.kind
    inner = [_sentence("inner", one, words) for one in change.inner]
    return _sentence(
        key,
        change,
        words,
        inner=_say(words, "semicolon").join(inner) or words.say("same", of="changes"),
        ended=words.say("until", of="changes", day=change.new) if change.kind == "date_added" and change.new else "",
    )


def change_json(change: Change, words: Words) -> dict[str, Any]:
    """One change as JSON values, with its sentence."""
    return {
        "kind": change.kind,
        "where": change.where,
        "path": change.path or None,
        "since": change.since or None,
        "old": change.old,
        "new": change.new,
        "changes": [{"path": one.path, "old": one.old, "new": one.new} for one in change.inner],
        "said": said(change, words),
    }


def _sentence(key: str, change: Change, words: Words, **more: str) -> str:
    return words.say(
        key,
        of="changes",
        where=change.where,
        path=change.path,
        old=_value(change.old, words),
        new=_value(change.new, words),
        day=change.since,
        **more,
    )


def _value(value: object, words: Words) -> str:
    """A value of a file as people read it; both languages of a text are one value."""
    match value:
        case None:
            return words.say("nothing", of="changes")
        case bool():
            return "true" if value else "false"
        case {"en": str(english), "zh": str(chinese)}:
            return _line(chinese if words.language == "zh" else english)
        case Mapping():
            return "{" + ", ".join(f"{name}: {_value(one, words)}" for name, one in value.items()) + "}"
        case list():
            return "[" + ", ".join(_value(one, words) for one in value) + "]"
        case _:
            return _line(str(value))


def _about(pack: Pack, text: Written, words: Words) -> str:
    lines = [_say(words, "version", id=pack.id, version=pack.version, hash=pack.hash[:HASH_SHOWN])]
    lines.append(
        _say(words, "countries", list=_residents(pack, text, words)) if pack.countries else _say(words, "by_name")
    )
    if pack.includes:
        lines.append(_say(words, "includes", list=words.listed([f"`{one}`" for one in pack.includes])))
    if pack.overrides:
        lines.append(_say(words, "overrides", list=words.listed(pack.overrides)))
    return ("" if words.language == "zh" else " ").join(lines)


def _residents(pack: Pack, text: Written, words: Words) -> str:
    """Countries, and in brackets what is narrower: only those regions, only those cities."""
    narrower = [words.say("comma").join(text.header[name]) for name in ("regions", "cities") if text.header.get(name)]
    inner = _say(words, "semicolon").join(narrower)
    brackets = "（{}）" if words.language == "zh" else " ({})"
    return words.say("comma").join(pack.countries) + (brackets.format(inner) if inner else "")


def _rule(rule: Rule, pack: Pack, text: Written, words: Words, today: date) -> str:
    shown = [
        ("source", f"[{rule.citation}]({rule.href})" if rule.href else rule.citation),
        ("grade", words.say(_grade(rule), of="grades")),
        ("strength", words.say(rule.strength, of="strengths")),
        ("since", _say(words, "semicolon").join(_since(one, words, today) for one in rule.versions)),
        ("covers", _covers(current(rule, today).coverage, words)),
    ]
    items = [f"- {_say(words, label)}{_say(words, 'colon')}{value}" for label, value in shown]
    for version, values in zip(rule.versions, _versions(text, rule), strict=True):
        day = version.in_force
        label = _say(words, "values_always") if day == ALWAYS else _say(words, "values", day=words.day(day))
        parameters = _say(words, "semicolon").join(f"`{path}` {_value(value, words)}" for path, value in leaves(values))
        items.append(f"- {label}{_say(words, 'colon')}{parameters}")
    shown_by = _example(rule, pack, text, words, today)
    if shown_by is not None:
        items.append(f"- {_say(words, 'example')}{_say(words, 'colon')}{shown_by}")
    if rule.approximated:
        items.append(f"- {_say(words, 'approximated')}{_say(words, 'colon')}{_line(rule.approximated)}")
    return "\n".join([f"## {rule.id}", "", _line(rule.text.said(words.language)), "", *items])


def _rule_json(rule: Rule, pack: Pack, text: Written, words: Words, today: date) -> dict[str, Any]:
    return {
        "id": rule.id,
        "text": _line(rule.text.said(words.language)),
        "citation": rule.citation,
        "href": rule.href,
        "grade": rule.grade,
        "on": rule.on,
        "strength": rule.strength,
        "approximated": _line(rule.approximated) if rule.approximated else None,
        "covers": _covers(current(rule, today).coverage, words),
        "example": _example(rule, pack, text, words, today),
        "file": rule.file,
        "line": rule.line,
        "versions": [
            {**_dates(version.adopted, version.in_force, version.ended), "values": values}
            for version, values in zip(rule.versions, _versions(text, rule), strict=True)
        ],
    }


def _example(rule: Rule, pack: Pack, text: Written, words: Words, today: date) -> str | None:
    """The rule at work on a case made for it, in the pack's own country and clock."""
    first = {name: (text.header.get(name) or [None])[0] for name in ("countries", "regions", "cities")}
    place = Place(first["countries"] or ANYWHERE.country, first["regions"], first["cities"])
    home = Residence(place, text.header.get("zone") or "UTC")
    return example(pack, current(rule, today), home, words, today) if rule.on else None


def current(rule: Rule, today: date) -> RuleVersion:
    """The version in force on a day, else the one that is next, else the last."""
    live = [one for one in rule.versions if one.ended is None or one.ended > today]
    begun = [one for one in live if one.in_force <= today]
    return begun[-1] if begun else (live or list(rule.versions[-1:]))[0]


def _versions(text: Written, rule: Rule) -> list[dict[str, Any]]:
    """What each version says, without its dates and whom it binds: those are told in words."""
    told = ("adopted", "in_force", "ended", "coverage")
    return [{name: value for name, value in one.items() if name not in told} for one in text.rules[rule.id]["versions"]]


def _since(version: RuleVersion, words: Words, today: date) -> str:
    if version.in_force == ALWAYS:
        said_first = _say(words, "always")
    else:
        said_first = _say(
            words, "since_day" if version.in_force <= today else "future", day=words.day(version.in_force)
        )
    parts = [said_first]
    if version.adopted is not None:
        parts.append(_say(words, "adopted", day=words.day(version.adopted)))
    if version.ended is not None:
        parts.append(_say(words, "ended" if version.ended <= today else "ends", day=words.day(version.ended)))
    return (", " if words.language == "en" else "，").join(parts)


def _covers(coverage: Coverage, words: Words) -> str:
    items = []
    for field in fields(coverage):
        value = getattr(coverage, field.name)
        if not field.init or value is None or value in (frozenset(), ()):
            continue
        if field.name == "postal":
            shown = words.say("comma").join(low if low == high else f"{low}-{high}" for low, high in value)
        elif isinstance(value, frozenset):
            shown = words.say("comma").join(_term(one, words) for one in sorted(value))
        else:
            shown = str(value)
        items.append(_say(words, "item", label=words.say(field.name, of="coverage"), value=shown))
    return _say(words, "semicolon").join(items) or _say(words, "everything")


def _term(name: str, words: Words) -> str:
    return words.say(name, of="terms") if words.has(name, of="terms") else word(name, words.language)


def _entry(one: Entry, words: Words) -> str:
    title = one.title.said(words.language)
    days = [
        _say(words, key, day=words.day(day))
        for key, day in (("adopted", one.adopted), ("since_day", one.in_force), ("ended", one.ended))
        if day is not None
    ]
    status = (", " if words.language == "en" else "，").join([words.say(one.status, of="statuses"), *days])
    source = f"[{one.citation}]({one.href})" if one.href else one.citation
    if words.language == "zh":
        return f"- {title}（{source}）：{status}。{_line(one.note.zh)}"
    return f"- {title} ({source}): {status}. {_line(one.note.en)}"


def _grade(rule: Rule) -> str:
    return "M_on" if rule.grade == "M" and rule.on else rule.grade


def _dates(adopted: date | None, in_force: date | None, ended: date | None) -> dict[str, str | None]:
    days = {"adopted": adopted, "in_force": in_force, "ended": ended}
    return {name: day.isoformat() if day else None for name, day in days.items()}


def _line(text: str) -> str:
    return " ".join(text.split())


def _say(words: Words, key: str, **values: object) -> str:
    return words.say(key, of="handbook", **values)
