"""Hanging up on an HTTP client without an answer, which no web framework offers."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_TRANSPORT = "duecourse.sandbox.transport"


class RemembersItsConnection:
    """Puts the connection's transport into the scope: uvicorn's `send` is a method of the object that holds it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope[_TRANSPORT] = send.__self__.transport  # type: ignore[attr-defined]
        await self._app(scope, receive, send)


async def hang_up(request: Request) -> Response:
    """Abort the connection; the answer that is returned reaches nobody."""
    request.scope[_TRANSPORT].abort()
    # An answer written before the server has noticed would be an error in its log.
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response(status_code=204)
