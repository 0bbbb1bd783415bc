"""Fields of several inputs that make one value: a date, or hours and minutes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar

import wtforms
from wtforms.validators import StopValidation

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.web import display, widgets
from sla_manager.web.fields import Asking


class PartsField(Asking, wtforms.Field):
    """A value of inputs named `<field>-<part>`; the error summary links to the first that is wrong."""

    parts: ClassVar[tuple[str, ...]] = ()
    widget = widgets.PartsInput()

    def __init__(self, label: str, validators: Iterable[Any] = (), **options: Any) -> None:
        self.typed: dict[str, str] | None = None
        self.marked: tuple[str, ...] = ()
        super().__init__(label, validators, **options)
        self.label.field_id = f"{self.id}-{self.parts[0]}"

    def process(self, formdata: Any, *args: Any, **options: Any) -> None:
        """Take every part that was typed."""
        if formdata is not None:
            names = {part: f"{self.name}-{part}" for part in self.parts}
            if any(name in formdata for name in names.values()):
                self.typed = {part: formdata.get(name, "").strip() for part, name in names.items()}
        super().process(formdata, *args, **options)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the parts together, or refuse them in words; one value alone is read as machines write it."""
        if self.typed is None and valuelist:
            self.typed = self.from_one(valuelist[0].strip())
        if self.typed is None:
            return
        self.data = None
        if any(self.typed.values()):
            try:
                self.data = self.read(self.typed)
            except Refused as error:
                raise ValueError(error.message) from None

    def from_one(self, text: str) -> dict[str, str]:
        """Return the parts of a value written as one text."""
        raise NotImplementedError

    def read(self, typed: dict[str, str]) -> Any:
        """Return the value of the parts; mark what is wrong and raise `Refused`."""
        raise NotImplementedError

    def split(self) -> dict[str, str]:
        """Return the parts of the value, as they would be typed."""
        raise NotImplementedError

    def shown(self) -> dict[str, str]:
        """Return what stands in each input."""
        if self.typed is not None:
            return self.typed
        return self.split() if self.data is not None else dict.fromkeys(self.parts, "")

    def refusal(self, message: str, *parts: str) -> Refused:
        """Mark the parts that are wrong, and return the refusal."""
        self.marked = parts
        return Refused(message)

    @property
    def wrong(self) -> tuple[str, ...]:
        """The parts to mark as wrong: all of them when the error does not say which."""
        return (self.marked or self.parts) if self.errors else ()

    @property
    def target(self) -> str:
        """The id of the first input that is wrong."""
        return f"{self.id}-{(self.wrong or self.parts)[0]}"


class DateField(PartsField):
    """A date of three inputs. A month may be written as a word."""

    parts = ("day", "month", "year")

    def from_one(self, text: str) -> dict[str, str]:
        """Return the parts of 2026-03-31."""
        match = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text)
        year, month, day = match.groups() if match else ("", "", text[:40])
        return {"day": day, "month": month, "year": year}

    def read(self, typed: dict[str, str]) -> date:
        """Return the date."""
        subject = self.label.text
        missing = [part for part in self.parts if not typed[part]]
        if missing:
            raise self.refusal(f"{subject} must include a {' and '.join(missing)}.", *missing)
        if not re.fullmatch(r"\d{4}", typed["year"], re.ASCII) or typed["year"] < "1900":
            raise self.refusal(f"{subject}: the year must have 4 numbers, like 2026.", "year")
        month = read_month(typed["month"])
        if month is None:
            raise self.refusal(f"{subject}: the month must be from 1 to 12.", "month")
        if not re.fullmatch(r"\d{1,2}", typed["day"], re.ASCII):
            raise self.refusal(f"{subject}: the day must be a number from 1 to 31.", "day")
        try:
            return date(int(typed["year"]), month, int(typed["day"]))
        except ValueError:
            named = f"{typed['day']} {date(2000, month, 1):%B} {typed['year']}"
            raise self.refusal(f"{subject}: there is no {named}. Check the day.", "day") from None

    def split(self) -> dict[str, str]:
        """Return the parts of the date."""
        return {"day": str(self.data.day), "month": str(self.data.month), "year": str(self.data.year)}


class MinutesField(PartsField):
    """A length of time, in hours and minutes."""

    parts = ("hours", "minutes")

    def __init__(
        self,
        label: str,
        validators: Iterable[Any] = (),
        *,
        least: Minutes = Minutes(1),
        most: Minutes = Minutes(24 * 60),
        **options: Any,
    ) -> None:
        self.least, self.most = least, most
        super().__init__(label, validators, **options)

    def from_one(self, text: str) -> dict[str, str]:
        """Return the parts of a number of minutes."""
        if re.fullmatch(r"\d{1,6}", text, re.ASCII):
            hours, minutes = divmod(int(text), 60)
            return {"hours": str(hours), "minutes": str(minutes)}
        return {"hours": "", "minutes": text[:40]}

    def read(self, typed: dict[str, str]) -> Minutes:
        """Return the length of time; an empty part is none."""
        subject, found = self.label.text, {}
        for part in self.parts:
            if not re.fullmatch(r"\d{0,4}", typed[part], re.ASCII):
                raise self.refusal(f"{subject}: “{typed[part][:40]}” is not a number of {part}.", part)
            found[part] = int(typed[part] or 0)
        if found["minutes"] > 59:
            raise self.refusal(
                f"{subject}: {found['minutes']} minutes is not allowed. Enter minutes from 0 to 59.",
                "minutes",
            )
        return Minutes(found["hours"] * 60 + found["minutes"])

    def split(self) -> dict[str, str]:
        """Return the parts of the length."""
        hours, minutes = divmod(self.data.minutes, 60)
        return {"hours": str(hours), "minutes": str(minutes)}

    def check(self) -> None:
        """Refuse a length outside the limits."""
        if not self.least <= self.data <= self.most:
            raise StopValidation(
                f"{self.label.text}: {display.hours(self.data)} is not allowed. Enter a time between "
                f"{display.hours(self.least)} and {display.hours(self.most)}."
            )


def read_month(text: str) -> int | None:
    """Read a month written as a number or as a word; None when it is neither.

    >>> read_month("3"), read_month("March"), read_month("sept"), read_month("13")
    (3, 3, 9, None)
    """
    cleaned = text.strip().lower().rstrip(".")
    if re.fullmatch(r"\d{1,2}", cleaned, re.ASCII):
        return int(cleaned) if 1 <= int(cleaned) <= 12 else None
    names = [date(2000, index, 1).strftime("%B").lower() for index in range(1, 13)]
    found = [
        index for index, name in enumerate(names, start=1) if len(cleaned) >= 3 and name.startswith(cleaned)
    ]
    return found[0] if found else None
