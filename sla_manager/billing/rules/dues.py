"""What is due: the documents that a run would issue, before they have a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from sla_manager.catalogue.rules.vat import (
    DatedRate,
    Route,
    TaxedLine,
    Totals,
    VatCode,
    document_totals,
    rate_at,
)
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import month_of
from sla_manager.kernel.quantities import PLACES
from sla_manager.kernel.words import counted, long_date, per_cent, pounds


class PurchaseOrderMissing(Refused):
    """A customer who needs a purchase order is not invoiced without one."""

    def __init__(self, customer: str, reference: str) -> None:
        super().__init__(
            f"{customer} pays only with a purchase order number, and {reference} has none. "
            "Ask for the number and record it on the agreement.",
            field="purchase_order",
        )


class PartsDoNotAddUp(Refused):
    """An instalment is the sum of its lines' parts; when it is not, nothing is issued."""

    def __init__(self, label: str, net: Money, parts: Money) -> None:
        super().__init__(
            f"{label} of this agreement is {pounds(net)}, but its lines come to {pounds(parts)}. "
            "Nothing was issued. Ask the service to check the agreement."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DueLine:
    """One line to be: what of, how much, and why this much (without the VAT, which the tax point decides)."""

    line_id: int | None
    description: str
    period: str
    quantity: Decimal
    unit: str
    unit_price: Money
    net: Money
    vat_code: VatCode
    vat_reason: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One document to be. `sources` are the things it bills (purpose and id), each of which is billed once.

    `net` below nothing means a credit against the agreement's documents. `trouble` says why it cannot be issued.
    """

    agreement_id: int
    route: Route
    label: str
    tax_point: date
    lines: tuple[DueLine, ...]
    sources: tuple[tuple[str, int], ...]
    trouble: Refused | None = None
    others: tuple[Due, ...] = ()
    """What stands on the same document for other agreements: `lines` and `sources` are of all of them."""
    credits_id: int | None = None
    """The document that a credit must cite; None takes the agreement's latest."""

    @property
    def net(self) -> Money:
        """The sum of the lines."""
        return total(line.net for line in self.lines)

    @property
    def agreement_ids(self) -> tuple[int, ...]:
        """Every agreement that the document bills."""
        return (self.agreement_id, *(one.agreement_id for one in self.others))

    @property
    def parts(self) -> tuple[tuple[int, Money], ...]:
        """What each agreement's lines come to."""
        own = self.net - total(one.net for one in self.others)
        return ((self.agreement_id, own), *((one.agreement_id, one.net) for one in self.others))

    def totals(self, rates: Sequence[DatedRate]) -> Totals:
        """Return net, VAT by code and rate at the tax point, and gross."""
        return totals_of(self.lines, self.tax_point, rates)


def joined(dues: Sequence[Due], sites: Sequence[str]) -> Due:
    """Return one document of what is due for several agreements of one payer: a line for each site.

    They have the same route, label and tax point. Trouble with one is trouble with the document.
    """
    first, *others = [
        replace(
            due, lines=tuple(replace(line, description=f"{site}: {line.description}") for line in due.lines)
        )
        for due, site in zip(dues, sites, strict=True)
    ]
    if not others:
        return dues[0]
    return replace(
        first,
        lines=tuple(line for due in (first, *others) for line in due.lines),
        sources=tuple(source for due in (first, *others) for source in due.sources),
        trouble=next((due.trouble for due in (first, *others) if due.trouble is not None), None),
        others=tuple(others),
    )


def totals_of(lines: Sequence[DueLine], tax_point: date, rates: Sequence[DatedRate]) -> Totals:
    """Compute VAT once per code at the tax point's rate, and add up what is printed."""
    return document_totals(
        TaxedLine(line.net, line.vat_code, rate_at(line.vat_code, tax_point, rates), exemption(line))
        for line in lines
    )


def exemption(line: DueLine) -> str:
    """Return the reason that stands beside a VAT row: only where no VAT is charged."""
    return line.vat_reason if line.vat_code in (VatCode.EXEMPT, VatCode.OUTSIDE_SCOPE) else ""


def vat_sentence(code: VatCode, rate: int, reason: str) -> str:
    """Say the VAT of a line and its reason.

    >>> vat_sentence(VatCode.STANDARD, 2000, "VAT at the standard rate because an academy is a separate legal person")
    'VAT 20 % because an academy is a separate legal person'
    """
    if code in (VatCode.EXEMPT, VatCode.OUTSIDE_SCOPE):
        return reason or code.title
    said = f"VAT {per_cent(rate)}"
    _, because, cause = reason.partition(" because ")
    return f"{said} because {cause}" if because else f"{said}, {code.title.lower()}"


def instalment_why(
    quantity: Decimal, unit: str, unit_price: Money, line_net: Money, explanation: str, label: str
) -> tuple[str, ...]:
    """Say how a line's part of an instalment comes about.

    >>> instalment_why(Decimal(12), "day", Money(368_00), Money(4416_00), "", "instalment 1 of 3")
    ('12 days × £368.00 = £4,416.00', 'instalment 1 of 3')
    """
    simple = unit_price.times(quantity) == line_net
    first = (
        f"{counted(quantity, unit)} × {pounds(unit_price)} = {pounds(line_net)}" if simple else explanation
    )
    return (first or f"agreed net {pounds(line_net)}", label)


def time_line_figures(worked: Minutes, unit_minutes: Minutes, unit: str, unit_price: Money, net: Money) -> tuple[
    Decimal, str, Money, str
]:  # fmt: skip
    """Return the quantity, unit and price that a line of worked time shows, and the sentence of its sum.

    Time that is no whole thousandth of a unit is shown as one piece of work at its value.

    >>> time_line_figures(Minutes(222), Minutes(444), "day", Money(368_00), Money(184_00))[3]
    '0.5 days × £368.00 = £184.00'
    """
    exact = worked.in_units(unit_minutes)
    if (exact * 10**PLACES).denominator == 1:
        quantity = Decimal((exact * 10**PLACES).numerator).scaleb(-PLACES)
        return quantity, unit, unit_price, f"{counted(quantity, unit)} × {pounds(unit_price)} = {pounds(net)}"
    sentence = (
        f"{worked.hours_and_minutes()} of a {unit} of {unit_minutes.hours_and_minutes()} × "
        f"{pounds(unit_price)} = {pounds(net)}"
    )
    return Decimal(1), "piece of work", net, sentence


def months_ended(as_at: date) -> date:
    """Return the first day that is not yet billed in arrears: deliveries before it are due.

    >>> str(months_ended(date(2026, 1, 31))), str(months_ended(date(2026, 2, 1))), str(months_ended(date(2026, 1, 30)))
    ('2026-02-01', '2026-02-01', '2026-01-01')
    """
    return month_of(as_at + timedelta(days=1)).start


def period_words(first: date, last: date) -> str:
    """Say a line's period."""
    return f"{long_date(first)} to {long_date(last)}"


def unit_words(quantity: Decimal, unit: str) -> str:
    """Return the word that follows a quantity."""
    return unit if abs(quantity) == 1 else ("pieces of work" if unit == "piece of work" else f"{unit}s")
