"""Which providers serve which channel, read from the environment.

| variable | meaning |
| --- | --- |
| DUECOURSE_SMTP_URL | smtp://user:password@host:port, or smtps:// for TLS from the first byte |
| DUECOURSE_MAIL_FROM | the From header: "Name <address>" or an address |
| DUECOURSE_SMS_PROVIDERS | where there are several, the first choice first: twilio,telnyx |
| DUECOURSE_TWILIO_URL, _SID, _TOKEN, _FROM | Messages API, account, its token, the sending number |
| DUECOURSE_RECEIPTS_URL | the public address at which Twilio reports deliveries |
| DUECOURSE_TWILIO_SETTLE_SECONDS | how long a message may be missing in Twilio's list; 10 |
| DUECOURSE_TELNYX_KEY, _FROM, _RECEIPTS_URL | API key, sender, the public address at which Telnyx reports deliveries |
| DUECOURSE_TELNYX_URL, _PROFILE | another address of the API; the messaging profile of an alphanumeric sender |
| DUECOURSE_PRINT_SPOOL, DUECOURSE_PRINT_FORM | folder of the print shop; its envelope: din_5008_b or us_10 |
| DUECOURSE_LOB_KEY, DUECOURSE_LOB_URL | Lob's secret key, test_... or live_...; another address of the API |
| DUECOURSE_LETTER_PROVIDERS | where there are both, the first choice first: lob,print_spool |
| DUECOURSE_CHANNEL_TIMEOUT_SECONDS | of one attempt, connection included; 20 |

A provider whose variables are all absent is not configured; one of which some are absent is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from duecourse.channels.adapters import Adapters, Route
from duecourse.channels.environment import seconds
from duecourse.channels.letter_settings import LetterProvider, letter_from, letter_routes
from duecourse.channels.mail_settings import MailProvider, mail_from, mail_routes
from duecourse.channels.sms_settings import SmsProvider, sms_from, sms_routes
from duecourse.channels.worklist import OpenTask, WorklistAdapter

WORKLIST_CHANNELS = ("call", "letter")
WORKLIST_SENDER = "worklist"


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """The providers of this process, the first choice first; none where a channel is not configured."""

    mail: tuple[MailProvider, ...]
    sms: tuple[SmsProvider, ...]
    letter: tuple[LetterProvider, ...]
    timeout: timedelta

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> ChannelSettings:
        """Read and check the variables above.

        Raises:
            InvalidInput: names the variable and what is expected; a secret's value is never repeated.
        """
        return cls(
            mail=mail_from(environment),
            sms=sms_from(environment),
            letter=letter_from(environment),
            timeout=seconds(environment, "DUECOURSE_CHANNEL_TIMEOUT_SECONDS", 20),
        )


def build_adapters(settings: ChannelSettings, open_task: OpenTask) -> Adapters:
    """One adapter per configured provider; calls, and letters that nobody prints, go to the worklist."""
    routes: dict[str, Sequence[Route]] = {
        "sms": sms_routes(settings.sms, settings.timeout),
        "email": mail_routes(settings.mail, settings.timeout),
        "letter": letter_routes(settings.letter, settings.timeout),
    }
    for channel in WORKLIST_CHANNELS:
        if routes.get(channel):
            continue
        worklist = WorklistAdapter(channel, open_task, settings.timeout)
        routes[channel] = [Route(worklist, WORKLIST_SENDER, "sender")]
    return Adapters(routes)
