"""What loans are still to be told, the book clock, and the ledger's own thread."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from duecourse.errors import InvalidInput, NotAllowed
from duecourse.ledger import clock, outbox, queries, settings
from duecourse.ledger.sending import Sending
from duecourse.ledger.store import Ledger
from tests.ledger.world import NOON, START, Book, ask, payment

REAL = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_relay_waits_for_whoever_recorded_the_fact(book: Book) -> None:
    book.register("A", now=NOON)
    assert () == book.ledger.consult(outbox.due, NOON + timedelta(seconds=9))
    assert 1 == len(book.ledger.consult(outbox.due, NOON + timedelta(seconds=10)))


def test_an_acknowledged_row_is_never_told_again_and_no_later_row_has_its_id(book: Book) -> None:
    first = book.register("A", now=NOON)
    assert 1 == book.ledger.transact(outbox.acknowledge, first.outbox)
    assert 0 == book.ledger.transact(outbox.acknowledge, first.outbox)
    later = book.record("A", payment("p1"), NOON)
    assert set(later.outbox).isdisjoint(first.outbox)
    assert 1 == book.ledger.consult(outbox.pending)
    assert 0 == book.ledger.transact(outbox.acknowledge, ())


def test_a_batch_is_one_loan_s_rows_in_their_sequence(book: Book) -> None:
    book.register("A", now=START)
    book.register("B", now=START)
    for n in range(3):
        book.record("A", payment(f"a{n}", "1.00"), NOON)
        book.record("B", payment(f"b{n}", "1.00"), NOON)
    batches = book.ledger.consult(outbox.due, NOON, older_than=timedelta(0))
    assert [("A", [1, 2, 3]), ("B", [1, 2, 3])] == [
        (batch.loan, [row.loan_seq for row in batch.rows]) for batch in batches
    ]


def test_the_book_clock_moves_forward_in_a_sandbox(book: Book) -> None:
    assert timedelta(0) == book.ledger.consult(clock.book_offset)
    moved = book.ledger.transact(clock.move, REAL + timedelta(days=30), REAL)
    assert timedelta(days=30) == moved == book.ledger.consult(clock.book_offset)
    with pytest.raises(InvalidInput, match="never goes back"):
        book.ledger.transact(clock.move, REAL + timedelta(days=29), REAL)


def test_the_book_clock_of_a_real_ledger_never_moves(tmp_path: Path) -> None:
    Ledger.open(f"sqlite:///{tmp_path}/real.db").close()
    ledger = Ledger.open(f"sqlite:///{tmp_path}/real.db", sandbox=True)
    with pytest.raises(NotAllowed, match="sandbox"):
        ledger.transact(clock.move, REAL + timedelta(days=30), REAL)
    ledger.close()


def test_a_pause_keeps_its_beginning(book: Book) -> None:
    assert NOON == book.ledger.transact(settings.pause_all, NOON)
    assert NOON == book.ledger.transact(settings.pause_all, NOON + timedelta(hours=1))
    assert NOON == book.ledger.consult(settings.paused_since)
    book.ledger.transact(settings.resume_all)
    assert book.ledger.consult(settings.paused_since) is None


def _thread(_connection: Connection) -> int:
    return threading.get_ident()


async def test_a_free_ledger_is_asked_where_the_caller_runs(book: Book) -> None:
    here = threading.get_ident()
    assert here == await book.ledger.transacting(_thread)
    assert here == await book.ledger.consulting(_thread)


async def test_where_somebody_writes_the_event_loop_goes_on_and_the_work_waits_in_one_thread(book: Book) -> None:
    other = Ledger.open(book.url)
    with other.write():
        assert threading.get_ident() == await book.ledger.consulting(_thread)  # readers wait for nobody
        waiting = [asyncio.create_task(book.ledger.transacting(_thread)) for _ in range(3)]
        await asyncio.sleep(0.05)  # the loop turns: all three have found the lock taken
        assert not any(task.done() for task in waiting)
    threads = set(await asyncio.gather(*waiting))
    other.close()
    assert 1 == len(threads)
    assert threading.get_ident() not in threads


async def test_what_fails_on_the_event_loop_is_rolled_back_and_not_tried_again(book: Book) -> None:
    tried = []

    def fail(connection: Connection) -> None:
        tried.append(settings.pause_all(connection, NOON))
        raise InvalidInput("field", "value", "another one")

    with pytest.raises(InvalidInput):
        await book.ledger.transacting(fail)
    assert [NOON] == tried
    assert await book.ledger.consulting(settings.paused_since) is None


def test_a_sending_mode_is_off_unless_it_is_said_and_never_guessed() -> None:
    assert "off" == Sending().mode
    assert not Sending().reaches("anybody")
    with pytest.raises(InvalidInput, match="allowlist"):
        Sending.of("yes")


def test_lists_and_counts_tell_what_the_rows_say(book: Book) -> None:
    book.register("A")
    book.register("B")
    book.send(ask("A"), NOON)
    book.reserve(ask("B"), NOON)
    lines = book.ledger.consult(queries.list_loans, NOON)
    assert [("A", "due", "300.00"), ("B", "due", "300.00")] == [(x.loan, x.stage, str(x.balance)) for x in lines]
    assert {("sms", "accepted"): 1} == book.ledger.consult(queries.count_contacts)
    assert {("permit", ""): 1, ("withhold", "T-CAP"): 1} == book.ledger.consult(queries.count_verdicts)
    story = book.ledger.consult(queries.story, "L1", "A", NOON)
    assert (1, 1, 1) == (len(story.rows), len(story.verdicts), len(story.contacts))
    assert ("L1", "A") == book.ledger.consult(queries.find_loan, "A")
