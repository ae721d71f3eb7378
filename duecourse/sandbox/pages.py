"""The sandbox's pages for people, and the routes by which it is told to misbehave.

GET  /                              all messages, to read
GET  /messages/{number}             one message
GET  /messages/{number}/html        a mail's HTML part
GET  /sandbox/received              all messages as JSON
GET  /sandbox/repeats               what came more than once
GET, POST, DELETE /sandbox/faults   the troubles to come: list, add one (JSON), forget all and release what is held
POST /sandbox/sms/{sid}/status      move an SMS on: {"status": "delivered", "error_code": null}
"""

from __future__ import annotations

from html import escape

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from duecourse.sandbox.faults import Fault, Faults
from duecourse.sandbox.received import Inbox, Received

_FAULT: TypeAdapter[Fault] = TypeAdapter(Fault)
# A mail's HTML is somebody else's: it may neither run nor load anything here.
_ISOLATED = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid #8886; }
td:not(:last-child) { white-space: nowrap; }
pre { white-space: pre-wrap; font: inherit; }
iframe { width: 100%; height: 40rem; border: 1px solid #8886; background: #fff; }
"""


class _StatusChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    status: str
    error_code: int | None = None


class Pages:
    """The routes over one inbox and its faults."""

    def __init__(self, inbox: Inbox, faults: Faults) -> None:
        self._inbox = inbox
        self._faults = faults

    def routes(self) -> list[Route]:
        return [
            Route("/", self._index),
            Route("/messages/{number:int}", self._message),
            Route("/messages/{number:int}/html", self._html),
            Route("/sandbox/received", self._received),
            Route("/sandbox/repeats", self._repeats),
            Route("/sandbox/faults", self._fault, methods=["GET", "POST", "DELETE"]),
            Route("/sandbox/sms/{sid}/status", self._status, methods=["POST"]),
        ]

    async def _index(self, request: Request) -> Response:
        rows = "".join(
            f'<tr><td><a href="/messages/{m.number}">{m.number}</a></td><td>{escape(m.channel)}</td>'
            f"<td>{m.at:%Y-%m-%d %H:%M} UTC</td><td>{escape(m.address)}</td>"
            f"<td>{escape(m.subject or m.text)}</td></tr>"
            for m in reversed(self._inbox.messages())
        )
        head = "<tr><th>No.</th><th>Channel</th><th>Business time</th><th>To</th><th>Message</th></tr>"
        repeats = len(self._inbox.repeats().by_contact)
        heading = f"<h1>Messages of the sandbox</h1><p>Sent twice under one reference: {repeats}</p>"
        return HTMLResponse(_page("Sandbox", f"{heading}<table>{head}{rows}</table>"))

    async def _message(self, request: Request) -> Response:
        message = self._find(request)
        if message is None:
            return PlainTextResponse("no such message", 404)
        html = f'<iframe src="/messages/{message.number}/html" title="HTML part"></iframe>' if message.html else ""
        about = (
            f"<p>{escape(message.channel)} to {escape(message.address)} from {escape(message.sender)},"
            f" {message.at:%Y-%m-%d %H:%M} UTC<br>reference {escape(message.contact or 'none')}</p>"
        )
        title = escape(message.subject or f"Message {message.number}")
        return HTMLResponse(_page(title, f"<h1>{title}</h1>{about}<pre>{escape(message.text)}</pre>{html}"))

    async def _html(self, request: Request) -> Response:
        message = self._find(request)
        if message is None or message.html is None:
            return PlainTextResponse("no such HTML part", 404)
        return HTMLResponse(message.html, headers=_ISOLATED)

    async def _received(self, request: Request) -> Response:
        return JSONResponse([message.as_json() for message in self._inbox.messages()])

    async def _repeats(self, request: Request) -> Response:
        repeats = self._inbox.repeats()
        by_text = [{"to": to, "text": text, "times": times} for (to, text), times in repeats.by_text.items()]
        return JSONResponse({"by_contact": repeats.by_contact, "by_text": by_text})

    async def _fault(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                self._faults.add(_FAULT.validate_json(await request.body()))
            except ValidationError as error:
                return JSONResponse({"errors": error.errors(include_url=False, include_context=False)}, 422)
        elif request.method == "DELETE":
            self._faults.clear()
        return JSONResponse([fault.model_dump() for fault in self._faults.waiting()])

    async def _status(self, request: Request) -> Response:
        try:
            change = _StatusChange.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"errors": error.errors(include_url=False, include_context=False)}, 422)
        resource = self._inbox.set_sms_status(request.path_params["sid"], change.status, change.error_code)
        return JSONResponse(resource) if resource is not None else PlainTextResponse("no such SMS", 404)

    def _find(self, request: Request) -> Received | None:
        wanted = request.path_params["number"]
        return next((message for message in self._inbox.messages() if message.number == wanted), None)


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>{body}</body></html>'
    )
