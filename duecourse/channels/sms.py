"""SMS by Twilio's Messages API, over plain HTTP: one request per call, no redirects, no retries of its own.

Twilio knows no idempotency key and keeps no reference of ours in the message, so after a crash we look for the same
text to the same number (https://www.twilio.com/docs/messaging/api/message-resource).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode, urljoin, urlsplit

import httpx

from duecourse.channels.adapter import (
    Accepted,
    Capabilities,
    Idempotency,
    LookUpFailed,
    OutcomeUnknown,
    Outgoing,
    Rejected,
    RetryLater,
)
from duecourse.channels.http_call import HttpProvider, json_object, retry_after

# Of Twilio's error codes, 20xxx speak of the account and 21xxx of the message; these 21xxx speak of our own
# sender or call-back address, for which the borrower's number must not be given up.
_OUR_OWN_SETTINGS: Final = frozenset({21603, 21606, 21609, 21626, 21659, 21660})
_ABOUT_THE_MESSAGE: Final = range(21000, 40000)

_PAGE_SIZE: Final = 200
_MOST_PAGES: Final = 25
_CLOCKS_DIFFER: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """Twilio, or anything that speaks its contract; `receipts_url` is where it reports what became of a message."""

    base_url: str
    sid: str
    token: str
    receipts_url: str


class TwilioAdapter:
    """Sends SMS through one Twilio account and finds them again by number and text."""

    channel = "sms"
    provider = "twilio"

    def __init__(
        self,
        account: TwilioAccount,
        timeout: timedelta = timedelta(seconds=20),
        settle: timedelta = timedelta(seconds=10),
    ) -> None:
        self.capabilities = Capabilities(
            idempotency=Idempotency.LOOKUP, timeout=timeout, settle=settle, lookup_complete=True
        )
        self._account = account
        self._messages_path = f"/2010-04-01/Accounts/{account.sid}/Messages.json"
        self._http = HttpProvider(account.base_url, timeout, login=(account.sid, account.token))

    async def send(self, message: Outgoing) -> Accepted:
        """Send one SMS; answers with Twilio's message sid.

        Raises:
            DeadlinePassed: the deadline passed first; nothing left.
            RetryLater: certainly not accepted, and worth another attempt.
            Rejected: Twilio refused this number or text for good.
            OutcomeUnknown: the request left and no answer came that says yes or no.
        """
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return _outcome(await self._http.post(self._messages_path, self._form(message), form, message))

    def _form(self, message: Outgoing) -> bytes:
        separator = "&" if urlsplit(self._account.receipts_url).query else "?"
        receipts = f"{self._account.receipts_url}{separator}{urlencode({'contact': message.contact_id})}"
        return urlencode(
            {"To": message.address, "From": message.sender, "Body": message.text, "StatusCallback": receipts}
        ).encode("ascii")

    async def look_up(self, message: Outgoing, since: datetime) -> Accepted | None:
        """Find the SMS among those to this number from this sender: same text, created at or after `since`.

        The filter by date is ours: Twilio's is on the date of sending, which a queued message does not have yet.

        Raises:
            LookUpFailed: Twilio could not be asked, or the list did not end.
        """
        # A gateway that goes by the message's own business time dates it `at`, however late the attempt was.
        earliest = min(since, message.at) - _CLOCKS_DIFFER
        found: list[tuple[datetime, str]] = []
        try:
            async with asyncio.timeout(self.capabilities.timeout.total_seconds()):
                async for resource in self._sent_to(message.address, message.sender):
                    created = parsedate_to_datetime(resource["date_created"])
                    if created >= earliest and resource["body"] == message.text:
                        found.append((created, str(resource["sid"])))
        except (httpx.HTTPError, TimeoutError, ValueError, KeyError, TypeError) as error:
            raise LookUpFailed(f"the SMS gateway's list could not be read: {type(error).__name__}") from error
        return Accepted(min(found)[1]) if found else None

    async def _sent_to(self, address: str, sender: str) -> AsyncIterator[dict[str, Any]]:
        query = urlencode({"To": address, "From": sender, "PageSize": _PAGE_SIZE})
        url = f"{self._http.base_url}{self._messages_path}?{query}"
        for _ in range(_MOST_PAGES):
            answer = await self._http.get(url)
            if answer.status_code != httpx.codes.OK:
                raise LookUpFailed(f"the SMS gateway answered {answer.status_code} when asked for its messages")
            page = answer.json()
            for resource in page["messages"]:
                yield resource
            if not page.get("next_page_uri"):
                return
            url = urljoin(f"{self._http.base_url}/", page["next_page_uri"])
            # The password goes along with each request, and must not go elsewhere.
            if urlsplit(url)[:2] != urlsplit(self._http.base_url)[:2]:
                raise LookUpFailed("the SMS gateway's list goes on at another host; not followed")
        raise LookUpFailed(f"the SMS gateway lists more than {_PAGE_SIZE * _MOST_PAGES} messages to one number")

    async def close(self) -> None:
        await self._http.close()


def _outcome(answer: httpx.Response) -> Accepted:
    status = answer.status_code
    body = json_object(answer)
    if status in {httpx.codes.OK, httpx.codes.CREATED}:
        if not body.get("sid"):
            raise OutcomeUnknown(f"the SMS gateway answered {status} without a message sid")
        return Accepted(str(body["sid"]))
    code = body.get("code")
    # Only the numbers: the provider's sentence often repeats the borrower's number.
    named = f"{status}" if code is None else f"{status}, code {code}"
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise RetryLater(f"the SMS gateway is busy: {named}", after=retry_after(answer))
    if status == httpx.codes.SERVICE_UNAVAILABLE and code is not None:
        raise RetryLater(f"the SMS gateway is unavailable: {named}", after=retry_after(answer))
    if not 400 <= status < 500:
        raise OutcomeUnknown(f"the SMS gateway answered {named}, which says neither yes nor no")
    if isinstance(code, int) and code in _ABOUT_THE_MESSAGE and code not in _OUR_OWN_SETTINGS:
        raise Rejected(f"the SMS gateway refused the message: {named}")
    # Credentials, account, sender, a proxy on the way: to be mended on our side, whatever the number is.
    raise RetryLater(f"the SMS gateway refused the request: {named}")
