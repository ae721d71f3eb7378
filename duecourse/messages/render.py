"""From a rung's template, a channel, a language and a context to the exact text that goes out.

Files: templates/<name>/<channel>.<language>.<txt|html>.j2. A mail's text begins with a line "Subject: ...". Files whose
name begins with an underscore are parts that others include.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from duecourse.errors import InvalidInput
from duecourse.messages.context import MessageContext, Written, written
from duecourse.messages.errors import UnknownTemplate
from duecourse.messages.segments import Segments, count_segments, plain_typography
from duecourse.messages.templating import TemplateSet

TEMPLATES: Final = Path(__file__).with_name("templates")
FALLBACK_LANGUAGE: Final = "en"

_LONGEST: Final = {"sms": 1600}  # what an SMS provider takes at all
_LONGEST_OTHERWISE: Final = 100_000
_FILE_NAME: Final = re.compile(r"(?P<channel>[a-z]+)\.(?P<language>[a-z]{2}(-[A-Za-z]+)*)\.(?P<form>txt|html)\.j2")
_SUBJECT: Final = re.compile(r"Subject: (?P<subject>[^\n]+)\n\n?")
# Where lines of a template were joined: Chinese has no space between its words or after its punctuation.
_SPACE_IN_CHINESE: Final = re.compile(
    r"(?<=[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]) (?=[\u3000-\u303f\u4e00-\u9fff])"
)
_MANY_BLANK_LINES: Final = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Rendered:
    """The exact text of one message, and what it was made of.

    `language` is the text's own, after falling back. `template_version` is the start of a SHA-256 over all files that
    took part. `variables` are the values as they were written, for the record and for `missing_content`.
    `segments` is the cost of an SMS; None on other channels.
    """

    template: str
    channel: str
    language: str
    subject: str | None
    text: str
    html: str | None
    template_version: str
    segments: Segments | None
    variables: tuple[tuple[str, str], ...]


class Renderer:
    """All templates of one directory, read and checked once."""

    def __init__(self, directory: Path = TEMPLATES) -> None:
        """Load.

        Raises:
            InvalidInput: a file that is refused, by name and line.
        """
        sources = {path.relative_to(directory).as_posix(): path.read_text("utf-8") for path in directory.rglob("*.j2")}
        for name in sources:
            last = name.rpartition("/")[2]
            if not last.startswith("_") and not _FILE_NAME.fullmatch(last):
                raise InvalidInput(name, last, "a file name such as sms.en.txt.j2")
        self._templates = TemplateSet(sources)
        self._versions: dict[str, str] = {}

    def available(self) -> list[tuple[str, str, str]]:
        """Every (template, channel, language) that can be written, sorted."""
        found = []
        for name in self._templates.names():
            template, _, last = name.rpartition("/")
            parts = _FILE_NAME.fullmatch(last)
            if parts is not None and parts["form"] == "txt":
                found.append((template, parts["channel"], parts["language"]))
        return found

    def render(self, template: str, channel: str, language: str, context: MessageContext) -> Rendered:
        """Write one message.

        Args:
            template: the rung's template name.
            channel: "sms", "email", "call", "letter" or "review".
            language: the borrower's, as a BCP 47 tag: "zh-CN" falls back to "zh", and that to "en".

        Raises:
            UnknownTemplate: nothing of this name for this channel.
            MessageRefused: the context lacks something, or the text is too long.
        """
        spoken = self._language(template, channel, language)
        tag = language if language.partition("-")[0].lower() == spoken.partition("-")[0] else spoken
        variables = written(context, spoken, tag, channel)
        longest = _LONGEST.get(channel, _LONGEST_OTHERWISE)
        stem = f"{template}/{channel}.{spoken}"
        text = self._templates.write(f"{stem}.txt.j2", variables, longest)
        subject: str | None = None
        html: str | None = None
        if channel == "email":
            heading = _SUBJECT.match(text)
            if heading is None:
                raise InvalidInput(f"{stem}.txt.j2", text[:40], 'a first line "Subject: ..."')
            subject, text = heading["subject"].strip(), text[heading.end() :]
            if f"{stem}.html.j2" in self._templates:
                html = self._templates.write(f"{stem}.html.j2", variables, longest)
        text = _tidy(text, channel)
        return Rendered(
            template=template,
            channel=channel,
            language=spoken,
            subject=subject,
            text=text,
            html=html,
            template_version=self._version(stem),
            segments=count_segments(text) if channel == "sms" else None,
            variables=tuple(sorted((name, _flat(value)) for name, value in variables.items())),
        )

    def _language(self, template: str, channel: str, language: str) -> str:
        base = language.partition("-")[0].lower()
        for candidate in (language, base, FALLBACK_LANGUAGE):
            if f"{template}/{channel}.{candidate}.txt.j2" in self._templates:
                return candidate
        known = sorted({f"{name} by {by}" for name, by, _ in self.available() if name == template})
        hint = f"it exists as {', '.join(known)}" if known else "add a folder of this name under messages/templates"
        raise UnknownTemplate("template", f"{template} by {channel}", hint)

    def _version(self, stem: str) -> str:
        if stem not in self._versions:
            digest = hashlib.sha256()
            for form in ("txt", "html"):
                if f"{stem}.{form}.j2" in self._templates:
                    for name, source in self._templates.sources_of(f"{stem}.{form}.j2"):
                        digest.update(f"{name}\0{source}\0".encode())
            self._versions[stem] = digest.hexdigest()[:12]
        return self._versions[stem]


def _tidy(text: str, channel: str) -> str:
    if channel == "sms":
        return plain_typography(_SPACE_IN_CHINESE.sub("", " ".join(text.split())))
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return _MANY_BLANK_LINES.sub("\n\n", lines).strip("\n") + "\n"


def _flat(value: Written) -> str:
    if isinstance(value, str):
        return value
    return "; ".join(item if isinstance(item, str) else f"{item.label} {item.amount}" for item in value)
