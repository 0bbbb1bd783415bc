"""The invoice run: what is due is previewed, then issued, each document alone in its own transaction.

Two runs at once, or a run killed and started again, issue each thing once: the database holds it (C4). What cannot
be issued is parked with its reason, the rest goes on, and the next run tries the parked ones again (C5).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement
from sla_manager.billing.commands.crediting import credit_agreement
from sla_manager.billing.facts import Parties, due_facts, of_several
from sla_manager.billing.issuing import Draft, DraftLine, IssuedDocument, issue
from sla_manager.billing.models import Parked
from sla_manager.billing.one_offs import ChargeDue, charge_draft, charges_due, require_not_withdrawn
from sla_manager.billing.queries.dues import DuePlan, customer_name, due_plan
from sla_manager.billing.queries.locks import require_open
from sla_manager.billing.rules.dues import Due, DueLine, vat_sentence
from sla_manager.billing.rules.kinds import DocumentKind, charge_kind, credit_kind, series_of
from sla_manager.catalogue.queries import vat_rates
from sla_manager.catalogue.rules.vat import UK_RATES, DatedRate, rate_at
from sla_manager.kernel.errors import ProductError
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.references import document_number
from sla_manager.people.models import Provider
from sla_manager.people.queries import the_provider
from sla_manager.store.audit import Actor
from sla_manager.store.constraints import explain
from sla_manager.store.database import Database
from sla_manager.store.numbers import DateBeforeLastNumber, NumberSeries
from sla_manager.store.outbox import post

_TROUBLES = (ProductError, IntegrityError, DataError, ValueError, TypeError, LookupError, ArithmeticError)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRow:
    """One document of a preview: for which agreement and what, and why it cannot be issued, when it cannot."""

    agreement_id: int | None
    """None for a one-off charge."""
    reference: str
    school: str
    customer_id: int
    customer: str
    label: str
    kind: DocumentKind
    tax_point: date
    net: Money
    vat: Money
    gross: Money
    why: tuple[str, ...]
    trouble: str
    parts: tuple[tuple[int, Money], ...]
    """What each agreement on it comes to: several where a trust has one invoice for its schools."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What an agreement is worth, what was billed of it, and what this run adds."""

    agreement_id: int
    reference: str
    school: str
    value: Money
    billed: Money
    now: Money

    @property
    def left(self) -> Money:
        """What is still to be billed afterwards; below nothing, more is billed than was agreed."""
        return self.value - self.billed - self.now


@dataclass(kw_only=True)
class RunResult:
    """What a run issued, or a preview would issue. `nothing` names what comes to £0.00 and so has no document."""

    as_at: date
    documents: list[IssuedDocument] = field(default_factory=list)
    already: int = 0
    parked: int = 0
    parked_reasons: dict[int, str] = field(default_factory=dict)
    refused_charges: dict[int, str] = field(default_factory=dict)
    """One-off charges that could not be billed, and why: they wait for the next run."""
    rows: list[DueRow] = field(default_factory=list)
    nothing: list[DueRow] = field(default_factory=list)

    @property
    def issued(self) -> int:
        """How many documents."""
        return len(self.documents)

    @property
    def net(self) -> Money:
        """Their net."""
        return total(document.net for document in self.documents)

    @property
    def vat(self) -> Money:
        """Their VAT."""
        return total(document.vat for document in self.documents)

    @property
    def gross(self) -> Money:
        """Their gross."""
        return total(document.gross for document in self.documents)


@dataclass(frozen=True, slots=True)
class _Council:
    """What every document of a run needs of the council, read once."""

    provider: Provider
    rates: Sequence[DatedRate]

    @property
    def start_month(self) -> int:
        return self.provider.financial_year_start_month


def _council(session: Session) -> _Council:
    return _Council(the_provider(session), vat_rates(session) or UK_RATES)


def preview_run(session: Session, as_at: date) -> RunResult:
    """Return what a run on a date would issue; reads only."""
    council, plan = _council(session), due_plan(session, as_at)
    result = RunResult(as_at=as_at, already=plan.already)
    result.nothing = [_row(council, plan, due) for due in plan.nothing]
    charges = charges_due(session, as_at, council.rates)
    result.refused_charges = {one.charge.id: one.trouble.message for one in charges if one.trouble}
    result.rows = [_row(council, plan, due) for due in plan.dues]
    result.rows += [_charge_row(council, due) for due in charges]
    for row in result.rows:
        if row.trouble:
            for agreement_id, _ in row.parts:
                result.parked_reasons.setdefault(agreement_id, row.trouble)
        else:
            result.documents.append(
                IssuedDocument(
                    id=None, number="", kind=row.kind, customer=row.customer,
                    net=row.net, vat=row.vat, gross=row.gross,
                )
            )  # fmt: skip
    result.parked = len(result.parked_reasons)
    return result


