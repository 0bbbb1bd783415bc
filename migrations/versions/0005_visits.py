"""Visits, deliveries and extra time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import allow_again, append_only, not_append_only, refuse_when

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the rules that the database holds."""
    op.create_table(
        "absence",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("officer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "leave",
                "sickness",
                "training",
                "supervision",
                "court",
                native_enum=False,
                create_constraint=True,
                name="absence_kind",
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_absence_ends_after_start")),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_absence_officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
    )
    op.create_index("ix_absence_officer", "absence", ["officer_id", "starts_at"], unique=False)
    op.create_table(
        "school_closure",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("school_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_school_closure_ends_after_start")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_school_closure_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_closure")),
    )
    op.create_index(op.f("ix_school_closure_school_id"), "school_closure", ["school_id"], unique=False)
    op.create_table(
        "visit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("officer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("school_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "planned",
                "delivered",
                "cancelled",
                "no_access",
                native_enum=False,
                create_constraint=True,
                name="visit_status",
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
        sa.Column("tranche_id", sa.Integer(), nullable=True),
        sa.Column("booked", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("rearranges_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("planned_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("once_key", sa.Text(), nullable=True),
        sa.CheckConstraint("(duty IS NULL) <> (tranche_id IS NULL)", name=op.f("ck_visit_core_or_tranche")),
        sa.CheckConstraint("booked > 0", name=op.f("ck_visit_booked")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_visit_ends_after_start")),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_visit_officer_id")),
        sa.ForeignKeyConstraint(["rearranges_id"], ["visit.id"], name=op.f("fk_visit_rearranges_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_visit_school_id")),
        sa.ForeignKeyConstraint(["tranche_id"], ["tranche.id"], name=op.f("fk_visit_tranche_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        sa.UniqueConstraint("once_key", name=op.f("uq_visit_once_key")),
        sa.UniqueConstraint("uid", name=op.f("uq_visit_uid")),
    )
    op.create_index("ix_visit_diary", "visit", ["officer_id", "day"], unique=False)
    op.create_index("ix_visit_school", "visit", ["school_id", "day"], unique=False)
    op.create_index("ix_visit_tranche", "visit", ["tranche_id", "status"], unique=False)
    op.create_table(
        "cancellation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("caused_by", sa.Text(), nullable=False),
        sa.Column("notice_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clear_days", sa.Integer(), nullable=False),
        sa.Column("per_cent", sa.Integer(), nullable=False),
        sa.Column("charged", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "caused_by = 'school' OR charged = 0", name=op.f("ck_cancellation_our_fault_is_free")
        ),
        sa.CheckConstraint("caused_by IN ('school', 'provider')", name=op.f("ck_cancellation_caused_by")),
        sa.CheckConstraint("charged >= 0", name=op.f("ck_cancellation_charged")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_cancellation_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cancellation")),
        sa.UniqueConstraint("visit_id", name=op.f("uq_cancellation_visit_id")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("delivered_on", sa.Date(), nullable=False),
        sa.Column("logged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("logged_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("core", sa.BigInteger(), nullable=False),
        sa.Column("worked", sa.BigInteger(), nullable=False),
        sa.Column("charged", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_delivery_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("visit_id", name=op.f("uq_delivery_visit_id")),
    )
    op.create_table(
        "activity",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("delivery_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "work",
                "preparation",
                "report",
                "travel",
                native_enum=False,
                create_constraint=True,
                name="activity_kind",
                length=40,
            ),
            nullable=False,
        ),
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
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(family = 'core') = (duty IS NOT NULL)", name=op.f("ck_activity_core_has_a_duty")
        ),
        sa.CheckConstraint("cases >= 0", name=op.f("ck_activity_cases")),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_activity_minutes")),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_activity_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
        sa.UniqueConstraint("delivery_id", "position", name=op.f("uq_activity_delivery_id_position")),
    )
    op.create_table(
        "extra_time",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("delivery_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "proposed",
                "approved",
                "declined",
                "absorbed",
                native_enum=False,
                create_constraint=True,
                name="extra_time_status",
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(status = 'proposed') = (decided_at IS NULL)", name=op.f("ck_extra_time_decided")
        ),
        sa.CheckConstraint("minutes > 0 AND net >= 0", name=op.f("ck_extra_time_amounts")),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_extra_time_delivery_id")),
        sa.ForeignKeyConstraint(["line_id"], ["agreement_line.id"], name=op.f("fk_extra_time_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extra_time")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_extra_time_delivery_id")),
    )
    op.create_index(op.f("ix_extra_time_line_id"), "extra_time", ["line_id"], unique=False)
    op.create_index("ix_extra_time_status", "extra_time", ["status"], unique=False)
    op.create_table(
        "school_response",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "answer = 'agree' OR length(wording) > 0", name=op.f("ck_school_response_query_says_why")
        ),
        sa.CheckConstraint("answer IN ('agree', 'query', 'settled')", name=op.f("ck_school_response_answer")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_school_response_visit_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_school_response_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_response")),
    )
    op.create_index(op.f("ix_school_response_visit_id"), "school_response", ["visit_id"], unique=False)
    if op.get_context().dialect.name == "sqlite":
        for event in ("INSERT", "UPDATE"):
            op.execute(
                f"CREATE TRIGGER visit_double_booking_{event.lower()} BEFORE {event} ON visit FOR EACH ROW "
                "WHEN NEW.status IN ('planned', 'delivered', 'no_access') AND EXISTS (SELECT 1 FROM visit AS other "
                "WHERE other.officer_id = NEW.officer_id AND other.id IS NOT NEW.id "
                "AND other.status IN ('planned', 'delivered', 'no_access') "
                "AND other.starts_at < NEW.ends_at AND NEW.starts_at < other.ends_at) "
                "BEGIN SELECT RAISE(ABORT, 'visit_double_booking'); END"
            )
    else:
        op.execute(
            "ALTER TABLE visit ADD CONSTRAINT visit_double_booking EXCLUDE USING gist "
            "(int8range(officer_id, officer_id, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&) "
            "WHERE (status IN ('planned', 'delivered', 'no_access'))"
        )
    refuse_when(
        op,
        "visit_settled",
        table="visit",
        event="UPDATE",
        when="OLD.status <> 'planned' AND (NEW.status IS DISTINCT FROM OLD.status OR NEW.officer_id IS DISTINCT FROM OLD.officer_id OR NEW.school_id IS DISTINCT FROM OLD.school_id OR NEW.day IS DISTINCT FROM OLD.day OR NEW.starts_at IS DISTINCT FROM OLD.starts_at OR NEW.ends_at IS DISTINCT FROM OLD.ends_at OR NEW.tranche_id IS DISTINCT FROM OLD.tranche_id OR NEW.duty IS DISTINCT FROM OLD.duty OR NEW.booked IS DISTINCT FROM OLD.booked)",
        says="visit_is_settled",
    )
    refuse_when(
        op,
        "visit_no_delete",
        table="visit",
        event="DELETE",
        when="1 = 1",
        says="visit_is_never_deleted",
    )
    append_only(op, "cancellation")
    append_only(op, "delivery")
    append_only(op, "activity")
    append_only(op, "school_response")
    refuse_when(
        op,
        "extra_time_decided",
        table="extra_time",
        event="UPDATE",
        when="OLD.status <> 'proposed' OR (NEW.delivery_id IS DISTINCT FROM OLD.delivery_id OR NEW.line_id IS DISTINCT FROM OLD.line_id OR NEW.year IS DISTINCT FROM OLD.year OR NEW.minutes > OLD.minutes OR NEW.net > OLD.net)",
        says="extra_time_is_decided",
    )
    refuse_when(
        op,
        "extra_time_no_delete",
        table="extra_time",
        event="DELETE",
        when="1 = 1",
        says="extra_time_is_decided",
    )


def downgrade() -> None:
    """Take them away again."""
    allow_again(op, "extra_time_no_delete", table="extra_time")
    allow_again(op, "extra_time_decided", table="extra_time")
    not_append_only(op, "school_response")
    not_append_only(op, "activity")
    not_append_only(op, "delivery")
    not_append_only(op, "cancellation")
    allow_again(op, "visit_no_delete", table="visit")
    allow_again(op, "visit_settled", table="visit")
    if op.get_context().dialect.name == "sqlite":
        for event in ("insert", "update"):
            op.execute(f"DROP TRIGGER visit_double_booking_{event}")
    else:
        op.execute("ALTER TABLE visit DROP CONSTRAINT visit_double_booking")
    op.drop_index(op.f("ix_school_response_visit_id"), table_name="school_response")
    op.drop_table("school_response")
    op.drop_index("ix_extra_time_status", table_name="extra_time")
    op.drop_index(op.f("ix_extra_time_line_id"), table_name="extra_time")
    op.drop_table("extra_time")
    op.drop_table("activity")
    op.drop_table("delivery")
    op.drop_table("cancellation")
    op.drop_index("ix_visit_tranche", table_name="visit")
    op.drop_index("ix_visit_school", table_name="visit")
    op.drop_index("ix_visit_diary", table_name="visit")
    op.drop_table("visit")
    op.drop_index(op.f("ix_school_closure_school_id"), table_name="school_closure")
    op.drop_table("school_closure")
    op.drop_index("ix_absence_officer", table_name="absence")
    op.drop_table("absence")
