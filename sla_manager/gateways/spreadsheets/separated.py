"""CSV files as offices save them: comma, semicolon or tab; UTF-8 with or without its mark, or Windows-1252."""

from __future__ import annotations

import csv
import io

from sla_manager.gateways.spreadsheets.errors import UnreadableSpreadsheet
from sla_manager.gateways.spreadsheets.tables import Gathering, Table, as_table

DELIMITERS = (",", ";", "\t")
_LOOKED_AT = 20


def read_csv(content: bytes) -> Table:
    """Read the bytes of a CSV file as a table of text."""
    text = decoded(content)
    if "\0" in text:
        raise UnreadableSpreadsheet("The file is not text.")
    delimiter = sniffed(text)
    gathering = Gathering()
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 1
    try:
        for cells in reader:
            gathering.take(number, cells)
            number = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableSpreadsheet(
            f"Row {number} cannot be read: {error}.", "Is the file cut short? Save it again."
        ) from error
    return as_table(gathering.rows)


def decoded(content: bytes) -> str:
    """Return the text of a file's bytes, or refuse what is neither UTF-8 nor Windows-1252."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise UnreadableSpreadsheet(
            f"Row {row} has a character that is neither UTF-8 nor Windows-1252."
        ) from error


def sniffed(text: str) -> str:
    """Return the delimiter that cuts the beginning of a file into the most cells.

    >>> sniffed("School;Days\\nHill, The;1,5\\n"), sniffed("School,Days\\nHill,12\\n"), sniffed("A\\tB\\n")
    (';', ',', '\\t')
    """
    beginning = text.splitlines()[:_LOOKED_AT]
    counts = {delimiter: [_cells(line, delimiter) for line in beginning] for delimiter in DELIMITERS}
    return max(DELIMITERS, key=lambda one: (_usual(counts[one]), sum(counts[one])))


def _cells(line: str, delimiter: str) -> int:
    """Count the cells of a line, what is quoted aside."""
    return "".join(line.split('"')[::2]).count(delimiter) + 1 if line.strip() else 0


def _usual(counts: list[int]) -> int:
    """Return how many lines are cut into the number of cells that is the most usual above one."""
    several = [count for count in counts if count > 1]
    return max((several.count(count) for count in several), default=0)
