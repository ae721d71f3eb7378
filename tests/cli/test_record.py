"""`record` and `import --history` without a server: what they refuse, and that nothing is kept then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from duecourse.client import Imported
from duecourse.engine import connect as connecting
from duecourse.ledger.dossier import read_dossier
from duecourse.ledger.store import Ledger
from tests.cli.conftest import Say
from tests.cli.test_commands import NOBODY, importing
from tests.ledger.world import LENDER, Book, scalar

EXAMPLES = Path(__file__).parents[2] / "examples"
CALLED = {
    "kind": "contact", "lender": LENDER, "borrower": "B-MEI", "at": "2026-01-05T02:00:00Z", "channel": "call",
    "loans": ["B"], "purpose": "collection", "result": "no_answer",
}  # fmt: skip
SOLD = {
    "kind": "milestone",
    "lender": LENDER,
    "borrower": "B-MEI",
    "milestone": "sold",
    "loan": "B",
    "on": "2026-01-04",
}


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is there and is not asked: the loans that would hear are told by the relay."""

    async def nobody(*_: Any, **__: Any) -> None:
        return None

    monkeypatch.setattr(connecting, "connect", nobody)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name in ("portfolio.csv", "borrowers.csv", "lenders.yaml", "history.csv"):
        (tmp_path / name).write_text((EXAMPLES / name).read_text("utf-8"), "utf-8")
    return tmp_path


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    file = folder / "old.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows) + "\n", "utf-8")
    return file


def kept(book: Book) -> int:
    with book.ledger.read() as connection:
        return int(scalar(connection, "SELECT count(*) FROM recorded"))


@pytest.mark.usefixtures("connected")
def test_a_file_is_recorded_once_however_often_it_is_given(book: Book, asking: Say, tmp_path: Path) -> None:
    book.register("B")
    file = written(tmp_path, CALLED, SOLD)
    assert {"recorded": 2, "known": 0, "skipped": []} == asking("record", file, "--json").json
    assert {"recorded": 0, "known": 2, "skipped": []} == asking("record", file, "--json").json
    assert "0 records taken in, 2 were there before." == asking("record", file).out.strip()
    past = book.ledger.consult(read_dossier, LENDER, "B").past
    assert (["no_answer"], ["sold"]) == ([one.result for one in past.events], [one.kind for one in past.milestones])


@pytest.mark.usefixtures("connected")
def test_a_bad_row_keeps_the_whole_file_out_and_is_named(book: Book, asking: Say, tmp_path: Path) -> None:
    """One that the file alone tells, one that only the ledger can."""
    book.register("B")
    unreadable = asking("record", written(tmp_path, CALLED, {**SOLD, "on": "soon"}))
    assert (2, "") == (unreadable.code, unreadable.out)
    assert "nothing was recorded" in unreadable.err
    assert "old.jsonl, line 2: on: 'soon' is not accepted" in unreadable.err
    unknown = asking("record", written(tmp_path, CALLED, SOLD, {**SOLD, "loan": "Z"}))
    assert (2, "") == (unknown.code, unknown.out)
    assert (
        "old.jsonl, line 3: loan: 'Z' is not accepted; expected a registered loan of borrower B-MEI (B)" in unknown.err
    )
    assert 0 == kept(book)


@pytest.mark.usefixtures("connected")
def test_skip_bad_records_the_good_rows_and_names_the_others(book: Book, asking: Say, tmp_path: Path) -> None:
    book.register("B")
    file = written(tmp_path, {**SOLD, "loan": "Z"}, CALLED, {**SOLD, "on": "soon"})
    answer = asking("record", file, "--skip-bad", "--json").json
    assert (1, [1, 3]) == (answer["recorded"], [row["line"] for row in answer["skipped"]])
    assert 1 == kept(book)


def test_without_a_server_nothing_is_recorded(book: Book, asking: Say, tmp_path: Path) -> None:
    book.register("B")
    assert 6 == asking("record", written(tmp_path, CALLED), "--address", NOBODY).code
    assert 0 == kept(book)


def test_a_file_that_is_missing_or_of_no_known_kind_is_named(asking: Say, tmp_path: Path) -> None:
    assert 6 == asking("record", tmp_path / "none.csv").code
    (tmp_path / "old.xls").write_text("?")
    assert (2, "file") == ((said := asking("record", tmp_path / "old.xls", "--json")).code, said.error["field"])


def test_an_import_with_a_bad_row_of_history_starts_nothing(files: Path, say: Say) -> None:
    table = (files / "history.csv").read_text("utf-8").replace(",no_answer,", ",nobody_home,", 1)
    (files / "history.csv").write_text(table, "utf-8")
    said = say(*importing(files, "--history", str(files / "history.csv")))
    assert (2, "") == (said.code, said.out)
    assert "nothing was imported" in said.err
    assert "history.csv, line 2: result: 'nobody_home' is not accepted" in said.err
    assert not (files / "new.db").exists()


@pytest.mark.usefixtures("connected")
def test_an_import_with_history_the_ledger_refuses_starts_nothing(files: Path, say: Say) -> None:
    with (files / "history.csv").open("a", encoding="utf-8") as file:
        file.write("milestone,,harborline,US-104,,,,,,,,,HL-9999,,,,,,,,,,,sold,2026-10-01,\n")
    said = say(*importing(files, "--history", str(files / "history.csv")))
    assert 2 == said.code
    assert "history.csv, line 14: loan: 'HL-9999' is not accepted" in said.err
    ledger = Ledger.open(f"sqlite:///{files}/new.db")
    with ledger.read() as connection:
        assert [0, 0] == [scalar(connection, f"SELECT count(*) FROM {name}") for name in ("loans", "recorded")]
    ledger.close()


@pytest.mark.usefixtures("connected")
def test_history_is_on_record_before_the_first_loan_starts(
    files: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    async def start(session: Any, _lender: Any, loan: Any, _borrowers: Any) -> Imported:
        with session.ledger.read() as connection:
            seen.append(int(scalar(connection, "SELECT count(*) FROM recorded")))
        return Imported(loan.lender, loan.loan, "new")

    monkeypatch.setattr("duecourse.client.start_loan", start)
    said = say(*importing(files, "--history", str(files / "history.csv")))
    assert 0 == said.code, said.err
    assert [12] * 15 == seen
