"""What the core offer needs of officers' time, and decisions beyond capacity."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import append_only, not_append_only

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIMES = ("supervision", "court", "duty_rota", "audits", "training", "planned_leave")


def _id() -> sa.Column[int]:
    return sa.Column("id", KEY, nullable=False)


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    """Make the tables."""
    table = "capacity_plan"
    op.create_table(
        table,
        _id(),
        sa.Column("service_id", KEY, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("day_length", sa.BigInteger(), nullable=False),
        sa.Column("meeting", sa.BigInteger(), nullable=False),
        sa.Column("schools", sa.Integer(), nullable=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in TIMES),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("day_length BETWEEN 60 AND 720", name=op.f(f"ck_{table}_day_length")),
        sa.CheckConstraint("meeting BETWEEN 1 AND 1440", name=op.f(f"ck_{table}_meeting")),
        sa.CheckConstraint("schools IS NULL OR schools >= 0", name=op.f(f"ck_{table}_schools")),
        sa.CheckConstraint(
            " AND ".join(f"{name} >= 0" for name in TIMES), name=op.f(f"ck_{table}_not_negative")
        ),
        sa.CheckConstraint("version > 0", name=op.f(f"ck_{table}_version")),
        _to(table, "service_id", "service"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("service_id", "year", name=op.f(f"uq_{table}_service_id_year")),
    )
    table = "capacity_decision"
    op.create_table(
        table,
        _id(),
        sa.Column("agreement_id", KEY, nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("free_before", sa.BigInteger(), nullable=False),
        sa.Column("over_by", sa.BigInteger(), nullable=False),
        sa.Column("day_length", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_by_id", KEY, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("asked > 0 AND over_by > 0", name=op.f(f"ck_{table}_beyond")),
        sa.CheckConstraint("length(reason) > 0", name=op.f(f"ck_{table}_reason")),
        _to(table, "agreement_id", "agreement"),
        _to(table, "decided_by_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("agreement_id", name=op.f(f"uq_{table}_agreement_id")),
    )
    append_only(op, table)


def downgrade() -> None:
    """Take them away again."""
    not_append_only(op, "capacity_decision")
    op.drop_table("capacity_decision")
    op.drop_table("capacity_plan")
