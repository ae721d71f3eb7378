"""`timeline`: facts, verdicts and contacts of one loan in one order of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from duecourse.compliance.explain import word
from duecourse.ledger.queries import StoredContact, StoredVerdict, Story
from duecourse.loans.display import day, moment
from duecourse.loans.facts import (
    Approval,
    Closed,
    ConsentGiven,
    Contacted,
    Decided,
    Fact,
    HoldLifted,
    HoldPlaced,
    OptOut,
    Payment,
    Promise,
    Reversal,
    ScheduleChanged,
)
from duecourse.present.prose import Prose
from duecourse.present.words import Words, money, words_in

_ORDER = {"fact": 0, "verdict": 1, "contact": 2}
_COLOURS = {"fact": "cyan", "verdict": "yellow", "contact": "green"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `what` holds no personal data; `contact` carries the text, which is."""

    at: datetime
    kind: Literal["fact", "verdict", "contact"]
    what: str
    ref: str
    contact: StoredContact | None = None


def entries_of(story: Story) -> list[Entry]:
    """Everything, oldest first. Rows that only repeat a verdict or a contact are left out."""
    entries = [Entry(row.at, "fact", _fact(row), row.id) for row in story.rows if _is_news(row, story)]
    entries += [Entry(one.at, "verdict", _verdict(one), f"#{one.no}") for one in story.verdicts]
    entries += [Entry(one.at, "contact", _contact(one), one.id, one) for one in story.contacts]
    return sorted(entries, key=lambda entry: (entry.at, _ORDER[entry.kind], entry.ref))


def print_timeline(story: Story, console: Console, *, texts: bool) -> None:
    """A row each, in the borrower's time and UTC; texts only on request."""
    words = words_in("en", story.zones)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    console.print(Text.assemble((story.line.loan, "bold"), f" of {story.line.lender}"))
    for entry in entries_of(story):
        table.add_row(_when(words, entry.at), Text(entry.kind, style=_COLOURS[entry.kind]), _cell(entry, texts=texts))
    console.print(table)


def timeline_json(story: Story, *, texts: bool) -> dict[str, Any]:
    """The same as JSON values; texts and addresses only on request."""
    return {
        "lender": story.line.lender,
        "loan": story.line.loan,
        "zones": list(story.zones),
        "entries": [_entry_json(entry, texts=texts) for entry in entries_of(story)],
    }


def _is_news(row: Fact, story: Story) -> bool:
    match row:
        case Contacted():
            return row.state not in ("accepted", "shadow")  # the contact itself says so
        case Decided():
            return not any(one.claim == f"{row.episode}/{row.installment}/{row.rung}" and one.at == row.at
                           for one in story.verdicts)  # fmt: skip
        case _:
            return True


def _fact(row: Fact) -> str:
    match row:
        case Payment():
            value = f", value date {day(row.value_on)}" if row.value_on else ""
            return f"payment of {money(row.amount)} {row.currency}{value}"
        case Reversal():
            return f"payment {row.payment} is reversed"
        case HoldPlaced():
            ends = f" until before {day(row.ends)}" if row.ends else ""
            review = f", to be reviewed on {day(row.review_on)}" if row.review_on else ""
            return f"hold for {word(row.cause)} from {day(row.starts)}{ends}{review}"
        case HoldLifted():
            return f"hold {row.hold} is lifted on {day(row.on)}"
        case Promise():
            return f"promise of {money(row.amount)} {row.currency} by {day(row.by)}"
        case ConsentGiven():
            return f"consent to {word(row.channel)}"
        case OptOut():
            return f"opt-out from {word(row.channel)}"
        case ScheduleChanged():
            return f"schedule version {row.version}, {len(row.installments)} installments"
        case Approval():
            return f"{row.rung}: {row.answer} by {row.by}"
        case Closed():
            return f"closed: {row.reason}"
        case Decided():
            rule = f" ({row.rule})" if row.rule else ""
            return f"{row.rung} by {word(row.channel)}: {row.outcome.replace('_', ' ')}{rule}"
        case Contacted():
            return f"{row.rung} by {word(row.channel)}: {row.state}"


def _verdict(one: StoredVerdict) -> str:
    rule = f" ({one.rule})" if one.rule else ""
    until = f" to {moment(one.until)}" if one.until and one.kind == "defer" else ""
    return f"{one.rung} by {word(one.channel)}: {one.kind}{until}{rule}"


def _contact(one: StoredContact) -> str:
    owed = f", owed under {one.obligation}" if one.obligation else ""
    return f"{one.rung} by {word(one.channel)}: {one.state}{owed}"


def _when(words: Words, at: datetime) -> str:
    local, *_, utc = words.clocks(at)
    return local if words.zone == "UTC" else f"{local}, {utc}"


def _cell(entry: Entry, *, texts: bool) -> RenderableType:
    message = entry.contact.message if entry.contact is not None else None
    if not texts or message is None:
        return Text(entry.what)
    body = f"{message.subject}\n\n{message.text}" if message.subject else message.text
    to = Text(f"to {message.address.replace(chr(10), ', ')}")
    return Group(Text(entry.what), Panel(Prose(body.strip()), title=to, title_align="left", border_style="dim"))


def _entry_json(entry: Entry, *, texts: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"at": entry.at.isoformat(), "kind": entry.kind, "what": entry.what, "ref": entry.ref}
    if texts and entry.contact is not None and entry.contact.message is not None:
        message = entry.contact.message
        shown["message"] = {
            "address": message.address,
            "sender": message.sender,
            "subject": message.subject,
            "text": message.text,
        }
    return shown
