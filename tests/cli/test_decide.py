"""`decide`: a verdict from a file or from standard input, without a server, as scripts rely on it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Say

ROOT = Path(__file__).parents[2]

CASE: dict[str, Any] = {
    "version": 1,
    "packs": ["us/federal"],
    "lender": {"role": "third_party_collector", "agreements": []},
    "borrower": {
        "id": "B-1",
        "residence": {"country": "US", "region": "NY", "city": "New York", "postal_code": "10001"},
        "zones": ["America/New_York", "America/Los_Angeles"],
        "language": "en",
        "consents": [],
        "preferences": [],
        "holds": [],
    },
    "debts": [{"id": "L-1", "product": "consumer_loan", "days_past_due": 12, "balance": "500.00", "currency": "USD"}],
    "history": [],
    "request": {
        "channel": "call",
        "address": "+14155550100",
        "recipient": "debtor",
        "debts": ["L-1"],
        "purpose": "collection",
        "obligation": None,
        "at": "2026-03-06T13:30:00Z",
        "not_after": "2026-03-10T00:00:00Z",
    },
}


def case(**request: Any) -> dict[str, Any]:
    changed = deepcopy(CASE)
    changed["request"] |= request
    return changed


def written(folder: Path, data: Any) -> Path:
    file = folder / "case.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    return file


def test_a_case_gets_its_verdict_as_json_and_exit_code_0(tmp_path: Path, say: Say) -> None:
    said = say("decide", written(tmp_path, CASE))
    assert (0, "") == (said.code, said.err)
    assert ("defer", "2026-03-06T16:00:00Z") == (said.json["verdict"], said.json["until"])
    assert ["US-F-03"] == [finding["rule"] for finding in said.json["findings"]]


@pytest.mark.parametrize(
    ("holds", "verdict"),
    [([], "permit"), ([{"cause": "dispute", "debt": "L-1", "from": "2026-03-01", "to": None}], "withhold")],
)
def test_any_verdict_is_an_answer(tmp_path: Path, say: Say, holds: list[Any], verdict: str) -> None:
    data = case(at="2026-03-06T18:00:00Z")
    data["borrower"]["holds"] = holds
    said = say("decide", written(tmp_path, data))
    assert (0, verdict) == (said.code, said.json["verdict"])


def test_a_refused_case_names_field_value_and_what_is_expected_and_exits_2(tmp_path: Path, say: Say) -> None:
    data = deepcopy(CASE)
    data["borrower"]["zones"] = ["Mars/Olympus"]
    said = say("decide", written(tmp_path, data))
    assert (2, "") == (said.code, said.out)
    assert "borrower.zones" in said.err
    assert "Mars/Olympus" in said.err
    assert "Traceback" not in said.err


def test_a_refusal_is_json_too(tmp_path: Path, say: Say) -> None:
    data = deepcopy(CASE)
    del data["lender"]
    error = say("decide", written(tmp_path, data), "--json").error
    assert ("InvalidInput", 2, "lender") == (error["type"], error["exit_code"], error["field"])


def test_standard_input_is_a_dash(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(CASE)))
    assert "defer" == say("decide", "-").json["verdict"]


def test_a_file_that_is_not_there_exits_6(tmp_path: Path, say: Say) -> None:
    said = say("decide", tmp_path / "none.json")
    assert 6 == said.code
    assert "none.json cannot be read" in said.err


def test_lines_are_answered_a_line_each_and_a_refused_one_does_not_stop_the_others(tmp_path: Path, say: Say) -> None:
    file = tmp_path / "cases.jsonl"
    lines = [json.dumps(CASE), "{broken", "", json.dumps(case(at="2026-03-06T18:00:00Z"))]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    said = say("decide", file, "--lines")
    first, refused, last = (json.loads(line) for line in said.out.splitlines())
    assert 2 == said.code
    assert ("defer", "permit") == (first["verdict"], last["verdict"])
    assert (2, "case") == (refused["error"]["line"], refused["error"]["field"])


@pytest.mark.parametrize(("lang", "word"), [("en", "Earliest under US-F-03"), ("zh", "依 US-F-03")])
def test_explain_says_it_in_words(tmp_path: Path, say: Say, lang: str, word: str) -> None:
    assert word in say("decide", written(tmp_path, CASE), "--explain", "--lang", lang).out


def test_it_needs_neither_temporal_nor_a_database(tmp_path: Path) -> None:
    script = (
        "import sys, starter; code = starter.main(sys.argv[1:]); "
        "heavy = {'temporalio', 'sqlalchemy', 'httpx'} & {name.split('.')[0] for name in sys.modules}; "
        "sys.exit(f'loaded {heavy}' if heavy else code)"
    )
    command = [sys.executable, "-c", script, "decide", str(written(tmp_path, CASE))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (0, "") == (done.returncode, done.stderr)
