"""What a person's yes to a review lets through: the rules that had left that very rung to them, and no others."""

from __future__ import annotations

from collections.abc import Sequence

from duecourse.loans.facts import Approval, Decided, Fact
from duecourse.loans.loan import Loan


def approved_rules(loan: Loan, rows: Sequence[Fact], claim: str) -> tuple[str, ...]:
    """The rules of reviews of one rung (`episode/installment/rung`) that a person approved. `rows`: in sequence.

    An approval speaks of what stood when it was given: a hold that is placed afterwards asks again, and so does a
    rule that left nothing to a person then.
    """
    if "approval" not in loan.heard:  # nearly every loan: its rows need not be read
        return ()
    since = loan.heard.get("hold_placed", 0)
    asked: tuple[str, ...] = ()
    approved: dict[str, None] = {}
    for row in rows:
        if not isinstance(row, Approval | Decided) or f"{row.episode}/{row.installment}/{row.rung}" != claim:
            continue
        match row:
            case Decided(outcome="review"):
                asked = row.reviewed or ()
            case Approval(answer="approved") if (row.loan_seq or 0) > since:
                approved.update(dict.fromkeys(asked))
            case Approval(answer="refused"):
                approved.clear()
            case _:
                pass
    return tuple(approved)
