"""One renderer over the shipped templates, and three borrowers' contexts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from duecourse.messages.context import Item, MessageContext
from duecourse.messages.render import Renderer

HARBOR = MessageContext(
    borrower_name="Ana Lima",
    creditor="Harbor Credit",
    lender="Harbor Credit",
    amount_due=Decimal("120.00"),
    balance=Decimal("1200.50"),
    currency="USD",
    payment_link="https://pay.harbor.example/L-1",
    contact_number="+1 800 555 0100",
    due_on=date(2026, 3, 3),
    installment_no=3,
    days_past_due=15,
    reminders=("7 days before each due date, by e-mail", "3 days before, by SMS"),
    reference="ending in 4471",
    report_on=date(2026, 3, 20),
)

HAIGANG = MessageContext(
    borrower_name="王芳",
    creditor="海港消费金融",
    lender="海港消费金融",
    amount_due=Decimal("1200.00"),
    balance=Decimal("9600.00"),
    currency="CNY",
    payment_link="https://pay.haigang.example/L-1",
    contact_number="400-555-0100",
    due_on=date(2026, 3, 3),
    installment_no=3,
    days_past_due=15,
    reminders=("每期到期前7天邮件", "到期前3天短信"),
    reference="尾号4471",
    report_on=date(2026, 3, 20),
)

BRIDGE = MessageContext(
    borrower_name="Ana Lima",
    creditor="Harbor Credit",
    lender="Bridge Recovery",
    amount_due=Decimal("1200.50"),
    balance=Decimal("1200.50"),
    currency="USD",
    payment_link="https://pay.bridge.example/L-1",
    contact_number="+1 800 555 0199",
    due_on=date(2026, 1, 31),
    installment_no=3,
    days_past_due=45,
    reference="ending in 4471",
    report_on=date(2026, 6, 1),
    collector="Bridge Recovery",
    collector_address="PO Box 7, Albany, NY 12201",
    dispute_until=date(2026, 5, 6),
    itemised_on=date(2026, 1, 31),
    itemisation=(Item("Amount on that day", Decimal("1150.00")), Item("Interest", Decimal("50.50"))),
)


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer()
