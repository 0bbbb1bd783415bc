"""Buy-back seasons, renewals, notices and what renewed by itself."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import allow_again, append_only, not_append_only, refuse_when

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SCHEDULES = ("single", "three", "seven-five", "monthly", "on_delivery")
ANSWERS = ("none", "renewed", "changed", "declined", "automatic")
STAGES = ("open", "before_14", "before_3", "after", "by_hand")


def _key(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=nullable)


def _words(name: str, words: tuple[str, ...], check: str, *, nullable: bool = False) -> sa.Column[Any]:
    kind = sa.Enum(*words, native_enum=False, create_constraint=True, name=check, length=40)
    return sa.Column(name, kind, nullable=nullable)


def _refers(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def _at(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _seasons() -> None:
    op.create_table(
        "season",
        _key("id"),
        _key("service_id"),
        sa.Column("year", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.Date(), nullable=False)
            for name in ("starts_on", "ends_on", "builds_from", "submit_from", "due_by")
        ),
        _words("schedule", SCHEDULES, "schedule"),
        sa.Column("notice_months", sa.Integer(), nullable=False),
        sa.Column("renews", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _at("made_at", nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        _at("requested_at"),
        sa.Column("requested_by", sa.Text(), nullable=False),
        _key("requested_by_id", nullable=True),
        _at("prepared_at"),
        _at("closed_at"),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_season_ends_after_start")),
        sa.CheckConstraint(
            "builds_from <= submit_from AND submit_from <= due_by", name=op.f("ck_season_dates_in_order")
        ),
        sa.CheckConstraint("notice_months BETWEEN 0 AND 12", name=op.f("ck_season_notice_months")),
        sa.CheckConstraint("version > 0", name=op.f("ck_season_version")),
        _refers("season", "service_id", "service"),
        _refers("season", "requested_by_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_season")),
        sa.UniqueConstraint("service_id", "starts_on", name=op.f("uq_season_service_id_starts_on")),
    )


def _renewals() -> None:
    op.create_table(
        "renewal",
        _key("id"),
        _key("season_id"),
        _key("school_id"),
        sa.Column("previous", sa.Text(), nullable=False),
        _key("quote_id", nullable=True),
        _key("agreement_id", nullable=True),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("last_net", "last_minutes", "offered_net", "offered_minutes")
        ),
        sa.Column("trouble", sa.Text(), nullable=False),
        _at("prepared_at", nullable=False),
        _words("answer", ANSWERS, "answer"),
        _at("answered_at"),
        sa.Column("answered_by", sa.Text(), nullable=False),
        _key("answered_by_id", nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        _at("reminded_at"),
        _words("reminded_stage", STAGES, "stage", nullable=True),
        sa.CheckConstraint(
            "quote_id IS NULL OR agreement_id IS NOT NULL", name=op.f("ck_renewal_quote_and_agreement")
        ),
        sa.CheckConstraint(
            "answer = 'none' OR answered_at IS NOT NULL", name=op.f("ck_renewal_answered_when")
        ),
        sa.CheckConstraint("answer <> 'declined' OR reason <> ''", name=op.f("ck_renewal_declined_why")),
        _refers("renewal", "season_id", "season"),
        _refers("renewal", "school_id", "school"),
        _refers("renewal", "quote_id", "agreement"),
        _refers("renewal", "agreement_id", "agreement"),
        _refers("renewal", "answered_by_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renewal")),
        sa.UniqueConstraint("season_id", "school_id", name=op.f("uq_renewal_season_id_school_id")),
        sa.UniqueConstraint("quote_id", name=op.f("uq_renewal_quote_id")),
        sa.UniqueConstraint("agreement_id", name=op.f("uq_renewal_agreement_id")),
    )
    op.create_index("ix_renewal_answer", "renewal", ["season_id", "answer"], unique=False)
    op.create_index(op.f("ix_renewal_school_id"), "renewal", ["school_id"], unique=False)
    refuse_when(
        op,
        "renewal_answer_stands",
        table="renewal",
        event="UPDATE",
        when="OLD.answer IN ('renewed', 'changed', 'automatic') AND NEW.answer IS DISTINCT FROM OLD.answer",
        says="renewal_is_answered",
    )


def _notices() -> None:
    op.create_table(
        "renewal_notice",
        _key("id"),
        _key("agreement_id"),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        _key("given_by_id", nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        _at("recorded_at", nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        _refers("renewal_notice", "agreement_id", "agreement"),
        _refers("renewal_notice", "given_by_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renewal_notice")),
        sa.UniqueConstraint("agreement_id", name=op.f("uq_renewal_notice_agreement_id")),
    )
    op.create_table(
        "automatic_renewal",
        _key("id"),
        _key("agreement_id"),
        _key("renewed_as_id"),
        _at("renewed_at", nullable=False),
        sa.Column("clause", sa.Text(), nullable=False),
        _refers("automatic_renewal", "agreement_id", "agreement"),
        _refers("automatic_renewal", "renewed_as_id", "agreement"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_automatic_renewal")),
        sa.UniqueConstraint("agreement_id", name=op.f("uq_automatic_renewal_agreement_id")),
        sa.UniqueConstraint("renewed_as_id", name=op.f("uq_automatic_renewal_renewed_as_id")),
    )
    append_only(op, "renewal_notice")
    append_only(op, "automatic_renewal")


def upgrade() -> None:
    """Make the tables and the rules that the database holds."""
    _seasons()
    _renewals()
    _notices()


def downgrade() -> None:
    """Take them away again."""
    for table in ("automatic_renewal", "renewal_notice"):
        not_append_only(op, table)
        op.drop_table(table)
    allow_again(op, "renewal_answer_stands", table="renewal")
    op.drop_table("renewal")
    op.drop_table("season")
