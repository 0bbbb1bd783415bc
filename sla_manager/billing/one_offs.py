"""One-off charges that are due: what a run would issue for them, and why one cannot be issued.

They stand beside what is due under agreements: a charge is one document, billed once by the same key (C4).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, joinedload, selectinload

from sla_manager.billing.facts import Parties, due_facts
from sla_manager.billing.issuing import Draft, DraftLine
from sla_manager.billing.models import Billed, FinancePolicy, OneOffCharge, OneOffWithdrawal
from sla_manager.billing.queries.policy import finance_policy
from sla_manager.billing.rules.dues import DueLine, PurchaseOrderMissing, totals_of, vat_sentence
from sla_manager.billing.rules.kinds import charge_kind
from sla_manager.billing.rules.orders import purchase_order_needed
from sla_manager.catalogue.rules.vat import DatedRate, Route, Totals, rate_at
from sla_manager.kernel.errors import Conflict, Refused
from sla_manager.kernel.words import counted, long_date, pounds
from sla_manager.people.models import Customer, Provider, School

CHARGE_TITLES = {
    "training": "Training",
    "audit": "Audit",
    "referral": "Referral",
    "other": "One-off charge",
    "debit": "Debit note",
    "late_payment": "Late payment",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeDue:
    """A one-off charge as a run would issue it. `trouble` says why it cannot be issued."""

    charge: OneOffCharge
    lines: tuple[DueLine, ...]
    trouble: Refused | None

    @property
    def reference(self) -> str:
        """What it is called before it has a number."""
        return f"{CHARGE_TITLES[self.charge.kind]} {self.charge.id}"

    @property
    def customer(self) -> str:
        """Who pays."""
        payer = self.charge.customer.trust or self.charge.customer.school
        return payer.name if payer is not None else self.charge.customer.account_reference

    def totals(self, rates: Sequence[DatedRate]) -> Totals:
        """Return net, VAT at the tax point's rate, and gross."""
        return totals_of(self.lines, self.charge.delivered_on, rates)


def charges_due(
    session: Session, as_at: date, rates: Sequence[DatedRate], *, only: Collection[int] | None = None
) -> list[ChargeDue]:
    """Return the charges for what was done by a day and is neither billed nor withdrawn, the oldest first."""
    query = (
        select(OneOffCharge)
        .where(
            OneOffCharge.delivered_on <= as_at,
            ~exists().where(OneOffWithdrawal.charge_id == OneOffCharge.id),
            ~exists().where(Billed.purpose == "one_off", Billed.source_id == OneOffCharge.id),
        )
        .options(
            selectinload(OneOffCharge.lines),
            joinedload(OneOffCharge.service),
            joinedload(OneOffCharge.customer).joinedload(Customer.school).joinedload(School.trust),
            joinedload(OneOffCharge.customer).joinedload(Customer.trust),
            joinedload(OneOffCharge.school).joinedload(School.trust),
            joinedload(OneOffCharge.supplements),
        )
        .order_by(OneOffCharge.delivered_on, OneOffCharge.id)
    )
    if only is not None:
        query = query.where(OneOffCharge.id.in_(only))
    policy = finance_policy(session)
    return [_due(charge, policy, rates) for charge in session.scalars(query)]


def _due(charge: OneOffCharge, policy: FinancePolicy, rates: Sequence[DatedRate]) -> ChargeDue:
    lines = tuple(_line(charge, place) for place in range(len(charge.lines)))
    found = ChargeDue(charge=charge, lines=lines, trouble=None)
    missing = (
        charge.kind != "late_payment"
        and not charge.purchase_order
        and purchase_order_needed(
            charge.route,
            found.totals(rates).gross,
            by_customer=charge.customer.purchase_order_required,
            least=policy.purchase_order_from,
        )
    )
    if not missing:
        return found
    return ChargeDue(
        charge=charge, lines=lines, trouble=PurchaseOrderMissing(found.customer, found.reference)
    )


def _line(charge: OneOffCharge, place: int) -> DueLine:
    line = charge.lines[place]
    said = f"{counted(Decimal(line.quantity), line.unit)} × {pounds(line.unit_price)} = {pounds(line.net)}"
    why = tuple(line.explanation) or (said,)
    if charge.supplements is not None:
        added = charge.supplements
        why = (*why, f"adds to {added.number} of {long_date(added.issued_on)}")
    return DueLine(
        line_id=None,
        description=line.description,
        period=long_date(charge.delivered_on),
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        net=line.net,
        vat_code=line.vat_code,
        vat_reason=line.vat_reason,
        why=why,
    )


def charge_draft(provider: Provider, rates: Sequence[DatedRate], due: ChargeDue, *, issued_on: date) -> Draft:
    """Return the document that is to be issued for a charge, complete but for its number."""
    charge = due.charge
    kind, totals = charge_kind(charge.route), due.totals(rates)
    due_on = issued_on + timedelta(days=provider.payment_days) if charge.route is Route.INVOICE else None
    parties = Parties(provider, charge.service, charge.customer, charge.school, due.reference)
    facts = due_facts(
        parties, kind, due.lines, totals,
        issued_on=issued_on, tax_point=charge.delivered_on, due_on=due_on,
        purchase_order=charge.purchase_order, rates=rates,
    )  # fmt: skip
    if charge.supplements is not None:
        added = charge.supplements
        facts["supplements"] = {
            "number": added.number, "date": added.issued_on.isoformat(), "reason": charge.reason
        }  # fmt: skip
    return Draft(
        kind=kind,
        service_id=charge.service_id,
        service_series=charge.service.series,
        customer_id=charge.customer_id,
        customer_name=parties.customer_name,
        agreement_id=None,
        tax_point=charge.delivered_on,
        issued_on=issued_on,
        due_on=due_on,
        purchase_order=charge.purchase_order,
        lines=tuple(
            _draft_line(line, rate_at(line.vat_code, charge.delivered_on, rates)) for line in due.lines
        ),
        totals=totals,
        facts=facts,
        sources=(("one_off", charge.id),),
        source_route=charge.route,
        reason=charge.reason,
    )


def require_not_withdrawn(session: Session, charge_id: int) -> None:
    """Refuse to bill a charge that somebody withdrew since the run was planned; nobody withdraws it meanwhile."""
    session.execute(select(OneOffCharge.id).where(OneOffCharge.id == charge_id).with_for_update())
    if session.scalar(select(exists().where(OneOffWithdrawal.charge_id == charge_id))):
        raise Conflict("This charge was withdrawn. It is not billed.")


def _draft_line(line: DueLine, rate: int) -> DraftLine:
    return DraftLine(
        line_id=None,
        description=line.description,
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        net=line.net,
        vat_code=line.vat_code,
        vat_rate=rate,
        explanation=(*line.why, vat_sentence(line.vat_code, rate, line.vat_reason)),
    )
