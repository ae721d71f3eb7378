"""Chinese texts of rules and reasons are set as Chinese: a compliance team prints them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import duecourse.compliance

ROOT = Path(duecourse.compliance.__file__).parent
FILES = sorted(ROOT.rglob("*.yaml"))
ASCII_MARK = re.compile(
    r"[\u4e00-\u9fff》）」”]\s*[,;:?!]\s*[\u4e00-\u9fff《（「“]|[\u4e00-\u9fff》][(]|[)][\u4e00-\u9fff]"
)
FOLDED = re.compile(r"[\u4e00-\u9fff，；。：、]\s+[，；。：、（]|[，；。：、]\s+[\u4e00-\u9fff]")


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for pair in value.items():
            yield from texts(list(pair))
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


def wrong(value: Any) -> list[str]:
    return [text for text in texts(value) if ASCII_MARK.search(text) or FOLDED.search(text)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_ascii_mark_stands_between_chinese_characters(path: Path) -> None:
    assert [] == wrong(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("text", ["周日,不得联系", "不计;各笔", "可以吗?不可以", "短信(含彩信)", "不计， 各笔"])
def test_such_marks_are_found(text: str) -> None:
    assert [text] == wrong({"rules": [{"text": {"zh": text}}]})
