"""Baskets that several people fill, approvals by somebody else, papers, and files that go with mails."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import allow_again, append_only, not_append_only, refuse_when

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SCHEDULES = ("single", "three", "seven-five", "monthly", "on_delivery")
DECISIONS = ("approved", "declined", "withdrawn")


def _key(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=nullable)


def _words(name: str, words: tuple[str, ...], check: str, *, nullable: bool = False) -> sa.Column[Any]:
    kind = sa.Enum(*words, native_enum=False, create_constraint=True, name=check, length=40)
    return sa.Column(name, kind, nullable=nullable)


def _refers(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def _at(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _papers() -> None:
    op.create_table(
        "paper",
        _key("id"),
        *_text("key", "kind"),
        _key("school_id"),
        _key("agreement_id", nullable=True),
        *_text("facts", "sha256"),
        _at("frozen_at"),
        _refers("paper", "school_id", "school"),
        _refers("paper", "agreement_id", "agreement"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper")),
        sa.UniqueConstraint("key", name=op.f("uq_paper_key")),
    )
    op.create_index(op.f("ix_paper_school_id"), "paper", ["school_id"], unique=False)
    op.create_index(op.f("ix_paper_agreement_id"), "paper", ["agreement_id"], unique=False)
    op.create_table(
        "paper_file",
        _key("id"),
        _key("paper_id"),
        *_text("path", "sha256"),
        _at("printed_at"),
        _refers("paper_file", "paper_id", "paper"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_file")),
        sa.UniqueConstraint("paper_id", name=op.f("uq_paper_file_paper_id")),
    )
    append_only(op, "paper")
    append_only(op, "paper_file")
    op.create_table(
        "outbox_attachment",
        _key("id"),
        _key("message_id"),
        *_text("filename", "path", "sha256"),
        _refers("outbox_attachment", "message_id", "outbox_message"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_attachment")),
        sa.UniqueConstraint("message_id", "filename", name=op.f("uq_outbox_attachment_message_id_filename")),
    )


def _baskets() -> None:
    op.create_table(
        "basket",
        _key("id"),
        _key("service_id"),
        _key("school_id"),
        *_text("lines"),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        _words("schedule", SCHEDULES, "schedule"),
        *_text("paid_from"),
        _key("payer_id", nullable=True),
        *_text("purchase_order"),
        _key("replaces_id", nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        *_text("updated_by"),
        _key("updated_by_id", nullable=True),
        _at("updated_at"),
        *_text("once_keys"),
        _key("quote_id", nullable=True),
        _at("closed_at", nullable=True),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_basket_ends_after_start")),
        sa.CheckConstraint("paid_from IN ('budget', 'private_fund')", name=op.f("ck_basket_paid_from")),
        sa.CheckConstraint("version > 0", name=op.f("ck_basket_version")),
        sa.CheckConstraint(
            "(quote_id IS NULL) = (closed_at IS NULL)", name=op.f("ck_basket_closed_by_its_quote")
        ),
        _refers("basket", "service_id", "service"),
        _refers("basket", "school_id", "school"),
        _refers("basket", "payer_id", "customer"),
        _refers("basket", "replaces_id", "agreement"),
        _refers("basket", "updated_by_id", "person"),
        _refers("basket", "quote_id", "agreement"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_basket")),
        sa.UniqueConstraint("quote_id", name=op.f("uq_basket_quote_id")),
    )
    op.create_index(op.f("ix_basket_school_id"), "basket", ["school_id"], unique=False)
    _one_open("uq_basket_open", "basket", ["service_id", "school_id"], "closed_at IS NULL")
    refuse_when(
        op,
        "basket_closed_stays",
        table="basket",
        event="UPDATE",
        when="OLD.closed_at IS NOT NULL",
        says="basket_is_quoted",
    )


def _one_open(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=True, sqlite_where=condition, postgresql_where=condition)


def _approvals() -> None:
    op.create_table(
        "approval",
        _key("id"),
        _key("agreement_id"),
        *_text("asked_by"),
        _key("asked_by_id"),
        _at("asked_at"),
        *_text("message", "purchase_order", "document_sha256"),
        _key("approver_id"),
        *_text("token_hash"),
        _at("expires_at"),
        _words("decision", DECISIONS, "approval_decision", nullable=True),
        _at("decided_at", nullable=True),
        *_text("reason", "address"),
        sa.CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name=op.f("ck_approval_decided")),
        sa.CheckConstraint("decision <> 'declined' OR reason <> ''", name=op.f("ck_approval_declined_why")),
        sa.CheckConstraint("expires_at > asked_at", name=op.f("ck_approval_expires_later")),
        sa.CheckConstraint("asked_by_id <> approver_id", name=op.f("ck_approval_somebody_else")),
        _refers("approval", "agreement_id", "agreement"),
        _refers("approval", "asked_by_id", "person"),
        _refers("approval", "approver_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_approval_token_hash")),
    )
    op.create_index(op.f("ix_approval_agreement_id"), "approval", ["agreement_id"], unique=False)
    op.create_index(op.f("ix_approval_approver_id"), "approval", ["approver_id"], unique=False)
    _one_open("uq_approval_open", "approval", ["agreement_id"], "decided_at IS NULL")
    refuse_when(
        op,
        "approval_decided_stays",
        table="approval",
        event="UPDATE",
        when="OLD.decided_at IS NOT NULL",
        says="approval_is_decided",
    )
    refuse_when(
        op,
        "approval_no_delete",
        table="approval",
        event="DELETE",
        when="1 = 1",
        says="append_only_approval",
    )


def upgrade() -> None:
    """Make the tables and the rules that the database holds."""
    _papers()
    _baskets()
    _approvals()


def downgrade() -> None:
    """Take them away again."""
    allow_again(op, "approval_no_delete", table="approval")
    allow_again(op, "approval_decided_stays", table="approval")
    op.drop_table("approval")
    allow_again(op, "basket_closed_stays", table="basket")
    op.drop_table("basket")
    op.drop_table("outbox_attachment")
    not_append_only(op, "paper_file")
    op.drop_table("paper_file")
    not_append_only(op, "paper")
    op.drop_table("paper")
