"""A letter goes from the ladder into the print shop's folder: addressed, dated, and ordered once."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pypdfium2
import pytest

from tests.e2e.house import House, morning
from tests.e2e.ladders import ladder, notice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

DUE = date(2031, 3, 13)


async def test_a_notice_is_printed_with_name_address_sender_and_date(
    empty_house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, spool = empty_house, tmp_path / "spool"
    elsewhere = house.environment()
    monkeypatch.setattr(
        house,
        "environment",
        lambda: {**elsewhere, "DUECOURSE_PRINT_SPOOL": str(spool), "DUECOURSE_PRINT_FORM": "din_5008_b"},
    )
    async with house.workers():
        await house.start(due=DUE, ladder=ladder(notice("notice", 2, "letter", template="overdue_letter")))
        await house.to(morning(DUE + timedelta(days=4)))

    assert house.contact_states() == [("notice", "letter", "accepted")]
    (manifest,) = spool.glob("manifest-*.jsonl")
    (order,) = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    (contact,) = house.contacts()
    assert order["contact"] == contact.id
    printed = pypdfium2.PdfDocument(spool / order["file"])[0].get_textpage().get_text_range()
    for said in ("Sample Road", "Shanghai", "1 Sample Street", "2031"):
        assert said in printed
