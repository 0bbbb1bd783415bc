"""Shortcuts through the layout library's computation of styles, for what a printed document asks most.

Nearly every value that it asks for is one that nobody set: the initial value, or the parent's. The library finds
that out anew each time, after every rarer case. These shortcuts answer the plain cases first and leave everything
else to the library. What is printed is the same to the last byte, which a test holds for every kind of document.
"""

from __future__ import annotations

from typing import Any

from weasyprint.css import INITIAL_NOT_COMPUTED, AnonymousStyle, ComputedStyle
from weasyprint.css.computed_values import COMPUTER_FUNCTIONS
from weasyprint.css.functions import check_math
from weasyprint.css.properties import INHERITED, INITIAL_VALUES
from weasyprint.css.tokens import Pending
from weasyprint.layout import percent

_SPECIAL = {"page", "position", "float", "display"}
_PLAIN = frozenset(
    key for key in INITIAL_VALUES if key not in _SPECIAL and not key.startswith(("__", "text_decoration_"))
)
"""Properties whose value is decided by themselves alone."""
_INITIAL: dict[str, Any] = {
    key: value
    for key, value in INITIAL_VALUES.items()
    if key in _PLAIN and key not in INHERITED and key not in INITIAL_NOT_COMPUTED and not check_math(value)
}
"""Values that hold as they stand wherever nothing else is set."""
_LOGICAL = frozenset(key for key in INITIAL_VALUES if not {"inline", "block"}.isdisjoint(key.split("_")))
"""Properties that follow the direction of writing and stand in for others; our style sheets have none."""
_WORDS = ("inherit", "initial")
THEIRS = (ComputedStyle.__init__, ComputedStyle.__missing__, AnonymousStyle.__init__)
"""The library's own ways."""
_one_percentage = percent.resolve_one_percentage


def _begin(style: Any, parent_style: Any, cascaded: Any, *rest: Any, **more: Any) -> None:
    """Begin a style with everything that nobody set."""
    THEIRS[0](style, parent_style, cascaded, *rest, **more)
    style.is_plain = _LOGICAL.isdisjoint(cascaded)
    if style.is_plain:
        style.update(_INITIAL)
        for key in cascaded:
            style.pop(key, None)


def _find(style: Any, key: str) -> Any:
    """Find what was set, inherited or is to be computed of the initial value; leave the rest to the library."""
    if key not in _PLAIN or not style.is_plain:
        return THEIRS[1](style, key)
    if key in style.cascaded:
        value = style.cascaded[key][0]
        if isinstance(value, Pending) or value in _WORDS:
            return THEIRS[1](style, key)
    elif key not in INHERITED:
        value = INITIAL_VALUES[key]
    elif style.parent_style is None:
        return THEIRS[1](style, key)
    else:
        value = style.parent_style[key]
        if not check_math(value):
            style[key] = value
            return value
    if check_math(value):
        return THEIRS[1](style, key)
    if key in COMPUTER_FUNCTIONS:
        value = COMPUTER_FUNCTIONS[key](style, key, value)
    style[key] = value
    return value


def _begin_anonymous(style: Any, parent_style: Any) -> None:
    style.update(_INITIAL)
    THEIRS[2](style, parent_style)


def _resolve(box: Any, name: str, whole: Any) -> None:
    """Set a length that is no sum and no percentage as it stands."""
    value = box.style[name]
    if value == "auto":
        setattr(box, name, 0 if name in ("min_width", "min_height") else value)
    elif getattr(value, "unit", "%") == "%":
        _one_percentage(box, name, whole)
    else:
        setattr(box, name, value.value)


def take() -> None:
    """Take the shortcuts in this process."""
    ComputedStyle.__init__, ComputedStyle.__missing__ = _begin, _find
    AnonymousStyle.__init__ = _begin_anonymous
    percent.resolve_one_percentage = _resolve


def leave() -> None:
    """Go the library's own way again."""
    ComputedStyle.__init__, ComputedStyle.__missing__, AnonymousStyle.__init__ = THEIRS
    percent.resolve_one_percentage = _one_percentage
