"""Period locks, costs of services, year-end packs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import allow_again, append_only, not_append_only, refuse_when

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LOCK_FACTS = ("period_lock", "period_reopening")
OPEN_AGAIN = "EXISTS (SELECT 1 FROM period_reopening WHERE period_reopening.lock_id = {lock}.id)"
DATED = (
    ("document_period", "document", "through >= NEW.issued_on"),
    ("receipt_period", "receipt", "through >= NEW.received_on"),
    ("refund_period", "refund", "through >= NEW.refunded_on"),
    ("allocation_period", "allocation", "before > NEW.allocated_at"),
)


def upgrade() -> None:
    """Make the tables, and the rules that the database holds."""
    _locks()
    op.create_table(
        "service_cost",
        sa.Column("id", KEY, nullable=False),
        sa.Column("service_id", KEY, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("day_cost", sa.BigInteger(), nullable=False),
        sa.Column("day_minutes", sa.BigInteger(), nullable=False),
        sa.Column("overhead", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint("day_cost > 0 AND overhead >= 0", name=op.f("ck_service_cost_amounts")),
        sa.CheckConstraint("day_minutes > 0", name=op.f("ck_service_cost_day_minutes")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_service_cost_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_cost")),
        sa.UniqueConstraint("service_id", "year", name=op.f("uq_service_cost_service_id_year")),
    )


def _locks() -> None:
    op.create_table(
        "period_lock",
        sa.Column("id", KEY, nullable=False),
        sa.Column("through", sa.Date(), nullable=False),
        sa.Column("before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_by", sa.Text(), nullable=False),
        sa.CheckConstraint("before <= locked_at", name=op.f("ck_period_lock_is_over")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_period_lock_reason")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_period_lock")),
    )
    op.create_index("ix_period_lock_through", "period_lock", ["through"])
    op.create_table(
        "period_reopening",
        sa.Column("id", KEY, nullable=False),
        sa.Column("lock_id", KEY, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reopened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reopened_by", sa.Text(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_period_reopening_reason")),
        sa.ForeignKeyConstraint(["lock_id"], ["period_lock.id"], name=op.f("fk_period_reopening_lock_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_period_reopening")),
        sa.UniqueConstraint("lock_id", name=op.f("uq_period_reopening_lock_id")),
    )
    for table in LOCK_FACTS:
        append_only(op, table)
    held = f"NOT {OPEN_AGAIN.format(lock='held')}"
    refuse_when(
        op, "period_lock_rises", table="period_lock", event="INSERT",
        when="EXISTS (SELECT 1 FROM period_lock AS held WHERE held.id <> NEW.id "
        f"AND held.through >= NEW.through AND {held})", says="period_locked_already",
    )  # fmt: skip
    refuse_when(
        op, "period_reopening_last", table="period_reopening", event="INSERT",
        when="EXISTS (SELECT 1 FROM period_lock AS held WHERE held.through > "
        f"(SELECT through FROM period_lock WHERE id = NEW.lock_id) AND {held})",
        says="period_locked_further",
    )  # fmt: skip
    for name, table, dated in DATED:
        refuse_when(
            op, name, table=table, event="INSERT",
            when=f"EXISTS (SELECT 1 FROM period_lock AS held WHERE held.{dated} AND {held})",
            says="period_is_locked",
        )  # fmt: skip


def downgrade() -> None:
    """Take them away again."""
    op.drop_table("service_cost")
    for name, table, _ in DATED:
        allow_again(op, name, table=table)
    allow_again(op, "period_reopening_last", table="period_reopening")
    allow_again(op, "period_lock_rises", table="period_lock")
    for table in LOCK_FACTS:
        not_append_only(op, table)
    op.drop_table("period_reopening")
    op.drop_table("period_lock")
