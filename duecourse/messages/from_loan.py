"""What a message says of a loan: the amounts, dates and names behind one rung on one day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from duecourse.loans.loan import Candidate, Loan
from duecourse.loans.portfolio import LenderRecord
from duecourse.loans.terms import Installment
from duecourse.loans.waterfall import allocate
from duecourse.messages.context import Item, MessageContext
from duecourse.treatments.ladder import Anchor, Tier
from duecourse.treatments.thinning import thin

_ITEMS = {
    "en": ("Principal", "Interest", "Fees", "Payments and credits"),
    "zh": ("本金", "利息", "费用", "已还款"),
}


def context_for(
    loan: Loan,
    candidate: Candidate,
    *,
    lender: LenderRecord,
    creditor: str | None,
    tier: Tier,
    name: str,
    language: str,
    today: date,
) -> MessageContext:
    """The context of one message.

    Args:
        creditor: the loan's `creditor` id where an agency collects for one; None: the lender itself.
        name: the borrower's; it goes into the text and nowhere else.
        today: the lender's book date of the send.
    """
    spoken = "zh" if language.startswith("zh") else "en"
    subject = _subject(loan, candidate, today)
    collector = lender if lender.role == "third_party_collector" else None
    answer_by = None if candidate.rung.answer_days is None else today + timedelta(days=candidate.rung.answer_days)
    return MessageContext(
        borrower_name=name,
        creditor=lender.creditor_name(creditor, language),
        lender=lender.name_in(language),
        amount_due=_amount_due(loan, candidate, subject, today),
        balance=loan.balance,
        currency=loan.terms.currency,
        payment_link=lender.link(loan.terms.loan),
        contact_number=lender.contact_number,
        due_on=None if subject is None else subject.due_on,
        installment_no=None if subject is None else loan.installments.index(subject) + 1,
        days_past_due=loan.past_due_days(today) or None,
        reminders=_reminders(loan, tier, spoken),
        reference=loan.terms.loan,
        collector=None if collector is None else collector.name_in(language),
        collector_address=None if collector is None else ", ".join(collector.postal_address),
        dispute_until=answer_by,
        report_on=answer_by,
        itemised_on=loan.terms.placed_on or loan.terms.disbursed_on,
        itemisation=_itemisation(loan, spoken),
    )


def _subject(loan: Loan, candidate: Candidate, today: date) -> Installment | None:
    """The installment that the message is about: its own, else the oldest unpaid one."""
    for one in loan.installments:
        if one.id == candidate.installment:
            return one
    return loan.oldest_unpaid(today)


def _amount_due(loan: Loan, candidate: Candidate, subject: Installment | None, today: date) -> Decimal:
    overdue = loan.overdue_amount(today)
    if candidate.rung.anchor in (Anchor.PAST_DUE, Anchor.DELINQUENT, Anchor.PLACED) and overdue:
        return overdue
    if subject is None:
        return loan.balance
    paid = next(one for one in allocate(loan.installments, loan.paid(today)).paid if one.installment == subject.id)
    return subject.total - paid.total


def _reminders(loan: Loan, tier: Tier, spoken: str) -> tuple[str, ...]:
    """The reminders before and on a due date that this borrower will get, so that none is missed in silence."""
    return tuple(
        rung.title_zh if spoken == "zh" else rung.title
        for rung in loan.ladder.rungs
        if rung.anchor is Anchor.DUE and thin(rung, tier, loan.ladder) is None
    )


def _itemisation(loan: Loan, spoken: str) -> tuple[Item, ...]:
    principal, interest, fees, payments = _ITEMS[spoken]
    items = [
        Item(principal, sum((one.principal for one in loan.installments), Decimal(0))),
        Item(interest, sum((one.interest for one in loan.installments), Decimal(0))),
        Item(fees, sum((one.fees for one in loan.installments), Decimal(0))),
        Item(payments, -loan.paid()),
    ]
    return tuple(item for item in items if item.amount)
