"""Bank statements read from their files: XML, SWIFT, OFX and the CSV files of British banks.

What a file is, is seen from its bytes, never from its name.
"""

from __future__ import annotations

from sla_manager.gateways.statements.camt import read_camt
from sla_manager.gateways.statements.columns import DATE_ORDERS, KNOWN, Columns
from sla_manager.gateways.statements.lines import (
    MOST_BYTES,
    MOST_LINES,
    Finding,
    Statement,
    StatementFile,
    StatementLine,
    UnreadableStatement,
    account_number,
)
from sla_manager.gateways.statements.ofx import read_ofx
from sla_manager.gateways.statements.santander import read_santander
from sla_manager.gateways.statements.separated import read_separated
from sla_manager.gateways.statements.swift import read_mt940

__all__ = [
    "DATE_ORDERS",
    "KNOWN",
    "MOST_BYTES",
    "MOST_LINES",
    "Columns",
    "Finding",
    "Statement",
    "StatementFile",
    "StatementLine",
    "UnreadableStatement",
    "account_number",
    "read_statement",
]
_NO_STATEMENT = {
    b"PK": "an Excel workbook",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a compressed file",
    b"GIF8": "a picture",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}


def read_statement(content: bytes, *, columns: Columns | None = None) -> StatementFile:
    """Read a statement's bytes. `columns` is how to read a CSV file of a bank that is not known.

    Raises `UnreadableStatement` with what is wrong and what to do; single lines that cannot be read are findings.
    """
    if not content.strip():
        raise UnreadableStatement("The file is empty.")
    if len(content) > MOST_BYTES:
        raise UnreadableStatement("The file is larger than 20 MB.", "Download fewer days at a time.")
    for beginning, kind in _NO_STATEMENT.items():
        if content.startswith(beginning):
            raise UnreadableStatement(f"The file is {kind}.", "Download it as camt.053, MT940, OFX or CSV.")
    start = content[:2000].lstrip(b"\xef\xbb\xbf \r\n\t")
    if b"OFXHEADER" in start or b"<OFX>" in start:
        return StatementFile("OFX", read_ofx(content))
    if start.startswith(b"<") or content.startswith((b"\xff\xfe<\x00", b"\xfe\xff\x00<")):
        return StatementFile("camt.053", read_camt(content))
    text = _decoded(content)
    if ":60F:" in text or ":60M:" in text or ":25:" in text[:500]:
        return StatementFile("MT940", read_mt940(text))
    if columns is None and "Date:" in text[:1000] and "Description:" in text[:1000]:
        return StatementFile("Santander (text)", read_santander(text))
    written, statements = read_separated(text, columns=columns)
    return StatementFile(written, statements)


def _decoded(content: bytes) -> str:
    """Return the text of UTF-8 or UTF-16 with its mark, else of Windows-1252."""
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            return content.decode("utf-16")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise UnreadableStatement(
            f"Row {row} has a character that is neither UTF-8 nor Windows-1252."
        ) from error
    if "\0" in text:
        raise UnreadableStatement("The file is not text.")
    return text
