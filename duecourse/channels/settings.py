"""Which provider serves which channel, read from the environment.

| variable | meaning |
| --- | --- |
| DUECOURSE_SMTP_URL | smtp://user:password@host:port, or smtps:// for TLS from the first byte |
| DUECOURSE_MAIL_FROM | the From header: "Name <address>" or an address |
| DUECOURSE_TWILIO_URL, _SID, _TOKEN, _FROM | Messages API, account, its token, the sending number |
| DUECOURSE_RECEIPTS_URL | the public address at which Twilio reports deliveries |
| DUECOURSE_CHANNEL_TIMEOUT_SECONDS | of one attempt, connection included; 20 |
| DUECOURSE_TWILIO_SETTLE_SECONDS | how long a message may be missing in Twilio's list; 10 |

A channel whose variables are all absent is not configured; one of which some are absent is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

from duecourse.channels.adapter import Adapter
from duecourse.channels.email import SmtpAdapter, SmtpServer
from duecourse.channels.sms import TwilioAccount, TwilioAdapter
from duecourse.channels.worklist import OpenTask, WorklistAdapter
from duecourse.errors import InvalidInput

WORKLIST_CHANNELS = ("call", "letter")
WORKLIST_SENDER = "worklist"

_SMTP = ("DUECOURSE_SMTP_URL", "DUECOURSE_MAIL_FROM")
_TWILIO = (
    "DUECOURSE_TWILIO_URL",
    "DUECOURSE_TWILIO_SID",
    "DUECOURSE_TWILIO_TOKEN",
    "DUECOURSE_TWILIO_FROM",
    "DUECOURSE_RECEIPTS_URL",
)


@dataclass(frozen=True, slots=True)
class MailSettings:
    server: SmtpServer
    sender: str

    @property
    def domain(self) -> str:
        return parseaddr(self.sender)[1].rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class SmsSettings:
    account: TwilioAccount
    sender: str
    settle: timedelta


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """The providers of this process; None where a channel is not configured."""

    mail: MailSettings | None
    sms: SmsSettings | None
    timeout: timedelta

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> ChannelSettings:
        """Read and check the variables above.

        Raises:
            InvalidInput: names the variable and what is expected; a secret's value is never repeated.
        """
        return cls(
            mail=_mail(environment),
            sms=_sms(environment),
            timeout=_seconds(environment, "DUECOURSE_CHANNEL_TIMEOUT_SECONDS", 20),
        )


class Adapters(Mapping[str, Adapter]):
    """The adapter of each configured channel, and the sender that its messages carry."""

    def __init__(self, adapters: Mapping[str, tuple[Adapter, str]]) -> None:
        self._adapters = dict(adapters)

    def __getitem__(self, channel: str) -> Adapter:
        return self._adapters[channel][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._adapters)

    def __len__(self) -> int:
        return len(self._adapters)

    def sender(self, channel: str) -> str:
        """What goes into `Outgoing.sender`: the From header, the sending number, or the worklist."""
        return self._adapters[channel][1]

    async def close(self) -> None:
        """Close every connection that the adapters keep."""
        for adapter, _ in self._adapters.values():
            await adapter.close()


def build_adapters(settings: ChannelSettings, open_task: OpenTask) -> Adapters:
    """One adapter per configured channel; calls and letters always go to the worklist."""
    adapters: dict[str, tuple[Adapter, str]] = {}
    if settings.sms is not None:
        sms = TwilioAdapter(settings.sms.account, settings.timeout, settings.sms.settle)
        adapters["sms"] = (sms, settings.sms.sender)
    if settings.mail is not None:
        mail = SmtpAdapter(settings.mail.server, settings.mail.domain, settings.timeout)
        adapters["email"] = (mail, settings.mail.sender)
    for channel in WORKLIST_CHANNELS:
        adapters[channel] = (WorklistAdapter(channel, open_task, settings.timeout), WORKLIST_SENDER)
    return Adapters(adapters)


def _given(environment: Mapping[str, str], names: tuple[str, ...]) -> list[str] | None:
    """All of them or none: half a configuration would fail at the first message only."""
    values = [environment.get(name, "") for name in names]
    if not any(values):
        return None
    for name, value in zip(names, values, strict=True):
        if not value:
            others = ", ".join(other for other in names if other != name)
            raise InvalidInput(name, value, f"a value, because of {others} at least one is set")
    return values


def _mail(environment: Mapping[str, str]) -> MailSettings | None:
    given = _given(environment, _SMTP)
    if given is None:
        return None
    url, sender = given
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
    return MailSettings(server, sender)


def _sms(environment: Mapping[str, str]) -> SmsSettings | None:
    given = _given(environment, _TWILIO)
    if given is None:
        return None
    url, sid, token, sender, receipts = given
    for name, value in (("DUECOURSE_TWILIO_URL", url), ("DUECOURSE_RECEIPTS_URL", receipts)):
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidInput(name, value, "http:// or https:// and a host")
    settle = _seconds(environment, "DUECOURSE_TWILIO_SETTLE_SECONDS", 10)
    return SmsSettings(TwilioAccount(url, sid, token, receipts), sender, settle)


def _seconds(environment: Mapping[str, str], name: str, default: float) -> timedelta:
    text = environment.get(name, "")
    if not text:
        return timedelta(seconds=default)
    try:
        seconds = float(text)
    except ValueError as error:
        raise InvalidInput(name, text, "a number of seconds") from error
    if not 0 < seconds <= 600:
        raise InvalidInput(name, text, "more than 0 and at most 600 seconds")
    return timedelta(seconds=seconds)
