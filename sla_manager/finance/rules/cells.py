"""What may stand in a cell of an exported file: numbers as numbers, text that no spreadsheet ever runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from sla_manager.kernel.cells import inert, quoted
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.quantities import plain

Cell = str | Money | Decimal | int | date | None
DATE_FORMATS = {
    "dd/mm/yyyy": "%d/%m/%Y",
    "ddmmyyyy": "%d%m%Y",
    "yyyy-mm-dd": "%Y-%m-%d",
    "yyyy/mm/dd": "%Y/%m/%d",
    "dd.mm.yyyy": "%d.%m.%Y",
    "dd-mmm-yyyy": "%d-%b-%Y",
    "yyyymmdd": "%Y%m%d",
    "ddmmyy": "%d%m%y",
}
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a mark for Excel",
    "cp1252": "Windows-1252",
}
FIXED_WIDTH = "fixed"
DELIMITERS = {
    ",": "Comma",
    ";": "Semicolon",
    "\t": "Tab",
    "|": "Bar",
    FIXED_WIDTH: "Nothing: each column has a fixed width",
}
DECIMALS = {"point": "1234.56", "comma": "1234,56", "pence": "123456 (pence)"}


class NotInEncoding(Refused):
    """A letter that the file's encoding does not have."""

    def __init__(self, letter: str, encoding: str, text: str) -> None:
        super().__init__(
            f"“{letter}” in “{text[:60]}” cannot be written in {ENCODINGS.get(encoding, encoding)}. "
            "Choose UTF-8 for this layout.",
            field="encoding",
        )


def written(cell: Cell, *, date_format: str, decimals: str = "point") -> str:
    """Return a cell as text: money and numbers plain (−207.63 stays a number), text made inert.

    >>> written(Money(-207_63), date_format="dd/mm/yyyy"), written("-207.63", date_format="dd/mm/yyyy")
    ('-207.63', "'-207.63")
    >>> written(Money(-207_63), date_format="", decimals="pence"), written(Money(5), date_format="", decimals="comma")
    ('-20763', '0,05')
    """
    if cell is None:
        return ""
    if isinstance(cell, str):
        return inert(cell)
    if isinstance(cell, Money):
        return str(cell.pence) if decimals == "pence" else _decimal(str(cell), decimals)
    if isinstance(cell, date):
        return cell.strftime(DATE_FORMATS[date_format])
    return _decimal(plain(cell), decimals) if isinstance(cell, Decimal) else str(cell)


def _decimal(digits: str, decimals: str) -> str:
    return digits.replace(".", ",") if decimals == "comma" else digits


def encoded(text: str, encoding: str) -> bytes:
    """Return text as bytes, or name the letter that the encoding does not have."""
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        line = text[max(0, error.start - 30) : error.start + 30].strip()
        raise NotInEncoding(text[error.start], encoding, line) from error


def write_rows(rows: Iterable[Sequence[Cell]], *, delimiter: str, encoding: str, date_format: str) -> bytes:
    """Return rows as the bytes of a file: RFC 4180, every line ended by CR LF, in the declared encoding."""
    lines = [
        delimiter.join(quoted(written(cell, date_format=date_format)) for cell in row) + "\r\n"
        for row in rows
    ]
    return encoded("".join(lines), encoding)
