"""A layout is data: columns from known fields or constants, and how dates, signs and rows are written.

Several are ready (`rules/ready.py`); the council makes its own from the same fields. One writer serves them all
(`rules/writing.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from re import fullmatch
from typing import Any

from sla_manager.catalogue.rules.vat import VatCode
from sla_manager.finance.rules.cells import DATE_FORMATS, DECIMALS, DELIMITERS, ENCODINGS, FIXED_WIDTH
from sla_manager.finance.rules.fields import FIELDS
from sla_manager.kernel.errors import Refused

MOST_COLUMNS = 100
LONGEST_CONSTANT = 200
WIDEST = 500
SIGNS = {
    "signed": "Credits below nothing",
    "positive": "Always above nothing",
    "reversed": "Credits above nothing",
}
ROWS = {
    "line": "One row for each line",
    "tax": "One row for each line, and one for its VAT",
    "rate": "One row for each VAT rate of a document",
    "document": "One row for each document",
    "journal": "Two rows for each line: the school’s side and the service’s side",
}
SCOPES = {
    "all": "All documents",
    "invoices": "Invoices and their credit notes",
    "recharges": "Recharge notes and their credit notes",
}
ONLY = {
    "": "Every row",
    "charge": "Charges",
    "credit": "Credits",
    "line": "Lines, not their VAT",
    "tax": "VAT rows",
}
ALIGNMENTS = {"left": "Left", "right": "Right, blanks before", "zeros": "Right, noughts before"}
TAX_CODES = {VatCode.STANDARD: "T1", VatCode.ZERO: "T0", VatCode.EXEMPT: "T2", VatCode.OUTSIDE_SCOPE: "T9"}


class LayoutNotUsable(Refused):
    """A layout that could not be written."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, and a field or a constant text.

    `longest` cuts a text; `width` and `align` are for files of fixed width; `only` leaves the column empty on other
    rows (`ONLY`); `credit_header` is the heading in a file of credit notes alone, where that differs.
    """

    header: str
    field: str = ""
    constant: str = ""
    longest: int = 0
    width: int = 0
    align: str = "left"
    only: str = ""
    credit_header: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file is written.

    `recalculates`: the system works VAT out again line by line. `splits_credits`: credit notes go into a file of
    their own. `most_documents` and `most_rows` bound one file (0: no bound). `member` names the file within a ZIP,
    which a layout with a member always is.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: str = "line"
    header: bool = True
    delimiter: str = ","
    encoding: str = "utf-8-sig"
    date_format: str = "dd/mm/yyyy"
    decimals: str = "point"
    sign: str = "signed"
    scope: str = "all"
    tax_codes: Mapping[str, str] = field(
        default_factory=lambda: {code.value: t for code, t in TAX_CODES.items()}
    )
    longest_account: int = 0
    recalculates: bool = False
    splits_credits: bool = False
    most_documents: int = 0
    most_rows: int = 0
    member: str = ""
    contact: str = "name"
    charge_word: str = "Invoice"
    credit_word: str = "Credit note"

    @property
    def is_fixed(self) -> bool:
        """Whether every column has a width instead of something between the columns."""
        return self.delimiter == FIXED_WIDTH

    def as_data(self) -> dict[str, Any]:
        """Return the layout as it is kept with a batch."""
        return {"name": self.name, "columns": [column_data(one) for one in self.columns], **self.options()}

    def options(self) -> dict[str, Any]:
        """Return everything but name, title and columns."""
        return {
            "rows": self.rows,
            "header": self.header,
            "delimiter": self.delimiter,
            "encoding": self.encoding,
            "date_format": self.date_format,
            "decimals": self.decimals,
            "sign": self.sign,
            "scope": self.scope,
            "tax_codes": dict(self.tax_codes),
            "charge_word": self.charge_word,
            "credit_word": self.credit_word,
        }


def column_data(column: Column) -> dict[str, Any]:
    """Return a column as it is stored; what is left at its default is left out.

    >>> column_data(Column("Net", "net"))
    {'header': 'Net', 'field': 'net', 'constant': '', 'longest': 0}
    """
    kept = asdict(column)
    optional = {"width": 0, "align": "left", "only": "", "credit_header": ""}
    return {key: value for key, value in kept.items() if key not in optional or value != optional[key]}


def column_of(stored: Mapping[str, Any]) -> Column:
    """Return a column as it was stored."""
    known = {name: stored[name] for name in Column.__dataclass_fields__ if name in stored}
    return Column(**{"header": "", **known})


def check_layout(layout: Layout) -> Layout:
    """Return a layout that can be written, or say what is wrong with it."""
    if not fullmatch(r"[a-z0-9][a-z0-9-]{0,38}[a-z0-9]", layout.name):
        raise LayoutNotUsable(
            "Enter a name of 2 to 40 small letters, digits and hyphens, like council-ledger.", field="name"
        )
    if not 1 <= len(layout.columns) <= MOST_COLUMNS:
        raise LayoutNotUsable(f"Choose between 1 and {MOST_COLUMNS} columns.", field="columns")
    for place, column in enumerate(layout.columns, start=1):
        _check_column(place, column, fixed=layout.is_fixed)
    for value, allowed, what in (
        (layout.rows, ROWS, "rows"),
        (layout.delimiter, DELIMITERS, "delimiter"),
        (layout.encoding, ENCODINGS, "encoding"),
        (layout.date_format, DATE_FORMATS, "date_format"),
        (layout.decimals, DECIMALS, "decimals"),
        (layout.sign, SIGNS, "sign"),
        (layout.scope, SCOPES, "scope"),
    ):
        if value not in allowed:
            raise LayoutNotUsable("Choose one of the list.", field=what)
    if layout.rows == "journal" and layout.scope != "recharges":
        raise LayoutNotUsable(
            "A journal moves money within the council: choose recharge notes as its documents.", field="scope"
        )
    return layout


def _check_column(place: int, column: Column, *, fixed: bool) -> None:
    said = ""
    if column.field and column.field not in FIELDS:
        said = f"there is no field “{column.field[:40]}”."
    elif len(column.header) > LONGEST_CONSTANT or len(column.constant) > LONGEST_CONSTANT:
        said = f"use {LONGEST_CONSTANT} characters at most."
    elif fixed and not 1 <= column.width <= WIDEST:
        said = f"enter a width from 1 to {WIDEST} characters, because the file has a fixed width."
    elif column.align not in ALIGNMENTS or column.only not in ONLY:
        said = "choose one of the list."
    elif fixed and len(column.constant) > column.width:
        said = f"the fixed text “{column.constant[:40]}” is longer than its width of {column.width}."
    elif not 0 <= column.longest <= WIDEST:
        said = f"a text may be cut to {WIDEST} characters at most."
    if said:
        raise LayoutNotUsable(f"Column {place}: {said}", field="columns")
