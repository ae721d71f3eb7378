"""A loan to tell stories with: SPRING, three payments of 100.00 due on the first of March, April and May 2026."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal

from duecourse.loans.decisions import Contact, Plan, Review
from duecourse.loans.facts import FACT, Fact
from duecourse.loans.loan import Loan
from duecourse.loans.terms import Installment, Party, Terms
from duecourse.treatments.ladder import CONTRACT, Anchor, CatchUp, Ladder, Rung, Tier, TierPolicy, Window

MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)

Per = Literal["loan", "episode", "installment"]


def morning(day: date) -> datetime:
    """06:00 UTC: the day has begun in the book, and the next day nowhere on Earth."""
    return datetime.combine(day, time(6), UTC)


def rung(name: str, anchor: Anchor, offset: int, **changes: Any) -> Rung:
    """An optional text message, unless said otherwise."""
    per: Per = "loan" if anchor in (Anchor.DISBURSED, Anchor.PLACED) else "episode"
    fields: dict[str, Any] = {
        "id": name,
        "title": name,
        "title_zh": name,
        "anchor": anchor,
        "offset_days": offset,
        "per": "installment" if anchor is Anchor.DUE else per,
        "channels": ("sms",),
        "template": "text",
        "purpose": "reminder",
        "window": Window(opens="09:00", closes="20:00"),
    }
    return Rung.model_validate(fields | changes)


def notice(name: str, offset: int, anchor: Anchor = Anchor.DELINQUENT, **changes: Any) -> Rung:
    """A mandatory notice by contract, on two channels."""
    fields: dict[str, Any] = {
        "obligation": CONTRACT,
        "catch_up": CatchUp.IN_ORDER,
        "channels": ("email", "letter"),
        "purpose": "notice",
    }
    return rung(name, anchor, offset, **(fields | changes))


def ladder_of(*rungs: Rung) -> Ladder:
    return Ladder(id="spring", version="1", title="Spring", rungs=rungs, tiers={tier: TierPolicy() for tier in Tier})


SPRING_LADDER = ladder_of(
    rung("welcome", Anchor.DISBURSED, 0, obligation=CONTRACT, catch_up=CatchUp.SKIP_AND_RECORD, purpose="servicing"),
    rung("three_days_before", Anchor.DUE, -3),
    rung("due_day", Anchor.DUE, 0, life_days=1),
    rung("early", Anchor.DELINQUENT, 2, purpose="collection"),
    rung("second", Anchor.DELINQUENT, 5, purpose="collection", channels=("sms", "email")),
    notice("formal_notice", 10),
    notice("credit_notice", 15, Anchor.PAST_DUE, obligation="CN-17", channels=("sms", "email", "letter")),
    rung("referral", Anchor.DELINQUENT, 60, purpose="legal", channels=("review",), life_days=30),
)


def schedule(*due: date, amount: str = "100.00") -> tuple[Installment, ...]:
    return tuple(
        Installment(id=str(number), due_on=day, principal=Decimal(amount)) for number, day in enumerate(due, start=1)
    )


def terms_of(*installments: Installment, **changes: Any) -> Terms:
    fields: dict[str, Any] = {
        "lender": "willow",
        "loan": "SPRING",
        "product": "consumer_loan",
        "currency": "EUR",
        "parties": (Party(borrower="B-LINDEN"),),
        "installments": installments,
        "active_from": BEFORE,
    }
    return Terms.model_validate(fields | changes)


SPRING = terms_of(*schedule(MARCH, APRIL, MAY))


class Told:
    """A loan and the ledger's side of it: gives each row its place in the sequence, and tells the loan."""

    def __init__(self, terms: Terms = SPRING, ladder: Ladder = SPRING_LADDER) -> None:
        self.loan = Loan.new(terms, ladder)
        self.rows: list[Fact] = []

    def tell(self, kind: str, at: datetime | date, **fields: Any) -> Fact:
        instant = at if isinstance(at, datetime) else morning(at)
        seq = len(self.rows) + 1
        row = FACT.validate_python({"id": f"row-{seq}", "at": instant, "loan_seq": seq, "kind": kind} | fields)
        self.rows.append(row)
        self.loan.apply(row)
        return row

    def pays(self, amount: str, on: date, **fields: Any) -> Fact:
        return self.tell("payment", on, amount=amount, currency="EUR", **fields)

    def reverses(self, payment: Fact, on: date) -> Fact:
        return self.tell("reversal", on, payment=payment.id)

    def holds(self, cause: str, starts: date, ends: date | None = None, **fields: Any) -> Fact:
        return self.tell(
            "hold_placed", starts, hold=f"hold-{len(self.rows)}", cause=cause, starts=starts, ends=ends, **fields
        )

    def decided(self, claim: str, outcome: str, at: datetime | date, channel: str = "sms", **fields: Any) -> Fact:
        return self.tell("decided", at, outcome=outcome, channel=channel, **_named(claim), **fields)

    def contacted(self, claim: str, state: str, at: datetime | date, channel: str = "sms", contact: str = "") -> Fact:
        name = contact or f"contact-{claim}-{channel}"
        return self.tell("contacted", at, state=state, channel=channel, contact=name, **_named(claim))

    def answered(self, claim: str, answer: str, at: datetime | date) -> Fact:
        return self.tell("approval", at, answer=answer, by="P-OAK", **_named(claim))

    def installed(self, version: int, *installments: Installment, at: date) -> Fact:
        return self.tell("schedule_changed", at, version=version, installments=installments)

    def settle(self, *names: str, at: datetime = BEFORE) -> None:
        """Put claims out of the way: contacted by the old system."""
        for name in names:
            self.contacted(name, "delivered", at)


def _named(claim: str) -> dict[str, str]:
    episode, installment, name = claim.split("/")
    return {"episode": episode, "installment": installment, "rung": name}


def days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


DUNNING = ladder_of(notice("warning", 5), notice("blocked", 7), notice("cancellation", 11))


def spring(*rungs: Rung, **terms: Any) -> Told:
    """A told SPRING, on a ladder of these rungs or its own."""
    ladder = ladder_of(*rungs) if rungs else SPRING_LADDER
    return Told(terms_of(*SPRING.installments, **terms), ladder)


def claim_at(told: Told, day: date | datetime) -> str | None:
    """The claim that the loan wants to act on, None while it waits or is closed."""
    step = told.loan.next(day if isinstance(day, datetime) else morning(day))
    return step.claim if isinstance(step, Contact | Review) else None


def plan_for(claim: str, at: datetime, seq: int, channel: str = "email", lasts: timedelta = timedelta(hours=3)) -> Plan:
    episode, installment, name = claim.split("/")
    return Plan(
        rung=name, installment=installment, episode=episode, channel=channel, planned_at=at, closes=at + lasts, seq=seq
    )
