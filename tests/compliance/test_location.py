"""Where a borrower may be: every piece of evidence adds candidates, and none at all gives none."""

from __future__ import annotations

import pytest

from duecourse.compliance.case import Place
from duecourse.compliance.local_time import zone_named
from duecourse.compliance.location import _tables, derive_zones

EAST, CENTRAL, PACIFIC = "America/New_York", "America/Chicago", "America/Los_Angeles"


@pytest.mark.parametrize(
    ("place", "phone", "expected"),
    [
        (Place("US", "NY"), None, {EAST}),
        (Place("US", "US-NY"), None, {EAST}),
        (Place("US", "ny"), None, {EAST}),
        (Place("US", "FL"), None, {EAST, CENTRAL}),  # the panhandle keeps Central time
        (Place("US", postal_code="10001-1234"), None, {EAST}),
        (Place("US", postal_code="94103"), None, {PACIFIC}),
        (Place("US", "NY", postal_code="94103"), None, {EAST, PACIFIC}),  # contradiction: both
        (Place("US", "NY"), "+14155550100", {EAST, PACIFIC}),
        (Place("US"), None, set()),  # a country with many clocks says nothing by itself
        (Place("US", postal_code="09012"), None, set()),  # military post
        (Place("CN"), None, {"Asia/Shanghai"}),
        (None, "+8613800138000", {"Asia/Shanghai"}),
        (Place("KR"), None, {"Asia/Seoul"}),
        (Place("DE"), None, {"Europe/Berlin"}),
        (None, "+18005550100", set()),  # toll-free numbers are nowhere
        (None, "hello", set()),
        (None, "+1", set()),
        (None, "4155550100", set()),  # not international: says nothing
        (None, None, set()),
    ],
)
def test_candidates(place: Place | None, phone: str | None, expected: set[str]) -> None:
    assert expected == set(derive_zones(place, phone))


def test_every_zone_in_the_tables_exists_and_every_postal_run_names_a_known_state() -> None:
    tables = _tables()
    for zones in (*tables.countries.values(), *tables.regions.values()):
        for zone in zones:
            assert zone_named(zone)
    for country, runs in tables.postal.items():
        assert [(a, b) for a, b, _ in runs] == sorted((a, b) for a, b, _ in runs)
        assert all(low <= high and (country, state) in tables.regions for low, high, state in runs)
