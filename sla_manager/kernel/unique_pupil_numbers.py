"""Finds unique pupil numbers in free text, so that no pupil is ever recorded here.

Source: Department for Education, "Unique pupil numbers": a check letter (A to Z without I, O and S) and twelve
digits, or eleven digits and a letter for a temporary number.
"""

from __future__ import annotations

import re

from sla_manager.kernel.errors import Refused

_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
_CANDIDATE = re.compile(r"(?<![A-Za-z0-9])([A-Za-z])\s?(\d{11})([\dA-Za-z])(?![A-Za-z0-9])")


class PupilNumberRefused(Refused):
    """A note may not name a pupil."""

    def __init__(self, *, field: str | None = None) -> None:
        super().__init__(
            "This text contains a unique pupil number. We never hold pupil data: take the number out and "
            "write how many pupils instead.",
            field=field,
        )


def contains_pupil_number(text: str) -> bool:
    """Say whether a valid unique pupil number stands in the text.

    >>> contains_pupil_number("Seen A823200109001 today"), contains_pupil_number("Ref B823200109001")
    (False, False)
    """
    for letter, digits, final in _CANDIDATE.findall(text):
        value = int(final) if final.isdigit() else _LETTERS.find(final.upper())
        if value < 0:
            continue
        numbers = [int(digit) for digit in digits] + [value]
        remainder = sum(number * weight for weight, number in enumerate(numbers, start=2)) % 23
        if _LETTERS[remainder] == letter.upper():
            return True
    return False


def refuse_pupil_numbers(text: str, *, field: str | None = None) -> str:
    """Return the text, or refuse it when it contains a unique pupil number."""
    if contains_pupil_number(text):
        raise PupilNumberRefused(field=field)
    return text
