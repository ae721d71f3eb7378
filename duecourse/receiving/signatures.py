"""Whether a call really comes from the provider. Times are seconds since 1970, given by the caller."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TOLERANCE_S: Final = 300
"""How old or how far ahead a signed call may be: an old one that was overheard must not be played again."""


def twilio_signature(token: str, url: str, fields: Iterable[tuple[str, str]]) -> str:
    """As https://www.twilio.com/docs/usage/security says: the public URL, then names and values, sorted by name."""
    signed = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def from_twilio(token: str, url: str, fields: Iterable[tuple[str, str]], given: str) -> bool:
    """`url`: the public one, with its query, as Twilio called it."""
    return hmac.compare_digest(twilio_signature(token, url, fields).encode(), given.encode())


def from_telnyx(public_key: str, body: bytes, timestamp: str, given: str, now: float) -> bool:
    """Ed25519 over `timestamp|body`; key and signature are base64 (developers.telnyx.com, webhook signing)."""
    if not timestamp.isascii() or not timestamp.isdecimal() or abs(now - int(timestamp)) > TOLERANCE_S:
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(given, validate=True), timestamp.encode() + b"|" + body)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True
