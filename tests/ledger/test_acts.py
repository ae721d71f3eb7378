"""Reporting, accelerating, suing, going to the legal department: only after the notice that a rule puts before it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from duecourse.errors import NotAllowed, NotFound
from duecourse.ledger import published, queries
from duecourse.ledger.acts import may_follow
from duecourse.ledger.contacts import open_review
from duecourse.ledger.outcomes import Settled
from duecourse.ledger.recording import take_in
from duecourse.loans.facts import Approval, HoldLifted, HoldPlaced
from duecourse.loans.loan import Loan
from duecourse.loans.recorded import PastNotice
from tests.ledger.world import LADDER, LENDER, PACK, Book, payment, terms

DUE = datetime(2026, 3, 13, 4, tzinfo=UTC)  # noon in Singapore, the day of the referral: 31 days past due
RULES = """
  - id: T-CURE
    text: {en: Cure first, zh: 先通知}
    citation: {title: "Test: cure first"}
    grade: "-"
    strength: ban
    versions:
      - in_force: 2020-01-01
        notice: {trigger: act, forms: [letter, email], before: {acts: [legal, sue], wait: {days: 10}}}
  - id: T-STAY
    text: {en: Stay, zh: 中止}
    citation: {title: "Test: stay"}
    grade: "-"
    strength: ban
    versions:
      - in_force: 2020-01-01
        hold: {causes: [bankruptcy], acts: [legal, sue]}
"""


@pytest.fixture
def loan(book: Book) -> Book:
    """A loan whose referral to the legal department is due, under a rule that puts a notice before it."""
    book.ledger.transact(published.publish, {**PACK, "test/rules.yaml": PACK["test/rules.yaml"] + RULES})
    book.register("A")
    return book


def refer(book: Book, at: datetime) -> Settled:
    return book.ledger.transact(open_review, LENDER, "A", "1", "0", "referral", at, len(book.rows("A")))


def serve(book: Book, on: str) -> None:
    """The lender's own letter, as `starter.py record` takes it in."""
    notice = PastNotice.model_validate(
        {"lender": LENDER, "borrower": "B-MEI", "at": on, "obligation": "T-CURE", "loan": "A", "channel": "letter"}
    )
    assert () == book.ledger.transact(take_in, LENDER, "B-MEI", [notice], DUE).refused


def hold(book: Book, cause: str, at: datetime) -> None:
    fact = {"id": f"h-{cause}", "at": at, "hold": f"H-{cause}", "cause": cause, "starts": at.date()}
    book.record("A", HoldPlaced.model_validate(fact), at)


def approve(book: Book, at: datetime) -> None:
    fields = {"episode": "1", "installment": "0", "rung": "referral", "answer": "approved", "by": "S-7"}
    book.record("A", Approval.model_validate({"id": "yes", "at": at, **fields}), at)


def test_without_the_notice_the_act_is_refused_and_it_is_named(loan: Book) -> None:
    for act in ("sue", "legal"):
        answer = loan.ledger.consult(may_follow, LENDER, "A", act, DUE)
        assert ("refuse", ["T-CURE"]) == (answer.effect, [one.rule for one in answer.owed])
    assert "allow" == loan.ledger.consult(may_follow, LENDER, "A", "report", DUE).effect


def test_after_the_notice_it_waits_its_days_and_then_may_follow(loan: Book) -> None:
    serve(loan, "2026-03-05T04:00:00Z")
    answer = loan.ledger.consult(may_follow, LENDER, "A", "sue", DUE)
    assert ("wait", datetime(2026, 3, 15, 16, tzinfo=UTC)) == (answer.effect, answer.opens), "midnight in Singapore"
    assert answer.opens is not None
    assert "allow" == loan.ledger.consult(may_follow, LENDER, "A", "sue", answer.opens).effect


