"""A small book to test the ledger with: one lender, Mei and Bo, loans of three installments, a pack of our own.

Mei lives in Singapore (UTC+8), for which no pack comes with Duecourse. Rungs: `early` (SMS, 3 days before), `due`
(SMS, on the day), `notice` (by contract, e-mail then letter, 5 days late), `referral` (a person's review, 30 days
late).
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from duecourse.ledger import published
from duecourse.ledger.contacts import accept, mark_sending
from duecourse.ledger.facts import Recorded, record
from duecourse.ledger.outcomes import Ask, Frozen, Reserved, Result, Settled
from duecourse.ledger.registration import Registered, register_borrower, register_lender, register_loan
from duecourse.ledger.reservations import reserve
from duecourse.ledger.sending import Sending
from duecourse.ledger.store import Ledger
from duecourse.loans.facts import Fact, Payment
from duecourse.loans.portfolio import BorrowerRecord, ConsentRecord, LenderRecord
from duecourse.loans.terms import Installment, Party, Terms
from duecourse.treatments.ladder import Ladder, Tier

LENDER = "L1"
START = datetime(2026, 1, 5, 2, tzinfo=UTC)  # 10:00 in Singapore
DUE = date(2026, 2, 10)
NOON = datetime(2026, 2, 10, 4, tzinfo=UTC)  # noon in Singapore on the first due date
ON = Sending("on")
ATTEMPT = timedelta(seconds=30)  # how long one attempt may call

PHONE = "+6591234567"
EMAIL = "mei@example.com"
NAME = "Mei Lan"

PACK = {
    "test.yaml": """
id: test
title: {en: Test, zh: 测试}
version: 2026-01-01
rules: [test/rules.yaml]
""",
    "test/rules.yaml": """
rules:
  - id: T-HOURS
    text: {en: Hours, zh: 时段}
    citation: {title: "Test: hours"}
    grade: "-"
    strength: ban
    coverage: {channels: [sms, call, email]}
    versions:
      - in_force: 2020-01-01
        quiet_hours: {windows: {daily: [["08:00", "21:00"]]}, end: exclusive}
  - id: T-CAP
    text: {en: Cap, zh: 上限}
    citation: {title: "Test: cap"}
    grade: "-"
    strength: ban
    coverage: {obligations: [optional]}
    versions:
      - in_force: 2020-01-01
        cap:
          limit: 1
          window: {days: 7}
          per: person
          counts: {obligations: [optional]}
  - id: T-OPT-OUT
    text: {en: Opt-out, zh: 退订}
    citation: {title: "Test: opt-out"}
    grade: "-"
    strength: ban
    coverage: {channels: [sms, email, call]}
    versions:
      - in_force: 2020-01-01
        consent: {basis: opt_out}
  - id: T-HOLD
    text: {en: Hold, zh: 暂停}
    citation: {title: "Test: hold"}
    grade: "-"
    strength: ban
    versions:
      - in_force: 2020-01-01
        hold: {causes: [dispute, hardship, deceased, promise]}
