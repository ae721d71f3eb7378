"""The SMS providers from the environment (variables: docs/channels.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from duecourse.channels.adapter import Adapter
from duecourse.channels.adapters import Route
from duecourse.channels.environment import address, given, in_order, seconds
from duecourse.channels.sms import TwilioAccount, TwilioAdapter
from duecourse.channels.telnyx import TelnyxAccount, TelnyxAdapter

TELNYX_URL = "https://api.telnyx.com"

_TWILIO = (
    "DUECOURSE_TWILIO_URL",
    "DUECOURSE_TWILIO_SID",
    "DUECOURSE_TWILIO_TOKEN",
    "DUECOURSE_TWILIO_FROM",
    "DUECOURSE_RECEIPTS_URL",
)
_TELNYX = ("DUECOURSE_TELNYX_KEY", "DUECOURSE_TELNYX_FROM", "DUECOURSE_TELNYX_RECEIPTS_URL")


@dataclass(frozen=True, slots=True)
class TwilioSettings:
    account: TwilioAccount
    sender: str
    settle: timedelta

    def adapter(self, timeout: timedelta) -> Adapter:
        return TwilioAdapter(self.account, timeout, self.settle)


@dataclass(frozen=True, slots=True)
class TelnyxSettings:
    account: TelnyxAccount
    sender: str

    def adapter(self, timeout: timedelta) -> Adapter:
        return TelnyxAdapter(self.account, timeout)


SmsProvider = TwilioSettings | TelnyxSettings


def sms_from(environment: Mapping[str, str]) -> tuple[SmsProvider, ...]:
    """The configured providers, the first choice first. Raises InvalidInput."""
    configured: dict[str, SmsProvider] = {}
    twilio = _twilio(environment)
    if twilio is not None:
        configured["twilio"] = twilio
    telnyx = _telnyx(environment)
    if telnyx is not None:
        configured["telnyx"] = telnyx
    return tuple(configured[name] for name in in_order(environment, "DUECOURSE_SMS_PROVIDERS", list(configured)))


def sms_routes(providers: tuple[SmsProvider, ...], timeout: timedelta) -> list[Route]:
    """A lender's own number belongs to one provider, the first; at another one only what is registered there sends."""
    return [
        Route(settings.adapter(timeout), settings.sender, "lender" if first else "sender")
        for settings, first in ((one, one is providers[0]) for one in providers)
    ]


def _twilio(environment: Mapping[str, str]) -> TwilioSettings | None:
    values = given(environment, _TWILIO)
    if values is None:
        return None
    url, sid, token, sender, receipts = values
    address("DUECOURSE_TWILIO_URL", url)
    address("DUECOURSE_RECEIPTS_URL", receipts)
    settle = seconds(environment, "DUECOURSE_TWILIO_SETTLE_SECONDS", 10)
    return TwilioSettings(TwilioAccount(url, sid, token, receipts), sender, settle)


def _telnyx(environment: Mapping[str, str]) -> TelnyxSettings | None:
    values = given(environment, _TELNYX)
    if values is None:
        return None
    key, sender, receipts = values
    url = address("DUECOURSE_TELNYX_URL", environment.get("DUECOURSE_TELNYX_URL") or TELNYX_URL)
    address("DUECOURSE_TELNYX_RECEIPTS_URL", receipts)
    profile = environment.get("DUECOURSE_TELNYX_PROFILE") or None
    return TelnyxSettings(TelnyxAccount(url, key, receipts, profile), sender)
