"""Excel workbooks (.xlsx) read with the standard library: values only, exactly as they are written in the file.

Numbers never become binary floats: the digits in the file are read as `Decimal`, at the 15 places that Excel shows.
Nothing is unpacked to disk, nothing outside the file is opened, a document type or an entity is refused, and a
file that would unpack to more than `MOST_UNPACKED` is refused before it is unpacked (S13).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from posixpath import normpath
from xml.parsers import expat

from sla_manager.gateways.spreadsheets.errors import TooLarge, UnreadableSpreadsheet
from sla_manager.gateways.spreadsheets.formats import DateSystem, Shown, number_text, shown_as
from sla_manager.gateways.spreadsheets.tables import LONGEST_CELL, Gathering, Table, as_table

MOST_UNPACKED = 64 * 1024 * 1024
MOST_PARTS = 2_000
MOST_TEXTS = 400_000
_CHUNK = 64 * 1024
_DAMAGED = "The workbook is damaged or was cut short."
WITHOUT_VALUE = "a formula without a stored value"
"""What stands for a cell whose formula was never worked out."""

Attributes = Mapping[str, str]


def read_workbook(content: bytes, *, sheet: str = "") -> Table:
    """Read one sheet of a workbook: the named one, else the first that is not hidden."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = _Parts(archive)
            book = _Book()
            parts.parse("xl/workbook.xml", book.start)
            name, place = _chosen(book, parts, sheet)
            texts = _Texts()
            if "xl/sharedStrings.xml" in parts.names:
                parts.parse("xl/sharedStrings.xml", texts.start, texts.end, texts.text)
            styles = _Styles()
            if "xl/styles.xml" in parts.names:
                parts.parse("xl/styles.xml", styles.start, styles.end)
            reading = _Sheet(texts.found, styles.found, book.dates)
            parts.parse(place, reading.start, reading.end, reading.text)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise UnreadableSpreadsheet(
            _DAMAGED, "Open it in Excel, save it again, and try once more."
        ) from error
    return as_table(reading.gathering.rows, sheet=name, sheets=tuple(one for one, _, _ in book.sheets))


def _chosen(book: _Book, parts: _Parts, wanted: str) -> tuple[str, str]:
    relations = _Relations()
    parts.parse("xl/_rels/workbook.xml.rels", relations.start)
    visible = [one for one in book.sheets if one[2] == "visible"] or book.sheets
    if not visible:
        raise UnreadableSpreadsheet("The workbook has no sheet.")
    found = visible[0]
    if wanted.strip():
        same = [one for one in book.sheets if one[0].strip().casefold() == wanted.strip().casefold()]
        if not same:
            names = ", ".join(f"“{one[0]}”" for one in book.sheets[:20])
            raise UnreadableSpreadsheet(
                f"The workbook has no sheet “{wanted[:60]}”.", f"It has {names}. Write one of these names."
            )
        found = same[0]
    target = relations.targets.get(found[1], "")
    return found[0], normpath(target[1:] if target.startswith("/") else f"xl/{target}")


class _Parts:
    """The parts of the archive, checked before any of them is unpacked."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        entries = archive.infolist()
        if len(entries) > MOST_PARTS:
            raise TooLarge(f"{len(entries):,} parts inside")
        unpacked = sum(entry.file_size for entry in entries)
        if unpacked > MOST_UNPACKED:
            raise TooLarge(f"{unpacked // (1024 * 1024):,} MB when unpacked")
        if any(entry.flag_bits & 1 for entry in entries):
            raise UnreadableSpreadsheet("The workbook has a password.", "Save it without one and try again.")
        self._archive = archive
        self.names = {entry.filename for entry in entries}
        if "xl/workbook.xml" not in self.names:
            raise UnreadableSpreadsheet("The file is an archive, but no Excel workbook (.xlsx).")

    def parse(
        self,
        name: str,
        start: Callable[[str, Attributes], None],
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        """Read a part as XML, a piece at a time; names come without their namespace."""
        if name not in self.names:
            raise UnreadableSpreadsheet(_DAMAGED, f"The part {name[:60]} is missing.")
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _no_document_type
        parser.StartElementHandler = lambda tag, attributes: start(_local(tag), attributes)
        if end is not None:
            parser.EndElementHandler = lambda tag: end(_local(tag))
        if text is not None:
            parser.CharacterDataHandler = text
        read = 0
        try:
            with self._archive.open(name) as part:
                while piece := part.read(_CHUNK):
                    read += len(piece)
                    if read > MOST_UNPACKED:
                        raise TooLarge("more inside than it says")
                    parser.Parse(piece, False)
                parser.Parse(b"", True)
        except (expat.ExpatError, zipfile.error) as error:
            raise UnreadableSpreadsheet(
                _DAMAGED, "Open it in Excel, save it again, and try once more."
            ) from error


def _local(tag: str) -> str:
    return tag.rpartition(" ")[2]


def _no_document_type(*_: object) -> None:
    raise UnreadableSpreadsheet("The workbook has a document type, which no Excel workbook has.")


class _Book:
    """The sheets (name, relation, state) and how the book counts days."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str, str]] = []
        self.dates = DateSystem.FROM_1900

    def start(self, tag: str, attributes: Attributes) -> None:
        """Take a sheet, or the date system."""
        if tag == "sheet":
            relation = next((value for key, value in attributes.items() if key.endswith(" id")), "")
            self.sheets.append((attributes.get("name", ""), relation, attributes.get("state", "visible")))
        elif tag == "workbookPr" and attributes.get("date1904", "0") in ("1", "true"):
            self.dates = DateSystem.FROM_1904


