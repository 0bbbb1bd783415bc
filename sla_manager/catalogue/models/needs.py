"""How much a service suggests to a school: bands that it sets itself."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.catalogue.models.offerings import Offering
from sla_manager.catalogue.rules.recommending import Basis, Measure
from sla_manager.store.columns import enum_column
from sla_manager.store.tables import Numbered


class NeedBand(Numbered):
    """From a figure (included) up to another (not included), so much of an offering is suggested.

    `to_value` None is without end; a band by phase alone goes from nothing without end. An empty `phase` is
    every school.
    """

    __tablename__ = "need_band"
    __table_args__ = (
        CheckConstraint("to_value IS NULL OR from_value < to_value", name="range"),
        CheckConstraint("from_value >= 0", name="from_value"),
        CheckConstraint("quantity >= 0", name="quantity"),
        CheckConstraint(
            "measure <> 'phase' OR (phase <> '' AND from_value = 0 AND to_value IS NULL)", name="phase_alone"
        ),
        Index("uq_need_band_begins", "offering_id", "measure", "phase", "from_value", unique=True),
    )

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    measure: Mapped[Measure] = mapped_column(enum_column(Measure))
    phase: Mapped[str] = mapped_column(default="")
    from_value: Mapped[Decimal]
    to_value: Mapped[Decimal | None]
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"))
    quantity: Mapped[Decimal]
    basis: Mapped[Basis] = mapped_column(enum_column(Basis))
    wording: Mapped[str] = mapped_column(default="")
    """What the service says besides, such as why; it may be empty."""

    offering: Mapped[Offering] = relationship(lazy="raise")
