"""Receipts and allocations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import allow_again, append_only, not_append_only, refuse_when

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the rules that the database holds."""
    op.create_table(
        "receipt",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("once_key", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "method IN ('bank_transfer', 'cheque', 'card', 'journal', 'cash')", name=op.f("ck_receipt_method")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_receipt_amount")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_receipt_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("once_key", name=op.f("uq_receipt_once_key")),
    )
    op.create_index("ix_receipt_customer", "receipt", ["customer_id", "id"], unique=False)
    op.create_table(
        "allocation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("receipt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("credit_note_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("document_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reverses_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("allocated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("allocated_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(receipt_id IS NULL) <> (credit_note_id IS NULL)", name=op.f("ck_allocation_receipt_or_credit")
        ),
        sa.CheckConstraint(
            "(reverses_id IS NULL AND amount > 0) OR (reverses_id IS NOT NULL AND amount < 0)",
            name=op.f("ck_allocation_sign"),
        ),
        sa.ForeignKeyConstraint(
            ["credit_note_id"], ["document.id"], name=op.f("fk_allocation_credit_note_id")
        ),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_allocation_document_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_allocation_receipt_id")),
        sa.ForeignKeyConstraint(["reverses_id"], ["allocation.id"], name=op.f("fk_allocation_reverses_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_allocation_reverses_id")),
    )
    op.create_index(op.f("ix_allocation_credit_note_id"), "allocation", ["credit_note_id"], unique=False)
    op.create_index(op.f("ix_allocation_document_id"), "allocation", ["document_id"], unique=False)
    op.create_index(op.f("ix_allocation_receipt_id"), "allocation", ["receipt_id"], unique=False)
    append_only(op, "receipt")
    append_only(op, "allocation")
    refuse_when(
        op,
        "allocation_document",
        table="allocation",
        event="INSERT",
        when="NEW.amount > 0 AND (SELECT SUM(amount) FROM allocation WHERE document_id = NEW.document_id) > (SELECT SUM(gross) FROM document WHERE id = NEW.document_id OR credits_id = NEW.document_id)",
        says="allocation_exceeds_document",
        lock="SELECT 1 FROM document WHERE id = NEW.document_id FOR UPDATE",
    )
    refuse_when(
        op,
        "allocation_receipt",
        table="allocation",
        event="INSERT",
        when="NEW.receipt_id IS NOT NULL AND (SELECT SUM(amount) FROM allocation WHERE receipt_id = NEW.receipt_id) > (SELECT amount FROM receipt WHERE id = NEW.receipt_id)",
        says="allocation_exceeds_receipt",
        lock="SELECT 1 FROM receipt WHERE id = NEW.receipt_id FOR UPDATE",
    )
    refuse_when(
        op,
        "allocation_credit",
        table="allocation",
        event="INSERT",
        when="NEW.credit_note_id IS NOT NULL AND (SELECT SUM(amount) FROM allocation WHERE credit_note_id = NEW.credit_note_id) > (SELECT -gross FROM document WHERE id = NEW.credit_note_id)",
        says="allocation_exceeds_credit",
        lock="SELECT 1 FROM document WHERE id = NEW.credit_note_id FOR UPDATE",
    )


def downgrade() -> None:
    """Take them away again."""
    allow_again(op, "allocation_credit", table="allocation")
    allow_again(op, "allocation_receipt", table="allocation")
    allow_again(op, "allocation_document", table="allocation")
    not_append_only(op, "allocation")
    not_append_only(op, "receipt")
    op.drop_index(op.f("ix_allocation_receipt_id"), table_name="allocation")
    op.drop_index(op.f("ix_allocation_document_id"), table_name="allocation")
    op.drop_index(op.f("ix_allocation_credit_note_id"), table_name="allocation")
    op.drop_table("allocation")
    op.drop_index("ix_receipt_customer", table_name="receipt")
    op.drop_table("receipt")
