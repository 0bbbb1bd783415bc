"""One-off charges, refunds, holds, what is open on each document, the council's rules of asking for money."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.alterations import change_check
from sla_manager.store.triggers import after_insert, allow_again, append_only, not_append_only, refuse_when

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PURPOSES = "'instalment', 'variation', 'delivery', 'cancellation', 'extra_time'"
FACTS = ("one_off_charge", "one_off_line", "one_off_withdrawal", "refund", "hold", "hold_release")
CHARGES = "('invoice', 'recharge_note')"
LEFT = (
    "(SELECT amount FROM receipt WHERE id = NEW.receipt_id) "
    "- (SELECT COALESCE(SUM(amount), 0) FROM allocation WHERE receipt_id = NEW.receipt_id) "
    "- (SELECT COALESCE(SUM(amount), 0) FROM refund WHERE receipt_id = NEW.receipt_id)"
)
BEFORE = (
    "NEW.receipt_id IS NOT NULL AND (SELECT SUM(amount) FROM allocation WHERE receipt_id = NEW.receipt_id) "
    "> (SELECT amount FROM receipt WHERE id = NEW.receipt_id)"
)
LOCK = "SELECT 1 FROM receipt WHERE id = NEW.receipt_id FOR UPDATE"


def _named(*values: str, name: str) -> sa.Enum:
    return sa.Enum(*values, native_enum=False, create_constraint=True, name=name, length=40)


def upgrade() -> None:
    """Make the tables, and the rules that the database holds."""
    change_check(op, "billed", "ck_billed_purpose", f"purpose IN ({PURPOSES}, 'one_off')")
    _charges()
    op.create_table(
        "finance_policy",
        sa.Column("id", KEY, nullable=False),
        sa.Column("purchase_order_from", sa.BigInteger(), nullable=True),
        sa.Column("reminder_days", sa.Text(), nullable=False),
        sa.Column("late_payment", sa.Boolean(), nullable=False),
        sa.Column("e_invoice", sa.Text(), nullable=False),
        sa.Column("endpoint_scheme", sa.Text(), nullable=False),
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_finance_policy_only_one")),
        sa.CheckConstraint(
            "e_invoice IN ('none', 'xml', 'hybrid')", name=op.f("ck_finance_policy_e_invoice")
        ),
        sa.CheckConstraint(
            "purchase_order_from IS NULL OR purchase_order_from >= 0",
            name=op.f("ck_finance_policy_purchase_order_from"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finance_policy")),
    )
    _refunds_and_holds()
    _balances()
    for table in FACTS:
        append_only(op, table)
    allow_again(op, "allocation_receipt", table="allocation")
    refuse_when(
        op, "allocation_receipt", table="allocation", event="INSERT", lock=LOCK,
        when=f"NEW.receipt_id IS NOT NULL AND ({LEFT}) < 0", says="allocation_exceeds_receipt",
    )  # fmt: skip
    refuse_when(
        op, "refund_receipt", table="refund", event="INSERT", lock=LOCK,
        when=f"({LEFT}) < 0", says="refund_exceeds_receipt",
    )  # fmt: skip
    refuse_when(
        op, "one_off_line_no_core", table="one_off_line", event="INSERT",
        when="EXISTS (SELECT 1 FROM offering WHERE offering.id = NEW.offering_id AND offering.family = 'core')",
        says="core_is_never_charged",
    )  # fmt: skip


def _charges() -> None:
    op.create_table(
        "one_off_charge",
        sa.Column("id", KEY, nullable=False),
        sa.Column("service_id", KEY, nullable=False),
        sa.Column("customer_id", KEY, nullable=False),
        sa.Column("school_id", KEY, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("route", _named("invoice", "recharge", name="route"), nullable=False),
        sa.Column("delivered_on", sa.Date(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("purchase_order", sa.Text(), nullable=False),
        sa.Column("supplements_id", KEY, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("consent", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("once_key", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('training', 'audit', 'referral', 'other', 'debit', 'late_payment')",
            name=op.f("ck_one_off_charge_kind"),
        ),
        sa.CheckConstraint(
            "(kind IN ('debit', 'late_payment')) = (supplements_id IS NOT NULL)",
            name=op.f("ck_one_off_charge_supplements"),
        ),
        sa.CheckConstraint("net > 0", name=op.f("ck_one_off_charge_net")),
        sa.CheckConstraint(
            "kind <> 'late_payment' OR route = 'invoice'",
            name=op.f("ck_one_off_charge_interest_is_never_recharged"),
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_one_off_charge_service_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_one_off_charge_customer_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_one_off_charge_school_id")),
        sa.ForeignKeyConstraint(
            ["supplements_id"], ["document.id"], name=op.f("fk_one_off_charge_supplements_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_off_charge")),
        sa.UniqueConstraint("once_key", name=op.f("uq_one_off_charge_once_key")),
    )
    op.create_index("ix_one_off_charge_customer", "one_off_charge", ["customer_id", "id"])
    for column in ("service_id", "school_id", "supplements_id"):
        op.create_index(op.f(f"ix_one_off_charge_{column}"), "one_off_charge", [column])
    op.create_table(
        "one_off_line",
        sa.Column("id", KEY, nullable=False),
        sa.Column("charge_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("offering_id", KEY, nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column(
            "vat_code", _named("standard", "zero", "exempt", "outside_scope", name="vat_code"), nullable=False
        ),
        sa.Column("vat_reason", sa.Text(), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_one_off_line_quantity")),
        sa.ForeignKeyConstraint(["charge_id"], ["one_off_charge.id"], name=op.f("fk_one_off_line_charge_id")),
        sa.ForeignKeyConstraint(["offering_id"], ["offering.id"], name=op.f("fk_one_off_line_offering_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_off_line")),
        sa.UniqueConstraint("charge_id", "position", name=op.f("uq_one_off_line_charge_id_position")),
    )
    op.create_index(op.f("ix_one_off_line_offering_id"), "one_off_line", ["offering_id"])
    op.create_table(
        "one_off_withdrawal",
        sa.Column("id", KEY, nullable=False),
        sa.Column("charge_id", KEY, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["charge_id"], ["one_off_charge.id"], name=op.f("fk_one_off_withdrawal_charge_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_off_withdrawal")),
        sa.UniqueConstraint("charge_id", name=op.f("uq_one_off_withdrawal_charge_id")),
    )


def _refunds_and_holds() -> None:
    op.create_table(
        "refund",
        sa.Column("id", KEY, nullable=False),
        sa.Column("receipt_id", KEY, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("refunded_on", sa.Date(), nullable=False),
        sa.Column("reverses_id", KEY, nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("once_key", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(reverses_id IS NULL AND amount > 0) OR (reverses_id IS NOT NULL AND amount < 0)",
            name=op.f("ck_refund_sign"),
        ),
        sa.CheckConstraint(
            "method IN ('card', 'bank_transfer', 'cheque', 'journal', 'chargeback')",
            name=op.f("ck_refund_method"),
        ),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_refund_receipt_id")),
        sa.ForeignKeyConstraint(["reverses_id"], ["refund.id"], name=op.f("fk_refund_reverses_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_refund_reverses_id")),
        sa.UniqueConstraint("once_key", name=op.f("uq_refund_once_key")),
    )
    op.create_index(op.f("ix_refund_receipt_id"), "refund", ["receipt_id"])
    op.create_table(
        "hold",
        sa.Column("id", KEY, nullable=False),
        sa.Column("document_id", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("once_key", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('dispute', 'card_dispute', 'hold')", name=op.f("ck_hold_kind")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_hold_document_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
        sa.UniqueConstraint("once_key", name=op.f("uq_hold_once_key")),
    )
    op.create_index(op.f("ix_hold_document_id"), "hold", ["document_id"])
    op.create_table(
        "hold_release",
        sa.Column("id", KEY, nullable=False),
        sa.Column("hold_id", KEY, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"], name=op.f("fk_hold_release_hold_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold_release")),
        sa.UniqueConstraint("hold_id", name=op.f("uq_hold_release_hold_id")),
    )


def _balances() -> None:
    op.create_table(
        "document_balance",
        sa.Column("document_id", KEY, nullable=False),
        sa.Column("customer_id", KEY, nullable=False),
        sa.Column(
            "kind",
            _named("invoice", "recharge_note", "credit_note", "recharge_credit", name="document_kind"),
            nullable=False,
        ),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("open", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_document_balance_document_id")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_document_balance_customer_id")
        ),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_document_balance")),
    )
    op.execute(
        "INSERT INTO document_balance (document_id, customer_id, kind, due_on, open) "
        "SELECT document.id, document.customer_id, document.kind, document.due_on, document.gross "
        "+ (SELECT COALESCE(SUM(credit.gross), 0) FROM document AS credit WHERE credit.credits_id = document.id) "
        "- (SELECT COALESCE(SUM(allocation.amount), 0) FROM allocation WHERE allocation.document_id = document.id) "
        f"FROM document WHERE document.kind IN {CHARGES}"
    )
    for name, columns, condition in (
        ("ix_document_balance_due", ["kind", "due_on", "document_id"], "open > 0"),
        ("ix_document_balance_open", ["customer_id", "document_id"], "open > 0"),
        ("ix_document_balance_over", ["document_id"], "open < 0"),
    ):
        where = sa.text(condition)
        op.create_index(name, "document_balance", columns, sqlite_where=where, postgresql_where=where)
    after_insert(
        op, "document_opens", table="document", when=f"NEW.kind IN {CHARGES}",
        does="INSERT INTO document_balance (document_id, customer_id, kind, due_on, open) "
        "VALUES (NEW.id, NEW.customer_id, NEW.kind, NEW.due_on, NEW.gross)",
    )  # fmt: skip
    after_insert(
        op, "document_credits", table="document", when="NEW.credits_id IS NOT NULL",
        does="UPDATE document_balance SET open = open + NEW.gross WHERE document_id = NEW.credits_id",
    )  # fmt: skip
    after_insert(
        op, "allocation_pays", table="allocation",
        does="UPDATE document_balance SET open = open - NEW.amount WHERE document_id = NEW.document_id",
    )  # fmt: skip


def downgrade() -> None:
    """Take them away again."""
    for name, table in (
        ("one_off_line_no_core", "one_off_line"),
        ("refund_receipt", "refund"),
        ("allocation_receipt", "allocation"),
        ("allocation_pays", "allocation"),
        ("document_credits", "document"),
        ("document_opens", "document"),
    ):
        allow_again(op, name, table=table)
    refuse_when(
        op, "allocation_receipt", table="allocation", event="INSERT", when=BEFORE, lock=LOCK,
        says="allocation_exceeds_receipt",
    )  # fmt: skip
    for table in FACTS:
        not_append_only(op, table)
    for table in (
        "document_balance", "hold_release", "hold", "refund", "finance_policy", "one_off_withdrawal",
        "one_off_line", "one_off_charge",
    ):  # fmt: skip
        op.drop_table(table)
    change_check(op, "billed", "ck_billed_purpose", f"purpose IN ({PURPOSES})")
