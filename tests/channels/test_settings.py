"""Providers from the environment."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from duecourse.channels.adapter import Adapter
from duecourse.channels.settings import ChannelSettings, build_adapters
from duecourse.channels.sms_settings import TwilioSettings
from duecourse.errors import InvalidInput
from duecourse.sandbox import Sandbox
from tests.channels.conftest import Message

MAIL = {
    "DUECOURSE_SMTP_URL": "smtp://lender:p%40ss@mail.harbor.example:2525",
    "DUECOURSE_MAIL_FROM": "Harbor Credit <notices@harbor.example>",
}
SMS = {
    "DUECOURSE_TWILIO_URL": "https://api.twilio.com",
    "DUECOURSE_TWILIO_SID": "AC1",
    "DUECOURSE_TWILIO_TOKEN": "secret-token",
    "DUECOURSE_TWILIO_FROM": "+15005550006",
    "DUECOURSE_RECEIPTS_URL": "https://receipts.harbor.example/twilio",
}


async def no_task(contact_id: str, channel: str, text: str, language: str, at: datetime) -> None:
    raise AssertionError("no task is expected here")


def test_the_smtp_address_carries_host_port_and_login() -> None:
    settings = ChannelSettings.from_environment(MAIL)

    [mail] = settings.mail
    server = mail.server
    assert (server.host, server.port, server.username, server.password) == (
        "mail.harbor.example",
        2525,
        "lender",
        "p@ss",
    )
    assert mail.domain == "harbor.example"


@pytest.mark.parametrize(("url", "port", "implicit"), [("smtp://mail", 587, False), ("smtps://mail", 465, True)])
def test_the_port_follows_from_the_scheme(url: str, port: int, implicit: bool) -> None:
    settings = ChannelSettings.from_environment({**MAIL, "DUECOURSE_SMTP_URL": url})

    [mail] = settings.mail
    assert (mail.server.port, mail.server.implicit_tls) == (port, implicit)


async def test_without_providers_only_the_worklist_is_there() -> None:
    adapters = build_adapters(ChannelSettings.from_environment({}), no_task)

    assert sorted(adapters) == ["call", "letter"]


async def test_every_adapter_serves_the_channel_under_which_it_stands() -> None:
    adapters = build_adapters(ChannelSettings.from_environment({**MAIL, **SMS}), no_task)

    served: dict[str, Adapter] = dict(adapters)
    assert {channel: adapter.channel for channel, adapter in served.items()} == {
        channel: channel for channel in ("sms", "email", "call", "letter")
    }
    assert adapters.sender(adapters["sms"]) == "+15005550006"
    assert adapters.sender(adapters["email"]) == "Harbor Credit <notices@harbor.example>"
    await adapters.close()


@pytest.mark.parametrize("missing", sorted(MAIL))
def test_half_a_mail_configuration_is_refused_by_name(missing: str) -> None:
    environment = {name: value for name, value in MAIL.items() if name != missing}

    with pytest.raises(InvalidInput) as refused:
        ChannelSettings.from_environment(environment)
    assert refused.value.field == missing


@pytest.mark.parametrize("missing", sorted(SMS))
def test_half_an_sms_configuration_is_refused_by_name(missing: str) -> None:
    environment = {name: value for name, value in SMS.items() if name != missing}

    with pytest.raises(InvalidInput) as refused:
        ChannelSettings.from_environment(environment)
    assert refused.value.field == missing


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DUECOURSE_SMTP_URL", "mail.harbor.example:25"),
        ("DUECOURSE_SMTP_URL", "smtp://user:secret-word@mail:port"),
        ("DUECOURSE_MAIL_FROM", "nobody"),
        ("DUECOURSE_TWILIO_URL", "api.twilio.com"),
        ("DUECOURSE_RECEIPTS_URL", "receipts"),
        ("DUECOURSE_CHANNEL_TIMEOUT_SECONDS", "soon"),
        ("DUECOURSE_CHANNEL_TIMEOUT_SECONDS", "0"),
        ("DUECOURSE_CHANNEL_TIMEOUT_SECONDS", "nan"),
        ("DUECOURSE_TWILIO_SETTLE_SECONDS", "-1"),
    ],
)
def test_a_bad_value_is_refused_by_name_and_without_secrets(name: str, value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        ChannelSettings.from_environment({**MAIL, **SMS, name: value})
    assert refused.value.field == name
    assert "secret" not in str(refused.value)


def test_time_out_and_settle_delay_are_seconds() -> None:
    settings = ChannelSettings.from_environment(
        {**SMS, "DUECOURSE_CHANNEL_TIMEOUT_SECONDS": "2.5", "DUECOURSE_TWILIO_SETTLE_SECONDS": "0.5"}
    )

    assert settings.timeout == timedelta(seconds=2.5)
    [twilio] = settings.sms
    assert isinstance(twilio, TwilioSettings)
    assert twilio.settle == timedelta(seconds=0.5)


async def test_the_sandboxs_own_variables_lead_to_the_sandbox(tmp_path: Path, sms: Message, mail: Message) -> None:
    async with Sandbox(tmp_path) as sandbox:
        adapters = build_adapters(ChannelSettings.from_environment(sandbox.environment()), no_task)
        await adapters["sms"].send(sms(sender=adapters.sender(adapters["sms"])))
        await adapters["email"].send(mail(sender=adapters.sender(adapters["email"])))
        await adapters.close()

        assert [message.channel for message in sandbox.received()] == ["sms", "email"]
