"""Letters by Lob's Print & Mail API: printed and posted in the US, each under its contact's id as idempotency key.

Contract: https://docs.lob.com/#tag/Letters and https://help.lob.com/developer-docs/error-reference (a key holds for 24
hours; after a 5xx or a time-out it is not known whether the letter was taken; any 4xx made none).
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import httpx

from duecourse.channels.adapter import (
    Accepted,
    Capabilities,
    Idempotency,
    OutcomeUnknown,
    Outgoing,
    Rejected,
    RetryLater,
    in_time,
)
from duecourse.channels.http_call import HttpProvider, json_object, retry_after
from duecourse.channels.letter_page import Form, set_letter

KEY_WINDOW: Final = timedelta(hours=23)  # an hour less than Lob's: clocks differ, and a request may be long on its way

_LAST_LINE: Final = re.compile(r"(?P<city>[^,]+),\s*(?P<state>[A-Z]{2})\s+(?P<zip>\d{5}(?:-\d{4})?)")
_LONGEST_LINE: Final = 64
_LONGEST_NAME: Final = 40
# What Lob says of an address that it will not print: the borrower's, where the field is `to`.
_ADDRESS_CODES: Final = frozenset({"failed_deliverability_strictness", "address_length_exceeds_limit"})


@dataclass(frozen=True, slots=True)
class LobAccount:
    """Lob, or anything that speaks its contract. The key is `test_...` or `live_...`."""

    base_url: str
    key: str


class LobAdapter:
    """Sends letters through one Lob account."""

    channel = "letter"
    provider = "lob"

    def __init__(self, account: LobAccount, timeout: timedelta = timedelta(seconds=20)) -> None:
        self.capabilities = Capabilities(idempotency=Idempotency.NATIVE_KEY, timeout=timeout, window=KEY_WINDOW)
        self._http = HttpProvider(account.base_url, timeout, login=(account.key, ""))

    async def send(self, message: Outgoing) -> Accepted:
        """Have one letter printed and posted; answers with Lob's id.

        Raises:
            DeadlinePassed: the deadline passed first; nothing left.
            RetryLater: certainly not accepted, and worth another attempt.
            Rejected: an address that Lob cannot post to.
            OutcomeUnknown: no answer that says yes or no. Repeat it: the key makes that safe.
        """
        in_time(message)
        recipient = _postal("to", message.address)
        if recipient is None:
            raise Rejected("the borrower's address does not end in a line such as 'Springfield, IL 62701'")
        sender = _postal("from", message.sender)
        if sender is None:
            raise RetryLater("the lender's address does not end in a line such as 'Springfield, IL 62701': mend it")
        letter = await asyncio.to_thread(set_letter, message, Form.PRINTED_BY_SERVICE)
        fields = {
            **recipient,
            **sender,
            "color": "false",
            "double_sided": "false",
            "address_placement": "top_first_page",
            "use_type": "operational",
            "metadata[contact]": message.contact_id,
        }
        body, kind = _multipart(fields, letter, message.contact_id)
        headers = {"Content-Type": kind, "Idempotency-Key": message.contact_id}
        return _outcome(await self._http.post("/v1/letters", body, headers, message))

    async def look_up(self, message: Outgoing, since: datetime) -> Accepted | None:
        """Not needed: the key makes a repeat safe."""
        return None

    async def close(self) -> None:
        await self._http.close()


def _postal(side: str, block: str) -> dict[str, str] | None:
    """The lines of a US address as Lob's fields; None where they are not one."""
    name, *lines = [line.strip() for line in block.split("\n") if line.strip()] or [""]
    last = _LAST_LINE.fullmatch(lines[-1]) if lines else None
    streets = lines[:-1]
    if last is None or not 1 <= len(streets) <= 2 or any(len(line) > _LONGEST_LINE for line in streets):
        return None
    given = {
        "name": name[:_LONGEST_NAME],
        "address_line1": streets[0],
        "address_line2": streets[1] if len(streets) == 2 else "",
        "address_city": last["city"].strip(),
        "address_state": last["state"],
        "address_zip": last["zip"],
        "address_country": "US",
    }
    return {f"{side}[{field}]": value for field, value in given.items() if value}


def _multipart(fields: dict[str, str], letter: bytes, contact: str) -> tuple[bytes, str]:
    """The form and its content type, the same bytes for the same letter: httpx would draw a boundary by lot."""
    boundary = hashlib.sha256(contact.encode()).hexdigest()[:32]
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    file = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{contact}.pdf"\r\n'
        "Content-Type: application/pdf\r\n\r\n"
    ).encode()
    return b"".join([*parts, file, letter, f"\r\n--{boundary}--\r\n".encode()]), (
        f"multipart/form-data; boundary={boundary}"
    )


def _outcome(answer: httpx.Response) -> Accepted:
    status = answer.status_code
    body = json_object(answer)
    if status in {httpx.codes.OK, httpx.codes.CREATED}:
        if not body.get("id"):
            raise OutcomeUnknown(f"Lob answered {status} without a letter's id")
        return Accepted(str(body["id"]))
    error = body.get("error")
    code = str(error.get("code", "")) if isinstance(error, dict) else ""
    # Only the code: Lob's sentence often repeats the address.
    named = f"{status} {code}".strip()
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise RetryLater(f"Lob is busy: {named}", after=retry_after(answer))
    # A conflict is a first request under this key that is not through yet.
    if status in {httpx.codes.REQUEST_TIMEOUT, httpx.codes.CONFLICT} or not 400 <= status < 500:
        raise OutcomeUnknown(f"Lob answered {named}, which says neither yes nor no")
    if code in _ADDRESS_CODES:
        raise Rejected(f"Lob does not post to this address: {named}")
    raise RetryLater(f"Lob refused the request: {named}")
