"""What came before us, as the gate takes it: contacts, wishes, milestones, and whether that is all.

Read from the rows of `recorded`, which are only ever added to; the borrower's row names their content by a hash, so
that a person with thousands of old contacts is read once per process, and one without any not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, bindparam, select, update

from duecourse.compliance.case import Event, Milestone, Preference
from duecourse.compliance.local_time import parse_minutes
from duecourse.ledger.prepared import Prepared
from duecourse.ledger.tables import borrowers, recorded
from duecourse.loans.recorded import (
    OWN_POINT,
    PAST_RECORD,
    HistoryComplete,
    LanguageNamed,
    PastContact,
    PastMilestone,
    PastNotice,
    PastRecord,
    Wish,
    WishEnded,
)

_ROWS = Prepared(
    select(recorded.c.id, recorded.c.body)
    .where(recorded.c.lender == bindparam("lender_"), recorded.c.borrower == bindparam("borrower_"))
    .order_by(recorded.c.id)
)
_MARK = (
    update(borrowers)
    .where(borrowers.c.lender == bindparam("lender_"), borrowers.c.id == bindparam("borrower_"))
    .values(recorded=bindparam("recorded_"))
)
_KEPT = 4096
_known: dict[str, Past] = {}  # by the hash of all records, the same in whatever ledger they lie


@dataclass(frozen=True, slots=True)
class Past:
    """What was recorded about a person. `complete_since`: from that day on nothing is missing; None: not declared."""

    events: tuple[Event, ...] = ()
    preferences: tuple[Preference, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    language: str | None = None  # the last one that the person asked for
    complete_since: date | None = None

    @property
    def complete(self) -> bool:
        """Whether the lender's word covers all time, and with it every consent."""
        return self.complete_since == date.min


NOTHING = Past()


def read_past(connection: Connection, lender: str, borrower: str, mark: str) -> Past:
    """What was recorded; `mark` is the borrower's own word for it, and tells whether there is anything to read."""
    if not mark:
        return NOTHING
    found = _known.get(mark)
    if found is None:
        rows = _ROWS.rows(connection, {"lender_": lender, "borrower_": borrower})
        found = past_of(PAST_RECORD.validate_json(row.body) for row in rows)
        if len(_known) >= _KEPT:
            _known.clear()
        _known[mark] = found
    return found


def remember(connection: Connection, lender: str, borrower: str) -> None:
    """Write the hash of all that is recorded about a person on their row. Follows every new record."""
    key = {"lender_": lender, "borrower_": borrower}
    content = hashlib.sha256()
    for row in _ROWS.rows(connection, key):
        content.update(f"{row.id}\n{row.body}\n".encode())
    connection.execute(_MARK, {**key, "recorded_": content.hexdigest()})


def past_of(records: Iterable[PastRecord]) -> Past:
    """Fold records into what the gate takes; their order means nothing."""
    events: list[Event] = []
    wishes: list[Wish] = []
    ended: dict[str, date] = {}
    milestones: list[Milestone] = []
    said: list[tuple[str, str, str]] = []
    since: date | None = None
    for record in records:
        match record:
            case PastContact() | PastNotice():
                events.append(_event(record))
            case Wish():
                wishes.append(record)
            case WishEnded():
                ended[record.preference] = min(record.on, ended.get(record.preference, record.on))
            case LanguageNamed():
                said.append((record.at.isoformat(), record.id, record.language))
            case PastMilestone():
                milestones.append(Milestone(record.milestone, record.loan, record.on))
            case HistoryComplete():
                named = record.since or date.min
                since = named if since is None else min(since, named)
            case _:
                pass  # consents, opt-outs and holds entered as facts
    return Past(
        events=tuple(sorted(events, key=_order)),
        preferences=tuple(_preference(wish, ended.get(wish.id)) for wish in sorted(wishes, key=lambda one: one.id)),
        milestones=tuple(sorted(milestones, key=lambda one: (one.on, one.debt, one.kind))),
        language=max(said)[2] if said else None,
        complete_since=since,
    )


def _event(record: PastContact | PastNotice) -> Event:
    address = record.contact_point or OWN_POINT[record.channel]
    if isinstance(record, PastNotice):
        return Event(
            at=record.at,
            channel=record.channel,
            direction="outbound",
            address=address,
            debts=(record.loan,),
            purpose="notice",
            result=record.result,
            obligation=record.obligation,
            recipient=record.recipient,
        )
    return Event(
        at=record.at,
        channel=record.channel,
        direction=record.direction,
        address=address,
        debts=record.loans,
        purpose=record.purpose,
        result=record.result,
        conversation_debts=record.conversation_loans,
        recipient=record.recipient,
        place=record.place,
    )


def _order(event: Event) -> tuple[str, ...]:
    return event.at.isoformat(), event.channel, event.direction, event.address, *event.debts, event.result


def _preference(wish: Wish, ended: date | None) -> Preference:
    last = [day for day in (wish.until, None if ended is None else ended - timedelta(days=1)) if day is not None]
    return Preference(
        weekdays=wish.weekdays,
        from_minute=parse_minutes(wish.from_),
        to_minute=parse_minutes(wish.to),
        channel=wish.channel,
        address=wish.contact_point,
        until=min(last) if last else None,
        place=wish.place,
    )
