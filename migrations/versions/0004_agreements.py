"""Quotes, orders, agreements, tranches and the day ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import allow_again, append_only, not_append_only, refuse_when

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the rules that the database holds."""
    op.create_table(
        "year_close",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("tranches", sa.Integer(), nullable=False),
        sa.Column("lapsed_minutes", sa.BigInteger(), nullable=False),
        sa.Column("lapsed_value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_year_close")),
        sa.UniqueConstraint("year", name=op.f("uq_year_close_year")),
    )
    op.create_table(
        "agreement",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("school_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "quoted",
                "ordered",
                "agreed",
                "superseded",
                "expired",
                "withdrawn",
                "declined",
                "ended",
                native_enum=False,
                create_constraint=True,
                name="agreement_status",
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
        sa.Column("paid_from", sa.Text(), nullable=False),
        sa.Column(
            "schedule",
            sa.Enum(
                "single",
                "three",
                "seven-five",
                "monthly",
                "on_delivery",
                native_enum=False,
                create_constraint=True,
                name="schedule",
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("purchase_order", sa.Text(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("quoted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status_reason", sa.Text(), nullable=False),
        sa.Column("replaces_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("prepared_by", sa.Text(), nullable=False),
        sa.Column("prepared_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("once_key", sa.Text(), nullable=True),
        sa.CheckConstraint("paid_from IN ('budget', 'private_fund')", name=op.f("ck_agreement_paid_from")),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_agreement_ends_after_start")),
        sa.CheckConstraint("net >= 0 AND vat >= 0 AND gross = net + vat", name=op.f("ck_agreement_totals")),
        sa.CheckConstraint("version > 0", name=op.f("ck_agreement_version")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_agreement_customer_id")),
        sa.ForeignKeyConstraint(["prepared_by_id"], ["person.id"], name=op.f("fk_agreement_prepared_by_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["agreement.id"], name=op.f("fk_agreement_replaces_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_agreement_school_id")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_agreement_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement")),
        sa.UniqueConstraint("once_key", name=op.f("uq_agreement_once_key")),
        sa.UniqueConstraint("reference", name=op.f("uq_agreement_reference")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_agreement_replaces_id")),
    )
    op.create_index("ix_agreement_customer", "agreement", ["customer_id", "status"], unique=False)
    op.create_index("ix_agreement_list", "agreement", ["service_id", "status", "id"], unique=False)
    op.create_index(op.f("ix_agreement_school_id"), "agreement", ["school_id"], unique=False)
    op.create_table(
        "acceptance",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("agreement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name=op.f("fk_acceptance_agreement_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_acceptance_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acceptance")),
        sa.UniqueConstraint("agreement_id", name=op.f("uq_acceptance_agreement_id")),
    )
    op.create_table(
        "agreement_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("agreement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
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
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("unit_minutes", sa.BigInteger(), nullable=True),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
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
        sa.Column("vat_reason", sa.Text(), nullable=False),
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
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("year_shares", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(route = 'recharge') = (vat_code = 'outside_scope')",
            name=op.f("ck_agreement_line_recharge_is_outside_scope"),
        ),
        sa.CheckConstraint("family <> 'core'", name=op.f("ck_agreement_line_core_is_free")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_agreement_line_quantity")),
        sa.CheckConstraint("step > 0", name=op.f("ck_agreement_line_step")),
        sa.CheckConstraint("unit_price >= 0 AND net >= 0", name=op.f("ck_agreement_line_money")),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_agreement_line_agreement_id")
        ),
        sa.ForeignKeyConstraint(
            ["offering_id", "family"],
            ["offering.id", "offering.family"],
            name=op.f("fk_agreement_line_offering_id_family"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_line")),
        sa.UniqueConstraint("agreement_id", "position", name=op.f("uq_agreement_line_agreement_id_position")),
        sa.UniqueConstraint("id", "family", name=op.f("uq_agreement_line_id_family")),
    )
    op.create_table(
        "agreement_version",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("agreement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('quote', 'agreement', 'variation')", name=op.f("ck_agreement_version_kind")
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_agreement_version_agreement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_version")),
        sa.UniqueConstraint("agreement_id", "number", name=op.f("uq_agreement_version_agreement_id_number")),
    )
    op.create_table(
        "agreement_file",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["agreement_version.id"], name=op.f("fk_agreement_file_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_file")),
        sa.UniqueConstraint("version_id", name=op.f("uq_agreement_file_version_id")),
    )
    op.create_table(
        "tranche",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line_id", sa.Integer(), nullable=False),
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
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=True),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("family <> 'core'", name=op.f("ck_tranche_core_is_free")),
        sa.CheckConstraint("quantity >= 0 AND net >= 0", name=op.f("ck_tranche_not_negative")),
        sa.ForeignKeyConstraint(
            ["line_id", "family"],
            ["agreement_line.id", "agreement_line.family"],
            name=op.f("fk_tranche_line_id_family"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tranche")),
        sa.UniqueConstraint("line_id", "year", name=op.f("uq_tranche_line_id_year")),
    )
    op.create_index("ix_tranche_year", "tranche", ["year"], unique=False)
    op.create_table(
        "variation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("absorbed", sa.BigInteger(), nullable=False),
        sa.Column("once_key", sa.Text(), nullable=True),
        sa.CheckConstraint("quantity <> 0", name=op.f("ck_variation_not_nothing")),
        sa.ForeignKeyConstraint(["line_id"], ["agreement_line.id"], name=op.f("fk_variation_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variation")),
        sa.UniqueConstraint("once_key", name=op.f("uq_variation_once_key")),
    )
    op.create_index(op.f("ix_variation_line_id"), "variation", ["line_id"], unique=False)
    op.create_table(
        "instalment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("agreement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("variation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("purpose IN ('instalment', 'variation')", name=op.f("ck_instalment_purpose")),
        sa.CheckConstraint("net <> 0", name=op.f("ck_instalment_not_nothing")),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name=op.f("fk_instalment_agreement_id")),
        sa.ForeignKeyConstraint(["variation_id"], ["variation.id"], name=op.f("fk_instalment_variation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instalment")),
        sa.UniqueConstraint(
            "agreement_id", "purpose", "position", name=op.f("uq_instalment_agreement_id_purpose_position")
        ),
    )
    op.create_index("ix_instalment_due", "instalment", ["due_on"], unique=False)
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tranche_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "contracted",
                "varied",
                "delivered",
                "charged",
                "credited",
                "lapsed",
                "reversal",
                native_enum=False,
                create_constraint=True,
                name="entry_kind",
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=True),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        sa.Column("reverses_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'reversal') = (reverses_id IS NOT NULL)",
            name=op.f("ck_ledger_entry_reversal_names_its_entry"),
        ),
        sa.CheckConstraint(
            "kind NOT IN ('contracted') OR minutes > 0", name=op.f("ck_ledger_entry_contracted_adds")
        ),
        sa.CheckConstraint(
            "kind NOT IN ('delivered', 'charged', 'credited', 'lapsed') OR minutes < 0",
            name=op.f("ck_ledger_entry_use_takes_away"),
        ),
        sa.CheckConstraint("minutes <> 0", name=op.f("ck_ledger_entry_not_nothing")),
        sa.ForeignKeyConstraint(
            ["reverses_id", "tranche_id"],
            ["ledger_entry.id", "ledger_entry.tranche_id"],
            name=op.f("fk_ledger_entry_reverses_id_tranche_id"),
        ),
        sa.ForeignKeyConstraint(["tranche_id"], ["tranche.id"], name=op.f("fk_ledger_entry_tranche_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("id", "tranche_id", name=op.f("uq_ledger_entry_id_tranche_id")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_ledger_entry_reverses_id")),
    )
    op.create_index(op.f("ix_ledger_entry_tranche_id"), "ledger_entry", ["tranche_id"], unique=False)
    op.create_index("ix_ledger_entry_visit", "ledger_entry", ["visit_id"], unique=False)
    op.create_index("uq_ledger_entry_cause", "ledger_entry", ["tranche_id", "cause"], unique=True)
    op.create_index(
        "uq_ledger_entry_contracted",
        "ledger_entry",
        ["tranche_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'contracted'"),
        postgresql_where=sa.text("kind = 'contracted'"),
    )
    op.create_index(
        "uq_ledger_entry_lapsed",
        "ledger_entry",
        ["tranche_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'lapsed'"),
        postgresql_where=sa.text("kind = 'lapsed'"),
    )
    op.create_table(
        "instalment_part",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("instalment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instalment_id"], ["instalment.id"], name=op.f("fk_instalment_part_instalment_id")
        ),
        sa.ForeignKeyConstraint(["line_id"], ["agreement_line.id"], name=op.f("fk_instalment_part_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instalment_part")),
        sa.UniqueConstraint(
            "instalment_id", "line_id", name=op.f("uq_instalment_part_instalment_id_line_id")
        ),
    )
    op.create_index(op.f("ix_instalment_part_line_id"), "instalment_part", ["line_id"], unique=False)
    refuse_when(
        op,
        "agreement_frozen",
        table="agreement",
        event="UPDATE",
        when="OLD.status <> 'draft' AND ((NEW.reference IS DISTINCT FROM OLD.reference AND NOT (OLD.status = 'ordered' AND NEW.status = 'agreed')) OR NEW.service_id IS DISTINCT FROM OLD.service_id OR NEW.customer_id IS DISTINCT FROM OLD.customer_id OR NEW.school_id IS DISTINCT FROM OLD.school_id OR NEW.customer_class IS DISTINCT FROM OLD.customer_class OR NEW.paid_from IS DISTINCT FROM OLD.paid_from OR NEW.schedule IS DISTINCT FROM OLD.schedule OR NEW.starts_on IS DISTINCT FROM OLD.starts_on OR NEW.ends_on IS DISTINCT FROM OLD.ends_on OR NEW.net IS DISTINCT FROM OLD.net OR NEW.vat IS DISTINCT FROM OLD.vat OR NEW.gross IS DISTINCT FROM OLD.gross OR NEW.prepared_by IS DISTINCT FROM OLD.prepared_by)",
        says="agreement_is_signed",
    )
    refuse_when(
        op,
        "agreement_moves",
        table="agreement",
        event="UPDATE",
        when="NEW.status <> OLD.status AND NOT ((OLD.status = 'draft' AND NEW.status IN ('quoted', 'withdrawn')) OR (OLD.status = 'quoted' AND NEW.status IN ('ordered', 'superseded', 'expired', 'withdrawn')) OR (OLD.status = 'ordered' AND NEW.status IN ('agreed', 'declined')) OR (OLD.status = 'agreed' AND NEW.status IN ('ended')))",
        says="agreement_move_not_allowed",
    )
    refuse_when(
        op,
        "agreement_no_delete",
        table="agreement",
        event="DELETE",
        when="OLD.status <> 'draft'",
        says="agreement_is_signed",
    )
    refuse_when(
        op,
        "agreement_line_no_insert",
        table="agreement_line",
        event="INSERT",
        when="(SELECT status FROM agreement WHERE id = NEW.agreement_id) <> 'draft'",
        says="agreement_is_signed",
    )
    refuse_when(
        op,
        "agreement_line_no_update",
        table="agreement_line",
        event="UPDATE",
        when="(SELECT status FROM agreement WHERE id = OLD.agreement_id) <> 'draft'",
        says="agreement_is_signed",
    )
    refuse_when(
        op,
        "agreement_line_no_delete",
        table="agreement_line",
        event="DELETE",
        when="(SELECT status FROM agreement WHERE id = OLD.agreement_id) <> 'draft'",
        says="agreement_is_signed",
    )
    append_only(op, "tranche")
    append_only(op, "ledger_entry")
    refuse_when(
        op,
        "ledger_entry_balance",
        table="ledger_entry",
        event="INSERT",
        when="(SELECT COALESCE(SUM(minutes), 0) FROM ledger_entry WHERE tranche_id = NEW.tranche_id) < 0",
        says="balance_below_nothing",
        lock="SELECT 1 FROM tranche WHERE id = NEW.tranche_id FOR UPDATE",
    )
    refuse_when(
        op,
        "ledger_entry_year_open",
        table="ledger_entry",
        event="INSERT",
        when="EXISTS (SELECT 1 FROM year_close JOIN tranche ON tranche.year = year_close.year WHERE tranche.id = NEW.tranche_id)",
        says="year_is_closed",
    )
    refuse_when(
        op,
        "ledger_entry_in_year",
        table="ledger_entry",
        event="INSERT",
        when="NEW.kind = 'delivered' AND NOT EXISTS (SELECT 1 FROM tranche WHERE tranche.id = NEW.tranche_id AND NEW.effective_on BETWEEN tranche.starts_on AND tranche.ends_on)",
        says="delivered_in_its_year",
    )
    append_only(op, "acceptance")
    append_only(op, "agreement_version")
    append_only(op, "agreement_file")
    append_only(op, "variation")
    append_only(op, "instalment")
    append_only(op, "instalment_part")
    append_only(op, "year_close")


def downgrade() -> None:
    """Take them away again."""
    not_append_only(op, "year_close")
    not_append_only(op, "instalment_part")
    not_append_only(op, "instalment")
    not_append_only(op, "variation")
    not_append_only(op, "agreement_file")
    not_append_only(op, "agreement_version")
    not_append_only(op, "acceptance")
    allow_again(op, "ledger_entry_in_year", table="ledger_entry")
    allow_again(op, "ledger_entry_year_open", table="ledger_entry")
    allow_again(op, "ledger_entry_balance", table="ledger_entry")
    not_append_only(op, "ledger_entry")
    not_append_only(op, "tranche")
    allow_again(op, "agreement_line_no_delete", table="agreement_line")
    allow_again(op, "agreement_line_no_update", table="agreement_line")
    allow_again(op, "agreement_line_no_insert", table="agreement_line")
    allow_again(op, "agreement_no_delete", table="agreement")
    allow_again(op, "agreement_moves", table="agreement")
    allow_again(op, "agreement_frozen", table="agreement")
    op.drop_index(op.f("ix_instalment_part_line_id"), table_name="instalment_part")
    op.drop_table("instalment_part")
    op.drop_index(
        "uq_ledger_entry_lapsed",
        table_name="ledger_entry",
        sqlite_where=sa.text("kind = 'lapsed'"),
        postgresql_where=sa.text("kind = 'lapsed'"),
    )
    op.drop_index(
        "uq_ledger_entry_contracted",
        table_name="ledger_entry",
        sqlite_where=sa.text("kind = 'contracted'"),
        postgresql_where=sa.text("kind = 'contracted'"),
    )
    op.drop_index("uq_ledger_entry_cause", table_name="ledger_entry")
    op.drop_index("ix_ledger_entry_visit", table_name="ledger_entry")
    op.drop_index(op.f("ix_ledger_entry_tranche_id"), table_name="ledger_entry")
    op.drop_table("ledger_entry")
    op.drop_index("ix_instalment_due", table_name="instalment")
    op.drop_table("instalment")
    op.drop_index(op.f("ix_variation_line_id"), table_name="variation")
    op.drop_table("variation")
    op.drop_index("ix_tranche_year", table_name="tranche")
    op.drop_table("tranche")
    op.drop_table("agreement_file")
    op.drop_table("agreement_version")
    op.drop_table("agreement_line")
    op.drop_table("acceptance")
    op.drop_index(op.f("ix_agreement_school_id"), table_name="agreement")
    op.drop_index("ix_agreement_list", table_name="agreement")
    op.drop_index("ix_agreement_customer", table_name="agreement")
    op.drop_table("agreement")
    op.drop_table("year_close")
