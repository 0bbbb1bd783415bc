"""Done: visits in officers' diaries, what keeps an officer away, deliveries and their activities, extra time."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.agreements.models import AgreementLine, Tranche
from sla_manager.catalogue.rules.families import CoreDuty, Family
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.titles import Titled
from sla_manager.people.models import Officer, School
from sla_manager.store.columns import enum_column
from sla_manager.store.tables import Numbered
from sla_manager.visits.rules.slots import length


class VisitStatus(Titled):
    """Where a visit stands."""

    PLANNED = "planned"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    NO_ACCESS = "no_access"


class ActivityKind(Titled):
    """What the time of an activity was spent on."""

    WORK = "work"
    PREPARATION = "preparation"
    REPORT = "report"
    TRAVEL = "travel"


class ExtraTimeStatus(Titled):
    """What became of time beyond the balance."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    DECLINED = "declined"
    ABSORBED = "absorbed"


class AbsenceKind(Titled):
    """Why an officer is not available."""

    LEAVE = "leave"
    SICKNESS = "sickness"
    TRAINING = "training"
    SUPERVISION = "supervision"
    COURT = "court"


class Visit(Numbered):
    """An appointment of an officer at a school, core or against a tranche (never both).

    `booked` is the time it holds of the tranche; `day` the London date. The database refuses two planned or
    delivered visits of one officer that overlap.
    """

    __tablename__ = "visit"
    __table_args__ = (
        ForeignKeyConstraint(["tranche_id"], ["tranche.id"]),
        CheckConstraint("(duty IS NULL) <> (tranche_id IS NULL)", name="core_or_tranche"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("booked > 0", name="booked"),
        Index("ix_visit_diary", "officer_id", "day"),
        Index("ix_visit_school", "school_id", "day"),
        Index("ix_visit_tranche", "tranche_id", "status"),
    )

    uid: Mapped[str] = mapped_column(unique=True)
    sequence: Mapped[int] = mapped_column(default=0)
    officer_id: Mapped[int] = mapped_column(ForeignKey("officer.id"))
    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"))
    day: Mapped[date]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    status: Mapped[VisitStatus] = mapped_column(enum_column(VisitStatus))
    duty: Mapped[CoreDuty | None] = mapped_column(enum_column(CoreDuty))
    tranche_id: Mapped[int | None]
    booked: Mapped[Minutes]
    purpose: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    rearranges_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"))
    planned_at: Mapped[datetime]
    planned_by: Mapped[str]
    changed_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    once_key: Mapped[str | None] = mapped_column(unique=True)

    officer: Mapped[Officer] = relationship(lazy="raise")
    school: Mapped[School] = relationship(lazy="raise")
    tranche: Mapped[Tranche | None] = relationship(lazy="raise")

    @property
    def length(self) -> Minutes:
        """How long the visit is in the diary."""
        return length(self.starts_at, self.ends_at)

    @property
    def is_core(self) -> bool:
        """Whether the visit belongs to the free core offer."""
        return self.duty is not None


class Cancellation(Numbered):
    """Why and when a visit was cancelled or met a locked door, and what that costs by the policy."""

    __tablename__ = "cancellation"
    __table_args__ = (
        CheckConstraint("caused_by IN ('school', 'provider')", name="caused_by"),
        CheckConstraint("charged >= 0", name="charged"),
        CheckConstraint("caused_by = 'school' OR charged = 0", name="our_fault_is_free"),
    )

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), unique=True)
    caused_by: Mapped[str]
    notice_at: Mapped[datetime]
    clear_days: Mapped[int]
    per_cent: Mapped[int]
    charged: Mapped[Minutes]
    reason: Mapped[str]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]

    visit: Mapped[Visit] = relationship(lazy="raise")


class Absence(Numbered):
    """When an officer is not available: leave, sickness, training, supervision, court."""

    __tablename__ = "absence"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        Index("ix_absence_officer", "officer_id", "starts_at"),
    )

    officer_id: Mapped[int] = mapped_column(ForeignKey("officer.id"))
    kind: Mapped[AbsenceKind] = mapped_column(enum_column(AbsenceKind))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    withdrawn_at: Mapped[datetime | None]


class SchoolClosure(Numbered):
    """A day on which a school is not in session: INSET, a closure (both days included)."""

    __tablename__ = "school_closure"
    __table_args__ = (CheckConstraint("ends_on >= starts_on", name="ends_after_start"),)

    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), index=True)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    why: Mapped[str]


class Delivery(Numbered):
    """The time actually given at a visit, logged once. `delivered_on` decides the financial year."""

    __tablename__ = "delivery"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), unique=True)
    delivered_on: Mapped[date]
    logged_at: Mapped[datetime]
    logged_by: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    core: Mapped[Minutes]
    """Core time: free, in no ledger."""
    worked: Mapped[Minutes]
    """Traded time as worked and counted, before the charging method."""
    charged: Mapped[Minutes]
    """Traded time by the charging method: what was deducted plus what is proposed extra time."""

    visit: Mapped[Visit] = relationship(lazy="raise")
    activities: Mapped[list[Activity]] = relationship(lazy="raise", order_by="Activity.position")


class Activity(Numbered):
    """One part of a delivery. Types and counts only: no pupil is ever named."""

    __tablename__ = "activity"
    __table_args__ = (
        UniqueConstraint("delivery_id", "position"),
        CheckConstraint("minutes > 0", name="minutes"),
        CheckConstraint("cases >= 0", name="cases"),
        CheckConstraint("(family = 'core') = (duty IS NOT NULL)", name="core_has_a_duty"),
    )

    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    position: Mapped[int]
    kind: Mapped[ActivityKind] = mapped_column(enum_column(ActivityKind))
    family: Mapped[Family] = mapped_column(enum_column(Family))
    duty: Mapped[CoreDuty | None] = mapped_column(enum_column(CoreDuty))
    description: Mapped[str]
    minutes: Mapped[Minutes]
    cases: Mapped[int] = mapped_column(default=0)


class SchoolResponse(Numbered):
    """What the school says of a visit (its delivery, or its charge): agreed, or queried. The last one counts.

    `settled` is the council's answer to a query; its words say what was decided.
    """

    __tablename__ = "school_response"
    __table_args__ = (
        CheckConstraint("answer IN ('agree', 'query', 'settled')", name="answer"),
        CheckConstraint("answer = 'agree' OR length(wording) > 0", name="query_says_why"),
    )

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    answer: Mapped[str]
    wording: Mapped[str] = mapped_column(default="")
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    answered_by: Mapped[str]
    answered_at: Mapped[datetime]


class ExtraTime(Numbered):
    """Delivered time beyond the balance: recorded at once, charged only after the school approves.

    While it is proposed, a variation may take up part of it: minutes and net then fall.
    """

    __tablename__ = "extra_time"
    __table_args__ = (
        CheckConstraint("minutes > 0 AND net >= 0", name="amounts"),
        CheckConstraint("(status = 'proposed') = (decided_at IS NULL)", name="decided"),
        Index("ix_extra_time_status", "status"),
    )

    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), unique=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("agreement_line.id"), index=True)
    year: Mapped[int]
    minutes: Mapped[Minutes]
    net: Mapped[Money]
    status: Mapped[ExtraTimeStatus] = mapped_column(enum_column(ExtraTimeStatus))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)

    delivery: Mapped[Delivery] = relationship(lazy="raise")
    line: Mapped[AgreementLine] = relationship(lazy="raise")
