"""Santander's statement as text: blocks of Date, Description, Amount and Balance."""

from __future__ import annotations

from sla_manager.gateways.statements.amounts import signed
from sla_manager.gateways.statements.columns import read_day
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

_PARTS = ("date", "description", "amount")


def read_santander(text: str) -> tuple[Statement, ...]:
    """Read the one statement of the file, newest first as the bank writes it."""
    account, blocks = "", list[tuple[int, dict[str, str]]]()
    for number, row in enumerate(text.replace("\u00a0", " ").splitlines(), 1):
        name, colon, value = row.partition(":")
        part = name.strip().lower()
        if not colon:
            continue
        if part == "account":
            account = account_number(value)
        elif part == "date":
            blocks.append((number, {"date": value}))
        elif blocks:
            blocks[-1][1].setdefault(part, value)
    if not blocks:
        raise UnreadableStatement("The file has no lines that begin with “Date:”.")
    if len(blocks) > MOST_LINES:
        raise UnreadableStatement(
            f"The file has more than {MOST_LINES:,} lines.", "Download fewer days at a time."
        )
    lines, findings = [], []
    for number, block in blocks:
        try:
            lines.append(_line(number, block))
        except Refused as error:
            findings.append(Finding(number, error.message))
    kept = tuple(line for line in lines if line.amount)
    opening, closing = _balances(blocks)
    return (Statement(account, kept, tuple(findings), opening, closing).checked(),)


def _line(number: int, block: dict[str, str]) -> StatementLine:
    missing = [part for part in _PARTS if part not in block]
    if missing:
        raise Refused(f"The block ends before “{missing[0].title()}:”. Is the file cut short?")
    return StatementLine(
        number, read_day(block["date"]), signed(_figures(block["amount"])), plain(block["description"])
    )


def _figures(text: str) -> str:
    return text.replace("GBP", "").strip()


def _balances(blocks: list[tuple[int, dict[str, str]]]) -> tuple[Money | None, Money | None]:
    """Return what the statement opens and closes at, when its first and last block say so."""
    try:
        newest, oldest = blocks[0][1], blocks[-1][1]
        closing, after = signed(_figures(newest["balance"])), signed(_figures(oldest["balance"]))
        return after - signed(_figures(oldest["amount"])), closing
    except (KeyError, Refused):
        return None, None
