"""Files to download: CSV and Excel workbooks whose numbers are numbers and whose texts never run (X4).

The same rows always give the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

from sla_manager.gateways.spreadsheets.tables import letters
from sla_manager.kernel.cells import inert, quoted
from sla_manager.kernel.money import Money
from sla_manager.kernel.quantities import plain

Cell = str | Money | Decimal | int | date | None
CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_DAY_ZERO = date(1899, 12, 30)
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_GENERAL, _MONEY, _DATE, _NAMES = 0, 1, 2, 3
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="#,##0.00"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def write_csv(names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return rows as CSV in UTF-8 with the mark that Excel looks for; dates as 31/03/2026.

    >>> write_csv(["School", "Net"], [["=1+1", Money(-207_63)]]).decode("utf-8-sig")
    "School,Net\\r\\n'=1+1,-207.63\\r\\n"
    """
    lines = [",".join(quoted(_written(cell)) for cell in row) + "\r\n" for row in (names, *rows)]
    return "".join(lines).encode("utf-8-sig")


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return inert(cell)
    if isinstance(cell, date):
        return f"{cell:%d/%m/%Y}"
    return plain(cell) if isinstance(cell, Decimal) else str(cell)


def write_xlsx(names: Sequence[str], rows: Iterable[Sequence[Cell]], *, sheet: str = "Sheet1") -> bytes:
    """Return rows as a workbook of one sheet: names bold and kept in sight, money and dates as such."""
    title = "".join(letter for letter in sheet if letter not in "[]:*?/\\'")[:31] or "Sheet1"
    parts = {
        "[Content_Types].xml": _types(),
        "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": (
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
            f'<sheet name={quoteattr(_allowed(title))} sheetId="1" r:id="rId1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": _relations(
            [("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml")]
        ),
        "xl/styles.xml": _STYLES,
        "xl/worksheets/sheet1.xml": _sheet(names, rows),
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, (_HEAD + content).encode())
    return made.getvalue()


def _sheet(names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    body = list(rows)
    lines = [_row(1, names, names=True)]
    lines += [_row(number, row) for number, row in enumerate(body, start=2)]
    return (
        f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f'<sheetFormatPr defaultRowHeight="15"/>{_widths(names, body)}<sheetData>{"".join(lines)}</sheetData>'
        "</worksheet>"
    )


def _widths(names: Sequence[str], body: Sequence[Sequence[Cell]]) -> str:
    """Return how wide each column is: enough for what stands in it, and never the whole screen."""
    wide = [
        max(
            [
                len(name),
                *(len(str(row[index])) for row in body if index < len(row) and row[index] is not None),
            ]
        )
        for index, name in enumerate(names)
    ]
    listed = "".join(
        f'<col min="{place}" max="{place}" width="{min(max(most, 8), 60) + 2}" customWidth="1"/>'
        for place, most in enumerate(wide, start=1)
    )
    return f"<cols>{listed}</cols>" if listed else ""


def _row(number: int, cells: Sequence[Cell], *, names: bool = False) -> str:
    written = "".join(
        _cell(f"{letters(index)}{number}", cell, names)
        for index, cell in enumerate(cells)
        if cell not in (None, "")
    )
    return f'<row r="{number}">{written}</row>'


def _cell(place: str, cell: Cell, names: bool) -> str:
    if isinstance(cell, str):
        style = _NAMES if names else _GENERAL
        text = escape(_allowed(inert(cell)))
        return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    if isinstance(cell, date):
        return f'<c r="{place}" s="{_DATE}"><v>{(cell - _DAY_ZERO).days}</v></c>'
    style = _MONEY if isinstance(cell, Money) else _GENERAL
    digits = plain(cell) if isinstance(cell, Decimal) else str(cell)
    return f'<c r="{place}" s="{style}"><v>{digits}</v></c>'


def _allowed(text: str) -> str:
    """Leave out the characters that no XML may hold."""
    return "".join(
        letter
        for letter in text
        if letter in "\t\n\r"
        or " " <= letter <= "\ud7ff"
        or "\ue000" <= letter <= "\ufffd"
        or letter >= "\U00010000"
    )


def _relations(entries: Sequence[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(entries, start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _types() -> str:
    base = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = (
        ("xl/workbook.xml", "sheet.main"),
        ("xl/worksheets/sheet1.xml", "worksheet"),
        ("xl/styles.xml", "styles"),
    )
    listed = "".join(
        f'<Override PartName="/{name}" ContentType="{base}.{kind}+xml"/>' for name, kind in parts
    )
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{listed}</Types>'
    )
