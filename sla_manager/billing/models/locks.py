"""Periods whose books are locked, and those that were opened again: facts, never changed."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.store.tables import Numbered


class PeriodLock(Numbered):
    """That the books are locked up to a day, included.

    The database refuses documents, payments and refunds dated up to `through`, and allocations made before `before`,
    the instant at which that day ends in London. One that names it as reopened is a `PeriodReopening`.
    """

    __tablename__ = "period_lock"
    __table_args__ = (
        CheckConstraint("before <= locked_at", name="is_over"),
        CheckConstraint("reason <> ''", name="reason"),
        Index("ix_period_lock_through", "through"),
    )

    through: Mapped[date]
    before: Mapped[datetime]
    reason: Mapped[str]
    locked_at: Mapped[datetime]
    locked_by: Mapped[str]

    reopening: Mapped[PeriodReopening | None] = relationship(lazy="raise", back_populates="lock")


class PeriodReopening(Numbered):
    """That a lock holds no longer, and why. Only the latest lock in force can be opened again."""

    __tablename__ = "period_reopening"
    __table_args__ = (CheckConstraint("reason <> ''", name="reason"),)

    lock_id: Mapped[int] = mapped_column(ForeignKey("period_lock.id"), unique=True)
    reason: Mapped[str]
    reopened_at: Mapped[datetime]
    reopened_by: Mapped[str]

    lock: Mapped[PeriodLock] = relationship(lazy="raise", back_populates="reopening")
