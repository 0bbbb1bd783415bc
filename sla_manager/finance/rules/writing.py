"""The one writer of every layout: documents come in one by one, files go out, totals are counted on the way."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sla_manager.finance.rules.cells import Cell, encoded, written
from sla_manager.finance.rules.exported import ExportDocument
from sla_manager.finance.rules.fields import FREE_TEXTS, SIGNED, rows_of
from sla_manager.finance.rules.layouts import Column, Layout
from sla_manager.kernel.cells import quoted
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_END = "\r\n"
_KINDS = ("charge", "credit")
Piece = Callable[[Mapping[str, Cell]], str]


class AccountTooLong(Refused):
    """An account reference that the finance system would cut off, and so charge somebody else."""

    def __init__(self, customer: str, reference: str, longest: int) -> None:
        super().__init__(
            f"The account reference “{reference[:40]}” of {customer} is not usable: this layout allows {longest} "
            "letters and digits without spaces. Change it at the customer, then export again."
        )


class TooWide(Refused):
    """A value that its column would cut off, and so make into another."""

    def __init__(self, value: str, column: Column) -> None:
        super().__init__(
            f"“{value[:60]}” has {len(value)} characters, and the column “{column.header[:40]}” is "
            f"{column.width} wide. Nothing was made. Make the column wider, or change the value.",
            field="columns",
        )


class SharedName(Refused):
    """Two customers of one name, which a system that knows customers by name would make into one."""

    def __init__(self, name: str, accounts: Iterable[str]) -> None:
        super().__init__(
            f"The accounts {' and '.join(sorted(accounts))} are both called “{name[:80]}”. The finance system "
            "would make them one customer. Choose “name and account” in this layout’s settings.",
            field="contact",
        )


@dataclass(frozen=True, slots=True)
class Written:
    """What is handed over: the bytes, how the file's name ends, and the control totals of what is in it."""

    content: bytes
    ending: str
    count: int
    net: Money
    vat: Money
    gross: Money


@dataclass(slots=True)
class _File:
    """One file while it is written."""

    name: str
    chunks: list[bytes] = field(default_factory=list)
    documents: int = 0
    rows: int = 0

    def is_full(self, layout: Layout, more_rows: int) -> bool:
        """Say whether another document of so many rows would be too much for it."""
        if not self.documents:
            return False
        return (0 < layout.most_documents <= self.documents) or (0 < layout.most_rows < self.rows + more_rows)


def write(layout: Layout, documents: Iterable[ExportDocument]) -> Written:
    """Return the file of some documents: the same documents and layout give the same bytes.

    Raises `AccountTooLong`, `TooWide`, `SharedName` or `NotInEncoding` before anything leaves.
    """
    pieces, files, names = _pieces(layout), [], {}  # type: tuple[list[Piece], list[_File], dict[str, str]]
    latest: dict[str, _File] = {}
    count, net, vat, gross = 0, 0, 0, 0
    for document in documents:
        _check_account(layout, document, names)
        rows = rows_of(
            document, rows=layout.rows, recalculates=layout.recalculates, tax_codes=layout.tax_codes,
            contact=layout.contact, words=(layout.charge_word, layout.credit_word),
        )  # fmt: skip
        kind = "credit-notes" if layout.splits_credits and document.kind.is_credit else "invoices"
        file = latest.get(kind)
        if file is None or file.is_full(layout, len(rows)):
            file = latest[kind] = _new_file(layout, kind, [one for one in files if one.name.startswith(kind)])
            files.append(file)
        between = "" if layout.is_fixed else layout.delimiter
        lines = [between.join([piece(row) for piece in pieces]) + _END for row in rows]
        file.chunks.append(encoded("".join(lines), _plain_encoding(layout)))
        file.documents, file.rows = file.documents + 1, file.rows + len(rows)
        count, net, vat, gross = (
            count + 1, net + document.net.pence, vat + document.vat.pence, gross + document.gross.pence
        )  # fmt: skip
    content, ending = _packed(layout, files or [_new_file(layout, "invoices", [])])
    return Written(content, ending, count, Money(net), Money(vat), Money(gross))


def render(layout: Layout, documents: Iterable[ExportDocument]) -> bytes:
    """Return the bytes alone."""
    return write(layout, documents).content


