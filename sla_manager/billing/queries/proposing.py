"""What a variation that waits to be signed would do: days, money, documents, extra time that it takes up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.commands.variations import check_change
from sla_manager.agreements.models import Agreement, AgreementLine, VariationProposal
from sla_manager.agreements.queries import agreement as whole_agreement
from sla_manager.agreements.queries import balances, tranche_on
from sla_manager.agreements.queries.payment import billing_facts
from sla_manager.agreements.rules.proposals import ProposalStatus
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.models import DocumentLine
from sla_manager.billing.rules.kinds import charge_kind, credit_kind
from sla_manager.catalogue.rules.vat import TaxedLine, Totals, document_totals, rate_at
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.quantities import plain
from sla_manager.kernel.references import canonical_json, sha256
from sla_manager.kernel.words import counted, long_date, pounds
from sla_manager.visits.queries.varying import VariationPreview, variation_preview
from sla_manager.visits.rules.words import in_units

OPEN = (ProposalStatus.ASKED, ProposalStatus.PROPOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePreview:
    """A change of a line and everything that follows from it. `issued` is what was billed of the agreement so far."""

    agreement: Agreement
    line: AgreementLine
    quantity: Decimal
    effective_on: date
    year: FinancialYear
    change: VariationPreview
    left_before: Minutes
    used: Minutes
    totals: Totals
    document: str
    issued: Money
    documents: int

    @property
    def net(self) -> Money:
        """What it costs before VAT; below nothing for money that goes back."""
        return self.change.net

    @property
    def left_after(self) -> Minutes:
        """What is left when the change holds."""
        return self.left_before + self.change.added - self.change.absorbed

    @property
    def sentences(self) -> list[str]:
        """Say what will follow, for whoever signs."""
        line = self.line
        more = "more" if self.quantity > 0 else "fewer"
        change = f"{counted(abs(self.quantity), line.unit)} {more} of “{line.description}”"
        said = [f"{change} from {long_date(self.effective_on)}, in the financial year {self.year}."]
        if line.unit_minutes is not None:
            said.append(
                f"{in_units(self.left_before, line)} are left now, and {in_units(self.left_after, line)} after it."
            )
        if self.change.absorbed:
            said.append(
                f"{in_units(self.change.absorbed, line)} take up extra time that waits for approval. "
                f"{pounds(self.change.spared)} of extra time is not charged."
            )
        said.append(self._issued)
        said.append(self.money)
        return said

    @property
    def _issued(self) -> str:
        if not self.documents:
            return "Nothing has been issued yet. Documents that are planned stay as they are."
        if self.documents == 1:
            return f"1 document for {pounds(self.issued)} net is issued already and stays as it is."
        return f"{self.documents} documents for {pounds(self.issued)} net are issued already and stay as they are."

    @property
    def money(self) -> str:
        """Say what follows in money."""
        if not self.document:
            return "You pay for what is delivered, so nothing is charged beforehand."
        vat = f" and {pounds(abs(self.totals.vat))} of VAT" if self.totals.vat else ", without VAT,"
        amount = pounds(abs(self.totals.net))
        article = "An" if self.document[0] in "AEIOU" else "A"
        return (
            f"{article} {self.document.lower()} for {amount}{vat} follows, dated {long_date(self.effective_on)} "
            "or on the day of signing when that is later."
        )

    def facts(self) -> dict[str, Any]:
        """Return what is signed, as plain facts. What was billed so far is shown and does not belong to it."""
        return {
            "reference": self.agreement.reference,
            "school": self.agreement.school.name,
            "line_id": self.line.id,
            "description": self.line.description,
            "unit": self.line.unit,
            "quantity": plain(self.quantity),
            "effective_on": self.effective_on.isoformat(),
            "year": str(self.year),
            "net": str(self.totals.net),
            "vat": str(self.totals.vat),
            "gross": str(self.totals.gross),
            "document": self.document,
            "used": self.used.minutes,
            "left_before": self.left_before.minutes,
            "left_after": self.left_after.minutes,
            "absorbed": self.change.absorbed.minutes,
            "spared": str(self.change.spared),
        }

    @property
    def sha256(self) -> str:
        """The hash of what is signed."""
        return sha256(canonical_json(self.facts()))


def change_preview(
    session: Session, line_id: int, *, quantity: Decimal, effective_on: date, reason: str, today: date
) -> ChangePreview:
    """Return what a change would do; refuses what could not be made (E6: with the figures)."""
    line = check_change(session, line_id, quantity=quantity, effective_on=effective_on, reason=reason)
    agreement = whole_agreement(session, line.agreement_id)
    billing = billing_facts(session)
    change = variation_preview(session, line_id, quantity=quantity, effective_on=effective_on)
    tranche = tranche_on(session, line_id, effective_on)
    found = balances(session, tranche_ids=[tranche.id]) if tranche is not None else []
    day = max(effective_on, today)
    totals = document_totals(
        [TaxedLine(change.net, line.vat_code, rate_at(line.vat_code, day, billing.rates), line.vat_reason)]
    )
    count, issued = session.execute(
        select(func.count(func.distinct(DocumentLine.document_id)), func.sum(DocumentLine.net))
        .join(AgreementLine, AgreementLine.id == DocumentLine.line_id)
        .where(AgreementLine.agreement_id == agreement.id)
    ).one()
    kind = charge_kind(line.route)
    billed = agreement.schedule is not Schedule.ON_DELIVERY and bool(change.net)
    document = (kind if change.net.pence > 0 else credit_kind(kind)).title if billed else ""
    return ChangePreview(
        agreement=agreement,
        line=line,
        quantity=quantity,
        effective_on=effective_on,
        year=FinancialYear.of(effective_on, start_month=billing.start_month),
        change=change,
        left_before=found[0].balance if found else Minutes(0),
        used=found[0].figures.used if found else Minutes(0),
        totals=totals,
        document=document,
        issued=issued or Money(0),
        documents=count,
    )


def proposal(
    session: Session, proposal_id: int, *, school_id: int | None = None, service_id: int | None = None
) -> VariationProposal:
    """Return a proposed change with its line and agreement; one of another school or service is not found."""
    query = (
        select(VariationProposal)
        .where(VariationProposal.id == proposal_id)
        .options(
            joinedload(VariationProposal.line)
            .joinedload(AgreementLine.agreement)
            .joinedload(Agreement.school)
        )
    )
    found = session.scalar(query.execution_options(populate_existing=True))
    if (
        found is None
        or school_id not in (None, found.line.agreement.school_id)
        or service_id not in (None, found.line.agreement.service_id)
    ):
        raise NotFound
    return found


def proposals(
    session: Session,
    *,
    agreement_id: int | None = None,
    school_id: int | None = None,
    service_id: int | None = None,
    only_open: bool = False,
    to_sign: bool = False,
) -> list[VariationProposal]:
    """Return proposed changes, the latest first, with their lines and schools."""
    query = (
        select(VariationProposal)
        .join(AgreementLine, AgreementLine.id == VariationProposal.line_id)
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .options(
            joinedload(VariationProposal.line)
            .joinedload(AgreementLine.agreement)
            .joinedload(Agreement.school)
        )
        .order_by(VariationProposal.id.desc())
    )
    for column, value in (
        (Agreement.id, agreement_id), (Agreement.school_id, school_id), (Agreement.service_id, service_id),
    ):  # fmt: skip
        if value is not None:
            query = query.where(column == value)
    if only_open:
        query = query.where(VariationProposal.status.in_(OPEN))
    if to_sign:
        query = query.where(VariationProposal.status == ProposalStatus.PROPOSED)
    return list(session.scalars(query))
