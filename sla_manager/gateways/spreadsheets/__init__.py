"""Spreadsheets as offices keep them, read as tables of text and written for download.

What a file is, is seen from its bytes, never from its name. Figures are read from the text in the file, so that
money never passes through a binary number.
"""

from __future__ import annotations

from sla_manager.gateways.spreadsheets.errors import TooLarge, UnreadableSpreadsheet
from sla_manager.gateways.spreadsheets.separated import read_csv
from sla_manager.gateways.spreadsheets.tables import Table
from sla_manager.gateways.spreadsheets.workbook import read_workbook
from sla_manager.gateways.spreadsheets.writing import CSV_TYPE, XLSX_TYPE, Cell, write_csv, write_xlsx

__all__ = [
    "CSV_TYPE",
    "XLSX_TYPE",
    "Cell",
    "Table",
    "TooLarge",
    "UnreadableSpreadsheet",
    "read_spreadsheet",
    "write_csv",
    "write_xlsx",
]
MOST_BYTES = 20 * 1024 * 1024
_NOT_A_TABLE = {
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls), or one with a password",
    b"\x1f\x8b": "a compressed file",
    b"GIF8": "a picture",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}


def read_spreadsheet(content: bytes, *, sheet: str = "") -> Table:
    """Read a CSV file, or one sheet of a workbook, as a table of text.

    Raises `UnreadableSpreadsheet` with what is wrong and what to do, `TooLarge` beyond what a table may have.
    """
    if not content.strip():
        raise UnreadableSpreadsheet("The file is empty.", "Choose the file with the figures.")
    if len(content) > MOST_BYTES:
        raise TooLarge(f"{len(content) // (1024 * 1024):,} MB; {MOST_BYTES // (1024 * 1024)} MB are allowed")
    for beginning, kind in _NOT_A_TABLE.items():
        if content.startswith(beginning):
            raise UnreadableSpreadsheet(f"The file is {kind}.")
    if content.startswith(b"PK"):
        return read_workbook(content, sheet=sheet)
    return read_csv(content)
