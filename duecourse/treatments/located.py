"""YAML that people edit: read so that a refusal can name the line, and a value means what it looks like.

Plain YAML 1.1 reads `10:00` as 600, `NO` as false and `2026-01-01` as a date object. Here only whole numbers,
true, false and null are more than text. Keys written twice, aliases and anchors are refused: each hides a
value from the person who reads the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from duecourse.errors import InvalidInput

FieldPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Located:
    """The data of a document and the line of each of its fields."""

    data: Any
    lines: dict[FieldPath, int]

    def line(self, path: FieldPath) -> int:
        """The line of a field, else of the nearest thing that contains it; counted from 1."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


_OPENINGS = ("Value error, ", "expected ", "Input should be ")


def remedy(kind: str, message: str) -> str:
    """What a refusal by pydantic, by its type and message, expects instead."""
    match kind:
        case "missing":
            return "a value; it is required"
        case "extra_forbidden":
            return "no such field; check its spelling or remove it"
        case "timezone_aware":
            return "an instant with its offset, such as 2026-03-06T13:30:00Z"
        case "string_pattern_mismatch":
            return f"text of the form {message.partition('pattern ')[2]}"
        case _:
            # It stands behind "expected".
            for opening in _OPENINGS:
                message = message.removeprefix(opening)
            return message


class _PlainLoader(yaml.SafeLoader):
    """A safe loader in which text stays text."""


_PlainLoader.yaml_implicit_resolvers = {}
_PlainLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_PlainLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_PlainLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))


def read_yaml(text: str) -> Located:
    """Parse one document.

    Raises:
        InvalidInput: it is not YAML, repeats a key, or uses an anchor; with the line.
    """
    try:
        for event in yaml.parse(text, Loader=_PlainLoader):
            anchor = getattr(event, "anchor", None)
            if anchor is not None:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise InvalidInput("document", anchor, "the value written out, without anchors and aliases", line=line)
        loader = _PlainLoader(text)
        try:
            node = loader.get_single_node()
            lines: dict[FieldPath, int] = {}
            if node is None:
                return Located(None, lines)
            _walk(node, (), lines)
            return Located(loader.construct_document(node), lines)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise InvalidInput("document", "…", f"YAML; {error.problem}", line=line) from error
    except yaml.YAMLError as error:
        raise InvalidInput("document", "…", f"YAML text; {error}", line=1) from error


def _walk(node: yaml.Node, path: FieldPath, lines: dict[FieldPath, int]) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    match node:
        case yaml.MappingNode():
            seen: set[str] = set()
            for key, value in node.value:
                line = key.start_mark.line + 1
                if not isinstance(key, yaml.ScalarNode):
                    raise InvalidInput(".".join(map(str, path)) or "document", "…", "a plain word as key", line=line)
                if key.value in seen:
                    field = ".".join(map(str, (*path, key.value)))
                    raise InvalidInput(field, key.value, "each key once; remove one of the two", line=line)
                seen.add(key.value)
                lines[(*path, key.value)] = line
                _walk(value, (*path, key.value), lines)
        case yaml.SequenceNode():
            for index, item in enumerate(node.value):
                _walk(item, (*path, index), lines)
        case _:
            pass  # a scalar has no parts
