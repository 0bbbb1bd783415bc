"""Choosing on pages: free first, how much a school may need, side by side, what was bought, figures and brochures."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import html5lib
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from sla_manager.catalogue.commands.bundles import set_package
from sla_manager.catalogue.commands.needs import set_need_bands
from sla_manager.catalogue.models import NeedBand
from sla_manager.catalogue.rules.families import FREE_SENTENCE, CoreDuty
from sla_manager.catalogue.rules.recommending import BandStep, Basis, Measure
from sla_manager.people.commands import import_figures
from sla_manager.people.models import AttendanceFigure, FiguresImport
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from tests import builders
from tests.conftest import sign_in_as
from tests.rooms import selling
from tests.rooms.test_people_figures import ABSENCE

URN = 100183
SERVICES = f"/school/{URN}/services"


@dataclass
class Desk:
    """Who looks, and what there is to find."""

    school: FlaskClient
    chair: FlaskClient
    manager: FlaskClient
    admin: FlaskClient
    day: int
    audit: int
    core: int


@pytest.fixture
def desk(app: Flask, sqlite: Database, by: Actor, at: datetime) -> Desk:
    """A secondary academy of 1,274 pupils, 208 of them persistently absent, which bought twelve days."""
    with sqlite.transaction() as session:
        builders.terms(session)
        school = builders.a_school(session, URN, customer_class=CustomerClass.ACADEMY)
        day = builders.an_offering(session, activities=["Home visits", "Late gates"])
        audit = builders.an_offering(session, "450.00", code="AUDIT", name="Attendance audit", unit="audit",
                                     unit_minutes=None, step="1", minimum="1")  # fmt: skip
        builders.an_offering(session, code="PRIMARY", name="Primary assembly", phases=["Primary"])
        core = builders.a_core_offering(session, CoreDuty.LEGAL_INTERVENTION, name="Penalty notices")
        import_figures(session, ABSENCE, filename="absence.csv", by=by, at=at)
        steps = [
            BandStep(Decimal(0), Decimal(10), Decimal(6)),
            BandStep(Decimal(10), None, Decimal(15)),
        ]
        set_need_bands(session, builders.a_service(session).id, offering_id=day.id, measure=Measure.PERSISTENT,
                       basis=Basis.AGREEMENT, steps=steps, by=by, at=at)  # fmt: skip
        selling.agreed(session, by, at, school=school, offering=day)
        people = [
            builders.a_person(session, Role.SCHOOL_BUSINESS_MANAGER, school=school),
            builders.a_person(session, Role.CHAIR_OF_GOVERNORS, school=school),
            builders.a_person(session, Role.SERVICE_MANAGER),
            builders.a_person(session, Role.ADMINISTRATOR),
        ]
        ids, numbers = [one.id for one in people], (day.id, audit.id, core.id)
    clients = []
    for person_id in ids:
        client = app.test_client()
        sign_in_as(client, person_id)
        clients.append(client)
    return Desk(*clients, *numbers)


def words(client: FlaskClient, address: str, **more: Any) -> str:
    """Return what a page says, in one line; it is well formed and its ids are its own."""
    answer = client.get(address, **more)
    assert answer.status_code == 200, answer.status_code
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(answer.text)
    ids = [one.get("id") for one in tree.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    assert len(list(tree.iter("h1"))) == 1
    main = next(one for one in tree.iter("main"))
    return " ".join(" ".join(main.itertext()).split())


def test_what_is_free_is_said_first_with_its_duty(desk: Desk) -> None:
    page = words(desk.school, f"{SERVICES}?need=penalty+notice")
    assert FREE_SENTENCE in page
    assert "Legal intervention" in page
    assert "Penalty notices" in page
    assert FREE_SENTENCE not in words(desk.school, f"{SERVICES}?need=late+gates")
    everything = words(desk.school, SERVICES)
    assert everything.index("free to every school") < everything.index("what you can buy")


def test_a_need_finds_what_says_it_and_another_phase_is_not_offered(desk: Desk) -> None:
    page = words(desk.school, f"{SERVICES}?need=someone+at+the+late+gate")
    assert "Education welfare officer, day" in page
    assert "Attendance audit" not in page
    assert "Primary assembly" not in words(desk.school, SERVICES)
    assert "Nothing that is sold fits" in words(desk.school, f"{SERVICES}?need=violin")


def test_how_much_we_need_says_the_figures_it_stands_on(desk: Desk) -> None:
    page = words(desk.school, SERVICES)
    assert (
        "Persistent absence was 16.3 % in 2018/19 (208 of 1,274 pupils): we suggest 15 days a year." in page
    )
    assert "15 days × £368.00 = £5,520.00, plus VAT" in page
    assert "2018/19 1,274" in page
    assert "absence.csv" in page


def test_last_year_stands_beside_what_is_offered_now(desk: Desk) -> None:
    page = words(desk.school, SERVICES)
    assert "What you bought, beside what we offer now" in page
    assert "2025-26 12 days 0 days 0 days 0 days 12 days £4,416.00 £368.00 for each day" in page


def test_only_who_may_order_fills_a_basket_from_the_catalogue(desk: Desk) -> None:
    assert "Add to basket" in words(desk.school, SERVICES)
    assert "Add to basket" not in words(desk.chair, SERVICES)
    wanted = {"offering": str(desk.day), "quantity": "15", "once": "a-key-of-the-page"}
    sent = desk.school.post(f"/school/{URN}/basket/add", data=wanted)
    assert sent.status_code == 303
    assert "Education welfare officer, day" in desk.school.get(sent.location).text
    assert desk.chair.post(f"/school/{URN}/basket/add", data=wanted).status_code == 404


def test_things_are_compared_two_to_four_at_a_time(desk: Desk) -> None:
    compare = f"/school/{URN}/compare"
    page = words(desk.school, f"{compare}?offering={desk.day}&offering={desk.audit}")
    for said in (
        "Free Yours, whether or not you buy this",
        "£368.00 for each day",
        "£450.00 for each audit",
        "15 days × £368.00 = £5,520.00, plus VAT",
        "Days of 0.5 or more, in half days",
        "VAT 20 % because an academy is a separate legal person",
        "2025-26: 12 days, £4,416.00 (0 delivered, 12 left)",
    ):
        assert said in page, said
    one = desk.school.get(f"{compare}?offering={desk.day}&offering={desk.day}")
    assert one.status_code == 422
    assert "You ticked 1. Tick between 2 and 4 services." in one.text
    free = desk.school.get(
        f"{compare}?offering={desk.day}&offering={desk.core}&offering=x&offering=99999999999"
    )
    assert "You ticked 1." in free.text


def test_packages_stand_side_by_side_with_what_they_include(
    desk: Desk, sqlite: Database, by: Actor, at: datetime
) -> None:
    with sqlite.transaction() as session:
        numbers = []
        for name, days in (("Silver", "2"), ("Gold", "5")):
            package = builders.an_offering(session, "900.00", code=name, name=f"{name} package", unit="package",
                                           unit_minutes=None, step="1", minimum="1")  # fmt: skip
            parts = [(desk.day, Decimal(days)), (desk.core, Decimal(1))]
            set_package(session, package.id, parts, by=by, at=at)
            numbers.append(package.id)
    address = f"/school/{URN}/compare?offering={numbers[0]}&offering={numbers[1]}"
    assert address.replace("&", "&amp;") in desk.school.get(SERVICES).text
    page = words(desk.school, address)
    for said in (
        "What is included",
        "2 days: Education welfare officer, day",
        "5 days: ",
        "Free: Penalty notices",
    ):
        assert said in page, said


def test_brochures_are_files_with_prices_for_who_may_see_them(desk: Desk) -> None:
    mine = desk.school.get(f"/school/{URN}/brochure.pdf?service=ews")
    assert (mine.status_code, mine.mimetype) == (200, "application/pdf")
    assert mine.data.startswith(b"%PDF-")
    assert desk.school.get(f"/school/{URN}/brochure.pdf?service=none").status_code == 404
    assert "Open PDF" in words(desk.manager, "/service/ews/brochure")
    assert desk.manager.get("/service/ews/brochure.pdf?for=academy").data.startswith(b"%PDF-")
    assert desk.manager.get("/service/ews/brochure.pdf?for=everybody").status_code == 404
    assert desk.admin.get("/service/ews/brochure.pdf?for=academy").status_code == 404


def bands_form(desk: Desk, **more: str) -> dict[str, str]:
    """Return what a manager types: hours by severe absence."""
    values = {"offering": str(desk.day), "measure": "severe", "phase": "", "basis": "agreement"}
    return values | {"from_1": "0", "quantity_1": "2", "from_2": "5", "quantity_2": "9.5"} | more


def test_a_manager_sets_bands_and_each_ends_where_the_next_begins(desk: Desk, sqlite: Database) -> None:
    sent = desk.manager.post("/service/ews/needs/set", data=bands_form(desk))
    assert sent.status_code == 303
    with sqlite.reading() as session:
        severe = select(NeedBand).where(NeedBand.measure == Measure.SEVERE).order_by(NeedBand.from_value)
        found = [(one.from_value, one.to_value, one.quantity) for one in session.scalars(severe)]
    assert found == [(0, 5, 2), (5, None, Decimal("9.5"))]
    assert "9.5 days a year" in words(desk.manager, "/service/ews/needs")
    address = f"/service/ews/needs/set?offering={desk.day}&measure=severe&phase="
    assert 'value="9.5"' in desk.manager.get(address).text
    ending = f"/service/ews/needs/end?offering={desk.day}&measure=severe&phase="
    assert "End this suggestion?" in words(desk.manager, ending)
    assert desk.manager.post(ending).status_code == 303
    assert desk.manager.get(ending).location == "/service/ews/needs"


def test_bands_that_make_no_sense_are_refused_and_stay_on_the_page(desk: Desk) -> None:
    for typed, says in (
        ({"from_1": "3"}, "No band covers 0 to 3"),
        ({"from_2": "0"}, "Two bands begin at 0"),
        ({"quantity_2": ""}, "Enter how much you suggest in this band"),
        ({"quantity_2": "9.3"}, "in half days"),
        ({"measure": "phase"}, "Enter the phase"),
        ({"from_2": "120"}, "A percentage is between 0 and 100"),
    ):
        answer = desk.manager.post("/service/ews/needs/set", data=bands_form(desk, **typed))
        assert answer.status_code == 422
        assert says in answer.text
        assert 'value="2"' in answer.text


def test_a_file_of_figures_is_previewed_imported_once_and_reported(desk: Desk, sqlite: Database) -> None:
    revised = ABSENCE.replace(b",16.32653,", b",17.5,")
    data = {"file": (io.BytesIO(revised), "revised.csv"), "year": ""}
    sent = desk.admin.post("/admin/attendance", data=data)
    assert sent.status_code == 303
    page = words(desk.admin, sent.location)
    assert "What revised.csv brings" in page
    assert "Persistent absence, per cent: 16.327 → 17.5" in page
    done = desk.admin.post(f"{sent.location}/import")
    assert done.status_code == 303
    assert "imported by" in words(desk.admin, done.location)
    assert desk.admin.post(f"{sent.location}/import").status_code == 404
    with sqlite.reading() as session:
        assert len(session.scalars(select(FiguresImport)).all()) == 2
        assert len(session.scalars(select(AttendanceFigure)).all()) == 2
    assert "17.5 %" in words(desk.admin, f"/admin/schools/{URN}")


def test_the_older_measure_is_refused_on_the_page_with_the_reason(desk: Desk) -> None:
    old = b"URN,PERCTOT,PPERSABS15\n100183,5.5,7.1\n"
    sent = desk.admin.post(
        "/admin/attendance", data={"file": (io.BytesIO(old), "old.csv"), "year": "2012/13"}
    )
    assert sent.status_code == 422
    assert "persistent absence means 10 % or more" in sent.text
    wrong = desk.admin.post("/admin/attendance", data={"file": (io.BytesIO(old), "old.csv"), "year": "2012"})
    assert "is not an academic year" in wrong.text
