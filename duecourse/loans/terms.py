"""What was agreed: parties, currency, installments, and the lender's book dates.

Money is Decimal in the loan's currency. `utc_offset_minutes` is the lender's standard time as a fixed
offset, so that no time zone database, which changes, is part of a replay.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=4, allow_inf_nan=False)]
PositiveAmount = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=4, allow_inf_nan=False)]
Role = Literal["debtor", "co_borrower", "guarantor"]

ZERO = Decimal(0)


class Installment(BaseModel):
    """One amount due on one day. A single-payment loan has exactly one."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: Identifier
    due_on: date
    principal: Amount
    interest: Amount = ZERO
    fees: Amount = ZERO

    @property
    def total(self) -> Decimal:
        return self.principal + self.interest + self.fees


class Party(BaseModel):
    """A person bound by the loan, by id only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    borrower: Identifier
    role: Role = "debtor"


class Terms(BaseModel):
    """The contract. `active_from`: nothing is sent for what lies before it, except by catch-up."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    lender: Identifier
    loan: Identifier
    product: Identifier
    currency: Currency
    jurisdictions: tuple[str, ...] = ()
    parties: tuple[Party, ...] = Field(min_length=1)
    installments: tuple[Installment, ...] = Field(min_length=1)
    utc_offset_minutes: int = Field(default=0, ge=-14 * 60, le=14 * 60)
    grace_days: int = Field(default=0, ge=0, le=60)
    disbursed_on: date | None = None
    placed_on: date | None = None
    active_from: AwareDatetime

    @model_validator(mode="after")
    def _consistent(self) -> Terms:
        check_schedule(self.installments)
        borrowers = [party.borrower for party in self.parties]
        if len(borrowers) != len(set(borrowers)):
            raise ValueError("each borrower may be named once")
        if self.disbursed_on is not None and self.installments[0].due_on < self.disbursed_on:
            raise ValueError("no installment may fall due before the disbursement")
        return self

    def book_date(self, instant: datetime) -> date:
        """The lender's date at an aware instant."""
        return (instant.astimezone(UTC) + timedelta(minutes=self.utc_offset_minutes)).date()

    def day_starts(self, day: date) -> datetime:
        """The instant, aware UTC, at which the lender's `day` begins."""
        return datetime.combine(day, time(0), UTC) - timedelta(minutes=self.utc_offset_minutes)

    @property
    def debtor(self) -> str:
        return self.parties[0].borrower


def check_schedule(installments: tuple[Installment, ...]) -> None:
    """Refuse a schedule that is not in order of due dates, repeats an id, or is worth nothing."""
    ids = [one.id for one in installments]
    if len(ids) != len(set(ids)):
        raise ValueError("installment ids must be unique")
    dates = [one.due_on for one in installments]
    if dates != sorted(dates):
        raise ValueError("installments must be in the order of their due dates")
    if any(one.total <= 0 for one in installments):
        raise ValueError("each installment must be worth more than zero")
