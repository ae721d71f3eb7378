"""The loan is asked at every wake and at every message: what it costs must not grow with its history."""

from __future__ import annotations

import time
from datetime import date, timedelta

from duecourse.loans.loan import Loan
from duecourse.treatments.ladder import Anchor
from tests.loans.examples import MARCH, SPRING_LADDER, Told, ladder_of, morning, notice, rung, schedule, terms_of

DUE = [MARCH + timedelta(days=30 * number) for number in range(60)]
EACH = rung("each_miss", Anchor.PAST_DUE, 4, per="installment", obligation="CN-17", catch_up="in_order")


def seasoned(rows: int, paid: int) -> Told:
    """Sixty installments, so many of them paid, with decisions, contacts, holds and opt-outs between."""
    told = Told(terms_of(*schedule(*DUE), disbursed_on=date(2026, 1, 1)), ladder_of(*SPRING_LADDER.rungs, EACH))
    number = 0
    while len(told.rows) < rows:
        number += 1
        day = DUE[number % 60]
        match number % 5:
            case 0 if number // 5 <= paid:
                told.pays("100.00", day)
            case 1:
                told.decided(f"{number % 60 + 1}/0/early", "deferred", day, opens=morning(day))
            case 2:
                told.contacted(f"0/{number % 60 + 1}/due_day", "delivered", day)
            case 3:
                told.holds("dispute", day, day + timedelta(days=2))
            case _:
                told.tell("opt_out", day, channel="sms")
    return told


def quickest(loan: Loan, day: date, times: int = 25) -> float:
    """Milliseconds of the best of so many runs: what the code needs, whatever else the machine does."""
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        loan.next(morning(day))
        best = min(best, time.perf_counter() - start)
    return best * 1000


def test_the_next_step_of_a_long_loan_with_two_hundred_rows_takes_milliseconds() -> None:
    told = seasoned(rows=200, paid=40)

    assert quickest(told.loan, DUE[30]) < 4
    assert quickest(told.loan, DUE[59] + timedelta(days=400)) < 10  # sixty misses, a notice for each


def test_a_hold_of_many_years_costs_no_more_than_a_short_one() -> None:
    told = Told(terms_of(*schedule(MARCH)), ladder_of(*(notice(f"n{number}", number) for number in range(1, 11))))
    told.holds("bankruptcy", date(2026, 3, 2), date(2126, 3, 2))

    assert quickest(told.loan, date(2026, 4, 1)) < 4


def test_the_cost_does_not_grow_with_the_square_of_the_rows() -> None:
    few, many = seasoned(rows=100, paid=20), seasoned(rows=800, paid=20)

    assert quickest(many.loan, DUE[30]) < 30 * quickest(few.loan, DUE[30])
