"""Amounts as banks write them, read from their text so that they never pass through a binary number."""

from __future__ import annotations

import re

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money

_UNSIGNED = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?")


class UnreadableAmount(Refused):
    """A text is no amount of pounds and pence."""


def unsigned(text: str, *, written: str = "") -> Money:
    """Read an amount without a sign: zeros beyond the pence say nothing, other figures there are refused.

    `written` is the text as it stands in the file, for the refusal, where `text` is a part of it.

    >>> str(unsigned("1,234.50000")), str(unsigned("£12"))
    ('1234.50', '12.00')
    """
    shown = (written or text).strip()[:40]
    cleaned = text.strip().removeprefix("£").removeprefix("GBP").strip()
    match = _UNSIGNED.fullmatch(cleaned) if len(cleaned) <= 30 and cleaned.isascii() else None
    if match is None:
        raise UnreadableAmount(f"“{shown}” is not an amount of money.")
    whole, decimals = match.group(1), match.group(2) or ""
    if decimals[2:].strip("0"):
        raise UnreadableAmount(f"“{shown}” has {len(decimals)} decimals; pounds have two.")
    return Money.parse(f"{whole}.{decimals[:2] or '0'}")


def signed(text: str) -> Money:
    """Read an amount with its sign before or behind, in brackets, or as CR and DR.

    >>> [str(signed(text)) for text in ("-5.00", "£-5", "5.00-", "(5.00)", "5.00 DR", "+£5.00", "−£5")]
    ['-5.00', '-5.00', '-5.00', '-5.00', '-5.00', '5.00', '-5.00']
    """
    cleaned = text.replace("−", "-").replace("\u00a0", " ").strip()
    upper = cleaned.upper()
    if upper.endswith(("CR", "DR")):
        amount = unsigned(cleaned[:-2], written=text)
        return -amount if upper.endswith("DR") else amount
    if cleaned.startswith("(") and cleaned.endswith(")"):
        return -unsigned(cleaned[1:-1], written=text)
    if cleaned.endswith(("-", "+")):
        cleaned = cleaned[-1] + cleaned[:-1]
    for before in ("-£", "£-", "-", "+£", "+"):
        if cleaned.startswith(before):
            amount = unsigned(cleaned[len(before) :], written=text)
            return -amount if "-" in before else amount
    return unsigned(cleaned, written=text)
