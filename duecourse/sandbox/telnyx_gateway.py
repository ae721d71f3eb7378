"""Telnyx's Messages API in the sandbox, as far as a sender uses it: POST /v2/messages under an Idempotency-Key.

A key with the same bytes is answered again and sends nothing; with other bytes it is refused with 422; while its first
request is under way, with 409. Refusals are not kept
(https://developers.telnyx.com/docs/development/api-fundamentals/idempotency).
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from duecourse.messages.segments import count_segments
from duecourse.sandbox.connection import hang_up
from duecourse.sandbox.faults import Delay, Drop, Fail, Faults, Stall
from duecourse.sandbox.received import Inbox, Received

_KEY = re.compile(r"[A-Za-z0-9_:-]{1,255}")
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")


class _Refusal(Exception):
    def __init__(self, status: int, code: str, pointer: str | None = None) -> None:
        super().__init__(code)
        self.answer = _error(status, code, pointer)


def _error(status: int, code: str, pointer: str | None = None, retry_after: int | None = None) -> JSONResponse:
    error: dict[str, Any] = {"code": code, "title": f"error {code}"}
    if pointer is not None:
        error["source"] = {"pointer": pointer}
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return JSONResponse({"errors": [error]}, status_code=status, headers=headers)


class TelnyxGateway:
    """The route over one inbox; it remembers the keys of what it accepted as long as it runs."""

    def __init__(
        self, inbox: Inbox, faults: Faults, on_accepted: Callable[[Received], Awaitable[None]], key: str
    ) -> None:
        self._inbox = inbox
        self._faults = faults
        self._on_accepted = on_accepted
        self._key = key
        self._under_way: set[str] = set()
        self._answered: dict[str, tuple[bytes, dict[str, Any]]] = {}

    def routes(self) -> list[Route]:
        return [Route("/v2/messages", self._create, methods=["POST"])]

    async def _create(self, request: Request) -> Response:
        raw = await request.body()
        try:
            self._check_login(request)
            key = request.headers.get("Idempotency-Key", "")
            if key and not _KEY.fullmatch(key):
                raise _Refusal(400, "10015")
            if key in self._under_way:
                return _error(409, "10012")
            if key in self._answered:
                body, answer = self._answered[key]
                return JSONResponse(answer) if body == raw else _error(422, "10015")
            fields = _checked(raw)
        except _Refusal as refusal:
            return refusal.answer
        self._under_way.add(key)
        try:
            return await self._meet(request, key, fields, raw)
        finally:
            self._under_way.discard(key)

    async def _meet(self, request: Request, key: str, fields: dict[str, Any], raw: bytes) -> Response:
        match self._faults.take("sms", fields["to"]):
            case Fail() as fail:
                return _error(fail.status, str(fail.code or fail.status), None, fail.retry_after)
            case Delay(seconds=seconds):
                await asyncio.sleep(seconds)
                return await self._accept(request, key, fields, raw)
            case Stall(when=when):
                answer = await self._accept(request, key, fields, raw) if when == "after_acceptance" else None
                self._under_way.discard(key)
                await self._faults.until_released()
                return answer or _error(500, "10007")
            case Drop(when=when):
                if when == "after_acceptance":
                    await self._accept(request, key, fields, raw)
                self._under_way.discard(key)
                return await hang_up(request)
            case None:
                return await self._accept(request, key, fields, raw)

    async def _accept(self, request: Request, key: str, fields: dict[str, Any], raw: bytes) -> Response:
        id_ = str(uuid.uuid4())
        resource = {
            "provider": "telnyx",
            "sid": id_,
            "to": fields["to"],
            "from": fields["from"],
            "body": fields["text"],
            "status": "queued",
            "date_sent": None,
            "error_code": None,
        }
        stated = request.headers.get("X-Business-Time")
        at = datetime.fromisoformat(stated) if stated else None
        received = self._inbox.keep_sms({"StatusCallback": fields.get("webhook_url", "")}, raw, resource, at)
        data = {
            "record_type": "message",
            "direction": "outbound",
            "id": id_,
            "type": "SMS",
            "from": {"phone_number": fields["from"]},
            "to": [{"phone_number": fields["to"], "status": "queued"}],
            "text": fields["text"],
            "parts": count_segments(fields["text"]).segments,
            "tags": fields.get("tags", []),
            "webhook_url": fields.get("webhook_url"),
        }
        if key:
            self._answered[key] = (raw, {"data": data})
        await self._on_accepted(received)
        return JSONResponse({"data": data})

    def _check_login(self, request: Request) -> None:
        given = request.headers.get("Authorization", "")
        if not secrets.compare_digest(given.encode(), f"Bearer {self._key}".encode()):
            raise _Refusal(401, "10009")


def _checked(raw: bytes) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = json.loads(raw)
    except ValueError as error:
        raise _Refusal(400, "10023") from error
    for name in ("from", "to", "text"):
        if not isinstance(fields, dict) or not fields.get(name):
            raise _Refusal(422, "10004", f"/{name}")
    if not _NUMBER.fullmatch(fields["to"]):
        raise _Refusal(400, "40310", "/to")
    if not _NUMBER.fullmatch(fields["from"]) and not fields.get("messaging_profile_id"):
        raise _Refusal(400, "40306", "/from")
    return fields
