"""Where money goes: oldest first; fees, interest, principal; nothing is made and nothing is lost."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from duecourse.loans.terms import Installment
from duecourse.loans.waterfall import allocate, oldest_unpaid, unpaid, unpaid_due_before
from tests.loans.examples import APRIL, MARCH, MAY, schedule

MONEY = st.decimals(min_value=0, max_value=10_000, places=2)


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Installment, ...]:
    parts = draw(st.lists(st.tuples(MONEY, MONEY, MONEY).filter(lambda part: sum(part) > 0), min_size=1, max_size=8))
    gaps = draw(st.lists(st.integers(0, 40), min_size=len(parts), max_size=len(parts)))
    day = MARCH
    made = []
    for number, ((principal, interest, fees), gap) in enumerate(zip(parts, gaps, strict=True)):
        day += timedelta(days=gap)
        made.append(Installment(id=f"i{number}", due_on=day, principal=principal, interest=interest, fees=fees))
    return tuple(made)


@given(schedules(), MONEY)
def test_allocation_conserves_money_to_the_last_cent(installments: tuple[Installment, ...], money: Decimal) -> None:
    result = allocate(installments, money)

    assert money == sum((paid.total for paid in result.paid), Decimal(0)) + result.credit
    for one, paid in zip(installments, result.paid, strict=True):
        assert Decimal(0) <= paid.fees <= one.fees
        assert Decimal(0) <= paid.interest <= one.interest
        assert Decimal(0) <= paid.principal <= one.principal


@given(schedules(), MONEY)
def test_no_installment_gets_money_before_the_older_ones_are_paid(
    installments: tuple[Installment, ...], money: Decimal
) -> None:
    result = allocate(installments, money)

    covered = [paid.total == one.total for one, paid in zip(installments, result.paid, strict=True)]
    touched = [paid.total > 0 for paid in result.paid]
    assert covered == sorted(covered, reverse=True)
    for position in range(1, len(installments)):
        assert covered[position - 1] or not touched[position]


@given(schedules(), MONEY)
def test_what_is_unpaid_agrees_with_the_allocation(installments: tuple[Installment, ...], money: Decimal) -> None:
    result = allocate(installments, money)
    open_ids = [one.id for one, paid in zip(installments, result.paid, strict=True) if paid.total < one.total]

    assert open_ids == [one.id for one in unpaid(installments, money)]
    first = oldest_unpaid(installments, money)
    assert (open_ids[0] if open_ids else None) == (first.id if first else None)


def test_inside_an_installment_fees_come_before_interest_before_principal() -> None:
    one = Installment(id="1", due_on=MARCH, principal=Decimal("80.00"), interest=Decimal("15.00"), fees=Decimal("5.00"))

    (paid,) = allocate([one], Decimal("12.34")).paid

    assert (Decimal("5.00"), Decimal("7.34"), Decimal("0.00")) == (paid.fees, paid.interest, paid.principal)


def test_an_overpayment_stays_as_credit() -> None:
    assert Decimal("0.01") == allocate(schedule(MARCH, APRIL), Decimal("200.01")).credit


def test_two_installments_of_one_day_are_paid_one_after_the_other() -> None:
    """By date alone the paid one would count as unpaid, and its borrower would be reminded of it."""
    installments = schedule(MARCH, MARCH, MAY)

    assert ["2", "3"] == [one.id for one in unpaid(installments, Decimal("100.00"))]


def test_what_is_overdue_are_the_installments_due_before_the_day_less_the_money() -> None:
    installments = schedule(MARCH, APRIL, MAY)

    assert Decimal("0") == unpaid_due_before(installments, Decimal(0), MARCH)
    assert Decimal("70.00") == unpaid_due_before(installments, Decimal("30.00"), date(2026, 3, 2))
    assert Decimal("170.00") == unpaid_due_before(installments, Decimal("30.00"), date(2026, 4, 2))
    assert Decimal("0") == unpaid_due_before(installments, Decimal("300.00"), date(2027, 1, 1))
