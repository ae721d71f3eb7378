"""How many SMS a text costs: the GSM 7-bit alphabet where it can be, UCS-2 where it must.

Sizes as in 3GPP TS 23.038 and 23.040: 160 septets or 70 UTF-16 units alone, 153 or 67 in each part of several.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = frozenset("\f^{}\\[~]|€")

# Typography that costs a text its 7 bits and says no more than the plain sign.
_PLAIN: Final = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "\u2026": "...",
        "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u200b": "", "\u200e": "", "\u200f": "",
    }
)  # fmt: skip


class Encoding(StrEnum):
    GSM_7 = "gsm-7"
    UCS_2 = "ucs-2"


@dataclass(frozen=True, slots=True)
class Segments:
    """The cost of one text: `units` are septets or UTF-16 code units."""

    encoding: Encoding
    units: int
    segments: int


def count_segments(text: str) -> Segments:
    """Count the parts in which an SMS travels.

    A sign of two units (the GSM extension, an emoji) is never split between two parts, so a text can need one part
    more than its length says.
    """
    if all(sign in _BASIC or sign in _EXTENSION for sign in text):
        sizes = [2 if sign in _EXTENSION else 1 for sign in text]
        return Segments(Encoding.GSM_7, sum(sizes), _parts(sizes, alone=160, each=153))
    sizes = [2 if ord(sign) > 0xFFFF else 1 for sign in text]
    return Segments(Encoding.UCS_2, sum(sizes), _parts(sizes, alone=70, each=67))


def plain_typography(text: str) -> str:
    """Curly quotes, dashes and special spaces as their plain signs, which the GSM alphabet has."""
    return text.translate(_PLAIN)


def _parts(sizes: list[int], *, alone: int, each: int) -> int:
    if sum(sizes) <= alone:
        return 1
    parts, used = 1, 0
    for size in sizes:
        if used + size > each:
            parts, used = parts + 1, 0
        used += size
    return parts
