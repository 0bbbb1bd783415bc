"""The kinds of field that forms are made of. What cannot be read is refused in words, and stays on the page.

Every field takes `enter`, the sentence shown when it is left empty ("Enter the start date"); without it the
field may be left empty. `hint` stands beneath its label; `look` is merged into the component's parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import wtforms
from flask_wtf.file import FileField as UploadField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import StopValidation

from sla_manager.web import widgets

LONGEST = 10_000
"""The most characters that any free text may have."""
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Asking:
    """What every field of ours knows: its hint, and what to say when it is left empty."""

    process_errors: list[str]
    id: str
    label: Any
    data: Any

    def __init__(
        self,
        label: str,
        validators: Iterable[Any] = (),
        *,
        enter: str | None = None,
        hint: str = "",
        look: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        self.enter = enter
        self.look = look or {}
        super().__init__(label, list(validators), description=hint, **options)  # type: ignore[call-arg]

    @property
    def target(self) -> str:
        """The id that the error summary links to."""
        return self.id

    def is_blank(self) -> bool:
        """Say whether nothing was typed or chosen."""
        return self.data is None or self.data == "" or self.data == []

    def pre_validate(self, form: Any) -> None:
        """Stop at the first thing that is wrong: unreadable, or left empty where something is needed."""
        if self.process_errors:
            raise StopValidation
        if self.is_blank():
            raise StopValidation(self.enter) if self.enter else StopValidation()
        self.check()
        super().pre_validate(form)  # type: ignore[misc]

    def check(self) -> None:
        """Refuse a value that was read but is not allowed; fields with limits say so here."""


class TextField(Asking, wtforms.StringField):
    """One line of text; spaces around it are dropped."""

    widget: widgets.Widget = widgets.TextInput()

    def __init__(
        self, label: str, validators: Iterable[Any] = (), *, longest: int = LONGEST, **options: Any
    ) -> None:
        self.longest = longest
        super().__init__(label, validators, **options)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take the text that was typed."""
        if valuelist:
            self.data = " ".join(_clean(valuelist[0]).split("\n")).strip()

    def check(self) -> None:
        """Refuse more than the most characters."""
        if len(self.data) > self.longest:
            raise StopValidation(
                f"{self.label.text} has {len(self.data):,} characters. Use {self.longest:,} or fewer."
            )


class LongTextField(TextField):
    """Several lines of text."""

    widget = widgets.TextArea()

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take the text that was typed, with its lines."""
        if valuelist:
            self.data = _clean(valuelist[0]).strip()


class EmailField(TextField):
    """An email address."""

    widget = widgets.TextInput("email")

    def __init__(self, label: str, validators: Iterable[Any] = (), **options: Any) -> None:
        options.setdefault("look", {"autocomplete": "email", "spellcheck": False})
        super().__init__(label, validators, **{"longest": 254, **options})

    def check(self) -> None:
        """Refuse what is no address."""
        super().check()
        if not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+", self.data):
            raise StopValidation(
                f"“{self.data[:60]}” is not an email address. Enter one like name@school.example."
            )


class PasswordField(Asking, wtforms.StringField):
    """A password, taken as it is typed."""

    widget = widgets.PasswordInput()

    def check(self) -> None:
        """Refuse a password that only costs time to hash."""
        if len(self.data) > 1_000:
            raise StopValidation("A password may have up to 1,000 characters.")


class ChoiceField(Asking, wtforms.RadioField):
    """One of several, as radio buttons. Choices are made with `choice()`."""

    widget = widgets.Radios()

    def __init__(self, label: str, validators: Iterable[Any] = (), **options: Any) -> None:
        options.setdefault("invalid_choice_message", options.get("enter") or "Choose one of the options.")
        super().__init__(label, validators, **{"choices": [], **options})


class SelectField(Asking, wtforms.SelectField):
    """One of many, as a drop-down list. Choices are made with `choice()`; an empty one stands for none."""

    widget = widgets.Select()

    def __init__(self, label: str, validators: Iterable[Any] = (), **options: Any) -> None:
        options.setdefault("invalid_choice_message", options.get("enter") or "Choose one from the list.")
        super().__init__(label, validators, **{"choices": [], **options})


class ChoicesField(Asking, wtforms.SelectMultipleField):
    """Any of several, as checkboxes. Choices are made with `choice()`."""

    widget = widgets.Checkboxes()

    def __init__(self, label: str, validators: Iterable[Any] = (), **options: Any) -> None:
        super().__init__(label, validators, **{"choices": [], **options})


class CheckboxField(Asking, wtforms.BooleanField):
    """One thing to tick."""

    widget = widgets.Checkbox()

    def is_blank(self) -> bool:
        """Say whether it is not ticked."""
        return not self.data


class FileField(Asking, UploadField):
    """A file to send."""

    widget = widgets.FileInput()

    def is_blank(self) -> bool:
        """Say whether no file was chosen."""
        return not self.data

    def _value(self) -> str:
        return ""


def choice(value: object, label: str, hint: str = "") -> SelectChoice:
    """Return an option of a choice, with a hint when it needs one."""
    return SelectChoice(value=str(value), label=label, render_kw={"hint": hint} if hint else {})


def _clean(text: str) -> str:
    """Return text with one kind of line break; characters that nobody can see are replaced by a mark."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))
