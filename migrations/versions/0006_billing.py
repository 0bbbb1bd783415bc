"""Documents of money, frozen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import allow_again, append_only, not_append_only, refuse_when

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the rules that the database holds."""
    op.create_table(
        "document",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "invoice",
                "recharge_note",
                "credit_note",
                "recharge_credit",
                native_enum=False,
                create_constraint=True,
                name="document_kind",
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_name", sa.Text(), nullable=False),
        sa.Column("agreement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("credits_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tax_point", sa.Date(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("purchase_order", sa.Text(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(kind IN ('credit_note', 'recharge_credit') AND gross <= 0) OR (kind IN ('invoice', 'recharge_note') AND gross > 0)",
            name=op.f("ck_document_sign"),
        ),
        sa.CheckConstraint(
            "(kind IN ('credit_note', 'recharge_credit')) = (credits_id IS NOT NULL)",
            name=op.f("ck_document_credits"),
        ),
        sa.CheckConstraint(
            "kind NOT IN ('recharge_note', 'recharge_credit') OR vat = 0",
            name=op.f("ck_document_recharge_has_no_vat"),
        ),
        sa.CheckConstraint("gross = net + vat", name=op.f("ck_document_totals")),
        sa.CheckConstraint("sequence > 0", name=op.f("ck_document_sequence")),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name=op.f("fk_document_agreement_id")),
        sa.ForeignKeyConstraint(["credits_id"], ["document.id"], name=op.f("fk_document_credits_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_document_customer_id")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_document_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("number", name=op.f("uq_document_number")),
        sa.UniqueConstraint("series", "year", "sequence", name=op.f("uq_document_series_year_sequence")),
    )
    op.create_index("ix_document_agreement", "document", ["agreement_id"], unique=False)
    op.create_index(
        "ix_document_credits_id",
        "document",
        ["credits_id"],
        unique=False,
        sqlite_where=sa.text("credits_id IS NOT NULL"),
        postgresql_where=sa.text("credits_id IS NOT NULL"),
    )
    op.create_index("ix_document_customer", "document", ["customer_id", "id"], unique=False)
    op.create_index("ix_document_list", "document", ["issued_on", "id"], unique=False)
    op.create_index(op.f("ix_document_service_id"), "document", ["service_id"], unique=False)
    op.create_table(
        "parked",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("agreement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name=op.f("fk_parked_agreement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parked")),
        sa.UniqueConstraint("agreement_id", name=op.f("uq_parked_agreement_id")),
    )
    op.create_table(
        "billed",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column(
            "route",
            sa.Enum(
                "invoice", "recharge", native_enum=False, create_constraint=True, name="route", length=40
            ),
            nullable=False,
        ),
        sa.Column("document_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint(
            "purpose IN ('instalment', 'variation', 'delivery', 'cancellation', 'extra_time')",
            name=op.f("ck_billed_purpose"),
        ),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_billed_document_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billed")),
        sa.UniqueConstraint("purpose", "source_id", "route", name=op.f("uq_billed_purpose_source_id_route")),
    )
    op.create_index(op.f("ix_billed_document_id"), "billed", ["document_id"], unique=False)
    op.create_table(
        "document_file",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("document_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("facts_path", sa.Text(), nullable=False),
        sa.Column("facts_sha256", sa.Text(), nullable=False),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_document_file_document_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_file")),
        sa.UniqueConstraint("document_id", name=op.f("uq_document_file_document_id")),
    )
    op.create_table(
        "document_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("document_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("credits_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column(
            "vat_code",
            sa.Enum(
                "standard",
                "zero",
                "exempt",
                "outside_scope",
                native_enum=False,
                create_constraint=True,
                name="vat_code",
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("vat_rate", sa.Integer(), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["credits_line_id"], ["document_line.id"], name=op.f("fk_document_line_credits_line_id")
        ),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_document_line_document_id")),
        sa.ForeignKeyConstraint(["line_id"], ["agreement_line.id"], name=op.f("fk_document_line_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_line")),
        sa.UniqueConstraint("document_id", "position", name=op.f("uq_document_line_document_id_position")),
    )
    op.create_index(
        op.f("ix_document_line_credits_line_id"), "document_line", ["credits_line_id"], unique=False
    )
    op.create_index(op.f("ix_document_line_line_id"), "document_line", ["line_id"], unique=False)
    op.create_table(
        "document_vat",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("document_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "code",
            sa.Enum(
                "standard",
                "zero",
                "exempt",
                "outside_scope",
                native_enum=False,
                create_constraint=True,
                name="vat_code",
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_document_vat_document_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_vat")),
        sa.UniqueConstraint(
            "document_id", "code", "rate", name=op.f("uq_document_vat_document_id_code_rate")
        ),
    )
    append_only(op, "document")
    append_only(op, "document_line")
    append_only(op, "document_vat")
    append_only(op, "document_file")
    append_only(op, "billed")
    refuse_when(
        op,
        "document_credit",
        table="document",
        event="INSERT",
        when="NEW.credits_id IS NOT NULL AND (SELECT COALESCE(SUM(gross), 0) FROM document WHERE credits_id = NEW.credits_id OR id = NEW.credits_id) < 0",
        says="credit_exceeds_document",
        lock="SELECT 1 FROM document WHERE id = NEW.credits_id FOR UPDATE",
    )
    refuse_when(
        op,
        "document_credit_vat",
        table="document",
        event="INSERT",
        when="NEW.credits_id IS NOT NULL AND (SELECT COALESCE(SUM(vat), 0) FROM document WHERE credits_id = NEW.credits_id OR id = NEW.credits_id) < 0",
        says="credit_exceeds_document",
    )
    refuse_when(
        op,
        "document_credit_net",
        table="document",
        event="INSERT",
        when="NEW.credits_id IS NOT NULL AND (SELECT COALESCE(SUM(net), 0) FROM document WHERE credits_id = NEW.credits_id OR id = NEW.credits_id) < 0",
        says="credit_exceeds_document",
    )


def downgrade() -> None:
    """Take them away again."""
    allow_again(op, "document_credit_net", table="document")
    allow_again(op, "document_credit_vat", table="document")
    allow_again(op, "document_credit", table="document")
    not_append_only(op, "billed")
    not_append_only(op, "document_file")
    not_append_only(op, "document_vat")
    not_append_only(op, "document_line")
    not_append_only(op, "document")
    op.drop_table("document_vat")
    op.drop_index(op.f("ix_document_line_line_id"), table_name="document_line")
    op.drop_index(op.f("ix_document_line_credits_line_id"), table_name="document_line")
    op.drop_table("document_line")
    op.drop_table("document_file")
    op.drop_index(op.f("ix_billed_document_id"), table_name="billed")
    op.drop_table("billed")
    op.drop_table("parked")
    op.drop_index(op.f("ix_document_service_id"), table_name="document")
    op.drop_index("ix_document_list", table_name="document")
    op.drop_index("ix_document_customer", table_name="document")
    op.drop_index(op.f("ix_document_credits_id"), table_name="document")
    op.drop_index("ix_document_agreement", table_name="document")
    op.drop_table("document")
