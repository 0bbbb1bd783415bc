"""What is printed on a document, put together from what the council, service and customer are at that moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sla_manager.billing.rules.dues import DueLine, unit_words, vat_sentence
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.catalogue.rules.vat import DatedRate, Route, Totals, VatCode, VatRow, rate_at
from sla_manager.gateways.printing.facts import (
    BankDetails,
    Contact,
    Credited,
    MoneyDocumentFacts,
    Supplier,
    plain,
)
from sla_manager.gateways.printing.facts import Customer as PrintedCustomer
from sla_manager.gateways.printing.facts import DocumentLine as PrintedLine
from sla_manager.gateways.printing.facts import VatRow as PrintedVat
from sla_manager.kernel.quantities import plain as plain_quantity
from sla_manager.people.models import Customer, Provider, School, TradingService

CODE_LETTERS = {VatCode.STANDARD: "S", VatCode.ZERO: "Z", VatCode.EXEMPT: "E", VatCode.OUTSIDE_SCOPE: "O"}
_NO_RATE = (VatCode.EXEMPT, VatCode.OUTSIDE_SCOPE)


@dataclass(frozen=True, slots=True)
class Parties:
    """Who issues and who pays, as they are now; a document freezes them."""

    provider: Provider
    service: TradingService
    customer: Customer
    school: School | None
    agreement: str

    @property
    def customer_name(self) -> str:
        """The name that the document is made out to."""
        payer = self.customer.trust or self.customer.school
        return payer.name if payer is not None else ""


def due_facts(
    parties: Parties,
    kind: DocumentKind,
    lines: Sequence[DueLine],
    totals: Totals,
    *,
    issued_on: date,
    tax_point: date,
    due_on: date | None,
    purchase_order: str,
    rates: Sequence[DatedRate],
) -> dict[str, Any]:
    """Return the facts of an invoice or recharge note; its number is put in when it is drawn."""
    printed = tuple(_printed(line, rate_at(line.vat_code, tax_point, rates)) for line in lines)
    return _facts(
        parties, kind, printed, totals,
        issued_on=issued_on, tax_point=tax_point, due_on=due_on, purchase_order=purchase_order,
        reason=_route_reason(kind, lines, tax_point, rates),
    )  # fmt: skip


def credit_facts(
    original: dict[str, Any],
    kind: DocumentKind,
    lines: Sequence[PrintedLine],
    totals: Totals,
    *,
    issued_on: date,
    credited: Credited,
) -> dict[str, Any]:
    """Return the facts of a credit note: supplier and customer as on what it takes back, amounts below nothing."""
    is_recharge = kind.route is Route.RECHARGE
    return original | {
        "kind": kind.printed_as,
        "number": "",
        "issued_on": issued_on.isoformat(),
        "tax_point": issued_on.isoformat(),
        "due_on": None,
        "lines": [plain(line) for line in lines],
        "vat_rows": [] if is_recharge else [plain(_printed_vat(row)) for row in totals.rows],
        "net": str(totals.net),
        "vat": str(totals.vat),
        "gross": str(totals.gross),
        "payment_terms": "",
        "bank": None,
        "how_to_pay": _how_to_pay(kind, has_bank=False),
        "credits": plain(credited),
    }


def of_several(facts: dict[str, Any], references: Sequence[str]) -> dict[str, Any]:
    """Return the facts of a document that bills several agreements of one payer: no single school stands above it."""
    return {**facts, "school": None, "agreement": ", ".join(references)}


def numbered(facts: dict[str, Any], number: str) -> dict[str, Any]:
    """Return facts with the number that was drawn, also as the reference to pay with."""
    bank = facts["bank"]
    return {**facts, "number": number, "bank": {**bank, "payment_reference": number} if bank else None}


def _facts(
    parties: Parties,
    kind: DocumentKind,
    lines: tuple[PrintedLine, ...],
    totals: Totals,
    *,
    issued_on: date,
    tax_point: date,
    due_on: date | None,
    purchase_order: str,
    reason: str,
) -> dict[str, Any]:
    provider, service, school = parties.provider, parties.service, parties.school
    is_recharge = kind.route is Route.RECHARGE
    facts = MoneyDocumentFacts(
        kind="recharge_note" if is_recharge else "invoice",
        route="recharge" if is_recharge else "invoice",
        number="",
        issued_on=issued_on.isoformat(),
        tax_point=tax_point.isoformat(),
        due_on=due_on.isoformat() if due_on else None,
        supplier=Supplier(
            name=provider.name,
            service=service.name,
            address=tuple(provider.address),
            vat_number=None if is_recharge else provider.vat_number or None,
            email=service.email or provider.email,
            phone=service.phone or provider.phone,
            colour=provider.colour,
        ),
        customer=_customer(parties),
        school=school.name if school is not None and parties.customer.trust is not None else None,
        purchase_order=purchase_order or None,
        agreement=parties.agreement,
        lines=lines,
        vat_rows=() if is_recharge else tuple(_printed_vat(row) for row in totals.rows),
        net=str(totals.net),
        vat=str(totals.vat),
        gross=str(totals.gross),
        payment_terms=_terms(provider, kind),
        bank=_bank(provider) if kind is DocumentKind.INVOICE and provider.bank_account else None,
        how_to_pay=_how_to_pay(kind, has_bank=bool(provider.bank_account)),
        questions=Contact(
            name=service.name,
            role="Finance questions",
            phone=service.phone or provider.phone,
            email=service.email or provider.email,
        ),
        credits=None,
        route_reason=reason,
    )
    return plain(facts)


def _customer(parties: Parties) -> PrintedCustomer:
    customer = parties.customer
    if customer.trust is not None:
        address = tuple(customer.trust.address)
    else:
        address = tuple(customer.school.address_lines) if customer.school is not None else ()
    return PrintedCustomer(name=parties.customer_name, address=address, reference=customer.account_reference)


def _printed(line: DueLine, rate: int) -> PrintedLine:
    return PrintedLine(
        description=line.description,
        period=line.period,
        quantity=plain_quantity(line.quantity),
        unit=unit_words(line.quantity, line.unit),
        unit_price=str(line.unit_price),
        net=str(line.net),
        vat_code=CODE_LETTERS[line.vat_code],
        vat_rate=None if line.vat_code in _NO_RATE else rate_text(rate),
        explanation=", ".join((*line.why, vat_sentence(line.vat_code, rate, line.vat_reason))),
    )


def _printed_vat(row: VatRow) -> PrintedVat:
    return PrintedVat(
        code=CODE_LETTERS[row.code],
        label=row.code.title,
        rate=None if row.code in _NO_RATE else rate_text(row.rate),
        net=str(row.net),
        vat=str(row.vat),
        reason=row.reason or None,
    )


def rate_text(rate: int) -> str:
    """Write a rate in basis points as a percentage.

    >>> rate_text(2000), rate_text(1750)
    ('20', '17.5')
    """
    whole, part = divmod(rate, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".") if part else str(whole)


def _route_reason(
    kind: DocumentKind, lines: Sequence[DueLine], tax_point: date, rates: Sequence[DatedRate]
) -> str:
    sentences: list[str] = []
    for line in lines:
        said = vat_sentence(line.vat_code, rate_at(line.vat_code, tax_point, rates), line.vat_reason)
        if line.vat_code is not VatCode.EXEMPT and said not in sentences:
            sentences.append(said)
    text = ". ".join(sentences) + "." if sentences else ""
    return f"{text} This is not a VAT invoice." if kind.route is Route.RECHARGE else text


def _terms(provider: Provider, kind: DocumentKind) -> str:
    if kind is not DocumentKind.INVOICE:
        return ""
    return f"Payment is due within {provider.payment_days} days of the date of this invoice."


def _bank(provider: Provider) -> BankDetails:
    return BankDetails(
        account_name=provider.bank_name or provider.name,
        sort_code=provider.bank_sort_code,
        account_number=provider.bank_account,
        payment_reference="",
    )


def _how_to_pay(kind: DocumentKind, *, has_bank: bool) -> str:
    if kind is DocumentKind.INVOICE:
        if has_bank:
            return "Pay by bank transfer and quote the payment reference."
        return "Quote the invoice number when you pay."
    if kind is DocumentKind.RECHARGE_NOTE:
        return "There is nothing for you to pay. We take this from your delegated budget by journal."
    if kind is DocumentKind.CREDIT_NOTE:
        return "We take this off what you owe. If you have paid already, we keep it on your account or pay it back."
    return "We put this back into your delegated budget by journal."
