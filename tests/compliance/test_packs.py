"""Packs: made from texts, known by their content, refused with file, line, field and how to mend."""

from __future__ import annotations

import pytest

from duecourse.compliance.case import Place
from duecourse.compliance.packs import Pack, PackSet, load_packs, package_documents
from duecourse.errors import InvalidInput

HEADER = "id: t\ntitle: {en: Test, zh: 测试}\nrules:\n  - t/rules.yaml\n"
RULE = """\
rules:
  - id: T-01
    text: {en: words, zh: 文字}
    citation: {title: Statute 1}
    grade: A
    strength: ban
    versions:
      - adopted: 2019-12-01
        in_force: 2020-01-01
        quiet_hours:
          windows: {daily: [["08:00", "21:00"]]}
          end: inclusive
"""


def pack(rules: str = RULE, header: str = HEADER) -> Pack:
    return Pack.from_documents({"t.yaml": header, "t/rules.yaml": rules})


def test_a_pack_survives_its_documents() -> None:
    """What the ledger stores as rows makes the same pack again, with the same hash."""
    for shipped in load_packs().packs.values():
        again = Pack.from_documents(shipped.documents())
        assert shipped.ref == again.ref
        assert [rule.id for rule in shipped.rules] == [rule.id for rule in again.rules]


def test_the_hash_follows_the_content_not_the_comments() -> None:
    assert pack().hash == pack("# a remark\n" + RULE).hash
    assert pack().hash != pack(RULE.replace("21:00", "20:00")).hash


def test_left_out_the_version_is_the_latest_date_in_force() -> None:
    assert "2020-01-01" == pack().version
    assert "2026-05-05" == pack(header=HEADER + "version: 2026-05-05\n").version


def test_the_shipped_packs_say_their_sources() -> None:
    for shipped in load_packs().packs.values():
        for rule in shipped.rules:
            assert rule.citation
            assert rule.text.en != rule.text.zh
            assert rule.versions


def test_unverified_rules_are_off_unless_the_pack_switches_them_on() -> None:
    unverified = RULE.replace("grade: A", "grade: M")
    assert not pack(unverified).rules[0].on
    assert pack(unverified, HEADER + "unverified_on: [T-01]\n").rules[0].on
    switched_on = [rule.id for p in load_packs().packs.values() for rule in p.rules if rule.grade == "M"]
    assert ["US-F-04", "US-F-33", "US-MA-02"] == sorted(switched_on)


def test_a_second_version_ends_the_first() -> None:
    later = RULE + "      - in_force: 2024-01-01\n        named_times: {}\n"
    first, second = pack(later).rules[0].versions
    assert second.in_force == first.ended
    assert first.ends == second.starts


def test_packs_follow_from_the_country() -> None:
    packs = load_packs()
    assert ("us/federal",) == packs.ids_for(Place("US", "NY", "Albany"))
    assert ("us/federal", "us/new_york_city") == packs.ids_for(Place("US", "NY", "Brooklyn", "11201"))
    assert ("ca/quebec",) == packs.ids_for(Place("CA", "QC"))
    assert ("cn",) == packs.ids_for(Place("CN"))
    assert () == packs.ids_for(Place("FR"))
    assert () == packs.ids_for(None)


def test_an_included_pack_comes_along() -> None:
    base = pack()
    child = Pack.from_documents({
        "u.yaml": "id: u\ntitle: {en: U, zh: 测}\nincludes: [t]\nrules: [u/rules.yaml]\n",
        "u/rules.yaml": RULE.replace("T-01", "U-01"),
    })  # fmt: skip
    assert ["u", "t"] == [ref.id for ref in PackSet([base, child]).select(("u",)).refs]
    with pytest.raises(InvalidInput, match="loaded with it"):
        PackSet([child])


