"""`packs`: reading, checking, comparing and publishing rules, as a compliance team does it."""

from __future__ import annotations

from pathlib import Path

import pytest

from duecourse.compliance.packs import load_packs, package_documents
from duecourse.ledger import published
from tests.cli.conftest import Say
from tests.ledger.world import Book

HEADER = """
id: house/policy
title: {en: House policy, zh: 本行规则}
version: 2026-01-01
countries: [SG]
rules: [house/calls.yaml]
"""
RULES = """
rules:
  - id: HOUSE-1
    text: {en: At most seven calls a week., zh: 每周最多七次电话。}
    citation: {title: Board minute 12}
    grade: B
    strength: ban
    coverage: {channels: [call], roles: [creditor]}
    versions:
      - in_force: 2026-01-01
        cap: {limit: 7, window: {days: 7}, per: person}
  - id: HOUSE-2
    text: {en: No letters., zh: 不寄信函。}
    citation: {title: Board minute 13}
    grade: "-"
    strength: ban
    versions:
      - in_force: 2026-01-01
        cap: {limit: 0, window: {days: 1}, per: person}
entries:
  - title: {en: Older policy, zh: 旧规则}
    citation: {title: Board minute 3}
    status: repealed
    in_force: 2020-01-01
    ended: 2026-01-01
    note: {en: Replaced., zh: 已被取代。}
"""


