"""What changes after signing: notice and renewal, variations that wait for a signature, early ends, transfers."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sla_manager.agreements.models.agreements import Agreement, AgreementLine, Instalment, Variation
from sla_manager.agreements.rules.proposals import Medium, ProposalStatus
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.people.models import TradingService
from sla_manager.people.models.changes import SchoolChange
from sla_manager.store.columns import enum_column
from sla_manager.store.tables import Numbered


class AgreementPolicy(Numbered):
    """What a service offers in every new agreement: how it is ended early, and whether it renews by itself.

    It decides quotes that are made from now on; what was signed keeps its own terms.
    """

    __tablename__ = "agreement_policy"
    __table_args__ = (
        CheckConstraint("notice_months BETWEEN 0 AND 12", name="notice_months"),
        CheckConstraint("version > 0", name="version"),
    )

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), unique=True)
    notice_months: Mapped[int] = mapped_column(default=0)
    """How many months' notice ends an agreement early; 0: it runs to its last day."""
    renews: Mapped[bool] = mapped_column(default=False)
    wording: Mapped[str] = mapped_column(default="")
    """The service's own sentence on notice and renewal, printed in the document."""
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)

    service: Mapped[TradingService] = relationship(lazy="raise")


class VariationProposal(Numbered):
    """A change of a line's quantity that waits to be signed: what it would do, and then who signed it.

    What is proposed never changes; `facts` are renewed when a request becomes a proposal and when it is signed.
    """

    __tablename__ = "variation_proposal"
    __table_args__ = (
        CheckConstraint("quantity <> 0", name="not_nothing"),
        CheckConstraint(
            "(status = 'signed') = (variation_id IS NOT NULL) AND (status = 'signed') = (signed_at IS NOT NULL)",
            name="signed_has_its_variation",
        ),
        CheckConstraint("version > 0", name="version"),
        Index("ix_variation_proposal_line", "line_id", "status"),
    )

    line_id: Mapped[int] = mapped_column(ForeignKey("agreement_line.id"))
    quantity: Mapped[Decimal]
    effective_on: Mapped[date]
    reason: Mapped[str]
    facts: Mapped[dict[str, Any]]
    """What the preview showed: days, money, documents issued and to come, extra time that is taken up."""
    sha256: Mapped[str]
    proposed_by: Mapped[str]
    proposed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    proposed_at: Mapped[datetime]
    valid_until: Mapped[date]
    status: Mapped[ProposalStatus] = mapped_column(enum_column(ProposalStatus))
    status_reason: Mapped[str] = mapped_column(default="")
    medium: Mapped[Medium | None] = mapped_column(enum_column(Medium))
    """How it was signed: on the school's page, or on paper that the service keeps."""
    name: Mapped[str] = mapped_column(default="")
    role: Mapped[str] = mapped_column(default="")
    statement: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    signed_at: Mapped[datetime | None]
    document_sha256: Mapped[str] = mapped_column(default="")
    variation_id: Mapped[int | None] = mapped_column(ForeignKey("variation.id"), unique=True)
    version: Mapped[int] = mapped_column(default=1)
    once_key: Mapped[str | None] = mapped_column(unique=True)

    line: Mapped[AgreementLine] = relationship(lazy="raise")
    variation: Mapped[Variation | None] = relationship(lazy="raise")


class Termination(Numbered):
    """That an agreement ends before its last day: by whose notice or consent, when, and what is payable."""

    __tablename__ = "termination"
    __table_args__ = (
        CheckConstraint("cause IN ('notice', 'consent', 'closure', 'transfer')", name="cause"),
        CheckConstraint("given_by IN ('school', 'council', 'both')", name="given_by"),
        CheckConstraint("payable >= 0 AND payable <= value", name="payable"),
    )

    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"), unique=True)
    cause: Mapped[str]
    given_by: Mapped[str]
    notice_on: Mapped[date]
    ends_on: Mapped[date]
    """The last day on which it holds."""
    value: Mapped[Money]
    """What was agreed, with every variation until then."""
    payable: Mapped[Money]
    reason: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    address: Mapped[str]
    facts: Mapped[dict[str, Any]]
    sha256: Mapped[str]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    once_key: Mapped[str | None] = mapped_column(unique=True)

    agreement: Mapped[Agreement] = relationship(lazy="raise")


class DroppedInstalment(Numbered):
    """An instalment that is not billed any more, because its agreement ended before it."""

    __tablename__ = "dropped_instalment"

    instalment_id: Mapped[int] = mapped_column(ForeignKey("instalment.id"), unique=True)
    termination_id: Mapped[int] = mapped_column(ForeignKey("termination.id"), index=True)

    instalment: Mapped[Instalment] = relationship(lazy="raise")


class Transfer(Numbered):
    """That an agreement went on with another customer: time moved inside its financial years, never across."""

    __tablename__ = "transfer"
    __table_args__ = (CheckConstraint("moved >= 0 AND net >= 0", name="not_negative"),)

    from_agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"), unique=True)
    to_agreement_id: Mapped[int | None] = mapped_column(ForeignKey("agreement.id"), unique=True)
    """The agreement that goes on; none when nothing was left."""
    change_id: Mapped[int | None] = mapped_column(ForeignKey("school_change.id"), index=True)
    effective_on: Mapped[date]
    moved: Mapped[Minutes]
    net: Mapped[Money]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    once_key: Mapped[str | None] = mapped_column(unique=True)

    change: Mapped[SchoolChange | None] = relationship(lazy="raise")
