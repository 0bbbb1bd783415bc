"""Finding what a school needs: what is free is found first, then what is sold and says the words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

_WORD = re.compile(r"[a-z0-9']+")
_LITTLE = (
    "a an and any are at be by can do for from have help i in into is it me my need needs of on or our please "
    "some somebody someone support that the their them this to us want we who with you your"
)
_EVERYWHERE = "attendance absence absences absent child children pupil pupils school schools service"
_SMALL = frozenset(_LITTLE.split())
_GENERAL = frozenset(_EVERYWHERE.split())
"""Words that stand nearly everywhere here: alone they do not say that something is free."""


class Offered(Protocol):
    """Something in the catalogue, as far as words find it."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def section(self) -> str: ...
    @property
    def activities(self) -> list[object]: ...


T = TypeVar("T", bound=Offered)


def words_of(need: str) -> list[str]:
    """Return the words that matter of what was typed.

    >>> words_of("help with a late-gate please")
    ['late', 'gate']
    """
    return [word for word in _WORD.findall(need[:500].casefold()) if word not in _SMALL]


def find(need: str, offered: Iterable[T]) -> list[T]:
    """Return what has every word of a need, else what has some, the closest first; all where nothing is asked."""
    words = words_of(need)
    everything = list(offered)
    if not words:
        return everything
    scored = [(_score(words, one), one) for one in everything]
    whole = [(score, one) for score, one in scored if score[0] == len(words)]
    kept = whole or [(score, one) for score, one in scored if score[0]]
    return [one for _, one in sorted(kept, key=lambda pair: pair[0], reverse=True)]


def free_offerings(need: str, core: Sequence[T]) -> list[T]:
    """Return the free offerings whose own name has every word of a need that matters."""
    words = words_of(need)
    if not words or set(words) <= _GENERAL:
        return []
    return [one for one in core if all(_stands(word, one.name.casefold()) for word in words)]


def _score(words: Sequence[str], one: Offered) -> tuple[int, int]:
    name = one.name.casefold()
    text = " ".join([name, one.description, one.section, *map(str, one.activities)]).casefold()
    return sum(_stands(word, text) for word in words), sum(_stands(word, name) for word in words)


def _stands(word: str, text: str) -> bool:
    """Say whether a word, or its singular, begins a word of a text."""
    stem = word[:-1] if len(word) > 4 and word.endswith("s") else word
    return re.search(rf"\b{re.escape(stem)}", text) is not None
