"""Draws form fields as the design system's components, with what was typed, its hint and its error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import render_template
from markupsafe import Markup

Params = dict[str, Any]


class Widget:
    """Draws one field. Keyword arguments given in a template are merged over the component's parameters."""

    template = "input"
    field_flags: Mapping[str, Any] = {}

    def __call__(self, field: Any, **extra: Any) -> Markup:
        """Return the field as HTML."""
        params = {**self.params(field), **extra}
        return Markup(render_template(f"govuk_frontend_wtf/{self.template}.html", params=params))  # noqa: S704

    def params(self, field: Any) -> Params:
        """Return the component's parameters."""
        return {
            **named(field),
            "label": {"text": field.label.text, "classes": "govuk-label--s"},
            "value": field._value() if hasattr(field, "_value") else None,
            **field.look,
        }


class TextInput(Widget):
    """A single line."""

    def __init__(self, kind: str = "text") -> None:
        self.kind = kind

    def params(self, field: Any) -> Params:
        """Return the component's parameters."""
        return {"type": self.kind, **super().params(field)}


class PasswordInput(Widget):
    """A password: never shown again, not even after an error."""

    template = "password"

    def params(self, field: Any) -> Params:
        """Return the component's parameters."""
        return {**super().params(field), "value": ""}


class TextArea(Widget):
    """Several lines."""

    template = "textarea"

    def params(self, field: Any) -> Params:
        """Return the component's parameters."""
        return {"rows": 5, **super().params(field)}


class FileInput(Widget):
    """A file to send."""

    template = "file-upload"

    def params(self, field: Any) -> Params:
        """Return the component's parameters."""
        return {**super().params(field), "value": None}


class Select(Widget):
    """A drop-down list: for long lists only."""

    template = "select"

    def params(self, field: Any) -> Params:
        """Return the component's parameters."""
        return {**super().params(field), "items": _items(field, "selected")}


class Radios(Widget):
    """One of several, all in view."""

    template = "radios"

    def params(self, field: Any) -> Params:
        """Return the component's parameters."""
        return {
            **named(field),
            "idPrefix": field.id,
            "fieldset": legend(field),
            "items": _items(field, "checked"),
            **field.look,
        }


class Checkboxes(Radios):
    """Any of several."""

    template = "checkboxes"


class Checkbox(Widget):
    """One thing to tick."""

    template = "checkboxes"

    def params(self, field: Any) -> Params:
        """Return the component's parameters."""
        item = {"value": "y", "text": field.label.text, "checked": bool(field.data)}
        if field.description:
            item["hint"] = {"text": field.description}
        return {**named(field), "hint": None, "idPrefix": field.id, "items": [item], **field.look}


class PartsInput(Widget):
    """Several small inputs that make one value: a date, or hours and minutes."""

    template = "date"

    def params(self, field: Any) -> Params:
        """Return the component's parameters."""
        return {
            **named(field),
            "fieldset": {**legend(field), "role": "group"},
            "items": [
                {
                    "id": f"{field.id}-{part}",
                    "name": f"{field.name}-{part}",
                    "label": part.capitalize(),
                    "value": shown,
                    "classes": f"govuk-input--width-{4 if part == 'year' else 2}"
                    + (" govuk-input--error" if part in field.wrong else ""),
                }
                for part, shown in field.shown().items()
            ],
            **field.look,
        }


def named(field: Any) -> Params:
    """Return what every component takes: its id, its name, its hint and its error."""
    return {
        "id": field.id,
        "name": field.name,
        "hint": {"text": field.description} if field.description else None,
        "errorMessage": {"text": field.errors[0]} if field.errors else None,
    }


def legend(field: Any) -> Params:
    """Return the legend of a group of inputs."""
    return {"legend": {"text": field.label.text, "classes": "govuk-fieldset__legend--s"}}


def _items(field: Any, chosen: str) -> list[Params]:
    items = []
    for choice in field.iter_choices():
        hint = choice.render_kw.get("hint")
        items.append(
            {
                "value": choice.value,
                "text": choice.label,
                chosen: choice.selected,
                "hint": {"text": hint} if hint else None,
            }
        )
    return items
