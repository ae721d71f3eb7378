"""A print service that speaks Lob's contract: POST /v1/letters with a PDF, and GET /v1/letters/{id}.

Checked as Lob does: the key by Basic authentication with an empty password, the required fields, US addresses, a PDF of
US Letter size, and what an idempotency key means: the same key and form give the same letter for 24 hours, and another
form under the same key is refused.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

KEY_HOLDS = timedelta(hours=24)

_REQUIRED = ("name", "address_line1", "address_city", "address_state", "address_zip")
_LETTER_PAGE = re.compile(rb"/MediaBox\s*\[\s*0\s+0\s+612(?:\.0+)?\s+792(?:\.0+)?\s*\]")


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter as it was taken: the fields of its form, the file, and the answer."""

    fields: dict[str, str]
    pdf: bytes
    resource: dict[str, Any]


class LetterService:
    """The routes over the letters in memory. `answer_with`: statuses of the next answers, whatever was done.

    `taken`: whether a letter is nevertheless taken before such an answer.
    """

    def __init__(self, key: str) -> None:
        self.letters: list[Letter] = []
        self.answer_with: list[tuple[int, bool]] = []
        self._key = key
        self._by_key: dict[str, tuple[datetime | None, str, Letter]] = {}

    def routes(self) -> list[Route]:
        return [
            Route("/v1/letters", self._create, methods=["POST"]),
            Route("/v1/letters/{letter}", self._one, methods=["GET"]),
        ]

    async def _create(self, request: Request) -> Response:
        if not self._may(request):
            return _error(401, "invalid_api_key", "Your API key is not valid.")
        if self.answer_with:
            status, taken = self.answer_with.pop(0)
            if taken:
                await self._take(request)
            return _error(status, "internal_server_error" if status >= 500 else "rate_limit_exceeded", "by order")
        return await self._take(request)

    async def _take(self, request: Request) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > 256:
            return _error(422, "invalid", "Idempotency-Key must be no longer than 256 characters.")
        digest = hashlib.sha256(await request.body()).hexdigest()
        stated = request.headers.get("X-Business-Time")
        now = datetime.fromisoformat(stated) if stated else None
        known = self._by_key.get(key) if key else None
        if known is not None and not _is_over(known[0], now):
            if known[1] != digest:
                return _error(422, "invalid", "This Idempotency-Key was used with another request.")
            return JSONResponse(known[2].resource)
        form = await request.form()
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        file = form.get("file")
        if not isinstance(file, UploadFile):
            return _error(422, "invalid", "file is required")
        pdf = await file.read()
        refused = _refused(fields, pdf)
        if refused is not None:
            return refused
        resource = {
            "id": f"ltr_{secrets.token_hex(8)}",
            "object": "letter",
            "to": {"name": fields["to[name]"].upper(), "address_city": fields["to[address_city]"].upper()},
            "color": fields["color"] == "true",
            "address_placement": fields.get("address_placement", "top_first_page"),
            "use_type": fields["use_type"],
            "metadata": {"contact": fields["metadata[contact]"]} if "metadata[contact]" in fields else {},
            "date_created": now and now.isoformat(),
            "carrier": "USPS",
        }
        letter = Letter(fields, pdf, resource)
        self.letters.append(letter)
        if key:
            self._by_key[key] = (now, digest, letter)
        return JSONResponse(resource)

    async def _one(self, request: Request) -> Response:
        if not self._may(request):
            return _error(401, "invalid_api_key", "Your API key is not valid.")
        for letter in self.letters:
            if letter.resource["id"] == request.path_params["letter"]:
                return JSONResponse(letter.resource)
        return _error(404, "not_found", "letter not found")

    def _may(self, request: Request) -> bool:
        expected = base64.b64encode(f"{self._key}:".encode()).decode()
        return secrets.compare_digest(request.headers.get("Authorization", "").encode(), f"Basic {expected}".encode())


def _is_over(first: datetime | None, now: datetime | None) -> bool:
    """Whether a key's day has passed; without business time it never does."""
    return first is not None and now is not None and now - first >= KEY_HOLDS


def _refused(fields: dict[str, str], pdf: bytes) -> JSONResponse | None:
    for field in (*(f"{side}[{one}]" for side in ("to", "from") for one in _REQUIRED), "color", "use_type"):
        if not fields.get(field):
            return _error(422, "invalid", f"{field} is required")
    if fields["use_type"] not in {"marketing", "operational"}:
        return _error(422, "invalid", "use_type must be one of [marketing, operational]")
    if any(len(fields[f"{side}[name]"]) > 40 for side in ("to", "from")):
        return _error(422, "address_length_exceeds_limit", "name must be no longer than 40 characters")
    if fields["to[address_line1]"].startswith("0 Nowhere"):  # the sandbox's address that no carrier knows
        return _error(422, "failed_deliverability_strictness", "the address is undeliverable")
    if not pdf.startswith(b"%PDF-"):
        return _error(422, "file_type_mismatch", "file must be a PDF")
    if _LETTER_PAGE.search(pdf) is None:
        return _error(422, "invalid_file_dimensions", "the pages must be 8.5 by 11 inches")
    return None


def _error(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse(
        {"error": {"message": message, "status_code": status, "code": code}},
        status_code=status,
        headers={"Retry-After": "7"} if status == 429 else {},
    )
