"""A sheet as a table of text: the first row that looks like column names, and the rows beneath it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sla_manager.gateways.spreadsheets.errors import TooLarge, UnreadableSpreadsheet

MOST_ROWS = 20_000
MOST_COLUMNS = 200
MOST_CELLS = 400_000
LONGEST_CELL = 5_000
_ROWS_ABOVE_THE_NAMES = 30


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns and rows of text. Rows are numbered as the spreadsheet shows them."""

    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    sheet: str = ""
    sheets: tuple[str, ...] = ()


class Gathering:
    """Takes rows as they are read, and refuses more than a table may have before they are held."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, list[str]]] = []
        self._cells = 0

    def take(self, number: int, cells: Sequence[str]) -> None:
        """Add a row; an empty one is passed over, cells that end it empty are dropped."""
        kept = [_clean(cell) for cell in cells]
        while kept and not kept[-1]:
            kept.pop()
        if not kept:
            return
        if len(kept) > MOST_COLUMNS:
            raise TooLarge(f"{len(kept):,} columns in row {number}; {MOST_COLUMNS} are allowed")
        self._cells += len(kept)
        if len(self.rows) >= MOST_ROWS:
            raise TooLarge(f"more than {MOST_ROWS:,} rows")
        if self._cells > MOST_CELLS:
            raise TooLarge(f"more than {MOST_CELLS:,} cells")
        self.rows.append((number, kept))


def _clean(cell: str) -> str:
    if len(cell) > LONGEST_CELL:
        raise TooLarge(f"a cell of {len(cell):,} characters; {LONGEST_CELL:,} are allowed")
    return " ".join(cell.replace("\u00a0", " ").split())


def as_table(
    rows: Iterable[tuple[int, Sequence[str]]], *, sheet: str = "", sheets: tuple[str, ...] = ()
) -> Table:
    """Return a table: titles above the column names are passed over, columns without a name get one.

    >>> as_table([(1, ["Buy-back 2025-26"]), (3, ["School", "Days"]), (4, ["Hill", "12"])]).rows
    ((4, ('Hill', '12')),)
    """
    found = list(rows)
    place = next(
        (
            index
            for index, (_, cells) in enumerate(found[:_ROWS_ABOVE_THE_NAMES])
            if sum(bool(cell) for cell in cells) >= 2
        ),
        None,
    )
    if place is None:
        raise UnreadableSpreadsheet(
            "There is no row of column names.",
            "Put at least two column names into one row above the figures.",
        )
    if place + 1 == len(found):
        raise UnreadableSpreadsheet("The file has column names and no rows.", "Add the rows and try again.")
    width = max(len(cells) for _, cells in found[place:])
    columns = _named([*found[place][1], *[""] * (width - len(found[place][1]))])
    body = tuple((number, (*cells, *[""] * (width - len(cells)))) for number, cells in found[place + 1 :])
    return Table(columns, body, sheet, sheets)


def _named(names: Sequence[str]) -> tuple[str, ...]:
    """Return names that are all different: "Days" twice is "Days" and "Days (2)"."""
    used: dict[str, int] = {}
    result = []
    for index, name in enumerate(names):
        called = name[:100] or f"Column {letters(index)}"
        used[called] = used.get(called, 0) + 1
        result.append(called if used[called] == 1 else f"{called} ({used[called]})")
    return tuple(result)


def letters(index: int) -> str:
    """Return a column's letters.

    >>> letters(0), letters(25), letters(26), letters(701)
    ('A', 'Z', 'AA', 'ZZ')
    """
    text, number = "", index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("A") + rest) + text
    return text
