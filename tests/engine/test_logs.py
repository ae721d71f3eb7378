"""What the logs say, and what they never say."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from temporalio.client import Client
from temporalio.worker import Worker

from duecourse.engine.logs import MASK, PERSONAL_FIELDS, LogFormat, configure_logging, redact
from duecourse.engine.observe import loan_of
from tests.engine.daily_loan import OneLine, say_hello


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def written(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_its_time_level_and_fields() -> None:
    out = io.StringIO()
    configure_logging(stream=out)
    structlog.get_logger("duecourse.test").info("contact sent", channel="sms", loan="L-1")
    (line,) = written(out)
    assert (line["event"], line["level"], line["channel"], line["loan"]) == ("contact sent", "info", "sms", "L-1")
    assert line["logger"] == "duecourse.test"
    assert line["timestamp"].endswith("Z")


def test_lines_of_libraries_take_the_same_way() -> None:
    out = io.StringIO()
    configure_logging(stream=out)
    logging.getLogger("somebody").warning("mail to %s refused", "ann.lee@example.org", extra={"phone": "555"})
    (line,) = written(out)
    assert line["event"] == f"mail to {MASK} refused"
    assert line["phone"] == MASK


def test_configuring_twice_writes_each_line_once() -> None:
    out = io.StringIO()
    configure_logging(stream=out)
    configure_logging(stream=out)
    structlog.get_logger().info("once")
    assert len(written(out)) == 1


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_carries_no_personal_data_either(form: LogFormat) -> None:
    out = io.StringIO()
    configure_logging(stream=out, form=form)
    try:
        raise ValueError("cannot reach bo@example.com on +86 138 1234 5678")
    except ValueError:
        structlog.get_logger().exception("send failed")
    assert "ValueError" in out.getvalue()
    assert "example.com" not in out.getvalue()
    assert "1234" not in out.getvalue()


@pytest.mark.parametrize("field", sorted(PERSONAL_FIELDS))
def test_personal_fields_are_masked_whatever_they_hold(field: str) -> None:
    event = redact(None, "info", {"event": "x", field: "Ann Lee", field.upper(): 5, "deep": {"in": [{field: ["Ann"]}]}})
    assert event == {"event": "x", field: MASK, field.upper(): MASK, "deep": {"in": [{field: MASK}]}}


@pytest.mark.parametrize(
    "personal",
    [
        "+14155550123",
        "+1 (415) 555-0123",
        "+86 138-1234-5678",
        "%2B14155550123",
        "ann@example.org",
        "a.b+c@mail.例子.cn",
    ],
)
@pytest.mark.parametrize("around", ["{}", "to {}, again", "<{}>", "https://sms.test/send?to={}&x=1", "{{'to': '{}'}}"])
def test_what_looks_like_an_address_or_a_number_is_masked_in_any_value(personal: str, around: str) -> None:
    event = redact(None, "info", {"event": around.format(personal), "deep": [{"k": (around.format(personal),)}]})
    text = json.dumps(event, ensure_ascii=False)
    assert personal not in text
    assert text.count(MASK) == 2


@given(st.from_regex(r"\+[1-9](?:[ -]?[0-9]){6,14}", fullmatch=True), st.text(alphabet="abc ;,:", max_size=5))
def test_no_international_number_survives(number: str, around: str) -> None:
    assert number not in str(redact(None, "info", {"event": around + number + around})["event"])


def test_an_object_is_masked_by_its_text() -> None:
    class Point:
        def __repr__(self) -> str:
            return "Point(+14155550123)"

    assert redact(None, "info", {"event": "x", "at": Point()})["at"] == f"Point({MASK})"


@pytest.mark.parametrize(
    "harmless",
    ["loan/acme/L-2027-000123", "2027-03-14T09:00:00+00:00", "0123456789", "sha256:" + "9" * 64, "+123456", "a @ b"],
)
def test_ids_dates_and_amounts_stay_readable(harmless: str) -> None:
    assert redact(None, "info", {"event": harmless, "loan": harmless}) == {"event": harmless, "loan": harmless}


def test_a_loans_workflow_id_is_read_as_lender_and_loan() -> None:
    assert loan_of("loan/acme/L-1") == ("acme", "L-1")
    assert loan_of("loan/acme/2027/L-1") == ("acme", "2027/L-1")
    assert loan_of("pause/acme") is None
    assert loan_of("loan/acme") is None


async def test_lines_of_workflows_and_activities_name_their_loan(client: Client) -> None:
    """Workflow lines once each, although every task replays; activity lines with loan, lender, attempt."""
    out = io.StringIO()
    configure_logging(stream=out)
    async with Worker(client, task_queue="logs", workflows=[OneLine], activities=[say_hello], max_cached_workflows=0):
        await client.execute_workflow(OneLine.run, id="loan/acme/L-77", task_queue="logs")
    lines = [line for line in written(out) if line["event"] in ("stage entered", "hello", "hello again")]
    assert [line["event"] for line in lines] == ["stage entered", "hello", "hello again"]
    assert {line["workflow_id"] for line in lines} == {"loan/acme/L-77"}
    assert lines[0]["stage"] == "due"
    for line in lines[1:]:
        assert (line["lender"], line["loan"], line["attempt"]) == ("acme", "L-77", 1)
    assert "temporal_workflow" not in out.getvalue()
