"""Where the receiver is reached, and how it knows its callers, read from the environment.

| variable | meaning |
| --- | --- |
| DUECOURSE_RECEIVER_URL | the public address of the receiver, as providers call it: https://receipts.lender.example |
| DUECOURSE_TWILIO_TOKEN | the account's token, which signs Twilio's calls |
| DUECOURSE_TELNYX_PUBLIC_KEY | the key, base64, that Telnyx signs with |
| DUECOURSE_FACTS_TOKEN | what the core system shows as bearer token at POST /facts; 32 characters or more |

A caller whose variable is absent is answered 404.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from duecourse.errors import InvalidInput

SHORTEST_TOKEN = 32


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """None: that caller is not served."""

    public_url: str
    twilio_token: str | None = field(default=None, repr=False)
    telnyx_key: str | None = None
    facts_token: str | None = field(default=None, repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> ReceiverSettings:
        """Raises InvalidInput, naming the variable; a secret's value is never repeated."""
        url = environment.get("DUECOURSE_RECEIVER_URL", "").rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
            raise InvalidInput("DUECOURSE_RECEIVER_URL", url, "the receiver's public address, https://host")
        token = environment.get("DUECOURSE_FACTS_TOKEN") or None
        if token is not None and len(token) < SHORTEST_TOKEN:
            raise InvalidInput("DUECOURSE_FACTS_TOKEN", "(hidden)", f"{SHORTEST_TOKEN} characters or more")
        key = environment.get("DUECOURSE_TELNYX_PUBLIC_KEY") or None
        if key is not None and not _is_key(key):
            raise InvalidInput("DUECOURSE_TELNYX_PUBLIC_KEY", key, "32 bytes in base64")
        return cls(url, environment.get("DUECOURSE_TWILIO_TOKEN") or None, key, token)


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 32
    except (binascii.Error, ValueError):
        return False
