"""What the department's school-level files say: absence by academic year, and pupils on a census day.

Columns are found by their names. Persistent absence is 10 % or more of a pupil's own possible sessions, severe is
50 % or more. What is not published (`c`, `z`, `x`, `NA`, `SUPP`, `:`, `..`, a blank cell) is None, never nothing.

Source: Department for Education, "Pupil absence in schools in England" and "Schools, pupils and their
characteristics": the school-level data, and the methodology on the measure of 15 % that was used until 2014/15.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.titles import Titled
from sla_manager.people.rules.register import MOST_ERRORS, CellError, UnreadableCells

MOST_ROWS = 400_000
NOT_PUBLISHED = frozenset({"", "c", "z", "x", "na", "n/a", "supp", ":", "..", ".", "-", "low", "k", "u"})
_PLACES = Decimal("0.001")
_HUNDRED = Decimal(100)
_COUNT = re.compile(r"\d{1,7}(?:\.0+)?")
_PERCENT = re.compile(r"\d{1,3}(?:\.\d{1,12})?%?")
_OLD_MEASURE = re.compile(r"(?:pa|abs|absen\w*|persistent\w*)_?15|(?:^|_)15_?(?:percent|pc|pct)")
_WHOLE = frozenset({"", "total", "all", "all pupils", "all schools"})
_PARTS = re.compile(r"ncyear|year_group|characteristic.*|breakdown.*|sex|gender|ethnicity.*|fsm|sen")
"""Columns that cut a school's pupils into parts: only the row of all pupils is the school's figure."""


class FileKind(Titled):
    """What a file of figures holds."""

    ABSENCE = "absence", "Absence by academic year"
    CENSUS = "census", "Pupils on a census day"


class OldMeasure(Refused):
    """A file with the measure of persistent absence that was used before September 2015."""

    def __init__(self, column: str) -> None:
        super().__init__(
            f"Nothing was imported. The column “{column[:60]}” counts pupils who missed 15 % or more. Since September "
            "2015 persistent absence means 10 % or more, so the two cannot be compared. Choose a later release.",
            field="file",
        )


class NotFigures(Refused):
    """A file without the columns by which a school, its year or any figure could be known."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"Nothing was imported. {why} Choose the school-level absence file or the school census file of the "
            "Department for Education.",
            field="file",
        )


class TooManyRows(Refused):
    """A file with more rows than any release has."""

    def __init__(self) -> None:
        super().__init__(
            f"Nothing was imported. The file has more than {MOST_ROWS:,} rows. Choose a file with one row for each "
            "school, or cut it to your area.",
            field="file",
        )


def _count(cell: str) -> int | None:
    cleaned = cell.strip().replace(",", "")
    if cleaned.casefold() in NOT_PUBLISHED:
        return None
    if not (cleaned.isascii() and _COUNT.fullmatch(cleaned)):
        raise ValueError("is not a whole number.")
    return int(cleaned.partition(".")[0])


def _percent(cell: str) -> Decimal | None:
    cleaned = cell.strip()
    if cleaned.casefold() in NOT_PUBLISHED:
        return None
    if not (cleaned.isascii() and _PERCENT.fullmatch(cleaned)) or Decimal(cleaned.rstrip("%")) > _HUNDRED:
        raise ValueError("is not a percentage between 0 and 100.")
    return Decimal(cleaned.rstrip("%")).quantize(_PLACES, ROUND_HALF_UP)


def share(part: int, whole: int) -> Decimal:
    """Return what part of a whole is, in per cent with three places.

    >>> share(121, 704), share(43, 704)
    (Decimal('17.188'), Decimal('6.108'))
    """
    return (Decimal(part) * _HUNDRED / Decimal(whole)).quantize(_PLACES, ROUND_HALF_UP)


COLUMNS: Mapping[str, tuple[tuple[str, ...], Callable[[str], Any]]] = {
    "enrolments": (("enrolments", "enrolment", "enrols", "numenrol"), _count),
    "overall": (("sess_overall_percent", "perctot"), _percent),
    "persistent": (
        ("enrolments_pa_10_exact_percent", "enrolments_pa10_exact_percent", "ppersabs10"),
        _percent,
    ),
    "persistent_pupils": (("enrolments_pa_10_exact", "enrolments_pa10_exact"), _count),
    "severe": (("enrolments_pa_50_exact_percent", "enrolments_pa50_exact_percent", "ppersabs50"), _percent),
    "severe_pupils": (("enrolments_pa_50_exact", "enrolments_pa50_exact"), _count),
    "possible": (("sess_possible",), _count),
    "missed": (("sess_overall",), _count),
    "authorised": (("sess_authorised",), _count),
    "unauthorised": (("sess_unauthorised",), _count),
}
"""Our name of a figure, the names its column has had, and how its cells are read."""
_URN = ("urn", "school_urn")
_PUPILS = ("headcount_of_pupils", "headcount_pupils", "pupils_on_roll", "pupils")
_CONTEXT = ("time_period", "time_identifier", "geographic_level")
FIGURES = ("enrolments", "overall", "persistent", "persistent_pupils", "severe", "severe_pupils")


