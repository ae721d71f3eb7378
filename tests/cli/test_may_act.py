"""`may-act`: what a lender's own programs ask before they report, accelerate or sue."""

from __future__ import annotations

from datetime import datetime

import pytest

from duecourse.ledger import published
from duecourse.ledger.recording import take_in
from duecourse.loans.recorded import PastNotice
from tests.cli.conftest import Say
from tests.ledger.test_acts import RULES
from tests.ledger.world import LENDER, PACK, Book


@pytest.fixture
def loan(book: Book) -> Book:
    """A loan under a rule that puts a notice before a suit."""
    book.ledger.transact(published.publish, {**PACK, "test/rules.yaml": PACK["test/rules.yaml"] + RULES})
    book.register("A")
    return book


def serve(book: Book, at: str) -> None:
    """The lender's own letter, as `record` takes it in."""
    fields = {"lender": LENDER, "borrower": "B-MEI", "at": at, "obligation": "T-CURE", "loan": "A", "channel": "letter"}
    now = datetime.fromisoformat(at)
    assert () == book.ledger.transact(take_in, LENDER, "B-MEI", [PastNotice.model_validate(fields)], now).refused


def test_what_a_rule_refuses_is_exit_code_5_with_rule_citation_and_what_is_missing(loan: Book, asking: Say) -> None:
    said = asking("may-act", "sue", "A", "--lang", "en")
    assert 5 == said.code
    assert "A: A suit may not follow." in said.out
    assert "T-CURE (Test: cure first) does not allow it" in said.out
    assert "Missing: the notice of T-CURE (Test: cure first), sent by letter or e-mail." in said.out
    data = asking("may-act", "sue", "A", "--json").json
    assert ("refuse", None, ["T-CURE"]) == (data["answer"], data["opens"], [one["rule"] for one in data["owed"]])
    assert ["test"] == [ref["id"] for ref in data["packs"]]


def test_in_the_borrower_s_language_if_none_is_named(loan: Book, asking: Say) -> None:
    said = asking("may-act", "sue", "A")
    assert "A：不得起诉。" in said.out
    assert "尚缺：T-CURE" in said.out


def test_what_may_follow_is_exit_code_0(loan: Book, asking: Say) -> None:
    assert 0 == asking("may-act", "report", "A").code
    serve(loan, "2026-02-01T04:00:00Z")
    said = asking("may-act", "sue", "A", "--lang", "en")
    assert (0, True) == (said.code, "A: A suit may follow now." in said.out), said.out


def test_what_must_wait_says_from_when(loan: Book, asking: Say) -> None:
    serve(loan, asking("may-act", "report", "A", "--json").json["as_of"])
    said = asking("may-act", "sue", "A", "--lang", "en")
    assert 5 == said.code
    assert "may follow from" in said.out
    data = asking("may-act", "sue", "A", "--json").json
    assert "wait" == data["answer"]
    assert data["opens"] > data["as_of"]


def test_an_act_or_loan_that_does_not_exist_is_refused(loan: Book, asking: Say) -> None:
    assert (2, "act") == (
        asking("may-act", "dance", "A").code,
        asking("may-act", "dance", "A", "--json").error["field"],
    )
    assert 3 == asking("may-act", "sue", "NONE").code
    assert 2 == asking("may-act", "sue", "A", "--lang", "fr").code
