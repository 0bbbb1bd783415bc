"""Fields whose line is read into an exact value: money, numbers, times of day."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import time
from decimal import Decimal
from typing import Any

import wtforms
from wtforms.validators import StopValidation

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.quantities import is_on_step, plain, read_quantity
from sla_manager.web import display, widgets
from sla_manager.web.fields import LONGEST, Asking

_TIME = re.compile(r"^(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm)?$")
_CLOCK = re.compile(r"^([01]\d|2[0-3])([0-5]\d)$")


class ReadField(Asking, wtforms.Field):
    """A value read from one line; the line itself stays on the page."""

    widget = widgets.TextInput()
    typed: str | None = None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed, or refuse it in words."""
        if not valuelist:
            return
        self.typed, self.data = valuelist[0].strip(), None
        if self.typed:
            try:
                self.data = self.read(self.typed[:LONGEST])
            except Refused as error:
                raise ValueError(error.message) from None

    def read(self, text: str) -> Any:
        """Return the value of the text, or raise `Refused`."""
        raise NotImplementedError

    def written(self) -> str:
        """Return the value as it would be typed."""
        return str(self.data)

    def _value(self) -> str:
        if self.typed is not None:
            return self.typed
        return "" if self.data is None else self.written()


class MoneyField(ReadField):
    """Pounds and pence."""

    def __init__(
        self,
        label: str,
        validators: Iterable[Any] = (),
        *,
        least: Money | None = Money(0),
        most: Money | None = None,
        **options: Any,
    ) -> None:
        self.least, self.most = least, most
        options.setdefault(
            "look", {"prefix": {"text": "£"}, "classes": "govuk-input--width-10", "spellcheck": False}
        )
        super().__init__(label, validators, **options)

    def read(self, text: str) -> Money:
        """Return the amount."""
        return Money.parse(text)

    def check(self) -> None:
        """Refuse an amount outside the limits."""
        amount: Money = self.data
        below = self.least is not None and amount < self.least
        if below or (self.most is not None and amount > self.most):
            raise StopValidation(
                f"{display.money(amount)} is not allowed. Enter {self._allowed()}, like 368.00."
            )

    def _allowed(self) -> str:
        if self.most is None:
            return f"an amount from {display.money(self.least)}"
        if self.least is None:
            return f"an amount up to {display.money(self.most)}"
        return f"an amount between {display.money(self.least)} and {display.money(self.most)}"


class QuantityField(ReadField):
    """An exact number, on a step when there is one. `limit()` sets what an offering allows."""

    def __init__(
        self,
        label: str,
        validators: Iterable[Any] = (),
        *,
        least: Decimal | None = None,
        most: Decimal | None = None,
        step: Decimal | None = None,
        unit: str = "",
        **options: Any,
    ) -> None:
        self.least, self.most, self.step, self.unit = least, most, step, unit
        options.setdefault(
            "look", {"classes": "govuk-input--width-5", "inputmode": "decimal", "spellcheck": False}
        )
        super().__init__(label, validators, **options)

    def limit(self, *, least: Decimal | None, most: Decimal | None, step: Decimal | None, unit: str) -> None:
        """Set what is allowed, for messages that say it; `unit` is plural ("days")."""
        self.least, self.most, self.step, self.unit = least, most, step, unit

    def read(self, text: str) -> Decimal:
        """Return the number."""
        return read_quantity(
            text.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", text) else text
        )

    def written(self) -> str:
        """Return the number as it would be typed."""
        return plain(self.data)

    def check(self) -> None:
        """Refuse a number outside the limits or off the step."""
        below = self.least is not None and self.data < self.least
        above = self.most is not None and self.data > self.most
        if below or above or (self.step is not None and not is_on_step(self.data, self.step)):
            raise StopValidation(f"{display.number(self.data)} is not allowed. {self.allowed()}")

    def allowed(self) -> str:
        """Say what may be entered."""
        words = [f"Enter a number of {self.unit}" if self.unit else "Enter a number"]
        if self.least is not None and self.most is not None:
            words.append(f" between {display.number(self.least)} and {display.number(self.most)}")
        elif self.least is not None:
            words.append(f" of {display.number(self.least)} or more")
        elif self.most is not None:
            words.append(f" up to {display.number(self.most)}")
        if self.step is not None:
            words.append(f", in steps of {plain(self.step)}")
        return "".join(words) + "."


class WholeNumberField(QuantityField):
    """A whole number, as an `int`."""

    def __init__(self, label: str, validators: Iterable[Any] = (), **options: Any) -> None:
        options.setdefault(
            "look", {"classes": "govuk-input--width-5", "inputmode": "numeric", "spellcheck": False}
        )
        super().__init__(label, validators, **options)

    def read(self, text: str) -> Any:
        """Return the number."""
        found = super().read(text)
        if found != found.to_integral_value():
            raise Refused(f"“{text[:40]}” is not a whole number. Enter one like 12.")
        return int(found)

    def written(self) -> str:
        """Return the number as it would be typed."""
        return str(self.data)


class TimeField(ReadField):
    """A time of day: 9:30am, 14:00 or 2pm."""

    def __init__(self, label: str, validators: Iterable[Any] = (), **options: Any) -> None:
        options.setdefault("look", {"classes": "govuk-input--width-5", "spellcheck": False})
        super().__init__(label, validators, **options)

    def read(self, text: str) -> time:
        """Return the time."""
        return read_time(text)

    def written(self) -> str:
        """Return the time as it would be typed."""
        return display.clock_time(self.data)


def read_time(text: str) -> time:
    """Read a time of day as people write it.

    >>> [read_time(text).isoformat("minutes") for text in ("9:30am", "14:00", "2pm", "0930", "midday")]
    ['09:30', '14:00', '14:00', '09:30', '12:00']
    """
    cleaned = text.strip().lower()
    if cleaned in ("midday", "noon", "midnight"):
        return time(0 if cleaned == "midnight" else 12)
    together = _CLOCK.match(cleaned)
    if together and cleaned.isascii():
        return time(int(together[1]), int(together[2]))
    match = _TIME.match(cleaned) if cleaned.isascii() else None
    if match is not None and (match[2] or match[3]):
        hour, minute = int(match[1]), int(match[2] or 0)
        if match[3] and 1 <= hour <= 12:
            hour = hour % 12 + (12 if match[3] == "pm" else 0)
        elif match[3]:
            hour = 24
        if hour <= 23 and minute <= 59:
            return time(hour, minute)
    raise Refused(f"“{text[:40]}” is not a time. Enter a time like 9:30am, 2pm or 14:00.")
