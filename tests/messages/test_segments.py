"""What an SMS costs."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.messages.segments import Encoding, count_segments, plain_typography

BASIC = "abcXYZ019 @£$¥èÄñ\n¿Δ"
EXTENDED = "€[]{}~^|\\"

gsm_texts = st.text(alphabet=BASIC + EXTENDED, max_size=700)
any_texts = st.text(alphabet=st.characters(codec="utf-8"), max_size=400)


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", Encoding.GSM_7, 0, 1),
        ("a" * 160, Encoding.GSM_7, 160, 1),
        ("a" * 161, Encoding.GSM_7, 161, 2),
        ("a" * 306, Encoding.GSM_7, 306, 2),
        ("a" * 307, Encoding.GSM_7, 307, 3),
        ("€" * 80, Encoding.GSM_7, 160, 1),
        ("a" * 159 + "€", Encoding.GSM_7, 161, 2),
        ("好" * 70, Encoding.UCS_2, 70, 1),
        ("好" * 71, Encoding.UCS_2, 71, 2),
        ("好" * 134, Encoding.UCS_2, 134, 2),
        ("好" * 135, Encoding.UCS_2, 135, 3),
        ("😀" * 35, Encoding.UCS_2, 70, 1),
        ("ç", Encoding.UCS_2, 1, 1),  # GSM has the capital only
        ("`", Encoding.UCS_2, 1, 1),
    ],
)
def test_the_edges(text: str, encoding: Encoding, units: int, segments: int) -> None:
    counted = count_segments(text)

    assert (counted.encoding, counted.units, counted.segments) == (encoding, units, segments)


def test_an_escape_pair_is_never_split_between_parts() -> None:
    """306 septets would fit into two parts, but the euro sign at the edge must move on."""
    text = "a" * 152 + "€" + "a" * 152

    assert count_segments(text).units == 306
    assert count_segments(text).segments == 3


def test_a_surrogate_pair_is_never_split_between_parts() -> None:
    text = "好" * 66 + "😀" + "好" * 66

    assert count_segments(text).units == 134
    assert count_segments(text).segments == 3


@given(gsm_texts)
def test_parts_waste_at_most_one_septet_each(text: str) -> None:
    counted = count_segments(text)

    assert counted.encoding is Encoding.GSM_7
    if counted.units <= 160:
        assert counted.segments == 1
    else:
        assert ceil(counted.units / 153) <= counted.segments <= ceil(counted.units / 152)


@given(any_texts)
def test_ucs_2_parts_waste_at_most_one_unit_each(text: str) -> None:
    counted = count_segments(text + "好")

    assert counted.encoding is Encoding.UCS_2
    assert counted.units == len((text + "好").encode("utf-16-be")) // 2
    if counted.units > 70:
        assert ceil(counted.units / 67) <= counted.segments <= ceil(counted.units / 66)


@given(any_texts, any_texts)
def test_a_longer_text_never_costs_less(text: str, more: str) -> None:
    assert count_segments(text + more).segments >= count_segments(text).segments


def test_plain_typography_keeps_a_text_in_the_gsm_alphabet() -> None:
    fancy = "“Don’t worry” – we’ll wait…\u00a0Thanks"

    assert plain_typography(fancy) == "\"Don't worry\" - we'll wait... Thanks"
    assert count_segments(fancy).encoding is Encoding.UCS_2
    assert count_segments(plain_typography(fancy)).encoding is Encoding.GSM_7
