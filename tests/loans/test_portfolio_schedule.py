"""Schedules: no cent is lost, and no short month moves the dates after it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.loans.schedule import add_months, due_dates, equal_installments, minor_unit, split_evenly

CURRENCIES = st.sampled_from(["USD", "CNY", "JPY", "KWD"])
DAYS = st.dates(date(1990, 1, 1), date(2150, 1, 1))


@given(units=st.integers(0, 10**15), count=st.integers(1, 600), currency=CURRENCIES)
def test_a_split_total_adds_up_and_only_the_last_part_differs(units: int, count: int, currency: str) -> None:
    unit = minor_unit(currency)
    parts = split_evenly(units * unit, count, currency)
    assert sum(parts) == units * unit
    assert len(parts) == count
    assert len(set(parts[:-1])) <= 1
    assert all(part % unit == 0 for part in parts)
    assert 0 <= parts[-1] - parts[0] < count * unit


def test_the_last_installment_takes_the_remainder() -> None:
    assert split_evenly(Decimal("1000.00"), 3, "CNY") == (Decimal("333.33"), Decimal("333.33"), Decimal("333.34"))
    assert split_evenly(Decimal(100), 3, "JPY") == (Decimal(33), Decimal(33), Decimal(34))


def test_half_a_cent_is_refused() -> None:
    with pytest.raises(ValueError, match="whole number"):
        split_evenly(Decimal("10.005"), 2, "USD")


@given(first=DAYS, count=st.integers(1, 60))
def test_monthly_dates_fall_one_in_each_month_on_the_first_ones_day_or_the_months_last(first: date, count: int) -> None:
    dates = list(due_dates(first, "month", count))
    assert dates[0] == first
    for index, day in enumerate(dates):
        assert day.year * 12 + day.month == first.year * 12 + first.month + index
        assert day.day == first.day or (day.day < first.day and (day + timedelta(days=1)).day == 1)


def test_the_31st_comes_back_after_february() -> None:
    assert list(due_dates(date(2027, 12, 31), "month", 4)) == [
        date(2027, 12, 31),
        date(2028, 1, 31),
        date(2028, 2, 29),
        date(2028, 3, 31),
    ]
    assert add_months(date(2027, 1, 31), -2) == date(2026, 11, 30)


@given(first=DAYS, every=st.integers(1, 90), count=st.integers(1, 30))
def test_dates_by_days_are_evenly_spaced(first: date, every: int, count: int) -> None:
    dates = list(due_dates(first, f"{every} days", count))
    assert dates == [first + timedelta(days=every * index) for index in range(count)]


@pytest.mark.parametrize("every", ["week", "0 days", "", "month ", "-3 days"])
def test_another_rhythm_is_refused(every: str) -> None:
    with pytest.raises(ValueError, match="month"):
        list(due_dates(date(2027, 1, 1), every, 2))


def test_installments_carry_their_share_of_principal_and_interest() -> None:
    rows = equal_installments(
        principal=Decimal("1000.00"),
        interest=Decimal("30.00"),
        currency="CNY",
        count=3,
        first_due=date(2027, 1, 31),
        every="month",
    )
    assert [(row.id, row.due_on, row.total) for row in rows] == [
        ("1", date(2027, 1, 31), Decimal("343.33")),
        ("2", date(2027, 2, 28), Decimal("343.33")),
        ("3", date(2027, 3, 31), Decimal("343.34")),
    ]
