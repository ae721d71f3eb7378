"""The first ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from duecourse.ledger.columns import Document, Instant

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "clock",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("offset_seconds", sa.Integer(), nullable=False),
        sa.Column("movable", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock")),
    )
    op.create_table(
        "ladders",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_ladders")),
    )
    op.create_table(
        "lenders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("pins", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lenders")),
    )
    op.create_table(
        "packs",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", "path", name=op.f("pk_packs")),
    )
    op.create_table(
        "receipts",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "provider_id", "status", name=op.f("pk_receipts")),
    )
    op.create_table(
        "provider_events",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "id", "status", name=op.f("pk_provider_events")),
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lender", sa.Text(), nullable=False),
        sa.Column("borrower", sa.Text(), nullable=False),
        sa.Column("loan", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("row", sa.Text(), nullable=False),
        sa.Column("holds", Document(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('reply', 'bad_row')", name=op.f("ck_inbox_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
    )
    op.create_index(op.f("ix_inbox_closed_at_opened_at"), "inbox", ["closed_at", "opened_at"], unique=False)
    op.create_index(op.f("ix_inbox_lender_row"), "inbox", ["lender", "row"], unique=False)
    op.create_table(
        "settings",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_settings")),
    )
    op.create_table(
        "borrowers",
        sa.Column("lender", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("residence", Document(), nullable=False),
        sa.Column("zones", Document(), nullable=False),
        sa.Column("consents_known", sa.Boolean(), nullable=False),
        sa.Column("history", sa.Text(), nullable=False),
        sa.Column("recorded", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["lender"], ["lenders.id"], name=op.f("fk_borrowers_lender_lenders")),
        sa.PrimaryKeyConstraint("lender", "id", name=op.f("pk_borrowers")),
    )
    op.create_table(
        "consents",
        sa.Column("lender", sa.Text(), nullable=False),
        sa.Column("borrower", sa.Text(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("contact_point", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("loans", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('given', 'revoked')", name=op.f("ck_consents_state")),
        sa.ForeignKeyConstraint(
            ["lender", "borrower"],
            ["borrowers.lender", "borrowers.id"],
            name=op.f("fk_consents_lender_borrower_borrowers"),
        ),
        sa.PrimaryKeyConstraint("lender", "borrower", "fact", name=op.f("pk_consents")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contact_points",
        sa.Column("lender", sa.Text(), nullable=False),
        sa.Column("borrower", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("undeliverable_since", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["lender", "borrower"],
            ["borrowers.lender", "borrowers.id"],
            name=op.f("fk_contact_points_lender_borrower_borrowers"),
        ),
        sa.PrimaryKeyConstraint("lender", "borrower", "channel", "id", name=op.f("pk_contact_points")),
    )
    op.create_index(op.f("ix_contact_points_channel_address"), "contact_points", ["channel", "address"], unique=False)
    op.create_table(
        "holds",
        sa.Column("lender", sa.Text(), nullable=False),
        sa.Column("borrower", sa.Text(), nullable=False),
        sa.Column("hold", sa.Text(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("placed", sa.Text(), nullable=False),
        sa.Column("lifted", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lender", "borrower"],
            ["borrowers.lender", "borrowers.id"],
            name=op.f("fk_holds_lender_borrower_borrowers"),
        ),
        sa.PrimaryKeyConstraint("lender", "borrower", "hold", name=op.f("pk_holds")),
    )
    op.create_table(
        "recorded",
        sa.Column("lender", sa.Text(), nullable=False),
        sa.Column("borrower", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lender", "borrower"],
            ["borrowers.lender", "borrowers.id"],
            name=op.f("fk_recorded_lender_borrower_borrowers"),
        ),
        sa.PrimaryKeyConstraint("lender", "borrower", "id", name=op.f("pk_recorded")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "loans",
        sa.Column("lender", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("debtor", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("ladder", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("standing", Document(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("registered_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("verdicts", sa.Integer(), nullable=False),
        sa.Column("verdict_head", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ladder"], ["ladders.hash"], name=op.f("fk_loans_ladder_ladders")),
        sa.ForeignKeyConstraint(
            ["lender", "debtor"], ["borrowers.lender", "borrowers.id"], name=op.f("fk_loans_lender_debtor_borrowers")
        ),
        sa.PrimaryKeyConstraint("lender", "id", name=op.f("pk_loans")),
    )
    op.create_index(op.f("ix_loans_lender_debtor"), "loans", ["lender", "debtor"], unique=False)
    op.create_table(
        "facts",
        sa.Column("lender", sa.Text(), nullable=False),
        sa.Column("loan", sa.Text(), nullable=False),
        sa.Column("loan_seq", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lender", "loan"], ["loans.lender", "loans.id"], name=op.f("fk_facts_lender_loan_loans")
        ),
        sa.PrimaryKeyConstraint("lender", "loan", "loan_seq", name=op.f("pk_facts")),
        sa.UniqueConstraint("lender", "loan", "id", name=op.f("uq_facts_lender_loan_id")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("lender", sa.Text(), nullable=False),
        sa.Column("loan", sa.Text(), nullable=False),
        sa.Column("loan_seq", sa.Integer(), nullable=False),
        sa.Column("start", sa.Boolean(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lender", "loan"], ["loans.lender", "loans.id"], name=op.f("fk_outbox_lender_loan_loans")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_outbox_at"), "outbox", ["at"], unique=False)
    op.create_table(
        "parties",
        sa.Column("lender", sa.Text(), nullable=False),
        sa.Column("loan", sa.Text(), nullable=False),
        sa.Column("borrower", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lender", "borrower"],
            ["borrowers.lender", "borrowers.id"],
            name=op.f("fk_parties_lender_borrower_borrowers"),
        ),
        sa.ForeignKeyConstraint(
            ["lender", "loan"], ["loans.lender", "loans.id"], name=op.f("fk_parties_lender_loan_loans")
        ),
        sa.PrimaryKeyConstraint("lender", "loan", "borrower", name=op.f("pk_parties")),
    )
    op.create_table(
        "reviews",
        sa.Column("lender", sa.Text(), nullable=False),
        sa.Column("loan", sa.Text(), nullable=False),
        sa.Column("episode", sa.Text(), nullable=False),
        sa.Column("installment", sa.Text(), nullable=False),
        sa.Column("rung", sa.Text(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["lender", "loan"], ["loans.lender", "loans.id"], name=op.f("fk_reviews_lender_loan_loans")
        ),
        sa.PrimaryKeyConstraint("lender", "loan", "episode", "installment", "rung", name=op.f("pk_reviews")),
    )
    op.create_table(
        "rung_claims",
        sa.Column("lender", sa.Text(), nullable=False),
        sa.Column("loan", sa.Text(), nullable=False),
        sa.Column("episode", sa.Text(), nullable=False),
        sa.Column("installment", sa.Text(), nullable=False),
        sa.Column("rung", sa.Text(), nullable=False),
        sa.Column("claimed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lender", "loan"], ["loans.lender", "loans.id"], name=op.f("fk_rung_claims_lender_loan_loans")
        ),
        sa.PrimaryKeyConstraint("lender", "loan", "episode", "installment", "rung", name=op.f("pk_rung_claims")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tasks",
        sa.Column("lender", sa.Text(), nullable=False),
        sa.Column("loan", sa.Text(), nullable=False),
        sa.Column("episode", sa.Text(), nullable=False),
        sa.Column("installment", sa.Text(), nullable=False),
        sa.Column("rung", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lender", "loan"], ["loans.lender", "loans.id"], name=op.f("fk_tasks_lender_loan_loans")
        ),
        sa.PrimaryKeyConstraint("lender", "loan", "episode", "installment", "rung", name=op.f("pk_tasks")),
    )
    op.create_table(
        "duties",
        sa.Column("lender", sa.Text(), nullable=False),
        sa.Column("loan", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["lender", "loan"], ["loans.lender", "loans.id"], name=op.f("fk_duties_lender_loan_loans")
        ),
        sa.PrimaryKeyConstraint("lender", "loan", "rule", name=op.f("pk_duties")),
    )
    op.create_table(
        "verdicts",
        sa.Column("lender", sa.Text(), nullable=False),
        sa.Column("loan", sa.Text(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("episode", sa.Text(), nullable=False),
        sa.Column("installment", sa.Text(), nullable=False),
        sa.Column("rung", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("until", Instant(), nullable=True),
        sa.Column("grounds", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("commitment", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lender", "loan"], ["loans.lender", "loans.id"], name=op.f("fk_verdicts_lender_loan_loans")
        ),
        sa.PrimaryKeyConstraint("lender", "loan", "no", name=op.f("pk_verdicts")),
    )
    op.create_table(
        "contacts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("lender", sa.Text(), nullable=False),
        sa.Column("loan", sa.Text(), nullable=False),
        sa.Column("borrower", sa.Text(), nullable=False),
        sa.Column("episode", sa.Text(), nullable=False),
        sa.Column("installment", sa.Text(), nullable=False),
        sa.Column("rung", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("try", sa.Integer(), nullable=False),
        sa.Column("contact_point", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("obligation", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("closes", Instant(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("first_sending_at", Instant(), nullable=True),
        sa.Column("deadline", Instant(), nullable=True),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("verdict", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('reserved','sending','accepted','delivered','failed','unknown','released','shadow')",
            name=op.f("ck_contacts_state"),
        ),
        sa.ForeignKeyConstraint(
            ["lender", "loan", "episode", "installment", "rung"],
            [
                "rung_claims.lender",
                "rung_claims.loan",
                "rung_claims.episode",
                "rung_claims.installment",
                "rung_claims.rung",
            ],
            name=op.f("fk_contacts_lender_loan_episode_installment_rung_rung_claims"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
    )
    op.create_index(op.f("ix_contacts_channel_provider_id"), "contacts", ["channel", "provider_id"], unique=False)
    op.create_index(op.f("ix_contacts_lender_borrower_at"), "contacts", ["lender", "borrower", "at"], unique=False)
    op.create_index(op.f("ix_contacts_lender_loan"), "contacts", ["lender", "loan"], unique=False)
    op.create_table(
        "texts",
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["contact"], ["contacts.id"], name=op.f("fk_texts_contact_contacts")),
        sa.PrimaryKeyConstraint("contact", name=op.f("pk_texts")),
    )

    op.create_table(
        "worklist",
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["contact"], ["contacts.id"], name=op.f("fk_worklist_contact_contacts")),
        sa.PrimaryKeyConstraint("contact", name=op.f("pk_worklist")),
    )


def downgrade() -> None:
    op.drop_table("worklist")
    op.drop_table("texts")
    op.drop_table("contacts")
    op.drop_table("verdicts")
    op.drop_table("duties")
    op.drop_table("tasks")
    op.drop_table("rung_claims")
    op.drop_table("reviews")
    op.drop_table("parties")
    op.drop_table("outbox")
    op.drop_table("facts")
    op.drop_table("loans")
    op.drop_table("recorded")
    op.drop_table("holds")
    op.drop_table("contact_points")
    op.drop_table("consents")
    op.drop_table("borrowers")
    op.drop_table("settings")
    op.drop_table("inbox")
    op.drop_table("provider_events")
    op.drop_table("receipts")
    op.drop_table("packs")
    op.drop_table("lenders")
    op.drop_table("ladders")
    op.drop_table("clock")
