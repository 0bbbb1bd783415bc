"""Every field that a column may hold, what it is called, and what it is for one row of a document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from sla_manager.catalogue.rules.vat import VatCode
from sla_manager.finance.rules.cells import Cell
from sla_manager.finance.rules.exported import ExportDocument, ExportLine, by_rate, for_recalculation
from sla_manager.kernel.money import Money

FIELDS: dict[str, str] = {
    "number": "Document number",
    "kind": "Kind of document",
    "type_word": "Kind, in your system’s words",
    "sage_type": "SI or SC",
    "debit_credit": "D or C",
    "series": "Number series",
    "financial_year": "Financial year",
    "issued_on": "Date of the document",
    "tax_point": "Tax point",
    "due_on": "Due date",
    "account_reference": "Customer’s account",
    "customer": "Customer’s name",
    "contact": "Customer’s name and account",
    "email": "Customer’s email",
    "address_1": "Customer’s address, line 1",
    "address_2": "Customer’s address, line 2",
    "address_3": "Customer’s address, line 3",
    "address_4": "Customer’s address, line 4",
    "postcode": "Customer’s postcode",
    "school": "School’s name",
    "urn": "School’s URN",
    "cost_centre": "School’s cost centre",
    "service": "Service",
    "agreement": "Agreement",
    "purchase_order": "Purchase order",
    "credits_number": "Number of the credited document",
    "reason": "Reason of a credit",
    "line": "Line number",
    "line_type": "LINE or TAX",
    "credits_line": "Line number of the credited line",
    "description": "Description",
    "quantity": "Quantity",
    "unit": "Unit",
    "unit_price": "Unit price",
    "exact_quantity": "Quantity that multiplies to the net",
    "exact_unit_price": "Unit price that multiplies to the net",
    "vat_code": "VAT code",
    "tax_code": "Tax code of your system",
    "vat_rate": "VAT rate in per cent",
    "amount": "Amount of the row (net, or VAT of a VAT row)",
    "net": "Net (of the row)",
    "vat": "VAT (of the row)",
    "gross": "Gross (of the row)",
    "debit": "Debit (a charge’s gross, or the journal row’s debit)",
    "credit": "Credit (a credit’s gross, or the journal row’s credit)",
    "ledger_centre": "Cost centre of the row",
    "ledger_code": "Account code of the row",
    "income_centre": "Service’s cost centre",
    "income_code": "Service’s income code",
    "charge_code": "School’s account code",
    "cfr_code": "CFR code (maintained schools)",
    "return_line": "Accounts return line (academies)",
    "document_net": "Net of the document",
    "document_vat": "VAT of the document",
    "document_gross": "Gross of the document",
}

SIGNED = ("amount", "net", "vat", "gross", "document_net", "document_vat", "document_gross")
FREE_TEXTS = (
    "kind", "customer", "contact", "email", "address_1", "address_2", "address_3", "address_4", "school", "service",
    "agreement", "reason", "description", "unit",
)  # fmt: skip
"""Texts that may be cut off where a column is narrow; anything else cut off would be another number or account."""
_ADDRESS_LINES = 4
_OF_A_LINE = (
    "description", "ledger_centre", "ledger_code", "income_centre", "income_code", "charge_code", "cfr_code",
    "return_line",
)  # fmt: skip


def rows_of(
    document: ExportDocument,
    *,
    rows: str,
    recalculates: bool,
    tax_codes: Mapping[str, str],
    contact: str,
    words: tuple[str, str],
) -> list[dict[str, Cell]]:
    """Return the rows of one document, each a value for every field; `words` are for charges and for credits."""
    head = _head(document, contact) | {"type_word": words[document.kind.is_credit]}
    if rows == "document":
        return [head | _whole(document, tax_codes)]
    if rows == "rate":
        lines = by_rate(document.lines)
    else:
        lines = for_recalculation(document.lines) if recalculates else list(document.lines)
    if rows == "journal":
        return [head | row for line in lines for row in _sides(document, line, tax_codes)]
    if rows == "tax":
        return [head | row for line in lines for row in _with_tax(document, line, tax_codes)]
    return [head | _line(document, line, tax_codes) for line in lines]


def _head(document: ExportDocument, contact: str) -> dict[str, Cell]:
    *lines, postcode = document.address if document.address else ("",)
    address = [*lines[: _ADDRESS_LINES - 1], ", ".join(lines[_ADDRESS_LINES - 1 :])]
    address += [""] * (_ADDRESS_LINES - len(address))
    return {
        "number": document.number,
        "kind": document.kind.title,
        "sage_type": "SC" if document.kind.is_credit else "SI",
        "debit_credit": "C" if document.kind.is_credit else "D",
        "series": document.series,
        "financial_year": document.financial_year,
        "issued_on": document.issued_on,
        "tax_point": document.tax_point,
        "due_on": document.due_on,
        "account_reference": document.account_reference,
        "customer": document.customer,
        "contact": _contact(document, contact),
        "email": document.email,
        **{f"address_{place}": text for place, text in enumerate(address, start=1)},
        "postcode": postcode,
        "school": document.school,
        "urn": document.urn,
        "cost_centre": document.cost_centre,
        "service": document.service,
        "agreement": document.agreement,
        "purchase_order": document.purchase_order,
        "credits_number": document.credits_number,
        "reason": document.reason,
        "document_net": document.net,
        "document_vat": document.vat,
        "document_gross": document.gross,
    }


def _contact(document: ExportDocument, how: str) -> str:
    if how == "account":
        return document.account_reference
    return document.customer if how == "name" else f"{document.customer} ({document.account_reference})"


def _line(document: ExportDocument, line: ExportLine, tax_codes: Mapping[str, str]) -> dict[str, Cell]:
    gross, coding = line.net + line.vat, line.coding
    multiplies = line.multiplies
    return {
        "line": line.position,
        "line_type": "LINE",
        "credits_line": line.credits_position,
        "description": line.description,
        "quantity": line.quantity,
        "unit": line.unit,
        "unit_price": line.unit_price,
        "exact_quantity": line.quantity if multiplies else Decimal(1),
        "exact_unit_price": line.unit_price if multiplies else line.net,
        "vat_code": line.vat_code.value,
        "tax_code": tax_codes.get(line.vat_code.value, ""),
        "vat_rate": Decimal(line.vat_rate).scaleb(-2),
        "amount": line.net,
        "net": line.net,
        "vat": line.vat,
        "gross": gross,
        "debit": None if document.kind.is_credit else gross,
        "credit": -gross if document.kind.is_credit else None,
        "ledger_centre": coding.income_centre,
        "ledger_code": coding.income_code,
        "income_centre": coding.income_centre,
        "income_code": coding.income_code,
        "charge_code": document.account_code or coding.charge_code,
        "cfr_code": coding.cfr_code,
        "return_line": coding.return_line,
    }


def _with_tax(
    document: ExportDocument, line: ExportLine, tax_codes: Mapping[str, str]
) -> Iterable[dict[str, Cell]]:
    """Yield a line, and the VAT on it as a row of its own where the line bears VAT at a rate."""
    row = _line(document, line, tax_codes)
    yield row
    if line.vat_code in (VatCode.STANDARD, VatCode.ZERO):
        yield row | {
            "line_type": "TAX",
            "amount": line.vat,
            "quantity": None,
            "unit_price": None,
            "exact_quantity": None,
            "exact_unit_price": None,
        }


def _sides(
    document: ExportDocument, line: ExportLine, tax_codes: Mapping[str, str]
) -> Iterable[dict[str, Cell]]:
    """Yield both sides of a line in the ledger: the school's is debited by a charge, the service's credited.

    Amounts of the row follow its side: what debits is above nothing, what credits below, so a journal adds up to
    nothing.
    """
    row = _line(document, line, tax_codes)
    nothing, gross = Money(0), line.net + line.vat
    for centre, code, amounts, side in (
        (document.cost_centre, row["charge_code"], (line.net, line.vat, gross), "school"),
        (line.coding.income_centre, line.coding.income_code, (-line.net, -line.vat, -gross), "service"),
    ):
        amount = amounts[2]
        yield row | {
            "ledger_centre": centre,
            "ledger_code": code,
            "amount": amount,
            "net": amounts[0],
            "vat": amounts[1],
            "gross": amount,
            "debit": amount if amount > nothing else None,
            "credit": -amount if amount < nothing else None,
            "debit_credit": "D" if amount > nothing else "C",
            "cfr_code": row["cfr_code"] if side == "school" else "",
            "return_line": row["return_line"] if side == "school" else "",
        }


def _whole(document: ExportDocument, tax_codes: Mapping[str, str]) -> dict[str, Cell]:
    """Return the row's fields when a document is one row: figures of the document, words of its first line."""
    codes = sorted({line.vat_code.value for line in document.lines})
    rates = sorted({line.vat_rate for line in document.lines})
    empty: dict[str, Cell] = dict.fromkeys(_OF_A_LINE, "")
    first = _line(document, document.lines[0], tax_codes) if document.lines else empty
    return first | {
        "line": 1,
        "line_type": "LINE",
        "credits_line": None,
        "amount": document.net,
        "quantity": Decimal(1),
        "unit": "document",
        "unit_price": abs(document.net),
        "exact_quantity": Decimal(1),
        "exact_unit_price": document.net,
        "vat_code": " ".join(codes),
        "tax_code": " ".join(tax_codes.get(code, "") for code in codes),
        "vat_rate": Decimal(rates[0]).scaleb(-2) if len(rates) == 1 else None,
        "net": document.net,
        "vat": document.vat,
        "gross": document.gross,
        "debit": None if document.kind.is_credit else document.gross,
        "credit": -document.gross if document.kind.is_credit else None,
    }
