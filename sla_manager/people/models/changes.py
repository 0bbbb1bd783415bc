"""What becomes of schools: the register's links between them, and the changes that follow for agreements."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.people.models.people import School, Trust
from sla_manager.people.rules.links import ChangeKind
from sla_manager.store.columns import enum_column
from sla_manager.store.tables import Numbered


class SchoolLink(Numbered):
    """One row of the register's links file: a school, the other one, and what that one is to it."""

    __tablename__ = "school_link"
    __table_args__ = (
        UniqueConstraint("urn", "link_urn", "link_type"),
        Index("ix_school_link_other", "link_urn"),
    )

    urn: Mapped[int]
    link_urn: Mapped[int]
    link_name: Mapped[str]
    link_type: Mapped[str]
    established_on: Mapped[date | None]
    imported_at: Mapped[datetime]


class SchoolChange(Numbered):
    """A conversion, merger, closure or change of trust: found in the register or entered, then decided on.

    `effective_on` is the first day of what comes after. `to_school` is None for a closure.
    """

    __tablename__ = "school_change"
    __table_args__ = (
        UniqueConstraint("from_school_id", "kind", "effective_on"),
        CheckConstraint("source IN ('links', 'hand')", name="source"),
        CheckConstraint("status IN ('found', 'confirmed', 'dismissed')", name="status"),
        CheckConstraint("(kind = 'closure') = (to_school_id IS NULL)", name="closure_has_no_successor"),
        CheckConstraint(
            "(kind = 'trust_change') = (to_school_id IS NOT NULL AND to_school_id = from_school_id)",
            name="trust_change_stays",
        ),
        CheckConstraint("(status = 'found') = (decided_at IS NULL)", name="decided"),
    )

    kind: Mapped[ChangeKind] = mapped_column(enum_column(ChangeKind))
    from_school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), index=True)
    to_school_id: Mapped[int | None] = mapped_column(ForeignKey("school.id"), index=True)
    trust_id: Mapped[int | None] = mapped_column(ForeignKey("trust.id"))
    """The trust that pays from then on, or None: the school itself."""
    effective_on: Mapped[date]
    source: Mapped[str]
    status: Mapped[str] = mapped_column(default="found")
    reason: Mapped[str] = mapped_column(default="")
    found_at: Mapped[datetime]
    found_by: Mapped[str]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)
    once_key: Mapped[str | None] = mapped_column(unique=True)

    from_school: Mapped[School] = relationship(lazy="raise", foreign_keys=[from_school_id])
    to_school: Mapped[School | None] = relationship(lazy="raise", foreign_keys=[to_school_id])
    trust: Mapped[Trust | None] = relationship(lazy="raise")
