"""Names of the weekdays, as packs write them; Monday is 0."""

from __future__ import annotations

WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
