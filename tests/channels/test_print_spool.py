"""The print shop's folder: each letter is ordered once, whole, whatever is repeated, shared or broken off."""

from __future__ import annotations

import asyncio
import hashlib
import json
import multiprocessing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from duecourse.channels.adapter import Accepted, DeadlinePassed, Outgoing, RetryLater
from duecourse.channels.letter_page import Form
from duecourse.channels.print_spool import PrintSpoolAdapter
from duecourse.channels.settings import ChannelSettings, build_adapters
from duecourse.errors import InvalidInput
from tests.channels.conftest import Message
from tests.channels.test_letter_page import a_letter

MANIFEST = "manifest-2026-03-02.jsonl"


def orders(spool: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (spool / MANIFEST).read_text("utf-8").splitlines()]


async def test_a_letter_is_a_file_and_a_line_without_a_name_or_an_address(sms: Message, tmp_path: Path) -> None:
    accepted = await PrintSpoolAdapter(tmp_path, Form.US_10).send(a_letter(sms))

    contact = sms().contact_id
    assert accepted == Accepted(f"{contact}.pdf")
    (order,) = orders(tmp_path)
    file = (tmp_path / order["file"]).read_bytes()
    assert order == {
        "contact": contact,
        "file": f"{contact}.pdf",
        "sha256": hashlib.sha256(file).hexdigest(),
        "bytes": len(file),
        "form": "us_10",
        "language": "en",
        "at": "2026-03-02T15:00:00+00:00",
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{contact}.pdf", MANIFEST]
    assert {path.stat().st_mode & 0o007 for path in tmp_path.iterdir()} == {0}


async def test_a_repeat_orders_nothing_also_when_the_shop_took_the_file(sms: Message, tmp_path: Path) -> None:
    spool = PrintSpoolAdapter(tmp_path, Form.US_10)
    first = await spool.send(a_letter(sms))
    (tmp_path / first.provider_id).unlink()

    assert await spool.send(a_letter(sms)) == first
    assert len(orders(tmp_path)) == 1
    assert not (tmp_path / first.provider_id).exists()


async def test_what_a_death_left_half_done_is_mended_by_the_repeat(sms: Message, tmp_path: Path) -> None:
    """The file was there, and of the line a part only: nobody was told of it, so it is ordered, once."""
    spool = PrintSpoolAdapter(tmp_path, Form.US_10)
    await spool.send(a_letter(sms))
    whole = (tmp_path / MANIFEST).read_bytes()
    (tmp_path / MANIFEST).write_bytes(whole[: len(whole) // 2])

    await spool.send(a_letter(sms))
    await spool.send(a_letter(sms, contact_id="another"))

    assert (tmp_path / MANIFEST).read_bytes().startswith(whole)
    assert [order["contact"] for order in orders(tmp_path)] == [sms().contact_id, "another"]


async def test_after_the_deadline_nothing_is_ordered(sms: Message, tmp_path: Path, a_second_ago: float) -> None:
    with pytest.raises(DeadlinePassed):
        await PrintSpoolAdapter(tmp_path, Form.US_10).send(a_letter(sms, deadline=a_second_ago))
    assert list(tmp_path.iterdir()) == []


async def test_a_newer_attempt_is_asked_for_last_and_stops_the_order(sms: Message, tmp_path: Path) -> None:
    def superseded() -> None:
        raise RuntimeError("a newer attempt owns it")

    with pytest.raises(RuntimeError):
        await PrintSpoolAdapter(tmp_path, Form.US_10).send(a_letter(sms, may_send=superseded))
    assert orders(tmp_path) == []
    assert not list(tmp_path.glob("*.pdf"))


async def test_a_folder_that_cannot_be_written_orders_nothing(sms: Message, tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")

    with pytest.raises(RetryLater):
        await PrintSpoolAdapter(tmp_path / "spool", Form.US_10).send(a_letter(sms))


def _print_all(spool: Path, letters: list[tuple[str, str, str, str, datetime]]) -> None:
    messages = [
        Outgoing(contact, address, sender, None, text, None, "en", at, float("inf"))
        for contact, address, sender, text, at in letters
    ]

    async def all_at_once() -> None:
        adapter = PrintSpoolAdapter(spool, Form.US_10)
        await asyncio.gather(*(adapter.send(message) for message in messages))

    asyncio.run(all_at_once())


def test_processes_that_share_a_folder_lose_and_double_nothing(sms: Message, tmp_path: Path) -> None:
    one = a_letter(sms)
    letters = [(f"{number:032x}", one.address, one.sender, one.text, one.at) for number in range(20)]
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_print_all, args=(tmp_path, letters)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert sorted(order["contact"] for order in orders(tmp_path)) == [contact for contact, *_ in letters]


async def test_a_spool_in_the_environment_takes_the_letters_from_the_worklist(tmp_path: Path) -> None:
    async def no_task(contact_id: str, channel: str, text: str, language: str, at: datetime) -> None:
        raise AssertionError("no task is expected here")

    given = {"DUECOURSE_PRINT_SPOOL": str(tmp_path), "DUECOURSE_PRINT_FORM": "din_5008_b"}
    adapters = build_adapters(ChannelSettings.from_environment(given), no_task)

    assert adapters["letter"].provider == "print_spool"
    assert adapters["call"].provider == "worklist"
    assert adapters.sender(adapters["letter"], "Harbor Credit\n1 Wharf") == "Harbor Credit\n1 Wharf"


@pytest.mark.parametrize("form", ["", "a4", "printed_by_service"])
def test_a_spool_must_name_its_envelope(tmp_path: Path, form: str) -> None:
    """The window is where the shop's envelopes have it, and nobody can guess that."""
    with pytest.raises(InvalidInput) as refused:
        ChannelSettings.from_environment({"DUECOURSE_PRINT_SPOOL": str(tmp_path), "DUECOURSE_PRINT_FORM": form})
    assert refused.value.field == "DUECOURSE_PRINT_FORM"
