"""What a letter has and no other message: whom it is addressed to, from whom it comes, and the day it was written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from babel import Locale
from babel.dates import format_date


def block(name: str, lines: Sequence[str]) -> str:
    """A name over the lines of its address, one under the other, as an envelope shows them."""
    return "\n".join([name, *lines])


def dated(text: str, day: date, language: str) -> str:
    """The letter's text under its date: a notice's days are counted from it. `day` is the lender's book date.

    Paragraphs are parted by empty lines: the date, the heading, then the letter.
    """
    return f"{format_date(day, 'long', locale=Locale.parse(language, sep='-'))}\n\n{text}"
