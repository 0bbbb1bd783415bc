"""Agreements taken over from spreadsheets, and the figures to compare with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import allow_again, append_only, not_append_only, refuse_when

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def _key() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "takeover_mapping",
        sa.Column("id", _key(), nullable=False),
        sa.Column("service_id", _key(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_takeover_mapping_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_takeover_mapping")),
        sa.UniqueConstraint("service_id", "name", name=op.f("uq_takeover_mapping_service_id_name")),
    )
    op.create_table(
        "takeover",
        sa.Column("id", _key(), nullable=False),
        sa.Column("service_id", _key(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("kept", sa.LargeBinary(), nullable=True),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=True),
        sa.Column("bill_from", sa.Date(), nullable=True),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reached", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Text(), nullable=False),
        sa.CheckConstraint("purpose IN ('import', 'compare')", name=op.f("ck_takeover_purpose")),
        sa.CheckConstraint(
            "status IN ('uploaded', 'mapped', 'importing', 'done')", name=op.f("ck_takeover_status")
        ),
        sa.CheckConstraint("(status = 'done') = (kept IS NULL)", name=op.f("ck_takeover_kept_until_done")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_takeover_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_takeover")),
    )
    op.create_index("ix_takeover_list", "takeover", ["service_id", "id"], unique=False)
    op.create_table(
        "taken_row",
        sa.Column("id", _key(), nullable=False),
        sa.Column("takeover_id", _key(), nullable=False),
        sa.Column("service_id", _key(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("agreement_id", _key(), nullable=False),
        sa.Column("theirs", sa.Text(), nullable=False),
        sa.Column("bill_from", sa.Date(), nullable=True),
        sa.Column("to_bill", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=False),
        sa.CheckConstraint("to_bill >= 0", name=op.f("ck_taken_row_to_bill")),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name=op.f("fk_taken_row_agreement_id")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_taken_row_service_id")),
        sa.ForeignKeyConstraint(["takeover_id"], ["takeover.id"], name=op.f("fk_taken_row_takeover_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taken_row")),
        sa.UniqueConstraint("agreement_id", name=op.f("uq_taken_row_agreement_id")),
        sa.UniqueConstraint("service_id", "sha256", "row", name=op.f("uq_taken_row_service_id_sha256_row")),
    )
    op.create_index("ix_taken_row_takeover", "taken_row", ["takeover_id"], unique=False)
    op.create_table(
        "parallel_run",
        sa.Column("id", _key(), nullable=False),
        sa.Column("service_id", _key(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("as_at", sa.Date(), nullable=False),
        sa.Column("compared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("compared_by", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("once_key", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_parallel_run_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parallel_run")),
        sa.UniqueConstraint("once_key", name=op.f("uq_parallel_run_once_key")),
    )
    op.create_index("ix_parallel_run_list", "parallel_run", ["service_id", "id"], unique=False)
    append_only(op, "taken_row")
    append_only(op, "parallel_run")
    refuse_when(
        op,
        "taken_row_of_an_import",
        table="taken_row",
        event="INSERT",
        when="NOT EXISTS (SELECT 1 FROM agreement WHERE id = NEW.agreement_id AND origin = 'import' AND service_id = NEW.service_id)",
        says="taken_row_of_an_import",
    )
    refuse_when(
        op,
        "takeover_done",
        table="takeover",
        event="UPDATE",
        when="OLD.status = 'done'",
        says="takeover_is_done",
    )
    refuse_when(
        op,
        "takeover_no_delete",
        table="takeover",
        event="DELETE",
        when="OLD.status IN ('importing', 'done') AND OLD.purpose = 'import'",
        says="takeover_is_done",
    )


def downgrade() -> None:
    """Take them away again."""
    allow_again(op, "takeover_no_delete", table="takeover")
    allow_again(op, "takeover_done", table="takeover")
    allow_again(op, "taken_row_of_an_import", table="taken_row")
    not_append_only(op, "parallel_run")
    not_append_only(op, "taken_row")
    op.drop_index("ix_parallel_run_list", table_name="parallel_run")
    op.drop_table("parallel_run")
    op.drop_index("ix_taken_row_takeover", table_name="taken_row")
    op.drop_table("taken_row")
    op.drop_index("ix_takeover_list", table_name="takeover")
    op.drop_table("takeover")
    op.drop_table("takeover_mapping")
