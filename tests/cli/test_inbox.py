"""`inbox`: what waits for a person, and that closing it lets the loan go on."""

from __future__ import annotations

from duecourse.ledger.incoming import Reply, take_in
from duecourse.loans.facts import HoldLifted
from tests.cli.conftest import Say
from tests.ledger.world import NOON, PHONE, Book


def test_a_reply_is_shown_to_a_person_who_closes_it_once(book: Book, asking: Say) -> None:
    book.register("A")
    book.ledger.transact(take_in, Reply("twilio", "sms", "SM1", PHONE, "PlumBank", "Who is this?"), "", NOON)

    (task,) = asking("inbox", "list", "--json").json["tasks"]
    assert ("Who is this?", "unclassified", ["A"]) == (task["text"], task["about"], task["pauses"])
    assert 0 == asking("inbox", "close", task["id"], "--by", "clerk-7").code
    assert 1 == sum(isinstance(row, HoldLifted) for row in book.rows("A"))
    assert "Nothing waits for a person." in asking("inbox", "list").out
    assert 4 == asking("inbox", "close", task["id"], "--by", "clerk-7").code
    assert 3 == asking("inbox", "close", "reply-unknown", "--by", "clerk-7").code
