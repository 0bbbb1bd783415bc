"""What an early end of an agreement would do, before anything is done: time, money, documents."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement, AgreementLine, LedgerEntry, Tranche, Variation
from sla_manager.agreements.models.changes import Termination, Transfer
from sla_manager.agreements.queries.balances import balances
from sla_manager.agreements.queries.lists import agreement as whole_agreement
from sla_manager.agreements.queries.lists import instalments
from sla_manager.agreements.queries.payment import billing_facts
from sla_manager.agreements.queries.years import is_closed
from sla_manager.agreements.rules.endings import (
    Kept,
    PlannedDocument,
    Settlement,
    YearPart,
    kept_by_delivery,
    kept_by_months,
    settle,
)
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import Origin
from sla_manager.catalogue.rules.vat import Route, TaxedLine, Totals, document_totals, rate_at
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.money import Money, half_up, total
from sla_manager.kernel.quantities import PLACES, plain
from sla_manager.kernel.references import canonical_json, sha256
from sla_manager.kernel.words import counted, long_date, pounds

_RULES: dict[str, Callable[[YearPart, date], Kept]] = {"months": kept_by_months, "delivery": kept_by_delivery}


@dataclass(frozen=True, slots=True, kw_only=True)
class YearCut:
    """What is taken off one financial year's part of a line: time, quantity for showing, money; all 0 or more."""

    tranche: Tranche
    part: YearPart
    minutes: Minutes | None
    quantity: Decimal
    net: Money

    @property
    def cuts(self) -> bool:
        """Whether anything is taken off."""
        return bool(self.net or self.minutes or self.quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEnd:
    """One line: what it was worth, what is payable of it, and what each year loses."""

    line: AgreementLine
    value: Money
    payable: Money
    cuts: tuple[YearCut, ...]

    @property
    def quantity(self) -> Decimal:
        """How much is taken off, for showing."""
        return sum((one.quantity for one in self.cuts), Decimal(0))

    @property
    def kept_quantity(self) -> Decimal:
        """How much stays."""
        every = self.line.quantity
        return every - self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPreview:
    """What ending an agreement on a day would do. `through` is the last day whose instalments are still billed."""

    agreement: Agreement
    ends_on: date
    through: date
    lines: tuple[LineEnd, ...]
    settlement: Settlement
    documents: tuple[tuple[Route, Totals], ...]
    """What follows: a charge above nothing or a credit below, with its VAT, per route."""
    goes_on: bool
    """Whether what is taken off goes on with another customer."""

    @property
    def value(self) -> Money:
        """What was agreed, with every variation."""
        return total(one.value for one in self.lines)

    @property
    def payable(self) -> Money:
        """What is payable in all."""
        return total(one.payable for one in self.lines)

    @property
    def issued(self) -> Money:
        """What was billed, or will be until the end."""
        return total(self.settlement.issued.values())

    @property
    def difference(self) -> Money:
        """What is still to be charged; below nothing, credited."""
        return self.settlement.difference

    @property
    def vat(self) -> Money:
        """The VAT on the difference."""
        return total(one.vat for _, one in self.documents)

    @property
    def taken(self) -> Minutes:
        """The time that is taken off, all lines together."""
        return total_minutes(cut.minutes for one in self.lines for cut in one.cuts if cut.minutes is not None)

    @property
    def sentences(self) -> list[str]:
        """Say what will follow, for the page that asks before it is done."""
        agreement = self.agreement
        said = [
            f"{agreement.reference} ends on {long_date(self.ends_on)} instead of {long_date(agreement.ends_on)}."
        ]
        what = "go on with the new customer" if self.goes_on else "are taken off"
        for one in (one for one in self.lines if one.quantity):
            said.append(f"{one.line.description}: {counted(one.quantity, one.line.unit)} {what}.")
            said.append(f"{pounds(one.payable)} of {pounds(one.value)} stays payable.")
        if self.goes_on:
            said.append(
                f"{pounds(self.value - self.payable)} before VAT is charged to the new customer instead."
            )
        if agreement.schedule is Schedule.ON_DELIVERY:
            return [*said, "You pay for what was delivered. No credit is due."]
        if self.settlement.dropped:
            said.append(f"{counted(len(self.settlement.dropped), 'later instalment')} will not be charged.")
        if self.difference.pence < 0:
            said.append(
                f"{pounds(self.issued)} is charged by then. {pounds(-self.difference)} goes back"
                f"{f', and {pounds(-self.vat)} of VAT' if self.vat else ''}, by credit."
            )
        elif self.difference:
            said.append(
                f"{pounds(self.issued)} is charged by then. {pounds(self.difference)} more is charged"
                f"{f', and {pounds(self.vat)} of VAT' if self.vat else ''}."
            )
        else:
            said.append(
                f"{pounds(self.issued)} is charged by then. Nothing goes back and nothing more is due."
            )
        return said

    def facts(self) -> dict[str, Any]:
        """Return the figures as plain facts: what a confirmation must name by their hash."""
        return {
            "reference": self.agreement.reference,
            "version": self.agreement.version,
            "ends_on": self.ends_on.isoformat(),
            "value": str(self.value),
            "payable": str(self.payable),
            "issued": str(self.issued),
            "difference": str(self.difference),
            "vat": str(self.vat),
            "dropped": list(self.settlement.dropped),
            "lines": [
                {
                    "line_id": one.line.id,
                    "description": one.line.description,
                    "unit": one.line.unit,
                    "taken": plain(one.quantity),
                    "value": str(one.value),
                    "payable": str(one.payable),
                    "minutes": [cut.minutes.minutes if cut.minutes is not None else None for cut in one.cuts],
                }
                for one in self.lines
            ],
        }

    @property
    def sha256(self) -> str:
        """The hash of the figures."""
        return sha256(canonical_json(self.facts()))


def end_preview(
    session: Session,
    agreement_id: int,
    *,
    ends_on: date,
    rule: str,
    billed: Collection[int],
    through: date | None = None,
) -> EndPreview:
    """Return what ending on a day would do. `rule` is months (notice, consent, closure) or delivery (transfer).

    `billed` are the instalments that have a document already: those stay, whatever their date.
    """
    agreement = whole_agreement(session, agreement_id)
    last = through if through is not None else ends_on
    lines = _lines(session, agreement, last, rule)
    planned = [
        PlannedDocument(one.id, one.purpose, one.due_on, {part.line_id: part.net for part in one.parts})
        for one in instalments(session, agreement.id)
    ]
    elsewhere = _billed_elsewhere(agreement, planned)
    payable = {
        one.line.id: one.payable
        for one in lines
        if agreement.schedule is not Schedule.ON_DELIVERY and elsewhere.get(one.line.id) != one.line.net
    }
    settlement = settle(payable, planned, billed=billed, through=last, elsewhere=elsewhere)
    return EndPreview(
        agreement=agreement,
        ends_on=ends_on,
        through=last,
        lines=lines,
        settlement=settlement,
        documents=_documents(session, lines, settlement, on=last),
        goes_on=rule == "delivery",
    )


def _billed_elsewhere(agreement: Agreement, planned: list[PlannedDocument]) -> dict[int, Money]:
    """Return what another system billed of each line that was taken over: what no instalment here stands for."""
    if agreement.origin is not Origin.IMPORT:
        return {}
    own = [one for one in planned if one.purpose == "instalment"]
    return {
        line.id: line.net - total(one.parts.get(line.id, Money(0)) for one in own) for line in agreement.lines
    }


def _lines(session: Session, agreement: Agreement, last: date, rule: str) -> tuple[LineEnd, ...]:
    tranches = list(
        session.scalars(
            select(Tranche)
            .join(AgreementLine, AgreementLine.id == Tranche.line_id)
            .where(AgreementLine.agreement_id == agreement.id)
            .order_by(Tranche.year)
        )
    )
    figures = {one.tranche_id: one.figures for one in balances(session, agreement_id=agreement.id)}
    later = _given_after(session, agreement.id, last) if rule == "delivery" else {}
    varied: dict[tuple[int, int], Money] = {}
    ids = [line.id for line in agreement.lines]
    for one in session.scalars(select(Variation).where(Variation.line_id.in_(ids))):
        key = (one.line_id, one.year)
        varied[key] = varied.get(key, Money(0)) + one.net
    closed = {year: is_closed(session, year) for year in {one.year for one in tranches}}
    found = []
    for line in agreement.lines:
        cuts = []
        for tranche in (one for one in tranches if one.line_id == line.id):
            net = tranche.net + varied.get((line.id, tranche.year), Money(0))
            known = figures.get(tranche.id)
            part = YearPart(
                starts_on=tranche.starts_on,
                ends_on=tranche.ends_on,
                net=net,
                bought=None if known is None else known.bought,
                used=Minutes(0) if known is None else known.used - later.get(tranche.id, Minutes(0)),
            )
            kept = Kept(part.bought, part.net) if closed[tranche.year] else _RULES[rule](part, last)
            cuts.append(_cut(line, tranche, part, kept))
        value = total(one.part.net for one in cuts)
        found.append(
            LineEnd(line=line, value=value, payable=value - total(one.net for one in cuts), cuts=tuple(cuts))
        )
    return tuple(found)


def given_after(session: Session, agreement_id: int, last: date) -> list[LedgerEntry]:
    """Return what was delivered or charged after a day and is not undone: it belongs to whoever goes on."""
    undone = select(LedgerEntry.reverses_id).where(LedgerEntry.reverses_id.is_not(None))
    query = (
        select(LedgerEntry)
        .join(Tranche, Tranche.id == LedgerEntry.tranche_id)
        .join(AgreementLine, AgreementLine.id == Tranche.line_id)
        .where(
            AgreementLine.agreement_id == agreement_id,
            LedgerEntry.kind.in_([EntryKind.DELIVERED, EntryKind.CHARGED]),
            LedgerEntry.effective_on > last,
            LedgerEntry.id.not_in(undone),
        )
        .order_by(LedgerEntry.id)
    )
    return list(session.scalars(query))


def _given_after(session: Session, agreement_id: int, last: date) -> dict[int, Minutes]:
    sums: dict[int, Minutes] = {}
    for entry in given_after(session, agreement_id, last):
        sums[entry.tranche_id] = sums.get(entry.tranche_id, Minutes(0)) - entry.minutes
    return sums


def _cut(line: AgreementLine, tranche: Tranche, part: YearPart, kept: Kept) -> YearCut:
    net = part.net - kept.net
    if part.bought is None or kept.minutes is None or line.unit_minutes is None:
        share = Fraction(net.pence, part.net.pence) if part.net else Fraction(0)
        return YearCut(
            tranche=tranche,
            part=part,
            minutes=None,
            quantity=_shown(Fraction(tranche.quantity) * share),
            net=net,
        )
    minutes = part.bought - kept.minutes
    return YearCut(
        tranche=tranche,
        part=part,
        minutes=minutes,
        quantity=_shown(minutes.in_units(line.unit_minutes)),
        net=net,
    )


def _shown(quantity: Fraction) -> Decimal:
    """Return a quantity to three decimals; the time itself is exact."""
    return Decimal(half_up(quantity * 10**PLACES)).scaleb(-PLACES)


def _documents(
    session: Session, lines: tuple[LineEnd, ...], settlement: Settlement, *, on: date
) -> tuple[tuple[Route, Totals], ...]:
    rates = billing_facts(session).rates
    found = []
    for route in Route:
        own = [
            TaxedLine(
                settlement.differences[one.line.id],
                one.line.vat_code,
                rate_at(one.line.vat_code, on, rates),
                one.line.vat_reason,
            )
            for one in lines
            if one.line.route is route and one.line.id in settlement.differences
        ]
        if own:
            found.append((route, document_totals(own)))
    return tuple(found)


def termination_of(session: Session, agreement_id: int) -> Termination | None:
    """Return how an agreement ended before its last day, or None."""
    return session.scalar(select(Termination).where(Termination.agreement_id == agreement_id))


def transfer_from(session: Session, agreement_id: int) -> Transfer | None:
    """Return where an agreement went on, or None."""
    return session.scalar(select(Transfer).where(Transfer.from_agreement_id == agreement_id))


def transfer_to(session: Session, agreement_id: int) -> Transfer | None:
    """Return where an agreement came from, or None."""
    return session.scalar(select(Transfer).where(Transfer.to_agreement_id == agreement_id))


def last_day(agreement: Agreement) -> date:
    """Return the last day on which an agreement holds, early end or not."""
    return agreement.ends_early_on or agreement.ends_on


def day_after(agreement: Agreement) -> date:
    """Return the first day on which an agreement does not hold any more."""
    return last_day(agreement) + timedelta(days=1)
