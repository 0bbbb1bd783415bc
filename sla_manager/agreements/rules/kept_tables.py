"""A spreadsheet's table as it is kept until it is taken over: text, compressed, without any pupil number."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sla_manager.agreements.rules.takeovers import PUPIL_NUMBER_REMOVED
from sla_manager.kernel.unique_pupil_numbers import contains_pupil_number


@dataclass(frozen=True, slots=True)
class KeptTable:
    """Column names, and rows with the numbers that the spreadsheet shows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def packed(columns: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]]) -> bytes:
    """Return a table as it is kept; a cell with a pupil number is replaced by a mark before that.

    >>> unpacked(packed(["School", "Note"], [(2, ["Hill", "Saw A823200109001"]), (3, ["Dale", ""])])).rows[1]
    (3, ('Dale', ''))
    """
    table = {
        "columns": [_without_pupils(name) for name in columns],
        "rows": [[number, [_without_pupils(cell) for cell in cells]] for number, cells in rows],
    }
    return zlib.compress(json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode(), 6)


def unpacked(kept: bytes) -> KeptTable:
    """Return the table again."""
    table = json.loads(zlib.decompress(kept))
    return KeptTable(
        tuple(table["columns"]), tuple((number, tuple(cells)) for number, cells in table["rows"])
    )


def _without_pupils(text: str) -> str:
    return PUPIL_NUMBER_REMOVED if contains_pupil_number(text) else text
