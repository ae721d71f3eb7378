"""Schedules: due dates by the month or by days, and amounts split so that no cent is lost.

Decimal places follow ISO 4217.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal

from duecourse.loans.terms import Installment

_DECIMALS = {
    0: ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
    3: ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"),
}
_EVERY_DAYS = re.compile(r"^([1-9][0-9]{0,2}) days?$")

EVERY_EXPECTED = "'month' or a number of days such as '14 days'"


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01 for USD, 1 for JPY, 0.001 for KWD."""
    places = next((places for places, currencies in _DECIMALS.items() if currency in currencies), 2)
    return Decimal(1).scaleb(-places)


def split_evenly(total: Decimal, count: int, currency: str) -> tuple[Decimal, ...]:
    """`count` equal parts in whole minor units; the last takes the remainder. Their sum is `total`."""
    if count < 1:
        raise ValueError("a total is split into at least one part")
    unit = minor_unit(currency)
    if total % unit:
        raise ValueError(f"{total} is not a whole number of {unit} {currency}")
    part = (total / count).quantize(unit, rounding=ROUND_DOWN)
    return (*(part for _ in range(count - 1)), total - part * (count - 1))


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def due_dates(first: date, every: str, count: int) -> Iterator[date]:
    """`count` due dates from `first` on, each counted from `first`, so that a short month shifts no later one.

    Raises:
        ValueError: `every` is neither 'month' nor a number of days.
    """
    days = _EVERY_DAYS.match(every)
    if every != "month" and days is None:
        raise ValueError(f"expected {EVERY_EXPECTED}")
    for index in range(count):
        yield first + timedelta(days=index * int(days.group(1))) if days else add_months(first, index)


def equal_installments(
    *, principal: Decimal, interest: Decimal, currency: str, count: int, first_due: date, every: str
) -> tuple[Installment, ...]:
    """A schedule of `count` installments with ids "1", "2", ...; principal and interest are totals of the loan."""
    rows = zip(
        due_dates(first_due, every, count),
        split_evenly(principal, count, currency),
        split_evenly(interest, count, currency),
        strict=True,
    )
    return tuple(
        Installment(id=str(number), due_on=due, principal=part, interest=cost)
        for number, (due, part, cost) in enumerate(rows, start=1)
    )
