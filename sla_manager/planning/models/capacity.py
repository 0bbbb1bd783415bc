"""What a service keeps free for the core offer in a financial year, and orders accepted beyond what is left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sla_manager.kernel.minutes import Minutes
from sla_manager.store.tables import Numbered


class CapacityPlan(Numbered):
    """A service's settings for one financial year. Times are of all officers together, in minutes.

    `schools` is how many schools have a targeting support meeting each term; None is every open school of the
    authority. `meeting` is one such meeting with its preparation.
    """

    __tablename__ = "capacity_plan"
    __table_args__ = (
        UniqueConstraint("service_id", "year"),
        CheckConstraint("day_length BETWEEN 60 AND 720", name="day_length"),
        CheckConstraint("meeting BETWEEN 1 AND 1440", name="meeting"),
        CheckConstraint("schools IS NULL OR schools >= 0", name="schools"),
        CheckConstraint(
            "supervision >= 0 AND court >= 0 AND duty_rota >= 0 AND audits >= 0 AND training >= 0 "
            "AND planned_leave >= 0",
            name="not_negative",
        ),
        CheckConstraint("version > 0", name="version"),
    )

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    year: Mapped[int]
    day_length: Mapped[Minutes]
    meeting: Mapped[Minutes]
    schools: Mapped[int | None]
    supervision: Mapped[Minutes]
    court: Mapped[Minutes]
    duty_rota: Mapped[Minutes]
    audits: Mapped[Minutes]
    training: Mapped[Minutes]
    planned_leave: Mapped[Minutes]
    note: Mapped[str] = mapped_column(default="")
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)


class CapacityDecision(Numbered):
    """An order that was accepted although officers have no time for it: by how much, why, by whom. Never changed."""

    __tablename__ = "capacity_decision"
    __table_args__ = (
        CheckConstraint("asked > 0 AND over_by > 0", name="beyond"),
        CheckConstraint("length(reason) > 0", name="reason"),
    )

    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"), unique=True)
    asked: Mapped[Minutes]
    free_before: Mapped[Minutes]
    """What was free in the years of the order, before it; below nothing when too much was sold already."""
    over_by: Mapped[Minutes]
    day_length: Mapped[Minutes]
    facts: Mapped[dict[str, Any]]
    """Year by year and term by term: what was asked, what was free."""
    reason: Mapped[str]
    decided_by: Mapped[str]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime]
