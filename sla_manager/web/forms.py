"""What every form of ours is: kept as typed, refused beside the field, and sent once.

>>> from sla_manager.web.forms import BaseForm, TextField, once_key
>>> class NameForm(BaseForm):
...     name = TextField("Name", enter="Enter the school's name")
...     once = once_key()
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import wtforms
from flask import request
from flask_wtf import FlaskForm

from sla_manager.kernel.errors import Refused
from sla_manager.web.exact_fields import MoneyField, QuantityField, TimeField, WholeNumberField
from sla_manager.web.fields import (
    LONGEST,
    CheckboxField,
    ChoiceField,
    ChoicesField,
    EmailField,
    FileField,
    LongTextField,
    PasswordField,
    SelectField,
    TextField,
    choice,
)
from sla_manager.web.part_fields import DateField, MinutesField

__all__ = [
    "LONGEST",
    "BaseForm",
    "CheckboxField",
    "ChoiceField",
    "ChoicesField",
    "DateField",
    "EmailField",
    "FileField",
    "FilterForm",
    "LongTextField",
    "MinutesField",
    "MoneyField",
    "PartForm",
    "PasswordField",
    "QuantityField",
    "SelectField",
    "TextField",
    "TimeField",
    "WholeNumberField",
    "choice",
    "once_key",
]


class _Errors:
    """Gathers a form's errors for the summary at the top of the page."""

    _fields: Mapping[str, Any]
    form_errors: list[str]

    def refuse(self, error: Refused) -> None:
        """Put a refusal beside the field that it speaks of, or above the form."""
        field = self._fields.get(error.field or "")
        if field is None:
            self.form_errors.append(error.message)
        else:
            field.errors = [*field.errors, error.message]

    def error_list(self) -> list[dict[str, str]]:
        """Return every error with the address of its input, in the order of the page."""
        return [{"text": message} for message in self.form_errors] + [
            {"text": message, "href": f"#{target}"} if target else {"text": message}
            for message, target in _found(self._fields.values())
        ]

    def visible(self) -> list[Any]:
        """Return the fields that people see, in order."""
        return [field for field in self._fields.values() if not isinstance(field, wtforms.HiddenField)]

    def has_file(self) -> bool:
        """Say whether a file is sent with the form."""
        return any(isinstance(field, FileField) for field in self._fields.values())


class BaseForm(_Errors, FlaskForm):
    """A form that changes something. It carries a token against forgery."""

    def is_sent(self) -> bool:
        """Say whether the form was sent and everything in it can be read."""
        return bool(self.validate_on_submit())


class FilterForm(_Errors, wtforms.Form):
    """A form that only asks: it lives in the address, so it can be kept as a bookmark."""

    @classmethod
    def of_request(cls, **options: Any) -> Any:
        """Return the form as the address of this page fills it."""
        return cls(request.args or None, **options)


class PartForm(_Errors, wtforms.Form):
    """A row of a larger form, for `FormField` and `FieldList`; the larger form carries the token."""


def once_key(name: str = "Key") -> wtforms.HiddenField:
    """Return a hidden field with a random key, the same each time this form is sent.

    A view hands it to its command, which keeps it under a unique constraint: a second press changes nothing.
    """
    return wtforms.HiddenField(
        name, default=lambda: secrets.token_urlsafe(24), validators=[wtforms.validators.Length(max=64)]
    )


def _found(fields: Any) -> Iterator[tuple[str, str]]:
    for field in fields:
        if isinstance(field, wtforms.FormField):
            yield from _found(field.form)
        elif isinstance(field, wtforms.FieldList):
            yield from ((str(error), "") for error in field.errors if isinstance(error, str))
            yield from _found(field.entries)
        else:
            target = "" if isinstance(field, wtforms.HiddenField) else getattr(field, "target", field.id)
            yield from ((str(error), target) for error in field.errors[:1])
