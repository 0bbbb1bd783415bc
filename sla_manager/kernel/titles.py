"""Closed lists whose entries have a value for machines and a title for people."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Titled(StrEnum):
    """An enumeration whose members carry a plain title beside their value.

    A member is written `NAME = "value", "Title"`; without a title it is the value in words.

    >>> class Colour(Titled):
    ...     DARK_RED = "dark_red"
    ...     BLUE = "blue", "Blue like the sea"
    >>> Colour("blue").title, Colour.DARK_RED.title, Colour.BLUE.value
    ('Blue like the sea', 'Dark red', 'blue')
    """

    _title: str

    def __new__(cls, value: str, title: str = "") -> Self:
        """Make a member from its value and title."""
        member = str.__new__(cls, value)
        member._value_ = value
        member._title = title or value.replace("_", " ").capitalize()
        return member

    @property
    def title(self) -> str:  # type: ignore[override]  # a title is a word here, not str's own way to capitalise
        """The member as people say it."""
        return self._title
