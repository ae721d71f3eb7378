"""Whatever happens in whatever order: the ledger's promises hold at the end of each random life."""

from __future__ import annotations

import itertools
import tempfile
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from duecourse.errors import DuecourseError
from duecourse.ledger import queries
from duecourse.ledger.contacts import accept, mark_sending, mark_unknown, receive, release, settle
from duecourse.ledger.dossier import read_dossier
from duecourse.ledger.outcomes import Reserved, Resumed
from duecourse.ledger.verdicts import verify_chain
from duecourse.loans.decisions import Contact
from duecourse.loans.facts import HoldLifted, HoldPlaced, OptOut, Promise, Reversal
from duecourse.loans.loan import Loan
from tests.ledger.world import ATTEMPT, LENDER, Book, ask, message, payment

BEGIN = datetime(2026, 2, 7, 2, tzinfo=UTC)
ACTS = ("contact", "contact", "contact", "pay", "reverse", "hold", "lift", "stop", "promise", "receipt", "nothing")
ENDS = ("accept", "unknown", "release", "undeliverable", "crash_before", "crash_after")
STEPS = st.lists(
    st.tuples(st.sampled_from(("A", "B")), st.sampled_from(ACTS), st.sampled_from(ENDS), st.integers(1, 30)),
    min_size=5,
    max_size=40,
)


def contact(book: Book, name: str, end: str, now: datetime) -> None:
    """What a worker does with the loan's next contact, and how it may end."""
    dossier = book.ledger.consult(read_dossier, LENDER, name)
    match dossier.loan.next(now):
        case Contact() as wanted:
            request = ask(name, wanted.rung, now, episode=wanted.episode, installment=wanted.installment,
                          channel=wanted.channel, closes=wanted.closes, seq=dossier.loan.seq)  # fmt: skip
        case _:
            return
    result = book.reserve(request, now)
    if isinstance(result, Resumed):
        book.ledger.transact(mark_unknown, result.reservation.contact.id, now, request.seq)
    if not isinstance(result, Reserved) or end == "crash_before":
        return
    id_, attempt = result.reservation.contact.id, result.reservation.attempt
    book.ledger.transact(mark_sending, id_, attempt, now + ATTEMPT, now, message(now))
    match end:
        case "accept":
            book.ledger.transact(accept, id_, f"P{id_}", now, now, request.seq)
        case "unknown":
            book.ledger.transact(mark_unknown, id_, now, request.seq)
        case "release":
            book.ledger.transact(release, id_, now)
            book.ledger.transact(settle, request, now)
        case "undeliverable":
            book.ledger.transact(release, id_, now, "undeliverable")
        case _:
            pass  # the worker died with the row at sending


def act(book: Book, name: str, what: str, end: str, now: datetime, step: int) -> None:
    today = date.fromisoformat(now.date().isoformat())
    match what:
        case "contact":
            contact(book, name, end, now)
        case "pay":
            book.record(name, payment(f"p{step}", "55.00", now), now)
        case "reverse":
            book.record(name, Reversal(id=f"r{step}", at=now, payment=f"p{step - 2}"), now)
        case "hold":
            book.record(name, HoldPlaced(id=f"h{step}", at=now, hold=f"H{step}", cause="dispute",
                                         scope="person" if end == "accept" else "debt",
                                         starts=today), now)  # fmt: skip
        case "lift":
            for number in range(step):
                book.record(name, HoldLifted(id=f"l{step}", at=now, hold=f"H{number}", on=today), now)
        case "stop":
            book.record(name, OptOut(id=f"o{step}", at=now, channel="email"), now)
        case "promise":
            book.record(name, Promise(id=f"m{step}", at=now, amount=Decimal(20), currency="CNY", by=today), now)
        case "receipt":
            for one in book.ledger.consult(queries.contacts_of, LENDER, name)[-1:]:
                book.ledger.transact(receive, one.channel, one.provider_id or "?",
                                     "delivered" if end == "accept" else "failed", now, now)  # fmt: skip
        case _:
            pass  # only time passes


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_the_promises_of_the_ledger_hold_after_any_life(steps: list[tuple[str, str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        book = Book(Path(folder))
        book.register("A")
        book.register("B")
        now = BEGIN
        for step, (name, what, end, hours) in enumerate(steps):
            now += timedelta(hours=hours)
            try:
                act(book, name, what, end, now, step)
            except DuecourseError:
                pass  # refused: and then nothing may have been written, which is what follows checks
        check(book)
        book.ledger.close()


def check(book: Book) -> None:
    arrived: Counter[tuple[str, str]] = Counter()
    optional: list[datetime] = []
    for name in ("A", "B"):
        dossier = book.ledger.consult(read_dossier, LENDER, name)
        rows = dossier.rows
        assert list(range(1, len(rows) + 1)) == [row.loan_seq for row in rows], "no gap"
        assert len({row.id for row in rows}) == len(rows)
        assert dossier.loan == Loan.fold(dossier.loan.terms, dossier.loan.ladder, reversed(rows)), "any order"
        assert book.ledger.consult(verify_chain, LENDER, name).broken_at is None
        for one in (one for one in dossier.contacts if one.loan == name):
            if one.state in ("accepted", "delivered"):
                arrived[name, one.claim] += 1
            if one.state in ("sending", "accepted", "delivered", "failed", "unknown") and not one.obligation:
                optional.append(one.at)
    assert all(count == 1 for count in arrived.values()), "no rung arrives twice"
    optional.sort()
    days = [instant.astimezone(UTC) + timedelta(hours=8) for instant in optional]
    for earlier, later in itertools.pairwise(days):
        assert (later.date() - earlier.date()).days >= 7, "the cap of one in seven days, over both loans"