@pytest.mark.parametrize(
    ("name", "change", "field", "line", "mend"),
    [
        ("unknown key", ("grade: A", "grade: A\n    colour: red"), "rules.0.colour", 6, "spelling"),
        ("missing citation", ("    citation: {title: Statute 1}\n", ""), "rules.0.citation", 2, "missing"),
        ("empty citation", ("Statute 1", "''"), "rules.0.citation.title", 4, "at least 1"),
        ("unknown grade", ("grade: A", "grade: Z"), "rules.0.grade", 5, "'A', 'B', 'M'"),
        ("equal start and end", ('"21:00"', '"08:00"'), "quiet_hours.windows", 11, "two different times"),
        ("an hour that does not exist", ('"21:00"', '"29:00"'), "quiet_hours.windows", 11, "00:00 and 24:00"),
        ("a time without quotes", ('"21:00"', "21:00"), "windows.daily", 11, "in quotes"),
        ("no such weekday", ("daily:", "MOON:"), "windows", 11, "daily"),
        ("end neither in- nor exclusive", ("end: inclusive", "end: sharp"), "quiet_hours.end", 12, "inclusive"),
        ("two primitives", ("          end: inclusive\n", "          end: inclusive\n        named_times: {}\n"),
         "versions.0", 8, "exactly one primitive"),
        ("no primitive", ("        quiet_hours:\n          windows: {daily: [[\"08:00\", \"21:00\"]]}\n"
                          "          end: inclusive\n", ""), "versions.0", 8, "exactly one primitive"),
        ("adopted after it was in force", ("2019-12-01", "2020-12-01"), "versions.0", 8, "adopted on or before"),
        ("ended before it began", ("in_force: 2020-01-01", "in_force: 2020-01-01\n        ended: 2019-12-31"),
         "versions.0", 8, "an end after"),
        ("no date", ("in_force: 2020-01-01", "in_force: soon"), "in_force", 9, "date"),
        ("an unknown zone", ("end: inclusive", "end: inclusive\n          zone: Mars/Olympus"), "zone", 13, "IANA"),
        ("a rule that does not exist", ("end: inclusive", "end: inclusive\n          zone_rule: T-99"), "T-01", 2,
         "same pack"),
        ("a key twice", ("grade: A", "grade: A\n    grade: B"), "grade", 6, "once"),
        ("a lower-case id", ("T-01", "t01"), "rules.0.id", 2, "pattern"),
        ("broken YAML", ("text: {en: words", "text: {en: words: more"), "t/rules.yaml", 3, "well-formed"),
    ],
)  # fmt: skip
def test_a_bad_rule_is_refused(name: str, change: tuple[str, str], field: str, line: int, mend: str) -> None:
    assert change[0] in RULE
    with pytest.raises(InvalidInput) as refused:
        pack(RULE.replace(*change, 1))
    assert refused.value.field.startswith("t/rules.yaml"), name
    assert field in refused.value.field
    assert line == refused.value.line
    assert mend in refused.value.expected


def test_overlapping_versions_are_refused() -> None:
    overlapping = RULE.replace("in_force: 2020-01-01", "in_force: 2020-01-01\n        ended: 2025-01-01")
    overlapping += "      - in_force: 2024-01-01\n        named_times: {}\n"
    with pytest.raises(InvalidInput, match="do not overlap"):
        pack(overlapping)
    unordered = RULE + "      - in_force: 2019-01-01\n        named_times: {}\n"
    with pytest.raises(InvalidInput, match="the oldest first"):
        pack(unordered)


def test_one_id_twice_is_refused_and_the_first_place_named() -> None:
    twice = RULE + RULE.removeprefix("rules:\n")
    with pytest.raises(InvalidInput, match=r"t/rules\.yaml:2 has it"):
        pack(twice)


@pytest.mark.parametrize(
    ("header", "mend"),
    [
        (HEADER.replace("id: t", "id: other"), "the file's path"),
        (HEADER.replace("t/rules.yaml", "t/none.yaml"), "a file that exists"),
        (HEADER + "zone: Mars/Olympus\n", "IANA"),
        (HEADER + "unverified_on: [T-01]\n", "grade M"),
        (HEADER + "colour: red\n", "spelling"),
        ("title: {en: t, zh: t}\nrules: []\n", "exactly one header"),
    ],
)
def test_a_bad_header_is_refused(header: str, mend: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        pack(header=header)
    assert mend in refused.value.expected


def test_a_file_that_no_header_names_is_refused() -> None:
    with pytest.raises(InvalidInput, match="every file of the pack"):
        Pack.from_documents({"t.yaml": HEADER, "t/rules.yaml": RULE, "t/more.yaml": RULE})


def test_an_unknown_pack_is_refused_with_those_that_exist() -> None:
    with pytest.raises(InvalidInput, match="us/federal"):
        package_documents("us/atlantis")
    with pytest.raises(InvalidInput, match="us/federal"):
        load_packs().select(("us/atlantis",))
