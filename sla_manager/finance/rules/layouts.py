"""A layout is data: columns from known fields or constants, and how dates, signs and rows are written.

Two are ready (`plain`, `sage50`); the council makes its own from the same fields. One writer serves them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from re import fullmatch
from typing import Any

from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.catalogue.rules.vat import VatCode
from sla_manager.finance.rules.cells import DATE_FORMATS, DELIMITERS, ENCODINGS, Cell, write_rows
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money

PLAIN, SAGE50 = "plain", "sage50"
READY = (PLAIN, SAGE50)
MOST_COLUMNS = 100
LONGEST_CONSTANT = 200
SIGNS = {
    "signed": "Credits below nothing",
    "positive": "Always above nothing",
    "reversed": "Credits above nothing",
}
ROWS = {"line": "One row for each line", "document": "One row for each document"}

FIELDS: dict[str, str] = {
    "number": "Document number",
    "kind": "Kind of document",
    "sage_type": "SI or SC",
    "debit_credit": "D or C",
    "series": "Number series",
    "financial_year": "Financial year",
    "issued_on": "Date of the document",
    "tax_point": "Tax point",
    "due_on": "Due date",
    "account_reference": "Customer’s account",
    "customer": "Customer’s name",
    "school": "School’s name",
    "urn": "School’s URN",
    "service": "Service",
    "agreement": "Agreement",
    "purchase_order": "Purchase order",
    "credits_number": "Number of the credited document",
    "reason": "Reason of a credit",
    "line": "Line number",
    "description": "Description",
    "quantity": "Quantity",
    "unit": "Unit",
    "unit_price": "Unit price",
    "vat_code": "VAT code",
    "tax_code": "Tax code of your system",
    "vat_rate": "VAT rate in per cent",
    "net": "Net (of the row)",
    "vat": "VAT (of the row)",
    "gross": "Gross (of the row)",
    "document_net": "Net of the document",
    "document_vat": "VAT of the document",
    "document_gross": "Gross of the document",
}
"""Every field that a column may hold, and what it is called."""

_MONEY_SIGNED = ("net", "vat", "gross", "document_net", "document_vat", "document_gross")
_TAX_CODES = {VatCode.STANDARD: "T1", VatCode.ZERO: "T0", VatCode.EXEMPT: "T2", VatCode.OUTSIDE_SCOPE: "T9"}


class LayoutNotUsable(Refused):
    """A layout that could not be written."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, and a field or a constant text."""

    header: str
    field: str = ""
    constant: str = ""
    longest: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file is written."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: str = "line"
    header: bool = True
    delimiter: str = ","
    encoding: str = "utf-8-sig"
    date_format: str = "dd/mm/yyyy"
    sign: str = "signed"
    tax_codes: Mapping[str, str] = field(
        default_factory=lambda: {code.value: t for code, t in _TAX_CODES.items()}
    )
    longest_account: int = 0

    def as_data(self) -> dict[str, Any]:
        """Return the layout as it is kept with a batch."""
        return {
            "name": self.name,
            "columns": [
                {"header": one.header, "field": one.field, "constant": one.constant, "longest": one.longest}
                for one in self.columns
            ],
            **self.options(),
        }

    def options(self) -> dict[str, Any]:
        """Return everything but name and columns."""
        return {
            "rows": self.rows,
            "header": self.header,
            "delimiter": self.delimiter,
            "encoding": self.encoding,
            "date_format": self.date_format,
            "sign": self.sign,
            "tax_codes": dict(self.tax_codes),
        }


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportDocument:
    """A document as it is handed over."""

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


def plain_layout() -> Layout:
    """Return the layout that holds everything, a row for each line."""
    return Layout(
        name=PLAIN,
        title="Everything, plainly",
        columns=tuple(Column(name, name) for name in FIELDS if name not in ("sage_type", "tax_code")),
        date_format="yyyy-mm-dd",
    )


def sage50_layout(options: Mapping[str, Any] | None = None) -> Layout:
    """Return Sage 50's audit trail transactions: 15 columns exactly, both amounts positive, SI and SC.

    `options`: nominal, department, date_format, tax_codes; each as the council set it.
    """
    chosen = dict(options or {})
    return Layout(
        name=SAGE50,
        title="Sage 50 audit trail transactions",
        columns=(
            Column("Type", "sage_type"),
            Column("Account Reference", "account_reference"),
            Column("Nominal A/C Ref", constant=str(chosen.get("nominal", "4000"))),
            Column("Department Code", constant=str(chosen.get("department", "0"))),
            Column("Date", "issued_on"),
            Column("Reference", "number", longest=30),
            Column("Details", "description", longest=60),
            Column("Net Amount", "net"),
            Column("Tax Code", "tax_code"),
            Column("Tax Amount", "vat"),
            Column("Exchange Rate", constant="1"),
            Column("Extra Reference", "purchase_order", longest=30),
            Column("User Name"),
            Column("Project Refn"),
            Column("Cost Code Refn"),
        ),
        encoding=str(chosen.get("encoding", "utf-8")),
        date_format=str(chosen.get("date_format", "dd/mm/yyyy")),
        sign="positive",
        tax_codes={code.value: t for code, t in _TAX_CODES.items()} | dict(chosen.get("tax_codes", {})),
        longest_account=8,
    )


