"""Numbers of documents as payers write them, and names as banks cut them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

_DIGIT = "[0-9O]"
_YEAR = rf"(?:2[0O])?({_DIGIT}{{2}})"
_SEQUENCE = rf"({_DIGIT}{{1,6}}(?![0-9A-Z])|{_DIGIT}{{0,5}}[0-9](?=[A-NP-Z]|O[A-Z]))"
_MORE = re.compile(r"\s*(?:,|&|\+|/|;|\band\b)\s*0*(\d{1,6})(?!\d|[./]\d|,\d{3})", re.IGNORECASE)
_FILLING = (
    "the and of at for school schools primary secondary infant infants junior juniors nursery high college academy "
    "academies trust multi mat ltd limited plc cofe ce c e rc catholic church england voluntary aided va vc "
    "controlled community special federation learning education council"
)
FILLERS = frozenset(_FILLING.split())
SHORTEST_CUT = 4


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A document's number in its parts, however it was written: the year is that in which it begins."""

    series: str
    year: int
    sequence: int


@lru_cache(maxsize=32)
def _pattern(series: frozenset[str]) -> re.Pattern[str]:
    """Return what finds numbers of these series: the longest first, signs between letters as one likes."""
    spelled = [
        r"[\W_]*".join(re.escape(letter) for letter in one if letter.isalnum())
        for one in sorted(series, key=lambda each: (-len(each), each))
    ]
    return re.compile(rf"(?<![A-Z0-9])({'|'.join(spelled)})[\W_]*{_YEAR}[\W_]*{_YEAR}[\W_]*{_SEQUENCE}")


def references(text: str, series: Collection[str]) -> dict[Reference, bool]:
    """Return the documents that a text names, in the order of the text; true for those written in full.

    Any sign or none may stand between the parts, years may be long, zeros may be missing or be the letter O, and
    further numbers may follow the first: "EWS/26-27/000123, 124 and 125".

    >>> [(one.sequence, full) for one, full in references("ews 2026/27 123+124 THANKS", {"EWS"}).items()]
    [(123, True), (124, False)]
    >>> references("EWS2627OOO123ORDER EWS/26-28/000001", {"EWS", "EWS-RN"})
    {Reference(series='EWS', year=2026, sequence=123): True}
    """
    if not series:
        return {}
    spelling = {_letters(one): one for one in series}
    found: dict[Reference, bool] = {}
    capital = text.upper()
    for match in _pattern(frozenset(series)).finditer(capital):
        begins, ends, sequence = (int(part.replace("O", "0")) for part in match.groups()[1:])
        if (begins + 1) % 100 != ends or not sequence:
            continue
        name = spelling[_letters(match.group(1))]
        found[Reference(name, 2000 + begins, sequence)] = True
        following = _MORE.match(capital, match.end())
        while following is not None:
            found.setdefault(Reference(name, 2000 + begins, int(following.group(1))), False)
            following = _MORE.match(capital, following.end())
    return found


def _letters(text: str) -> str:
    return "".join(letter for letter in text.upper() if letter.isalnum())


def words(text: str) -> tuple[str, ...]:
    """Return the words of a name in one spelling.

    >>> words("St. Joseph's Catholic Primary & Nursery"), words("SAINT JOSEPHS")
    (('st', 'josephs', 'catholic', 'primary', 'and', 'nursery'), ('st', 'josephs'))
    """
    lowered = text.lower().replace("&", " and ").replace("'", "").replace("’", "")
    cut = "".join(letter if letter.isalnum() else " " for letter in lowered).split()
    return tuple("st" if word == "saint" else word for word in cut)


def telling(name: Iterable[str]) -> tuple[str, ...]:
    """Return the words of a name that tell it from others; all of them when none does.

    >>> telling(words("Beech Hill Primary School")), telling(words("The Academy Trust"))
    (('beech', 'hill'), ('the', 'academy', 'trust'))
    """
    every = tuple(name)
    return tuple(word for word in every if word not in FILLERS) or every


def names_it(name: tuple[str, ...], text: tuple[str, ...]) -> int:
    """Return how many words of a name a text has, 0 unless all that tell it from others are there.

    Banks cut names: a word that ends the text may be the beginning of a word of the name.

    >>> line = words("BGC BEECH HILL ACAD")
    >>> names_it(words("Beech Hill Academy"), line), names_it(words("Beech Grove"), line), names_it(("hill",), line)
    (3, 0, 1)
    """
    there = set(text)
    cut = text[-1] if text and len(text[-1]) >= SHORTEST_CUT else "\0"

    def has(word: str) -> bool:
        return word in there or word.startswith(cut)

    return sum(has(word) for word in name) if all(has(word) for word in telling(name)) else 0
