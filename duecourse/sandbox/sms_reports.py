"""What Twilio calls us with: signed receipts for an SMS that the sandbox accepted, and signed replies to it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs, urlencode

import httpx

from duecourse.receiving.signatures import twilio_signature
from duecourse.sandbox.received import Received


async def report_status(message: Received, status: str, sid: str, token: str) -> int:
    """Report what became of the message at the address that its sender named; returns the answer's status."""
    form = parse_qs(message.raw.decode("ascii"))
    fields = {
        "AccountSid": sid,
        "MessageSid": message.provider_id,
        "SmsSid": message.provider_id,
        "MessageStatus": status,
        "SmsStatus": status,
        "To": message.address,
        "From": message.sender,
        "ApiVersion": "2010-04-01",
    }
    return await call(form["StatusCallback"][0], fields, token)


async def call(url: str, fields: Mapping[str, str], token: str) -> int:
    """One signed call of a webhook, as a form."""
    body = urlencode(fields)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": twilio_signature(token, url, fields.items()),
    }
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        return (await client.post(url, content=body, headers=headers)).status_code