@dataclass(frozen=True, slots=True)
class FigureRow:
    """What one row says of one school: the academic year it begins in or the census day, and its figures.

    `facts` has only what the file has columns for: a column that is missing changes nothing.
    """

    number: int
    urn: int
    name: str
    when: int | date
    facts: Mapping[str, Any]


@dataclass
class FiguresFile:
    """A file that could be read: its kind, a row for each school and year, and why other rows were passed over."""

    kind: FileKind
    rows: list[FigureRow]
    passed_over: Counter[str]
    total: int
    lacks: tuple[str, ...] = ()
    """Figures for which the file has no column."""


@dataclass
class _Reading:
    kind: FileKind
    year: int | None
    places: Mapping[str, int]
    urn: int
    parts: tuple[int, ...]
    errors: list[CellError] = field(default_factory=list)
    more: bool = False
    seen: dict[tuple[int, int | date], int] = field(default_factory=dict)
    passed_over: Counter[str] = field(default_factory=Counter)

    def note(self, row: int, column: str, value: str, why: str) -> None:
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(CellError(row, column, value.strip(), why))
        else:
            self.more = True


def plain_name(column: str) -> str:
    """Return a column's name as it is compared: lower case, with underscores.

    >>> plain_name("headcount of pupils"), plain_name("URN")
    ('headcount_of_pupils', 'urn')
    """
    return re.sub(r"[^a-z0-9]+", "_", column.casefold()).strip("_")


def read_figures(
    columns: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]], *, year: int | None = None
) -> FiguresFile:
    """Return the figures of a file. `year` is the academic year of a file that has no column for it.

    Raises `OldMeasure` for a file that counts by 15 %, `NotFigures` for one that lacks what is needed,
    `UnreadableCells` with each cell that cannot be read, `TooManyRows`.
    """
    names = [plain_name(column) for column in columns]
    for name, column in zip(names, columns, strict=True):
        if _OLD_MEASURE.search(name):
            raise OldMeasure(column)
    reading = _prepared(names, year)
    found, total = [], 0
    for number, cells in rows:
        total += 1
        if total > MOST_ROWS:
            raise TooManyRows
        row = _read_row(reading, number, cells, len(columns), columns)
        if row is not None:
            found.append(row)
    if reading.errors:
        raise UnreadableCells(reading.errors, more=reading.more)
    if not total:
        raise NotFigures("The file has column names and no rows.")
    return FiguresFile(reading.kind, found, reading.passed_over, total, _lacking(reading))


def _prepared(names: list[str], year: int | None) -> _Reading:
    places: dict[str, int] = {}
    for index, name in enumerate(names):
        places.setdefault(name, index)
    urn = _first(places, _URN)
    if urn is None:
        raise NotFigures("The file has no column “urn”, so its schools cannot be known.")
    found = {fact: _first(places, known) for fact, (known, _) in COLUMNS.items()}
    held = {fact: index for fact, index in found.items() if index is not None}
    kind, cuts = FileKind.ABSENCE, tuple(places.items())
    if not _has_absence(held):
        pupils = _first(places, _PUPILS)
        if pupils is None:
            raise NotFigures("The file has no column of absence or of pupils that we know.")
        kind, cuts, held = FileKind.CENSUS, (), {"pupils": pupils}
    held |= {name: places[name] for name in _CONTEXT if name in places}
    if "time_period" not in held and year is None:
        raise NotFigures(
            "The file has no column “time_period”, so we cannot tell its academic year. Say which year it is."
        )
    label = _first(places, ("school_name", "schname", "estab_name"))
    if label is not None:
        held["name"] = label
    return _Reading(kind, year, held, urn, tuple(index for name, index in cuts if _PARTS.fullmatch(name)))


def _first(places: Mapping[str, int], names: Iterable[str]) -> int | None:
    return next((places[name] for name in names if name in places), None)


def _has_absence(held: Mapping[str, int]) -> bool:
    counted = "enrolments" in held and ("persistent_pupils" in held or "severe_pupils" in held)
    sessions = "possible" in held and ("missed" in held or {"authorised", "unauthorised"} <= set(held))
    return counted or sessions or bool({"overall", "persistent", "severe"} & set(held))


def _lacking(reading: _Reading) -> tuple[str, ...]:
    if reading.kind is FileKind.CENSUS:
        return ()
    return tuple(
        name
        for name in ("persistent", "severe")
        if name not in reading.places and not ({f"{name}_pupils", "enrolments"} <= set(reading.places))
    )


