"""The tables. Personal data lives in `borrowers`, `contact_points`, `texts`, `provider_events` and `inbox`, and
nowhere else.

Every key is a natural one and NOT NULL: SQLite would accept a NULL twice in a unique key.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from duecourse.ledger.columns import Document, Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


lenders = Table(
    "lenders",
    metadata,
    Column("id", Text, primary_key=True),
    _text("record"),  # the LenderRecord, as JSON
    _text("pins"),  # pack -> hash of the version that the lender stays on, as JSON; "" for none
)

borrowers = Table(
    "borrowers",
    metadata,
    _text("lender"),
    _text("id"),
    _text("name"),
    _text("language"),
    Column("residence", Document, nullable=False),
    Column("zones", Document, nullable=False),  # every zone the borrower may be in; []: unknown
    Column("consents_known", Boolean, nullable=False),  # false: the list was left out, so it is unknown
    _text("history"),  # complete | unknown, as the borrower's record says; "": as the lender's record does
    _text("recorded"),  # of all that was recorded about the time before us; "": nothing was
    _text("digest"),  # of the whole record, to tell a repeat from a change
    PrimaryKeyConstraint("lender", "id"),
    ForeignKeyConstraint(["lender"], ["lenders.id"]),
)

contact_points = Table(
    "contact_points",
    metadata,
    _text("lender"),
    _text("borrower"),
    _text("channel"),
    _text("id"),
    _text("address"),
    _text("place"),  # home | work; "" for a mobile or e-mail
    Column("undeliverable_since", Instant, nullable=True),
    PrimaryKeyConstraint("lender", "borrower", "channel", "id"),
    ForeignKeyConstraint(["lender", "borrower"], ["borrowers.lender", "borrowers.id"]),
    Index(None, "channel", "address"),  # a reply names an address, and nothing else of ours
)

ladders = Table(
    "ladders",
    metadata,
    Column("hash", Text, primary_key=True),
    _text("content"),  # one snapshot for all loans that climb it
)

loans = Table(
    "loans",
    metadata,
    _text("lender"),
    _text("id"),
    _text("debtor"),
    _text("terms"),
    _text("ladder"),
    _text("tier"),
    _text("creditor"),  # "" where the lender itself is the creditor
    Column("standing", Document, nullable=False),  # what rules ask of the debt itself, see loans/portfolio.py
    _text("digest"),
    Column("seq", Integer, nullable=False),  # the head of the loan's sequence
    Column("registered_at", Instant, nullable=False),
    Column("closed_at", Instant, nullable=True),
    Column("verdicts", Integer, nullable=False),  # length of the chain
    _text("verdict_head"),
    PrimaryKeyConstraint("lender", "id"),
    ForeignKeyConstraint(["lender", "debtor"], ["borrowers.lender", "borrowers.id"]),
    ForeignKeyConstraint(["ladder"], ["ladders.hash"]),
    Index(None, "lender", "debtor"),
)

parties = Table(
    "parties",
    metadata,
    _text("lender"),
    _text("loan"),
    _text("borrower"),
    _text("role"),
    PrimaryKeyConstraint("lender", "loan", "borrower"),
    ForeignKeyConstraint(["lender", "loan"], ["loans.lender", "loans.id"]),
    ForeignKeyConstraint(["lender", "borrower"], ["borrowers.lender", "borrowers.id"]),
)

facts = Table(
    "facts",
    metadata,
    _text("lender"),
    _text("loan"),
    Column("loan_seq", Integer, nullable=False),
    _text("id"),
    _text("kind"),
    Column("at", Instant, nullable=False),
    _text("body"),
    PrimaryKeyConstraint("lender", "loan", "loan_seq"),
    UniqueConstraint("lender", "loan", "id"),
    ForeignKeyConstraint(["lender", "loan"], ["loans.lender", "loans.id"]),
    sqlite_with_rowid=False,  # a loan's rows lie side by side: a fold is one range read
)

consents = Table(
    "consents",
    metadata,
    _text("lender"),
    _text("borrower"),
    _text("fact"),
    _text("channel"),
    _text("contact_point"),
    _text("state"),
    Column("at", Instant, nullable=False),
    _text("about"),  # contact | hours | frequency
    _text("loans"),  # the only ones it covers, separated by spaces; "": all
    _text("until"),  # the last day on which it holds; "": open
    _text("form"),  # written | electronic | oral; "": not known
    PrimaryKeyConstraint("lender", "borrower", "fact"),
    ForeignKeyConstraint(["lender", "borrower"], ["borrowers.lender", "borrowers.id"]),
    CheckConstraint("state IN ('given', 'revoked')", name="state"),
    sqlite_with_rowid=False,
)

holds = Table(
    "holds",
    metadata,
    _text("lender"),
    _text("borrower"),
    _text("hold"),
    _text("fact"),
    _text("placed"),  # the HoldPlaced fact of the person, as JSON
    _text("lifted"),  # the HoldLifted fact, as JSON; "" while it stands
    PrimaryKeyConstraint("lender", "borrower", "hold"),
    ForeignKeyConstraint(["lender", "borrower"], ["borrowers.lender", "borrowers.id"]),
)

recorded = Table(
    "recorded",
    metadata,
    _text("lender"),
    _text("borrower"),
    _text("id"),
    _text("kind"),
    _text("body"),  # the record of loans/recorded.py, as JSON
    Column("recorded_at", Instant, nullable=False),
    PrimaryKeyConstraint("lender", "borrower", "id"),
    ForeignKeyConstraint(["lender", "borrower"], ["borrowers.lender", "borrowers.id"]),
    sqlite_with_rowid=False,
)

rung_claims = Table(
    "rung_claims",
    metadata,
    _text("lender"),
    _text("loan"),
    _text("episode"),
    _text("installment"),
    _text("rung"),
    Column("claimed_at", Instant, nullable=False),
    PrimaryKeyConstraint("lender", "loan", "episode", "installment", "rung"),
    ForeignKeyConstraint(["lender", "loan"], ["loans.lender", "loans.id"]),
    sqlite_with_rowid=False,
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", Text, primary_key=True),
    _text("lender"),
    _text("loan"),
    _text("borrower"),
    _text("episode"),
    _text("installment"),
    _text("rung"),
    _text("channel"),
    Column("try", Integer, key="number", nullable=False),
    _text("contact_point"),
    _text("purpose"),
    _text("obligation"),  # "" for an optional one
    _text("state"),
    Column("at", Instant, nullable=False),  # the instant of the send, as far as it is known
    Column("closes", Instant, nullable=False),
    Column("attempt", Integer, nullable=False),  # allotted here, so that it rises over activities too
    Column("first_sending_at", Instant, nullable=True),
    Column("deadline", Instant, nullable=True),  # no call is made after it
    Column("provider_id", Text, nullable=True),
    Column("verdict", Integer, nullable=False),
    ForeignKeyConstraint(
        ["lender", "loan", "episode", "installment", "rung"],
        [
            "rung_claims.lender",
            "rung_claims.loan",
            "rung_claims.episode",
            "rung_claims.installment",
            "rung_claims.rung",
        ],
    ),
    CheckConstraint(
        "state IN ('reserved','sending','accepted','delivered','failed','unknown','released','shadow')", name="state"
    ),
    Index(None, "lender", "borrower", "at"),
    Index(None, "lender", "loan"),
    Index(None, "channel", "provider_id"),
)

texts = Table(
    "texts",
    metadata,
    Column("contact", Text, primary_key=True),
    _text("address"),
    _text("sender"),
    _text("subject"),
    _text("text"),
    _text("html"),
    _text("language"),
    Column("at", Instant, nullable=False),  # the date the message bears, the same in each attempt
    _text("provider"),  # whom the contact's attempts may call, and who is asked what became of it
    ForeignKeyConstraint(["contact"], ["contacts.id"]),
)

receipts = Table(
    "receipts",
    metadata,
    _text("channel"),
    _text("provider_id"),
    _text("status"),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("channel", "provider_id", "status"),
)

provider_events = Table(
    "provider_events",
    metadata,
    _text("provider"),
    _text("id"),  # the provider's own: of the message, or of the event where one has several
    _text("status"),
    _text("body"),  # as it came
    Column("at", Instant, nullable=False),
    _text("trouble"),  # why the loan could not be told of it; "" where it was
    PrimaryKeyConstraint("provider", "id", "status"),
)

inbox = Table(
    "inbox",
    metadata,
    _text("id"),
    _text("kind"),
    _text("lender"),  # "" where nobody knows
    _text("borrower"),
    _text("loan"),
    _text("channel"),
    _text("about"),  # reply: what it says; bad_row: the field
    _text("text"),  # reply: as it was written; bad_row: the reason
    _text("rules"),  # the lines that classified a reply, and their version
    _text("row"),  # bad_row: the fact's id, or one made from its content
    Column("holds", Document, nullable=False),  # loan -> hold, what ends when the task is closed
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant, nullable=True),
    _text("closed_by"),
    PrimaryKeyConstraint("id"),
    CheckConstraint("kind IN ('reply', 'bad_row')", name="kind"),
    Index(None, "closed_at", "opened_at"),
    Index(None, "lender", "row"),
)

verdicts = Table(
    "verdicts",
    metadata,
    _text("lender"),
    _text("loan"),
    Column("no", Integer, nullable=False),
    _text("episode"),
    _text("installment"),
    _text("rung"),
    _text("channel"),
    Column("at", Instant, nullable=False),
    _text("kind"),
    _text("rule"),  # the rule that bound it; "" for a permit
    Column("until", Instant, nullable=True),
    _text("grounds"),
    _text("inputs"),  # the case, ids and zones only; "" once erased or where none could be built
    _text("salt"),
    _text("commitment"),
    _text("previous"),
    _text("hash"),
    PrimaryKeyConstraint("lender", "loan", "no"),
    ForeignKeyConstraint(["lender", "loan"], ["loans.lender", "loans.id"]),
)

tasks = Table(
    "tasks",
    metadata,
    _text("lender"),
    _text("loan"),
    _text("episode"),
    _text("installment"),
    _text("rung"),
    _text("why"),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("lender", "loan", "episode", "installment", "rung"),
    ForeignKeyConstraint(["lender", "loan"], ["loans.lender", "loans.id"]),
)

duties = Table(
    "duties",
    metadata,
    _text("lender"),
    _text("loan"),
    _text("rule"),  # the notice that is owed
    _text("body"),  # the Duty of ledger/duties.py, as JSON
    Column("opened_at", Instant, nullable=False),
    Column("settled_at", Instant, nullable=True),  # it was served, or is no longer owed
    PrimaryKeyConstraint("lender", "loan", "rule"),
    ForeignKeyConstraint(["lender", "loan"], ["loans.lender", "loans.id"]),
)

reviews = Table(
    "reviews",
    metadata,
    _text("lender"),
    _text("loan"),
    _text("episode"),
    _text("installment"),
    _text("rung"),
    Column("opened_at", Instant, nullable=False),
    _text("answer"),  # "" while open
    _text("by"),
    Column("answered_at", Instant, nullable=True),
    PrimaryKeyConstraint("lender", "loan", "episode", "installment", "rung"),
    ForeignKeyConstraint(["lender", "loan"], ["loans.lender", "loans.id"]),
)

worklist = Table(
    "worklist",
    metadata,
    Column("contact", Text, primary_key=True),  # a call to make, a letter to post; its words are in `texts`
    _text("channel"),
    Column("opened_at", Instant, nullable=False),
    ForeignKeyConstraint(["contact"], ["contacts.id"]),
)

packs = Table(
    "packs",
    metadata,
    _text("hash"),
    _text("path"),
    _text("content"),
    PrimaryKeyConstraint("hash", "path"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _text("lender"),
    _text("loan"),
    Column("loan_seq", Integer, nullable=False),
    Column("start", Boolean, nullable=False),  # the loan may not be running: signal with start
    Column("at", Instant, nullable=False),
    ForeignKeyConstraint(["lender", "loan"], ["loans.lender", "loans.id"]),
    Index(None, "at"),
    sqlite_autoincrement=True,  # an acknowledged id never means another row
)

settings = Table("settings", metadata, Column("key", Text, primary_key=True), _text("value"))

clock = Table(
    "clock",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("offset_seconds", Integer, nullable=False),
    Column("movable", Boolean, nullable=False),
)
