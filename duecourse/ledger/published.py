"""Published packs: rows by content hash, and one setting that says which are in force.

A worker reads the setting inside each reservation and loads what it does not know yet, so that all workers
follow a change of law at their next send. A lender may be pinned to a version of a pack until somebody has
reviewed what was published since: its own row says so, and each verdict. A pack that comes with Duecourse is
published once, when the ledger has none of that id; a newer release never replaces what a lender has in force.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from sqlalchemy import Connection, bindparam, insert, select, update

from duecourse.compliance.packs import Pack, PackSet, load_packs
from duecourse.compliance.verdict import PackRef
from duecourse.errors import InvalidInput, NotFound
from duecourse.ledger import settings
from duecourse.ledger.tables import lenders, packs

_DOCUMENTS = select(packs.c.path, packs.c.content).where(packs.c.hash == bindparam("name"))
_HASHES = select(packs.c.hash).where(packs.c.path == bindparam("path_")).order_by(packs.c.hash)
_PINS = select(lenders.c.id, lenders.c.pins).order_by(lenders.c.id)
_PINS_OF = select(lenders.c.pins).where(lenders.c.id == bindparam("lender_"))
_SET_PINS = update(lenders).where(lenders.c.id == bindparam("lender_")).values(pins=bindparam("pins_"))
_packs: dict[str, Pack] = {}  # by hash, which names the content, in whatever ledger it lies
_sets: dict[tuple[str, str], PackSet] = {}


@cache
def _shipped() -> str:
    """The files that this release ships, by name: whether to look closer, without reading any."""
    return "\n".join(sorted(_files(resources.files("duecourse.compliance") / "packs", "")))


def _files(folder: Traversable, prefix: str) -> list[str]:
    found: list[str] = []
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        found.extend(_files(entry, f"{name}/") if entry.is_dir() else [name])
    return found


def is_complete(connection: Connection) -> bool:
    """Whether the packs of this release were looked at when the ledger was last opened."""
    return settings.get(connection, settings.SHIPPED) == _shipped()


def complete(connection: Connection) -> None:
    """Publish the packs that come with Duecourse and have no published version yet."""
    if is_complete(connection):
        return
    known = _in_force(connection)
    for pack in load_packs().packs.values():
        if pack.id not in known:
            _put(connection, pack)
    settings.put(connection, settings.SHIPPED, _shipped())


def publish(connection: Connection, documents: Mapping[str, str]) -> Pack:
    """Put a pack in force from its texts, path -> YAML; from the next reservation on, everywhere.

    Raises InvalidInput with file, field, line and remedy if the pack is wrong, alone or beside the others.
    """
    return publish_all(connection, [documents])[0]


def publish_all(connection: Connection, each: Iterable[Mapping[str, str]]) -> list[Pack]:
    """The same for several packs at once, which may include each other."""
    made = [Pack.from_documents(documents) for documents in each]
    for pack in made:
        _put(connection, pack)
    # A set that does not hold together must be refused here: every later reservation would stumble over it.
    in_force(connection)
    for lender, held in pins(connection).items():
        try:
            in_force(connection, pins=_text(held))
        except InvalidInput as error:
            pinned = ", ".join(held)
            raise InvalidInput(
                error.field,
                error.value,
                f"{error.expected}; lender {lender} is pinned to versions of {pinned} that do not fit it: unpin first",
                line=error.line,
            ) from error
    return made


def pin(connection: Connection, lender: str, pack: str, version: str | None = None) -> Pack:
    """Keep a lender on one published version of a pack, from its next reservation on, whatever is published later.

    `version`: as its header says, or the beginning of its hash; left out: the one in force for the lender now.
    Raises NotFound for an unknown lender, pack or version; InvalidInput where several versions are meant, or where the
    lender's packs would not hold together.
    """
    held = _pins_of(connection, lender)
    chosen = _version_of(connection, lender, pack, version)
    text = _text({**held, pack: chosen.hash})
    in_force(connection, pins=text)
    connection.execute(_SET_PINS, {"lender_": lender, "pins_": text})
    return chosen


def unpin(connection: Connection, lender: str, pack: str) -> Pack:
    """Let a lender follow what is published again; returns the version that holds for it from now on.

    Raises NotFound for an unknown lender, or a pack that it is not pinned to.
    """
    held = _pins_of(connection, lender)
    if pack not in held:
        raise NotFound("pin", f"{lender} on {pack}", f"it is pinned to {', '.join(held) or 'no pack'}")
    text = _text({name: hash_ for name, hash_ in held.items() if name != pack})
    following = in_force(connection, pins=text)
    connection.execute(_SET_PINS, {"lender_": lender, "pins_": text})
    return following.packs[pack]


def pins(connection: Connection) -> dict[str, dict[str, str]]:
    """Lender -> pack -> hash, of the lenders that are pinned to any."""
    return {row.id: json.loads(row.pins) for row in connection.execute(_PINS) if row.pins}


def _pins_of(connection: Connection, lender: str) -> dict[str, str]:
    text = connection.execute(_PINS_OF, {"lender_": lender}).scalar()
    if text is None:
        raise NotFound("lender", lender, "register it first: start or import")
    return dict(json.loads(text)) if text else {}


def _version_of(connection: Connection, lender: str, pack: str, version: str | None) -> Pack:
    if version is None:
        held = in_force(connection, pins=_text(_pins_of(connection, lender))).packs
        if pack not in held:
            raise NotFound("pack", pack, f"one in force here: {', '.join(sorted(held))}")
        return held[pack]
    known = [_load(connection, hash_) for hash_ in connection.scalars(_HASHES, {"path_": f"{pack}.yaml"})]
    found = [one for one in known if version == one.version or (len(version) >= 8 and one.hash.startswith(version))]
    if len(found) > 1:
        hashes = ", ".join(one.hash[:12] for one in found)
        raise InvalidInput("version", version, f"a hash: several published versions of {pack} are meant: {hashes}")
    if not found:
        there = ", ".join(f"{one.version} ({one.hash[:12]})" for one in known) or "none"
        raise NotFound("version", f"{pack} {version}", f"published in this ledger: {there}")
    return found[0]


def _text(held: Mapping[str, str]) -> str:
    return json.dumps(held, sort_keys=True) if held else ""


def _put(connection: Connection, pack: Pack) -> None:
    if not connection.execute(_DOCUMENTS, {"name": pack.hash}).first():
        connection.execute(
            insert(packs),
            [{"hash": pack.hash, "path": path, "content": content} for path, content in pack.documents().items()],
        )
    active = json.dumps({**_in_force(connection), pack.id: pack.hash}, sort_keys=True)
    settings.put(connection, settings.PACKS, active)


def in_force(connection: Connection, active: str | None = None, pins: str = "") -> PackSet:
    """The packs in force for a lender with these pins (its row's text).

    `active` is the setting's value where the caller has read it already.
    """
    text = active if active is not None else settings.get(connection, settings.PACKS)
    if text is None:
        return PackSet(())
    known = _sets.get((text, pins))
    if known is None:
        pinned = json.loads(pins) if pins else {}
        hashes = {**json.loads(text), **pinned}
        known = PackSet([_load(connection, hash_) for hash_ in hashes.values()], frozenset(pinned))
        _sets[text, pins] = known
    return known


def as_of(connection: Connection, refs: Iterable[PackRef]) -> PackSet:
    """The packs of an old verdict, as it names them."""
    named = tuple(refs)
    return PackSet([_load(connection, ref.hash) for ref in named], frozenset(ref.id for ref in named if ref.pinned))


def by_hash(connection: Connection, start: str) -> Pack:
    """The published pack whose hash begins so. Raises NotFound, and InvalidInput where several do."""
    found = connection.scalars(select(packs.c.hash).where(packs.c.hash.startswith(start)).distinct()).all()
    if len(found) > 1:
        raise InvalidInput("hash", start, f"more of it: {len(found)} published packs begin so")
    if not found:
        raise NotFound("pack", start, "it was never published in this ledger")
    return _load(connection, found[0])


def _load(connection: Connection, hash_: str) -> Pack:
    """A pack by its full hash: what is compiled once, no reservation after another publication waits for."""
    known = _packs.get(hash_)
    if known is None:
        known = _packs[hash_] = _compiled(connection, hash_)
    return known


def _compiled(connection: Connection, hash_: str) -> Pack:
    documents = {row.path: row.content for row in connection.execute(_DOCUMENTS, {"name": hash_})}
    if not documents:
        raise NotFound("pack", hash_, "it was never published in this ledger")
    return Pack.from_documents(documents)


def _in_force(connection: Connection) -> dict[str, str]:
    text = settings.get(connection, settings.PACKS)
    return {} if text is None else dict(json.loads(text))
