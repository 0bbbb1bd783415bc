"""What a service costs to provide in a financial year: entered by finance, for the law's comparison with its income."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.store.tables import Numbered


class ServiceCost(Numbered):
    """The cost of one service in one financial year.

    `day_cost` is what an officer's day of `day_minutes` costs, employer's costs included; `overhead` everything else
    that the traded part of the service takes (management, rooms, systems). `basis` says how they were found.
    """

    __tablename__ = "service_cost"
    __table_args__ = (
        UniqueConstraint("service_id", "year"),
        CheckConstraint("day_cost > 0 AND overhead >= 0", name="amounts"),
        CheckConstraint("day_minutes > 0", name="day_minutes"),
    )

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    year: Mapped[int]
    day_cost: Mapped[Money]
    day_minutes: Mapped[Minutes]
    overhead: Mapped[Money]
    basis: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
