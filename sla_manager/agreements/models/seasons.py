"""Seasons of buy-back, each school's renewal in them, notices of not renewing, and what renewed by itself."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.agreements.models.agreements import Agreement
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.seasons import Answer, OrderingWindow, SeasonDates, Stage
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import Period
from sla_manager.people.models import School, TradingService
from sla_manager.store.columns import enum_column
from sla_manager.store.tables import Numbered


class Season(Numbered):
    """A service's season: which period is sold, and from when and until when it is bought.

    `year` is the calendar year in which the period starts. The schedule, notice and renewal are what a renewal
    proposes where last year's agreement says nothing else.
    """

    __tablename__ = "season"
    __table_args__ = (
        UniqueConstraint("service_id", "starts_on"),
        CheckConstraint("ends_on >= starts_on", name="ends_after_start"),
        CheckConstraint("builds_from <= submit_from AND submit_from <= due_by", name="dates_in_order"),
        CheckConstraint("notice_months BETWEEN 0 AND 12", name="notice_months"),
        CheckConstraint("version > 0", name="version"),
    )

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    year: Mapped[int]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    builds_from: Mapped[date]
    submit_from: Mapped[date]
    due_by: Mapped[date]
    schedule: Mapped[Schedule] = mapped_column(enum_column(Schedule))
    notice_months: Mapped[int] = mapped_column(default=0)
    renews: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    requested_at: Mapped[datetime | None]
    """When somebody asked for the renewals to be prepared; the worker does it."""
    requested_by: Mapped[str] = mapped_column(default="")
    requested_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    prepared_at: Mapped[datetime | None]
    """When the renewals were last prepared to the end."""
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str] = mapped_column(default="")

    service: Mapped[TradingService] = relationship(lazy="raise")

    @property
    def dates(self) -> SeasonDates:
        """The dates, for the rules."""
        return SeasonDates(
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            builds_from=self.builds_from,
            submit_from=self.submit_from,
            due_by=self.due_by,
        )

    @property
    def window(self) -> OrderingWindow:
        """When what is sold can be ordered."""
        return OrderingWindow(
            season_id=self.id,
            starts_on=self.starts_on,
            builds_from=self.builds_from,
            submit_from=self.submit_from,
            due_by=self.due_by,
        )

    @property
    def period(self) -> Period:
        """The period that is sold."""
        return Period.through(self.starts_on, self.ends_on)

    @property
    def name(self) -> str:
        """How people call it: "2027-28"."""
        return f"{self.starts_on.year}-{(self.starts_on.year + 1) % 100:02d}"

    @property
    def is_being_prepared(self) -> bool:
        """Whether somebody asked for renewals that are not all prepared yet."""
        return self.requested_at is not None and (
            self.prepared_at is None or self.prepared_at < self.requested_at
        )


class Renewal(Numbered):
    """One school's renewal in a season: last year's agreements, the prepared quote, and the answer.

    `quote_id` is what was prepared; `agreement_id` is what counts now: the same, or what the school ordered instead.
    Where `trouble` stands, nothing could be prepared. Last year's figures are as agreed, variations included.
    """

    __tablename__ = "renewal"
    __table_args__ = (
        UniqueConstraint("season_id", "school_id"),
        CheckConstraint("quote_id IS NULL OR agreement_id IS NOT NULL", name="quote_and_agreement"),
        CheckConstraint("answer = 'none' OR answered_at IS NOT NULL", name="answered_when"),
        CheckConstraint("answer <> 'declined' OR reason <> ''", name="declined_why"),
        Index("ix_renewal_answer", "season_id", "answer"),
    )

    season_id: Mapped[int] = mapped_column(ForeignKey("season.id"))
    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), index=True)
    previous: Mapped[list[Any]] = mapped_column(default=list)
    """Keys of the agreements that are renewed."""
    quote_id: Mapped[int | None] = mapped_column(ForeignKey("agreement.id"), unique=True)
    agreement_id: Mapped[int | None] = mapped_column(ForeignKey("agreement.id"), unique=True)
    last_net: Mapped[Money]
    last_minutes: Mapped[Minutes]
    offered_net: Mapped[Money]
    offered_minutes: Mapped[Minutes]
    trouble: Mapped[str] = mapped_column(default="")
    prepared_at: Mapped[datetime]
    answer: Mapped[Answer] = mapped_column(enum_column(Answer), default=Answer.NONE)
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str] = mapped_column(default="")
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str] = mapped_column(default="")
    """Why the school declined."""
    reminded_at: Mapped[datetime | None]
    reminded_stage: Mapped[Stage | None] = mapped_column(enum_column(Stage))

    season: Mapped[Season] = relationship(lazy="raise")
    school: Mapped[School] = relationship(lazy="raise")
    agreement: Mapped[Agreement | None] = relationship(lazy="raise", foreign_keys=[agreement_id])


class RenewalNotice(Numbered):
    """A school's notice that an agreement is not to renew by itself. Never changed."""

    __tablename__ = "renewal_notice"

    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"), unique=True)
    given_on: Mapped[date]
    given_by: Mapped[str]
    given_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str] = mapped_column(default="")
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]


class AutomaticRenewal(Numbered):
    """An agreement that renewed by itself because no notice was given: once, with the clause it rests on."""

    __tablename__ = "automatic_renewal"

    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"), unique=True)
    renewed_as_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"), unique=True)
    renewed_at: Mapped[datetime]
    clause: Mapped[str]