def test_a_hold_that_names_the_act_stops_it_and_no_other_does(loan: Book) -> None:
    serve(loan, "2026-02-20T04:00:00Z")
    hold(loan, "dispute", DUE)
    assert "allow" == loan.ledger.consult(may_follow, LENDER, "A", "sue", DUE).effect
    hold(loan, "bankruptcy", DUE)
    assert "refuse" == loan.ledger.consult(may_follow, LENDER, "A", "sue", DUE).effect
    assert "allow" == loan.ledger.consult(may_follow, LENDER, "A", "report", DUE).effect


def test_nobody_is_pursued_for_a_loan_that_is_paid_but_it_may_be_reported_as_paid(loan: Book) -> None:
    serve(loan, "2026-02-20T04:00:00Z")
    loan.record("A", payment("all", "300.00", DUE), DUE)
    answer = loan.ledger.consult(may_follow, LENDER, "A", "sue", DUE)
    assert ("refuse", "ledger:closed") == (answer.effect, answer.findings[0].rule)
    assert "allow" == loan.ledger.consult(may_follow, LENDER, "A", "report", DUE).effect


def test_nobody_is_asked_to_approve_a_legal_step_before_its_notice(loan: Book) -> None:
    settled = refer(loan, DUE)
    assert ("withheld", "T-CURE") == (settled.outcome, settled.judged.rule if settled.judged else None)
    assert [] == loan.ledger.consult(queries.open_reviews)
    (verdict,) = loan.ledger.consult(queries.explain, LENDER, "A", "referral")
    assert ("withhold", ["T-CURE"]) == (verdict.kind, [one.rule for one in verdict.grounds.obligations])
    claim = Loan.fold(terms("A"), LADDER, loan.rows("A")).claims["1/0/referral"]
    assert ("withheld", DUE + timedelta(days=3)) == (claim.state, claim.not_before), "it is looked at again by itself"


def test_with_the_notice_it_waits_and_then_a_person_is_asked(loan: Book) -> None:
    serve(loan, "2026-03-05T04:00:00Z")
    waiting = refer(loan, DUE)
    assert ("deferred", datetime(2026, 3, 15, 16, tzinfo=UTC)) == (waiting.outcome, waiting.opens)
    assert waiting.opens is not None
    assert "review" == refer(loan, waiting.opens).outcome
    assert [(LENDER, "A", "1", "0", "referral")] == loan.ledger.consult(queries.open_reviews)


def test_what_became_unlawful_meanwhile_cannot_be_approved(loan: Book) -> None:
    serve(loan, "2026-02-20T04:00:00Z")
    assert "review" == refer(loan, DUE).outcome
    hold(loan, "bankruptcy", DUE)
    with pytest.raises(NotAllowed, match="T-STAY"):
        approve(loan, DUE + timedelta(hours=1))
    loan.record("A", HoldLifted(id="l", at=DUE, hold="H-bankruptcy", on=date(2026, 3, 13)), DUE)
    approve(loan, DUE + timedelta(hours=2))
    assert "legal" == Loan.fold(terms("A"), LADDER, loan.rows("A")).stage(DUE)


def test_an_act_of_an_unknown_loan_is_not_found(loan: Book) -> None:
    with pytest.raises(NotFound):
        loan.ledger.consult(may_follow, LENDER, "NONE", "sue", DUE)


def test_nothing_goes_against_a_borrower_of_whom_nothing_is_past_due(loan: Book) -> None:
    serve(loan, "2026-01-20T04:00:00Z")
    early = terms("A").installments[0].due_on
    before = datetime(early.year, early.month, early.day, tzinfo=UTC) - timedelta(days=2)
    for act in ("accelerate", "sue", "legal"):
        answer = loan.ledger.consult(may_follow, LENDER, "A", act, before)
        assert ("refuse", "ledger:not_past_due") == (answer.effect, answer.findings[0].rule)
    assert "allow" == loan.ledger.consult(may_follow, LENDER, "A", "report", before).effect
