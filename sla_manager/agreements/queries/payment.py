"""The documents that an agreement will lead to, exactly as they will be issued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement, AgreementLine
from sla_manager.agreements.queries.dropped import dropped_instalments
from sla_manager.agreements.queries.lists import instalments
from sla_manager.agreements.rules.schedules import Schedule, plan_instalments
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.catalogue.queries import vat_rates
from sla_manager.catalogue.rules.vat import (
    DatedRate,
    Route,
    TaxedLine,
    Totals,
    VatRow,
    document_totals,
    rate_at,
)
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import Period
from sla_manager.people.queries import the_provider

_KINDS = {
    Route.INVOICE: ("Invoice", "Credit note"),
    Route.RECHARGE: ("Recharge note", "Recharge credit note"),
}
_MADE = (AgreementStatus.AGREED, AgreementStatus.ENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedDocument:
    """One document to come: its label, dates, route and exact totals. `parts` is each line's net in it."""

    label: str
    purpose: str
    due_on: date
    """The date of the document, its tax point."""
    payable_by: date | None
    route: Route
    totals: Totals
    parts: tuple[tuple[AgreementLine, Money], ...]

    @property
    def net(self) -> Money:
        """The net."""
        return self.totals.net

    @property
    def vat(self) -> Money:
        """The VAT, computed once per code on this document's sum."""
        return self.totals.vat

    @property
    def gross(self) -> Money:
        """The gross."""
        return self.totals.gross

    @property
    def vat_rows(self) -> tuple[VatRow, ...]:
        """One row for each VAT code and rate."""
        return self.totals.rows


@dataclass(frozen=True, slots=True)
class Billing:
    """What documents need of the council: rates of VAT, days to pay, where its financial year starts."""

    rates: Sequence[DatedRate]
    payment_days: int
    start_month: int


def billing_facts(session: Session) -> Billing:
    """Return the council's facts that decide documents."""
    provider = the_provider(session)
    return Billing(vat_rates(session), provider.payment_days, provider.financial_year_start_month)


def quoted_documents(
    session: Session, agreement: Agreement, *, billing: Billing | None = None
) -> list[QuotedDocument]:
    """Return the documents of an agreement, its lines loaded: planned before it is agreed, then as arranged.

    On delivery there are none beforehand. A recharge is never on one document with an invoice.
    """
    billing = billing or billing_facts(session)
    if agreement.status not in _MADE:
        return planned_documents(
            agreement.lines,
            agreement.schedule,
            Period.through(agreement.starts_on, agreement.ends_on),
            billing,
        )
    documents: list[QuotedDocument] = []
    dropped = dropped_instalments(session, agreement.id)
    for one in (one for one in instalments(session, agreement.id) if one.id not in dropped):
        parts = [(part.line, part.net) for part in one.parts]
        documents += _documents(
            one.due_on, parts, billing, purpose=one.purpose, words=f"{one.position} of {one.count}"
        )
    return documents


def planned_documents(
    lines: Sequence[AgreementLine], schedule: Schedule, term: Period, billing: Billing
) -> list[QuotedDocument]:
    """Return the documents that lines, a schedule and a term lead to; depends on nothing else (M8)."""
    documents: list[QuotedDocument] = []
    nets = [line.net for line in lines]
    for planned in plan_instalments(schedule, term, nets, start_month=billing.start_month):
        parts = [(line, part) for line, part in zip(lines, planned.parts, strict=True) if part]
        words = f"{planned.position} of {planned.count}"
        documents += _documents(planned.due_on, parts, billing, purpose="instalment", words=words)
    return documents


def agreement_totals(
    lines: Sequence[AgreementLine], schedule: Schedule, term: Period, billing: Billing
) -> tuple[Money, Money]:
    """Return net and VAT: the sums of the documents, or of one document when it is billed on delivery."""
    documents = planned_documents(lines, schedule, term, billing)
    if schedule is Schedule.ON_DELIVERY:
        documents = _as_one(lines, term.start, billing)
    return total(one.net for one in documents), total(one.vat for one in documents)


def on_delivery_total(session: Session, agreement: Agreement) -> list[QuotedDocument]:
    """Return what an agreement billed on delivery would cost in one document: what it comes to at most."""
    return _as_one(agreement.lines, agreement.starts_on, billing_facts(session))


def _as_one(lines: Sequence[AgreementLine], on: date, billing: Billing) -> list[QuotedDocument]:
    return _documents(on, [(line, line.net) for line in lines], billing, purpose="instalment", words="")


def _documents(
    due_on: date,
    parts: Sequence[tuple[AgreementLine, Money]],
    billing: Billing,
    *,
    purpose: str,
    words: str,
) -> list[QuotedDocument]:
    documents = []
    for route, (kind, credit) in _KINDS.items():
        own = tuple((line, net) for line, net in parts if line.route is route)
        totals = document_totals(
            TaxedLine(net, line.vat_code, rate_at(line.vat_code, due_on, billing.rates), line.vat_reason)
            for line, net in own
        )
        if not own or not totals.gross:
            continue
        label = kind if totals.gross.pence > 0 else credit
        payable = route is Route.INVOICE and totals.gross.pence > 0
        documents.append(
            QuotedDocument(
                label=f"{label} for the variation" if purpose == "variation" else f"{label} {words}".strip(),
                purpose=purpose,
                due_on=due_on,
                payable_by=due_on + timedelta(days=billing.payment_days) if payable else None,
                route=route,
                totals=totals,
                parts=own,
            )
        )
    return documents
