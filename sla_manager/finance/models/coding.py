"""Which cost centre and code of the council's ledger a school has, and where a service's income goes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.people.models import Customer, TradingService
from sla_manager.store.tables import Numbered


class SchoolCode(Numbered):
    """A school's cost centre in the council's ledger; its own account code where it differs from the service's."""

    __tablename__ = "school_code"
    __table_args__ = (CheckConstraint("cost_centre <> ''", name="cost_centre"),)

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), unique=True)
    cost_centre: Mapped[str]
    account_code: Mapped[str] = mapped_column(default="")
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]

    customer: Mapped[Customer] = relationship(lazy="raise")


class ServiceCode(Numbered):
    """Where a service's income goes, and what schools are charged on; training may go elsewhere.

    An empty `cfr_code` or `return_line` stands for the suggested one.
    """

    __tablename__ = "service_code"
    __table_args__ = (UniqueConstraint("service_id", "training"),)

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    training: Mapped[bool]
    income_centre: Mapped[str]
    income_code: Mapped[str]
    charge_code: Mapped[str]
    cfr_code: Mapped[str] = mapped_column(default="")
    return_line: Mapped[str] = mapped_column(default="")
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]

    service: Mapped[TradingService] = relationship(lazy="raise")
