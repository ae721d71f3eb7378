"""The book that the benchmark lives through: loans whose three messages fall due in one minute each.

The law's part of the gate is as it ships (US federal rules, the lender's hours, the floor); only the lender's own caps
are wide enough for three messages in three minutes. Each message has its own two minutes as local send window, and
loan ids are chosen such that the plan puts every loan at the first second of it: all are due at once, and the engine
is saturated from the first second of a burst to its last.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from importlib import resources

from sqlalchemy import Connection

from duecourse.ledger import published
from duecourse.ledger.registration import Registered, register_borrower, register_lender, register_loan
from duecourse.loans.loan import ROOM
from duecourse.loans.portfolio import BorrowerRecord, LenderRecord, LoanRecord
from duecourse.loans.terms import Installment, Party
from duecourse.treatments.ladder import Anchor, Ladder, Rung, Tier, TierPolicy, Window

RUNGS = 3
LENDER = "bench"
_WINDOW = timedelta(minutes=2)
_SECONDS = int((_WINDOW - timedelta(seconds=1) - ROOM).total_seconds()) + 1  # over which a plan may spread

_POLICY = """
id: lender/bench
title: {en: A contact policy with wide caps, zh: 宽松的联系政策}
version: 2026-01-01
rules:
  - lender/bench/caps.yaml
  - lender/contact_policy/hours.yaml
  - floor/holds_and_wishes.yaml
"""
_CAP = """
  - id: {id}
    text: {{en: A wide cap., zh: 宽松上限。}}
    citation: {{title: Lender's own contact policy}}
    grade: "-"
    strength: ban
    coverage: {{channels: [sms, email, chat], purposes: [reminder, servicing, collection], obligations: [optional]}}
    versions:
      - in_force: 2020-01-01
        cap:
          limit: 50
          window: {{{window}}}
          per: person
          counts:
            directions: [outbound]
            channels: [sms, email, chat]
            purposes: [reminder, servicing, collection]
            obligations: [optional]
            not_counted: [released, failed]
"""
_CAPS = "rules:" + _CAP.format(id="BENCH-01", window="days: 7") + _CAP.format(id="BENCH-02", window="hours: 20")


def local_offset(now: datetime) -> int:
    """Whole hours from UTC at which `now` (aware UTC) is about noon, so that every rule's hours are open."""
    return (12 - now.hour + 12) % 24 - 12


def bench_ladder(first: datetime, offset: int) -> Ladder:
    """Three optional messages on the due day, a minute apart from `first` (aware UTC, a whole minute) on."""
    rungs = []
    for number in range(RUNGS):
        opens = first + timedelta(hours=offset, minutes=number)
        window = {"from": f"{opens:%H:%M}", "to": f"{opens + _WINDOW:%H:%M}"}
        rungs.append(
            Rung(
                id=f"message_{number + 1}",
                title=f"Due-day reminder {number + 1}",
                title_zh=f"到期日提醒{number + 1}",
                anchor=Anchor.DUE,
                offset_days=0,
                per="installment",
                channels=("sms",),
                template="due_today",
                purpose=("reminder", "servicing", "collection")[number],
                window=Window.model_validate(window),
            )
        )
    tiers = {tier: TierPolicy() for tier in Tier}
    return Ladder(id="bench", version="1", title="Three messages on one day", rungs=tuple(rungs), tiers=tiers)


def open_book(connection: Connection, offset: int) -> LenderRecord:
    """Put the pack in force and register the lender."""
    packs = resources.files("duecourse.compliance") / "packs"
    shipped = ("lender/contact_policy/hours.yaml", "floor/holds_and_wishes.yaml")
    documents = {path: (packs / path).read_text("utf-8") for path in shipped}
    published.publish(connection, {"lender/bench.yaml": _POLICY, "lender/bench/caps.yaml": _CAPS, **documents})
    lender = LenderRecord(
        id=LENDER,
        name="Bench Loans (fictional)",
        role="creditor",
        country="US",
        packs=("us/federal", "lender/bench"),
        utc_offset_minutes=offset * 60,
        contact_number="+1 212-555-0100",
        payment_link="https://pay.example/bench/{loan}",
        sms_sender="+15005550006",
        mail_from="service@bench.example",
    )
    register_lender(connection, lender)
    return lender


def loan_ids(series: int) -> Iterator[tuple[str, str]]:
    """Borrower and loan ids whose place in a plan is the window's first second."""
    number = 0
    while True:
        borrower, loan = f"B-{series}-{number}", f"L-{series}-{number}"
        number += 1
        place = int.from_bytes(sha256(f"{borrower}|{loan}".encode()).digest()[:8], "big")
        if place % _SECONDS == 0:
            yield borrower, loan


def open_loan(
    connection: Connection, lender: LenderRecord, ladder: Ladder, borrower: str, loan: str, now: datetime, offset: int
) -> Registered:
    """Register one borrower and one loan that is due today."""
    today = (now + timedelta(hours=offset)).date()
    serial = int(sha256(borrower.encode()).hexdigest(), 16) % 10_000
    person = BorrowerRecord.model_validate(
        {
            "id": borrower,
            "name": "Sample Person",
            "language": "en",
            "country": "US",
            "zones": (f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT",),
            "phone": f"+1212555{serial:04d}",
            "consents": [{"channel": "*", "state": "given", "at": now - timedelta(days=30)}],
            "history": "complete",
        }
    )
    register_borrower(connection, lender.id, person)
    record = LoanRecord(
        lender=lender.id,
        loan=loan,
        parties=(Party(borrower=borrower),),
        product="consumer_loan",
        currency="USD",
        installments=tuple(
            Installment(
                id=str(number + 1),
                due_on=today + timedelta(days=30 * number),
                principal=Decimal("250.00"),
                interest=Decimal("12.50"),
            )
            for number in range(6)
        ),
        disbursed_on=today - timedelta(days=30),
        ladder=ladder.id,
    )
    return register_loan(connection, record.terms(lender, now, [person]), ladder, Tier.STANDARD, now)
