"""Agreements that were made together."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.agreements.models.agreements import Agreement, Tranche
from sla_manager.agreements.rules.partnerships import Invoicing, PartnershipKind
from sla_manager.kernel.minutes import Minutes
from sla_manager.people.models import School, Trust
from sla_manager.store.columns import enum_column
from sla_manager.store.tables import Numbered


class Partnership(Numbered):
    """Schools that buy together. Each has its own agreement: its own balance, its own class, its own charges."""

    __tablename__ = "partnership"
    __table_args__ = (
        CheckConstraint("(kind = 'trust') = (trust_id IS NOT NULL)", name="trust"),
        CheckConstraint("kind = 'trust' OR invoicing = 'each'", name="owners_are_invoiced_apart"),
    )

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    kind: Mapped[PartnershipKind] = mapped_column(enum_column(PartnershipKind))
    invoicing: Mapped[Invoicing] = mapped_column(enum_column(Invoicing))
    name: Mapped[str]
    trust_id: Mapped[int | None] = mapped_column(ForeignKey("trust.id"), index=True)
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    once_key: Mapped[str | None] = mapped_column(unique=True)

    trust: Mapped[Trust | None] = relationship(lazy="raise")
    members: Mapped[list[PartnershipMember]] = relationship(
        lazy="raise", order_by="PartnershipMember.position", back_populates="partnership"
    )


class PartnershipMember(Numbered):
    """One school in a partnership, its agreement, its weight among all, and in a pool the most it may use."""

    __tablename__ = "partnership_member"
    __table_args__ = (
        UniqueConstraint("partnership_id", "school_id"),
        CheckConstraint("weight > 0", name="weight"),
        CheckConstraint("cap IS NULL OR cap > 0", name="cap"),
    )

    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"))
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"), unique=True)
    position: Mapped[int]
    weight: Mapped[int]
    cap: Mapped[Minutes | None]
    """The most time that this school may use in a financial year, its own share included; None: no limit."""

    partnership: Mapped[Partnership] = relationship(lazy="raise", back_populates="members")
    school: Mapped[School] = relationship(lazy="raise")
    agreement: Mapped[Agreement] = relationship(lazy="raise")


class PoolMove(Numbered):
    """Time that one partner gave another in a pool: two ledger entries, equal and opposite, in one year."""

    __tablename__ = "pool_move"
    __table_args__ = (
        CheckConstraint("minutes > 0", name="minutes"),
        CheckConstraint("from_tranche_id <> to_tranche_id", name="two_tranches"),
    )

    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"), index=True)
    from_tranche_id: Mapped[int] = mapped_column(ForeignKey("tranche.id"))
    to_tranche_id: Mapped[int] = mapped_column(ForeignKey("tranche.id"))
    minutes: Mapped[Minutes]
    effective_on: Mapped[date]
    moved_at: Mapped[datetime]
    moved_by: Mapped[str]

    from_tranche: Mapped[Tranche] = relationship(lazy="raise", foreign_keys=[from_tranche_id])
    to_tranche: Mapped[Tranche] = relationship(lazy="raise", foreign_keys=[to_tranche_id])
