"""Commands that need no server: what they refuse, how they say it, and with which exit code."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from duecourse.engine import connect as connecting
from duecourse.ledger import settings
from duecourse.ledger.registration import register_borrower, register_lender
from duecourse.ledger.store import Ledger
from tests.cli.conftest import Say
from tests.ledger.world import NOON, Book, ask, lender, mei

EXAMPLES = Path(__file__).parents[2] / "examples"
NOBODY = "127.0.0.1:1"  # no server listens there


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with the example book."""
    for name in ("portfolio.csv", "borrowers.csv", "lenders.yaml"):
        (tmp_path / name).write_text((EXAMPLES / name).read_text("utf-8"), "utf-8")
    return tmp_path


def importing(folder: Path, *more: str) -> list[str]:
    return ["import", str(folder / "portfolio.csv"), "--borrowers", str(folder / "borrowers.csv"),
            "--lenders", str(folder / "lenders.yaml"), "--ledger", f"sqlite:///{folder}/new.db",
            "--address", NOBODY, *more]  # fmt: skip


def spoil(folder: Path) -> None:
    """Two bad rows: a wrong currency code on line 2, an unknown borrower on line 4."""
    lines = (folder / "portfolio.csv").read_text("utf-8").splitlines()
    lines[1] = lines[1].replace(",CNY,", ",yuan,")
    lines[3] = lines[3].replace("CN-002", "CN-999")
    (folder / "portfolio.csv").write_text("\n".join(lines) + "\n", "utf-8")


def test_a_file_with_bad_rows_imports_nothing_and_names_each_of_them(files: Path, say: Say) -> None:
    spoil(files)
    said = say(*importing(files))
    assert (2, "") == (said.code, said.out)
    assert "2 problems; nothing was imported" in said.err
    assert "portfolio.csv, line 2: currency: 'yuan' is not accepted" in said.err
    assert "portfolio.csv, line 4: borrower: 'CN-999' is not accepted" in said.err
    assert not (files / "new.db").exists()


def test_bad_rows_are_json_too(files: Path, say: Say) -> None:
    spoil(files)
    error = say(*importing(files), "--json").error
    assert [("portfolio.csv", 2, "currency", "yuan"), ("portfolio.csv", 4, "borrower", "CN-999")] == [
        (row["file"], row["line"], row["field"], row["value"]) for row in error["rows"]
    ]
    assert all(row["expected"] for row in error["rows"])


def test_a_good_file_without_a_server_says_how_to_start_one(files: Path, say: Say) -> None:
    said = say(*importing(files))
    assert 6 == said.code
    assert f"no Temporal server answers at {NOBODY}" in said.err
    assert "make demo" in said.err
    assert "Traceback" not in said.err


def test_a_missing_file_is_named(files: Path, say: Say) -> None:
    (files / "borrowers.csv").unlink()
    said = say(*importing(files))
    assert 6 == said.code
    assert "borrowers.csv cannot be read" in said.err


@pytest.mark.parametrize(
    "command", [["status", "NONE"], ["explain", "NONE"], ["timeline", "NONE"], ["pay", "NONE", "10"]]
)
def test_an_unknown_loan_is_said_before_any_server_is_asked(asking: Say, command: list[str]) -> None:
    said = asking(*command)
    assert 3 == said.code
    assert "loan 'NONE' is unknown" in said.err
    assert "NotFound" == asking(*command, "--json").error["type"]


def test_a_ledger_that_is_not_there_is_not_made_by_asking_it(tmp_path: Path, say: Say) -> None:
    said = say("list", "--ledger", f"sqlite:///{tmp_path}/none.db")
    assert 6 == said.code
    assert "there is no ledger at" in said.err
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (["pay", "B", "ten"], "amount"),
        (["pay", "B", "0"], "amount"),
        (["pay", "B", "5", "--value-on", "yesterday"], "value_on"),
        (["promise", "B", "5", "--by", "soon"], "by"),
        (["hold", "B", "boredom"], "cause"),
        (["opt-out", "B", "pigeon"], "channel"),
        (["pay", "B", "5", "--at", "2026-02-10T10:00:00"], "at"),
    ],
)
def test_a_malformed_fact_is_refused_with_its_field(book: Book, asking: Say, command: list[str], field: str) -> None:
    book.register("B")
    said = asking(*command, "--address", NOBODY, "--json")
    assert (2, field) == (said.code, said.error["field"])


def test_a_fact_without_a_server_changes_nothing(book: Book, asking: Say) -> None:
    book.register("B")
    assert 6 == asking("pay", "B", "5", "--address", NOBODY).code
    assert () == book.rows("B")


