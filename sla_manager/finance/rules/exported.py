"""A document as it is handed over: its figures as issued, its lines, and how each side codes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.catalogue.rules.vat import VatCode
from sla_manager.finance.rules.coding import NO_CODING, Coding
from sla_manager.kernel.money import Money, total


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLine:
    """One line of a document as it is handed over; VAT is the line's share of the document's VAT."""

    position: int
    description: str
    quantity: Decimal
    unit: str
    unit_price: Money
    vat_code: VatCode
    vat_rate: int
    net: Money
    vat: Money
    credits_position: int | None = None
    """The place of the line that this one takes back, on the credited document."""
    coding: Coding = NO_CODING

    @property
    def multiplies(self) -> bool:
        """Whether quantity and unit price give the net; an instalment's line is a part of what they give."""
        return self.unit_price.times(self.quantity) == self.net


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportDocument:
    """A document as it is handed over. `cost_centre` and `account_code` are the school's in the council's ledger."""

    id: int
    number: str
    kind: DocumentKind
    series: str
    financial_year: str
    issued_on: date
    tax_point: date
    due_on: date | None
    account_reference: str
    customer: str
    school: str
    urn: int | None
    service: str
    agreement: str
    purchase_order: str
    credits_number: str
    reason: str
    net: Money
    vat: Money
    gross: Money
    lines: tuple[ExportLine, ...]
    email: str = ""
    address: tuple[str, ...] = ()
    cost_centre: str = ""
    account_code: str = ""


def share_vat(nets: list[Money], vat: Money) -> list[Money]:
    """Share the VAT of one code over its lines by their nets, so that the rows add up to the document.

    >>> [str(part) for part in share_vat([Money(10_01)] * 3, Money(6_01))]
    ['2.01', '2.00', '2.00']
    """
    weights = [abs(net.pence) for net in nets]
    if not any(weights):
        return [vat, *(Money(0) for _ in nets[1:])] if nets else []
    return list(vat.split(weights))


def by_rate(lines: Sequence[ExportLine]) -> list[ExportLine]:
    """Return one line for each VAT code and rate: net and VAT added up, the words of the first line."""
    groups: dict[tuple[VatCode, int], list[ExportLine]] = {}
    for line in lines:
        groups.setdefault((line.vat_code, line.vat_rate), []).append(line)
    return [_joined(place, group) for place, group in enumerate(groups.values(), start=1)]


def _joined(place: int, group: Sequence[ExportLine]) -> ExportLine:
    first, net = group[0], total(line.net for line in group)
    more = f" and {len(group) - 1} more" if len(group) > 1 else ""
    return ExportLine(
        position=place, description=first.description + more, quantity=Decimal(1), unit="document", unit_price=net,
        vat_code=first.vat_code, vat_rate=first.vat_rate, net=net, vat=total(line.vat for line in group),
        coding=first.coding,
    )  # fmt: skip


def for_recalculation(lines: Sequence[ExportLine]) -> list[ExportLine]:
    """Return lines for a system that works VAT out again line by line: joined by rate where it would differ.

    A document's VAT is worked out once for each rate. Three lines of 10.01 at 20 % carry 6.01, and 2.00 each
    would be 6.00: such a document is handed over as one line for each rate.
    """
    for row in by_rate(lines):
        same = [line for line in lines if (line.vat_code, line.vat_rate) == (row.vat_code, row.vat_rate)]
        if total(line.net.per_cent(line.vat_rate) for line in same) != row.vat:
            return by_rate(lines)
    return list(lines)
