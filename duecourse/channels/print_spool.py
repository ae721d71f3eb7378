"""Letters as PDF in a folder that a print shop empties, with a manifest of what is to be printed.

DIRECTORY/<contact>.pdf and DIRECTORY/manifest-<day>.jsonl, a day of UTC business time. The manifest is the order: a
file that it does not name is not to be printed. Each contact stands in it once, whatever was repeated and whoever took
the file away meanwhile.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from duecourse.channels.adapter import (
    Accepted,
    Capabilities,
    Idempotency,
    OutcomeUnknown,
    Outgoing,
    Rejected,
    RetryLater,
    in_time,
    may_leave,
)
from duecourse.channels.letter_page import Form, LetterUnfit, set_letter

_PRIVATE: Final = 0o640  # a name, an address and a debt: for us and the print shop's group


class PrintSpoolAdapter:
    """Prints into one folder of this machine, which several workers may share."""

    channel = "letter"
    provider = "print_spool"

    def __init__(self, directory: Path, form: Form, timeout: timedelta = timedelta(seconds=20)) -> None:
        self.capabilities = Capabilities(idempotency=Idempotency.NATIVE_KEY, timeout=timeout)
        self._directory = directory
        self._form = form

    async def send(self, message: Outgoing) -> Accepted:
        """Write the letter and order its printing; answers with the file's name.

        Raises:
            DeadlinePassed: the deadline passed first; nothing was ordered.
            RetryLater: the folder could not be written; nothing was ordered.
            Rejected: the address does not fit the envelope's window.
            OutcomeUnknown: the order may stand or not. Repeat it: the contact's id makes that safe.
        """
        in_time(message)
        try:
            async with asyncio.timeout(self.capabilities.timeout.total_seconds()):
                letter = await asyncio.to_thread(set_letter, message, self._form)
                async with self._manifest(message.at) as manifest:
                    self._order(manifest, message, letter)
        except LetterUnfit as unfit:
            raise Rejected(str(unfit)) from unfit
        except (OSError, TimeoutError) as error:
            raise RetryLater(f"the print folder could not be written: {type(error).__name__}") from error
        return Accepted(f"{message.contact_id}.pdf")

    async def look_up(self, message: Outgoing, since: datetime) -> Accepted | None:
        """Not needed: the key makes a repeat safe."""
        return None

    async def close(self) -> None:
        """Nothing is kept open."""

    @asynccontextmanager
    async def _manifest(self, at: datetime) -> AsyncIterator[int]:
        """The day's manifest, opened and held against every other process."""
        self._directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        manifest = os.open(self._directory / f"manifest-{at:%Y-%m-%d}.jsonl", os.O_RDWR | os.O_CREAT, _PRIVATE)
        try:
            await asyncio.to_thread(fcntl.flock, manifest, fcntl.LOCK_EX)
            yield manifest
        finally:
            os.close(manifest)  # which lets go of the lock

    def _order(self, manifest: int, message: Outgoing, letter: bytes) -> None:
        known = _whole_lines(manifest)
        if any(json.loads(line)["contact"] == message.contact_id for line in known.splitlines()):
            return
        may_leave(message)
        self._write(f"{message.contact_id}.pdf", letter)
        entry = {
            "contact": message.contact_id,
            "file": f"{message.contact_id}.pdf",
            "sha256": hashlib.sha256(letter).hexdigest(),
            "bytes": len(letter),
            "form": self._form.value,
            "language": message.language,
            "at": message.at.isoformat(),
        }
        line = f"{json.dumps(entry, separators=(',', ':'))}\n".encode()
        try:
            if os.pwrite(manifest, line, len(known)) != len(line):
                raise OSError("the manifest took a part of the line only")
            os.fsync(manifest)
        except OSError as error:
            raise OutcomeUnknown(f"the manifest was not confirmed: {type(error).__name__}") from error

    def _write(self, name: str, letter: bytes) -> None:
        """The file is whole or not there: the print shop may look at any moment."""
        unfinished = self._directory / f".{name}.{os.getpid()}"
        file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        with open(file, "wb") as stream:
            stream.write(letter)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.rename(self._directory / name)
        folder = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _whole_lines(manifest: int) -> bytes:
    """What stands in the manifest; a line that a process died in is cut off, as nobody was told of it."""
    found = os.pread(manifest, os.fstat(manifest).st_size, 0)
    whole = found[: found.rfind(b"\n") + 1]
    if len(whole) < len(found):
        os.ftruncate(manifest, len(whole))
    return whole
