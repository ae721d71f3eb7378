"""The letter as it is printed: the right words in the right places, the same bytes for the same letter."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pypdfium2
import pytest

from duecourse.channels.adapter import Outgoing
from duecourse.channels.letter_page import Form, LetterUnfit, set_letter
from duecourse.messages.letter import block, dated
from tests.channels.conftest import Message

MM = 72 / 25.4
INCH = 72
LONG = [
    "c/o The Very Long Named Residential Care and Rehabilitation Home",
    "Building 12, Staircase C, Apartment 1407-B",
    "12345 Northwest Saint Bartholomew Boulevard Extension",
    "Rancho Santa Margarita, CA 92688-1234",
]


def a_letter(
    sms: Message, text: str = "About your payment\n\nDear Ana,\n\nYou owe $120.00.", **changes: object
) -> Outgoing:
    language = str(changes.get("language", "en"))
    given: dict[str, object] = {
        "text": dated(text, date(2026, 3, 2), language),
        "address": block("Ana Lima", LONG),
        "sender": block("Harbor Credit", ["1 Sample Wharf", "New York, NY 10004"]),
    }
    return sms(**{**given, **changes})


def words(pdf: bytes, page: int = 0) -> str:
    return str(pypdfium2.PdfDocument(pdf)[page].get_textpage().get_text_range()).replace("\r\n", "\n")


def within(pdf: bytes, left: float, top: float, width: float, height: float) -> str:
    """The text inside a box of the first page, measured in points from the upper left corner."""
    page = pypdfium2.PdfDocument(pdf)[0]
    over = page.get_height() - top
    found = page.get_textpage().get_text_bounded(left=left, bottom=over - height, right=left + width, top=over)
    return str(found).replace("\r\n", " ").replace("\n", " ")


@pytest.mark.parametrize(
    ("form", "window"),
    [
        (Form.DIN_5008_B, (20 * MM, 62.7 * MM, 85 * MM, 27.3 * MM)),
        # What No. 10's window shows wherever the sheet has slid to: 7/8 in to 4 3/8 in, 2 in to 3.17 in.
        (Form.US_10, (0.875 * INCH, 2.1 * INCH, 3.5 * INCH, 1.067 * INCH)),
    ],
)
def test_a_long_address_is_whole_inside_the_window_and_nothing_else_is(
    sms: Message, form: Form, window: tuple[float, float, float, float]
) -> None:
    shown = within(set_letter(a_letter(sms), form), *window)

    assert shown.replace("- ", "-").split() == " ".join(["Ana Lima", *LONG]).split()


def test_the_print_services_corner_stays_empty(sms: Message) -> None:
    letter = set_letter(a_letter(sms), Form.PRINTED_BY_SERVICE)

    assert within(letter, 0, 0, 4.5 * INCH, 3.6 * INCH).strip() == ""
    assert "You owe $120.00." in words(letter)


@pytest.mark.parametrize("form", list(Form))
def test_the_same_letter_is_the_same_bytes_and_another_is_not(sms: Message, form: Form) -> None:
    message = a_letter(sms)

    assert set_letter(message, form) == set_letter(message, form)
    assert set_letter(message, form) != set_letter(a_letter(sms, "Another\n\nletter"), form)


def test_chinese_is_set_in_an_embedded_font(sms: Message) -> None:
    text = "关于您的还款\n\n王小明，您好：\n\n逾期金额：¥3,200.00"
    letter = set_letter(
        a_letter(sms, text, language="zh", address="王小明\n示例市样本区一号", sender="示例金融\n示例路1号"),
        Form.DIN_5008_B,
    )

    assert b"NotoSansCJK" in letter
    for said in ("王小明，您好：", "示例市样本区一号", "示例金融", "逾期金额："):
        assert said in words(letter)


def test_words_are_never_read_as_markup(sms: Message) -> None:
    text = 'About #1 *your* $x$ loan\n\n#panic("no") = @you <b> \\ `raw` // gone'

    shown = words(set_letter(a_letter(sms, text, address="#eval\n$ 1 Road"), Form.DIN_5008_B))

    for said in ("About #1 *your* $x$ loan", '#panic("no") = @you <b> \\ `raw` // gone', "#eval", "$ 1 Road"):
        assert said in shown


def test_a_long_letter_numbers_its_pages(sms: Message) -> None:
    text = "\n\n".join(
        ["About your payment", *(f"Paragraph {number} " + "of many words " * 20 for number in range(20))]
    )

    pdf = set_letter(a_letter(sms, text), Form.DIN_5008_B)

    count = len(pypdfium2.PdfDocument(pdf))
    assert count > 1
    pages = [words(pdf, page) for page in range(count)]
    assert all(f"{number} / {count}" in page for number, page in enumerate(pages, 1))
    said = [int(word) for page in pages for before, word in pairwise(page.split()) if before == "Paragraph"]
    assert said == list(range(20))


def test_an_address_that_no_window_can_show_is_refused_without_repeating_it(sms: Message) -> None:
    endless = block("Ana Lima", ["word " * 80] * 6)

    with pytest.raises(LetterUnfit) as refused:
        set_letter(a_letter(sms, address=endless), Form.DIN_5008_B)
    assert "Ana" not in str(refused.value)
    assert refused.value.__cause__ is None
