"""SMS by Twilio's Messages API, over plain HTTP: one request per call, no redirects, no retries of its own.

Twilio knows no idempotency key and keeps no reference of ours in the message, so after a crash we look for the same
text to the same number (https://www.twilio.com/docs/messaging/api/message-resource).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
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
    in_time,
    may_leave,
)

# Of Twilio's error codes, 20xxx speak of the account and 21xxx of the message; these 21xxx speak of our own
# sender or call-back address, for which the borrower's number must not be given up.
_OUR_OWN_SETTINGS: Final = frozenset({21603, 21606, 21609, 21626, 21659, 21660})
_ABOUT_THE_MESSAGE: Final = range(21000, 40000)

# Ten in flight are fifty a second at 200 ms each, more than most numbers may send; each idle one costs the client time.
_CONNECTIONS: Final = 10
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
        self._base_url = account.base_url.rstrip("/")
        self._messages_url = f"{self._base_url}/2010-04-01/Accounts/{account.sid}/Messages.json"
        self._client = httpx.AsyncClient(
            auth=(account.sid, account.token),
            follow_redirects=False,
            timeout=None,  # one time-out for the whole attempt, in `send`
            # An idle connection that the provider is just closing would turn a send into an unknown.
            limits=httpx.Limits(
                max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS, keepalive_expiry=3.0
            ),
            # A proxy from the environment cannot reach a gateway on this machine.
            trust_env=urlsplit(account.base_url).hostname not in {"127.0.0.1", "::1", "localhost"},
        )

        # Requests that wait for a connection wait here: the client looks at all of them each time one is free.
        self._free = asyncio.Semaphore(_CONNECTIONS)

    async def send(self, message: Outgoing) -> Accepted:
        """Send one SMS; answers with Twilio's message sid.

        Raises:
            DeadlinePassed: the deadline passed first; nothing left.
            RetryLater: certainly not accepted, and worth another attempt.
            Rejected: Twilio refused this number or text for good.
            OutcomeUnknown: the request left and no answer came that says yes or no.
        """
        in_time(message)
        request_left = asyncio.Event()

        async def before_the_body(event: str, _: Mapping[str, Any]) -> None:
            # The last moment: a request whose body never comes is nothing that a provider can act upon.
            if event == "http11.send_request_body.started":
                may_leave(message)
                request_left.set()

        try:
            async with asyncio.timeout(self.capabilities.timeout.total_seconds()), self._free:
                answer = await self._client.post(
                    self._messages_url,
                    content=self._form(message),
                    headers={
                        "Content-Type": "application/x-www-form-urlencoded",
                        "X-Business-Time": message.at.isoformat(),
                    },
                    extensions={"trace": before_the_body},
                )
        except (httpx.HTTPError, TimeoutError) as error:
            reason = type(error).__name__
            if request_left.is_set():
                raise OutcomeUnknown(f"the SMS left and its acceptance was not seen: {reason}") from error
            raise RetryLater(f"the SMS gateway was not reached: {reason}") from error
        return _outcome(answer)

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
        url = f"{self._messages_url}?{urlencode({'To': address, 'From': sender, 'PageSize': _PAGE_SIZE})}"
        for _ in range(_MOST_PAGES):
            answer = await self._client.get(url)
            if answer.status_code != httpx.codes.OK:
                raise LookUpFailed(f"the SMS gateway answered {answer.status_code} when asked for its messages")
            page = answer.json()
            for resource in page["messages"]:
                yield resource
            if not page.get("next_page_uri"):
                return
            url = urljoin(f"{self._base_url}/", page["next_page_uri"])
            # The password goes along with each request, and must not go elsewhere.
            if urlsplit(url)[:2] != urlsplit(self._base_url)[:2]:
                raise LookUpFailed("the SMS gateway's list goes on at another host; not followed")
        raise LookUpFailed(f"the SMS gateway lists more than {_PAGE_SIZE * _MOST_PAGES} messages to one number")

    async def close(self) -> None:
        await self._client.aclose()


def _outcome(answer: httpx.Response) -> Accepted:
    status = answer.status_code
    body = _json_object(answer)
    if status in {httpx.codes.OK, httpx.codes.CREATED}:
        if not body.get("sid"):
            raise OutcomeUnknown(f"the SMS gateway answered {status} without a message sid")
        return Accepted(str(body["sid"]))
    code = body.get("code")
    # Only the numbers: the provider's sentence often repeats the borrower's number.
    named = f"{status}" if code is None else f"{status}, code {code}"
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise RetryLater(f"the SMS gateway is busy: {named}", after=_retry_after(answer))
    if status == httpx.codes.SERVICE_UNAVAILABLE and code is not None:
        raise RetryLater(f"the SMS gateway is unavailable: {named}", after=_retry_after(answer))
    if not 400 <= status < 500:
        raise OutcomeUnknown(f"the SMS gateway answered {named}, which says neither yes nor no")
    if isinstance(code, int) and code in _ABOUT_THE_MESSAGE and code not in _OUR_OWN_SETTINGS:
        raise Rejected(f"the SMS gateway refused the message: {named}")
    # Credentials, account, sender, a proxy on the way: to be mended on our side, whatever the number is.
    raise RetryLater(f"the SMS gateway refused the request: {named}")


def _json_object(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _retry_after(answer: httpx.Response) -> timedelta | None:
    """The header's seconds; its other form, a date, is left to our own back-off."""
    value = answer.headers.get("Retry-After", "")
    return timedelta(seconds=int(value)) if value.isdecimal() else None
