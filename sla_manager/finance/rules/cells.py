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
}
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a mark for Excel",
    "cp1252": "Windows-1252",
}
DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Bar"}


class NotInEncoding(Refused):
    """A letter that the file's encoding does not have."""

    def __init__(self, letter: str, encoding: str, text: str) -> None:
        super().__init__(
            f"“{letter}” in “{text[:60]}” cannot be written in {ENCODINGS.get(encoding, encoding)}. "
            "Choose UTF-8 for this layout.",
            field="encoding",
        )


def written(cell: Cell, *, date_format: str) -> str:
    """Return a cell as text: money and numbers plain (−207.63 stays a number), text made inert.

    >>> written(Money(-207_63), date_format="dd/mm/yyyy"), written("-207.63", date_format="dd/mm/yyyy")
    ('-207.63', "'-207.63")
    """
    if cell is None:
        return ""
    if isinstance(cell, str):
        return inert(cell)
    if isinstance(cell, date):
        return cell.strftime(DATE_FORMATS[date_format])
    return plain(cell) if isinstance(cell, Decimal) else str(cell)


def write_rows(rows: Iterable[Sequence[Cell]], *, delimiter: str, encoding: str, date_format: str) -> bytes:
    """Return rows as the bytes of a file: RFC 4180, every line ended by CR LF, in the declared encoding."""
    lines = [
        delimiter.join(quoted(written(cell, date_format=date_format)) for cell in row) + "\r\n"
        for row in rows
    ]
    text = "".join(lines)
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        line = text[max(0, error.start - 30) : error.start + 30].strip()
        raise NotInEncoding(text[error.start], encoding, line) from error
