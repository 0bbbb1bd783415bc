"""Statements as the CSV files that British banks give: known by their headings, or read by a mapping of one's own."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sla_manager.gateways.spreadsheets.separated import sniffed
from sla_manager.gateways.statements.amounts import signed
from sla_manager.gateways.statements.columns import HEADERLESS, Columns, heading, known_columns, read_day
from sla_manager.gateways.statements.lines import (
    MOST_LINES,
    Finding,
    Statement,
    StatementLine,
    UnreadableStatement,
    account_number,
    plain,
)
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money

_ABOVE = 20
Row = tuple[int, list[str]]


def read_separated(text: str, *, columns: Columns | None = None) -> tuple[str, tuple[Statement, ...]]:
    """Read a CSV file; return how it is written and a statement for each account in it.

    Without `columns` the bank is known by its headings; HSBC's file, which has none, by its first row.
    """
    rows = list(_rows(text))
    if not rows:
        raise UnreadableStatement("The file has no rows.")
    found, places, body, account = _headed(rows, columns)
    return found.name, _statements(found, places, body, account)


def _rows(text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sniffed(text), strict=True)
    number = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableStatement(
                f"Row {number} cannot be read: {error}. Is the file cut short?"
            ) from error
        if any(cell.strip() for cell in cells):
            yield number, [cell.strip() if "\t" not in cell else cell for cell in cells]
        number = reader.line_num + 1
        if number > MOST_LINES + _ABOVE:
            raise UnreadableStatement(
                f"The file has more than {MOST_LINES:,} lines.", "Download fewer days at a time."
            )


def _headed(rows: list[Row], columns: Columns | None) -> tuple[Columns, Mapping[str, int], list[Row], str]:
    """Return the columns, where each stands, the rows beneath the headings, and the account said above them."""
    account = ""
    if columns is not None and not columns.headed:
        return columns, _by_number(columns), rows, account
    for index, (_, cells) in enumerate(rows[:_ABOVE]):
        found = columns if columns is not None and _has(columns, cells) else None
        found = found or (known_columns(cells) if columns is None else None)
        if found is not None:
            where = {heading(cell): place for place, cell in reversed(list(enumerate(cells)))}
            places = {name: where[heading(name)] for name in found.named}
            return found, places, rows[index + 1 :], account
        if heading(cells[0]).startswith("account name") and len(cells) > 1:
            account = account_number(cells[1])
    if columns is None and _is_headerless(rows[0][1]):
        width = len(rows[0][1])
        found = replace(HEADERLESS, balance="4" if width > 3 else "")
        return found, _by_number(found), rows, account
    if columns is not None:
        missing = ", ".join(f"“{name}”" for name in columns.named)
        raise UnreadableStatement(f"No row has the columns of {columns.name}: {missing}.")
    raise UnreadableStatement(
        "The file’s columns are not those of a bank that we know.",
        "Describe its columns once under “Other banks’ files”, then choose them here.",
    )


def _by_number(columns: Columns) -> Mapping[str, int]:
    try:
        return {name: int(name) - 1 for name in columns.named}
    except ValueError as error:
        raise UnreadableStatement(
            "Without headings, columns are called by their number, 1 the first."
        ) from error


def _has(columns: Columns, cells: Sequence[str]) -> bool:
    return {heading(name) for name in columns.named} <= {heading(cell) for cell in cells}


def _is_headerless(cells: Sequence[str]) -> bool:
    if len(cells) not in (3, 4):
        return False
    try:
        read_day(cells[0])
        signed(cells[2])
    except Refused:
        return False
    return True


def _statements(
    columns: Columns, places: Mapping[str, int], body: list[Row], above: str
) -> tuple[Statement, ...]:
    """Return a statement for each account, in the order of the file."""
    lines: dict[str, list[tuple[StatementLine, Money | None]]] = {}
    findings: dict[str, list[Finding]] = {}
    account = above
    for number, cells in body:
        cell = {name: cells[place] if place < len(cells) else None for name, place in places.items()}
        try:
            account = (
                account_number("".join(cell[name] or "" for name in columns.account)) or above or account
            )
            lines.setdefault(account, []).append(_line(columns, cell, number))
        except Refused as error:
            findings.setdefault(account, []).append(Finding(number, error.message))
    if not lines and not findings:
        raise UnreadableStatement("The file has headings and no lines.", "Choose days on which money moved.")
    return tuple(
        _statement(one, lines.get(one, []), findings.get(one, []))
        for one in dict.fromkeys([*lines, *findings])
    )


def _line(
    columns: Columns, cell: Mapping[str, str | None], number: int
) -> tuple[StatementLine, Money | None]:
    missing = [name for name, value in cell.items() if value is None and name != columns.balance]
    if missing:
        raise Refused(f"The row ends before “{missing[0]}”. Is the file cut short?")
    said = {name: value or "" for name, value in cell.items()}
    if columns.currency and said[columns.currency].strip().upper() not in ("GBP", ""):
        raise Refused(f"The row is in {said[columns.currency]}. Only pounds are taken.")
    words = " ".join(said[name].removeprefix("'") for name in columns.text)
    payer = said.get(columns.payer, "")
    if "\t" in words and not payer:
        payer = words.partition("\t")[0]
    line = StatementLine(
        number=number,
        booked_on=read_day(said[columns.day], columns.date_order),
        amount=_amount(columns, said),
        text=plain(words),
        payer=plain(payer),
        bank_reference=plain(said.get(columns.reference, "")),
    )
    balance = said.get(columns.balance, "").strip()
    return line, signed(balance) if balance else None


def _amount(columns: Columns, said: Mapping[str, str]) -> Money:
    if columns.amount:
        return signed(said[columns.amount])
    arrived, left = said[columns.paid_in].strip(), said[columns.paid_out].strip()
    if not arrived and not left:
        raise Refused("The row has no amount.")
    both = (signed(arrived) if arrived else Money(0)), (signed(left) if left else Money(0))
    if min(both) < Money(0) or all(both):
        raise Refused(f"“{left}” out and “{arrived}” in: one of the two must be empty, and neither negative.")
    return both[0] - both[1]


def _statement(
    account: str, rows: list[tuple[StatementLine, Money | None]], findings: list[Finding]
) -> Statement:
    """Return the statement; a running balance tells what it opened and closed at, oldest or newest first."""
    lines = tuple(line for line, _ in rows if line.amount)
    if any(balance is None for _, balance in rows) or not rows or findings:
        return Statement(account, lines, tuple(findings))
    first, last = _known(rows[0]), _known(rows[-1])
    oldest_first = Statement(account, lines, (), first[1] - first[0], last[1]).checked()
    newest_first = Statement(account, lines, (), last[1] - last[0], first[1]).checked()
    return newest_first if oldest_first.findings and not newest_first.findings else oldest_first


def _known(row: tuple[StatementLine, Money | None]) -> tuple[Money, Money]:
    line, balance = row
    return line.amount, balance if balance is not None else Money(0)
