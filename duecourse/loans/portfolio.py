"""What a portfolio file says, once read: lenders, borrowers and loans, each validated on its own.

Names, numbers and addresses live in these records on their way into the ledger and nowhere else. They
hide their values from errors, and from `repr`, so that a log line that mentions a record names no person.
Reading files is in `intake.py`, the arithmetic of schedules in `schedule.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from duecourse.loans.terms import Currency, Identifier, Installment, Party, Terms, check_schedule
from duecourse.treatments.ladder import Name, Tier

LenderRole = Literal["creditor", "third_party_collector", "servicer", "debt_buyer"]
History = Literal["complete", "unknown"]
Nature = Literal["consumer", "commercial"]
Obtained = Literal["originated", "current", "in_default"]
ConsentChannel = Literal["sms", "email", "call", "letter", "visit", "chat", "*"]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z][A-Za-z]{1,3})?$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Region = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,3}$")]


def _without_separators(value: object) -> object:
    return re.sub(r"[\s().-]", "", value) if isinstance(value, str) else value


Phone = Annotated[str, BeforeValidator(_without_separators), Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
Email = Annotated[str, Field(pattern=r"^[^@\s<>,;]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$", max_length=254)]
PackPath = Annotated[str, Field(pattern=r"^[a-z0-9_]+(/[a-z0-9_]+)*$")]

PERSONAL = frozenset({"name", "phone", "email", "address", "postal_code"})

_RECORD = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)


class ConsentRecord(BaseModel):
    """A consent that the lender already holds, or its revocation, with the instant it was given."""

    model_config = _RECORD

    channel: ConsentChannel
    state: Literal["given", "revoked"]
    at: AwareDatetime
    until: date | None = None  # the last day on which it holds
    form: Literal["written", "electronic", "oral"] | None = None


class BorrowerRecord(BaseModel):
    """A person as the lender knows them.

    `zones`: every zone the borrower may be in, where the lender knows better than residence and number
    tell; left out: they are derived. `consents`: None is unknown, and what needs a consent fails closed;
    an empty tuple means that there is none. `history`: whether all that came before is on record: contacts,
    notices, wishes, milestones; unknown fails closed wherever a rule reads it, and left out means what the lender's
    record says. `phone_place`: where a landline stands; left out for a mobile.
    """

    model_config = _RECORD

    id: Identifier
    name: str = Field(min_length=1, max_length=120, repr=False)
    language: Language
    country: Country
    region: Region | None = None
    city: str | None = Field(default=None, max_length=80, repr=False)
    postal_code: str | None = Field(default=None, max_length=16, repr=False)
    zones: tuple[str, ...] | None = None
    phone: Phone | None = Field(default=None, repr=False)
    phone_place: Literal["home", "work"] | None = None
    email: Email | None = Field(default=None, repr=False)
    address: tuple[str, ...] = Field(default=(), max_length=6, repr=False)
    consents: tuple[ConsentRecord, ...] | None = None
    history: History | None = None

    @field_validator("zones")
    @classmethod
    def _known_zones(cls, zones: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for zone in zones or ():
            try:
                ZoneInfo(zone)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise ValueError("expected IANA time zones such as America/New_York") from None
        return zones or None

    @property
    def jurisdiction(self) -> str:
        """Country, with the region where it is known: "CN", "US-NY"."""
        return f"{self.country}-{self.region}" if self.region else self.country


class LenderRecord(BaseModel):
    """Who sends: a creditor in its own name, or an agency for the creditors it lists.

    `utc_offset_minutes` is the standard time of the lender's books. `packs`: paths of rule packs; empty:
    they follow from residence, role and product. `creditors` maps an id, as in a loan's `creditor`, to the
    name that a demand must state. `licences`: None is unknown, and a rule for licensed lenders then binds.
    `history`: whether all that came before is on record, for borrowers whose own record does not say.
    """

    model_config = _RECORD

    id: Identifier
    name: str = Field(min_length=1, max_length=120)
    name_zh: str | None = Field(default=None, max_length=60)
    role: LenderRole
    country: Country
    agreements: tuple[PackPath, ...] = ()
    licences: tuple[str, ...] | None = None
    history: History = "unknown"
    packs: tuple[PackPath, ...] = ()
    utc_offset_minutes: int = Field(ge=-14 * 60, le=14 * 60)
    contact_number: str = Field(pattern=r"^\+?[0-9][0-9 -]{4,18}[0-9]$")
    payment_link: str = Field(pattern=r"^https://[^\s{}]+\{loan\}[^\s{}]*$")
    sms_sender: str = Field(pattern=r"^(\+[1-9][0-9]{6,14}|[A-Za-z0-9 ]{3,11})$")
    mail_from: Email
    postal_address: tuple[str, ...] = Field(default=(), max_length=6)
    creditors: dict[Identifier, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> LenderRecord:
        if self.role == "third_party_collector" and not self.creditors:
            raise ValueError("an agency needs creditors: a demand names the creditor it is made for")
        return self

    def name_in(self, language: str) -> str:
        """The sender's name in that language, else as it stands."""
        return self.name_zh if self.name_zh and language.startswith("zh") else self.name

    def creditor_name(self, creditor: str | None, language: str = "en") -> str:
        """The creditor's name for a loan's `creditor`. Raises KeyError for one that is not listed."""
        return self.name_in(language) if creditor is None else self.creditors[creditor]

    def link(self, loan: str) -> str:
        """Where that loan can be paid."""
        return self.payment_link.replace("{loan}", loan)