def _row(council: _Council, plan: DuePlan, due: Due) -> DueRow:
    agreement = plan.agreements[due.agreement_id]
    totals = due.totals(council.rates)
    charge = charge_kind(due.route)
    return DueRow(
        agreement_id=agreement.id,
        reference=agreement.reference,
        school=_sites(plan, due),
        customer_id=agreement.customer_id,
        customer=customer_name(agreement),
        label=due.label,
        kind=credit_kind(charge) if due.net.pence < 0 else charge,
        tax_point=due.tax_point,
        net=totals.net,
        vat=totals.vat,
        gross=totals.gross,
        why=tuple(", ".join(line.why) for line in due.lines),
        trouble=due.trouble.message if due.trouble else "",
        parts=due.parts,
    )


def _charge_row(council: _Council, due: ChargeDue) -> DueRow:
    totals, charge = due.totals(council.rates), due.charge
    return DueRow(
        agreement_id=None,
        reference=due.reference,
        school=charge.school.name if charge.school is not None else "",
        customer_id=charge.customer_id,
        customer=due.customer,
        label=due.lines[0].description,
        kind=charge_kind(charge.route),
        tax_point=charge.delivered_on,
        net=totals.net,
        vat=totals.vat,
        gross=totals.gross,
        why=tuple(", ".join(line.why) for line in due.lines),
        trouble=due.trouble.message if due.trouble else "",
        parts=(),
    )


def _sites(plan: DuePlan, due: Due) -> str:
    return ", ".join(plan.agreements[one].school.name for one in due.agreement_ids)


def run(database: Database, *, as_at: date, by: Actor, at: datetime) -> RunResult:
    """Issue everything that is due on a date, dated on it. The same run again issues nothing.

    Numbers and dates of a series rise together, so a date before the last one of a series is refused (N4); so is
    one in a locked period.
    """
    with database.reading() as session:
        require_open(session, as_at, field="as_at")
        council, plan = _council(session), due_plan(session, as_at)
        charges = charges_due(session, as_at, council.rates)
        _refuse_going_back(session, council, plan, charges)
    result = RunResult(as_at=as_at, already=plan.already)
    for due in plan.dues:
        try:
            result.documents += _issue_due(database, council, plan, due, by=by, at=at)
        except _TROUBLES as error:
            if _is_billed_already(error):
                result.already += 1
                continue
            for agreement_id in due.agreement_ids:
                result.parked_reasons.setdefault(agreement_id, _reason(error))
    _issue_charges(database, council, charges, result, by=by, at=at)
    _keep_parked(database, plan, result.parked_reasons, at=at)
    result.parked = len(result.parked_reasons)
    return result


def _issue_charges(
    database: Database,
    council: _Council,
    charges: Sequence[ChargeDue],
    result: RunResult,
    *,
    by: Actor,
    at: datetime,
) -> None:
    for due in charges:
        try:
            if due.trouble is not None:
                raise due.trouble
            draft = charge_draft(council.provider, council.rates, due, issued_on=result.as_at)
            with database.transaction() as session:
                require_not_withdrawn(session, due.charge.id)
                result.documents.append(issue(session, draft, start_month=council.start_month, by=by, at=at))
        except _TROUBLES as error:
            if _is_billed_already(error):
                result.already += 1
            else:
                result.refused_charges[due.charge.id] = _reason(error)


def _issue_due(
    database: Database, council: _Council, plan: DuePlan, due: Due, *, by: Actor, at: datetime
) -> list[IssuedDocument]:
    if due.trouble is not None:
        raise due.trouble
    agreement = plan.agreements[due.agreement_id]
    if due.net.pence < 0:
        with database.transaction() as session:
            return credit_agreement(session, due, agreement, issued_on=plan.as_at, by=by, at=at)
    draft = draft_of(council.provider, council.rates, agreement, due, issued_on=plan.as_at)
    if due.others:
        references = [plan.agreements[one].reference for one in due.agreement_ids]
        draft = replace(draft, agreement_id=None, facts=of_several(draft.facts, references))
    with database.transaction() as session:
        return [issue(session, draft, start_month=council.start_month, by=by, at=at)]


def draft_of(
    provider: Provider, rates: Sequence[DatedRate], agreement: Agreement, due: Due, *, issued_on: date
) -> Draft:
    """Return the document that is to be issued for something due, complete but for its number."""
    kind, totals = charge_kind(due.route), due.totals(rates)
    due_on = issued_on + timedelta(days=provider.payment_days) if kind is DocumentKind.INVOICE else None
    parties = Parties(provider, agreement.service, agreement.customer, agreement.school, agreement.reference)
    return Draft(
        kind=kind,
        service_id=agreement.service_id,
        service_series=agreement.service.series,
        customer_id=agreement.customer_id,
        customer_name=parties.customer_name,
        agreement_id=agreement.id,
        tax_point=due.tax_point,
        issued_on=issued_on,
        due_on=due_on,
        purchase_order=agreement.purchase_order,
        lines=tuple(_draft_line(line, rate_at(line.vat_code, due.tax_point, rates)) for line in due.lines),
        totals=totals,
        facts=due_facts(
            parties, kind, due.lines, totals,
            issued_on=issued_on, tax_point=due.tax_point, due_on=due_on,
            purchase_order=agreement.purchase_order, rates=rates,
        ),
        sources=due.sources,
        source_route=due.route,
    )  # fmt: skip


