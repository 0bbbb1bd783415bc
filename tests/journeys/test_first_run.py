"""An empty installation in a browser: set up, the register imported, a preset loaded, a person added."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import func, select

from sla_manager.catalogue.models import Offering
from sla_manager.config import ROOT
from sla_manager.people.models import Membership, Person, School
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from tests.journeys.conftest import Visitor
from tests.journeys.people import PASSWORD

REGISTER = ROOT / "tests" / "data" / "registers" / "greenwich_28_columns.csv"
ROWS = 40
PRESET = "southampton-2024-25"


def register_slice() -> bytes:
    """Return the first rows of the Greenwich register, with their header."""
    text = REGISTER.read_bytes().decode("cp1252")
    written = io.StringIO(newline="")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    csv.writer(written).writerows(rows[: ROWS + 1])
    return written.getvalue().encode("cp1252")


@pytest.mark.browser
def test_a_council_begins_from_nothing(visitor: Visitor, sqlite: Database) -> None:
    visitor.open("/")
    assert "Set up your council" in visitor.text
    _set_up(visitor)
    visitor.page.wait_for_url("**/admin/")
    visitor.click("Import the register of schools", role="link")
    file = {"name": "greenwich.csv", "mimeType": "text/csv", "buffer": register_slice()}
    visitor.page.get_by_label("Register file").set_input_files(file)  # type: ignore[arg-type]
    visitor.click("Show what would change")
    assert "Nothing is imported yet" in visitor.text
    with sqlite.reading() as session:
        assert session.scalar(select(func.count(School.id))) == 0
    visitor.click("Import")
    assert "The register is imported" in visitor.page.inner_text("body")
    with sqlite.reading() as session:
        schools = session.scalar(select(func.count(School.id)))
        assert schools is not None
        assert 0 < schools <= ROWS
    visitor.click("Schools", role="link")
    visitor.open("/admin/services/ews/preset")
    visitor.page.locator(f"input[value={PRESET}]").check()
    visitor.click("Load preset")
    with sqlite.reading() as session:
        assert session.scalar(select(func.count(Offering.id))) == 22
    _add_a_person(visitor, sqlite)
    for page in ("Officers", "Services", "Terms", "Audit trail"):
        visitor.click(page, role="link")


def _set_up(visitor: Visitor) -> None:
    visitor.fill("Name of the council", "Aldermere Council")
    visitor.fill("Local authority code", "203")
    visitor.fill("Postal address", "Civic Centre\n12 Market Square\nAldermere\nAM1 4QZ")
    visitor.fill("VAT number", "GB123456789")
    visitor.fill("Your name", "Noor Khan")
    visitor.fill("Your email address", "noor@aldermere.example")
    visitor.fill("Your password", PASSWORD)
    visitor.click("Set up")
    assert "Aldermere Council is set up" in visitor.page.inner_text("body")


def _add_a_person(visitor: Visitor, sqlite: Database) -> None:
    """Somebody new gets a role in the first service."""
    visitor.click("People", role="link")
    visitor.click("Add a person", role="link")
    visitor.fill("Name", "Tomas Reed")
    visitor.fill("Email address", "tomas@aldermere.example")
    visitor.click("Add person")
    visitor.page.get_by_role("combobox", name="Role").select_option(Role.SERVICE_MANAGER.value)
    visitor.page.get_by_role("combobox", name="Service").select_option(index=1)
    visitor.click("Give role")
    assert "is given" in visitor.page.inner_text("body")
    with sqlite.reading() as session:
        held = select(Membership.role).join(Person).where(Person.email == "tomas@aldermere.example")
        assert session.scalars(held).all() == [Role.SERVICE_MANAGER]
