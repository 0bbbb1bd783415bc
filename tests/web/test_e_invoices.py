"""Electronic invoices at their pages: what is missing, entered, made, downloaded."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from sla_manager.billing.models import Document, ElectronicAddress
from sla_manager.gateways.e_invoices import read
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from tests import builders
from tests.conftest import sign_in_as
from tests.rooms import owing, selling
from tests.rooms.test_e_invoices import choose

URN = 900_311


def people(app: Flask, database: Database) -> tuple[FlaskClient, FlaskClient, FlaskClient]:
    """Return finance, the school and another school at their desks, with one invoice issued."""
    with database.transaction() as session:
        school = builders.a_school(session, urn=URN, customer_class=CustomerClass.ACADEMY)
        other = builders.a_school(session, urn=URN + 1)
        selling.agreed(session, owing.BY, owing.SIGNED, school=school)
        role = Role.SCHOOL_BUSINESS_MANAGER
        ids = [
            builders.a_person(session, Role.FINANCE_OFFICER, email="f@council.example").id,
            builders.a_person(session, role, school=school, email="a@school.example").id,
            builders.a_person(session, role, school=other, email="b@school.example").id,
        ]
    clients = [app.test_client() for _ in ids]
    for client, person_id in zip(clients, ids, strict=True):
        sign_in_as(client, person_id)
    choose(database, "xml")
    owing.run_on(database, owing.FIRST)
    return clients[0], clients[1], clients[2]


def test_a_missing_field_is_named_entered_and_the_file_downloaded(app: Flask, sqlite: Database) -> None:
    finance, school, stranger = people(app, sqlite)
    with sqlite.reading() as session:
        document = session.scalars(select(Document)).one()
    page, file = f"/finance/documents/{document.id}", f"/finance/documents/{document.id}/e-invoice.xml"
    assert "has no electronic address" in finance.get(page).text
    assert finance.get(file).status_code == 503
    waiting = finance.get("/finance/e-invoices").text
    assert document.number in waiting
    form = f"/finance/e-invoices/{document.customer_id}"
    typed = {"scheme": "0088", "identifier": "5060012340002", "buyer_reference": "FIN-7", "version": "0"}
    refused = finance.post(form, data=typed)
    assert refused.status_code == 422
    assert "no electronic address of this kind" in refused.text
    assert 'value="5060012340002"' in refused.text
    assert finance.post(form, data=typed | {"identifier": "5060012340001"}).status_code == 303
    assert finance.post(form, data=typed | {"identifier": "5060012340001"}).status_code == 422  # an old page
    assert "Make the UBL file" in finance.get(page).text
    assert school.post(f"{page}/e-invoice").status_code == 403
    assert finance.post(f"{page}/e-invoice").status_code == 303
    answer = finance.get(file)
    assert answer.headers["Content-Disposition"].endswith('.xml"')
    figures = read(answer.data)
    assert (figures.number, figures.due, figures.buyer_reference) == (document.number, "1766.40", "FIN-7")
    own = f"/school/{URN}/documents/{document.id}"
    assert "Download the electronic invoice" in school.get(own).text
    assert school.get(f"{own}/e-invoice.xml").data == answer.data
    assert stranger.get(f"/school/{URN}/documents/{document.id}/e-invoice.xml").status_code == 404
    assert stranger.get(f"/school/{URN + 1}/documents/{document.id}/e-invoice.xml").status_code == 404
    with sqlite.reading() as session:
        assert session.scalars(select(ElectronicAddress.version)).one() == 1