def _draft_line(line: DueLine, rate: int) -> DraftLine:
    return DraftLine(
        line_id=line.line_id,
        description=line.description,
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        net=line.net,
        vat_code=line.vat_code,
        vat_rate=rate,
        explanation=(*line.why, vat_sentence(line.vat_code, rate, line.vat_reason)),
    )


def _refuse_going_back(
    session: Session, council: _Council, plan: DuePlan, charges: Sequence[ChargeDue]
) -> None:
    """Refuse a run whose date lies before the last one of a series that it would use, before anything is issued."""
    year = FinancialYear.of(plan.as_at, start_month=council.start_month)
    wanted = {
        series_of(plan.agreements[due.agreement_id].service.series, charge_kind(due.route))
        for due in plan.dues
        if due.trouble is None and due.net.pence > 0
    }
    wanted |= {
        series_of(one.charge.service.series, charge_kind(one.charge.route))
        for one in charges
        if one.trouble is None
    }
    if not wanted:
        return
    query = select(NumberSeries).where(NumberSeries.series.in_(wanted), NumberSeries.year == year.first)
    for row in session.scalars(query.order_by(NumberSeries.series)):
        if row.last_on > plan.as_at:
            raise DateBeforeLastNumber(plan.as_at, row.last_on, document_number(row.series, year, row.last))


def _is_billed_already(error: Exception) -> bool:
    text = str(getattr(error, "orig", ""))
    name = getattr(getattr(getattr(error, "orig", None), "diag", None), "constraint_name", None)
    return isinstance(error, IntegrityError) and (
        name == "uq_billed_purpose_source_id_route" or "UNIQUE constraint failed: billed." in text
    )


def _reason(error: Exception) -> str:
    """Return the sentence for the parked list."""
    if isinstance(error, ProductError):
        return error.message
    refusal = explain(error) if isinstance(error, IntegrityError) else None
    if refusal is not None:
        return refusal.message
    return (
        f"This agreement could not be billed ({type(error).__name__}). Ask the administrator to look at it."
    )


def _keep_parked(database: Database, plan: DuePlan, reasons: dict[int, str], *, at: datetime) -> None:
    """Write down what is parked, and take off the list what is not any more."""
    with database.transaction() as session:
        known = {row.agreement_id: row for row in session.scalars(select(Parked))}
        _alert(session, plan, {one: why for one, why in reasons.items() if one not in known}, at=at)
        for agreement_id, reason in reasons.items():
            row = known.get(agreement_id)
            if row is None:
                session.add(Parked(agreement_id=agreement_id, reason=reason, since=at, last_tried_at=at))
            else:
                row.reason, row.last_tried_at = reason, at
        settled = set(known) - set(reasons)
        if settled:
            session.execute(delete(Parked).where(Parked.agreement_id.in_(settled)))


def _alert(session: Session, plan: DuePlan, parked: dict[int, str], *, at: datetime) -> None:
    """Tell the council of what is newly parked, in one mail a run."""
    recipient = the_provider(session).email
    if not parked or not recipient:
        return
    lines = [
        f"{plan.agreements[one].reference}, {plan.agreements[one].school.name}: {why}"
        for one, why in sorted(parked.items())
    ]
    many = len(parked) > 1
    subject = f"{len(parked)} agreements could not be billed" if many else "An agreement could not be billed"
    post(
        session,
        f"parked:{plan.as_at.isoformat()}:{'-'.join(map(str, sorted(parked)))}"[:200],
        recipient=recipient,
        subject=subject,
        body="\n\n".join([*lines[:50], "Everything else was issued. The next run tries these again."]) + "\n",
        at=at,
    )


def differences(rows: Iterable[DueRow], values: dict[int, tuple[Money, Money]]) -> list[Difference]:
    """Return, per agreement of a preview, its value (agreed net, billed net) against what this run adds."""
    nets: Counter[int] = Counter()
    named: dict[int, DueRow] = {}
    for row in rows:
        for agreement_id, net in row.parts:
            if not row.trouble:
                nets[agreement_id] += net.pence
            named.setdefault(agreement_id, row)
    return [
        Difference(
            agreement_id=agreement_id,
            reference=row.reference,
            school=row.school,
            value=values[agreement_id][0],
            billed=values[agreement_id][1],
            now=Money(nets[agreement_id]),
        )
        for agreement_id, row in named.items()
    ]
