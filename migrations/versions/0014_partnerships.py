"""Schools that buy together: a trust for its schools, and partners that share days."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import allow_again, append_only, not_append_only, refuse_when

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OTHER_YEARS = (
    "(SELECT year FROM tranche WHERE id = NEW.from_tranche_id) "
    "<> (SELECT year FROM tranche WHERE id = NEW.to_tranche_id)"
)


def _kinds(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, native_enum=False, create_constraint=True, name=name, length=40)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "partnership",
        sa.Column("id", KEY, nullable=False),
        sa.Column("service_id", KEY, nullable=False),
        sa.Column("kind", _kinds("partnership_kind", "trust", "shares", "pool"), nullable=False),
        sa.Column("invoicing", _kinds("invoicing", "together", "each"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("trust_id", KEY, nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("once_key", sa.Text(), nullable=True),
        sa.CheckConstraint("(kind = 'trust') = (trust_id IS NOT NULL)", name=op.f("ck_partnership_trust")),
        sa.CheckConstraint(
            "kind = 'trust' OR invoicing = 'each'", name=op.f("ck_partnership_owners_are_invoiced_apart")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_partnership_service_id")),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_partnership_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partnership")),
        sa.UniqueConstraint("once_key", name=op.f("uq_partnership_once_key")),
    )
    op.create_index(op.f("ix_partnership_service_id"), "partnership", ["service_id"], unique=False)
    op.create_index(op.f("ix_partnership_trust_id"), "partnership", ["trust_id"], unique=False)
    op.create_table(
        "partnership_member",
        sa.Column("id", KEY, nullable=False),
        sa.Column("partnership_id", KEY, nullable=False),
        sa.Column("school_id", KEY, nullable=False),
        sa.Column("agreement_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("weight > 0", name=op.f("ck_partnership_member_weight")),
        sa.CheckConstraint("cap IS NULL OR cap > 0", name=op.f("ck_partnership_member_cap")),
        sa.ForeignKeyConstraint(
            ["partnership_id"], ["partnership.id"], name=op.f("fk_partnership_member_partnership_id")
        ),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_partnership_member_school_id")),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_partnership_member_agreement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partnership_member")),
        sa.UniqueConstraint("agreement_id", name=op.f("uq_partnership_member_agreement_id")),
        sa.UniqueConstraint(
            "partnership_id", "school_id", name=op.f("uq_partnership_member_partnership_id_school_id")
        ),
    )
    op.create_table(
        "pool_move",
        sa.Column("id", KEY, nullable=False),
        sa.Column("partnership_id", KEY, nullable=False),
        sa.Column("from_tranche_id", KEY, nullable=False),
        sa.Column("to_tranche_id", KEY, nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved_by", sa.Text(), nullable=False),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_pool_move_minutes")),
        sa.CheckConstraint("from_tranche_id <> to_tranche_id", name=op.f("ck_pool_move_two_tranches")),
        sa.ForeignKeyConstraint(
            ["partnership_id"], ["partnership.id"], name=op.f("fk_pool_move_partnership_id")
        ),
        sa.ForeignKeyConstraint(
            ["from_tranche_id"], ["tranche.id"], name=op.f("fk_pool_move_from_tranche_id")
        ),
        sa.ForeignKeyConstraint(["to_tranche_id"], ["tranche.id"], name=op.f("fk_pool_move_to_tranche_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_move")),
    )
    op.create_index(op.f("ix_pool_move_partnership_id"), "pool_move", ["partnership_id"], unique=False)
    append_only(op, "partnership_member")
    append_only(op, "pool_move")
    refuse_when(
        op,
        "pool_move_one_year",
        table="pool_move",
        event="INSERT",
        when=OTHER_YEARS,
        says="time_stays_in_its_year",
    )


def downgrade() -> None:
    """Take them away again."""
    allow_again(op, "pool_move_one_year", table="pool_move")
    not_append_only(op, "pool_move")
    not_append_only(op, "partnership_member")
    op.drop_index(op.f("ix_pool_move_partnership_id"), table_name="pool_move")
    op.drop_table("pool_move")
    op.drop_table("partnership_member")
    op.drop_index(op.f("ix_partnership_trust_id"), table_name="partnership")
    op.drop_index(op.f("ix_partnership_service_id"), table_name="partnership")
    op.drop_table("partnership")
