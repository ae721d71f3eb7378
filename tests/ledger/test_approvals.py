"""A review that a person approved lets that contact through, and nothing that nobody looked at."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from duecourse.ledger import published, queries
from duecourse.ledger.outcomes import Reserved, Settled
from duecourse.loans.facts import Approval, HoldLifted, HoldPlaced
from tests.ledger.world import LENDER, PACK, Book, ask

LATE = datetime(2026, 2, 16, 4, tzinfo=UTC)  # noon in Singapore, six days past due
HOUR = timedelta(hours=1)
RULE = """
  - id: {id}
    text: {{en: Look first, zh: 先审核}}
    citation: {{title: "Test: look first"}}
    grade: "-"
    strength: ban
    versions:
      - in_force: 2020-01-01
        hold: {{causes: [{causes}], effect: review}}
"""


def look_first(book: Book, rule: str = "T-LOOK", causes: str = "vulnerable") -> None:
    """A rule that leaves contacts during such a hold to a person."""
    rules = PACK["test/rules.yaml"] + RULE.format(id=rule, causes=causes)
    book.ledger.transact(published.publish, {**PACK, "test/rules.yaml": rules})


@pytest.fixture
def loan(book: Book) -> Book:
    """A loan under a hold that asks for a person, whose notice is in review since LATE."""
    look_first(book)
    book.register("A")
    hold(book, "vulnerable")
    assert "review" == settled(book, LATE).outcome
    return book


def hold(book: Book, cause: str, at: datetime = LATE) -> None:
    fact = HoldPlaced.model_validate(
        {"id": f"hold-{cause}", "at": at, "hold": f"H-{cause}", "cause": cause, "starts": date(2026, 2, 12)}
    )
    book.record("A", fact, at)


def answer(book: Book, said: str, at: datetime, id_: str = "answer") -> None:
    fields = {"episode": "1", "installment": "0", "rung": "notice", "answer": said, "by": "S-7"}
    book.record("A", Approval.model_validate({"id": id_, "at": at, **fields}), at)


def reserve(book: Book, at: datetime) -> object:
    return book.reserve(ask("A", "notice", at, seq=len(book.rows("A"))), at)


def settled(book: Book, at: datetime) -> Settled:
    result = reserve(book, at)
    assert isinstance(result, Settled), result
    return result


def test_what_a_person_approved_goes_out_and_its_verdict_says_so(loan: Book) -> None:
    answer(loan, "approved", LATE + HOUR)
    result = reserve(loan, LATE + 2 * HOUR)
    assert isinstance(result, Reserved)
    *_, verdict = loan.ledger.consult(queries.explain, LENDER, "A")
    (said,) = [one for one in verdict.grounds.findings if one.rule == "T-LOOK"]
    assert ("permit", "allow", "approved") == (verdict.kind, said.effect, said.message)
    assert "a person has looked at the hold for vulnerability" in said.because


def test_an_approval_lasts_through_a_night(loan: Book) -> None:
    """Approved at 22:00, when nothing may go out; the next morning it is still approved."""
    night = LATE + 10 * HOUR
    answer(loan, "approved", night)
    deferred = settled(loan, night)
    assert "deferred" == deferred.outcome
    assert deferred.opens is not None
    assert isinstance(reserve(loan, deferred.opens), Reserved)


def test_without_an_answer_and_after_a_no_nothing_goes_out(loan: Book) -> None:
    assert "review" == settled(loan, LATE + HOUR).outcome
    answer(loan, "refused", LATE + 2 * HOUR)
    assert "moot" == settled(loan, LATE + 3 * HOUR).outcome


def test_a_hold_placed_after_the_approval_asks_again(loan: Book) -> None:
    answer(loan, "approved", LATE + HOUR)
    loan.record("A", HoldLifted(id="lift", at=LATE + HOUR, hold="H-vulnerable", on=date(2026, 2, 16)), LATE + HOUR)
    loan.record(
        "A",
        HoldPlaced(id="again", at=LATE + HOUR, hold="H-again", cause="vulnerable", starts=date(2026, 2, 16)),
        LATE + HOUR,
    )
    assert "review" == settled(loan, LATE + 2 * HOUR).outcome
    answer(loan, "approved", LATE + 3 * HOUR, "answer-2")
    assert isinstance(reserve(loan, LATE + 4 * HOUR), Reserved)


def test_a_rule_that_nobody_was_asked_about_asks_for_itself(loan: Book) -> None:
    """A second rule is published after the approval: the yes was not to that one. A second yes adds to the first."""
    answer(loan, "approved", LATE + HOUR)
    rules = PACK["test/rules.yaml"] + RULE.format(id="T-LOOK", causes="vulnerable")
    rules += RULE.format(id="T-LOOK-TWICE", causes="vulnerable")
    loan.ledger.transact(published.publish, {**PACK, "test/rules.yaml": rules})
    result = settled(loan, LATE + 2 * HOUR)
    assert ("review", ("T-LOOK-TWICE",)) == (result.outcome, getattr(result.rows[-1], "reviewed", None))
    answer(loan, "approved", LATE + 3 * HOUR, "answer-2")
    assert isinstance(reserve(loan, LATE + 4 * HOUR), Reserved)


def test_an_approval_opens_no_bar(loan: Book) -> None:
    """The dispute bars the notice whoever approved what else: a person's yes is no leave to break a rule."""
    hold(loan, "dispute")
    answer(loan, "approved", LATE + HOUR)
    result = settled(loan, LATE + 2 * HOUR)
    assert ("withheld", "T-HOLD") == (result.outcome, getattr(result.rows[-1], "rule", None))
