"""Whether decisions are followed by calls: off (all in the shadow), an allow-list, or on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from duecourse.errors import InvalidInput

Mode = Literal["off", "allowlist", "on"]


@dataclass(frozen=True, slots=True)
class Sending:
    """The mode a worker runs in. `allowed`: the addresses that may get something in mode "allowlist"."""

    mode: Mode = "off"
    allowed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, mode: str, allowed: str = "") -> Sending:
        """From text: the mode, and addresses separated by commas."""
        match mode:
            case "off" | "allowlist" | "on":
                return cls(mode, frozenset(one.strip() for one in allowed.split(",") if one.strip()))
            case _:
                raise InvalidInput("DUECOURSE_SEND", mode, "off, allowlist or on")

    def reaches(self, address: str) -> bool:
        return self.mode == "on" or (self.mode == "allowlist" and address in self.allowed)
