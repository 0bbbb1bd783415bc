"""The national register of schools as a file: bytes become rows of cells under named columns.

The register is published as CSV with a varying set of columns (28 to 140 were seen), in the encoding of
the day. What the cells mean is decided elsewhere; here a file is readable or it is refused whole.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sla_manager.kernel.errors import Refused

_NOT_TEXT = {
    b"PK": "a ZIP archive or an Excel workbook",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a compressed file",
    b"GIF8": "a picture",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}


class UnreadableRegister(Refused):
    """The file is not a CSV file of the register; nothing of it was read."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(
            f"{why} Choose the CSV file of all establishments, as downloaded from the register.",
            field="file",
        )


@dataclass(frozen=True)
class RegisterFile:
    """A readable file. Rows are numbered as a spreadsheet shows them: the header is row 1."""

    columns: tuple[str, ...]
    _text: str

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """Yield each row's number and cells; empty lines are passed over."""
        reader = _reader(self._text)
        next(reader)
        number = 1
        while True:
            number += 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise UnreadableRegister(f"Row {number} cannot be read: {error}.") from error
            if cells:
                yield number, cells


def read_register(content: bytes) -> RegisterFile:
    """Read the bytes of a register file: UTF-8 (with or without its mark) or else Windows-1252."""
    text = _decoded(content)
    if "\0" in text:
        raise UnreadableRegister("The file is not text.")
    try:
        header = next(_reader(text), [])
    except csv.Error as error:
        raise UnreadableRegister(f"Row 1 cannot be read: {error}.") from error
    columns = tuple(" ".join(name.split()) for name in header)
    if len(columns) < 2:
        raise UnreadableRegister("Row 1 has no column names separated by commas.")
    repeated = sorted(name for name, times in Counter(columns).items() if name and times > 1)
    if repeated:
        raise UnreadableRegister(f"Row 1 names a column twice: {', '.join(repeated[:5])}.")
    return RegisterFile(columns, text)


def _decoded(content: bytes) -> str:
    if not content.strip():
        raise UnreadableRegister("The file is empty.")
    for beginning, kind in _NOT_TEXT.items():
        if content.startswith(beginning):
            raise UnreadableRegister(f"The file is {kind}.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise UnreadableRegister(
            f"Row {row} has a character that is neither UTF-8 nor Windows-1252."
        ) from error


def _reader(text: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), strict=True)