class Standing(BaseModel):
    """What rules ask of the debt itself; what is left out is not known, and then they bind.

    `obtained`: how it stood when the lender got it. `account`: an id of the account under which it was serviced then.
    """

    model_config = _RECORD

    nature: Nature | None = None
    obtained: Obtained | None = None
    account: Identifier | None = None


UNSTATED = Standing()


class LoanRecord(BaseModel):
    """A loan as it stands in the lender's books. Money is Decimal in `currency`; dates are book dates."""

    model_config = _RECORD

    lender: Identifier
    loan: Identifier
    parties: tuple[Party, ...] = Field(min_length=1)
    product: Identifier
    currency: Currency
    installments: tuple[Installment, ...] = Field(min_length=1, max_length=600)
    disbursed_on: date | None = None
    placed_on: date | None = None
    grace_days: int = Field(default=0, ge=0, le=60)
    risk_tier: Tier = Tier.STANDARD
    ladder: Name
    creditor: Identifier | None = None
    standing: Standing = UNSTATED

    @model_validator(mode="after")
    def _consistent(self) -> LoanRecord:
        check_schedule(self.installments)
        if any(one.id == "0" for one in self.installments):
            raise ValueError("an installment may not be called 0: that names what precedes any episode")
        borrowers = [party.borrower for party in self.parties]
        if len(borrowers) != len(set(borrowers)):
            raise ValueError("each borrower may be named once")
        if self.disbursed_on is not None and self.installments[0].due_on < self.disbursed_on:
            raise ValueError("no installment may fall due before disbursed_on")
        if self.disbursed_on is not None and self.placed_on is not None and self.placed_on < self.disbursed_on:
            raise ValueError("placed_on may not lie before disbursed_on")
        return self

    @property
    def debtor(self) -> str:
        return self.parties[0].borrower

    def terms(self, lender: LenderRecord, active_from: datetime, borrowers: Iterable[BorrowerRecord] = ()) -> Terms:
        """The contract that the loan's state machine runs on.

        `active_from` is an aware instant of business time. The jurisdictions are those of `borrowers`,
        else the lender's country.
        """
        bound = {party.borrower for party in self.parties}
        places = {one.jurisdiction for one in borrowers if one.id in bound}
        return Terms(
            lender=self.lender,
            loan=self.loan,
            product=self.product,
            currency=self.currency,
            jurisdictions=tuple(sorted(places)) or (lender.country,),
            parties=self.parties,
            installments=self.installments,
            utc_offset_minutes=lender.utc_offset_minutes,
            grace_days=self.grace_days,
            disbursed_on=self.disbursed_on,
            placed_on=self.placed_on,
            active_from=active_from,
        )
