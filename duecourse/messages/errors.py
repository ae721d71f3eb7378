"""What can be wrong with a message; none of these may end in something being sent.

DuecourseError
├── NotFound          UnknownTemplate: no such template, or none for this channel
├── InvalidInput      a template file that is refused at load (names file, line and what is expected)
└── MessageRefused    a message that cannot be written as its template asks
    ├── MissingVariable   the context lacks what the text needs
    └── MessageTooLong    the text grew beyond what its channel carries
"""

from __future__ import annotations

from duecourse.errors import DuecourseError, NotFound


class UnknownTemplate(NotFound):
    """No template of this name, or none for this channel in the language or in English."""


class MessageRefused(DuecourseError):
    """This message cannot be written; nothing may be sent in its place."""


class MissingVariable(MessageRefused):
    """The text needs a value that its context does not have."""


class MessageTooLong(MessageRefused):
    """The text is longer than its channel carries."""
