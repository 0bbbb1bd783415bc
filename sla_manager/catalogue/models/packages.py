"""What is in a package."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.catalogue.models.offerings import Offering
from sla_manager.store.tables import Numbered


class PackagePart(Numbered):
    """One offering in a package, and how much of it is included.

    A core offering may be named, to say that it is free; it never becomes a line. A package holds no package.
    """

    __tablename__ = "package_part"
    __table_args__ = (
        UniqueConstraint("package_id", "offering_id"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("package_id <> offering_id", name="not_itself"),
    )

    package_id: Mapped[int] = mapped_column(ForeignKey("offering.id"))
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), index=True)
    quantity: Mapped[Decimal]
    position: Mapped[int]

    offering: Mapped[Offering] = relationship(lazy="raise", foreign_keys=[offering_id])
