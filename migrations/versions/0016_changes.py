"""Variations that wait for a signature, early ends, transfers to another customer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import allow_again, append_only, not_append_only, refuse_when

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FIXED = (
    "line_id", "quantity", "effective_on", "reason", "proposed_by", "proposed_by_id", "proposed_at", "once_key",
)  # fmt: skip
FACTS = ("termination", "dropped_instalment", "transfer")


def _words(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, native_enum=False, create_constraint=True, name=name, length=40)


def _id() -> sa.Column[int]:
    return sa.Column("id", KEY, nullable=False)


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    """Make the tables."""
    _policies()
    _schools()
    _proposals()
    _ends()
    _transfers()
    _rules()


def _policies() -> None:
    table = "agreement_policy"
    op.create_table(
        table,
        _id(),
        sa.Column("service_id", KEY, nullable=False),
        sa.Column("notice_months", sa.Integer(), nullable=False),
        sa.Column("renews", sa.Boolean(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("notice_months BETWEEN 0 AND 12", name=op.f(f"ck_{table}_notice_months")),
        sa.CheckConstraint("version > 0", name=op.f(f"ck_{table}_version")),
        _to(table, "service_id", "service"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("service_id", name=op.f(f"uq_{table}_service_id")),
    )


def _schools() -> None:
    op.create_table(
        "school_link",
        _id(),
        sa.Column("urn", sa.Integer(), nullable=False),
        sa.Column("link_urn", sa.Integer(), nullable=False),
        sa.Column("link_name", sa.Text(), nullable=False),
        sa.Column("link_type", sa.Text(), nullable=False),
        sa.Column("established_on", sa.Date(), nullable=True),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_link")),
        sa.UniqueConstraint(
            "urn", "link_urn", "link_type", name=op.f("uq_school_link_urn_link_urn_link_type")
        ),
    )
    op.create_index("ix_school_link_other", "school_link", ["link_urn"])
    table = "school_change"
    op.create_table(
        table,
        _id(),
        sa.Column(
            "kind", _words("change_kind", "conversion", "merger", "closure", "trust_change"), nullable=False
        ),
        sa.Column("from_school_id", KEY, nullable=False),
        sa.Column("to_school_id", KEY, nullable=True),
        sa.Column("trust_id", KEY, nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("once_key", sa.Text(), nullable=True),
        sa.CheckConstraint("source IN ('links', 'hand')", name=op.f(f"ck_{table}_source")),
        sa.CheckConstraint("status IN ('found', 'confirmed', 'dismissed')", name=op.f(f"ck_{table}_status")),
        sa.CheckConstraint(
            "(kind = 'closure') = (to_school_id IS NULL)", name=op.f(f"ck_{table}_closure_has_no_successor")
        ),
        sa.CheckConstraint(
            "(kind = 'trust_change') = (to_school_id IS NOT NULL AND to_school_id = from_school_id)",
            name=op.f(f"ck_{table}_trust_change_stays"),
        ),
        sa.CheckConstraint("(status = 'found') = (decided_at IS NULL)", name=op.f(f"ck_{table}_decided")),
        _to(table, "from_school_id", "school"),
        _to(table, "to_school_id", "school"),
        _to(table, "trust_id", "trust"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint(
            "from_school_id",
            "kind",
            "effective_on",
            name=op.f(f"uq_{table}_from_school_id_kind_effective_on"),
        ),
        sa.UniqueConstraint("once_key", name=op.f(f"uq_{table}_once_key")),
    )
    op.create_index(op.f(f"ix_{table}_from_school_id"), table, ["from_school_id"])
    op.create_index(op.f(f"ix_{table}_to_school_id"), table, ["to_school_id"])


def _proposals() -> None:
    table = "variation_proposal"
    status = _words("proposal_status", "asked", "proposed", "signed", "declined", "withdrawn", "expired")
    op.create_table(
        table,
        _id(),
        sa.Column("line_id", KEY, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_by_id", KEY, nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("status", status, nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=False),
        sa.Column("medium", _words("medium", "page", "paper"), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "role", "statement", "address")),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("variation_id", KEY, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("once_key", sa.Text(), nullable=True),
        sa.CheckConstraint("quantity <> 0", name=op.f(f"ck_{table}_not_nothing")),
        sa.CheckConstraint(
            "(status = 'signed') = (variation_id IS NOT NULL) AND (status = 'signed') = (signed_at IS NOT NULL)",
            name=op.f(f"ck_{table}_signed_has_its_variation"),
        ),
        sa.CheckConstraint("version > 0", name=op.f(f"ck_{table}_version")),
        _to(table, "line_id", "agreement_line"),
        _to(table, "proposed_by_id", "person"),
        _to(table, "variation_id", "variation"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("variation_id", name=op.f(f"uq_{table}_variation_id")),
        sa.UniqueConstraint("once_key", name=op.f(f"uq_{table}_once_key")),
    )
    op.create_index("ix_variation_proposal_line", table, ["line_id", "status"])


def _ends() -> None:
    table = "termination"
    op.create_table(
        table,
        _id(),
        sa.Column("agreement_id", KEY, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("notice_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("payable", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("reason", "name", "role", "address")),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("person_id", KEY, nullable=True),
        sa.Column("once_key", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "cause IN ('notice', 'consent', 'closure', 'transfer')", name=op.f(f"ck_{table}_cause")
        ),
        sa.CheckConstraint("given_by IN ('school', 'council', 'both')", name=op.f(f"ck_{table}_given_by")),
        sa.CheckConstraint("payable >= 0 AND payable <= value", name=op.f(f"ck_{table}_payable")),
        _to(table, "agreement_id", "agreement"),
        _to(table, "person_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("agreement_id", name=op.f(f"uq_{table}_agreement_id")),
        sa.UniqueConstraint("once_key", name=op.f(f"uq_{table}_once_key")),
    )
    table = "dropped_instalment"
    op.create_table(
        table,
        _id(),
        sa.Column("instalment_id", KEY, nullable=False),
        sa.Column("termination_id", KEY, nullable=False),
        _to(table, "instalment_id", "instalment"),
        _to(table, "termination_id", "termination"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("instalment_id", name=op.f(f"uq_{table}_instalment_id")),
    )
    op.create_index(op.f(f"ix_{table}_termination_id"), table, ["termination_id"])


def _transfers() -> None:
    table = "transfer"
    op.create_table(
        table,
        _id(),
        sa.Column("from_agreement_id", KEY, nullable=False),
        sa.Column("to_agreement_id", KEY, nullable=True),
        sa.Column("change_id", KEY, nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("moved", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("once_key", sa.Text(), nullable=True),
        sa.CheckConstraint("moved >= 0 AND net >= 0", name=op.f(f"ck_{table}_not_negative")),
        _to(table, "from_agreement_id", "agreement"),
        _to(table, "to_agreement_id", "agreement"),
        _to(table, "change_id", "school_change"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("from_agreement_id", name=op.f(f"uq_{table}_from_agreement_id")),
        sa.UniqueConstraint("to_agreement_id", name=op.f(f"uq_{table}_to_agreement_id")),
        sa.UniqueConstraint("once_key", name=op.f(f"uq_{table}_once_key")),
    )
    op.create_index(op.f(f"ix_{table}_change_id"), table, ["change_id"])


def _rules() -> None:
    """Facts stay as they are; a proposal moves on once; an instalment is billed or dropped, never both."""
    for table in FACTS:
        append_only(op, table)
    changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in FIXED)
    refuse_when(
        op,
        "variation_proposal_frozen",
        table="variation_proposal",
        event="UPDATE",
        when=f"OLD.status NOT IN ('asked', 'proposed') OR {changed}",
        says="variation_proposal_is_over",
    )
    refuse_when(
        op,
        "variation_proposal_no_delete",
        table="variation_proposal",
        event="DELETE",
        when="1 = 1",
        says="append_only_variation_proposal",
    )
    refuse_when(
        op,
        "school_change_decided",
        table="school_change",
        event="UPDATE",
        when="OLD.status <> 'found'",
        says="school_change_is_decided",
    )
    refuse_when(
        op,
        "billed_not_dropped",
        table="billed",
        event="INSERT",
        when="NEW.purpose = 'instalment' AND EXISTS "
        "(SELECT 1 FROM dropped_instalment WHERE instalment_id = NEW.source_id)",
        says="instalment_is_dropped",
        lock="SELECT 1 FROM instalment WHERE NEW.purpose = 'instalment' AND id = NEW.source_id FOR UPDATE",
    )
    refuse_when(
        op,
        "dropped_not_billed",
        table="dropped_instalment",
        event="INSERT",
        when="EXISTS (SELECT 1 FROM billed WHERE purpose = 'instalment' AND source_id = NEW.instalment_id)",
        says="instalment_is_billed",
        lock="SELECT 1 FROM instalment WHERE id = NEW.instalment_id FOR UPDATE",
    )


def downgrade() -> None:
    """Take them away again."""
    allow_again(op, "dropped_not_billed", table="dropped_instalment")
    allow_again(op, "billed_not_dropped", table="billed")
    allow_again(op, "school_change_decided", table="school_change")
    allow_again(op, "variation_proposal_no_delete", table="variation_proposal")
    allow_again(op, "variation_proposal_frozen", table="variation_proposal")
    for table in FACTS:
        not_append_only(op, table)
    for table in (
        "transfer", "dropped_instalment", "termination", "variation_proposal", "school_change", "school_link",
        "agreement_policy",
    ):  # fmt: skip
        op.drop_table(table)
