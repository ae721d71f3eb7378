"""Packs in files of one's own: a folder, or a header, with the files of rules that it names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from duecourse.cli.files import read_text
from duecourse.compliance.pack_files import HeaderFile, read
from duecourse.compliance.packs import Pack, is_header
from duecourse.errors import InvalidInput, Unavailable


@dataclass(frozen=True, slots=True)
class Found:
    """What lies in a folder: sound packs, and why others are refused, each with the folder or file that it is about."""

    packs: tuple[Pack, ...]
    refused: tuple[tuple[str, InvalidInput], ...]


def packs_in(place: Path) -> Found:
    """Read every pack in a folder, or the one of a header. Raises Unavailable where there is nothing to read."""
    if not place.exists():
        raise Unavailable(f"{place} is not there: name a pack's folder or its header file")
    place = place.absolute()
    files = sorted(place.rglob("*.yaml")) if place.is_dir() else [place]
    texts = {file: read_text(file) for file in files}
    headers = [file for file in files if is_header(file.name, texts[file])]
    if not headers:
        expected = "a header, a file named <id>.yaml with `id`, `title` and `rules`; or the folder that holds it"
        return Found((), ((str(place), InvalidInput("header", str(place), expected)),))
    packs: list[Pack] = []
    refused: list[tuple[str, InvalidInput]] = []
    named = set(headers)
    for header in headers:
        try:
            root, documents = _documents(header, place)
            named |= {root / name for name in documents}
            packs.append(Pack.from_documents(documents))
        except InvalidInput as error:
            refused.append((str(header), error))
    if not refused:  # else a file may be named by the header that could not be read
        expected = "a file that a header names under rules, or none at all"
        refused += [(str(one), InvalidInput("file", one.name, expected)) for one in files if one not in named]
    return Found(tuple(packs), tuple(refused))


def _documents(header: Path, place: Path) -> tuple[Path, dict[str, str]]:
    text = read_text(header)
    read_header, _, _ = read(HeaderFile, header.name, text)
    root = _root(header, read_header.id, place)
    documents = {header.relative_to(root).as_posix(): text}
    for name in read_header.rules:
        if (root / name).is_file():
            documents[name] = read_text(root / name)
    return root, documents


def _root(header: Path, pack: str, place: Path) -> Path:
    """Where the paths in a pack begin: its header is <root>/<id>.yaml, also when only a part of it was named."""
    if header.as_posix().endswith(f"/{pack}.yaml"):
        return header.parents[pack.count("/")]
    return place if place.is_dir() else header.parent
