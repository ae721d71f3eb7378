"""What a pack's author should look at: years not published, sources not verified, rules that have lapsed."""

from __future__ import annotations

from datetime import date

import pytest

from duecourse.compliance.flags import flags
from tests.compliance.pieces import pack, rule

HOURS = 'quiet_hours: {windows: {daily: [["08:00", "21:00"]]}, end: exclusive, holidays: {calendar: CN}}'


@pytest.mark.parametrize(
    "body",
    [
        HOURS,
        "consent: {basis: opt_out, honour_by: {business_days: 10, business: {calendar: CN}}}",
        "notice: {trigger: past_due, forms: [letter], calendar: CN}",
        "notice: {trigger: past_due, forms: [letter], latest: {business_days: 3, business: {calendar: CN}}}",
        "notice: {trigger: act, forms: [letter], "
        "before: {acts: [sue], wait: {business_days: 3, business: {calendar: CN}}}}",
    ],
)
def test_a_holiday_year_that_is_not_published_is_flagged_with_its_rule(body: str) -> None:
    found = flags(pack(rule(body)), date(2026, 11, 1))
    assert [("unpublished_year", "T-01", "t/rules.yaml", 2)] == [(f.kind, f.rule, f.file, f.line) for f in found]
    assert "2027" in found[0].found
    assert () == flags(pack(rule(body)), date(2025, 11, 1))


def test_unverified_and_lapsed_rules_are_flagged() -> None:
    unverified = rule("named_times: {}").replace("grade: A", "grade: M")
    assert ["unverified"] == [f.kind for f in flags(pack(unverified), date(2026, 3, 1))]
    lapsed = rule("named_times: {}").replace("in_force: 2020-01-01", "in_force: 2020-01-01\n        ended: 2021-01-01")
    assert ["lapsed"] == [f.kind for f in flags(pack(lapsed), date(2026, 3, 1))]
    assert () == flags(pack(lapsed), date(2020, 3, 1))
