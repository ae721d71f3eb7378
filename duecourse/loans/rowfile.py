"""Rows out of CSV, JSON, JSONL or YAML text, each with the line on which it begins."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePath
from typing import Any, Literal

from duecourse.errors import InvalidInput
from duecourse.treatments.located import read_yaml

Format = Literal["csv", "json", "jsonl", "yaml"]

_LIKE_A_COLUMN = re.compile(r"^[a-z_]{1,24}$")


@dataclass(frozen=True, slots=True)
class Raw:
    """One row before validation. A cell left empty in CSV is absent."""

    line: int
    fields: dict[str, Any]


def format_of(name: str) -> Format:
    """The format that a file's name tells. Raises InvalidInput for another ending."""
    match PurePath(name).suffix.lower():
        case ".csv":
            return "csv"
        case ".json":
            return "json"
        case ".jsonl" | ".ndjson":
            return "jsonl"
        case ".yaml" | ".yml":
            return "yaml"
        case _:
            raise InvalidInput("file", PurePath(name).name, "a file that ends in .csv, .json, .jsonl or .yaml")


def rows_of(
    text: str, format: Format, collection: str, columns: Collection[str], keep_empty: Collection[str] = ()
) -> Iterator[Raw | InvalidInput]:
    """Every row of the text, or the refusal of one that cannot be read.

    `collection` is the key that may hold the list in YAML; `columns` are those that a CSV header may name;
    `keep_empty` are columns whose empty cell says something.

    Raises:
        InvalidInput: nothing after this point of the file can be read.
    """
    text = text.removeprefix("\ufeff")  # spreadsheets write a byte order mark
    match format:
        case "csv":
            yield from _csv_rows(text, columns, keep_empty)
        case "jsonl":
            yield from _json_lines(text)
        case "json":
            yield from _json_list(text)
        case "yaml":
            yield from _yaml_list(text, collection)


def _csv_rows(text: str, columns: Collection[str], keep_empty: Collection[str]) -> Iterator[Raw | InvalidInput]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            break
        except csv.Error as error:
            raise InvalidInput("row", "…", f"a CSV row with closed quotes; {error}", line=line) from error
        if not any(cells):
            continue
        if not header:
            header = cells
            problems = list(_header_problems(header, columns, line))
            yield from problems
            if problems:
                return
        elif len(cells) != len(header):
            yield InvalidInput("row", f"{len(cells)} cells", f"{len(header)} cells, as in the header", line=line)
        else:
            yield Raw(line, {n: cell for n, cell in zip(header, cells, strict=True) if cell or n in keep_empty})
    if not header:
        raise InvalidInput("header", "", f"a first line with the columns {', '.join(columns)}", line=1)


def _header_problems(header: list[str], columns: Collection[str], line: int) -> Iterator[InvalidInput]:
    for name in dict.fromkeys(header):
        if name not in columns:
            # A file without a header has a person's row here.
            shown = name if _LIKE_A_COLUMN.match(name) else "…"
            yield InvalidInput("header", shown, f"one of the columns {', '.join(columns)}", line=line)
        elif header.count(name) > 1:
            yield InvalidInput("header", name, "each column once", line=line)


def _json_lines(text: str) -> Iterator[Raw | InvalidInput]:
    # Not splitlines(): it also breaks at U+2028 and the like, which may stand inside a JSON string.
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        try:
            yield _row(_loads(content), line)
        except InvalidInput as error:
            yield InvalidInput("row", "…", f"one JSON object a line; {error.expected}", line=line)


def _json_list(text: str) -> Iterator[Raw | InvalidInput]:
    try:
        items = _loads(text)
    except InvalidInput as error:
        raise InvalidInput("document", "…", f"JSON; {error.expected}", line=error.line) from error
    if not isinstance(items, list):
        raise InvalidInput("document", "…", "a JSON list of objects", line=1)
    # The document is sound: each member is found again from where the one before it ends.
    decoder = json.JSONDecoder()
    at, line, counted = text.index("[") + 1, 1, 0
    for item in items:
        while text[at] in " \t\r\n,":
            at += 1
        line, counted = line + text.count("\n", counted, at), at
        yield _row(item, line)
        _, at = decoder.raw_decode(text, at)


def _yaml_list(text: str, collection: str) -> Iterator[Raw | InvalidInput]:
    document = read_yaml(text)
    wrapped = isinstance(document.data, dict)
    items = document.data.get(collection) if wrapped else document.data
    if not isinstance(items, list):
        raise InvalidInput("document", "…", f"a list of {collection}, or a list under the key {collection!r}", line=1)
    for index, item in enumerate(items):
        yield _row(item, document.line((collection, index) if wrapped else (index,)))


def _loads(text: str) -> Any:
    """Raises InvalidInput that says what is wrong, and nothing of the text: it may be a person's."""
    try:
        return json.loads(text, parse_float=Decimal)
    except json.JSONDecodeError as error:
        raise InvalidInput("document", "…", error.msg, line=error.lineno) from error
    except RecursionError as error:
        raise InvalidInput("document", "…", "fewer brackets inside each other") from error
    except ValueError as error:  # the interpreter's limit on digits
        raise InvalidInput("document", "…", "numbers of fewer digits") from error


def _row(item: object, line: int) -> Raw | InvalidInput:
    if not isinstance(item, dict):
        return InvalidInput("row", type(item).__name__, "an object with named fields", line=line)
    return Raw(line, item)
