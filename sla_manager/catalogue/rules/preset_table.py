"""Reads one table of a preset file, key by key, and refuses what it does not know."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from typing import NoReturn, TypeVar

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.quantities import read_quantity

Choice = TypeVar("Choice", bound=StrEnum)
Found = TypeVar("Found")


class PresetRefused(Refused):
    """A preset file says something it may not; `place` names the file and the table, `key` the entry."""

    def __init__(self, place: str, problem: str, *, key: str | None = None) -> None:
        where = f"{place}, “{key}”" if key else place
        super().__init__(f"{where}: {problem}", field=key)


def read_toml(content: bytes, file: str) -> Table:
    """Return the outermost table of a file in UTF-8; a binary float anywhere in it is refused."""

    def no_float(written: str) -> NoReturn:
        raise PresetRefused(file, f"{written} is a float. Write amounts and quantities in quotes.")

    try:
        return Table(tomllib.loads(content.decode(), parse_float=no_float), file)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PresetRefused(file, f"this is not TOML: {error}.") from error


class Table:
    """A table and its place in the file. `close` refuses every key that nobody asked for."""

    def __init__(self, content: Mapping[str, object], place: str) -> None:
        self._content = content
        self._asked: set[str] = set()
        self.place = place

    def __contains__(self, key: str) -> bool:
        return key in self._content

    def refuse(self, problem: str, *, key: str | None = None) -> NoReturn:
        """Refuse this table, or one of its entries."""
        raise PresetRefused(self.place, problem, key=key)

    def close(self) -> None:
        """Refuse the first key that is not one of ours."""
        unknown = sorted(set(self._content) - self._asked)
        if unknown:
            known = ", ".join(sorted(self._asked))
            self.refuse(f"there is no such key. The keys of this table are {known}.", key=unknown[0])

    def name_from(self, *keys: str) -> None:
        """Add the entry that tells this table from its neighbours to the place, so that messages find it."""
        for key in keys:
            if isinstance(value := self._content.get(key), str):
                self.place = f"{self.place} “{value[:60]}”"
                return

    def _typed(self, key: str, kind: type[Found], what: str) -> Found | None:
        """Return an entry of exactly this type (true is no number, a moment is no date), or None."""
        self._asked.add(key)
        found = self._content.get(key)
        if found is None:
            return None
        if not isinstance(found, kind) or type(found) is not kind:
            self.refuse(f"{found!r} is not {what}.", key=key)
        return found

    def text(self, key: str) -> str:
        """Return a text that must be there."""
        return self.optional_text(key) or self.refuse("this is missing.", key=key)

    def optional_text(self, key: str) -> str | None:
        """Return a text, or None; an empty or ragged one is refused."""
        found = self._typed(key, str, "a text in quotes")
        if found is None:
            return None
        if not found or found != found.strip():
            self.refuse("the text is empty, or begins or ends with a space.", key=key)
        return found

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of different texts; none when it is not there."""
        found = self._typed(key, list, "a list") or []
        if any(type(text) is not str or not text.strip() for text in found):
            self.refuse("the list may only have texts in quotes.", key=key)
        if len(set(found)) != len(found):
            self.refuse("the same text stands twice in the list.", key=key)
        return tuple(found)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        found = self._typed(key, bool, "true or false")
        return default if found is None else bool(found)

    def whole(self, key: str, *, at_least: int = 1, at_most: int = 100_000) -> int | None:
        """Return a whole number within its limits, or None."""
        found = self._typed(key, int, "a whole number")
        if found is None:
            return None
        if not at_least <= found <= at_most:
            self.refuse(f"{found} is not between {at_least} and {at_most}.", key=key)
        return found

    def day(self, key: str) -> date | None:
        """Return a date, or None."""
        return self._typed(key, date, "a date like 2025-04-01")

    def clock_time(self, key: str) -> time:
        """Return a time of day in whole minutes."""
        found = self._typed(key, time, "a time like 08:45:00")
        if found is None or found.second or found.microsecond:
            self.refuse("a time of day in whole minutes is missing, like 08:45:00.", key=key)
        return found

    def quantity(self, key: str) -> Decimal | None:
        """Return an exact quantity above nothing, written as text, or None."""
        written = self.optional_text(key)
        if written is None:
            return None
        try:
            quantity = read_quantity(written)
        except Refused as error:
            self.refuse(error.message, key=key)
        return quantity if quantity > 0 else self.refuse(f"{written} is not above 0.", key=key)

    def money(self, key: str) -> Money:
        """Return an exact amount above nothing, written as text."""
        written = self.text(key)
        try:
            amount = Money.parse(written)
        except Refused as error:
            self.refuse(error.message, key=key)
        return amount if amount > Money(0) else self.refuse(f"{written} is not above £0.00.", key=key)

    def choice(self, key: str, kind: type[Choice]) -> Choice:
        """Return one of an enum's values."""
        return self._chosen(self.text(key), key, kind)

    def choices(self, key: str, kind: type[Choice]) -> tuple[Choice, ...]:
        """Return several different values of an enum."""
        return tuple(self._chosen(text, key, kind) for text in self.texts(key))

    def _chosen(self, written: str, key: str, kind: type[Choice]) -> Choice:
        if written not in list(kind):
            allowed = ", ".join(choice.value for choice in kind)
            self.refuse(f"“{written}” is none of {allowed}.", key=key)
        return kind(written)

    def table(self, key: str) -> Table | None:
        """Return the table under a key, or None."""
        found = self._typed(key, dict, "a table")
        return None if found is None else Table(found, f"{self.place}, [{key}]")

    def tables(self, key: str) -> Sequence[Table]:
        """Return the tables of a list, in order; none when it is not there."""
        found = self._typed(key, list, "a list of tables") or []
        if any(type(entry) is not dict for entry in found):
            self.refuse("the list may only have tables.", key=key)
        return [Table(entry, f"{self.place}, {key} {i}") for i, entry in enumerate(found, start=1)]
