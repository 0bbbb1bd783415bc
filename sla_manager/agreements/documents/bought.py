"""What was bought, as the document prints it: lines with prices, shares of the years, the delivery schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement, AgreementLine, Variation
from sla_manager.agreements.queries import variations
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.agreements.shares import YearShare, read_shares
from sla_manager.catalogue.rules.patterns import VisitPattern
from sla_manager.catalogue.rules.vat import VatCode
from sla_manager.gateways.printing.agreement_facts import BoughtLine, DeliverySlot, TrancheShare
from sla_manager.kernel.money import total
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.quantities import plain
from sla_manager.kernel.words import counted, long_date, pounds
from sla_manager.people.models import SchoolTerm

_VAT_LABELS = {
    VatCode.STANDARD: "Standard rate",
    VatCode.ZERO: "Zero rate",
    VatCode.EXEMPT: "Exempt",
    VatCode.OUTSIDE_SCOPE: "Outside the scope",
}


def units(quantity: Decimal, unit: str) -> str:
    """Return the word that reads right after a quantity.

    >>> units(Decimal(1), "day"), units(Decimal("0.5"), "day")
    ('day', 'days')
    """
    return unit if quantity == 1 else f"{unit}s"


Changes = Mapping[int, list[Variation]]
"""An agreement's variations by line."""


def bought_lines(agreement: Agreement, changes: Changes) -> tuple[BoughtLine, ...]:
    """Return the lines as they stand: what was signed, and every variation since."""
    lines = []
    for line in agreement.lines:
        varied = changes.get(line.id, [])
        quantity = line.quantity + sum((one.quantity for one in varied), Decimal(0))
        net = line.net + total(one.net for one in varied)
        lines.append(
            BoughtLine(
                description=line.description,
                family=line.family.title,
                quantity=plain(quantity),
                unit=units(quantity, line.unit),
                unit_price=str(line.unit_price),
                net=str(net),
                vat_label=_VAT_LABELS[line.vat_code],
                includes=tuple(str(activity) for activity in line.offering.activities),
                note=". ".join(_change(one, line) for one in varied),
                explanation=line.explanation,
                package=line.package,
                discount=str(line.discount) if line.discount else None,
            )
        )
    return tuple(lines)


def tranche_shares(agreement: Agreement, changes: Changes) -> tuple[TrancheShare, ...]:
    """Return each line's part of each financial year, variations included."""
    return tuple(
        TrancheShare(
            offering=line.description,
            year=str(FinancialYear(share.year)),
            starts_on=share.starts_on.isoformat(),
            ends_on=share.ends_on.isoformat(),
            quantity=plain(share.quantity),
            unit=units(share.quantity, line.unit),
            net=str(share.net),
        )
        for line in agreement.lines
        for share in _shares_now(line, changes.get(line.id, []))
    )


def delivery_slots(
    agreement: Agreement, changes: Changes, terms: Sequence[SchoolTerm]
) -> tuple[DeliverySlot, ...]:
    """Return the delivery schedule: by term where an offering is bought by the term, else by financial year."""
    officer = agreement.school.link_officer
    who = officer.name if officer and officer.service_id == agreement.service_id else "To be agreed"
    known = [
        (term.name, max(term.starts_on, agreement.starts_on), min(term.ends_on, agreement.ends_on))
        for term in terms
        if term.starts_on <= agreement.ends_on and term.ends_on >= agreement.starts_on
    ]
    slots: list[DeliverySlot] = []
    for line in agreement.lines:
        pattern = _pattern(line) if not changes.get(line.id) else None
        if pattern is not None:
            when = f"{pattern.every.title}, {_from_to(agreement.starts_on, agreement.ends_on)}"
            slots.append(DeliverySlot(when=when, what=line.description, length=_visits(pattern), who=who))
            continue
        if line.offering.limit_basis == "term" and known and not changes.get(line.id):
            each = line.quantity / len(known)
            slots += [
                DeliverySlot(when=name, what=line.description, length=_length(each, line.unit), who=who)
                for name, _, _ in known
            ]
            continue
        slots += [
            DeliverySlot(
                when=_from_to(share.starts_on, share.ends_on),
                what=line.description,
                length=_length(share.quantity, line.unit),
                who=who,
            )
            for share in _shares_now(line, changes.get(line.id, []))
        ]
    return tuple(slots)


def _pattern(line: AgreementLine) -> VisitPattern | None:
    """Return how often somebody comes, where that was agreed for this school alone."""
    facts = line.price_facts or {}
    return VisitPattern.of(facts["pattern"]) if "pattern" in facts and "share" not in facts else None


def _visits(pattern: VisitPattern) -> str:
    """Say a pattern in visits.

    >>> from sla_manager.catalogue.rules.patterns import Every
    >>> _visits(VisitPattern(Every.FORTNIGHT, Decimal("1.85"), 39))
    '19 visits of 3 hours 42 minutes, and 1 hour 51 minutes'
    """
    count, rest = pattern.visits()
    words = f"{counted(count, 'visit')} of {pattern.visit.hours_and_minutes()}"
    return f"{words}, and {rest.hours_and_minutes()}" if rest else words


def changes_of(session: Session, agreement: Agreement) -> Changes:
    """Return an agreement's variations by line; what is not signed has none."""
    if agreement.status in (AgreementStatus.DRAFT, AgreementStatus.QUOTED):
        return {}
    found: dict[int, list[Variation]] = {}
    for one in variations(session, agreement.id):
        found.setdefault(one.line_id, []).append(one)
    return found


def _shares_now(line: AgreementLine, varied: list[Variation]) -> list[YearShare]:
    """Return the years' shares with their variations; a year that has nothing left is not printed."""
    shares = [share.varied(varied) for share in read_shares(line.year_shares)]
    return [share for share in shares if share.quantity]


def _change(one: Variation, line: AgreementLine) -> str:
    sign = "+" if one.quantity > 0 else "−"
    amount = f"{sign}{plain(abs(one.quantity))} {units(abs(one.quantity), line.unit)}"
    return f"{amount} from {long_date(one.effective_on)} ({pounds(one.net)})"


def _length(quantity: Decimal, unit: str) -> str:
    return f"{plain(quantity)} {units(quantity, unit)}"


def _from_to(first: date, last: date) -> str:
    return f"{long_date(first)} to {long_date(last)}"