def test_the_server_of_the_environment_is_the_one_that_is_missed(
    book: Book, asking: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.register("B")
    monkeypatch.setenv("TEMPORAL_ADDRESS", NOBODY)
    error = asking("status", "B", "--json").error
    assert (connecting.ServerUnreachable.__name__, 6) == (error["type"], error["exit_code"])
    assert NOBODY in error["message"]


def test_a_command_that_does_not_exist_is_a_usage_error(say: Say) -> None:
    assert (2, "UsageError") == (say("dance").code, say("dance", "--json").error["type"])
    assert 2 == say("pay").code


def test_help_lists_the_commands(say: Say) -> None:
    said = say("--help")
    assert 0 == said.code
    wanted = (
        "start, import, pay, promise, hold, lift, opt-out, reverse, approve, status, timeline, explain, decide, list, "
        "pause-all, fast-forward, outbox, demo, may-act, packs"
    )
    assert [] == [name for name in wanted.split(", ") if name not in said.out]


def test_list_and_status_show_the_book(book: Book, asking: Say) -> None:
    book.register("A")
    book.register("B")
    book.send(ask("A"), NOON)
    book.reserve(ask("B"), NOON)
    listed = asking("list", "--json").json
    assert [("A", "300.00", "CNY"), ("B", "300.00", "CNY")] == [
        (one["loan"], one["balance"], one["currency"]) for one in listed
    ]
    seen = asking("status", "--json").json
    assert [{"channel": "sms", "state": "accepted", "count": 1}] == seen["messages"]
    assert {"verdict": "withhold", "rule": "T-CAP", "reason": "Cap", "count": 1} in seen["verdicts"]
    assert "T-CAP" in asking("status").out
    assert "2 loans: 2 overdue" in asking("status").out


def test_pause_all_says_since_when_and_resume_ends_it(book: Book, asking: Say) -> None:
    assert 0 == asking("pause-all").code
    assert book.ledger.consult(settings.paused_since) is not None
    assert "All sends are paused since" in asking("status").out
    assert None is asking("pause-all", "--resume", "--json").json["paused_since"]
    assert book.ledger.consult(settings.paused_since) is None


def test_the_outbox_lists_what_no_loan_has_acknowledged(book: Book, asking: Say) -> None:
    book.register("B")
    (waiting,) = asking("outbox", "--json").json["waiting"]
    assert {"lender": "L1", "loan": "B", "rows": 1, "start": True} == waiting


def test_fast_forward_refuses_what_is_no_moment_ahead(book: Book, asking: Say) -> None:
    book.register("B")
    past = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    for until in ("tomorrow", "2027-05-01T00:00:00", past):
        assert (2, "until") == (
            asking("fast-forward", until).code,
            asking("fast-forward", until, "--json").error["field"],
        )


def test_fast_forward_refuses_a_ledger_of_real_loans(say: Say, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/real.db"
    Ledger.open(url).close()

    async def nobody(*_: Any, **__: Any) -> None:
        return None

    monkeypatch.setattr(connecting, "connect", nobody)  # refused before anybody is asked
    said = say("fast-forward", "30d", "--ledger", url)
    assert (5, "") == (said.code, said.out)


def test_start_refuses_a_loan_of_nobody(book: Book, asking: Say) -> None:
    options = ["start", "--lender", "L1", "--loan", "N", "--borrower", "GHOST", "--product", "consumer_loan",
               "--currency", "CNY", "--principal", "100.00", "--first-due", "2027-01-10", "--ladder", "cn_consumer",
               "--disbursed-on", "2026-12-10", "--address", NOBODY]  # fmt: skip
    said = asking(*options)
    assert 2 == said.code
    assert "borrower: 'GHOST' is not accepted" in said.err
    assert "nothing was started" in said.err


def test_start_reads_a_loan_from_json_and_an_option_wins(book: Book, asking: Say, tmp_path: Path) -> None:
    file = tmp_path / "loan.json"
    loan = {"lender": "L1", "loan": "N", "borrower": "B-MEI", "product": "consumer_loan", "currency": "CNY",
            "principal": "100.00", "first_due": "2027-01-10", "ladder": "cn_consumer"}  # fmt: skip
    file.write_text(json.dumps(loan), "utf-8")
    said = asking("start", file, "--ladder", "stairs", "--address", NOBODY)
    assert 2 == said.code
    assert "ladder: 'stairs'" in said.err
    missing = asking("start", file, "--address", NOBODY)
    assert 2 == missing.code
    assert "disbursed_on" in missing.err


def test_a_review_that_is_not_open_cannot_be_answered(book: Book, asking: Say) -> None:
    book.register("B")
    said = asking("approve", "B", "--by", "staff-7", "--address", NOBODY)
    assert 3 == said.code
    assert "no review of it is open" in said.err


def test_a_loan_that_two_lenders_have_needs_its_lender_s_name(book: Book, asking: Say) -> None:
    book.ledger.transact(register_lender, lender(id="L2"))
    book.ledger.transact(register_borrower, "L2", mei())
    book.register("B")
    book.register("B", lender="L2")
    said = asking("timeline", "B")
    assert 3 == said.code
    assert "name the lender too: L1, L2" in said.err
    assert "L2" == asking("timeline", "B", "--lender", "L2", "--json").json["lender"]
