"""Verdicts are kept with their reasons, in a chain that shows what was changed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from duecourse.errors import NotFound
from duecourse.ledger import published, queries
from duecourse.ledger.verdicts import decide_again, verify_chain
from tests.ledger.world import EMAIL, LENDER, NAME, NOON, PACK, PHONE, Book, ask


@pytest.fixture
def judged(book: Book) -> Book:
    """Loan B was refused: another loan has the slot; then its notice was deferred twice, in the night."""
    book.register("A")
    book.register("B")
    book.send(ask("A"), NOON)
    book.reserve(ask("B"), NOON)
    for hour in (18, 19):
        now = datetime(2026, 2, 15, hour, tzinfo=UTC)
        book.reserve(ask("B", "notice", now), now)
    return book


def test_each_verdict_names_rule_evidence_and_citation(judged: Book) -> None:
    last = judged.ledger.consult(queries.explain, LENDER, "B", "due")[0]
    finding = next(one for one in last.grounds.findings if one.rule == "T-CAP")
    assert ("withhold", "T-CAP", "Test: cap") == (last.kind, last.rule, finding.citation)
    assert finding.evidence
    assert "test" in [ref.id for ref in last.grounds.packs]


def test_an_untouched_chain_is_whole(judged: Book) -> None:
    chain = judged.ledger.consult(verify_chain, LENDER, "B")
    assert (None, "") == (chain.broken_at, chain.why)
    assert chain.count == len(judged.ledger.consult(queries.explain, LENDER, "B"))
    assert chain.head == judged.ledger.consult(queries.explain, LENDER, "B")[-1].hash


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE verdicts SET kind = 'permit' WHERE loan = 'B' AND no = 2", "changed"),
        ("UPDATE verdicts SET grounds = replace(grounds, 'defer', 'allow') WHERE loan = 'B' AND no = 2", "grounds"),
        ("UPDATE verdicts SET inputs = replace(inputs, 'email', 'call') WHERE loan = 'B' AND no = 2", "grounds"),
        ("UPDATE verdicts SET at = '2026-02-10T05:00:00.000000Z' WHERE loan = 'B' AND no = 2", "changed"),
        ("DELETE FROM verdicts WHERE loan = 'B' AND no = 2", "missing"),
    ],
)
def test_what_was_changed_is_found_where_it_was_changed(judged: Book, change: str, why: str) -> None:
    with judged.ledger.write() as connection:
        assert 1 == connection.exec_driver_sql(change).rowcount
    chain = judged.ledger.consult(verify_chain, LENDER, "B")
    assert 2 == chain.broken_at
    assert why in chain.why


def test_a_verdict_cut_off_at_the_end_is_missed(judged: Book) -> None:
    with judged.ledger.write() as connection:
        connection.exec_driver_sql("DELETE FROM verdicts WHERE loan = 'B' AND no = (SELECT max(no) FROM verdicts)")
    assert "end of the chain" in judged.ledger.consult(verify_chain, LENDER, "B").why


def test_erasing_the_inputs_leaves_the_proof(judged: Book) -> None:
    with judged.ledger.write() as connection:
        connection.exec_driver_sql("UPDATE verdicts SET inputs = ''")
    assert judged.ledger.consult(verify_chain, LENDER, "B").broken_at is None
    with pytest.raises(NotFound, match="erased"):
        judged.ledger.consult(decide_again, LENDER, "B", 1)


def test_a_stored_case_is_decided_again_alike_under_the_packs_of_its_day(judged: Book) -> None:
    stored = judged.ledger.consult(queries.explain, LENDER, "B")
    tighter = {**PACK, "test/rules.yaml": PACK["test/rules.yaml"].replace('["08:00", "21:00"]', '["13:00", "14:00"]')}
    judged.ledger.transact(published.publish, tighter)
    for one in stored:
        again = judged.ledger.consult(decide_again, LENDER, "B", one.no)
        assert type(again).__name__.lower() == one.kind
        assert again.grounds == one.grounds


def test_nothing_that_names_a_person_is_in_a_verdict_or_a_fact(judged: Book) -> None:
    with judged.ledger.read() as connection:
        for table in ("verdicts", "facts", "contacts", "rung_claims", "loans", "outbox", "consents", "tasks"):
            text = repr(connection.exec_driver_sql(f"SELECT * FROM {table}").all())
            for secret in (PHONE, PHONE[3:], EMAIL, NAME, "Garden Road"):
                assert secret not in text, (table, secret)


def test_a_publication_is_followed_by_the_next_reservation(book: Book) -> None:
    book.register("A")
    closed = {**PACK, "test/rules.yaml": PACK["test/rules.yaml"].replace('["08:00", "21:00"]', '["13:00", "14:00"]')}
    book.ledger.transact(published.publish, closed)
    result = book.reserve(ask("A"), NOON)
    assert "deferred" == result.outcome  # type: ignore[union-attr]  # noon is not permitted any more
    assert "T-HOURS" == result.judged.rule  # type: ignore[union-attr]
