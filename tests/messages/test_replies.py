"""Replies are classified by rule: what they say, and that a negation, a condition or a doubt takes it back."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.messages.replies import LONGEST_REPLY, read_reply

LABELLED: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("replies.yaml").read_text("utf-8"))
EACH = [(label, text) for label, texts in LABELLED.items() for text in texts]
SAYS = {
    label: [text for text in texts if len(text.split()) > 1 or not text.isascii()] for label, texts in LABELLED.items()
}
CLAIMS = ("dispute", "hardship", "lawyer", "wrong_person", "paid_claim")
ENGLISH = [text for kind in CLAIMS for text in SAYS[kind] if text.isascii() and text[0] in "IWT" and "," not in text]
CHINESE = [
    text
    for kind in CLAIMS
    for text in SAYS[kind]
    if text.startswith(("我", "这", "有")) and "，" not in text and "。" not in text
]


@pytest.mark.parametrize(("label", "text"), EACH)
def test_a_reply_says_what_a_person_reads_in_it(label: str, text: str) -> None:
    expected = set() if label == "unclassified" else set(label.split("+"))

    assert expected == set(read_reply(text).kinds)


def test_two_hundred_replies_are_labelled() -> None:
    assert len({text for _, text in EACH}) == len(EACH) >= 200


def test_a_reading_names_its_rules_and_their_version() -> None:
    reading = read_reply("I lost my job. Stop texting me")

    assert ("stop:en:1", "hardship:en:1") == reading.rules
    assert reading.version == "2026-11-24"


@pytest.mark.parametrize("before", ["It is not true that", "I never said", "I did not say that", "If", "Nobody said"])
@pytest.mark.parametrize("text", ENGLISH)
def test_what_is_denied_in_english_never_becomes_a_hold(before: str, text: str) -> None:
    sentence = text.rstrip(".!").replace("I've", "I have")

    assert () == read_reply(f"{before} {sentence}").kinds


@pytest.mark.parametrize("before", ["我没说过", "并不是", "如果", "不是说", "没有人说"])
@pytest.mark.parametrize("text", CHINESE)
def test_what_is_denied_in_chinese_never_becomes_a_hold(before: str, text: str) -> None:
    assert () == read_reply(before + text).kinds


@given(st.sampled_from(EACH), st.sampled_from(["", " ", "  ", "\n"]), st.sampled_from(["", ".", "!", "!!", "。", "！"]))
@settings(max_examples=300, deadline=None)
def test_case_space_and_marks_of_emphasis_change_nothing(one: tuple[str, str], before: str, after: str) -> None:
    _, text = one
    if text.endswith(("?", "？")):
        after = ""

    assert read_reply(text).kinds == read_reply(before + text.upper() + after).kinds


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_whatever_is_written_is_read_without_an_error(text: str) -> None:
    assert set(read_reply(text).kinds) <= {"stop", *CLAIMS}


@given(st.sampled_from(["a ", "stop ", "我", "不", "no ", "i paid ", "还"]), st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_a_very_long_reply_is_read_up_to_a_bound(piece: str, times: int) -> None:
    long = piece * (LONGEST_REPLY * times)

    assert read_reply(long) == read_reply(long[:LONGEST_REPLY])
