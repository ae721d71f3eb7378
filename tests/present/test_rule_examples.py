"""The handbook's examples: made by the gate from the rule's own data, for every rule that says something by itself."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from duecourse.compliance.packs import Pack, load_packs, package_documents
from duecourse.compliance.rules import LocalTime, OneReply
from duecourse.present.handbook import page, page_json
from duecourse.present.words import words_in

TODAY = date(2026, 11, 24)  # a Tuesday: the examples fall on the next day
ENGLISH, CHINESE = words_in("en"), words_in("zh")


def examples(pack: Pack, language: str = "en") -> dict[str, Any]:
    return {rule["id"]: rule["example"] for rule in page_json(pack, words_in(language), TODAY)["rules"]}


@pytest.mark.parametrize("name", sorted(load_packs().packs))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_rule_that_speaks_by_itself_has_an_example(name: str, language: str) -> None:
    pack = load_packs().packs[name]
    silent = {r.id for r in pack.rules if not r.on or isinstance(r.versions[-1].primitive, LocalTime | OneReply)}
    assert silent == {rule for rule, said in examples(pack, language).items() if said is None}


@pytest.mark.parametrize(
    ("name", "rule", "said"),
    [
        ("cn", "CN-02", "Call to the debtor on 25 Nov 2026 at 22:30. It waits until 26 Nov 2026 08:00: 22:30 in "
         "Asia/Shanghai; allowed 08:00-22:00."),
        ("us/federal", "US-F-16", "Call to the debtor on 25 Nov 2026 at 12:00. It waits until 2 Dec 2026 00:00: "
         "7 counted (call) within 7 consecutive days; at most 7 per debt."),
        ("us/federal", "US-F-22", "Call to the debtor on 25 Nov 2026 at 12:00. It goes, with a warning: less than "
         "5 minutes from another contact (call)."),
        ("us/federal", "US-F-33", "Before a report to a credit bureau: the notice must have gone, by letter, e-mail, "
         "SMS, call."),
        ("us/federal", "US-F-27", "What gives rise to it happened yesterday: the notice may go from 24 Nov 2026 on and "
         "must go by 29 Nov 2026, by letter, e-mail, call."),
        # It ended with 2022: the example lies in its own time.
        ("us/district_of_columbia", "US-DC-04", "Call to the debtor on 29 Sep 2021 at 12:00. It waits until "
         "6 Oct 2021 00:00: 3 counted (call) within 7 consecutive days; at most 3 per debt."),
        ("cn", "FLOOR-04", "Call to the debtor on 25 Nov 2026 at 12:00. A person decides: a hold for a death has stood "
         "since 2026-11-18."),
    ],
)  # fmt: skip
def test_an_example_in_words(name: str, rule: str, said: str) -> None:
    assert said == examples(load_packs().packs[name])[rule]


def test_an_example_in_chinese_and_on_the_page() -> None:
    china = load_packs().packs["cn"]
    said = "2026年11月25日22:30以电话联系债务人。须等到2026年11月26日 08:00"
    assert examples(china, "zh")["CN-02"].startswith(said)
    assert f"- 示例：{said}" in page(china, CHINESE, TODAY)
    assert "- Example: Call to the debtor on 25 Nov 2026 at 22:30." in page(china, ENGLISH, TODAY)


def test_the_example_changes_with_the_rule() -> None:
    texts = package_documents("ca/quebec")
    earlier = {path: text.replace('"08:00", "20:00"', '"09:30", "20:00"') for path, text in texts.items()}
    said = examples(Pack.from_documents(earlier))["CA-QC-01"]
    assert "It waits until 26 Nov 2026 09:30" in said
    assert "allowed 09:30-20:00" in said
