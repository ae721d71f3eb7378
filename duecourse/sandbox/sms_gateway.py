"""The SMS gateway of the sandbox: Twilio's Messages API, as far as a sender uses it.

POST /2010-04-01/Accounts/{sid}/Messages.json        create
GET  /2010-04-01/Accounts/{sid}/Messages.json        list: To, From, PageSize, Page
GET  /2010-04-01/Accounts/{sid}/Messages/{sid}.json  one

Shapes as in https://www.twilio.com/docs/messaging/api/message-resource.
"""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from duecourse.messages.segments import count_segments
from duecourse.sandbox.connection import hang_up
from duecourse.sandbox.faults import Delay, Drop, Fail, Faults, Stall
from duecourse.sandbox.received import Inbox, Received

OnAccepted = Callable[[Received], Awaitable[None]]

_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_LONGEST_BODY = 1600
_MOST_PER_PAGE = 1000


class _Refusal(Exception):
    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.answer = error_answer(status, code, message)


def error_answer(status: int, code: int | None, message: str, retry_after: int | None = None) -> JSONResponse:
    """An error as Twilio words it."""
    return JSONResponse(
        {
            "code": code,
            "message": message,
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        },
        status_code=status,
        headers={} if retry_after is None else {"Retry-After": str(retry_after)},
    )


class SmsGateway:
    """The routes of the API over one inbox."""

    def __init__(self, inbox: Inbox, faults: Faults, on_accepted: OnAccepted, sid: str, token: str) -> None:
        self._inbox = inbox
        self._faults = faults
        self._on_accepted = on_accepted
        self._sid = sid
        self._token = token

    def routes(self) -> list[Route]:
        account = "/2010-04-01/Accounts/{account}"
        return [
            Route(f"{account}/Messages.json", self._create, methods=["POST"]),
            Route(f"{account}/Messages.json", self._list, methods=["GET"]),
            Route(f"{account}/Messages/{{message}}.json", self._one, methods=["GET"]),
        ]

    async def _create(self, request: Request) -> Response:
        raw = await request.body()
        form = dict(parse_qsl(raw.decode("utf-8"), keep_blank_values=True))
        try:
            self._check_account(request)
            match self._faults.take("sms", form.get("To", "")):
                case Fail() as fail:
                    words = "refused by order of the sandbox"
                    return error_answer(fail.status, fail.code, words, fail.retry_after)
                case Delay(seconds=seconds):
                    await asyncio.sleep(seconds)
                    return await self._accept(request, form, raw)
                case Stall(when=when):
                    answer = await self._accept(request, form, raw) if when == "after_acceptance" else None
                    await self._faults.until_released()
                    return answer or error_answer(500, 20500, "given up by order of the sandbox")
                case Drop(when=when):
                    if when == "after_acceptance":
                        await self._accept(request, form, raw)
                    return await hang_up(request)
                case None:
                    return await self._accept(request, form, raw)
        except _Refusal as refusal:
            return refusal.answer

    async def _accept(self, request: Request, form: dict[str, str], raw: bytes) -> Response:
        _check_message(form)
        sid = f"SM{uuid.uuid4().hex}"
        resource = {
            "account_sid": self._sid,
            "api_version": "2010-04-01",
            "body": form["Body"],
            "date_created": None,
            "date_sent": None,
            "date_updated": None,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": form["From"],
            "messaging_service_sid": None,
            "num_media": "0",
            "num_segments": str(count_segments(form["Body"]).segments),
            "price": None,
            "price_unit": "USD",
            "sid": sid,
            "status": "queued",
            "subresource_uris": {"media": f"/2010-04-01/Accounts/{self._sid}/Messages/{sid}/Media.json"},
            "to": form["To"],
            "uri": f"/2010-04-01/Accounts/{self._sid}/Messages/{sid}.json",
        }
        message = self._inbox.keep_sms(form, raw, resource, _business_time(request))
        # What was answered is what stood there at acceptance, whatever a hook does to the message.
        answer = JSONResponse(resource, status_code=201)
        await self._on_accepted(message)
        return answer

    async def _list(self, request: Request) -> Response:
        query = request.query_params
        try:
            self._check_account(request)
            size = _whole_number(query.get("PageSize", "50"), 1, _MOST_PER_PAGE)
            page = _whole_number(query.get("Page", "0"), 0, 1_000_000)
        except _Refusal as refusal:
            return refusal.answer
        matching = [
            resource
            for resource in self._inbox.sms_resources()
            if query.get("To", resource["to"]) == resource["to"]
            and query.get("From", resource["from"]) == resource["from"]
        ]
        first = page * size
        shown = matching[first : first + size]

        def uri(number: int) -> str:
            kept = {name: query[name] for name in ("To", "From") if name in query}
            return f"{request.url.path}?{urlencode({**kept, 'PageSize': size, 'Page': number})}"

        return JSONResponse(
            {
                "messages": shown,
                "page": page,
                "page_size": size,
                "start": first,
                "end": first + len(shown) - 1 if shown else first,
                "uri": uri(page),
                "first_page_uri": uri(0),
                "next_page_uri": uri(page + 1) if first + size < len(matching) else None,
                "previous_page_uri": uri(page - 1) if page else None,
            }
        )

    async def _one(self, request: Request) -> Response:
        try:
            self._check_account(request)
        except _Refusal as refusal:
            return refusal.answer
        resource = self._inbox.sms_resource(request.path_params["message"])
        if resource is None:
            return error_answer(404, 20404, f"The requested resource {request.url.path} was not found")
        return JSONResponse(resource)

    def _check_account(self, request: Request) -> None:
        expected = base64.b64encode(f"{self._sid}:{self._token}".encode()).decode()
        given = request.headers.get("Authorization", "")
        if not secrets.compare_digest(given.encode(), f"Basic {expected}".encode()):
            raise _Refusal(401, 20003, "Authenticate")
        if request.path_params["account"] != self._sid:
            raise _Refusal(404, 20404, f"The requested resource {request.url.path} was not found")


def _check_message(form: dict[str, str]) -> None:
    if not form.get("To"):
        raise _Refusal(400, 21604, "A 'To' phone number is required.")
    if not form.get("From"):
        raise _Refusal(400, 21603, "A 'From' phone number is required.")
    if not form.get("Body"):
        raise _Refusal(400, 21602, "Message body is required.")
    if not _NUMBER.fullmatch(form["To"]):
        raise _Refusal(400, 21211, "Invalid 'To' Phone Number")
    if len(form["Body"]) > _LONGEST_BODY:
        raise _Refusal(400, 21617, "The concatenated message body exceeds the 1600 character limit.")


def _business_time(request: Request) -> datetime | None:
    stated = request.headers.get("X-Business-Time")
    if stated is None:
        return None
    try:
        instant = datetime.fromisoformat(stated)
    except ValueError as error:
        raise _Refusal(400, 20001, "X-Business-Time is not an ISO 8601 instant") from error
    if instant.tzinfo is None:
        raise _Refusal(400, 20001, "X-Business-Time has no offset from UTC")
    return instant


def _whole_number(text: str, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise _Refusal(400, 20001, f"Expected a whole number from {least} to {most}")
    return int(text)