def check_layout(layout: Layout) -> Layout:
    """Return a layout that can be written, or say what is wrong with it."""
    if not fullmatch(r"[a-z0-9][a-z0-9-]{0,38}[a-z0-9]", layout.name):
        raise LayoutNotUsable(
            "Enter a name of 2 to 40 small letters, digits and hyphens, like council-ledger.", field="name"
        )
    if not 1 <= len(layout.columns) <= MOST_COLUMNS:
        raise LayoutNotUsable(f"Choose between 1 and {MOST_COLUMNS} columns.", field="columns")
    for place, column in enumerate(layout.columns, start=1):
        if column.field and column.field not in FIELDS:
            raise LayoutNotUsable(
                f"Column {place}: there is no field “{column.field[:40]}”.", field="columns"
            )
        if len(column.header) > LONGEST_CONSTANT or len(column.constant) > LONGEST_CONSTANT:
            raise LayoutNotUsable(
                f"Column {place}: use {LONGEST_CONSTANT} characters at most.", field="columns"
            )
    for value, allowed, what in (
        (layout.rows, ROWS, "rows"),
        (layout.delimiter, DELIMITERS, "delimiter"),
        (layout.encoding, ENCODINGS, "encoding"),
        (layout.date_format, DATE_FORMATS, "date_format"),
        (layout.sign, SIGNS, "sign"),
    ):
        if value not in allowed:
            raise LayoutNotUsable("Choose one of the list.", field=what)
    return layout


class AccountTooLong(Refused):
    """An account reference that the finance system would cut off, and so charge somebody else."""

    def __init__(self, customer: str, reference: str, longest: int) -> None:
        super().__init__(
            f"The account reference “{reference[:40]}” of {customer} is not usable: this layout allows {longest} "
            "letters and digits without spaces. Change it at the customer, then export again."
        )


def render(layout: Layout, documents: Iterable[ExportDocument]) -> bytes:
    """Return the file of some documents: the same documents and layout give the same bytes."""
    rows: list[list[Cell]] = [[column.header for column in layout.columns]] if layout.header else []
    for document in documents:
        reference = document.account_reference
        if layout.longest_account and (len(reference) > layout.longest_account or not reference.isalnum()):
            raise AccountTooLong(document.customer, reference, layout.longest_account)
        rows += [_row(layout, values) for values in _values(layout, document)]
    return write_rows(
        rows, delimiter=layout.delimiter, encoding=layout.encoding, date_format=layout.date_format
    )


def _row(layout: Layout, values: Mapping[str, Cell]) -> list[Cell]:
    return [_cell(layout, column, values) for column in layout.columns]


def _cell(layout: Layout, column: Column, values: Mapping[str, Cell]) -> Cell:
    value: Cell = values[column.field] if column.field else column.constant
    if column.field in _MONEY_SIGNED and isinstance(value, Money):
        return _signed(value, layout.sign)
    if layout.sign == "positive" and isinstance(value, Money):
        return abs(value)
    if layout.sign == "positive" and isinstance(value, Decimal):
        return abs(value)
    if isinstance(value, str) and column.longest:
        return " ".join(value.split())[: column.longest]
    return value


def _signed(amount: Money, sign: str) -> Money:
    if sign == "positive":
        return abs(amount)
    return -amount if sign == "reversed" else amount


def _values(layout: Layout, document: ExportDocument) -> list[dict[str, Cell]]:
    head: dict[str, Cell] = {
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
        "school": document.school,
        "urn": document.urn,
        "service": document.service,
        "agreement": document.agreement,
        "purchase_order": document.purchase_order,
        "credits_number": document.credits_number,
        "reason": document.reason,
        "document_net": document.net,
        "document_vat": document.vat,
        "document_gross": document.gross,
    }
    if layout.rows == "document":
        return [head | _whole(layout, document)]
    return [
        head
        | {
            "line": line.position,
            "description": line.description,
            "quantity": line.quantity,
            "unit": line.unit,
            "unit_price": line.unit_price,
            "vat_code": line.vat_code.value,
            "tax_code": layout.tax_codes.get(line.vat_code.value, ""),
            "vat_rate": Decimal(line.vat_rate).scaleb(-2),
            "net": line.net,
            "vat": line.vat,
            "gross": line.net + line.vat,
        }
        for line in document.lines
    ]


def _whole(layout: Layout, document: ExportDocument) -> dict[str, Cell]:
    """Return the row's fields when a document is one row: figures of the document, words of its first line."""
    codes = sorted({line.vat_code.value for line in document.lines})
    rates = sorted({line.vat_rate for line in document.lines})
    return {
        "line": 1,
        "description": document.lines[0].description if document.lines else "",
        "quantity": Decimal(1),
        "unit": "document",
        "unit_price": abs(document.net),
        "vat_code": " ".join(codes),
        "tax_code": " ".join(layout.tax_codes.get(code, "") for code in codes),
        "vat_rate": Decimal(rates[0]).scaleb(-2) if len(rates) == 1 else None,
        "net": document.net,
        "vat": document.vat,
        "gross": document.gross,
    }


def share_vat(nets: list[Money], vat: Money) -> list[Money]:
    """Share the VAT of one code over its lines by their nets, so that the rows add up to the document.

    >>> [str(part) for part in share_vat([Money(10_01)] * 3, Money(6_01))]
    ['2.01', '2.00', '2.00']
    """
    weights = [abs(net.pence) for net in nets]
    if not any(weights):
        return [vat, *(Money(0) for _ in nets[1:])] if nets else []
    return list(vat.split(weights))
