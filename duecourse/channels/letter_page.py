"""Sets a letter as PDF, the same bytes for the same letter: no clock, no fonts of this machine, no network.

The font is Noto Sans CJK (SIL Open Font License) from the package `noto-cjk-sans-otc`: one face for Chinese and Latin.
"""

from __future__ import annotations

import json
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Final

import typst

from duecourse.channels.adapter import Outgoing

_SOURCE: Final = Path(__file__).with_name("letter.typ")
_ONE_AT_A_TIME: Final = Lock()  # the compiler refuses a second thread while it works


class Form(StrEnum):
    """Paper, and where the envelope's window is."""

    DIN_5008_B = "din_5008_b"  # A4 in a DL window envelope: Europe, China
    US_10 = "us_10"  # US Letter in a No. 10 window envelope
    PRINTED_BY_SERVICE = "printed_by_service"  # US Letter; the print service sets the addresses


class LetterUnfit(ValueError):
    """A letter that cannot be set: its address does not fit the envelope's window."""


def set_letter(message: Outgoing, form: Form) -> bytes:
    """The letter as PDF, with the business time of its contact as the date of the file.

    `message.text` has its paragraphs parted by empty lines: the date, the heading, the letter. `address` and `sender`
    are the lines of the two blocks, the name first.

    Raises:
        LetterUnfit: the address does not fit the window, even in the smallest print.
    """
    date, heading, *paragraphs = [part.split("\n") for part in message.text.strip().split("\n\n") if part.strip()]
    letter = {
        "form": form.value,
        "language": message.language.partition("-")[0],
        "sender": _lines(message.sender),
        "recipient": _lines(message.address),
        "reference": message.contact_id,
        "date": " ".join(date),
        "heading": " ".join(heading),
        "paragraphs": paragraphs,
    }
    try:
        with _ONE_AT_A_TIME:
            set_ = _compiler().compile(
                format="pdf",
                sys_inputs={"letter": json.dumps(letter, ensure_ascii=False)},
                timestamp=int(message.at.timestamp()),
            )
    except typst.TypstError as error:
        # The compiler quotes the lines around a mistake, and these hold a name and an address.
        if "does not fit" in str(error):
            raise LetterUnfit("the address does not fit the envelope's window: shorten its lines") from None
        raise
    if not isinstance(set_, bytes):
        raise TypeError(f"a letter is one PDF, and the compiler gave {type(set_).__name__}")
    return set_


@cache
def _compiler() -> typst.Compiler:
    fonts = files("noto_cjk_sans_otc")
    return typst.Compiler(
        input=str(_SOURCE), root=str(_SOURCE.parent), font_paths=[str(fonts)], ignore_system_fonts=True
    )


def _lines(block: str) -> list[str]:
    return [line.strip() for line in block.split("\n") if line.strip()]
