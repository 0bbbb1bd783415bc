"""The register's links file: which school came before and after which, and what that means for an agreement.

Source: Get Information about Schools, "all links": URN, LinkURN, LinkName, LinkType, LinkEstablishedDate. A row says
what the *other* school is to this one: "Successor" came after it, "Predecessor" before it. Each link usually stands
twice, once from each side; the two are one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.titles import Titled
from sla_manager.people.rules.register import CellError, MissingColumns, UnreadableCells

MOST_ERRORS = 50
LONGEST_TEXT = 500


class ChangeKind(Titled):
    """What happened to a school."""

    CONVERSION = "conversion", "Conversion to an academy"
    MERGER = "merger", "Merger with another school"
    CLOSURE = "closure", "Closure without a successor"
    TRUST_CHANGE = "trust_change", "Change of trust"


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One row that could be read."""

    number: int
    urn: int
    link_urn: int
    link_name: str
    link_type: str
    established_on: date | None

    @property
    def succession(self) -> tuple[int, int] | None:
        """Return (school before, school after), or None when the link is of another kind.

        >>> LinkRow(2, 100103, 100104, "Briset Centre", "Predecessor - merged", None).succession
        (100104, 100103)
        """
        words = self.link_type.lower()
        if words.startswith("successor"):
            return self.urn, self.link_urn
        if words.startswith("predecessor"):
            return self.link_urn, self.urn
        return None


_NEEDED = ("URN", "LinkURN", "LinkType")


def read_links(columns: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]]) -> list[LinkRow]:
    """Return every row by the names of its columns, or refuse the file with each cell that cannot be read."""
    places = {name: index for index, name in enumerate(columns)}
    missing = [name for name in _NEEDED if name not in places]
    if missing:
        raise MissingColumns(missing)
    errors: list[CellError] = []
    found = []
    for number, cells in rows:
        if len(cells) < len(columns):
            errors.append(CellError(number, "the whole row", "", "has fewer cells than the header."))
            continue
        named = {name: cells[index].strip() for name, index in places.items()}
        row = _read(number, named, errors)
        if row is not None:
            found.append(row)
    if errors:
        raise UnreadableCells(errors[:MOST_ERRORS], more=len(errors) > MOST_ERRORS)
    if not found:
        raise Refused("Nothing was imported. The file has column names and no rows.", field="file")
    return found


def _read(number: int, named: Mapping[str, str], errors: list[CellError]) -> LinkRow | None:
    urns: list[int] = []
    for column in ("URN", "LinkURN"):
        text = named[column]
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:8]) <= 9_999_999):
            why = "is not a URN. A URN is a whole number of up to 7 digits, like 100112."
            errors.append(CellError(number, column, text, why))
        else:
            urns.append(int(text))
    if not named["LinkType"] or len(named["LinkType"]) > LONGEST_TEXT:
        errors.append(CellError(number, "LinkType", named["LinkType"][:40], "is empty or far too long."))
    day = None
    try:
        day = _date(named.get("LinkEstablishedDate", ""))
    except ValueError:
        text = named["LinkEstablishedDate"]
        why = "is not a date. Dates are written dd-mm-yyyy, like 31-08-2026."
        errors.append(CellError(number, "LinkEstablishedDate", text, why))
    if len(urns) < 2 or (errors and errors[-1].row == number):
        return None
    name = " ".join(named.get("LinkName", "").split())[:LONGEST_TEXT]
    return LinkRow(number, urns[0], urns[1], name, " ".join(named["LinkType"].split()), day)


def _date(text: str) -> date | None:
    if not text:
        return None
    day, month, year = text.replace("/", "-").split("-")
    if len(day) == 4:
        day, year = year, day
    return date(int(year), int(month), int(day))


@dataclass(frozen=True, slots=True)
class Succession:
    """That one school followed another, and the day of it where the file says so."""

    before: int
    after: int
    on: date | None


def successions(rows: Iterable[LinkRow]) -> list[Succession]:
    """Return each succession once, although it stands on both sides; a day on either side counts.

    >>> rows = [
    ...     LinkRow(2, 101, 202, "After", "Successor", None),
    ...     LinkRow(3, 202, 101, "Before", "Predecessor", date(2026, 1, 1)),
    ... ]
    >>> [(one.before, one.after, str(one.on)) for one in successions(rows)]
    [(101, 202, '2026-01-01')]
    """
    days: dict[tuple[int, int], date | None] = {}
    for row in rows:
        pair = row.succession
        if pair is not None and pair[0] != pair[1]:
            days[pair] = days.get(pair) or row.established_on
    return [Succession(before, after, day) for (before, after), day in days.items()]


def kind_of(
    succession: Succession, every: Iterable[Succession], *, after_is_academy: bool, before_is: bool
) -> ChangeKind:
    """Return what a succession is: a merger when several schools became one, else a conversion or a merger.

    `before_is` says whether the school before was an academy already.
    """
    into: dict[int, set[int]] = defaultdict(set)
    for one in every:
        into[one.after].add(one.before)
    alone = len(into[succession.after]) <= 1
    return ChangeKind.CONVERSION if alone and after_is_academy and not before_is else ChangeKind.MERGER
