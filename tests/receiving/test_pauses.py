"""What a task in the inbox holds back: optional messages, and nothing that is owed."""

from __future__ import annotations

import pytest

from duecourse.loans.facts import PAUSES_OPTIONAL
from tests.compliance.situations import COLLECTOR, verdict


@pytest.mark.parametrize("cause", PAUSES_OPTIONAL)
def test_an_optional_message_waits_for_the_task(cause: str) -> None:
    hold = {"cause": cause, "from": "2026-03-01", "to": None}
    answer = verdict(COLLECTOR, holds=[hold])

    assert "withhold" == answer["verdict"]
    assert "FLOOR-05" in [finding["rule"] for finding in answer["findings"]]


@pytest.mark.parametrize("cause", PAUSES_OPTIONAL)
@pytest.mark.parametrize("obligation", ["US-F-27", "contract"])
def test_a_notice_that_is_owed_does_not_wait(cause: str, obligation: str) -> None:
    hold = {"cause": cause, "from": "2026-03-01", "to": None}
    answer = verdict(COLLECTOR, holds=[hold], channel="letter", purpose="notice", obligation=obligation)

    assert "permit" == answer["verdict"]
