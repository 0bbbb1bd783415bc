"""Every part that pages are made of, in a browser: wide, at 320 pixels, and without a script."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, flash, render_template
from flask_talisman import Talisman
from flask_wtf import CSRFProtect
from jinja2 import ChoiceLoader, FileSystemLoader
from playwright.sync_api import Browser
from werkzeug.serving import make_server

from sla_manager.app import CONTENT_SECURITY_POLICY
from sla_manager.config import ROOT
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.web import charts, display, errors
from sla_manager.web.forms import (
    BaseForm,
    CheckboxField,
    ChoiceField,
    ChoicesField,
    DateField,
    EmailField,
    FileField,
    FilterForm,
    LongTextField,
    MinutesField,
    MoneyField,
    PasswordField,
    QuantityField,
    SelectField,
    TextField,
    TimeField,
    WholeNumberField,
    choice,
    once_key,
)
from tests.journeys.conftest import Visitor

AT = datetime(2026, 3, 31, 8, 30, tzinfo=UTC)
SCHOOLS = ("Alder Vale Primary School", "Brackenhurst Academy", "St Wilfrid’s Church of England School")


class GalleryForm(BaseForm):
    """One field of every kind."""

    school = TextField("School", enter="Enter the school’s name", hint="As it stands in the register.")
    email = EmailField("Email address", enter="Enter an email address")
    password = PasswordField("Password", enter="Enter your password")
    start = DateField("Start date", enter="Enter the start date", hint="For example, 14 10 2025")
    begins = TimeField("Time", enter="Enter a time", hint="For example, 9:30am")
    spent = MinutesField("Time spent", enter="Enter how long it took")
    price = MoneyField("Price of a day", enter="Enter a price")
    quantity = QuantityField("Days", least=Decimal(1), most=Decimal(40), step=Decimal("0.5"), unit="days")
    pupils = WholeNumberField("Pupils on roll", least=Decimal(0))
    kind = ChoiceField(
        "Kind of visit",
        enter="Choose the kind of visit",
        choices=[choice("core", "Core", "Free to every school"), choice("bought", "Bought")],
    )
    services = ChoicesField("Activities", choices=[choice("a", "Register check"), choice("b", "Meeting")])
    officer = SelectField(
        "Officer", enter="Choose an officer", choices=[choice("", "Choose"), choice(1, "Robin Vale")]
    )
    notes = LongTextField("Notes", hint="Never write a pupil’s name.")
    file = FileField("File", hint="A CSV file")
    agreed = CheckboxField(
        "The school has agreed", hint="By email or on the phone", enter="Confirm that it agreed"
    )
    once = once_key()


class GalleryFilter(FilterForm):
    """A filter as lists have it."""

    year = SelectField("Financial year", choices=[choice("", "Any"), choice("2025-26", "2025-26")])
    words = TextField("School")


def gallery() -> Flask:
    """Return an application of nothing but parts; it has the product's own policy for scripts and styles."""
    app = Flask("gallery", template_folder=str(ROOT / "templates"), static_folder=str(display.STATIC))
    app.config.update(SECRET_KEY="gallery", WTF_CSRF_ENABLED=True)
    CSRFProtect(app)
    Talisman(
        app,
        force_https=False,
        content_security_policy=CONTENT_SECURITY_POLICY,
        content_security_policy_nonce_in=["script-src", "style-src"],
    )
    display.register(app)
    own = FileSystemLoader(str(Path(__file__).with_name("gallery")))
    app.jinja_loader = ChoiceLoader([own, app.jinja_loader])  # type: ignore[list-item]
    app.context_processor(_shared)
    app.add_url_rule("/parts", view_func=parts)
    app.add_url_rule("/form", view_func=form, methods=["GET", "POST"])
    app.add_url_rule("/confirm", view_func=confirm)
    app.add_url_rule(
        "/error/<int:status>", view_func=lambda status: errors.error_page(status), endpoint="error"
    )
    app.add_url_rule("/sign-out", view_func=parts, methods=["POST"], endpoint="sign_in.sign_out")
    return app


def _shared() -> dict[str, Any]:
    return {
        "provider": SimpleNamespace(
            name="Meadowshire Council",
            colour="#5a2d82",
            email="ews@meadowshire.example",
            phone="01632 960123",
        ),
        "current_user": SimpleNamespace(is_authenticated=True, name="Robin Vale"),
        "demonstration": True,
        "places": lambda: [
            {"text": "Education Welfare Service", "href": "/parts", "active": True},
            {"text": "Finance", "href": "/form", "active": False},
            {"text": "Administration", "href": "/confirm", "active": False},
        ],
        "navigation": [
            {"text": text, "href": f"/{text}", "active": text == "Agreements"}
            for text in ("Orders", "Agreements", "Visits", "Officers", "Year end")
        ],
    }


