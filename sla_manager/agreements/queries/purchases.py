"""What a school bought by financial year and what became of it, to stand beside what is offered now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement, AgreementLine, Tranche
from sla_manager.agreements.queries.balances import TrancheBalance, balances
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One line of an agreement in one financial year. Time is None for what is not counted in time.

    `quantity` and `net` are as they were signed; `bought` has every variation since.
    """

    offering_id: int
    service_id: int
    agreement_id: int
    reference: str
    description: str
    year: FinancialYear
    unit: str
    unit_minutes: Minutes | None
    quantity: Decimal
    unit_price: Money
    net: Money
    balance: TrancheBalance | None

    @property
    def bought(self) -> Minutes | None:
        """What was bought, variations included."""
        return self.balance.figures.contracted + self.balance.figures.varied if self.balance else None

    @property
    def used(self) -> Minutes | None:
        """What was delivered, or charged for a late cancellation or a locked door."""
        return self.balance.figures.delivered + self.balance.figures.charged if self.balance else None


def purchases(session: Session, school_id: int, years: Collection[int]) -> list[Purchase]:
    """Return what a school bought in financial years (by the calendar year they begin in), the latest first.

    Two queries, however many lines.
    """
    query = (
        select(Tranche, AgreementLine, Agreement.reference, Agreement.service_id)
        .join(AgreementLine, AgreementLine.id == Tranche.line_id)
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .where(Agreement.school_id == school_id, Tranche.year.in_(years))
        .order_by(Tranche.year.desc(), Agreement.id, AgreementLine.position)
    )
    held = {one.tranche_id: one for one in balances(session, school_id=school_id) if one.year in years}
    return [
        Purchase(
            offering_id=line.offering_id,
            service_id=service_id,
            agreement_id=line.agreement_id,
            reference=reference,
            description=line.description,
            year=FinancialYear(tranche.year),
            unit=line.unit,
            unit_minutes=line.unit_minutes,
            quantity=tranche.quantity,
            unit_price=line.unit_price,
            net=held[tranche.id].net if tranche.id in held else tranche.net,
            balance=held.get(tranche.id),
        )
        for tranche, line, reference, service_id in session.execute(query)
    ]
