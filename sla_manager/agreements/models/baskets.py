"""What a school is about to buy, filled by several people, before it is quoted."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.store.columns import enum_column
from sla_manager.store.tables import Numbered


class Basket(Numbered):
    """One open basket for each school and service. `version` rises with every change (N11).

    `lines` are rows of offering, quantity ("12" or "0.5"), pattern and year_split, in the order of the page.
    """

    __tablename__ = "basket"
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="ends_after_start"),
        CheckConstraint("paid_from IN ('budget', 'private_fund')", name="paid_from"),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("(quote_id IS NULL) = (closed_at IS NULL)", name="closed_by_its_quote"),
        Index(
            "uq_basket_open",
            "service_id",
            "school_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), index=True)
    lines: Mapped[list[Any]]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    schedule: Mapped[Schedule] = mapped_column(enum_column(Schedule))
    paid_from: Mapped[str]
    payer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    purchase_order: Mapped[str]
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("agreement.id"))
    """The quote that the next one takes the place of."""
    version: Mapped[int]
    updated_by: Mapped[str]
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    updated_at: Mapped[datetime]
    once_keys: Mapped[list[Any]]
    """The one-time keys of what was put in last: a second press puts nothing in."""
    quote_id: Mapped[int | None] = mapped_column(ForeignKey("agreement.id"), unique=True)
    closed_at: Mapped[datetime | None]
