"""How late a loan is: past-due days, delinquent days, episodes, buckets.

`past_due` is plain calendar days since the oldest unpaid due date; statutory clocks read it.
`delinquent` takes off grace and held days; the ladder runs on it. Book dates throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from duecourse.loans.holds import Held, held_days, paused_spans
from duecourse.loans.terms import ZERO, Installment

END_OF_TIME = 9000  # a hold "until 9999" is open: no date is counted past it


def past_due_days(due_on: date, today: date) -> int:
    """Days since the due date; 0 on it and before."""
    return max(0, (today - due_on).days)


def delinquent_days(due_on: date, grace: int, holds: Iterable[Held], today: date) -> int:
    """Past-due days less grace and less the held days since the due date, never below 0."""
    past_due = past_due_days(due_on, today)
    if past_due == 0:
        return 0
    return max(0, past_due - grace - held_days(holds, due_on, today))


def date_at(due_on: date, grace: int, holds: Iterable[Held], days: int) -> date | None:
    """The first date with that many delinquent days (at least 1), as the holds stand; None if it never comes.

    An open pause stops the count for as long as it lasts.
    """
    needed = grace + days
    day = due_on
    for start, stop in paused_spans(holds, due_on):
        free = (start - day).days
        if free >= needed:
            break
        if stop is None or stop.year >= END_OF_TIME:
            return None
        needed -= free
        day = stop
    return day + timedelta(days=needed)


def episode(installments: Sequence[Installment], payments: Iterable[tuple[date, Decimal]], today: date) -> str | None:
    """The open episode's id: the installment whose miss opened it; None if the loan is not past due.

    An episode starts when something due stays unpaid past its day and ends at the cure, when nothing
    overdue is left. A reversed payment is simply not among `payments`, so its episode is open again.
    """
    by_day = sorted((payment for payment in payments if payment[0] <= today), key=lambda payment: payment[0])
    turns = sorted(
        {one.due_on + timedelta(days=1) for one in installments if one.due_on < today} | {day for day, _ in by_day}
    )
    current: str | None = None
    money = needed = ZERO
    paid = oldest = 0  # positions: payments taken in, installments covered; money only grows, so neither goes back
    for day in turns:
        while paid < len(by_day) and by_day[paid][0] <= day:
            money += by_day[paid][1]
            paid += 1
        while oldest < len(installments) and money >= needed + installments[oldest].total:
            needed += installments[oldest].total
            oldest += 1
        if oldest == len(installments) or installments[oldest].due_on >= day:
            current = None
        elif current is None:
            current = installments[oldest].id
    return current


def reached(thresholds: Sequence[tuple[str, Decimal]], value: Decimal) -> str | None:
    """The last of the ascending `thresholds` that `value` has reached; None below the first."""
    name: str | None = None
    for label, threshold in thresholds:
        if value >= threshold:
            name = label
    return name
