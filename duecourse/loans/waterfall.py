"""Where money goes: oldest installment first, and inside it fees, then interest, then principal.

All amounts are Decimal in the loan's currency. What exceeds the schedule stays as credit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from duecourse.loans.terms import ZERO, Installment


@dataclass(frozen=True, slots=True)
class Paid:
    """What of one installment is paid, by component."""

    installment: str
    fees: Decimal
    interest: Decimal
    principal: Decimal

    @property
    def total(self) -> Decimal:
        return self.fees + self.interest + self.principal


@dataclass(frozen=True, slots=True)
class Allocation:
    paid: tuple[Paid, ...]
    credit: Decimal


def allocate(installments: Sequence[Installment], money: Decimal) -> Allocation:
    """Distribute `money` over the schedule; the parts and the credit add up to `money` exactly."""
    left = money
    paid = []
    for one in installments:
        fees = min(left, one.fees)
        interest = min(left - fees, one.interest)
        principal = min(left - fees - interest, one.principal)
        left -= fees + interest + principal
        paid.append(Paid(one.id, fees, interest, principal))
    return Allocation(tuple(paid), left)


def oldest_unpaid(installments: Sequence[Installment], money: Decimal) -> Installment | None:
    """The first installment that `money` does not cover in full; None when all are covered."""
    return next(iter(unpaid(installments, money)), None)


def unpaid(installments: Sequence[Installment], money: Decimal) -> Sequence[Installment]:
    """The installments that `money` does not cover in full, oldest first; the first may be partly paid.

    By position, not by date: two installments may fall due on one day, and one of them be paid.
    """
    needed = ZERO
    for position, one in enumerate(installments):
        needed += one.total
        if money < needed:
            return installments[position:]
    return ()


def unpaid_due_before(installments: Sequence[Installment], money: Decimal, day: date) -> Decimal:
    """What is still owed of the installments that fell due before `day` (a date)."""
    due = sum((one.total for one in installments if one.due_on < day), ZERO)
    return max(ZERO, due - money)
