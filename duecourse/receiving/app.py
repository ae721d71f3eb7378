"""The receiver: POST /receipts/twilio, /replies/twilio, /receipts/telnyx (both), /facts; GET /healthz.

A provider is answered 200 once its event stands in the ledger; the loan hears of it through the outbox, so no crash
between the two loses it. Nobody is answered anything about a person.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from duecourse.ledger.clock import book_offset
from duecourse.ledger.facts import Recorded
from duecourse.ledger.incoming import Receipt, Reply, take_in
from duecourse.ledger.reported import Refused, take_reported
from duecourse.ledger.store import Ledger
from duecourse.receiving.providers import telnyx_event, twilio_receipt, twilio_reply
from duecourse.receiving.settings import ReceiverSettings
from duecourse.receiving.signatures import from_telnyx, from_twilio

MOST_BYTES: Final = 1_000_000
MOST_ROWS: Final = 1_000
_NO_WORDS: Final = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


class Receiver:
    """`clock`: real time, aware UTC."""

    def __init__(self, ledger: Ledger, settings: ReceiverSettings, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._settings = settings
        self._clock = clock

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/receipts/twilio", self._twilio_receipt, methods=["POST"]),
                Route("/replies/twilio", self._twilio_reply, methods=["POST"]),
                Route("/receipts/telnyx", self._telnyx, methods=["POST"]),
                Route("/facts", self._facts, methods=["POST"]),
                Route("/healthz", self._healthz, methods=["GET"]),
            ]
        )

    async def _twilio_receipt(self, request: Request) -> Response:
        body, form = await self._from_twilio(request)
        return await self._take(twilio_receipt(form, request.query_params.get("contact")), body)

    async def _twilio_reply(self, request: Request) -> Response:
        body, form = await self._from_twilio(request)
        await self._take(twilio_reply(form), body)
        # Empty on purpose: a provider that confirms a STOP itself would make it two confirmations.
        return Response(_NO_WORDS, media_type="application/xml")

    async def _telnyx(self, request: Request) -> Response:
        key = self._settings.telnyx_key
        if key is None:
            raise HTTPException(404)
        body = await _body(request)
        timestamp = request.headers.get("telnyx-timestamp", "")
        signature = request.headers.get("telnyx-signature-ed25519", "")
        if not from_telnyx(key, body, timestamp, signature, self._clock().timestamp()):
            raise HTTPException(403, "the signature is not Telnyx's")
        try:
            event = telnyx_event(body)
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        if event is None:
            return Response(status_code=200)
        return await self._take(event, body)

    async def _facts(self, request: Request) -> Response:
        token = self._settings.facts_token
        if token is None:
            raise HTTPException(404)
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise HTTPException(401, "show the token: Authorization: Bearer ...", {"WWW-Authenticate": "Bearer"})
        rows = _rows(await _body(request))
        now = await self._now()
        taken: list[dict[str, Any]] = []
        refused: list[dict[str, Any]] = []
        for position, row in enumerate(rows):
            # A transaction each: a batch must not keep a send waiting, and a repeat of it changes nothing.
            match await self._ledger.transacting(take_reported, row, now):
                case Recorded() as one:
                    taken.append(_taken(position, one))
                case Refused() as one:
                    refused.append(_refused(position, one))
        return JSONResponse({"taken": taken, "refused": refused})

    async def _healthz(self, _: Request) -> Response:
        await self._now()
        return Response("ok", media_type="text/plain")

    async def _from_twilio(self, request: Request) -> tuple[bytes, dict[str, str]]:
        token = self._settings.twilio_token
        if token is None:
            raise HTTPException(404)
        body = await _body(request)
        try:
            fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200)
        except ValueError as error:
            raise HTTPException(400, "not a form") from error
        # The address that Twilio called: behind a proxy ours is another.
        query = f"?{request.url.query}" if request.url.query else ""
        url = f"{self._settings.public_url}{request.url.path}{query}"
        if not from_twilio(token, url, fields, request.headers.get("X-Twilio-Signature", "")):
            raise HTTPException(403, "the signature is not Twilio's")
        return body, dict(fields)

    async def _take(self, event: Receipt | Reply | None, body: bytes) -> Response:
        if event is None:
            raise HTTPException(400, "an event without the fields that it needs")
        await self._ledger.transacting(take_in, event, body.decode("utf-8", "replace"), await self._now())
        return Response(status_code=200)

    async def _now(self) -> datetime:
        """Business time, aware UTC."""
        return self._clock() + await self._ledger.consulting(book_offset)


async def _body(request: Request) -> bytes:
    kept = bytearray()
    async for piece in request.stream():
        kept += piece
        if len(kept) > MOST_BYTES:
            raise HTTPException(413, f"at most {MOST_BYTES} bytes")
    return bytes(kept)


def _rows(body: bytes) -> list[Any]:
    try:
        # Money must not pass through binary fractions.
        read = json.loads(body, parse_float=Decimal, parse_constant=_no_number)
        rows = read["facts"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise HTTPException(400, 'expected {"facts": [{...}, ...]}') from error
    if not isinstance(rows, list) or len(rows) > MOST_ROWS:
        raise HTTPException(400, f"facts: expected a list of at most {MOST_ROWS} rows")
    return rows


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _taken(position: int, one: Recorded) -> dict[str, Any]:
    return {"position": position, "id": one.fact.id, "lender": one.lender, "loan": one.loan, "again": one.again}


def _refused(position: int, one: Refused) -> dict[str, Any]:
    return {
        "position": position,
        "id": one.row,
        "lender": one.lender,
        "loan": one.loan,
        "field": one.field,
        "reason": one.reason,
        "paused": one.paused,
        "task": one.task,
    }
