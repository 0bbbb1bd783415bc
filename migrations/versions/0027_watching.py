"""What is watched: long work that somebody asks for, its progress and its result."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, and the rules that the database holds."""
    op.create_table(
        "errand",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ok", sa.Boolean(), nullable=True),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.CheckConstraint("done >= 0 AND total >= 0", name=op.f("ck_errand_progress")),
        sa.CheckConstraint("(finished_at IS NULL) = (ok IS NULL)", name=op.f("ck_errand_finished")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_errand")),
    )
    waiting = sa.text("finished_at IS NULL")
    op.create_index(
        "uq_errand_waiting", "errand", ["kind", "about"], unique=True,
        sqlite_where=waiting, postgresql_where=waiting,
    )  # fmt: skip
    op.create_index("ix_errand_about", "errand", ["kind", "about", "id"])


def downgrade() -> None:
    """Take them away again."""
    op.drop_index("ix_errand_about", table_name="errand")
    op.drop_index("uq_errand_waiting", table_name="errand")
    op.drop_table("errand")
