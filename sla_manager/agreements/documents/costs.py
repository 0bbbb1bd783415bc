"""What an agreement costs, with the documents exactly as they will be issued: their sum is the total."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement
from sla_manager.agreements.queries import QuotedDocument
from sla_manager.agreements.queries.payment import Billing, on_delivery_total
from sla_manager.agreements.queries.takeovers import documents_as_agreed
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.catalogue.rules.vat import Route, VatCode
from sla_manager.gateways.printing.agreement_facts import Costs, PaymentDue
from sla_manager.gateways.printing.facts import VatRow
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.quantities import plain

_LETTERS = {VatCode.STANDARD: "S", VatCode.ZERO: "Z", VatCode.EXEMPT: "E", VatCode.OUTSIDE_SCOPE: "O"}


def costs(
    session: Session, agreement: Agreement, *, payment_days: int, billing: Billing | None = None
) -> Costs:
    """Return totals, VAT rows, the reason of the route and the payment schedule; `billing` where it is known."""
    documents = documents_as_agreed(session, agreement, billing=billing)
    on_delivery = agreement.schedule is Schedule.ON_DELIVERY
    counted = on_delivery_total(session, agreement) if on_delivery else documents
    net, vat = total(one.net for one in counted), total(one.vat for one in counted)
    invoiced = any(line.route is Route.INVOICE for line in agreement.lines)
    return Costs(
        shows_vat=invoiced,
        vat_rows=_vat_rows(counted),
        net=str(net),
        vat=str(vat),
        gross=str(net + vat),
        route_reason=". ".join(dict.fromkeys(line.vat_reason for line in agreement.lines if line.vat_reason))
        + ".",
        payment_terms=_terms(invoiced=invoiced, on_delivery=on_delivery, payment_days=payment_days),
        schedule=tuple(
            PaymentDue(
                label=one.label,
                issued_on=one.due_on.isoformat(),
                due_on=one.payable_by.isoformat() if one.payable_by else None,
                net=str(one.net),
                vat=str(one.vat),
                gross=str(one.gross),
            )
            for one in documents
        ),
    )


def _vat_rows(documents: list[QuotedDocument]) -> tuple[VatRow, ...]:
    """Return one row for each code and rate: sums of the documents' own rows, never computed again."""
    sums: dict[tuple[VatCode, int], tuple[Money, Money, str]] = {}
    for row in (row for one in documents for row in one.vat_rows):
        net, vat, reason = sums.get((row.code, row.rate), (Money(0), Money(0), row.reason))
        sums[row.code, row.rate] = (net + row.net, vat + row.vat, reason)
    return tuple(
        VatRow(
            code=_LETTERS[code],
            label=code.title,
            rate=None if code in (VatCode.EXEMPT, VatCode.OUTSIDE_SCOPE) else plain(Decimal(rate) / 100),
            net=str(net),
            vat=str(vat),
            reason=reason if code in (VatCode.EXEMPT, VatCode.OUTSIDE_SCOPE) else None,
        )
        for (code, rate), (net, vat, reason) in sums.items()
    )


def _terms(*, invoiced: bool, on_delivery: bool, payment_days: int) -> str:
    when = "We charge for each visit after it took place. " if on_delivery else ""
    if invoiced:
        return f"{when}Each invoice is due within {payment_days} days of its date."
    return f"{when}Each recharge is taken from your delegated budget by journal. There is nothing for you to pay."
