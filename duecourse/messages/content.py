"""Whether a message really says what a rule demands, checked on the text itself before every send.

What each key means stands in content.yaml. A key that is not there counts as missing: what cannot be checked is not
taken for said.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from duecourse.messages.render import Rendered

_CONTENT: Final = Path(__file__).with_name("content.yaml")
_TAG: Final = re.compile(r"<[^>]*>")
_HEAD: Final = re.compile(r"<head\b.*?</head>", re.DOTALL | re.IGNORECASE)


class Demand(BaseModel):
    """What one key demands: of each group of phrases one, and every named value of the context."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    meaning: str
    phrases: dict[str, tuple[tuple[str, ...], ...]] = Field(default_factory=dict)
    values: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def demands() -> dict[str, Demand]:
    """All keys that a rule's `required_content` may name."""
    return TypeAdapter(dict[str, Demand]).validate_python(yaml.safe_load(_CONTENT.read_text("utf-8")))


def missing_content(rendered: Rendered, required: tuple[str, ...]) -> tuple[str, ...]:
    """The required keys that the message does not satisfy, in the order given; empty: all is said.

    A mail is read in one of its two parts, so each part must say it.
    """
    parts = [_plain(f"{rendered.subject or ''} {rendered.text}")]
    if rendered.html is not None:
        parts.append(_plain(_visible(rendered.html)))
    variables = dict(rendered.variables)
    return tuple(key for key in required if not all(_says(part, key, rendered.language, variables) for part in parts))


def _says(part: str, key: str, language: str, variables: dict[str, str]) -> bool:
    demand = demands().get(key)
    if demand is None:
        return False
    groups: tuple[tuple[str, ...], ...] = ()
    if demand.phrases:
        # A demand has no phrases in this language: nothing could show that it is met.
        spoken = demand.phrases.get(language) or demand.phrases.get(language.partition("-")[0])
        if spoken is None:
            return False
        groups = spoken
    values = [variables.get(name, "") for name in demand.values]
    if not groups and not values:
        return False
    return all(any(_plain(phrase) in part for phrase in group) for group in groups) and all(
        value != "" and _plain(value) in part for value in values
    )


def _visible(markup: str) -> str:
    return html.unescape(_TAG.sub(" ", _HEAD.sub(" ", markup)))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
