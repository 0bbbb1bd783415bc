"""What a row of the national register says: read by column name, refused with its row and column.

Source: Get Information about Schools, "all establishment data". Dates are dd-mm-yyyy; an easting
of 0 is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.words import counted

MOST_ERRORS = 50
LONGEST_TEXT = 500
CLOSED, PROPOSED_TO_OPEN = "2", "4"
PLACEHOLDER_DATE = date(1900, 1, 1)
"""What the register writes where nobody knows."""


@dataclass(frozen=True)
class CellError:
    """One cell that cannot be read."""

    row: int
    column: str
    value: str
    why: str

    def __str__(self) -> str:
        shown = f" (“{self.value[:40]}”)" if self.value else ""
        return f"Row {self.row}, {self.column}{shown}: {self.why}"


class UnreadableCells(Refused):
    """A file with cells that cannot be read is refused whole: nothing of it is imported."""

    def __init__(self, errors: Sequence[CellError], *, more: bool) -> None:
        self.errors = tuple(errors)
        count = f"more than {len(errors)} mistakes" if more else counted(len(errors), "mistake")
        self.opening = f"Nothing was imported. The file has {count}."
        super().__init__(" ".join([self.opening, *map(str, errors)]), field="file")


class MissingColumns(Refused):
    """The file lacks columns without which a school cannot be known or classed."""

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(
            f"Nothing was imported. The file lacks {'these columns' if len(missing) > 1 else 'the column'}: "
            f"{', '.join(missing)}. Download all fields of the register again.",
            field="file",
        )


def _text(cell: str) -> str:
    cleaned = " ".join(cell.split())
    if len(cleaned) > LONGEST_TEXT:
        raise ValueError(f"is longer than {LONGEST_TEXT} characters.")
    return cleaned


def _needed_text(cell: str) -> str:
    if not cell.strip():
        raise ValueError("is empty. Every row needs one.")
    return _text(cell)


def _optional_text(cell: str) -> str | None:
    return _text(cell) or None


def _code(cell: str) -> str:
    cleaned = _needed_text(cell)
    if not (cleaned.isascii() and cleaned.isdigit() and len(cleaned) <= 4):
        raise ValueError("is not a code of the register, which is a whole number.")
    return cleaned.lstrip("0") or "0"


def _urn(cell: str) -> int:
    cleaned = cell.strip()
    if not (cleaned.isascii() and cleaned.isdigit() and 1 <= int(cleaned) <= 9_999_999):
        raise ValueError("is not a URN. A URN is a whole number of up to 7 digits, like 100112.")
    return int(cleaned)


def _count(cell: str) -> int | None:
    cleaned = cell.strip()
    if not cleaned:
        return None
    if not (cleaned.isascii() and cleaned.isdigit() and len(cleaned) < 8):
        raise ValueError("is not a whole number.")
    return int(cleaned)


def _place(cell: str) -> int | None:
    return _count(cell) or None


def _group_uid(cell: str) -> str:
    cleaned = cell.strip()
    if cleaned and not (cleaned.isascii() and cleaned.isalnum() and len(cleaned) <= 7):
        raise ValueError("is not a group's UID, which has at most 7 letters and digits.")
    return cleaned


def _date(cell: str) -> date | None:
    cleaned = cell.strip()
    if not cleaned:
        return None
    parts = cleaned.replace("/", "-").split("-")
    if [len(part) for part in parts] != [2, 2, 4] or not all(p.isascii() and p.isdigit() for p in parts):
        raise ValueError("is not a date. Dates are written dd-mm-yyyy, like 31-08-2026.")
    try:
        found = date(int(parts[2]), int(parts[1]), int(parts[0]))
    except ValueError as error:
        raise ValueError("is a day that does not exist.") from error
    return None if found == PLACEHOLDER_DATE else found


@dataclass(frozen=True)
class Column:
    """A column of the register that is kept, and as what."""

    fact: str
    name: str
    read: Callable[[str], Any]
    needed: bool = False


COLUMNS = (
    Column("urn", "URN", _urn, needed=True),
    Column("la_code", "LA (code)", _needed_text, needed=True),
    Column("la_name", "LA (name)", _text, needed=True),
    Column("establishment_number", "EstablishmentNumber", _optional_text),
    Column("name", "EstablishmentName", _needed_text, needed=True),
    Column("type_code", "TypeOfEstablishment (code)", _code, needed=True),
    Column("type_name", "TypeOfEstablishment (name)", _text, needed=True),
    Column("type_group_code", "EstablishmentTypeGroup (code)", _code, needed=True),
    Column("type_group_name", "EstablishmentTypeGroup (name)", _text, needed=True),
    Column("status_code", "EstablishmentStatus (code)", _code, needed=True),
    Column("status_name", "EstablishmentStatus (name)", _text, needed=True),
    Column("opened_on", "OpenDate", _date),
    Column("closed_on", "CloseDate", _date),
    Column("phase", "PhaseOfEducation (name)", _text),
    Column("pupils", "NumberOfPupils", _count),
    Column("trust_code", "Trusts (code)", _group_uid),
    Column("trust_name", "Trusts (name)", _text),
    Column("ukprn", "UKPRN", _optional_text),
    Column("register_changed_on", "LastChangedDate", _date),
    Column("street", "Street", _text),
    Column("locality", "Locality", _text),
    Column("address3", "Address3", _text),
    Column("town", "Town", _text),
    Column("county", "County (name)", _text),
    Column("postcode", "Postcode", _text),
    Column("easting", "Easting", _place),
    Column("northing", "Northing", _place),
)
COLUMN_NAMES: Mapping[str, str] = {column.fact: column.name for column in COLUMNS}


@dataclass(frozen=True)
class RegisterRow:
    """One readable row: its number in the file, and its facts by our names (only of columns the file has)."""

    number: int
    facts: Mapping[str, Any]

    @property
    def urn(self) -> int:
        """The key of the establishment."""
        return int(self.facts["urn"])

    @property
    def refusal(self) -> str | None:
        """Why a school that we do not know yet is not taken in, as one word; None when it is."""
        return {CLOSED: "closed", PROPOSED_TO_OPEN: "proposed_to_open"}.get(self.facts["status_code"])


@dataclass
class _Reading:
    errors: list[CellError] = field(default_factory=list)
    first_seen: dict[int, int] = field(default_factory=dict)
    more: bool = False

    def note(self, error: CellError) -> None:
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(error)
        else:
            self.more = True


def read_rows(columns: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]]) -> list[RegisterRow]:
    """Return every row, or refuse the file: with the columns it lacks, or with each cell that cannot be read.

    A URN may stand in the file once: two rows of one school could say different things. Cells beyond the last named
    column are ignored, like unknown columns: published extracts have such rows.
    """
    places = {name: index for index, name in enumerate(columns)}
    missing = [column.name for column in COLUMNS if column.needed and column.name not in places]
    if missing:
        raise MissingColumns(missing)
    wanted = [(column, places[column.name]) for column in COLUMNS if column.name in places]
    reading = _Reading()
    found = []
    for number, cells in rows:
        row = _read_row(number, cells, wanted, len(columns), reading)
        if row is not None:
            found.append(row)
    if reading.errors:
        raise UnreadableCells(reading.errors, more=reading.more)
    if not found:
        raise Refused("Nothing was imported. The file has column names and no rows.", field="file")
    return found


def _read_row(
    number: int, cells: Sequence[str], wanted: list[tuple[Column, int]], width: int, reading: _Reading
) -> RegisterRow | None:
    if len(cells) < width:
        why = f"the row has {len(cells)} cells and the header names {width} columns."
        reading.note(CellError(number, "the whole row", "", why))
        return None
    facts: dict[str, Any] = {}
    for column, index in wanted:
        try:
            facts[column.fact] = column.read(cells[index])
        except ValueError as error:
            reading.note(CellError(number, column.name, cells[index].strip(), str(error)))
    urn = facts.get("urn")
    if urn is not None:
        first = reading.first_seen.setdefault(urn, number)
        if first != number:
            reading.note(CellError(number, "URN", str(urn), f"stands in row {first} already."))
    return RegisterRow(number, facts)
