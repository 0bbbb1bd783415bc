"""Whether a request of ours says only what the card provider's own library allows: its types, read strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import UnionType
from typing import (
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)
from urllib.parse import parse_qsl

import typing_extensions
from stripe import RequestOptions, StripeContext

_PARTS = re.compile(r"[^\[\]]+")
_NAMES = {"StripeContext": StripeContext, "Mapping": Mapping}
"""Names that the library imports for type checkers only."""
_OPTIONAL = (NotRequired, typing_extensions.NotRequired, Required, typing_extensions.Required)


class BadParams(Exception):
    """A parameter that the provider does not know, or of another kind; `name` is where it stands."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name


def read_form(body: str) -> dict[str, Any]:
    """Return a form with names such as `line_items[0][quantity]` as nested dictionaries."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(body, keep_blank_values=True):
        *places, last = _PARTS.findall(name)
        here = found
        for place in places:
            here = here.setdefault(place, {})
        here[last] = value
    return found


def checked(values: Mapping[str, Any], kind: Any, place: str = "") -> dict[str, Any]:
    """Return a form's values as a TypedDict's own kinds, or raise `BadParams`: no unknown name, none missing."""
    hints = get_type_hints(kind, localns=_NAMES, include_extras=True)
    own = {name: hint for name, hint in hints.items() if name not in RequestOptions.__annotations__}
    for name in values:
        if name not in own:
            raise BadParams(place + name, "unknown parameter")
    for name, hint in own.items():
        needed = get_origin(hint) not in (NotRequired, typing_extensions.NotRequired)
        if needed and name not in values:
            raise BadParams(place + name, "missing")
    return {name: _read(value, own[name], place + name) for name, value in values.items()}


def _read(value: Any, kind: Any, place: str) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in _OPTIONAL:
        return _read(value, parts[0], place)
    if origin in (Union, UnionType):
        return _read_any(value, parts, place)
    if origin is Literal:
        return _among(value, parts, place)
    if isinstance(value, Mapping):
        return _read_group(value, kind, origin, parts, place)
    if kind is int and re.fullmatch(r"-?\d+", value):
        return int(value)
    if kind is bool and value in ("true", "false"):
        return value == "true"
    if kind is str:
        return value
    raise BadParams(place, f"{value!r} is no {kind}")


def _read_any(value: Any, kinds: tuple[Any, ...], place: str) -> Any:
    """Read one of several kinds; where words are listed, only those count (the library's types add "or any text")."""
    has_words = any(get_origin(kind) is Literal for kind in kinds)
    problems = []
    for kind in (one for one in kinds if not (has_words and one is str)):
        try:
            return _read(value, kind, place)
        except BadParams as problem:
            problems.append(problem)
    raise problems[0]


def _among(value: Any, words: tuple[Any, ...], place: str) -> Any:
    if value not in words:
        raise BadParams(place, f"{value!r} is none of {len(words)} allowed words")
    return value


def _read_group(value: Mapping[str, Any], kind: Any, origin: Any, parts: tuple[Any, ...], place: str) -> Any:
    if is_typeddict(kind) or typing_extensions.is_typeddict(kind):
        return checked(value, kind, f"{place}.")
    if origin is list:
        return [_read(value[str(number)], parts[0], f"{place}[{number}]") for number in range(len(value))]
    if origin is dict:
        return {str(name): _read(one, parts[1], f"{place}.{name}") for name, one in value.items()}
    raise BadParams(place, f"no {kind}")
