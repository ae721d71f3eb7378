"""How a loan reads for an operator: timer summaries and the page that the Web UI shows.

English, no personal data: ids, dates, amounts and rule ids only. Dates are the lender's book dates.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from duecourse.loans.decisions import Wait
from duecourse.loans.loan import NONE, Loan
from duecourse.treatments.ladder import Anchor, Rung


def day(value: date) -> str:
    """`1 Mar 2027`."""
    return f"{value.day} {value:%b %Y}"


def moment(value: datetime) -> str:
    """`1 Mar 2027 09:30 UTC`."""
    return f"{day(value.date())} {value:%H:%M} UTC"


def rung_title(loan: Loan, rung: Rung, installment: str) -> str:
    """`SMS reminder, 3 days before 1 Mar 2027`: the rung's title with the date it speaks of."""
    if rung.anchor in (Anchor.DISBURSED, Anchor.PLACED):
        return rung.title
    due = next((one.due_on for one in loan.installments if one.id == installment), None)
    if due is None:
        return rung.title
    if rung.title.endswith((" before", " after")):
        return f"{rung.title} {day(due)}"
    return f"{rung.title}, due {day(due)}"


def claim_title(loan: Loan, claim: str) -> str:
    """The title of a claim `episode/installment/rung`; the text itself where it is none."""
    parts = claim.split("/")
    if len(parts) != 3:
        return claim
    episode, installment, name = parts
    return rung_title(loan, loan.ladder.rung(name), installment if installment != NONE else episode)


def timer_summary(loan: Loan, wait: Wait) -> str:
    """What a timer waits for; Temporal shows up to 120 characters and stores 200 bytes."""
    return claim_title(loan, wait.why)[:120]


def details(loan: Loan, now: datetime, doing: str, verdicts: Sequence[str]) -> str:
    """The loan's current details in Markdown: stage, next step and why, the last verdicts."""
    terms = loan.terms
    today = terms.book_date(now)
    missed = loan.oldest_unpaid(today)
    lines = [
        f"## Loan {terms.loan} of {terms.lender}: {loan.stage(now)}",
        "",
        "| | |",
        "| --- | --- |",
        f"| Balance | {loan.balance} {terms.currency} |",
        f"| Oldest unpaid installment | {'none' if missed is None else f'{missed.id}, due {day(missed.due_on)}'} |",
        f"| Days past due, delinquent | {loan.past_due_days(today)}, {loan.delinquent_days(today)} |",
        f"| Next | {doing} |",
        f"| Ladder | {loan.ladder.id} {loan.ladder.version} |",
    ]
    active = [f"{held.cause} since {day(held.starts)}" for held in loan.holds() if held.covers(today)]
    if active:
        lines.append(f"| Holds | {', '.join(active)} |")
    lines += ["", "### Last verdicts", ""]
    lines += [f"- {one}" for one in verdicts] or ["- none yet"]
    lines += ["", f"All of it, with reasons: `python starter.py explain {terms.loan} --lender {terms.lender}`"]
    return "\n".join(lines)
