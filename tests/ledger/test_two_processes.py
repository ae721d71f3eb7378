"""Two operating-system processes at one ledger: a cap of one holds, and sequences have no gaps."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from duecourse.ledger import outbox, queries
from duecourse.ledger.dossier import rows_after
from duecourse.ledger.registration import register_borrower
from duecourse.ledger.verdicts import verify_chain
from tests.ledger.world import LENDER, NOON, Book, mei

ROOT = Path(__file__).parents[2]
ATTEMPTS = 300
PERSONS = 15

RACE = """
import json, sys
from duecourse.ledger.outcomes import Reserved
from duecourse.ledger.reservations import reserve
from duecourse.ledger.store import Ledger
from tests.ledger.world import NOON, ON, ask
ledger = Ledger.open(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
won = [name for name in json.loads(sys.argv[2])
       if isinstance(ledger.transact(reserve, ask(name), NOON, sending=ON), Reserved)]
ledger.close()
print(json.dumps(won))
"""

PAY = """
import sys
from datetime import timedelta
from duecourse.ledger.facts import record
from duecourse.ledger.store import Ledger
from duecourse.loans.facts import OptOut
from tests.ledger.world import LENDER, NOON, payment
ledger = Ledger.open(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for n in range(40):
    ledger.transact(record, LENDER, sys.argv[2], payment(f"{sys.argv[3]}-{n}", "0.01"), NOON)
    ledger.transact(record, LENDER, sys.argv[2], OptOut(id=f"o-{sys.argv[3]}-{n}", at=NOON, channel="visit"), NOON)
ledger.close()
"""


def race(code: str, *arguments: tuple[str, ...]) -> list[str]:
    """Run the code once for each set of arguments, all let go at the same moment; their last lines."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, *one],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for one in arguments
    ]
    for one in running:
        assert one.stdout is not None
        assert "ready\n" == one.stdout.readline(), one.communicate()[1]
    for one in running:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    ends = [one.communicate(timeout=100) for one in running]
    assert [0] * len(running) == [one.returncode for one in running], ends
    return [out.strip() for out, _ in ends]


@pytest.mark.slow
def test_a_cap_of_one_holds_for_each_person_over_three_hundred_attempts(book: Book) -> None:
    loans = [(f"L-{person}-{n}", f"B-{person}") for n in range(ATTEMPTS // PERSONS) for person in range(PERSONS)]
    for person in range(PERSONS):
        book.ledger.transact(register_borrower, LENDER, mei(id=f"B-{person}"))
    for loan, debtor in loans:
        book.register(loan, debtor=debtor)
    names = [loan for loan, _ in loans]
    halves = race(RACE, (book.url, json.dumps(names[::2])), (book.url, json.dumps(names[1::2])))
    won = [name for half in halves for name in json.loads(half)]
    persons = dict(loans)
    assert {f"B-{person}": 1 for person in range(PERSONS)} == Counter(persons[name] for name in won)
    assert {("sms", "reserved"): PERSONS} == book.ledger.consult(queries.count_contacts)
    assert sum(book.ledger.consult(queries.count_verdicts).values()) == ATTEMPTS, "each silence has its verdict"


@pytest.mark.slow
def test_sequences_have_no_gaps_and_nothing_is_lost_under_two_writers(book: Book) -> None:
    for name in ("A", "B"):
        book.register(name)
    race(PAY, (book.url, "A", "one"), (book.url, "B", "two"))
    for name in ("A", "B"):
        rows = book.ledger.consult(rows_after, LENDER, name, 0)
        assert list(range(1, 121)) == [row.loan_seq for row in rows], "40 payments, 40 of its own opt-outs, 40 told"
        assert book.ledger.consult(verify_chain, LENDER, name).broken_at is None
    assert 2 + 240 == book.ledger.consult(outbox.pending)
    assert NOON.tzinfo is not None