def _read_row(
    reading: _Reading, number: int, cells: Sequence[str], width: int, columns: Sequence[str]
) -> FigureRow | None:
    if len(cells) < width:
        why = f"the row has {len(cells)} cells and the header names {width} columns."
        reading.note(number, "the whole row", "", why)
        return None
    passed = _passed_over(reading, cells)
    if passed:
        reading.passed_over[passed] += 1
        return None
    urn = cells[reading.urn].strip()
    if not (urn.isascii() and re.fullmatch(r"\d{1,7}(?:\.0+)?", urn)):
        reading.note(number, columns[reading.urn], urn, "is not a URN, which is a number like 100112.")
        return None
    when = _when(reading, number, cells)
    facts = _facts(reading, number, cells, columns)
    if when is None or facts is None:
        return None
    key = (int(urn.partition(".")[0]), when)
    first = reading.seen.setdefault(key, number)
    if first != number:
        reading.note(number, columns[reading.urn], urn, f"stands in row {first} already, for the same year.")
        return None
    name = " ".join(cells[reading.places["name"]].split())[:200] if "name" in reading.places else ""
    return FigureRow(number, key[0], name, when, facts)


def _passed_over(reading: _Reading, cells: Sequence[str]) -> str:
    """Return why a row is no figure of a whole school in a whole year, or nothing."""
    level = _cell(reading, cells, "geographic_level")
    if level not in ("", "school"):
        return "not of a school"
    if reading.kind is FileKind.ABSENCE and _cell(reading, cells, "time_identifier") not in (
        "",
        "academic year",
        "six half terms",
    ):
        return "of part of a year"
    if any(" ".join(cells[index].casefold().split()) not in _WHOLE for index in reading.parts):
        return "of some pupils of a school, not of all"
    return "" if cells[reading.urn].strip() else "not of a school"


def _cell(reading: _Reading, cells: Sequence[str], name: str) -> str:
    return " ".join(cells[reading.places[name]].casefold().split()) if name in reading.places else ""


def _when(reading: _Reading, number: int, cells: Sequence[str]) -> int | date | None:
    """Return the academic year's first calendar year, or the day of its spring census."""
    if "time_period" in reading.places:
        text = cells[reading.places["time_period"]]
        year = academic_year_of(text)
        if year is None:
            reading.note(number, "time_period", text, "is not an academic year like 201819.")
            return None
    else:
        year = reading.year or 0
    return census_day(year) if reading.kind is FileKind.CENSUS else year


def academic_year_of(text: str) -> int | None:
    """Return the calendar year in which an academic year begins, or None where the text is none.

    >>> academic_year_of("201819"), academic_year_of("202223.0"), academic_year_of("2018/19"), academic_year_of("2018")
    (2018, 2022, 2018, None)
    """
    match = re.fullmatch(r"(20\d\d)[-/]?(?:20)?(\d\d)(?:\.0+)?", text.strip())
    if match is None or (int(match[1]) + 1) % 100 != int(match[2]):
        return None
    return int(match[1])


def year_name(year: int) -> str:
    """Write an academic year as people do.

    >>> year_name(2018)
    '2018/19'
    """
    return f"{year}/{(year + 1) % 100:02d}"


def census_day(year: int) -> date:
    """Return the day of the spring census of an academic year: the third Thursday of January.

    >>> census_day(2022)
    datetime.date(2023, 1, 19)
    """
    first = date(year + 1, 1, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7 + 14)


def _facts(
    reading: _Reading, number: int, cells: Sequence[str], columns: Sequence[str]
) -> Mapping[str, Any] | None:
    if reading.kind is FileKind.CENSUS:
        wanted: Mapping[str, Callable[[str], Any]] = {"pupils": _count}
    else:
        wanted = {fact: read for fact, (_, read) in COLUMNS.items()}
    read_cells: dict[str, Any] = {}
    good = True
    for fact, read in wanted.items():
        index = reading.places.get(fact)
        if index is None:
            continue
        try:
            read_cells[fact] = read(cells[index])
        except ValueError as error:
            good = False
            reading.note(number, columns[index], cells[index], str(error))
    if not good:
        return None
    if reading.kind is FileKind.CENSUS:
        return read_cells
    blank = {fact for fact, index in reading.places.items() if fact in COLUMNS and not cells[index].strip()}
    return _completed(read_cells, blank)


def _completed(cells: dict[str, Any], blank: set[str]) -> dict[str, Any]:
    """Return the figures, with the percentages that follow from published counts.

    A percentage that is marked as suppressed stays unpublished; one without a cell follows from its counts.
    """
    facts = {name: cells[name] for name in FIGURES if name in cells}
    for name in ("persistent", "severe"):
        if name not in cells or name in blank:
            count, enrolments = cells.get(f"{name}_pupils"), cells.get("enrolments")
            if count is not None and enrolments and count <= enrolments:
                facts[name] = share(count, enrolments)
            elif f"{name}_pupils" in cells and "enrolments" in cells:
                facts[name] = None
    if "overall" not in cells or "overall" in blank:
        missed, possible = _sessions(cells)
        if missed is not None and possible and missed <= possible:
            facts["overall"] = share(missed, possible)
        elif "possible" in cells:
            facts["overall"] = None
    return facts


def _sessions(cells: Mapping[str, Any]) -> tuple[int | None, int | None]:
    missed = cells.get("missed")
    if missed is None and cells.get("authorised") is not None and cells.get("unauthorised") is not None:
        missed = cells["authorised"] + cells["unauthorised"]
    return missed, cells.get("possible")
