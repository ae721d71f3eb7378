"""The mail providers from the environment (variables: docs/channels.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

from duecourse.channels.adapter import Adapter
from duecourse.channels.adapters import Route
from duecourse.channels.email import SmtpAdapter, SmtpServer
from duecourse.channels.environment import given
from duecourse.errors import InvalidInput

_SMTP = ("DUECOURSE_SMTP_URL", "DUECOURSE_MAIL_FROM")


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    server: SmtpServer
    sender: str

    @property
    def domain(self) -> str:
        return parseaddr(self.sender)[1].rpartition("@")[2]

    def adapter(self, timeout: timedelta) -> Adapter:
        return SmtpAdapter(self.server, self.domain, timeout)


MailProvider = SmtpSettings


def mail_from(environment: Mapping[str, str]) -> tuple[MailProvider, ...]:
    """The configured providers, the first choice first. Raises InvalidInput."""
    smtp = _smtp(environment)
    return () if smtp is None else (smtp,)


def mail_routes(providers: tuple[MailProvider, ...], timeout: timedelta) -> list[Route]:
    """A lender's mailbox may be written from by every provider that its domain names."""
    return [Route(settings.adapter(timeout), settings.sender, "lender") for settings in providers]


def _smtp(environment: Mapping[str, str]) -> SmtpSettings | None:
    values = given(environment, _SMTP)
    if values is None:
        return None
    url, sender = values
    parts = urlsplit(url)
    expected = "smtp://host:port or smtps://host:port, with user:password@ before the host if needed"
    try:
        port = parts.port
    except ValueError as error:
        raise InvalidInput("DUECOURSE_SMTP_URL", "(hidden)", expected) from error
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise InvalidInput("DUECOURSE_SMTP_URL", "(hidden)", expected)
    if "@" not in parseaddr(sender)[1]:
        raise InvalidInput("DUECOURSE_MAIL_FROM", sender, 'a mailbox, such as "Lender <notices@lender.example>"')
    implicit_tls = parts.scheme == "smtps"
    server = SmtpServer(
        host=parts.hostname,
        port=port or (465 if implicit_tls else 587),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        implicit_tls=implicit_tls,
    )
    return SmtpSettings(server, sender)
