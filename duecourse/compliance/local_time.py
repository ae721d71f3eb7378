"""Local dates and minutes as instants, in any zone, exact on the days on which clocks change.

A local time that the clocks skip means the first instant after the gap. One that comes twice is read as the caller's
side demands ("earlier" or "later"): lawful hours open at the later and close at the earlier reading, barred hours the
other way round, so that neither reading is ever broken. Midnight always means the first instant of its date.

Instants are whole epoch seconds (UTC); days are proleptic ordinals (`date.toordinal`); minutes count from midnight.
Zones come from the `tzdata` package, whatever the machine has.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import resources
from typing import Literal
from zoneinfo import ZoneInfo

from duecourse.errors import InvalidInput

DAY = 86_400
EPOCH_DAY = 719_163  # date(1970, 1, 1).toordinal()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CHUNK_BITS = 21  # about 24 days: no zone changes its clocks twice within that and comes back unseen
EARLIEST_OFFSET = 14 * 3600
LATEST_OFFSET = -12 * 3600

Side = Literal["earlier", "later"]


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """The IANA zone of that name, from the `tzdata` package; an unknown one is refused."""
    parts = name.split("/") if isinstance(name, str) else []
    try:
        if not all(part and part.strip(".") for part in parts):
            raise ValueError(name)
        # The package, never the machine's own files: two workers must agree about a day on which clocks change.
        with resources.files("tzdata.zoneinfo").joinpath(*parts).open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    except (ValueError, OSError, TypeError) as error:
        raise InvalidInput("zone", name, "an IANA time zone such as America/New_York") from error


def floor_second(instant: datetime) -> int:
    """The whole second at or before an aware instant."""
    delta = instant - EPOCH
    return delta.days * DAY + delta.seconds


def floor_seconds(instants: Iterable[datetime]) -> list[int]:
    """`floor_second` of many instants."""
    return [delta.days * DAY + delta.seconds for delta in [instant - EPOCH for instant in instants]]


def ceil_second(instant: datetime) -> int:
    """The whole second at or after an aware instant."""
    delta = instant - EPOCH
    return delta.days * DAY + delta.seconds + (1 if delta.microseconds else 0)


@lru_cache(maxsize=65_536)
def to_datetime(second: int) -> datetime:
    """A whole epoch second as an aware UTC datetime."""
    return EPOCH + timedelta(seconds=second)


def offset_at(zone: str, second: int) -> int:
    """Seconds that local clocks are ahead of UTC at that instant."""
    starts, offsets = _offsets(zone, second >> _CHUNK_BITS)
    return offsets[bisect_right(starts, second) - 1]


def local_day(zone: str, second: int) -> int:
    """The ordinal of the local date at that instant."""
    return (second + offset_at(zone, second)) // DAY + EPOCH_DAY


def local_days(zone: str, seconds: list[int]) -> list[int]:
    """`local_day` of many instants; those that lie near each other in time should stand near each other."""
    days: list[int] = []
    chunk: int | None = None
    starts: tuple[int, ...] = ()
    offsets: tuple[int, ...] = ()
    for second in seconds:
        if second >> _CHUNK_BITS != chunk:
            chunk = second >> _CHUNK_BITS
            starts, offsets = _offsets(zone, chunk)
        offset = offsets[0] if len(offsets) == 1 or second < starts[1] else offsets[1]
        days.append((second + offset) // DAY + EPOCH_DAY)
    return days


@lru_cache(maxsize=131_072)
def instant_of(zone: str, day: int, minute: int, side: Side = "earlier") -> int:
    """The instant at which clocks in `zone` show `minute` of `day`; 1440 is the next day's midnight."""
    return instant_of_second(zone, day, minute * 60, side)


def instant_of_second(zone: str, day: int, second_of_day: int, side: Side = "earlier") -> int:
    """Like `instant_of`, for a time of day to the second."""
    if second_of_day >= DAY:
        day, second_of_day = day + second_of_day // DAY, second_of_day % DAY
    wall = datetime.fromordinal(day) + timedelta(seconds=second_of_day)
    tz = zone_named(zone)
    naive = (day - EPOCH_DAY) * DAY + second_of_day
    first = naive - _seconds(wall.replace(tzinfo=tz, fold=0).utcoffset())
    second = naive - _seconds(wall.replace(tzinfo=tz, fold=1).utcoffset())
    if first == second:
        return first
    if first < second:  # the local time comes twice; a date begins when it is first seen
        return first if side == "earlier" or second_of_day == 0 else second
    return _transition(zone, second, first)


def day_start(zone: str, day: int) -> int:
    """The first instant of a local date."""
    return instant_of(zone, day, 0)


def earliest_start(zones: tuple[str, ...], day: int) -> int:
    """The first instant of that date in any of the zones; without zones, anywhere on Earth."""
    if not zones:
        return (day - EPOCH_DAY) * DAY - EARLIEST_OFFSET
    return min(instant_of(zone, day, 0) for zone in zones)


def latest_start(zones: tuple[str, ...], day: int) -> int:
    """The first instant at which that date has begun in all of the zones; without zones, everywhere on Earth."""
    if not zones:
        return (day - EPOCH_DAY) * DAY - LATEST_OFFSET
    return max(instant_of(zone, day, 0) for zone in zones)


def clock(zone: str, second: int) -> str:
    """The time on the wall, HH:MM, or HH:MM:SS where the second is not a full minute."""
    of_day = (second + offset_at(zone, second)) % DAY
    text = f"{of_day // 3600:02d}:{of_day % 3600 // 60:02d}"
    return text if of_day % 60 == 0 else f"{text}:{of_day % 60:02d}"


def parse_minutes(text: str, field: str = "time") -> int:
    """ "HH:MM" as minutes since midnight, "24:00" being the end of the day; anything else is refused."""
    hours, colon, minutes = text.partition(":") if isinstance(text, str) else ("", "", "")
    if colon and hours.isdigit() and minutes.isdigit() and len(hours) <= 2 and len(minutes) == 2:
        value = int(hours) * 60 + int(minutes)
        if int(minutes) < 60 and value <= 1440:
            return value
    raise InvalidInput(field, text, 'a local time "HH:MM" between 00:00 and 24:00, in quotes')


def show_minutes(minute: int) -> str:
    """Minutes since midnight as HH:MM."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _seconds(offset: timedelta | None) -> int:
    assert offset is not None  # ZoneInfo answers for every aware datetime
    return offset.days * DAY + offset.seconds


def _offset_by_clock(zone: str, second: int) -> int:
    return _seconds(to_datetime(second).astimezone(zone_named(zone)).utcoffset())


def _transition(zone: str, before: int, after: int) -> int:
    """The instant in (before, after] at which the clocks of `zone` change."""
    old = _offset_by_clock(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset_by_clock(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


@lru_cache(maxsize=65_536)
def _offsets(zone: str, chunk: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    start, stop = chunk << _CHUNK_BITS, (chunk + 1) << _CHUNK_BITS
    first, last = _offset_by_clock(zone, start), _offset_by_clock(zone, stop)
    if first == last:
        return (start,), (first,)
    return (start, _transition(zone, start, stop)), (first, last)
