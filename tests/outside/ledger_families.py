"""The outside cases that need the ledger: a cap against attempts made at once, by connections of their own.

The book, its pack and its people are those of the ledger's own tests; the row's cap becomes the pack's limit.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from duecourse.ledger import published
from duecourse.ledger.contacts import accept, mark_sending
from duecourse.ledger.outcomes import Reserved
from duecourse.ledger.reservations import reserve
from duecourse.ledger.store import Ledger
from tests.ledger.world import NOON, ON, PACK, Book, ask, message
from tests.outside.loans_families import NotExpressible


def throttle(given: dict[str, Any]) -> dict[str, Any]:
    """So many loans of one person, each due a message at the same instant, under a cap per person."""
    # All attempts are made at one instant, so that a window of any length contains them all.
    unknown = sorted(set(given) - {"cap", "attempts", "concurrent", "window", "window_s", "unit", "amount"})
    if unknown:
        raise NotExpressible(f"a throttle by {', '.join(unknown)}: our caps count what a person received in a window")
    names = [f"LOAN-{number}" for number in range(given["attempts"])]
    with TemporaryDirectory() as folder:
        book = Book(Path(folder))
        capped = {path: text.replace("limit: 1", f"limit: {given['cap']}") for path, text in PACK.items()}
        with book.ledger.write() as connection:
            published.publish(connection, capped)
        for name in names:
            book.register(name)
        with ThreadPoolExecutor(len(names) if given.get("concurrent") else 1) as pool:
            sent = sum(pool.map(lambda name: _send(book.url, name), names))
        book.ledger.close()
    return {"sent": sent, "skipped": len(names) - sent}


def _send(url: str, name: str) -> bool:
    ledger = Ledger.open(url)
    try:
        result = ledger.transact(reserve, ask(name), NOON, sending=ON)
        if not isinstance(result, Reserved):
            return False
        contact, attempt = result.reservation.contact, result.reservation.attempt
        ledger.transact(mark_sending, contact.id, attempt, contact.closes, NOON, message(NOON))
        return ledger.transact(accept, contact.id, f"P-{contact.id[:8]}", NOON, NOON, 0).outcome == "sent"
    finally:
        ledger.close()
