"""SMS by Telnyx's Messages API, which knows an idempotency key: a repeat with the same key and bytes is one message.

Contract: https://developers.telnyx.com/docs/development/api-fundamentals/idempotency (only successful answers are
replayed, for up to 24 hours; another body under the same key is refused with 422) and
https://developers.telnyx.com/docs/messaging/messages/error-codes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import httpx

from duecourse.channels.adapter import (
    Accepted,
    Capabilities,
    Idempotency,
    OutcomeUnknown,
    Outgoing,
    Rejected,
    RetryLater,
)
from duecourse.channels.http_call import HttpProvider, json_object, retry_after

# An hour less than Telnyx keeps an answer: its clock and ours differ, and a request may be long on its way.
KEY_WINDOW: Final = timedelta(hours=23)

# The codes that speak of the borrower's number or wish; all others are ours to mend: key, profile, sender, text.
_ABOUT_THE_NUMBER: Final = frozenset({"10002", "10016", "40001", "40012", "40300", "40310"})


@dataclass(frozen=True, slots=True)
class TelnyxAccount:
    """Telnyx, or anything that speaks its contract.

    `profile` is the messaging profile that an alphanumeric sender needs; `receipts_url` is where Telnyx reports what
    became of a message.
    """

    base_url: str
    key: str
    receipts_url: str
    profile: str | None = None


class TelnyxAdapter:
    """Sends SMS through one Telnyx account, each under its contact's id as the idempotency key."""

    channel = "sms"
    provider = "telnyx"

    def __init__(self, account: TelnyxAccount, timeout: timedelta = timedelta(seconds=20)) -> None:
        self.capabilities = Capabilities(idempotency=Idempotency.NATIVE_KEY, timeout=timeout, window=KEY_WINDOW)
        self._account = account
        self._http = HttpProvider(account.base_url, timeout, headers={"Authorization": f"Bearer {account.key}"})

    async def send(self, message: Outgoing) -> Accepted:
        """Send one SMS; answers with Telnyx's message id.

        Raises:
            DeadlinePassed: the deadline passed first; nothing left.
            RetryLater: certainly not accepted, and worth another attempt.
            Rejected: Telnyx refused this number for good.
            OutcomeUnknown: no answer that says yes or no. Repeat it: the key makes that safe.
        """
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.contact_id}
        return _outcome(await self._http.post("/v2/messages", self._body(message), headers, message))

    def _body(self, message: Outgoing) -> bytes:
        """The same bytes for the same message: the order of the fields is fixed here."""
        separator = "&" if urlsplit(self._account.receipts_url).query else "?"
        receipts = f"{self._account.receipts_url}{separator}{urlencode({'contact': message.contact_id})}"
        fields: dict[str, object] = {
            "from": message.sender,
            "to": message.address,
            "text": message.text,
            "type": "SMS",
            "tags": [message.contact_id],
            "webhook_url": receipts,
        }
        if self._account.profile is not None:
            fields["messaging_profile_id"] = self._account.profile
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8")

    async def look_up(self, message: Outgoing, since: datetime) -> Accepted | None:
        """Not needed: the key makes a repeat safe. Telnyx finds messages by its own id only."""
        return None

    async def close(self) -> None:
        await self._http.close()


def _outcome(answer: httpx.Response) -> Accepted:
    status = answer.status_code
    body = json_object(answer)
    if status in {httpx.codes.OK, httpx.codes.CREATED, httpx.codes.ACCEPTED}:
        data = body.get("data")
        if not isinstance(data, dict) or not data.get("id"):
            raise OutcomeUnknown(f"Telnyx answered {status} without a message id")
        return Accepted(str(data["id"]))
    errors = [error for error in body.get("errors") or [] if isinstance(error, dict)]
    # Only the numbers: the provider's sentence often repeats the borrower's number.
    named = ", ".join([str(status), *(str(error.get("code")) for error in errors)])
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise RetryLater(f"Telnyx is busy: {named}", after=retry_after(answer))
    # A conflict is a first request under this key that is not through yet.
    if status in {httpx.codes.REQUEST_TIMEOUT, httpx.codes.CONFLICT} or not 400 <= status < 500:
        raise OutcomeUnknown(f"Telnyx answered {named}, which says neither yes nor no")
    if errors and all(_is_about_the_number(error) for error in errors):
        raise Rejected(f"Telnyx refused the number: {named}")
    raise RetryLater(f"Telnyx refused the request: {named}")


def _is_about_the_number(error: dict[str, Any]) -> bool:
    source = error.get("source")
    field = source.get("pointer", "/to") if isinstance(source, dict) else "/to"
    return str(error.get("code")) in _ABOUT_THE_NUMBER and field == "/to"
