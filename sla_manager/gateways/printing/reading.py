"""Reads stored facts back into types, refuses what is not exact, and keeps what is too long for paper short.

Limits, so that any input prints in bounded time and memory (nothing is lost: the stored facts stay whole):

| what | most |
|---|---|
| a name or label | 300 characters |
| a text of sentences | 2,000 characters |
| all texts of one document together | 400,000 characters, then 160 each |
| one word (a run without a space) | 120 characters |
| rows of one list (lines, entries, points) | 1,000 |
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import UTC, date, datetime
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints

from sla_manager.gateways.printing.agreement_facts import AgreementFacts
from sla_manager.gateways.printing.brochure_facts import BrochureFacts
from sla_manager.gateways.printing.facts import DayStatementFacts, MoneyDocumentFacts
from sla_manager.gateways.printing.letter_facts import LETTER_KINDS, LetterFacts
from sla_manager.kernel.errors import Broken

LONGEST_LABEL = 300
LONGEST_TEXT = 2_000
LONGEST_DOCUMENT = 400_000
SHORTEST_LIMIT = 160
LONGEST_WORD = 120
MOST_ROWS = 1_000

SHORTENED = " … (Shortened for printing. The full text is kept with this document’s record.)"

Facts = MoneyDocumentFacts | AgreementFacts | DayStatementFacts | LetterFacts | BrochureFacts
FACTS: Mapping[
    str,
    type[MoneyDocumentFacts]
    | type[AgreementFacts]
    | type[DayStatementFacts]
    | type[LetterFacts]
    | type[BrochureFacts],
] = {
    "invoice": MoneyDocumentFacts,
    "recharge_note": MoneyDocumentFacts,
    "credit_note": MoneyDocumentFacts,
    "agreement": AgreementFacts,
    "day_statement": DayStatementFacts,
    "brochure": BrochureFacts,
    **dict.fromkeys(LETTER_KINDS, LetterFacts),
}

_AMOUNT = re.compile(r"-?\d{1,13}\.\d{2}")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_LONG_WORD = re.compile(rf"(\S{{{LONGEST_WORD - 1}}})\S{{2,}}")
_NOT_PRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]"
)
"""Controls, lone surrogates and marks that turn the direction of writing (they can hide an amount)."""


class FactsRefused(Broken):
    """Facts that are not of the agreed shape: printing them would print something that was never decided."""


@dataclass
class Reading:
    """Facts ready for paper; `omitted` says how many rows of which list are left out."""

    facts: Facts
    omitted: Counter[str]


@dataclass
class _Paper:
    """What has been read so far."""

    characters: int = 0
    omitted: Counter[str] = field(default_factory=Counter)

    def text(self, value: str, limit: int) -> str:
        if self.characters > LONGEST_DOCUMENT:
            limit = min(limit, SHORTEST_LIMIT)
        cleaned = _LONG_WORD.sub(r"\1…", _NOT_PRINTABLE.sub("\ufffd", value[: limit + 1]))
        if len(value) > limit:
            cleaned = cleaned[: limit - len(SHORTENED)].rstrip("… ") + SHORTENED
        self.characters += len(cleaned)
        return cleaned

    def rows(self, where: str, values: list[object] | tuple[object, ...]) -> list[object]:
        if len(values) > MOST_ROWS:
            self.omitted[where.partition("[")[0]] += len(values) - MOST_ROWS
        return list(values[:MOST_ROWS])


def read_facts(kind: str, stored: Mapping[str, object]) -> Reading:
    """Return facts of a kind, exact and bounded, or raise `FactsRefused` naming the field that is wrong."""
    if kind not in FACTS:
        raise FactsRefused(f"“{kind[:40]}” is no kind of printed document: {', '.join(FACTS)}.")
    if stored.get("kind") != kind:
        raise FactsRefused(f"These are the facts of a {str(stored.get('kind'))[:40]}, not of a {kind}.")
    paper = _Paper()
    facts = _read_object(FACTS[kind], stored, "", paper)
    if not isinstance(facts, Facts):
        raise FactsRefused(f"The facts of a {kind} have another shape.")
    return Reading(facts, paper.omitted)


@cache
def _types(shape: type) -> Mapping[str, object]:
    return get_type_hints(shape, include_extras=True)


def _read_object(shape: type, stored: object, where: str, paper: _Paper) -> object:
    if not isinstance(stored, Mapping):
        raise FactsRefused(f"{where or 'The facts'}: expected fields, found {type(stored).__name__}.")
    names = [item.name for item in fields(shape)]
    missing = [item.name for item in fields(shape) if item.name not in stored and item.default is MISSING]
    unknown = [name for name in stored if name not in names]
    if missing or unknown:
        wrong = [f"missing {name}" for name in missing] + [f"unknown {str(name)[:40]}" for name in unknown]
        raise FactsRefused(f"{where or 'The facts'}: {', '.join(wrong[:10])}.")
    values = {
        name: _read(_types(shape)[name], stored[name], f"{where}.{name}".lstrip("."), paper)
        for name in names
        if name in stored
    }
    return shape(**values)


def _read(kind: object, value: object, where: str, paper: _Paper) -> object:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        choices = [choice for choice in get_args(kind) if choice is not NoneType]
        return None if value is None else _read(choices[0], value, where, paper)
    if origin is Annotated:
        return _read_marked(get_args(kind)[1], value, where, paper)
    if origin is Literal:
        if value not in get_args(kind):
            raise FactsRefused(f"{where}: {str(value)[:40]!r} is none of {', '.join(get_args(kind))}.")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise FactsRefused(f"{where}: expected a list, found {type(value).__name__}.")
        rows = paper.rows(where, value)
        return tuple(
            _read(get_args(kind)[0], row, f"{where}[{index}]", paper) for index, row in enumerate(rows)
        )
    if isinstance(kind, type) and is_dataclass(kind):
        return _read_object(kind, value, where, paper)
    if kind is str:
        return paper.text(_string(value, where), LONGEST_LABEL)
    if type(value) is not kind:
        raise FactsRefused(
            f"{where}: expected {getattr(kind, '__name__', kind)}, found {type(value).__name__}."
        )
    return value


def _read_marked(mark: object, value: object, where: str, paper: _Paper) -> str:
    text = _string(value, where)
    if mark == "prose":
        return paper.text(text, LONGEST_TEXT)
    if not _is_exact(mark, text):
        raise FactsRefused(
            f"{where}: “{text[:40]}” is not the {mark} that is printed, as the books write it."
        )
    return text


def _is_exact(mark: object, text: str) -> bool:
    if mark == "amount":
        return _AMOUNT.fullmatch(text) is not None
    if mark == "colour":
        return _COLOUR.fullmatch(text) is not None
    try:
        if mark == "day":
            return date.fromisoformat(text).isoformat() == text
        return text.endswith("Z") and datetime.fromisoformat(text).astimezone(UTC) is not None
    except ValueError:
        return False


def _string(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise FactsRefused(f"{where}: expected text, found {type(value).__name__}.")
    return value