class _Relations:
    """Where the parts stand that the book names."""

    def __init__(self) -> None:
        self.targets: dict[str, str] = {}

    def start(self, tag: str, attributes: Attributes) -> None:
        """Take a relation inside the file; one to the outside is never opened."""
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")


class _Texts:
    """The texts that cells share. A text in several fonts is put together; how it is pronounced is left out."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._pieces: list[str] = []
        self._taking = self._phonetic = False

    def start(self, tag: str, _attributes: Attributes) -> None:
        """Begin a text."""
        if tag == "si":
            self._pieces = []
        elif tag == "rPh":
            self._phonetic = True
        elif tag == "t":
            self._taking = not self._phonetic

    def end(self, tag: str) -> None:
        """End a text."""
        if tag == "t":
            self._taking = False
        elif tag == "rPh":
            self._phonetic = False
        elif tag == "si":
            if len(self.found) >= MOST_TEXTS:
                raise TooLarge(f"more than {MOST_TEXTS:,} texts")
            self.found.append("".join(self._pieces))

    def text(self, piece: str) -> None:
        """Take a piece of text."""
        if self._taking:
            self._pieces.append(piece)


class _Styles:
    """What each style of a cell shows: a number, a date, or a length of time."""

    def __init__(self) -> None:
        self.found: list[Shown] = []
        self._own: dict[int, str] = {}
        self._in_cells = False

    def start(self, tag: str, attributes: Attributes) -> None:
        """Take a format of the book's own, or a style."""
        if tag == "numFmt":
            self._own[_whole(attributes.get("numFmtId", ""))] = attributes.get("formatCode", "")
        elif tag == "cellXfs":
            self._in_cells = True
        elif tag == "xf" and self._in_cells:
            number = _whole(attributes.get("numFmtId", "0"))
            self.found.append(shown_as(number, self._own.get(number, "")))

    def end(self, tag: str) -> None:
        """Leave the list of styles."""
        if tag == "cellXfs":
            self._in_cells = False


class _Sheet:
    """The cells of a sheet, row by row."""

    def __init__(self, texts: Sequence[str], styles: Sequence[Shown], dates: DateSystem) -> None:
        self.gathering = Gathering()
        self._texts, self._styles, self._dates = texts, styles, dates
        self._row = 0
        self._cells: dict[int, str] = {}
        self._column = -1
        self._kind, self._style, self._pieces = "n", 0, [""]
        self._length = 0
        self._taking = self._formula = False

    def start(self, tag: str, attributes: Attributes) -> None:
        """Begin a row, a cell or its value."""
        if tag == "row":
            self._row = _whole(attributes.get("r", "")) or self._row + 1
            self._cells, self._column = {}, -1
        elif tag == "c":
            self._column = _column(attributes.get("r", "")) if "r" in attributes else self._column + 1
            self._kind, self._style = attributes.get("t", "n"), _whole(attributes.get("s", "0"))
            self._pieces, self._length, self._formula = [], 0, False
        elif tag in ("v", "t"):
            self._taking = True
        elif tag == "f":
            self._formula = True

    def end(self, tag: str) -> None:
        """Keep a cell, or hand on a row."""
        if tag in ("v", "t"):
            self._taking = False
        elif tag == "c":
            self._keep("".join(self._pieces))
        elif tag == "row" and self._cells:
            width = max(self._cells) + 1
            self.gathering.take(self._row, [self._cells.get(index, "") for index in range(width)])

    def text(self, piece: str) -> None:
        """Take a piece of a value."""
        if self._taking:
            self._length += len(piece)
            if self._length > 8 * LONGEST_CELL:
                raise TooLarge(f"a cell of more than {LONGEST_CELL:,} characters")
            self._pieces.append(piece)

    def _keep(self, raw: str) -> None:
        if raw or self._formula:
            if not 0 <= self._column < 16_384:
                raise UnreadableSpreadsheet(_DAMAGED, f"Row {self._row} has a cell in no column.")
            self._cells[self._column] = self._value(raw) if raw else WITHOUT_VALUE

    def _value(self, raw: str) -> str:
        if self._kind == "s":
            place = _whole(raw)
            return self._texts[place] if raw.strip().isdecimal() and place < len(self._texts) else ""
        if self._kind == "b":
            return "TRUE" if raw.strip() == "1" else "FALSE"
        if self._kind == "d":
            return raw.removesuffix("T00:00:00")
        if self._kind in ("str", "inlineStr", "e"):
            return raw
        shown = self._styles[self._style] if self._style < len(self._styles) else Shown.NUMBER
        return number_text(raw, shown, self._dates)


def _whole(text: str) -> int:
    cleaned = text.strip()
    return int(cleaned) if cleaned.isdecimal() and len(cleaned) <= 9 else 0


def _column(reference: str) -> int:
    """Return the number of a cell's column: "C7" is 2."""
    number = 0
    for letter in reference[:4].upper():
        if not "A" <= letter <= "Z":
            break
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