def folder(place: Path, rules: str = RULES, header: str = HEADER) -> Path:
    """A pack in a folder of its own."""
    (place / "house").mkdir(parents=True, exist_ok=True)
    (place / "house" / "policy.yaml").write_text(header, "utf-8")
    (place / "house" / "calls.yaml").write_text(rules, "utf-8")
    return place


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory without a ledger at the usual place."""
    monkeypatch.chdir(tmp_path)


def ledger_of(tmp_path: Path) -> str:
    (file,) = tmp_path.glob("*.db")
    return f"sqlite:///{file}"


def test_list_names_every_shipped_pack_with_its_rules_and_says_nothing_of_a_ledger_that_is_not_there(say: Say) -> None:
    rows = {row["id"]: row for row in say("packs", "list", "--json").json}
    shipped = load_packs().packs
    assert set(shipped) == set(rows)
    assert all(rows[name]["rules"] == len(pack.rules) and rows[name]["in_force"] is None
               for name, pack in shipped.items())  # fmt: skip
    assert "in force here" not in say("packs", "list").out


def test_list_says_what_is_in_force_in_the_ledger(say: Say, book: Book, tmp_path: Path) -> None:
    rows = {row["id"]: row for row in say("packs", "list", "--json", "--ledger", ledger_of(tmp_path)).json}
    held = book.ledger.consult(published.in_force).packs
    assert {name: pack.hash for name, pack in held.items()} == {
        name: row["in_force"] for name, row in rows.items() if row["in_force"]
    }
    assert rows["test"]["shipped"] is None


def test_a_ledger_that_is_named_and_is_not_there_is_said_and_not_made(say: Say, tmp_path: Path) -> None:
    said = say("packs", "list", "--ledger", f"sqlite:///{tmp_path}/none.db")
    assert said.code == 6
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("pack", sorted(load_packs().packs))
def test_a_handbook_page_has_every_rule_of_every_shipped_pack_with_its_words_and_source(
    say: Say, pack: str, lang: str
) -> None:
    said = say("packs", "show", pack, "--lang", lang)
    assert said.code == 0
    for rule in load_packs().packs[pack].rules:
        section = said.out.split(f"## {rule.id}\n", 1)[1].split("\n## ", 1)[0]
        assert " ".join(rule.text.said(lang).split()) in section
        assert rule.citation in section


def test_a_page_says_grade_strength_dates_coverage_parameters_and_what_is_only_remembered(
    say: Say, tmp_path: Path
) -> None:
    page = say("packs", "show", folder(tmp_path / "a")).out
    assert "- Grade: B, from a secondary source" in page
    assert "- Strength: ban: a contact against it is stopped" in page
    assert "- In force: since 1 Jan 2026" in page
    assert "- Covers: lender: creditor; channel: call" in page
    assert "`cap.limit` 7" in page
    assert "- Older policy (Board minute 3): repealed, since 1 Jan 2020, ended on 1 Jan 2026. Replaced." in page
    assert "For people who live in SG." in page
    assert "For people who live in US (MA)." in say("packs", "show", "us/massachusetts").out


def test_a_page_in_chinese_says_the_same(say: Say, tmp_path: Path) -> None:
    page = say("packs", "show", folder(tmp_path / "a"), "--lang", "zh").out
    assert "- 适用范围：机构：债权人；联系方式：电话" in page
    assert "每周最多七次电话。" in page
    assert "已废止" in page


def test_an_unverified_rule_says_whether_it_is_on(say: Say, tmp_path: Path) -> None:
    off = folder(tmp_path / "off", RULES.replace("grade: B", "grade: M"))
    on = folder(tmp_path / "on", RULES.replace("grade: B", "grade: M"), HEADER + "unverified_on: [HOUSE-1]\n")
    assert "unverified: off" in say("packs", "show", off).out
    assert "unverified: on" in say("packs", "show", on).out


def test_a_pack_that_nobody_knows_is_refused_with_those_that_are_known(say: Say) -> None:
    said = say("packs", "show", "us/atlantis")
    assert said.code == 3
    assert "us/federal" in said.err


def test_a_language_that_there_is_not_is_refused(say: Say) -> None:
    assert say("packs", "show", "cn", "--lang", "fr").code == 2


def test_check_passes_a_sound_folder_and_its_header_and_a_part_of_it(say: Say, tmp_path: Path) -> None:
    place = folder(tmp_path / "a")
    for named in (place, place / "house", place / "house" / "policy.yaml"):
        said = say("packs", "check", named, "--json")
        assert (0, []) == (said.code, said.json["refused"])
        assert [("house/policy", 2)] == [(one["id"], one["rules"]) for one in said.json["packs"]]


@pytest.mark.parametrize(
    ("bad", "line", "field", "mend"),
    [
        (RULES.replace("strength: ban", "strenght: ban", 1), 3, "rules.0.strength", "a value for strength"),
        (RULES.replace("limit: 7", "limit: -7"), 11, "rules.0.versions.0.cap.limit", "greater than or equal to 0"),
        (RULES.replace("HOUSE-2", "HOUSE-1"), 12, "rules.1.id", "an id that is new"),
        ("rules: ]", 1, "file", "well-formed YAML"),
    ],
)
def test_check_refuses_with_file_line_field_and_how_to_mend(
    say: Say, tmp_path: Path, bad: str, line: int, field: str, mend: str
) -> None:
    said = say("packs", "check", folder(tmp_path / "a", bad), "--json")
    (refused,) = said.json["refused"]
    assert said.code == 2
    assert ("house/calls.yaml", line, field) == (refused["file"], refused["line"], refused["field"])
    assert mend in refused["expected"]
    text = say("packs", "check", tmp_path / "a")
    assert text.code == 2
    assert f"house/calls.yaml, line {line}: {field}: " in text.out


def test_check_refuses_a_file_that_no_header_names_and_a_folder_without_header(say: Say, tmp_path: Path) -> None:
    place = folder(tmp_path / "a")
    (place / "house" / "forgotten.yaml").write_text(RULES, "utf-8")
    said = say("packs", "check", place)
    assert said.code == 2
    assert "forgotten.yaml" in said.out
    (place / "house" / "policy.yaml").unlink()
    assert say("packs", "check", place).code == 2


def test_check_holds_a_pack_against_the_shipped_ones_that_it_includes(say: Say, tmp_path: Path) -> None:
    assert say("packs", "check", folder(tmp_path / "a", header=HEADER + "includes: [us/federal]\n")).code == 0
    said = say("packs", "check", folder(tmp_path / "b", header=HEADER + "includes: [us/atlantis]\n"))
    assert said.code == 2
    assert "us/atlantis" in said.out


def test_check_flags_what_should_be_looked_at_without_refusing_it(say: Say, tmp_path: Path) -> None:
    said = say("packs", "check", folder(tmp_path / "a", RULES.replace("grade: B", "grade: M")), "--json")
    assert said.code == 0
    assert [("unverified", "HOUSE-1", "house/calls.yaml", 3)] == [
        (flag["kind"], flag["rule"], flag["file"], flag["line"]) for flag in said.json["flags"]
    ]


def test_the_same_pack_differs_in_nothing(say: Say, tmp_path: Path) -> None:
    folder(tmp_path / "a")
    moved = folder(tmp_path / "b", header=HEADER.replace("house/calls", "house/moved"))
    (moved / "house" / "calls.yaml").rename(moved / "house" / "moved.yaml")
    assert "say the same" in say("packs", "diff", tmp_path / "a", moved).out


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ("limit: 7", "limit: 5", "HOUSE-1, the version from 2026-01-01: cap.limit: 7 -> 5"),
        ("grade: B", "grade: A", "HOUSE-1: its grade changed: B -> A"),
        ("minute 12", "minute 14", "HOUSE-1: its source (citation.title) changed: Board minute 12 -> Board minute 14"),
        ("seven calls", "7 calls", "(text.en) changed: At most seven calls a week. -> At most 7 calls a week."),
        ("[creditor]", "[servicer]", "HOUSE-1: coverage.roles: [creditor] -> [servicer]"),
        ("HOUSE-2", "HOUSE-3", "HOUSE-3: new, from 2026-01-01: No letters."),
        ("HOUSE-2", "HOUSE-3", "HOUSE-2: removed: No letters."),
        ("note: {en: Replaced.", "note: {en: Gone.", "Older policy: note.en: Replaced. -> Gone."),
        ("Older policy", "Oldest policy", "Oldest policy: remembered now, without rules"),
        (
            "per: person}\n  - id: HOUSE-2",
            "per: person}\n      - in_force: 2027-01-01\n        cap: {limit: 5, window: {days: 7}, per: person}\n"
            "  - id: HOUSE-2",
            "HOUSE-1: a version from 2027-01-01 is added: cap.limit: 7 -> 5",
        ),
    ],
)
def test_a_difference_is_told_in_words(say: Say, tmp_path: Path, was: str, now: str, told: str) -> None:
    changed = RULES.replace(was, now, 1)
    assert changed != RULES
    said = say("packs", "diff", folder(tmp_path / "a"), folder(tmp_path / "b", changed))
    assert said.code == 0
    assert told in said.out
    data = say("packs", "diff", tmp_path / "a", tmp_path / "b", "--json").json
    assert len(data["changes"]) == said.out.count("\n- ")


def test_publishing_puts_a_pack_in_force_and_a_hash_recalls_what_was_before(
    say: Say, book: Book, tmp_path: Path
) -> None:
    at = ("--ledger", ledger_of(tmp_path))
    first = say("packs", "publish", folder(tmp_path / "a"), *at, "--json").json[0]
    said = say("packs", "publish", folder(tmp_path / "b", RULES.replace("limit: 7", "limit: 5")), *at)
    held = book.ledger.consult(published.in_force).packs["house/policy"]
    assert said.code == 0
    assert f"published, hash {held.hash}, after {first['hash']}" in said.out
    assert "from the next reservation on" in said.out
    assert "cap.limit: 7 -> 5" in say("packs", "diff", first["hash"][:12], "house/policy", *at).out
    assert "in force already" in say("packs", "publish", tmp_path / "b", *at).out


def test_a_refused_pack_leaves_the_ledger_as_it_was(say: Say, book: Book, tmp_path: Path) -> None:
    at = ("--ledger", ledger_of(tmp_path))
    before = {name: pack.hash for name, pack in book.ledger.consult(published.in_force).packs.items()}
    wrong = folder(tmp_path / "a", RULES.replace("limit: 7", "limit: -7"))
    alone = folder(tmp_path / "b", header=HEADER + "includes: [us/atlantis]\n")
    assert (2, 2) == (say("packs", "publish", wrong, *at).code, say("packs", "publish", alone, *at).code)
    assert before == {name: pack.hash for name, pack in book.ledger.consult(published.in_force).packs.items()}


def test_an_id_means_what_is_in_force_and_shipped_means_what_came_with_the_release(
    say: Say, book: Book, tmp_path: Path
) -> None:
    at = ("--ledger", ledger_of(tmp_path))
    changed = package_documents("us/florida")
    header = changed["us/florida.yaml"].replace("version: 2025-05-16", "version: 2027-01-01")
    for path, text in (changed | {"us/florida.yaml": header}).items():
        (tmp_path / "own" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "own" / path).write_text(text, "utf-8")
    assert say("packs", "publish", tmp_path / "own", *at).code == 0
    assert "version: 2025-05-16 -> 2027-01-01" in say("packs", "diff", "shipped:us/florida", "us/florida", *at).out
    assert "the shipped one differs" in say("packs", "list", *at).out
    assert say("packs", "publish", "shipped:us/florida", *at).code == 0
    assert "say the same" in say("packs", "diff", "shipped:us/florida", "us/florida", *at).out


def test_a_lender_is_pinned_to_a_version_until_what_was_published_since_is_reviewed(
    say: Say, book: Book, tmp_path: Path
) -> None:
    at = ("--ledger", ledger_of(tmp_path))
    say("packs", "publish", folder(tmp_path / "a"), *at)
    first = book.ledger.consult(published.in_force).packs["house/policy"].hash
    pinned = say("packs", "pin", "L1", "house/policy", *at)
    assert (0, True) == (pinned.code, f"L1 stays on house/policy 2026-01-01, hash {first}" in pinned.out)
    newer = say("packs", "publish", folder(tmp_path / "b", RULES.replace("limit: 7", "limit: 5")), *at)
    assert f"L1 stays on the version with hash {first}, to which it is pinned" in newer.out
    assert f"L1 is pinned to {first[:12]}" in say("packs", "list", *at).out
    (row,) = [one for one in say("packs", "list", "--json", *at).json if one["id"] == "house/policy"]
    assert {"L1": first} == row["pinned"]
    ended = say("packs", "unpin", "L1", "house/policy", *at)
    assert 0 == ended.code
    assert f"starter.py packs diff {first[:12]} house/policy" in ended.out
    assert "cap.limit: 7 -> 5" in say("packs", "diff", first[:12], "house/policy", *at).out


def test_only_what_is_there_can_be_pinned(say: Say, book: Book, tmp_path: Path) -> None:
    at = ("--ledger", ledger_of(tmp_path))
    for words in (["pin", "nobody", "test"], ["pin", "L1", "atlantis"], ["pin", "L1", "test", "1999-01-01"],
                  ["unpin", "L1", "test"]):  # fmt: skip
        assert 3 == say("packs", *words, *at).code
    assert "2026-01-01" in say("packs", "pin", "L1", "test", "1999-01-01", *at).err, "it names what is there"
