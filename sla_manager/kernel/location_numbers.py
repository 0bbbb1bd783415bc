"""Global location numbers (GLN): how organisations are addressed in electronic trade."""

from __future__ import annotations

import re


def is_gln(text: str) -> bool:
    """Whether text is a global location number: 13 digits, the last of which is their check.

    >>> is_gln("5060012340001"), is_gln("5060012340007"), is_gln("506001234000")
    (True, False, False)
    """
    if re.fullmatch(r"[0-9]{13}", text) is None:
        return False
    weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(text[:12]))
    return (10 - weighed % 10) % 10 == int(text[12])
