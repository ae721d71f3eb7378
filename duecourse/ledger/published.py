"""Published packs: rows by content hash, and one setting that says which are in force.

A worker reads the setting inside each reservation and loads what it does not know yet, so that all workers
follow a change of law at their next send. A pack that comes with Duecourse is published once, when the
ledger has none of that id; a newer release never replaces what a lender has in force.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from sqlalchemy import Connection, bindparam, insert, select

from duecourse.compliance.packs import Pack, PackSet, load_packs
from duecourse.errors import InvalidInput, NotFound
from duecourse.ledger import settings
from duecourse.ledger.tables import packs

_DOCUMENTS = select(packs.c.path, packs.c.content).where(packs.c.hash == bindparam("name"))
_sets: dict[str, PackSet] = {}


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
    return made


def _put(connection: Connection, pack: Pack) -> None:
    if not connection.execute(_DOCUMENTS, {"name": pack.hash}).first():
        connection.execute(
            insert(packs),
            [{"hash": pack.hash, "path": path, "content": content} for path, content in pack.documents().items()],
        )
    active = json.dumps({**_in_force(connection), pack.id: pack.hash}, sort_keys=True)
    settings.put(connection, settings.PACKS, active)


def in_force(connection: Connection, active: str | None = None) -> PackSet:
    """The packs in force. `active` is the setting's value where the caller has read it already."""
    text = active if active is not None else settings.get(connection, settings.PACKS)
    if text is None:
        return PackSet(())
    known = _sets.get(text)
    if known is None:
        known = PackSet([_load(connection, hash_) for hash_ in json.loads(text).values()])
        _sets[text] = known
    return known


def as_of(connection: Connection, hashes: Mapping[str, str]) -> PackSet:
    """The packs with these hashes, id -> hash, as an old verdict names them."""
    return PackSet([_load(connection, hash_) for hash_ in hashes.values()])


def by_hash(connection: Connection, start: str) -> Pack:
    """The published pack whose hash begins so. Raises NotFound, and InvalidInput where several do."""
    found = connection.scalars(select(packs.c.hash).where(packs.c.hash.startswith(start)).distinct()).all()
    if len(found) > 1:
        raise InvalidInput("hash", start, f"more of it: {len(found)} published packs begin so")
    return _load(connection, found[0] if found else start)


def _load(connection: Connection, hash_: str) -> Pack:
    documents = {row.path: row.content for row in connection.execute(_DOCUMENTS, {"name": hash_})}
    if not documents:
        raise NotFound("pack", hash_, "it was never published in this ledger")
    return Pack.from_documents(documents)


def _in_force(connection: Connection) -> dict[str, str]:
    text = settings.get(connection, settings.PACKS)
    return {} if text is None else dict(json.loads(text))
