"""A loan as a portfolio file writes it, with its schedule in short or written out."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from duecourse.errors import InvalidInput
from duecourse.loans.portfolio import LoanRecord, Nature, Obtained, Standing
from duecourse.loans.schedule import EVERY_EXPECTED, equal_installments, minor_unit
from duecourse.loans.terms import Amount, Currency, Identifier, Installment, Party, PositiveAmount, Role
from duecourse.treatments.ladder import Name, Tier


def _book_date(value: object) -> object:
    """Only a date written out: a bare number would count as seconds."""
    try:
        day = datetime.strptime(str(value), "%Y-%m-%d").date()  # noqa: DTZ007 - a book date has no zone
    except ValueError:
        raise ValueError("expected a date as YYYY-MM-DD") from None
    if not 1970 <= day.year <= 2199:
        raise ValueError("expected a date from 1970 to 2199")
    return day


BookDate = Annotated[date, BeforeValidator(_book_date)]
_ROW = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)


class InstallmentRow(BaseModel):
    """One installment of a schedule that is written out."""

    model_config = _ROW

    id: Identifier
    due_on: BookDate
    principal: Amount
    interest: Amount = Decimal(0)
    fees: Amount = Decimal(0)


class LoanRow(BaseModel):
    """`principal` and `interest` are totals of the loan, split over `installments` from `first_due` on.

    `schedule` and `parties` are the long forms, which CSV has not.
    """

    model_config = _ROW

    lender: Identifier
    loan: Identifier
    borrower: Identifier | None = None
    role: Role = "debtor"
    product: Identifier
    currency: Currency
    principal: PositiveAmount | None = None
    interest: Amount = Decimal(0)
    installments: int = Field(default=1, ge=1, le=600)
    first_due: BookDate | None = None
    every: str | None = Field(default=None, pattern=r"^(month|[1-9][0-9]{0,2} days?)$")
    disbursed_on: BookDate | None = None
    placed_on: BookDate | None = None
    grace_days: int = Field(default=0, ge=0, le=60)
    risk_tier: Tier = Tier.STANDARD
    ladder: Name
    creditor: Identifier | None = None
    nature: Nature | None = None
    obtained: Obtained | None = None
    account: Identifier | None = None
    parties: tuple[Party, ...] = ()
    schedule: tuple[InstallmentRow, ...] = ()

    def record(self) -> LoanRecord:
        """The loan with its schedule. Raises InvalidInput or pydantic's ValidationError."""
        return LoanRecord(
            lender=self.lender,
            loan=self.loan,
            parties=self._parties(),
            product=self.product,
            currency=self.currency,
            installments=self._written_out() if self.schedule else self._in_short(),
            disbursed_on=self.disbursed_on,
            placed_on=self.placed_on,
            grace_days=self.grace_days,
            risk_tier=self.risk_tier,
            ladder=self.ladder,
            creditor=self.creditor,
            standing=Standing(nature=self.nature, obtained=self.obtained, account=self.account),
        )

    def _parties(self) -> tuple[Party, ...]:
        if self.borrower is not None and not self.parties:
            return (Party(borrower=self.borrower, role=self.role),)
        if self.borrower is None and self.parties:
            return self.parties
        raise InvalidInput("borrower", self.borrower, "one borrower's id, or a list of parties instead of it")

    def _written_out(self) -> tuple[Installment, ...]:
        for name in ("principal", "interest", "installments", "first_due", "every"):
            if name in self.model_fields_set:
                raise InvalidInput(name, str(getattr(self, name)), "nothing here: schedule says it already")
        for row in self.schedule:
            for name in ("principal", "interest", "fees"):
                self._in_whole_units(f"schedule.{row.id}.{name}", getattr(row, name))
        return tuple(Installment(**row.model_dump()) for row in self.schedule)

    def _in_short(self) -> tuple[Installment, ...]:
        if self.principal is None:
            raise InvalidInput("principal", None, "the amount lent, such as 3000.00")
        if self.first_due is None:
            raise InvalidInput("first_due", None, "the first due date as YYYY-MM-DD")
        if self.installments > 1 and self.every is None:
            raise InvalidInput("every", None, EVERY_EXPECTED)
        self._in_whole_units("principal", self.principal)
        self._in_whole_units("interest", self.interest)
        if self.principal + self.interest < minor_unit(self.currency) * self.installments:
            raise InvalidInput("principal", str(self.principal), "enough for every installment to be worth something")
        return equal_installments(
            principal=self.principal,
            interest=self.interest,
            currency=self.currency,
            count=self.installments,
            first_due=self.first_due,
            every=self.every or "month",
        )

    def _in_whole_units(self, field: str, amount: Decimal) -> None:
        if amount % minor_unit(self.currency):
            raise InvalidInput(field, str(amount), f"a multiple of {minor_unit(self.currency)} {self.currency}")
