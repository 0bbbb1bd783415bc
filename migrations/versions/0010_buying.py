"""Shapes of prices, units by the case, notice and renewal of agreements, and the chair of governors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.alterations import add_column, change_check, drop_column
from sla_manager.store.triggers import allow_again, refuse_when

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UNITS = "unit IN ('day', 'hour', 'session', 'item')"
MORE_UNITS = (
    "unit IN ('day', 'hour', 'session', 'item', 'referral', 'case', 'delegate', 'audit', 'package', 'year')"
)
ROLES = (
    "role IN ('school_business_manager', 'head_teacher', 'trust_finance_lead', 'officer', 'service_manager', "
    "'finance_officer', 'administrator', 'auditor')"
)
MORE_ROLES = ROLES.replace("'head_teacher', ", "'head_teacher', 'chair_of_governors', ")
PLACES = (
    "(role IN ('school_business_manager', 'head_teacher') AND school_id IS NOT NULL AND trust_id IS NULL "
    "AND service_id IS NULL) OR (role = 'trust_finance_lead' AND trust_id IS NOT NULL AND school_id IS NULL "
    "AND service_id IS NULL) OR (role IN ('officer', 'service_manager') AND service_id IS NOT NULL "
    "AND school_id IS NULL AND trust_id IS NULL) OR (role IN ('finance_officer', 'administrator', 'auditor') "
    "AND school_id IS NULL AND trust_id IS NULL AND service_id IS NULL)"
)
MORE_PLACES = PLACES.replace("'head_teacher')", "'head_teacher', 'chair_of_governors')", 1)

PRICE_FIELDS = ("id", "offering_id", "family", "customer_class", "starts_on", "unit_price", "source")
PRICE_ENDS = "(OLD.ends_on IS NOT NULL AND (NEW.ends_on IS NULL OR NEW.ends_on > OLD.ends_on))"
AGREEMENT_FIELDS = (
    "service_id", "customer_id", "school_id", "customer_class", "paid_from", "schedule", "starts_on",
    "ends_on", "net", "vat", "gross", "prepared_by",
)  # fmt: skip
RENAMED = "(NEW.reference IS DISTINCT FROM OLD.reference AND NOT (OLD.status = 'ordered' AND NEW.status = 'agreed'))"

CHECKS = (
    ("offering", "part_year", "NEW.part_year NOT IN ('full', 'months', 'days')"),
    ("price", "shape", "NEW.shape NOT IN ('unit', 'tiers', 'per_pupil', 'bands')"),
    ("agreement", "origin", "NEW.origin NOT IN ('quote', 'renewal', 'transfer', 'import')"),
    ("agreement", "notice_months", "NEW.notice_months NOT BETWEEN 0 AND 12"),
    (
        "agreement",
        "ends_early_on",
        "NEW.ends_early_on IS NOT NULL AND (NEW.ends_early_on < NEW.starts_on OR NEW.ends_early_on > NEW.ends_on)",
    ),
    ("agreement_line", "price_shape", "NEW.price_shape NOT IN ('unit', 'tiers', 'per_pupil', 'bands')"),
    ("agreement_line", "discount", "NEW.discount < 0"),
)
"""Conditions on added columns: checks where the database would need the table built anew, so triggers."""


def _changed(fields: tuple[str, ...]) -> str:
    return " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in fields)


def _guard_prices(*more: str) -> None:
    refuse_when(
        op,
        "price_only_ends",
        table="price",
        event="UPDATE",
        when=f"({_changed((*PRICE_FIELDS, *more))}) OR {PRICE_ENDS}",
        says="price_is_never_edited",
    )


def _guard_agreements(*more: str, besides: str = "") -> None:
    refuse_when(
        op,
        "agreement_frozen",
        table="agreement",
        event="UPDATE",
        when=f"OLD.status <> 'draft' AND ({RENAMED} OR {_changed((*AGREEMENT_FIELDS, *more))}{besides})",
        says="agreement_is_signed",
    )


def upgrade() -> None:
    """Widen the checks, add the columns, and freeze them with what they belong to."""
    change_check(op, "offering", "ck_offering_unit", MORE_UNITS)
    change_check(op, "membership", "ck_membership_role", MORE_ROLES)
    change_check(op, "membership", "ck_membership_role_in_its_place", MORE_PLACES)
    add_column(op, "offering", sa.Column("part_year", sa.String(40), nullable=False, server_default="full"))
    add_column(op, "price", sa.Column("shape", sa.String(40), nullable=False, server_default="unit"))
    add_column(op, "price", sa.Column("terms", sa.Text(), nullable=False, server_default="{}"))
    add_column(op, "agreement", sa.Column("origin", sa.String(40), nullable=False, server_default="quote"))
    add_column(op, "agreement", sa.Column("notice_months", sa.Integer(), nullable=False, server_default="0"))
    add_column(op, "agreement", sa.Column("renews", sa.Boolean(), nullable=False, server_default=sa.false()))
    add_column(op, "agreement", sa.Column("ends_early_on", sa.Date(), nullable=True))
    for name, kind, default in (
        ("price_shape", sa.String(40), "unit"),
        ("price_facts", sa.Text(), "{}"),
        ("discount", sa.BigInteger(), "0"),
        ("package", sa.Text(), ""),
    ):
        add_column(op, "agreement_line", sa.Column(name, kind, nullable=False, server_default=default))
    for table, column, when in CHECKS:
        for event in ("INSERT", "UPDATE"):
            name = f"{table}_{column}_{event.lower()}"
            refuse_when(op, name, table=table, event=event, when=when, says=f"ck_{table}_{column}")
    allow_again(op, "price_only_ends", table="price")
    _guard_prices("shape", "terms")
    allow_again(op, "agreement_frozen", table="agreement")
    _guard_agreements(
        "origin",
        "notice_months",
        "renews",
        besides=" OR (OLD.ends_early_on IS NOT NULL AND NEW.ends_early_on IS DISTINCT FROM OLD.ends_early_on)",
    )


def downgrade() -> None:
    """Take them away again; what uses them must have gone before."""
    allow_again(op, "agreement_frozen", table="agreement")
    allow_again(op, "price_only_ends", table="price")
    for table, column, _ in CHECKS:
        for event in ("INSERT", "UPDATE"):
            allow_again(op, f"{table}_{column}_{event.lower()}", table=table)
    for name in ("package", "discount", "price_facts", "price_shape"):
        drop_column(op, "agreement_line", name)
    for name in ("ends_early_on", "renews", "notice_months", "origin"):
        drop_column(op, "agreement", name)
    for name in ("terms", "shape"):
        drop_column(op, "price", name)
    drop_column(op, "offering", "part_year")
    _guard_prices()
    _guard_agreements()
    change_check(op, "membership", "ck_membership_role_in_its_place", PLACES)
    change_check(op, "membership", "ck_membership_role", ROLES)
    change_check(op, "offering", "ck_offering_unit", UNITS)
