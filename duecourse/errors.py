"""The errors of the domain, typed by who must act.

DuecourseError
├── InvalidInput      the caller gave something wrong: names the field, its value, what is expected
├── NotFound          what was named is not in the ledger
├── Conflict          it contradicts what the ledger already holds
├── NotAllowed        a rule or a setting forbids it
└── Unavailable       a server or a file that is needed cannot be reached; says how to start it
"""

from __future__ import annotations


class DuecourseError(Exception):
    """Root of all errors that Duecourse raises on purpose; the text says what to do."""

    exit_code = 1


class InvalidInput(DuecourseError):
    """A value was refused before it had any effect."""

    exit_code = 2

    def __init__(self, field: str, value: object, expected: str, *, line: int | None = None) -> None:
        self.field = field
        self.value = value
        self.expected = expected
        self.line = line
        where = f"line {line}: " if line is not None else ""
        super().__init__(f"{where}{field}: {value!r} is not accepted; expected {expected}")


class NotFound(DuecourseError):
    """The ledger does not know what was named."""

    exit_code = 3

    def __init__(self, what: str, name: str, hint: str) -> None:
        self.what = what
        self.name = name
        super().__init__(f"{what} {name!r} is unknown; {hint}")


class Conflict(DuecourseError):
    """The request contradicts a recorded fact."""

    exit_code = 4


class NotAllowed(DuecourseError):
    """A rule, a mode or a setting forbids the request."""

    exit_code = 5


class Unavailable(DuecourseError):
    """A server or file that is needed cannot be reached."""

    exit_code = 6
