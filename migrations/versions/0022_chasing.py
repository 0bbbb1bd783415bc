"""Reminders, statements, disputes raised by schools, interest."""

from __future__ import annotations

from datetime import UTC, date, datetime

import sqlalchemy as sa
from alembic import op

from sla_manager.store.columns import InstantColumn
from sla_manager.store.triggers import allow_again, append_only, not_append_only, refuse_when

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FACTS = ("dispute_message", "reminder", "reminder_withdrawal", "bank_rate", "late_payment_claim")
IS_HELD = (
    "EXISTS (SELECT 1 FROM hold WHERE hold.document_id = NEW.document_id "
    "AND NOT EXISTS (SELECT 1 FROM hold_release WHERE hold_release.hold_id = hold.id))"
)
IS_NO_INVOICE = "(SELECT kind FROM document WHERE id = NEW.document_id) <> 'invoice'"
IS_SETTLED = "(SELECT open FROM document_balance WHERE document_id = NEW.document_id) <= 0"
LOCK = "SELECT 1 FROM document WHERE id = NEW.document_id FOR UPDATE"
BANK_RATES = (
    ("2009-03-05", 50), ("2016-08-04", 25), ("2017-11-02", 50), ("2018-08-02", 75), ("2020-03-11", 25),
    ("2020-03-19", 10), ("2021-12-16", 25), ("2022-02-03", 50), ("2022-03-17", 75), ("2022-05-05", 100),
    ("2022-06-16", 125), ("2022-08-04", 175), ("2022-09-22", 225), ("2022-11-03", 300), ("2022-12-15", 350),
    ("2023-02-02", 400), ("2023-03-23", 425), ("2023-05-11", 450), ("2023-06-22", 500), ("2023-08-03", 525),
    ("2024-08-01", 500), ("2024-11-07", 475), ("2025-02-06", 450), ("2025-05-08", 425), ("2025-08-07", 400),
    ("2025-12-18", 375),
)  # fmt: skip
"""From which day, and how many basis points: as the Bank of England publishes them."""


def upgrade() -> None:
    """Make the tables, and the rules that the database holds."""
    _disputes_and_reminders()
    _late_payment()
    for table in FACTS:
        append_only(op, table)
    for name, when, says in (
        ("reminder_of_invoice", IS_NO_INVOICE, "only_invoices_are_chased"),
        ("reminder_of_debt", IS_SETTLED, "nothing_is_owed"),
        ("reminder_not_held", IS_HELD, "held_is_not_chased"),
    ):
        refuse_when(op, name, table="reminder", event="INSERT", when=when, says=says, lock=LOCK)
    for name, when, says in (
        ("claim_on_invoice", IS_NO_INVOICE, "only_invoices_bear_interest"),
        ("claim_not_held", IS_HELD, "held_bears_no_interest"),
    ):
        refuse_when(op, name, table="late_payment_claim", event="INSERT", when=when, says=says, lock=LOCK)
    op.bulk_insert(
        sa.table(
            "bank_rate", sa.column("from_day", sa.Date()), sa.column("rate", sa.Integer()), sa.column("source"),
            sa.column("recorded_at", InstantColumn()), sa.column("recorded_by"),
        ),
        [
            {
                "from_day": date.fromisoformat(day), "rate": rate, "source": "Bank of England",
                "recorded_at": datetime(2026, 1, 1, tzinfo=UTC), "recorded_by": "SLA Manager",
            }
            for day, rate in BANK_RATES
        ],
    )  # fmt: skip