def _check_account(layout: Layout, document: ExportDocument, names: dict[str, str]) -> None:
    reference = document.account_reference
    if layout.longest_account and (len(reference) > layout.longest_account or not reference.isalnum()):
        raise AccountTooLong(document.customer, reference, layout.longest_account)
    uses_names = any(column.field == "contact" for column in layout.columns)
    if layout.contact == "name" and uses_names:
        other = names.setdefault(document.customer, reference)
        if other != reference:
            raise SharedName(document.customer, (other, reference))


def _new_file(layout: Layout, kind: str, earlier: list[_File]) -> _File:
    file = _File(f"{kind}-{len(earlier) + 1:02d}")
    headings = [(kind == "credit-notes" and one.credit_header) or one.header for one in layout.columns]
    text = ""
    if layout.header and layout.is_fixed:
        text = "".join(
            one[: column.width].ljust(column.width)
            for one, column in zip(headings, layout.columns, strict=True)
        )
    elif layout.header:
        text = layout.delimiter.join(quoted(written(one, date_format=layout.date_format)) for one in headings)
    mark = b"\xef\xbb\xbf" if layout.encoding == "utf-8-sig" else b""
    file.chunks.append(mark + (encoded(text + _END, _plain_encoding(layout)) if layout.header else b""))
    return file


def _plain_encoding(layout: Layout) -> str:
    return "utf-8" if layout.encoding == "utf-8-sig" else layout.encoding


def _packed(layout: Layout, files: list[_File]) -> tuple[bytes, str]:
    """Return the only file as it is, several as one ZIP whose bytes depend on nothing but them."""
    if len(files) == 1 and not layout.member:
        return b"".join(files[0].chunks), ".txt" if layout.is_fixed else ".csv"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            name = layout.member or f"{layout.name}-{file.name}.csv"
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, b"".join(file.chunks))
    return made.getvalue(), ".zip"


def _pieces(layout: Layout) -> list[Piece]:
    """Return what writes a row: one piece for each column, neighbours that never change joined into one."""
    pieces: list[Piece] = []
    still: list[str] = []
    between = "" if layout.is_fixed else layout.delimiter

    def settle() -> None:
        if still:
            pieces.append(_always(between.join(still)))
            still.clear()

    for column in layout.columns:
        if column.field or column.only:
            settle()
            pieces.append(_of_row(layout, column))
        else:
            still.append(_text(layout, column, column.constant))
    settle()
    return pieces


def _always(text: str) -> Piece:
    return lambda _: text


def _of_row(layout: Layout, column: Column) -> Piece:
    name, only, empty = column.field, column.only, _text(layout, column, None)

    def piece(row: Mapping[str, Cell]) -> str:
        if only and only not in (str(row["line_type"]).lower(), _KINDS[row["sage_type"] == "SC"]):
            return empty
        return _text(layout, column, _signed(layout, name, row[name]) if name else column.constant)

    return piece


def _signed(layout: Layout, name: str, value: Cell) -> Cell:
    if layout.sign == "positive" and isinstance(value, Money):
        return abs(value)
    if layout.sign == "positive" and isinstance(value, Decimal):
        return abs(value)
    if layout.sign == "reversed" and isinstance(value, Money) and name in SIGNED:
        return -value
    return value


def _text(layout: Layout, column: Column, value: Cell) -> str:
    if isinstance(value, str) and (column.longest or layout.is_fixed):
        value = " ".join(value.split())[: column.longest or None]
    text = written(value, date_format=layout.date_format, decimals=layout.decimals)
    if layout.is_fixed:
        return _filled(column, text, value)
    return text if not isinstance(value, str) and layout.delimiter not in text else quoted(text)


def _filled(column: Column, text: str, value: Cell) -> str:
    if len(text) > column.width:
        if column.field not in FREE_TEXTS:
            raise TooWide(text, column)
        text = text[: column.width]
    if column.align == "right":
        return text.rjust(column.width)
    if column.align == "zeros" and text:
        is_number = not isinstance(value, str | date)
        return text.zfill(column.width) if is_number else text.rjust(column.width, "0")
    return text.ljust(column.width)


def sample(layout: Layout, documents: Iterable[ExportDocument]) -> str:
    """Return what the file would say of some documents, as text: of several files, one after the other."""
    content = write(layout, documents).content
    if not content.startswith(b"PK"):
        return content.decode(layout.encoding)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return "\n".join(archive.read(name).decode(layout.encoding) for name in archive.namelist())
