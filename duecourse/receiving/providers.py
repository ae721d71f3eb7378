"""What each provider's call says, in our words. A call that says nothing for us is None."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from duecourse.ledger.incoming import Receipt, Reply

_TWILIO: Final[dict[str, Literal["delivered", "failed"]]] = {
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
}
_TELNYX: Final[dict[str, Literal["delivered", "failed"]]] = {
    "delivered": "delivered",
    "delivery_failed": "failed",
    "sending_failed": "failed",
}


def twilio_receipt(form: Mapping[str, str], contact: str | None) -> Receipt | None:
    sid, status = form.get("MessageSid"), form.get("MessageStatus")
    if not sid or not status:
        return None
    return Receipt("twilio", "sms", sid, status, _TWILIO.get(status), contact)


def twilio_reply(form: Mapping[str, str]) -> Reply | None:
    sid, sender = form.get("MessageSid"), form.get("From")
    if not sid or not sender:
        return None
    return Reply("twilio", "sms", sid, sender, form.get("To", ""), form.get("Body", ""))


def telnyx_event(body: bytes) -> Receipt | Reply | None:
    """One webhook carries both: `message.sent` and `message.finalized`, or `message.received`.

    Raises ValueError for what is no event of Telnyx.
    """
    try:
        data: dict[str, Any] = json.loads(body)["data"]
        message: dict[str, Any] = data["payload"]
        id, kind, to = str(message["id"]), data["event_type"], message["to"][0]
        match kind:
            case "message.received":
                sender = str(message["from"]["phone_number"])
                return Reply("telnyx", "sms", id, sender, str(to["phone_number"]), str(message.get("text") or ""))
            case "message.sent" | "message.finalized":
                status = str(to["status"])
                return Receipt("telnyx", "sms", id, status, _TELNYX.get(status), _our_reference(message))
            case _:
                return None
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError("not an event of Telnyx") from error


def _our_reference(message: Mapping[str, Any]) -> str | None:
    """The first tag, which the adapter sets to the contact's id."""
    tags = message.get("tags") or []
    return str(tags[0]) if tags else None