def _disputes_and_reminders() -> None:
    op.create_table(
        "dispute_message",
        sa.Column("id", KEY, nullable=False),
        sa.Column("hold_id", KEY, nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", sa.Text(), nullable=False),
        sa.Column("person_id", KEY, nullable=True),
        sa.Column("once_key", sa.Text(), nullable=True),
        sa.CheckConstraint("side IN ('payer', 'council')", name=op.f("ck_dispute_message_side")),
        sa.CheckConstraint("text <> ''", name=op.f("ck_dispute_message_text")),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"], name=op.f("fk_dispute_message_hold_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_dispute_message_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute_message")),
        sa.UniqueConstraint("once_key", name=op.f("uq_dispute_message_once_key")),
    )
    op.create_index(op.f("ix_dispute_message_hold_id"), "dispute_message", ["hold_id"])
    op.create_table(
        "reminder",
        sa.Column("id", KEY, nullable=False),
        sa.Column("document_id", KEY, nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("days_overdue", sa.Integer(), nullable=False),
        sa.Column("open", sa.BigInteger(), nullable=False),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("stage > 0", name=op.f("ck_reminder_stage")),
        sa.CheckConstraint("open > 0", name=op.f("ck_reminder_open")),
        sa.CheckConstraint("days_overdue > 0", name=op.f("ck_reminder_days_overdue")),
        sa.CheckConstraint("mails >= 0", name=op.f("ck_reminder_mails")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_reminder_document_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder")),
        sa.UniqueConstraint("document_id", "stage", name=op.f("uq_reminder_document_id_stage")),
    )
    op.create_table(
        "reminder_withdrawal",
        sa.Column("id", KEY, nullable=False),
        sa.Column("reminder_id", KEY, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["reminder_id"], ["reminder.id"], name=op.f("fk_reminder_withdrawal_reminder_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_withdrawal")),
        sa.UniqueConstraint("reminder_id", name=op.f("uq_reminder_withdrawal_reminder_id")),
    )


def _late_payment() -> None:
    op.create_table(
        "bank_rate",
        sa.Column("id", KEY, nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.CheckConstraint("rate BETWEEN 0 AND 10000", name=op.f("ck_bank_rate_rate")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_rate")),
    )
    op.create_index("ix_bank_rate_from_day", "bank_rate", ["from_day", "id"])
    op.create_table(
        "late_payment_claim",
        sa.Column("id", KEY, nullable=False),
        sa.Column("document_id", KEY, nullable=False),
        sa.Column("after", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("debt", sa.BigInteger(), nullable=False),
        sa.Column("reference_day", sa.Date(), nullable=False),
        sa.Column("bank_rate", sa.Integer(), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("interest", sa.BigInteger(), nullable=False),
        sa.Column("compensation", sa.BigInteger(), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("charge_id", KEY, nullable=False),
        sa.Column("once_key", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.CheckConstraint("until > after", name=op.f("ck_late_payment_claim_days")),
        sa.CheckConstraint(
            "interest >= 0 AND compensation >= 0 AND interest + compensation > 0",
            name=op.f("ck_late_payment_claim_amounts"),
        ),
        sa.CheckConstraint("rate = bank_rate + 800", name=op.f("ck_late_payment_claim_rate")),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_late_payment_claim_document_id")
        ),
        sa.ForeignKeyConstraint(
            ["charge_id"], ["one_off_charge.id"], name=op.f("fk_late_payment_claim_charge_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_payment_claim")),
        sa.UniqueConstraint("charge_id", name=op.f("uq_late_payment_claim_charge_id")),
        sa.UniqueConstraint("once_key", name=op.f("uq_late_payment_claim_once_key")),
    )
    op.create_index("ix_late_payment_claim_document", "late_payment_claim", ["document_id", "id"])


def downgrade() -> None:
    """Take them away again."""
    for name in ("reminder_of_invoice", "reminder_of_debt", "reminder_not_held"):
        allow_again(op, name, table="reminder")
    for name in ("claim_on_invoice", "claim_not_held"):
        allow_again(op, name, table="late_payment_claim")
    for table in FACTS:
        not_append_only(op, table)
    for table in ("late_payment_claim", "bank_rate", "reminder_withdrawal", "reminder", "dispute_message"):
        op.drop_table(table)
