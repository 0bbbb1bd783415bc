"""Electronic invoices: what was chosen at issue, the addresses they go to, the files that were made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import after_insert, allow_again, append_only, not_append_only

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FACTS = ("e_invoice_form", "e_invoice")


def upgrade() -> None:
    """Make the tables, and the rules that the database holds."""
    op.create_table(
        "e_invoice_form",
        sa.Column("document_id", KEY, nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.CheckConstraint("form IN ('xml', 'hybrid')", name=op.f("ck_e_invoice_form_form")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_e_invoice_form_document_id")),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_e_invoice_form")),
    )
    op.create_table(
        "e_invoice",
        sa.Column("id", KEY, nullable=False),
        sa.Column("document_id", KEY, nullable=False),
        sa.Column("syntax", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.CheckConstraint("syntax IN ('ubl', 'cii')", name=op.f("ck_e_invoice_syntax")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_e_invoice_document_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_e_invoice")),
        sa.UniqueConstraint("document_id", "syntax", name=op.f("uq_e_invoice_document_id_syntax")),
    )
    op.create_table(
        "electronic_address",
        sa.Column("id", KEY, nullable=False),
        sa.Column("customer_id", KEY, nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("buyer_reference", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(scheme = '') = (identifier = '')", name=op.f("ck_electronic_address_scheme_and_identifier")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_electronic_address_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_electronic_address")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_electronic_address_customer_id")),
    )
    for table in FACTS:
        append_only(op, table)
    after_insert(
        op, "document_e_invoice_form", table="document", when="NEW.kind IN ('invoice', 'credit_note')",
        does="INSERT INTO e_invoice_form (document_id, form) "
        "SELECT NEW.id, e_invoice FROM finance_policy WHERE e_invoice <> 'none'",
    )  # fmt: skip


def downgrade() -> None:
    """Take them away again."""
    allow_again(op, "document_e_invoice_form", table="document")
    for table in FACTS:
        not_append_only(op, table)
    for table in ("electronic_address", "e_invoice", "e_invoice_form"):
        op.drop_table(table)
