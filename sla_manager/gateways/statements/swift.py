"""Statements as SWIFT MT940 messages, read entry by entry so that one that is damaged does not hide the others."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import mt940
from mt940.models import Amount, Balance

from sla_manager.gateways.statements.amounts import unsigned
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

_TAG = re.compile(r"^:(\d\d[A-Z]?):", re.MULTILINE)
_OPTIONS = mt940.Options.all()
_SUBFIELD = re.compile(r"\?\d\d")
_NO_REFERENCE = ("", "NONREF", "NOTPROVIDED")


@dataclass(slots=True)
class _Message:
    """The tags of one statement; entries with their descriptions."""

    account: str = ""
    opening: str = ""
    closing: str = ""
    entries: list[str] = field(default_factory=list)


def read_mt940(text: str) -> tuple[Statement, ...]:
    """Read the statements of an MT940 file. One without a closing balance is cut short, and refused."""
    messages = _messages(text.replace("\r\n", "\n").replace("\r", "\n"))
    if not messages:
        raise UnreadableStatement("The file has no statement (:25: and :60F:).")
    if sum(len(one.entries) for one in messages) > MOST_LINES:
        raise UnreadableStatement(
            f"The file has more than {MOST_LINES:,} lines.", "Download fewer days at a time."
        )
    statements, number = [], 1
    for one in messages:
        statements.append(_statement(one, number))
        number += len(one.entries)
    return tuple(statements)


def _messages(text: str) -> list[_Message]:
    """Cut a file into statements and their tags; envelopes in braces and lines of dashes are passed over."""
    messages: list[_Message] = []
    places = [*_TAG.finditer(text)]
    for place, following in zip(places, [*places[1:], None], strict=True):
        tag = place.group(1)
        content = text[place.end() : following.start() if following else len(text)]
        content = content.partition("\n-")[0].strip("\n")
        if tag == "20":
            messages.append(_Message())
        elif not messages:
            continue
        elif tag == "25":
            messages[-1].account = content
        elif tag in ("60F", "60M"):
            messages[-1].opening = content
        elif tag in ("62F", "62M"):
            messages[-1].closing = content
        elif tag == "61":
            messages[-1].entries.append(f":61:{content}")
        elif tag == "86" and messages[-1].entries and not messages[-1].closing:
            messages[-1].entries[-1] += f"\n:86:{content}"
    return [one for one in messages if one.account]


def _statement(message: _Message, first: int) -> Statement:
    if not message.closing:
        raise UnreadableStatement(f"The statement of account {message.account} has no closing balance.")
    lines, findings = [], []
    opening, closing = _balance("60F", message.opening), _balance("62F", message.closing)
    for number, entry in enumerate(message.entries, first):
        try:
            lines.append(_line(entry, number, message.opening[7:10]))
        except Refused as error:
            findings.append(Finding(number, error.message))
    kept = tuple(line for line in lines if line.amount)
    return Statement(account_number(message.account), kept, tuple(findings), opening, closing).checked()


def _parsed(text: str) -> Any:
    try:
        return mt940.parse(text, options=_OPTIONS)
    except (RuntimeError, ValueError, ArithmeticError) as error:
        raise Refused(f"“{plain(text)[:60]}” cannot be read.") from error


def _balance(tag: str, content: str) -> Money | None:
    name = "final_opening_balance" if tag == "60F" else "final_closing_balance"
    try:
        found = _parsed(f":20:X\n:{tag}:{content}\n").data.get(name)
    except Refused as error:
        raise UnreadableStatement(f"The balance {error.message}") from error
    amount = found.amount if isinstance(found, Balance) else None
    if not isinstance(amount, Amount) or amount.currency != "GBP":
        return None
    return _exact(amount.amount)


def _exact(amount: Any) -> Money:
    money = unsigned(f"{abs(amount):f}")
    return -money if amount < 0 else money


def _line(entry: str, number: int, currency: str) -> StatementLine:
    if currency and currency != "GBP":
        raise Refused(f"The account is in {currency}. Only pounds are taken.")
    transactions = _parsed(f":20:X\n{entry}\n").transactions
    if len(transactions) != 1:
        raise Refused(f"“{plain(entry)[:60]}” cannot be read.")
    data = transactions[0].data
    details = str(data.get("transaction_details") or "")
    words = [data.get("customer_reference") or "", data.get("extra_details") or "", details]
    booked = data.get("entry_date") or data["date"]
    return StatementLine(
        number=number,
        booked_on=booked,
        amount=_exact(data["amount"].amount),
        text=plain(" ".join(_SUBFIELD.sub(" ", word) for word in words if word not in _NO_REFERENCE)),
        payer=plain(str(data.get("applicant_name") or "")),
        payer_account=account_number(str(data.get("applicant_iban") or "")),
        bank_reference=plain(str(data.get("bank_reference") or "")),
        value_on=data["date"],
    )
