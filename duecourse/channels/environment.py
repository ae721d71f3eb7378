"""Reading variables: all of a group or none, and a refusal that names the variable and never a secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from duecourse.errors import InvalidInput


def given(environment: Mapping[str, str], names: Sequence[str]) -> list[str] | None:
    """All of them or none: half a configuration would fail at the first message only. Raises InvalidInput for half."""
    values = [environment.get(name, "") for name in names]
    if not any(values):
        return None
    for name, value in zip(names, values, strict=True):
        if not value:
            others = ", ".join(other for other in names if other != name)
            raise InvalidInput(name, value, f"a value, because of {others} at least one is set")
    return values


def address(name: str, value: str) -> str:
    """An http or https address with a host. Raises InvalidInput."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidInput(name, value, "http:// or https:// and a host")
    return value


def seconds(environment: Mapping[str, str], name: str, default: float) -> timedelta:
    """More than 0 and at most 600. Raises InvalidInput."""
    text = environment.get(name, "")
    if not text:
        return timedelta(seconds=default)
    number = _number(name, text, "a number of seconds")
    if not 0 < number <= 600:
        raise InvalidInput(name, text, "more than 0 and at most 600 seconds")
    return timedelta(seconds=number)


def in_order(environment: Mapping[str, str], name: str, configured: Sequence[str]) -> tuple[str, ...]:
    """The configured providers of a channel, the first choice first. Raises InvalidInput.

    With more than one the order is nobody's to guess.
    """
    text = environment.get(name, "")
    named = tuple(part.strip() for part in text.split(",") if part.strip())
    if not named and len(configured) <= 1:
        return tuple(configured)
    if sorted(named) != sorted(configured):
        raise InvalidInput(
            name, text, f"each configured provider once, the first choice first: {', '.join(configured)}"
        )
    return named


def _number(name: str, text: str, expected: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InvalidInput(name, text, expected) from error
