"""The provider, schools, trusts, customers, persons, roles and officers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import append_only, not_append_only

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the rules that the database holds."""
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("session_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_signed_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_person_email_lower")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
    )
    op.create_table(
        "provider",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("authority_code", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("vat_number", sa.Text(), nullable=False),
        sa.Column("bank_name", sa.Text(), nullable=False),
        sa.Column("bank_sort_code", sa.Text(), nullable=False),
        sa.Column("bank_account", sa.Text(), nullable=False),
        sa.Column("financial_year_start_month", sa.Integer(), nullable=False),
        sa.Column("payment_days", sa.Integer(), nullable=False),
        sa.Column("retention_years", sa.Integer(), nullable=False),
        sa.Column("demonstration", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "financial_year_start_month BETWEEN 1 AND 12", name=op.f("ck_provider_start_month")
        ),
        sa.CheckConstraint("id = 1", name=op.f("ck_provider_only_one")),
        sa.CheckConstraint("payment_days BETWEEN 0 AND 365", name=op.f("ck_provider_payment_days")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider")),
    )
    op.create_table(
        "register_import",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_import")),
    )
    op.create_table(
        "register_upload",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("compressed", sa.LargeBinary(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_upload")),
    )
    op.create_table(
        "school_term",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("half_term_starts_on", sa.Date(), nullable=True),
        sa.Column("half_term_ends_on", sa.Date(), nullable=True),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_school_term_ends_after_start")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_term")),
        sa.UniqueConstraint("starts_on", name=op.f("uq_school_term_starts_on")),
    )
    op.create_table(
        "service",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("preset", sa.Text(), nullable=True),
        sa.Column("introduction", sa.Text(), nullable=False),
        sa.Column("quote_valid_days", sa.Integer(), nullable=False),
        sa.Column("cancellation_bands", sa.Text(), nullable=False),
        sa.Column("rearrangement_days", sa.Integer(), nullable=False),
        sa.CheckConstraint("quote_valid_days BETWEEN 1 AND 365", name=op.f("ck_service_quote_valid_days")),
        sa.CheckConstraint(
            "rearrangement_days BETWEEN 0 AND 365", name=op.f("ck_service_rearrangement_days")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service")),
        sa.UniqueConstraint("code", name=op.f("uq_service_code")),
        sa.UniqueConstraint("series", name=op.f("uq_service_series")),
    )
    op.create_table(
        "trust",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("group_uid", sa.Text(), nullable=True),
        sa.Column("company_number", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trust")),
        sa.UniqueConstraint("group_uid", name=op.f("uq_trust_group_uid")),
        sa.UniqueConstraint("name", name=op.f("uq_trust_name")),
    )
    op.create_table(
        "officer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("base_easting", sa.Integer(), nullable=True),
        sa.Column("base_northing", sa.Integer(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("skills", sa.Text(), nullable=False),
        sa.Column("day_cost", sa.BigInteger(), nullable=True),
        sa.Column("feed_hash", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_officer_ends_after_start")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_officer_person_id")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_officer_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_officer")),
        sa.UniqueConstraint("feed_hash", name=op.f("uq_officer_feed_hash")),
        sa.UniqueConstraint("person_id", name=op.f("uq_officer_person_id")),
    )
    op.create_index(op.f("ix_officer_service_id"), "officer", ["service_id"], unique=False)
    op.create_table(
        "password_reset",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_password_reset_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_reset")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_password_reset_token_hash")),
    )
    op.create_index(op.f("ix_password_reset_person_id"), "password_reset", ["person_id"], unique=False)
    op.create_table(
        "school",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("urn", sa.Integer(), nullable=False),
        sa.Column("la_code", sa.Text(), nullable=False),
        sa.Column("la_name", sa.Text(), nullable=False),
        sa.Column("establishment_number", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type_code", sa.Text(), nullable=False),
        sa.Column("type_name", sa.Text(), nullable=False),
        sa.Column("type_group_code", sa.Text(), nullable=False),
        sa.Column("type_group_name", sa.Text(), nullable=False),
        sa.Column("status_code", sa.Text(), nullable=False),
        sa.Column("status_name", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("pupils", sa.Integer(), nullable=True),
        sa.Column("trust_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("ukprn", sa.Text(), nullable=True),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("locality", sa.Text(), nullable=False),
        sa.Column("address3", sa.Text(), nullable=False),
        sa.Column("town", sa.Text(), nullable=False),
        sa.Column("county", sa.Text(), nullable=False),
        sa.Column("postcode", sa.Text(), nullable=False),
        sa.Column("easting", sa.Integer(), nullable=True),
        sa.Column("northing", sa.Integer(), nullable=True),
        sa.Column("register_changed_on", sa.Date(), nullable=True),
        sa.Column(
            "derived_class",
            sa.Enum(
                "own_maintained",
                "voluntary_aided",
                "academy",
                "independent",
                "out_of_area_maintained",
                "other",
                native_enum=False,
                create_constraint=True,
                name="derived_class",
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "customer_class_override",
            sa.Enum(
                "own_maintained",
                "voluntary_aided",
                "academy",
                "independent",
                "out_of_area_maintained",
                "other",
                native_enum=False,
                create_constraint=True,
                name="customer_class_override",
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("override_reason", sa.Text(), nullable=True),
        sa.Column("link_officer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "(customer_class_override IS NULL) = (override_reason IS NULL)",
            name=op.f("ck_school_override_has_a_reason"),
        ),
        sa.ForeignKeyConstraint(["link_officer_id"], ["officer.id"], name=op.f("fk_school_link_officer_id")),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_school_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school")),
        sa.UniqueConstraint("urn", name=op.f("uq_school_urn")),
    )
    op.create_index(op.f("ix_school_link_officer_id"), "school", ["link_officer_id"], unique=False)
    op.create_index("ix_school_name", "school", ["name"], unique=False)
    op.create_index(op.f("ix_school_trust_id"), "school", ["trust_id"], unique=False)
    op.create_table(
        "working_day",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("officer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("starts", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "starts >= 0 AND ends <= 1440 AND starts < ends", name=op.f("ck_working_day_hours")
        ),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_working_day_weekday")),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_working_day_officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_working_day")),
        sa.UniqueConstraint("officer_id", "weekday", name=op.f("uq_working_day_officer_id_weekday")),
    )
    op.create_table(
        "customer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("school_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("trust_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("account_reference", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("purchase_order_required", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(school_id IS NULL) <> (trust_id IS NULL)", name=op.f("ck_customer_school_or_trust")
        ),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_customer_school_id")),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_customer_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("account_reference", name=op.f("uq_customer_account_reference")),
        sa.UniqueConstraint("school_id", name=op.f("uq_customer_school_id")),
        sa.UniqueConstraint("trust_id", name=op.f("uq_customer_trust_id")),
    )
    op.create_table(
        "membership",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "school_business_manager",
                "head_teacher",
                "trust_finance_lead",
                "officer",
                "service_manager",
                "finance_officer",
                "administrator",
                "auditor",
                native_enum=False,
                create_constraint=True,
                name="role",
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("school_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("trust_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("place_key", sa.Text(), nullable=False),
        sa.Column("order_limit", sa.BigInteger(), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(role IN ('school_business_manager', 'head_teacher') AND school_id IS NOT NULL AND trust_id IS NULL AND service_id IS NULL) OR (role = 'trust_finance_lead' AND trust_id IS NOT NULL AND school_id IS NULL AND service_id IS NULL) OR (role IN ('officer', 'service_manager') AND service_id IS NOT NULL AND school_id IS NULL AND trust_id IS NULL) OR (role IN ('finance_officer', 'administrator', 'auditor') AND school_id IS NULL AND trust_id IS NULL AND service_id IS NULL)",
            name=op.f("ck_membership_role_in_its_place"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_membership_person_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_membership_school_id")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_membership_service_id")),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_membership_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
    )
    op.create_index(op.f("ix_membership_person_id"), "membership", ["person_id"], unique=False)
    op.create_index(op.f("ix_membership_school_id"), "membership", ["school_id"], unique=False)
    op.create_index(op.f("ix_membership_service_id"), "membership", ["service_id"], unique=False)
    op.create_index(op.f("ix_membership_trust_id"), "membership", ["trust_id"], unique=False)
    op.create_index("uq_membership_once", "membership", ["person_id", "role", "place_key"], unique=True)
    append_only(op, "register_import")


def downgrade() -> None:
    """Take them away again."""
    not_append_only(op, "register_import")
    op.drop_index("uq_membership_once", table_name="membership")
    op.drop_index(op.f("ix_membership_trust_id"), table_name="membership")
    op.drop_index(op.f("ix_membership_service_id"), table_name="membership")
    op.drop_index(op.f("ix_membership_school_id"), table_name="membership")
    op.drop_index(op.f("ix_membership_person_id"), table_name="membership")
    op.drop_table("membership")
    op.drop_table("customer")
    op.drop_table("working_day")
    op.drop_index(op.f("ix_school_trust_id"), table_name="school")
    op.drop_index("ix_school_name", table_name="school")
    op.drop_index(op.f("ix_school_link_officer_id"), table_name="school")
    op.drop_table("school")
    op.drop_index(op.f("ix_password_reset_person_id"), table_name="password_reset")
    op.drop_table("password_reset")
    op.drop_index(op.f("ix_officer_service_id"), table_name="officer")
    op.drop_table("officer")
    op.drop_table("trust")
    op.drop_table("service")
    op.drop_table("school_term")
    op.drop_table("register_upload")
    op.drop_table("register_import")
    op.drop_table("provider")
    op.drop_table("person")
