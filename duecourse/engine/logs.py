"""Logging: JSON lines in production, readable lines on a terminal, the loan bound, personal data never.

All lines, ours and the libraries', pass through one root handler. Workflow code logs by `workflow.logger`, which stays
silent on replay (structlog itself would print every line again); everything else by `structlog.get_logger()`.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger
from temporalio import activity, workflow

LogFormat = Literal["json", "console"]

MASK = "[redacted]"

PERSONAL_FIELDS = frozenset(
    {
        "address",
        "addresses",
        "body",
        "content",
        "date_of_birth",
        "email",
        "email_address",
        "first_name",
        "full_name",
        "html",
        "last_name",
        "message_text",
        "name",
        "phone",
        "phone_number",
        "recipient",
        "subject",
        "text",
    }
)
"""Fields whose value is masked whatever it is."""

# An address is anything around an @ with a dotted host. A number is an international one, + and at least 7 digits,
# however it is grouped. Both as loose as can be: a masked order number costs less than a logged borrower.
_EMAIL = re.compile(r"[^\s@<>\"',;:()\[\]{}=]+@[^\s@<>\"',;:()\[\]{}=]+\.[^\s@<>\"',;:()\[\]{}=]+")
_PHONE = re.compile(r"(?:\+|%2B)(?:(?:%20|[\s().-]){0,3}\d){7,}", re.IGNORECASE)

# What structlog and the logging module put there themselves; an event name or a time zone's +00:00 is no person.
_OWN_FIELDS = frozenset({"level", "timestamp", "logger"})


def configure_logging(
    *, level: int | str = logging.INFO, form: LogFormat | None = None, stream: TextIO | None = None
) -> None:
    """Send every log line of this process to `stream` (default: standard error).

    `form` None means: console on a terminal, JSON otherwise. Calling it again replaces the earlier set-up.
    """
    out = sys.stderr if stream is None else stream
    chosen = form or ("console" if out.isatty() else "json")
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    # Redaction comes after the traceback has become text and last before rendering, so that nothing passes around it.
    after: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, lift_temporal_fields]
    match chosen:
        case "json":
            after += [structlog.processors.format_exc_info, redact, structlog.processors.JSONRenderer(default=str)]
        case "console":
            after += [
                structlog.processors.format_exc_info,
                redact,
                structlog.dev.ConsoleRenderer(colors=out.isatty()),
            ]
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.ExtraAdder()],
            processors=after,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # The SDK would append its whole dictionary to the message; it comes as fields instead.
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False
    # One line per HTTP request names the URL, and a gateway's URL can hold an account.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def lift_temporal_fields(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Put `workflow_id`, `workflow_type`, `activity` and `attempt` of the SDK's own loggers beside the other fields."""
    for source in ("temporal_workflow", "temporal_activity"):
        details = event.pop(source, None)
        if isinstance(details, Mapping):
            for field in ("workflow_id", "workflow_type", "run_id", "attempt"):
                if field in details:
                    event.setdefault(field, details[field])
            if "activity_type" in details:
                event.setdefault("activity", details["activity_type"])
    return event


def redact(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Mask personal fields, and whatever looks like an e-mail address or a phone number in any other value."""
    return {field: value if field in _OWN_FIELDS else _redacted(field, value) for field, value in event.items()}


def _redacted(field: str, value: object) -> object:
    if field.lower() in PERSONAL_FIELDS:
        return value if value is None else MASK
    match value:
        case str():
            return _masked(value)
        case Mapping():
            return {_masked(str(key)): _redacted(str(key), inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_redacted(field, inner) for inner in value]
        case None | bool() | int() | float():
            return value
        case _:
            # A model or an exception is rendered by its text, and that text can hold anything.
            return _masked(str(value))


def _masked(text: str) -> str:
    return _PHONE.sub(MASK, _EMAIL.sub(MASK, text))
