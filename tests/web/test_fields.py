"""Fields read what people type, refuse the rest in words, and keep it on the page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask_wtf import CSRFProtect
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from sla_manager.config import ROOT
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.web import display
from sla_manager.web.exact_fields import read_time
from sla_manager.web.forms import (
    LONGEST,
    BaseForm,
    CheckboxField,
    ChoiceField,
    DateField,
    EmailField,
    FilterForm,
    LongTextField,
    MinutesField,
    MoneyField,
    PasswordField,
    QuantityField,
    TextField,
    TimeField,
    WholeNumberField,
    choice,
    once_key,
)


class EveryField(FilterForm):
    """One field of each kind that can be left empty."""

    name = TextField("Name", longest=20)
    notes = LongTextField("Notes")
    email = EmailField("Email address")
    password = PasswordField("Password")
    price = MoneyField("Price")
    refund = MoneyField("Refund", least=Money(1), most=Money(500_00))
    days = QuantityField("Days", least=Decimal(1), most=Decimal(40), step=Decimal("0.5"), unit="days")
    pupils = WholeNumberField("Pupils")
    start = DateField("Start date")
    begins = TimeField("Time")
    spent = MinutesField("Time spent")


class VisitForm(BaseForm):
    """A form that needs everything."""

    start = DateField("Start date", enter="Enter the start date")
    kind = ChoiceField(
        "Kind", enter="Choose a kind", choices=[choice("core", "Core"), choice("bought", "Bought")]
    )
    agreed = CheckboxField("Agreed", enter="Confirm that the school agreed")
    notes = LongTextField("Notes")
    once = once_key()


@pytest.fixture
def web() -> Iterator[Flask]:
    """An application with nothing but forms, in a request."""
    app = Flask("forms", template_folder=str(ROOT / "templates"))
    app.config.update(SECRET_KEY="forms", WTF_CSRF_ENABLED=True)
    CSRFProtect(app)
    display.register(app)
    with app.test_request_context():
        yield app


def typed(**values: str) -> EveryField:
    """Return the form after somebody typed, and it was checked."""
    form = EveryField(MultiDict(values))
    form.validate()
    return form


def said(**values: str) -> str:
    """Return the one thing that is said about what was typed."""
    errors = typed(**values).error_list()
    assert len(errors) == 1, errors
    return errors[0]["text"]


def test_what_is_left_empty_and_not_needed_is_none() -> None:
    form = typed()
    assert form.error_list() == []
    assert (form.price.data, form.days.data, form.start.data, form.begins.data, form.spent.data) == (
        None,
    ) * 5


@pytest.mark.parametrize(
    ("text", "pence"), [("368", 368_00), ("£4,416.00", 4416_00), ("0.5", 50), (" 1.05 ", 105)]
)
def test_money_is_read_as_whole_pence(text: str, pence: int) -> None:
    assert typed(price=text).price.data == Money(pence)


@pytest.mark.parametrize("text", ["368.005", "three", "1,23", "1e3", "٣", "--1", "nan"])
def test_money_that_cannot_be_read_is_refused_and_kept(text: str) -> None:
    form = typed(price=text)
    assert form.price.data is None
    assert form.price._value() == text
    assert text in form.error_list()[0]["text"]


def test_money_outside_its_limits_is_refused_with_the_limits() -> None:
    assert said(price="-1") == "−£1.00 is not allowed. Enter an amount from £0.00, like 368.00."
    assert "between £0.01 and £500.00" in said(refund="500.01")
    assert typed(refund="500").error_list() == []


def test_a_quantity_is_exact_and_on_its_step() -> None:
    assert typed(days="4.5").days.data == Decimal("4.5")
    wanted = "Enter a number of days between 1 and 40, in steps of 0.5."
    assert said(days="4.3") == f"4.3 is not allowed. {wanted}"
    assert said(days="41") == f"41 is not allowed. {wanted}"
    assert "is not a quantity" in said(days="4,5")


def test_a_whole_number_is_an_int() -> None:
    form = typed(pupils="1,210")
    assert form.pupils.data == 1210
    assert type(form.pupils.data) is int
    assert said(pupils="2.5") == "“2.5” is not a whole number. Enter one like 12."


def test_a_date_is_read_from_three_inputs_and_a_month_may_be_a_word() -> None:
    for month in ("3", "03", "March", "mar"):
        form = typed(**{"start-day": "31", "start-month": month, "start-year": "2026"})
        assert form.start.data == date(2026, 3, 31)
    assert typed(start="2026-03-31").start.data == date(2026, 3, 31)


@pytest.mark.parametrize(
    ("day", "month", "year", "words", "target"),
    [
        ("31", "", "2026", "Start date must include a month.", "#start-month"),
        ("", "", "2026", "Start date must include a day and month.", "#start-day"),
        ("31", "13", "2026", "Start date: the month must be from 1 to 12.", "#start-month"),
        ("31", "3", "26", "Start date: the year must have 4 numbers, like 2026.", "#start-year"),
        ("30", "2", "2026", "Start date: there is no 30 February 2026. Check the day.", "#start-day"),
        ("x", "2", "2026", "Start date: the day must be a number from 1 to 31.", "#start-day"),
        ("²", "2", "2026", "Start date: the day must be a number from 1 to 31.", "#start-day"),
    ],
)
def test_a_date_says_which_part_is_wrong_and_links_to_it(
    day: str, month: str, year: str, words: str, target: str
) -> None:
    form = typed(**{"start-day": day, "start-month": month, "start-year": year})
    assert form.error_list() == [{"text": words, "href": target}]
    assert form.start.shown() == {"day": day, "month": month, "year": year}


@given(st.dates(min_value=date(1900, 1, 1)))
def test_a_date_shown_and_sent_again_is_the_same_date(value: date) -> None:
    shown = EveryField(data={"start": value}).start.shown()
    assert typed(**{f"start-{part}": text for part, text in shown.items()}).start.data == value


@given(st.times())
def test_a_time_shown_and_typed_again_is_the_same_time(value: time) -> None:
    minute = value.replace(second=0, microsecond=0)
    assert read_time(display.clock_time(minute)) == minute
    assert read_time(f"{minute:%H:%M}") == minute


@pytest.mark.parametrize("text", ["9", "25:00", "13pm", "0am", "9:60", "9:5", "half nine", "٩:30am"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="is not a time"):
        read_time(text)


def test_hours_and_minutes_become_minutes() -> None:
    form = typed(**{"spent-hours": "3", "spent-minutes": "20"})
    assert form.spent.data == Minutes(200)
    assert form.spent.shown() == {"hours": "3", "minutes": "20"}
    assert typed(**{"spent-hours": "", "spent-minutes": "45"}).spent.data == Minutes(45)
    assert typed(spent="200").spent.data == Minutes(200)


def test_hours_and_minutes_outside_a_day_are_refused() -> None:
    assert "0 minutes is not allowed" in said(**{"spent-hours": "0", "spent-minutes": "0"})
    assert "24 hours 1 minute is not allowed" in said(**{"spent-hours": "24", "spent-minutes": "1"})
    assert "from 0 to 59" in said(**{"spent-hours": "0", "spent-minutes": "90"})
    assert "“1.5” is not a number of hours" in said(**{"spent-hours": "1.5", "spent-minutes": ""})


def test_text_of_ten_thousand_characters_is_taken_and_one_more_is_refused_and_kept() -> None:
    assert typed(notes="ŵ" * LONGEST).notes.data == "ŵ" * LONGEST
    form = typed(notes="x" * (LONGEST + 1))
    assert form.error_list()[0]["text"] == "Notes has 10,001 characters. Use 10,000 or fewer."
    assert len(form.notes._value()) == LONGEST + 1


def test_line_breaks_count_once_and_unseen_characters_are_marked() -> None:
    assert typed(notes="a\r\nb\x00c").notes.data == "a\nb\N{REPLACEMENT CHARACTER}c"
    assert typed(name="  two\r\nlines ").name.data == "two lines"


@pytest.mark.parametrize("text", ["robin", "robin@", "a b@c.example", "x@y", "a@b.example, c@d.example"])
def test_what_is_no_email_address_is_refused(text: str) -> None:
    assert "is not an email address" in said(email=text)


def test_a_password_is_taken_as_typed_and_never_shown_again(web: Flask) -> None:
    form = typed(password="  long secret  ", name="x" * 21)
    assert form.password.data == "  long secret  "
    assert "secret" not in form.password()


def test_markup_in_what_was_typed_is_shown_inert(web: Flask) -> None:
    drawn = typed(notes="</textarea><script>alert(1)</script>", name='" onfocus="x').notes()
    assert "<script>" not in drawn
    assert "&lt;script&gt;" in drawn


def test_everything_that_is_needed_is_asked_for_in_the_order_of_the_page(web: Flask) -> None:
    form = sent(web, {})
    assert form.error_list() == [
        {"text": "Enter the start date", "href": "#start-day"},
        {"text": "Choose a kind", "href": "#kind"},
        {"text": "Confirm that the school agreed", "href": "#agreed"},
    ]
    page = "".join(field() for field in form.visible())
    for target in ("start-day", "kind", "agreed"):
        assert f'id="{target}"' in page


def test_a_choice_that_is_not_offered_is_refused(web: Flask) -> None:
    form = sent(web, {"kind": "owner"})
    assert {"text": "Choose a kind", "href": "#kind"} in form.error_list()


def test_a_refusal_stands_beside_its_field_or_above_the_form(web: Flask) -> None:
    form = sent(
        web, {"start-day": "1", "start-month": "4", "start-year": "2026", "kind": "core", "agreed": "y"}
    )
    assert form.error_list() == []
    form.refuse(Refused("That day is a bank holiday. Choose another.", field="start"))
    form.refuse(Refused("The year is closed."))
    form.refuse(Refused("Not on this form.", field="elsewhere"))
    assert form.error_list() == [
        {"text": "The year is closed."},
        {"text": "Not on this form."},
        {"text": "That day is a bank holiday. Choose another.", "href": "#start-day"},
    ]
    assert "That day is a bank holiday" in form.start()


def test_the_key_against_double_sending_is_new_for_each_form_and_stays_with_it(web: Flask) -> None:
    first, second = VisitForm(), VisitForm()
    assert len(first.once.data) >= 32
    assert first.once.data != second.once.data
    assert sent(web, {"once": first.once.data}).once.data == first.once.data


def sent(app: Flask, values: dict[str, str]) -> Any:
    """Return the form after it was sent with its token's check switched off."""
    with app.test_request_context(method="POST", data=values):
        form = VisitForm(meta={"csrf": False})
        form.is_sent()
        return form
