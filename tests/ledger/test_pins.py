"""A policy changed under running loans: every worker follows at its next send, and a pinned lender when it wants to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from duecourse.errors import InvalidInput, NotFound
from duecourse.ledger import published, queries
from duecourse.ledger.outcomes import Settled
from duecourse.ledger.queries import StoredVerdict
from duecourse.ledger.registration import register_borrower, register_lender
from duecourse.ledger.reservations import reserve
from duecourse.ledger.store import Ledger
from duecourse.ledger.verdicts import decide_again
from tests.ledger.world import LENDER, NOON, ON, PACK, Book, ask, lender, mei


def pack(opens: str, closes: str, version: str) -> dict[str, str]:
    """The test pack with other hours."""
    rules = PACK["test/rules.yaml"].replace('["08:00", "21:00"]', f'["{opens}", "{closes}"]')
    return {"test.yaml": PACK["test.yaml"].replace("2026-01-01", version), "test/rules.yaml": rules}


CLOSED_AT_NOON = pack("13:00", "21:00", "2026-02-01")
EVENINGS = pack("18:00", "21:00", "2026-02-02")


@pytest.fixture
def other(book: Book) -> Iterator[Ledger]:
    """The same ledger as another worker has it open."""
    ledger = Ledger.open(book.url)
    yield ledger
    ledger.close()


def last_verdict(book: Book, loan: str) -> StoredVerdict:
    return book.ledger.consult(queries.explain, LENDER, loan)[-1]


def decide(ledger: Ledger, loan: str) -> str:
    """What a worker that has this ledger open answers at noon: "reserved", or the rule that bound it."""
    result = ledger.transact(reserve, ask(loan), NOON, sending=ON)
    if not isinstance(result, Settled):
        return "reserved"
    assert result.judged is not None
    return result.judged.rule


def test_a_worker_that_runs_follows_a_publication_of_another_process_at_its_next_send(
    book: Book, other: Ledger
) -> None:
    """No restart: `other` has decided under the old version already, and holds it compiled."""
    book.ledger.transact(register_borrower, LENDER, mei(id="B-BO"))
    book.register("A")
    book.register("B", debtor="B-BO")
    assert "reserved" == decide(other, "A")
    before = last_verdict(book, "A").grounds.packs
    book.ledger.transact(published.publish, CLOSED_AT_NOON)
    assert "T-HOURS" == decide(other, "B")
    after = last_verdict(book, "B").grounds.packs
    assert [("test", "2026-01-01", False)] == [(ref.id, ref.version, ref.pinned) for ref in before]
    assert [("test", "2026-02-01", False)] == [(ref.id, ref.version, ref.pinned) for ref in after]
    assert before[0].hash != after[0].hash


def test_a_pinned_lender_stays_where_it_is_and_its_verdicts_say_so(book: Book, other: Ledger) -> None:
    book.register("A")
    chosen = book.ledger.transact(published.pin, LENDER, "test")
    book.ledger.transact(published.publish, CLOSED_AT_NOON)
    assert "reserved" == decide(other, "A")
    (ref,) = last_verdict(book, "A").grounds.packs
    assert ("test", "2026-01-01", chosen.hash, True) == (ref.id, ref.version, ref.hash, ref.pinned)
    again = book.ledger.consult(decide_again, LENDER, "A", 1)
    assert last_verdict(book, "A").grounds == again.grounds


def test_unpinned_it_follows_at_its_next_send(book: Book, other: Ledger) -> None:
    book.register("A")
    book.ledger.transact(published.pin, LENDER, "test")
    newest = book.ledger.transact(published.publish, CLOSED_AT_NOON)
    assert newest.hash == book.ledger.transact(published.unpin, LENDER, "test").hash
    assert "T-HOURS" == decide(other, "A")
    assert [False] == [ref.pinned for ref in last_verdict(book, "A").grounds.packs]
    assert {} == book.ledger.consult(published.pins)


def test_a_version_is_named_by_its_date_or_its_hash(book: Book) -> None:
    first = book.ledger.consult(published.in_force).packs["test"]
    second = book.ledger.transact(published.publish, CLOSED_AT_NOON)
    third = book.ledger.transact(published.publish, EVENINGS)
    assert first.hash == book.ledger.transact(published.pin, LENDER, "test", "2026-01-01").hash
    assert second.hash == book.ledger.transact(published.pin, LENDER, "test", second.hash[:12]).hash
    assert second.hash == book.ledger.transact(published.pin, LENDER, "test").hash, "left out: what it is on"
    assert third.hash == book.ledger.consult(published.in_force).packs["test"].hash


def test_two_versions_of_one_date_are_told_apart_by_hash(book: Book) -> None:
    book.ledger.transact(published.publish, pack("10:00", "21:00", "2026-01-01"))
    with pytest.raises(InvalidInput, match="several published versions"):
        book.ledger.transact(published.pin, LENDER, "test", "2026-01-01")


@pytest.mark.parametrize(
    ("who", "what", "version"),
    [("nobody", "test", None), (LENDER, "atlantis", None), (LENDER, "test", "1999-01-01"), (LENDER, "test", "ab")],
)
def test_what_is_not_there_cannot_be_pinned(book: Book, who: str, what: str, version: str | None) -> None:
    with pytest.raises(NotFound):
        book.ledger.transact(published.pin, who, what, version)
    with pytest.raises(NotFound):
        book.ledger.transact(published.unpin, who, what)
    assert {} == book.ledger.consult(published.pins)


def test_another_lender_is_not_touched_and_a_new_record_keeps_the_pin(book: Book) -> None:
    book.ledger.transact(register_lender, lender(id="L2"))
    chosen = book.ledger.transact(published.pin, LENDER, "test")
    book.ledger.transact(register_lender, lender(name="Plum and Son"))
    assert {LENDER: {"test": chosen.hash}} == book.ledger.consult(published.pins)


def test_a_publication_that_a_pinned_lender_s_packs_do_not_fit_is_refused_whole(book: Book) -> None:
    """The new version names as replaced what the old included pack does not have."""
    base = {
        "house/base.yaml": (
            "id: house/base\ntitle: {en: B, zh: 基}\nversion: 2026-01-01\nrules: [house/base_rules.yaml]\n"
        ),
        "house/base_rules.yaml": PACK["test/rules.yaml"].replace("id: T-", "id: H-"),
    }
    book.ledger.transact(published.publish, base)
    book.ledger.transact(published.pin, LENDER, "house/base")
    wider = {**base, "house/base_rules.yaml": base["house/base_rules.yaml"].replace("H-CAP", "H-NEW")}
    top = {
        "house/top.yaml": (
            "id: house/top\ntitle: {en: T, zh: 上}\nversion: 2026-01-01\nincludes: [house/base]\n"
            "overrides: [H-NEW]\nrules: [house/top_rules.yaml]\n"
        ),
        "house/top_rules.yaml": wider["house/base_rules.yaml"].replace("limit: 1", "limit: 2"),
    }
    before = book.ledger.consult(published.in_force).packs
    with pytest.raises(InvalidInput, match="unpin first"):
        book.ledger.transact(published.publish_all, [wider, only_cap(top)])
    assert before.keys() == book.ledger.consult(published.in_force).packs.keys()
    book.ledger.transact(published.unpin, LENDER, "house/base")
    assert 2 == len(book.ledger.transact(published.publish_all, [wider, only_cap(top)]))


def only_cap(documents: dict[str, str]) -> dict[str, str]:
    """The pack with the one rule that it replaces."""
    text = documents["house/top_rules.yaml"]
    cap = text[text.index("  - id: H-NEW") : text.index("  - id: H-OPT-OUT")]
    return {**documents, "house/top_rules.yaml": f"rules:\n{cap}"}


def test_a_stretch_that_was_reserved_keeps_its_verdict(book: Book) -> None:
    """What went out under the old version is not rewritten by the new one."""
    book.register("A")
    book.send(ask("A"), NOON)
    was = last_verdict(book, "A")
    book.ledger.transact(published.publish, CLOSED_AT_NOON)
    book.reserve(ask("A"), NOON + timedelta(minutes=1))
    assert was == book.ledger.consult(queries.explain, LENDER, "A")[0]
