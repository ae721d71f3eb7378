"""What the sandbox accepted: files that a person can open, and the count of repeats.

    <directory>/mail/000001-<contact>.eml   the bytes that came, and a .txt beside it to read
    <directory>/sms/000002-<contact>.json   the message as the API shows it, and a .txt

Numbers run over both channels in the order of acceptance. A directory that already has messages is continued.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

_NOT_FOR_A_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_NUMBERED = re.compile(r"(\d{6,})-")


@dataclass(frozen=True, slots=True)
class Received:
    """One accepted message. `at` is its business time, or the file's time where the sender named none."""

    number: int
    channel: str  # email | sms
    contact: str | None
    address: str
    sender: str
    subject: str | None
    text: str
    html: str | None
    at: datetime
    provider_id: str
    path: Path
    raw: bytes = field(repr=False)  # mail: as it came; sms: the form as it came

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "channel": self.channel,
            "contact": self.contact,
            "to": self.address,
            "from": self.sender,
            "subject": self.subject,
            "text": self.text,
            "at": self.at.isoformat(),
            "provider_id": self.provider_id,
            "file": str(self.path),
        }


@dataclass(frozen=True, slots=True)
class Repeats:
    """What came more than once, with how often: by our reference, and by (address, text)."""

    by_contact: dict[str, int]
    by_text: dict[tuple[str, str], int]


class Inbox:
    """All messages of one directory, in memory and on disk."""

    def __init__(self, directory: Path) -> None:
        self._mail = directory / "mail"
        self._sms = directory / "sms"
        for folder in (self._mail, self._sms):
            folder.mkdir(parents=True, exist_ok=True)
        kept = [_kept_mail(path) for path in self._mail.glob("*.eml")]
        kept += [_kept_sms(path) for path in self._sms.glob("*.json")]
        self._messages = sorted(kept, key=lambda message: message.number)
        self._resources: dict[str, dict[str, Any]] = {
            message.provider_id: json.loads(message.path.read_text("utf-8"))["message"]
            for message in self._messages
            if message.channel == "sms"
        }

    def messages(self) -> list[Received]:
        return list(self._messages)

    def repeats(self) -> Repeats:
        by_contact = Counter(message.contact for message in self._messages if message.contact)
        by_text = Counter((message.address, message.text) for message in self._messages)
        return Repeats(
            {contact: count for contact, count in by_contact.items() if count > 1},
            {text: count for text, count in by_text.items() if count > 1},
        )

    def keep_mail(self, raw: bytes) -> Received:
        mail = _parse(raw)
        path = self._path(self._mail, mail.get("X-Duecourse-Contact"), ".eml")
        path.write_bytes(raw)
        return self._keep(_received_mail(path, raw, mail))

    def keep_sms(self, form: dict[str, str], raw: bytes, resource: dict[str, Any], at: datetime | None) -> Received:
        """Keep one SMS; `resource` gets its dates here, from `at` or from the file."""
        path = self._path(self._sms, contact_of(form.get("StatusCallback", "")), ".json")
        path.touch()
        created = at or _file_time(path)
        resource["date_created"] = resource["date_updated"] = rfc_2822(created)
        self._write_sms(
            path, {"at": created.isoformat(), "form": form, "raw": raw.decode("ascii", "replace")}, resource
        )
        self._resources[resource["sid"]] = resource
        return self._keep(_kept_sms(path))

    def sms_resources(self) -> list[dict[str, Any]]:
        """The messages as the API lists them: newest first."""
        return [
            self._resources[m.provider_id]
            for m in reversed(self._messages)
            if m.channel == "sms" and "provider" not in self._resources[m.provider_id]  # another provider's list
        ]

    def sms_resource(self, sid: str) -> dict[str, Any] | None:
        return self._resources.get(sid)

    def set_sms_status(self, sid: str, status: str, error_code: int | None) -> dict[str, Any] | None:
        """Move one SMS on; a message that has left the queue has a date of sending."""
        resource = self._resources.get(sid)
        if resource is None:
            return None
        resource["status"] = status
        resource["error_code"] = error_code
        if resource["date_sent"] is None and status in {"sent", "delivered", "undelivered"}:
            resource["date_sent"] = resource["date_created"]
        message = next(m for m in self._messages if m.provider_id == sid)
        kept = json.loads(message.path.read_text("utf-8"))
        kept.pop("message")
        self._write_sms(message.path, kept, resource)
        return resource

    def _keep(self, message: Received) -> Received:
        heading = f"To: {message.address}\nFrom: {message.sender}\nBusiness time: {message.at.isoformat()}\n"
        subject = f"Subject: {message.subject}\n" if message.subject else ""
        message.path.with_suffix(".txt").write_text(f"{heading}{subject}\n{message.text}\n", "utf-8")
        self._messages.append(message)
        return message

    def _path(self, folder: Path, contact: str | None, suffix: str) -> Path:
        number = self._messages[-1].number + 1 if self._messages else 1
        name = _NOT_FOR_A_FILE_NAME.sub("-", contact or "unmarked")[:64]
        return folder / f"{number:06d}-{name}{suffix}"

    @staticmethod
    def _write_sms(path: Path, kept: dict[str, Any], resource: dict[str, Any]) -> None:
        path.write_text(json.dumps({**kept, "message": resource}, ensure_ascii=False, indent=2) + "\n", "utf-8")


def contact_of(status_callback: str) -> str | None:
    """Our reference in the query of the address at which receipts are wanted."""
    return parse_qs(urlsplit(status_callback).query).get("contact", [None])[0]


def rfc_2822(instant: datetime) -> str:
    """As Twilio writes dates: "Thu, 24 Aug 2023 05:01:45 +0000"."""
    return instant.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")


def _file_time(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _number(path: Path) -> int:
    found = _NUMBERED.match(path.name)
    return int(found[1]) if found else 0


def _parse(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def _kept_mail(path: Path) -> Received:
    raw = path.read_bytes()
    return _received_mail(path, raw, _parse(raw))


def _received_mail(path: Path, raw: bytes, mail: EmailMessage) -> Received:
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    stated = mail.get("X-Business-Time")
    return Received(
        number=_number(path),
        channel="email",
        contact=mail.get("X-Duecourse-Contact"),
        address=str(mail.get("To", "")),
        sender=str(mail.get("From", "")),
        subject=str(mail.get("Subject", "")),
        text=text.get_content().replace("\r\n", "\n").rstrip("\n") if text else "",
        html=html.get_content() if html else None,
        at=datetime.fromisoformat(stated) if stated else _file_time(path),
        provider_id=str(mail.get("Message-ID", "")),
        path=path,
        raw=raw,
    )


def _kept_sms(path: Path) -> Received:
    kept = json.loads(path.read_text("utf-8"))
    form, resource = kept["form"], kept["message"]
    return Received(
        number=_number(path),
        channel="sms",
        contact=contact_of(form.get("StatusCallback", "")),
        address=resource["to"],
        sender=resource["from"],
        subject=None,
        text=resource["body"],
        html=None,
        at=datetime.fromisoformat(kept["at"]),
        provider_id=resource["sid"],
        path=path,
        raw=kept["raw"].encode("ascii", "replace"),
    )
