"""Who prints the letters, from the environment (variables: docs/channels.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from duecourse.channels.adapter import Adapter
from duecourse.channels.adapters import Route
from duecourse.channels.environment import address, in_order
from duecourse.channels.letter_page import Form
from duecourse.channels.lob import LobAccount, LobAdapter
from duecourse.channels.print_spool import PrintSpoolAdapter
from duecourse.errors import InvalidInput

LOB_URL = "https://api.lob.com"

_OURS = (Form.DIN_5008_B, Form.US_10)


@dataclass(frozen=True, slots=True)
class SpoolSettings:
    directory: Path
    form: Form

    def adapter(self, timeout: timedelta) -> Adapter:
        return PrintSpoolAdapter(self.directory, self.form, timeout)


@dataclass(frozen=True, slots=True)
class LobSettings:
    account: LobAccount

    def adapter(self, timeout: timedelta) -> Adapter:
        return LobAdapter(self.account, timeout)


LetterProvider = SpoolSettings | LobSettings


def letter_from(environment: Mapping[str, str]) -> tuple[LetterProvider, ...]:
    """The configured printers, the first choice first; none: a person prints from the worklist. Raises InvalidInput."""
    configured: dict[str, LetterProvider] = {}
    directory = environment.get("DUECOURSE_PRINT_SPOOL", "")
    if directory:
        configured["print_spool"] = SpoolSettings(Path(directory), _form(environment))
    key = environment.get("DUECOURSE_LOB_KEY", "")
    if key:
        if not key.startswith(("test_", "live_")):
            raise InvalidInput("DUECOURSE_LOB_KEY", "(hidden)", "a secret key that begins with test_ or live_")
        url = address("DUECOURSE_LOB_URL", environment.get("DUECOURSE_LOB_URL") or LOB_URL)
        configured["lob"] = LobSettings(LobAccount(url, key))
    return tuple(configured[name] for name in in_order(environment, "DUECOURSE_LETTER_PROVIDERS", list(configured)))


def letter_routes(providers: tuple[LetterProvider, ...], timeout: timedelta) -> list[Route]:
    """A letter bears its lender's own name and address; without one, nothing but the name of the channel."""
    return [Route(settings.adapter(timeout), "", "lender") for settings in providers]


def _form(environment: Mapping[str, str]) -> Form:
    text = environment.get("DUECOURSE_PRINT_FORM", "")
    known = {form.value: form for form in _OURS}
    if text not in known:
        raise InvalidInput("DUECOURSE_PRINT_FORM", text, f"the envelope of the print shop: {' or '.join(known)}")
    return known[text]
