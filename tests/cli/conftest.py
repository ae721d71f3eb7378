"""The command line as a person calls it, in this process: exit code, output, errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import starter
from duecourse.ledger.registration import register_borrower
from tests.ledger.world import LENDER, Book, mei


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        return json.loads(self.err)["error"]


Say = Callable[..., Said]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """`say("list", "--json")` runs starter.py with these arguments."""
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("DUECOURSE_LEDGER", "TEMPORAL_ADDRESS"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str | Path) -> Said:
        capsys.readouterr()
        code = starter.main([str(one) for one in arguments])
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return run


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    """A ledger with one lender and Mei in it."""
    book = Book(tmp_path)
    book.ledger.transact(register_borrower, LENDER, mei(zones=("Asia/Shanghai",)))
    yield book
    book.ledger.close()


@pytest.fixture
def asking(book: Book, say: Say) -> Say:
    """`say` with the ledger of `book`."""

    def run(*arguments: str | Path) -> Said:
        return say(*arguments, "--ledger", book.url)

    return run