def parts() -> str:
    """The page with every part that shows something."""
    flash("The visit is planned.", "success")
    kinds = (
        ("Used", 18, "used"),
        ("Booked", 6, "booked"),
        ("Left", 12, "left"),
        ("About to lapse", 4, "lapsing"),
    )
    shares = [
        charts.Part(label, amount, display.counted(amount, "day"), kind) for label, amount, kind in kinds
    ]
    years = [
        (
            year,
            [
                charts.Part("Income", income, f"£{income},000.00"),
                charts.Part("Cost", cost, f"£{cost},000.00"),
            ],
        )
        for year, income, cost in (("2023-24", 40, 44), ("2024-25", 52, 49), ("2025-26", 61, 60))
    ]
    return render_template(
        "parts.html",
        at=AT,
        day=date(2026, 3, 31),
        nine=time(9, 30),
        two=time(14),
        length=Minutes(3774),
        amount=Money(4416_00),
        schools=SCHOOLS,
        filter=GalleryFilter.of_request(),
        single=BaseForm(),
        parts=shares,
        rows=[(school, shares[: index + 2] + shares[index + 2 :]) for index, school in enumerate(SCHOOLS)],
        groups=years,
        line=charts.pace(
            [(0, 0), (90, 200), (180, 700), (364, 900)],
            length=365,
            whole=1200,
            across=[(0, "April"), (183, "October"), (364, "March")],
            top="12 days",
        ),
    )


def form() -> str:
    """The page with every kind of field."""
    shown = GalleryForm()
    if shown.is_sent():
        shown.refuse(
            Refused("Robin Vale is at another school at that time. Choose another time.", field="begins")
        )
        shown.refuse(Refused("The year 2024-25 is closed. Ask your service manager."))
    return render_template("form.html", form=shown)


def confirm() -> str:
    """The page before something that ends."""
    sentences = [
        "222 minutes are charged, because 4 clear working days’ notice was given.",
        "The officer is told.",
    ]
    return render_template(
        "layout/confirm.html",
        question="Cancel the visit of 6 May 2026?",
        consequences=sentences,
        form=BaseForm(),
        button="Cancel the visit",
        back="/parts",
        grave=True,
    )


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The gallery, served on a free port of this machine."""
    server = make_server("127.0.0.1", 0, gallery(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(timeout=10)


@pytest.mark.browser
@pytest.mark.parametrize("size", ["visitor", "phone"])
def test_every_part_is_accessible_and_fits(size: str, request: pytest.FixtureRequest) -> None:
    visitor: Visitor = request.getfixturevalue(size)
    for path in ("/parts", "/form", "/confirm", "/error/404", "/error/429", "/error/500"):
        visitor.open(path)


@pytest.mark.browser
@pytest.mark.parametrize("size", ["visitor", "phone"])
def test_a_refused_form_says_what_is_wrong_and_keeps_what_was_typed(
    size: str, request: pytest.FixtureRequest
) -> None:
    visitor: Visitor = request.getfixturevalue(size)
    visitor.open("/form")
    visitor.page.locator("#start-day").fill("31")
    visitor.page.locator("#start-year").fill("2026")
    visitor.fill("Notes", "<script>alert(1)</script>")
    visitor.click("Plan the visit")
    assert visitor.page.title().startswith("Error: Plan a visit")
    assert visitor.page.get_by_label("Notes").input_value() == "<script>alert(1)</script>"
    visitor.page.get_by_role("link", name="Start date must include a month.").click()
    assert visitor.page.evaluate("document.activeElement.id") == "start-month"


@pytest.mark.browser
def test_the_pages_obey_their_own_policy_for_scripts_and_styles(browser: Browser, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for path in ("/parts", "/form", "/error/404"):
        page.goto(address + path)
        page.wait_for_load_state("networkidle")
    colour = page.evaluate("getComputedStyle(document.querySelector('.app-header')).backgroundColor")
    family = page.evaluate("getComputedStyle(document.querySelector('h1')).fontFamily")
    context.close()
    assert [line for line in said if "Content Security Policy" in line] == []
    assert colour == "rgb(90, 45, 130)"
    assert "GDS" not in family


@pytest.mark.browser
def test_everything_can_be_read_and_sent_without_a_script(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + "/form")
    page.get_by_role("button", name="Plan the visit").click()
    assert "There is a problem" in page.inner_text("main")
    context.close()
