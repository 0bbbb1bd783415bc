"""Export batches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import append_only, not_append_only

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the rules that the database holds."""
    op.create_table(
        "column_mapping",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_column_mapping")),
        sa.UniqueConstraint("name", name=op.f("uq_column_mapping_name")),
    )
    op.create_table(
        "export_batch",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.CheckConstraint("count > 0", name=op.f("ck_export_batch_count")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_batch")),
        sa.UniqueConstraint("filename", name=op.f("uq_export_batch_filename")),
    )
    op.create_table(
        "exported_document",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("document_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["export_batch.id"], name=op.f("fk_exported_document_batch_id")
        ),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_exported_document_document_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exported_document")),
        sa.UniqueConstraint("target", "document_id", name=op.f("uq_exported_document_target_document_id")),
    )
    op.create_index(op.f("ix_exported_document_batch_id"), "exported_document", ["batch_id"], unique=False)
    op.create_index(
        op.f("ix_exported_document_document_id"), "exported_document", ["document_id"], unique=False
    )
    append_only(op, "export_batch")
    append_only(op, "exported_document")


def downgrade() -> None:
    """Take them away again."""
    not_append_only(op, "exported_document")
    not_append_only(op, "export_batch")
    op.drop_index(op.f("ix_exported_document_document_id"), table_name="exported_document")
    op.drop_index(op.f("ix_exported_document_batch_id"), table_name="exported_document")
    op.drop_table("exported_document")
    op.drop_table("export_batch")
    op.drop_table("column_mapping")
