"""Running text that wraps well in English and in Chinese.

Terminals' own wrapping breaks at spaces only, so a Chinese sentence, which has none, would move to the next line as
one word and be cut off there. Here it breaks between any two characters, but never before a closing mark, and never
inside a Latin word or a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

_PIECES = re.compile(r"[\x21-\x7e\u00a0-\u024f\u2013\u2026]+|\s+|.", re.DOTALL)
_NEVER_FIRST = "，。；：、！？）》」』”’,.;:!?)"
_NEVER_LAST = "（《「『“‘("


class Prose:
    """One paragraph, or several lines, of running text."""

    def __init__(self, text: str, style: str = "") -> None:
        self.text = text
        self.style = style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self.text.split("\n"):
            for part in wrapped(line, options.max_width):
                yield Text(part, style=self.style, no_wrap=True, overflow="ignore")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        widest = max((cell_len(line) for line in self.text.split("\n")), default=1)
        return Measurement(min(20, widest), widest).clamp(1, options.max_width)


def wrapped(text: str, width: int) -> Iterator[str]:
    """Lines of at most `width` cells, as far as its words allow; a word that is longer is broken."""
    line, size = "", 0
    for piece in _bound(_PIECES.findall(text)):
        cells = cell_len(piece.rstrip())
        if line and size + cells > width:
            yield line.rstrip()
            line, size = "", 0
            piece = piece.lstrip()
        while cell_len(piece) > width:
            cut = _fitting(piece, width)
            yield piece[:cut]
            piece = piece[cut:]
        line, size = line + piece, size + cell_len(piece)
    yield line.rstrip()


def _bound(pieces: list[str]) -> list[str]:
    """Pieces with the marks that may not begin or end a line tied to their neighbour."""
    bound: list[str] = []
    for piece in pieces:
        if bound and not bound[-1].isspace() and (piece[0] in _NEVER_FIRST or bound[-1][-1] in _NEVER_LAST):
            bound[-1] += piece
        else:
            bound.append(piece)
    return bound


def _fitting(text: str, width: int) -> int:
    """How many characters fit; at least one."""
    size = 0
    for position, character in enumerate(text):
        size += cell_len(character)
        if size > width:
            return max(1, position)
    return len(text)
