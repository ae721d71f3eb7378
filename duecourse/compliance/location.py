"""The zones in which a borrower may be, by address and by telephone number.

Every piece of evidence adds candidates, none removes any: a New Yorker with a Californian number may be in either
place. No evidence gives an empty tuple, and what needs local time then fails closed. Tables: `location.yaml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

import phonenumbers
import yaml
from phonenumbers import PhoneNumberType, timezone

from duecourse.compliance.case import Place

_PLACELESS = frozenset(
    {
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.VOIP,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.PAGER,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
    }
)


@dataclass(frozen=True, slots=True)
class _Tables:
    countries: dict[str, tuple[str, ...]]
    regions: dict[tuple[str, str], tuple[str, ...]]
    postal: dict[str, tuple[tuple[str, str, str], ...]]


def derive_zones(place: Place | None, phone: str | None) -> tuple[str, ...]:
    """Every zone that an address and a number point to, sorted; empty if neither says anything.

    `phone` is an international number ("+14155550100"); any other text says nothing.
    """
    return tuple(sorted({*zones_of_place(place), *zones_of_phone(phone)}))


@lru_cache(maxsize=65_536)
def zones_of_place(place: Place | None) -> tuple[str, ...]:
    """The zones of a state, else of a postal code's state, else of a country that has one clock."""
    if place is None:
        return ()
    tables = _tables()
    region = (place.region or "").removeprefix(f"{place.country}-").upper()
    by_region = tables.regions.get((place.country, region), ())
    by_postal: tuple[str, ...] = ()
    prefix = (place.postal_code or "")[:3]
    for first, last, state in tables.postal.get(place.country, ()):
        if len(prefix) == 3 and first <= prefix <= last:
            by_postal = tables.regions[(place.country, state)]
    if by_region or by_postal:
        return tuple(sorted({*by_region, *by_postal}))
    return tables.countries.get(place.country, ())


@lru_cache(maxsize=65_536)
def zones_of_phone(phone: str | None) -> tuple[str, ...]:
    """The zones of a number's area; numbers without a place (toll-free, internet) say nothing."""
    if not phone or not phone.startswith("+"):
        return ()
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return ()
    official = _tables().countries.get(phonenumbers.region_code_for_number(number) or "", ())
    if len(official) == 1:
        return official
    if phonenumbers.number_type(number) in _PLACELESS:
        return ()
    return tuple(zone for zone in timezone.time_zones_for_number(number) if zone != timezone.UNKNOWN_TIMEZONE)


@cache
def _tables() -> _Tables:
    raw = yaml.safe_load(resources.files(__package__).joinpath("location.yaml").read_text(encoding="utf-8"))
    places: dict[str, list[str]] = {}
    for line in resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            places.setdefault(country, []).append(zone)
    countries = {country: tuple(zones) for country, zones in places.items() if len(zones) == 1}
    countries.update({country: tuple(zones) for country, zones in raw["countries"].items()})
    return _Tables(
        countries=countries,
        regions={
            (country, region): tuple(zones)
            for country, regions in raw["regions"].items()
            for region, zones in regions.items()
        },
        postal={country: tuple((a, b, state) for a, b, state in runs) for country, runs in raw["postal"].items()},
    )