""",
}


def rung(name: str, anchor: str, offset: int, **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": name,
        "title": name,
        "title_zh": name,
        "anchor": anchor,
        "offset_days": offset,
        "per": "installment" if anchor == "due" else "episode",
        "channels": ["sms"],
        "template": "text",
        "purpose": "reminder",
        "window": {"from": "09:00", "to": "20:00"},
        "life_days": 3,
    }
    return fields | changes


def ladder(**tiers: dict[str, Any]) -> Ladder:
    return Ladder.model_validate(
        {
            "id": "test",
            "version": "1",
            "title": "Test",
            "rungs": [
                rung("early", "due", -3),
                rung("due", "due", 0),
                rung("notice", "past_due", 5, channels=["email", "letter"], purpose="notice", obligation="contract",
                     catch_up="in_order"),
                rung("referral", "past_due", 30, channels=["review"], purpose="legal", life_days=30),
            ],
            "tiers": {tier.value: tiers.get(tier.value, {}) for tier in Tier},
        }
    )  # fmt: skip


def only(*rungs: dict[str, Any], **tiers: dict[str, Any]) -> Ladder:
    """A ladder of these rungs alone."""
    return Ladder.model_validate(
        {
            "id": "only",
            "version": "1",
            "title": "Only",
            "rungs": rungs,
            "tiers": {tier.value: tiers.get(tier.value, {}) for tier in Tier},
        }
    )


LADDER = ladder()


def mei(**changes: Any) -> BorrowerRecord:
    fields: dict[str, Any] = {
        "id": "B-MEI",
        "name": NAME,
        "language": "zh",
        "country": "SG",
        "city": "Singapore",
        "phone": PHONE,
        "email": EMAIL,
        "address": ("88 Garden Road", "Singapore"),
        "consents": (),
        "history": "complete",
    }
    return BorrowerRecord.model_validate(fields | changes)


def given(channel: str, state: str = "given") -> ConsentRecord:
    return ConsentRecord.model_validate({"channel": channel, "state": state, "at": START})


def lender(**changes: Any) -> LenderRecord:
    fields: dict[str, Any] = {
        "id": LENDER,
        "name": "Plum Bank",
        "role": "creditor",
        "country": "CN",
        "packs": ("test",),
        "utc_offset_minutes": 480,
        "contact_number": "+862155550100",
        "payment_link": "https://pay.example.com/{loan}",
        "sms_sender": "PlumBank",
        "mail_from": "service@example.com",
    }
    return LenderRecord.model_validate(fields | changes)


def terms(loan: str, debtor: str = "B-MEI", *others: str, **changes: Any) -> Terms:
    fields: dict[str, Any] = {
        "lender": LENDER,
        "loan": loan,
        "product": "consumer_loan",
        "currency": "CNY",
        "jurisdictions": ("SG",),
        "parties": (Party(borrower=debtor), *(Party(borrower=other, role="guarantor") for other in others)),
        "installments": tuple(
            Installment(id=str(n), due_on=DUE + timedelta(days=30 * (n - 1)), principal=Decimal("100.00"))
            for n in (1, 2, 3)
        ),
        "utc_offset_minutes": 480,
        "active_from": START,
    }
    return Terms.model_validate(fields | changes)


@cache
def _template() -> Path:
    """A ledger that is made once: publishing all packs for each test would take longer than the tests."""
    folder = Path(tempfile.mkdtemp(prefix="duecourse-ledger-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    ledger = Ledger.open(f"sqlite:///{folder}/ledger.db", sandbox=True)
    with ledger.write() as connection:
        published.publish(connection, PACK)
        register_lender(connection, lender())
        register_borrower(connection, LENDER, mei())
    ledger.close()
    return folder / "ledger.db"


class Book:
    """A ledger on a file with the lender and Mei in it; each call is a transaction of its own."""

    def __init__(self, folder: Path) -> None:
        shutil.copy(_template(), folder / "ledger.db")
        self.url = f"sqlite:///{folder}/ledger.db"
        self.ledger = Ledger.open(self.url)

    def register(
        self, loan: str, *, tier: Tier = Tier.STANDARD, climbs: Ladder = LADDER, now: datetime = START, **changes: Any
    ) -> Registered:
        return self.ledger.transact(register_loan, terms(loan, **changes), climbs, tier, now)

    def record(self, loan: str, fact: Fact, now: datetime) -> Recorded:
        return self.ledger.transact(record, LENDER, loan, fact, now)

    def reserve(self, ask: Ask, now: datetime, sending: Sending = ON) -> Result:
        return self.ledger.transact(reserve, ask, now, sending=sending)

    def send(self, ask: Ask, now: datetime) -> Settled:
        """Reserve, send and accept; what a contact activity does when all goes well."""
        reserved = self.reserve(ask, now)
        assert isinstance(reserved, Reserved), reserved
        contact = reserved.reservation.contact.id
        self.ledger.transact(mark_sending, contact, reserved.reservation.attempt, reserved.reservation.contact.closes,
                             now, message(now))  # fmt: skip
        return self.ledger.transact(accept, contact, f"P-{contact[:8]}", now, now, ask.seq)

    def rows(self, loan: str) -> tuple[Fact, ...]:
        from duecourse.ledger.dossier import rows_after

        return self.ledger.consult(rows_after, LENDER, loan, 0)


def ask(loan: str, rung: str = "due", now: datetime = NOON, **changes: Any) -> Ask:
    fields: dict[str, Any] = {
        "lender": LENDER,
        "loan": loan,
        "episode": "0" if rung in ("early", "due") else "1",
        "installment": "1" if rung in ("early", "due") else "0",
        "rung": rung,
        "channel": "email" if rung == "notice" else "sms",
        "closes": now + timedelta(hours=1),
        "seq": 0,
    }
    return Ask(**(fields | changes))


def message(at: datetime, text: str = "Your payment is due.") -> Frozen:
    return Frozen(PHONE, "PlumBank", "", text, "", "zh", at, "twilio")


def payment(id_: str, amount: str = "100.00", at: datetime = NOON, currency: str = "CNY") -> Payment:
    return Payment(id=id_, at=at, amount=Decimal(amount), currency=currency)


def scalar(connection: Connection, sql: str) -> Any:
    return connection.exec_driver_sql(sql).scalar()
