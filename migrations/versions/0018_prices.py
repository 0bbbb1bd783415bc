"""Packages, discounts, prices held for years."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import allow_again, append_only, not_append_only, refuse_when

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DISCOUNT_FIELDS = (
    "service_id", "kind", "name", "percent", "unit_price", "threshold", "free_quantity", "offering_ids",
    "needs_ids", "customer_classes", "starts_on",
)  # fmt: skip


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "package_part",
        sa.Column("id", KEY, nullable=False),
        sa.Column("package_id", KEY, nullable=False),
        sa.Column("offering_id", KEY, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_package_part_quantity")),
        sa.CheckConstraint("package_id <> offering_id", name=op.f("ck_package_part_not_itself")),
        sa.ForeignKeyConstraint(["package_id"], ["offering.id"], name=op.f("fk_package_part_package_id")),
        sa.ForeignKeyConstraint(["offering_id"], ["offering.id"], name=op.f("fk_package_part_offering_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_package_part")),
        sa.UniqueConstraint("package_id", "offering_id", name=op.f("uq_package_part_package_id_offering_id")),
    )
    op.create_index(op.f("ix_package_part_offering_id"), "package_part", ["offering_id"], unique=False)
    op.create_table(
        "discount",
        sa.Column("id", KEY, nullable=False),
        sa.Column("service_id", KEY, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "early_bird", "take_all", "subscriber", "bundle",
                native_enum=False, create_constraint=True, name="discount_kind", length=40,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=True),
        sa.Column("unit_price", sa.BigInteger(), nullable=True),
        sa.Column("threshold", sa.BigInteger(), nullable=True),
        sa.Column("free_quantity", sa.BigInteger(), nullable=True),
        sa.Column("offering_ids", sa.Text(), nullable=False),
        sa.Column("needs_ids", sa.Text(), nullable=False),
        sa.Column("customer_classes", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.CheckConstraint("percent IS NULL OR percent BETWEEN 1 AND 10000", name=op.f("ck_discount_percent")),
        sa.CheckConstraint("unit_price IS NULL OR unit_price >= 0", name=op.f("ck_discount_unit_price")),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_discount_period")),
        sa.CheckConstraint(
            "(kind IN ('early_bird', 'take_all') AND percent IS NOT NULL AND unit_price IS NULL) "
            "OR (kind = 'subscriber' AND (percent IS NULL) <> (unit_price IS NULL)) "
            "OR (kind = 'bundle' AND percent IS NULL AND unit_price IS NULL AND threshold > 0 "
            "AND free_quantity > 0)",
            name=op.f("ck_discount_what_it_gives"),
        ),
        sa.CheckConstraint(
            "kind <> 'early_bird' OR ends_on IS NOT NULL", name=op.f("ck_discount_early_has_an_end")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_discount_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discount")),
    )  # fmt: skip
    op.create_index(op.f("ix_discount_service_id"), "discount", ["service_id"], unique=False)
    op.create_table(
        "price_freeze",
        sa.Column("id", KEY, nullable=False),
        sa.Column("service_id", KEY, nullable=False),
        sa.Column("first_years", sa.Integer(), nullable=False),
        sa.Column("later_years", sa.Integer(), nullable=False),
        sa.CheckConstraint("first_years BETWEEN 1 AND 3", name=op.f("ck_price_freeze_first_years")),
        sa.CheckConstraint("later_years BETWEEN 1 AND 5", name=op.f("ck_price_freeze_later_years")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_price_freeze_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_freeze")),
        sa.UniqueConstraint("service_id", name=op.f("uq_price_freeze_service_id")),
    )
    op.create_table(
        "price_hold",
        sa.Column("id", KEY, nullable=False),
        sa.Column("school_id", KEY, nullable=False),
        sa.Column("offering_id", KEY, nullable=False),
        sa.Column("price_id", KEY, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("until > starts_on", name=op.f("ck_price_hold_period")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_price_hold_school_id")),
        sa.ForeignKeyConstraint(["offering_id"], ["offering.id"], name=op.f("fk_price_hold_offering_id")),
        sa.ForeignKeyConstraint(["price_id"], ["price.id"], name=op.f("fk_price_hold_price_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_hold")),
        sa.UniqueConstraint(
            "school_id",
            "offering_id",
            "starts_on",
            name=op.f("uq_price_hold_school_id_offering_id_starts_on"),
        ),
    )
    op.create_index("ix_price_hold_school", "price_hold", ["school_id", "until"], unique=False)
    changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in DISCOUNT_FIELDS)
    longer = "OLD.ends_on IS NOT NULL AND (NEW.ends_on IS NULL OR NEW.ends_on > OLD.ends_on)"
    refuse_when(
        op,
        "discount_only_ends",
        table="discount",
        event="UPDATE",
        when=f"({changed}) OR ({longer})",
        says="discount_is_never_edited",
    )
    refuse_when(
        op,
        "discount_no_delete",
        table="discount",
        event="DELETE",
        when="1 = 1",
        says="discount_is_never_edited",
    )
    append_only(op, "price_hold")
    refuse_when(
        op,
        "package_part_no_package",
        table="package_part",
        event="INSERT",
        when="EXISTS (SELECT 1 FROM package_part AS inner_part WHERE inner_part.package_id = NEW.offering_id) "
        "OR EXISTS (SELECT 1 FROM package_part AS outer_part WHERE outer_part.offering_id = NEW.package_id)",
        says="package_in_package",
    )


def downgrade() -> None:
    """Take them away again."""
    allow_again(op, "package_part_no_package", table="package_part")
    not_append_only(op, "price_hold")
    allow_again(op, "discount_no_delete", table="discount")
    allow_again(op, "discount_only_ends", table="discount")
    op.drop_index("ix_price_hold_school", table_name="price_hold")
    op.drop_table("price_hold")
    op.drop_table("price_freeze")
    op.drop_index(op.f("ix_discount_service_id"), table_name="discount")
    op.drop_table("discount")
    op.drop_index(op.f("ix_package_part_offering_id"), table_name="package_part")
    op.drop_table("package_part")
