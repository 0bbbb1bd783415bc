"""Layouts, journals, the ledger's replies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import allow_again, append_only, not_append_only, refuse_when

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FACTS = ("ledger_reply", "reply_reading", "ledger_answer")
NOT_HANDED_OVER = (
    "NOT EXISTS (SELECT 1 FROM exported_document WHERE exported_document.target = NEW.target "
    "AND exported_document.document_id = NEW.document_id)"
)


def upgrade() -> None:
    """Make the tables, and the rules that the database holds."""
    _codes()
    _replies()
    for table in FACTS:
        append_only(op, table)
    refuse_when(
        op, "ledger_answer_to_a_batch", table="ledger_answer", event="INSERT",
        when=NOT_HANDED_OVER, says="answers_are_to_what_was_handed_over",
    )  # fmt: skip


def _changed() -> list[sa.Column[object]]:
    return [
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
    ]


def _codes() -> None:
    op.create_table(
        "school_code",
        sa.Column("id", KEY, nullable=False),
        sa.Column("customer_id", KEY, nullable=False),
        sa.Column("cost_centre", sa.Text(), nullable=False),
        sa.Column("account_code", sa.Text(), nullable=False),
        *_changed(),
        sa.CheckConstraint("cost_centre <> ''", name=op.f("ck_school_code_cost_centre")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_school_code_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_code")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_school_code_customer_id")),
    )
    op.create_table(
        "service_code",
        sa.Column("id", KEY, nullable=False),
        sa.Column("service_id", KEY, nullable=False),
        sa.Column("training", sa.Boolean(), nullable=False),
        sa.Column("income_centre", sa.Text(), nullable=False),
        sa.Column("income_code", sa.Text(), nullable=False),
        sa.Column("charge_code", sa.Text(), nullable=False),
        sa.Column("cfr_code", sa.Text(), nullable=False),
        sa.Column("return_line", sa.Text(), nullable=False),
        *_changed(),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_service_code_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_code")),
        sa.UniqueConstraint("service_id", "training", name=op.f("uq_service_code_service_id_training")),
    )


def _replies() -> None:
    op.create_table(
        "reply_layout",
        sa.Column("id", KEY, nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        *_changed(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply_layout")),
        sa.UniqueConstraint("target", name=op.f("uq_reply_layout_target")),
    )
    op.create_table(
        "ledger_reply",
        sa.Column("id", KEY, nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_reply")),
        sa.UniqueConstraint("target", "sha256", name=op.f("uq_ledger_reply_target_sha256")),
    )
    op.create_table(
        "reply_reading",
        sa.Column("id", KEY, nullable=False),
        sa.Column("reply_id", KEY, nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("repeated", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["reply_id"], ["ledger_reply.id"], name=op.f("fk_reply_reading_reply_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply_reading")),
        sa.UniqueConstraint("reply_id", name=op.f("uq_reply_reading_reply_id")),
    )
    _answers()


def _answers() -> None:
    op.create_table(
        "ledger_answer",
        sa.Column("id", KEY, nullable=False),
        sa.Column("reply_id", KEY, nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("document_id", KEY, nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("receipt_id", KEY, nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "status IN ('accepted', 'rejected', 'paid')", name=op.f("ck_ledger_answer_status")
        ),
        sa.CheckConstraint(
            "status <> 'rejected' OR reason <> ''", name=op.f("ck_ledger_answer_rejected_with_a_reason")
        ),
        sa.ForeignKeyConstraint(["reply_id"], ["ledger_reply.id"], name=op.f("fk_ledger_answer_reply_id")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_ledger_answer_document_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_ledger_answer_receipt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_answer")),
        sa.UniqueConstraint("target", "fingerprint", name=op.f("uq_ledger_answer_target_fingerprint")),
    )
    for column in ("reply_id", "document_id", "receipt_id"):
        op.create_index(op.f(f"ix_ledger_answer_{column}"), "ledger_answer", [column])


def downgrade() -> None:
    """Take them away again."""
    allow_again(op, "ledger_answer_to_a_batch", table="ledger_answer")
    for table in FACTS:
        not_append_only(op, table)
    for table in (
        "ledger_answer", "reply_reading", "ledger_reply", "reply_layout", "service_code", "school_code"
    ):  # fmt: skip
        op.drop_table(table)
