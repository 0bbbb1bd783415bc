"""Card payments: pages for paying, messages as they came, payments, refunds, disputes, links in mails."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import append_only, not_append_only

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LIVE = "status IN ('asked', 'open')"
FACTS = ("card_receipt",)
TABLES = (
    "pay_link", "card_alert", "card_dispute", "card_refund_order", "card_receipt", "card_event", "card_checkout",
)  # fmt: skip


def upgrade() -> None:
    """Make the tables, and the rules that the database holds."""
    _checkouts()
    _events()
    _refunds_and_disputes()
    _alerts_and_links()
    for table in FACTS:
        append_only(op, table)


def _text(name: str, *, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=empty)


def _moment(name: str, *, empty: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=empty)


def _id(name: str, *, empty: bool = False) -> sa.Column[int]:
    return sa.Column(name, KEY, nullable=empty)


def _key(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))


def _once(table: str, column: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(column, name=op.f(f"uq_{table}_{column}"))


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _part(name: str, table: str, column: str, condition: str, *, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, table, [column], unique=unique, sqlite_where=where, postgresql_where=where)


def _checkouts() -> None:
    name = "card_checkout"
    op.create_table(
        name,
        _id("id"), _text("reference"), _id("document_id"), _id("customer_id"),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        _text("status"), _text("page_id", empty=True), _text("url", empty=True), _text("payment_id", empty=True),
        _moment("asked_at"), _text("asked_by"), _text("tell"), _moment("expires_at"), _moment("checked_at"),
        _check(name, "amount", "amount > 0"),
        _check(name, "status", "status IN ('asked', 'open', 'complete', 'expired', 'failed')"),
        _check(name, "has_page", "status <> 'open' OR (page_id IS NOT NULL AND url IS NOT NULL)"),
        _check(name, "has_payment", "status <> 'complete' OR payment_id IS NOT NULL"),
        _to(name, "document_id", "document"), _to(name, "customer_id", "customer"),
        _key(name), _once(name, "reference"), _once(name, "page_id"),
    )  # fmt: skip
    op.create_index(op.f("ix_card_checkout_document_id"), name, ["document_id"])
    _part("uq_card_checkout_live", name, "document_id", LIVE, unique=True)
    _part("ix_card_checkout_open", name, "checked_at", LIVE)


def _events() -> None:
    name = "card_event"
    op.create_table(
        name,
        _id("id"), _text("event_id"), _text("kind"), _text("about"), _text("about_id"), _text("payment_id", empty=True),
        _moment("happened_at"), _moment("received_at"), _moment("next_try_at"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _text("last_error", empty=True), _moment("handled_at", empty=True), _text("outcome"),
        _check(name, "attempts", "attempts >= 0"), _key(name), _once(name, "event_id"),
    )  # fmt: skip
    _part("ix_card_event_waiting", name, "next_try_at", "handled_at IS NULL")


def _refunds_and_disputes() -> None:
    name = "card_receipt"
    op.create_table(
        name,
        _id("id"), _text("payment_id"), _id("receipt_id"), _id("checkout_id", empty=True), _moment("recorded_at"),
        _to(name, "receipt_id", "receipt"), _to(name, "checkout_id", "card_checkout"),
        _key(name), _once(name, "payment_id"), _once(name, "receipt_id"),
    )  # fmt: skip
    op.create_index(op.f("ix_card_receipt_checkout_id"), name, ["checkout_id"])
    name = "card_refund_order"
    op.create_table(
        name,
        _id("id"), _id("refund_id"), _text("payment_id"), _text("provider_id", empty=True), _text("status"),
        _text("why"), _moment("asked_at"), _moment("checked_at"),
        _check(name, "status", "status IN ('asked', 'pending', 'succeeded', 'failed')"),
        _to(name, "refund_id", "refund"), _key(name), _once(name, "refund_id"), _once(name, "provider_id"),
    )  # fmt: skip
    op.create_index(op.f("ix_card_refund_order_payment_id"), name, ["payment_id"])
    _part("ix_card_refund_order_open", name, "checked_at", "status IN ('asked', 'pending')")
    name = "card_dispute"
    op.create_table(
        name,
        _id("id"), _text("dispute_id"), _id("receipt_id"), sa.Column("amount", sa.BigInteger(), nullable=False),
        _text("reason"), _text("status"), _moment("answer_by", empty=True), _moment("opened_at"),
        _moment("checked_at"), _id("chargeback_id", empty=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _check(name, "amount", "amount > 0"),
        _to(name, "receipt_id", "receipt"), _to(name, "chargeback_id", "refund"),
        _key(name), _once(name, "dispute_id"), _once(name, "chargeback_id"),
    )  # fmt: skip
    op.create_index(op.f("ix_card_dispute_receipt_id"), name, ["receipt_id"])


def _alerts_and_links() -> None:
    name = "card_alert"
    op.create_table(
        name,
        _id("id"), _text("once_key"), _text("message"), _id("receipt_id", empty=True),
        _id("document_id", empty=True), _moment("raised_at"), _moment("answered_at", empty=True),
        _text("answered_by", empty=True), _text("answer"),
        _check(name, "answered", "(answered_at IS NULL) = (answered_by IS NULL)"),
        _to(name, "receipt_id", "receipt"), _to(name, "document_id", "document"),
        _key(name), _once(name, "once_key"),
    )  # fmt: skip
    for column in ("receipt_id", "document_id"):
        op.create_index(op.f(f"ix_card_alert_{column}"), name, [column])
    _part("ix_card_alert_open", name, "id", "answered_at IS NULL")
    name = "pay_link"
    op.create_table(
        name,
        _id("id"), _id("document_id"), _text("token_hash"), _text("recipient"), _moment("made_at"),
        _text("made_by"), _moment("expires_at"), _text("once_key", empty=True),
        _check(name, "expires_later", "expires_at > made_at"), _to(name, "document_id", "document"),
        _key(name), _once(name, "token_hash"), _once(name, "once_key"),
    )  # fmt: skip
    op.create_index(op.f("ix_pay_link_document_id"), name, ["document_id"])


def downgrade() -> None:
    """Take them away again."""
    for table in FACTS:
        not_append_only(op, table)
    for table in TABLES:
        op.drop_table(table)
