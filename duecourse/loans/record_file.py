"""Reading files of records: JSONL as it stands, CSV with one column for each field of any record.

Text in, records out; each bad row is named with its line, field, value and what is expected.
"""

from __future__ import annotations

import re

from duecourse.errors import InvalidInput
from duecourse.loans.intake import Intake, intake_of, masked
from duecourse.loans.recorded import KINDS, PastRecord
from duecourse.loans.rowfile import Format, Raw, rows_of

LISTS = ("loans", "conversation_loans", "weekdays")
"""Columns that hold several values in CSV, separated by ";"."""
COLUMNS = tuple(
    dict.fromkeys(
        ["kind", *(field.alias or name for kind in KINDS.values() for name, field in kind.model_fields.items())]
    )
)
_PERSONAL = frozenset({"contact_point"})
_WORD = re.compile(r"^[a-z_-]{0,24}$")


def read_records(text: str, format: Format, source: str) -> Intake[PastRecord]:
    """Records of what came before, one a row, with the fields of their kind; without an id, its content names a row.

    In CSV an empty cell is a field left out, and `loans`, `conversation_loans` and `weekdays` hold several values
    separated by ";".
    """

    def build(raw: Raw) -> PastRecord:
        fields = dict(raw.fields)
        if format == "csv":
            fields |= {name: _several(fields[name]) for name in LISTS if name in fields}
        name = fields.get("kind")
        if not isinstance(name, str) or name not in KINDS:
            # Where columns have slipped, a person's name stands here.
            shown = name if name is None or (isinstance(name, str) and _WORD.match(name)) else masked(name)
            raise InvalidInput("kind", shown, f"one of {', '.join(KINDS)}")
        record: PastRecord = KINDS[name].model_validate(fields)
        return record

    return intake_of(
        rows_of(text, format, "records", COLUMNS),
        source,
        build,
        lambda record: (record.lender, record.borrower, record.id),
        "id",
        personal=_PERSONAL,
    )


def _several(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]
