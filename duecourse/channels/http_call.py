"""One HTTP request per call to a provider, and an honest word on whether it left.

No redirects and no retries: a repeat that nobody decided would be a second message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from duecourse.channels.adapter import OutcomeUnknown, Outgoing, RetryLater, in_time, may_leave

# Ten in flight are fifty a second at 200 ms each, more than most senders may send; each idle one costs the client time.
_CONNECTIONS: Final = 10


class HttpProvider:
    """The HTTP connections to one provider; `timeout` bounds a whole call, connection included."""

    def __init__(
        self,
        base_url: str,
        timeout: timedelta,
        *,
        login: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._client = httpx.AsyncClient(
            auth=login,
            headers=dict(headers or {}),
            follow_redirects=False,
            timeout=None,  # one time-out for the whole attempt, below
            # An idle connection that the provider is just closing would turn a send into an unknown.
            limits=httpx.Limits(
                max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS, keepalive_expiry=3.0
            ),
            # A proxy from the environment cannot reach a gateway on this machine.
            trust_env=urlsplit(base_url).hostname not in {"127.0.0.1", "::1", "localhost"},
        )
        # Requests that wait for a connection wait here: the client looks at all of them each time one is free.
        self._free = asyncio.Semaphore(_CONNECTIONS)

    async def post(self, path: str, body: bytes, headers: Mapping[str, str], message: Outgoing) -> httpx.Response:
        """Send one message; answers with whatever the provider answered.

        Raises:
            DeadlinePassed: the deadline passed first; nothing left.
            RetryLater: the provider was not reached.
            OutcomeUnknown: the request left and no answer came.
        """
        in_time(message)
        request_left = asyncio.Event()

        async def before_the_body(event: str, _: Mapping[str, Any]) -> None:
            # The last moment: a request whose body never comes is nothing that a provider can act upon.
            if event == "http11.send_request_body.started":
                may_leave(message)
                request_left.set()

        try:
            async with asyncio.timeout(self._timeout.total_seconds()), self._free:
                return await self._client.post(
                    f"{self.base_url}{path}",
                    content=body,
                    headers={**headers, "X-Business-Time": message.at.isoformat()},
                    extensions={"trace": before_the_body},
                )
        except (httpx.HTTPError, TimeoutError) as error:
            reason = type(error).__name__
            if request_left.is_set():
                raise OutcomeUnknown(f"the message left and its acceptance was not seen: {reason}") from error
            raise RetryLater(f"the provider was not reached: {reason}") from error

    async def get(self, url: str) -> httpx.Response:
        """Read something; the caller bounds the time, since one look-up may read several pages."""
        return await self._client.get(url)

    async def close(self) -> None:
        await self._client.aclose()


def json_object(answer: httpx.Response) -> dict[str, Any]:
    """The answer's JSON object; an empty one where it is none, which says nothing."""
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def retry_after(answer: httpx.Response) -> timedelta | None:
    """The header's seconds; its other form, a date, is left to our own back-off."""
    value = answer.headers.get("Retry-After", "")
    return timedelta(seconds=int(value)) if value.isdecimal() else None
