"""`packs`: the rules themselves: list them, read them, check and compare files of one's own, publish and pin them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from duecourse.cli.command import DEFAULT_LEDGER, command
from duecourse.cli.desk import Answer, Desk
from duecourse.cli.pack_folders import packs_in
from duecourse.compliance.differences import differences
from duecourse.compliance.flags import Flag, flags
from duecourse.compliance.packs import Pack, PackSet, load_packs
from duecourse.errors import InvalidInput, NotFound
from duecourse.ledger import published
from duecourse.ledger.store import Ledger
from duecourse.present.handbook import HASH_SHOWN, change_json, changes_text, page, page_json
from duecourse.present.words import Words, words_in

SHIPPED = "shipped:"
_HASH = re.compile(r"[0-9a-f]{8,64}")
_NAMED = "A pack's id (as in force in the ledger, where there is one), shipped:ID, a folder, or a hash in the ledger."

PackName = Annotated[str, typer.Argument(metavar="ID", help=_NAMED)]
Lender = Annotated[str, typer.Argument(metavar="LENDER", help="A lender's id.")]
Language = Annotated[str, typer.Option("--lang", help="en or zh.")]
Places = Annotated[list[str], typer.Argument(metavar="FILE...", help="Headers of packs, or folders with packs.")]


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="The rules: list, show, check, diff, publish, pin, unpin.", no_args_is_help=True)
    command(group, "list", needs="ledger")(list_packs)
    command(group, "show", needs="ledger")(show_pack)
    command(group, "check", needs="nothing")(check_files)
    command(group, "diff", needs="ledger")(show_differences)
    command(group, "publish", needs="ledger")(publish_folder)
    command(group, "pin", needs="ledger")(pin_version)
    command(group, "unpin", needs="ledger")(unpin_version)
    app.add_typer(group, name="packs")


async def list_packs(desk: Desk) -> Answer:
    """The packs that come with Duecourse, and which of them, and which others, are in force in the ledger."""
    shipped = load_packs().packs
    here = await _in_force(desk)
    pinned = await _pins(desk) if here is not None else {}
    rows = []
    for name in sorted({*shipped, *(here or {})}):
        held = (here or {}).get(name)
        pack = held or shipped[name]
        rows.append(
            {
                "id": name,
                "version": pack.version,
                "title": pack.title.en,
                "rules": len(pack.rules),
                "countries": list(pack.countries),
                "shipped": shipped[name].hash if name in shipped else None,
                "in_force": held.hash if held else None,
                "pinned": {lender: hashes[name] for lender, hashes in pinned.items() if name in hashes},
            }
        )
    return Answer(rows, "\n".join(_row(row, asked=here is not None) for row in rows))


async def show_pack(desk: Desk, pack: PackName, lang: Language = "en") -> Answer:
    """A page of a handbook, as Markdown: each rule in words, its source and grade, since when, whom it binds."""
    words = _words(lang)
    found = await _pack_named(desk, pack)
    today = desk.clock().date()
    return Answer(page_json(found, words, today), page(found, words, today))


async def check_files(desk: Desk, files: Places) -> Answer:
    """Check packs, alone and beside those that come with Duecourse. Exit code 2 where anything is refused.

    A refusal names file, line, field and how to mend it; a flag is what should be looked at.
    """
    sound: list[Pack] = []
    refused: list[tuple[str, InvalidInput]] = []
    for place in files:
        found = packs_in(Path(place))
        sound += found.packs
        refused += found.refused
    if not refused:
        try:
            _beside(sound)
        except InvalidInput as error:
            refused.append((", ".join(files), error))
    today = desk.clock().date()
    flagged = [flag for pack in sound for flag in flags(pack, today)]
    problems = [_problem(source, error) for source, error in refused]
    data = {
        "packs": [_pack_json(pack) for pack in sound],
        "refused": problems,
        "flags": [_flag_json(flag) for flag in flagged],
    }
    lines = [_refusal(one) for one in problems]
    lines += [f"{flag.file}, line {flag.line}: {flag.rule}: {flag.found}; {flag.mend}" for flag in flagged]
    lines += [
        f"{pack.id} {pack.version}: {_count(len(pack.rules), 'rule')}, sound (hash {pack.hash[:HASH_SHOWN]})"
        for pack in sound
    ]
    lines.append(f"{_count(len(problems), 'refusal')}, {_count(len(flagged), 'flag')}")
    return Answer(data, "\n".join(lines), InvalidInput.exit_code if refused else 0)


async def show_differences(
    desk: Desk,
    old: Annotated[str, typer.Argument(metavar="A", help=_NAMED)],
    new: Annotated[str, typer.Argument(metavar="B", help="The same; what changed from A to B is told.")],
    lang: Language = "en",
) -> Answer:
    """What changed between two versions of a pack, in words."""
    words = _words(lang)
    before, after = await _pack_named(desk, old), await _pack_named(desk, new)
    changes = differences(before, after)
    data = {
        "old": _pack_json(before),
        "new": _pack_json(after),
        "changes": [change_json(change, words) for change in changes],
    }
    return Answer(data, changes_text(before, after, changes, words))


async def publish_folder(
    desk: Desk,
    folder: Annotated[str, typer.Argument(metavar="DIR", help="A folder with packs, a header, or shipped:ID.")],
) -> Answer:
    """Check packs and put them in force in the ledger, for every loan, with no restart: from the next send on."""
    packs = _packs_at(folder)
    async with desk.session() as opened:
        before = await opened.ledger.consulting(_held)
        pinned = await opened.ledger.consulting(published.pins)
        documents = [pack.documents() for pack in packs]
        await opened.ledger.transacting(published.publish_all, documents)
        today = (await opened.now()).date()
    rows: list[dict[str, Any]] = []
    lines = []
    for pack in packs:
        was = before[pack.id].hash if pack.id in before else None
        rows.append(_pack_json(pack) | {"before": was, "holds_from": "the next reservation"})
        if was == pack.hash:
            lines.append(f"{pack.id} {pack.version} was in force already, hash {pack.hash}")
            continue
        lines.append(f"{pack.id} {pack.version} is published, hash {pack.hash}" + (f", after {was}" if was else ""))
        for flag in flags(pack, today):
            desk.warn(f"{flag.file}, line {flag.line}: {flag.rule}: {flag.found}; {flag.mend}")
        for lender, held in pinned.items():
            if pack.id in held:
                lines.append(
                    f"{lender} stays on the version with hash {held[pack.id]}, to which it is pinned: "
                    f"`starter.py packs unpin {lender} {pack.id}` once this one is reviewed"
                )
    lines.append(
        "It holds from the next reservation on, on every worker; contacts already reserved keep their verdict."
    )
    return Answer(rows, "\n".join(lines))


async def pin_version(
    desk: Desk,
    lender: Lender,
    pack: Annotated[str, typer.Argument(help="A pack's id.")],
    version: Annotated[
        str | None,
        typer.Argument(help="A published version's date, or the beginning of its hash; left out: the one in force."),
    ] = None,
) -> Answer:
    """Keep a lender on one version of a pack, whatever is published, until that is reviewed: `unpin` ends it."""
    async with desk.session() as opened:
        chosen = await opened.ledger.transacting(published.pin, lender, pack, version)
    said = (
        f"{lender} stays on {chosen.id} {chosen.version}, hash {chosen.hash}, from the next reservation on; its "
        f"verdicts say so. `starter.py packs unpin {lender} {chosen.id}` ends it."
    )
    return Answer(_pack_json(chosen) | {"lender": lender, "pinned": True}, said)


async def unpin_version(
    desk: Desk, lender: Lender, pack: Annotated[str, typer.Argument(help="A pack's id.")]
) -> Answer:
    """Let a lender follow again what is published."""
    async with desk.session() as opened:
        held = (await opened.ledger.consulting(published.pins)).get(lender, {})
        following = await opened.ledger.transacting(published.unpin, lender, pack)
    said = (
        f"{lender} follows {following.id} as published, {following.version}, hash {following.hash}, from the next "
        "reservation on."
    )
    if held[pack] != following.hash:
        said += f" What changed for it: `starter.py packs diff {held[pack][:HASH_SHOWN]} {pack}`"
    return Answer(_pack_json(following) | {"lender": lender, "pinned": False, "before": held[pack]}, said)


async def _pack_named(desk: Desk, name: str) -> Pack:
    """A pack by id, `shipped:ID`, folder or header, or the beginning of its hash in the ledger."""
    if name.startswith(SHIPPED):
        return _packs_at(name)[0]
    here = await _in_force(desk)
    if here is not None and name in here:
        return here[name]
    shipped = load_packs().packs
    if name in shipped:
        return shipped[name]
    if _exists(name):
        found = _packs_at(name)
        if len(found) > 1:
            raise InvalidInput("pack", name, f"one of its headers: {', '.join(f'{one.id}.yaml' for one in found)}")
        return found[0]
    if here is not None and _HASH.fullmatch(name):
        async with desk.session() as opened:
            return await opened.ledger.consulting(published.by_hash, name)
    known = ", ".join(sorted({*shipped, *(here or {})}))
    raise NotFound("pack", name, f"name a folder, a hash of a published pack (with --ledger), or one of {known}")


def _packs_at(place: str) -> list[Pack]:
    """The packs of a folder or header, or a shipped one. Raises InvalidInput for the first refusal."""
    if place.startswith(SHIPPED):
        name = place.removeprefix(SHIPPED)
        return [load_packs((name,)).packs[name]]
    found = packs_in(Path(place))
    for _, error in found.refused:
        raise error
    return list(found.packs)


async def _pins(desk: Desk) -> dict[str, dict[str, str]]:
    async with desk.session() as opened:
        return await opened.ledger.consulting(published.pins)


async def _in_force(desk: Desk) -> dict[str, Pack] | None:
    """What is in force in the ledger; None where none was named and none lies at the usual place."""
    if desk.ledger == DEFAULT_LEDGER and not _exists(DEFAULT_LEDGER.removeprefix("sqlite:///")):
        return None
    async with desk.session() as opened:
        ledger: Ledger = opened.ledger
        return await ledger.consulting(_held)


def _exists(path: str) -> bool:
    return Path(path).exists()


def _held(connection: Connection) -> dict[str, Pack]:
    return published.in_force(connection).packs


def _beside(own: Sequence[Pack]) -> PackSet:
    """The packs together with the shipped ones that they do not replace: includes and overrides must hold."""
    return PackSet((load_packs().packs | {pack.id: pack for pack in own}).values())


def _words(lang: str) -> Words:
    if lang not in ("en", "zh"):
        raise InvalidInput("--lang", lang, "en or zh")
    return words_in(lang)


def _row(row: dict[str, Any], *, asked: bool) -> str:
    countries = ", ".join(row["countries"]) or "by name"
    line = f"{row['id']:<26} {row['version']}  {_count(row['rules'], 'rule'):>9}  {countries:<8}  {row['title']}"
    if not asked:
        return line
    if row["in_force"] is None:
        return f"{line}  (not in force here)"
    newer = "" if row["shipped"] in (None, row["in_force"]) else "; the shipped one differs"
    pinned = "".join(f"; {lender} is pinned to {hash_[:HASH_SHOWN]}" for lender, hash_ in row["pinned"].items())
    return f"{line}  (in force here: {row['in_force'][:HASH_SHOWN]}{newer}{pinned})"


def _problem(source: str, error: InvalidInput) -> dict[str, Any]:
    """A refusal as JSON values. The field of a pack's error begins with the file in the pack."""
    file, _, field = error.field.partition(":")
    if not file.endswith(".yaml"):
        file, field = source, error.field
    return {
        "file": file,
        "line": error.line,
        "field": field or "file",
        "value": error.value,
        "expected": error.expected,
    }


def _refusal(one: dict[str, Any]) -> str:
    line = f", line {one['line']}" if one["line"] is not None else ""
    return f"{one['file']}{line}: {one['field']}: {one['value']!r} is not accepted; expected {one['expected']}"


def _pack_json(pack: Pack) -> dict[str, Any]:
    return {"id": pack.id, "version": pack.version, "hash": pack.hash, "rules": len(pack.rules)}


def _flag_json(flag: Flag) -> dict[str, Any]:
    return {
        "kind": flag.kind,
        "rule": flag.rule,
        "file": flag.file,
        "line": flag.line,
        "found": flag.found,
        "mend": flag.mend,
    }


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
