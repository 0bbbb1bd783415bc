"""Offerings, prices, VAT and what a service promises."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import allow_again, append_only, not_append_only, refuse_when

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the rules that the database holds."""
    op.create_table(
        "vat_rate",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
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
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name=op.f("ck_vat_rate_period")),
        sa.CheckConstraint("rate BETWEEN 0 AND 10000", name=op.f("ck_vat_rate_rate")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vat_rate")),
        sa.UniqueConstraint("code", "starts_on", name=op.f("uq_vat_rate_code_starts_on")),
    )
    op.create_table(
        "obligation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("heading", sa.Text(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("side IN ('provider', 'school')", name=op.f("ck_obligation_side")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_obligation_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligation")),
        sa.UniqueConstraint("service_id", "side", "ref", name=op.f("uq_obligation_service_id_side_ref")),
    )
    op.create_index(op.f("ix_obligation_service_id"), "obligation", ["service_id"], unique=False)
    op.create_table(
        "offering",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column(
            "family",
            sa.Enum(
                "core",
                "school_processes",
                "casework",
                "training",
                "audit_support",
                native_enum=False,
                create_constraint=True,
                name="family",
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "duty",
            sa.Enum(
                "communication_and_advice",
                "targeting_support_meeting",
                "multi_disciplinary_support",
                "legal_intervention",
                native_enum=False,
                create_constraint=True,
                name="core_duty",
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("unit_minutes", sa.BigInteger(), nullable=True),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("minimum", sa.BigInteger(), nullable=False),
        sa.Column("maximum", sa.BigInteger(), nullable=True),
        sa.Column("limit_basis", sa.Text(), nullable=False),
        sa.Column(
            "charging_method",
            sa.Enum(
                "actual",
                "blocks_up",
                "blocks_nearest",
                native_enum=False,
                create_constraint=True,
                name="charging_method",
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("block_minutes", sa.BigInteger(), nullable=True),
        sa.Column("counts_preparation", sa.Boolean(), nullable=False),
        sa.Column("counts_report", sa.Boolean(), nullable=False),
        sa.Column("counts_travel", sa.Boolean(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("minimum_per_week", sa.BigInteger(), nullable=True),
        sa.Column("phases", sa.Text(), nullable=False),
        sa.Column("customer_classes", sa.Text(), nullable=False),
        sa.Column("activities", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(family = 'core') = (duty IS NOT NULL)", name=op.f("ck_offering_core_has_a_duty")
        ),
        sa.CheckConstraint("charging_method = 'actual' OR block_minutes > 0", name=op.f("ck_offering_block")),
        sa.CheckConstraint("limit_basis IN ('agreement', 'term')", name=op.f("ck_offering_limit_basis")),
        sa.CheckConstraint("unit IN ('day', 'hour', 'session', 'item')", name=op.f("ck_offering_unit")),
        sa.CheckConstraint(
            "unit NOT IN ('day', 'hour') OR unit_minutes > 0", name=op.f("ck_offering_time_has_a_length")
        ),
        sa.CheckConstraint(
            "minimum > 0 AND (maximum IS NULL OR maximum >= minimum)", name=op.f("ck_offering_limits")
        ),
        sa.CheckConstraint("step > 0", name=op.f("ck_offering_step")),
        sa.CheckConstraint(
            "unit_minutes IS NULL OR (step * unit_minutes) % 1000 = 0",
            name=op.f("ck_offering_step_whole_minutes"),
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_offering_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offering")),
        sa.UniqueConstraint("id", "family", name=op.f("uq_offering_id_family")),
        sa.UniqueConstraint("service_id", "code", name=op.f("uq_offering_service_id_code")),
    )
    op.create_index(op.f("ix_offering_service_id"), "offering", ["service_id"], unique=False)
    op.create_table(
        "preset_load",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("preset", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("loaded_by", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_preset_load_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preset_load")),
    )
    op.create_index(op.f("ix_preset_load_service_id"), "preset_load", ["service_id"], unique=False)
    op.create_table(
        "service_hours",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.CheckConstraint("opens < closes", name=op.f("ck_service_hours_hours")),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_service_hours_weekday")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_service_hours_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_hours")),
        sa.UniqueConstraint("service_id", "weekday", name=op.f("uq_service_hours_service_id_weekday")),
    )
    op.create_table(
        "service_policy",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_service_policy_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_policy")),
        sa.UniqueConstraint("service_id", "key", name=op.f("uq_service_policy_service_id_key")),
    )
    op.create_table(
        "service_role",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("responsibilities", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_service_role_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_role")),
    )
    op.create_index(op.f("ix_service_role_service_id"), "service_role", ["service_id"], unique=False)
    op.create_table(
        "billing_rule",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("offering_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "customer_class",
            sa.Enum(
                "own_maintained",
                "voluntary_aided",
                "academy",
                "independent",
                "out_of_area_maintained",
                "other",
                native_enum=False,
                create_constraint=True,
                name="customer_class",
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "route",
            sa.Enum(
                "invoice", "recharge", native_enum=False, create_constraint=True, name="route", length=40
            ),
            nullable=False,
        ),
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
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(route = 'recharge') = (vat_code = 'outside_scope')",
            name=op.f("ck_billing_rule_recharge_is_outside_scope"),
        ),
        sa.ForeignKeyConstraint(["offering_id"], ["offering.id"], name=op.f("fk_billing_rule_offering_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_rule")),
        sa.UniqueConstraint(
            "offering_id", "customer_class", name=op.f("uq_billing_rule_offering_id_customer_class")
        ),
    )
    op.create_index(op.f("ix_billing_rule_offering_id"), "billing_rule", ["offering_id"], unique=False)
    op.create_table(
        "price",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("offering_id", sa.Integer(), nullable=False),
        sa.Column(
            "family",
            sa.Enum(
                "core",
                "school_processes",
                "casework",
                "training",
                "audit_support",
                native_enum=False,
                create_constraint=True,
                name="family",
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "customer_class",
            sa.Enum(
                "own_maintained",
                "voluntary_aided",
                "academy",
                "independent",
                "out_of_area_maintained",
                "other",
                native_enum=False,
                create_constraint=True,
                name="customer_class",
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("family <> 'core'", name=op.f("ck_price_core_is_free")),
        sa.CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name=op.f("ck_price_period")),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_price_not_negative")),
        sa.ForeignKeyConstraint(
            ["offering_id", "family"],
            ["offering.id", "offering.family"],
            name=op.f("fk_price_offering_id_family"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price")),
    )
    op.create_index("ix_price_of", "price", ["offering_id", "customer_class", "starts_on"], unique=False)
    refuse_when(
        op,
        "price_no_overlap",
        table="price",
        event="INSERT",
        when="EXISTS (SELECT 1 FROM price AS other WHERE other.offering_id = NEW.offering_id AND other.customer_class = NEW.customer_class AND other.id <> NEW.id AND (other.ends_on IS NULL OR other.ends_on > NEW.starts_on) AND (NEW.ends_on IS NULL OR other.starts_on < NEW.ends_on))",
        says="price_versions_overlap",
        lock="SELECT 1 FROM offering WHERE id = NEW.offering_id FOR UPDATE",
    )
    refuse_when(
        op,
        "price_only_ends",
        table="price",
        event="UPDATE",
        when="(NEW.id IS DISTINCT FROM OLD.id OR NEW.offering_id IS DISTINCT FROM OLD.offering_id OR NEW.family IS DISTINCT FROM OLD.family OR NEW.customer_class IS DISTINCT FROM OLD.customer_class OR NEW.starts_on IS DISTINCT FROM OLD.starts_on OR NEW.unit_price IS DISTINCT FROM OLD.unit_price OR NEW.source IS DISTINCT FROM OLD.source) OR (OLD.ends_on IS NOT NULL AND (NEW.ends_on IS NULL OR NEW.ends_on > OLD.ends_on))",
        says="price_is_never_edited",
    )
    refuse_when(
        op,
        "price_no_delete",
        table="price",
        event="DELETE",
        when="1 = 1",
        says="price_is_never_edited",
    )
    append_only(op, "preset_load")


def downgrade() -> None:
    """Take them away again."""
    not_append_only(op, "preset_load")
    allow_again(op, "price_no_delete", table="price")
    allow_again(op, "price_only_ends", table="price")
    allow_again(op, "price_no_overlap", table="price")
    op.drop_index("ix_price_of", table_name="price")
    op.drop_table("price")
    op.drop_index(op.f("ix_billing_rule_offering_id"), table_name="billing_rule")
    op.drop_table("billing_rule")
    op.drop_index(op.f("ix_service_role_service_id"), table_name="service_role")
    op.drop_table("service_role")
    op.drop_table("service_policy")
    op.drop_table("service_hours")
    op.drop_index(op.f("ix_preset_load_service_id"), table_name="preset_load")
    op.drop_table("preset_load")
    op.drop_index(op.f("ix_offering_service_id"), table_name="offering")
    op.drop_table("offering")
    op.drop_index(op.f("ix_obligation_service_id"), table_name="obligation")
    op.drop_table("obligation")
    op.drop_table("vat_rate")
