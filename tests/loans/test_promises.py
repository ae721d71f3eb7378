"""A promise silences the loan until its day, and only the money promised keeps it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.loans.examples import (
    morning,
    spring,
)


class TestPromises:
    def test_a_promise_silences_the_loan_until_its_day(self) -> None:
        told = spring()
        told.tell("promise", date(2026, 3, 5), amount="100.00", currency="EUR", by=date(2026, 3, 12))

        assert "promised" == told.loan.stage(morning(date(2026, 3, 12)))
        assert "overdue" == told.loan.stage(morning(date(2026, 3, 13)))

    @pytest.mark.parametrize(("paid", "kept"), [("100.00", True), ("95.00", True), ("94.99", False), ("0.01", False)])
    def test_a_promise_is_kept_within_its_tolerance_and_not_by_any_payment(self, paid: str, kept: bool) -> None:
        told = spring()
        told.tell(
            "promise",
            date(2026, 3, 5),
            id="WORD",
            amount="100.00",
            currency="EUR",
            by=date(2026, 3, 12),
            tolerance="5.00",
        )
        told.pays(paid, date(2026, 3, 10))

        assert kept is told.loan.kept(told.loan.promises["WORD"])

    def test_a_payment_earlier_on_the_day_of_the_promise_does_not_keep_it(self) -> None:
        told = spring()
        told.pays("100.00", date(2026, 3, 5))
        told.tell(
            "promise",
            morning(date(2026, 3, 5)) + timedelta(hours=8),
            id="WORD",
            amount="100.00",
            currency="EUR",
            by=date(2026, 4, 12),
        )

        assert not told.loan.kept(told.loan.promises["WORD"])

    def test_a_payment_after_the_promised_day_does_not_keep_it(self) -> None:
        told = spring()
        told.tell("promise", date(2026, 3, 5), id="WORD", amount="100.00", currency="EUR", by=date(2026, 3, 12))
        told.pays("100.00", date(2026, 3, 13))

        assert not told.loan.kept(told.loan.promises["WORD"])

    def test_a_reversed_payment_breaks_the_promise_it_had_kept(self) -> None:
        told = spring()
        told.tell("promise", date(2026, 3, 5), id="WORD", amount="100.00", currency="EUR", by=date(2026, 3, 12))
        payment = told.pays("100.00", date(2026, 3, 10))
        told.reverses(payment, date(2026, 3, 11))

        assert "promised" == told.loan.stage(morning(date(2026, 3, 12)))
        assert not told.loan.kept(told.loan.promises["WORD"])
