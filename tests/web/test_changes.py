"""Changing agreements on the pages: proposed, signed, ended, carried on; another school's is not there."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from sla_manager.agreements.models import Agreement, Termination, Transfer, Variation, VariationProposal
from sla_manager.agreements.rules.proposals import ProposalStatus
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.people.models import Customer, SchoolChange
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from tests import builders
from tests.conftest import sign_in_as
from tests.rooms.test_changes import BEFORE, Sold, sold

URN = 900_201
CHANGED = {"quantity": "3", "effective_on-day": "1", "effective_on-month": "10", "effective_on-year": "2025",
           "reason": "More pupils need support.", "medium": "page", "once": "k"}  # fmt: skip
SIGNED = {"role": "School business manager", "authority": "y"}


@dataclass
class Desk:
    """The people, and what they have agreed."""

    manager: FlaskClient
    school: FlaskClient
    stranger: FlaskClient
    chair: FlaskClient
    admin: FlaskClient
    sold: Sold

    @property
    def agreement(self) -> str:
        """The address of the agreement for the service."""
        return f"/service/ews/agreements/{self.sold.agreement_id}"

    @property
    def vary(self) -> str:
        """Where a change is proposed."""
        return f"{self.agreement}/lines/{self.sold.line_id}/vary"


@pytest.fixture
def desk(app: Flask, sqlite: Database) -> Desk:
    with sqlite.transaction() as session:
        school = builders.a_school(session, urn=URN, customer_class=CustomerClass.OWN_MAINTAINED)
        other = builders.a_school(session, urn=URN + 1)
        what = sold(
            session, school=school, starts_on=date(2025, 4, 1), ends_on=date(2026, 3, 31),
            schedule=Schedule.SINGLE, notice_months=3, agreed_at=BEFORE,
        )  # fmt: skip
        people = [
            builders.a_person(session, Role.SERVICE_MANAGER, email="m@council.example"),
            builders.a_person(session, Role.SCHOOL_BUSINESS_MANAGER, school=school, email="a@school.example"),
            builders.a_person(session, Role.SCHOOL_BUSINESS_MANAGER, school=other, email="b@school.example"),
            builders.a_person(session, Role.CHAIR_OF_GOVERNORS, school=school, email="c@school.example"),
            builders.a_person(session, Role.ADMINISTRATOR, email="x@council.example"),
        ]
        ids = [one.id for one in people]
    clients = []
    for person_id in ids:
        client = app.test_client()
        sign_in_as(client, person_id)
        clients.append(client)
    manager, school_client, stranger, chair, admin = clients
    return Desk(manager, school_client, stranger, chair, admin, what)


def proposed(desk: Desk, database: Database, **changes: str) -> VariationProposal:
    """Propose a change on the page, seen first."""
    seen = desk.manager.post(desk.vary, data=CHANGED | changes)
    assert seen.status_code == 200, seen.text
    assert "What will follow" in seen.text
    answer = desk.manager.post(desk.vary, data=CHANGED | changes | {"confirmed": "yes"})
    assert answer.status_code == 303, answer.text
    with database.reading() as session:
        return session.scalars(select(VariationProposal).order_by(VariationProposal.id.desc())).first()  # type: ignore[return-value]


def seen_on(page: str) -> str:
    """Return the hash of the figures that a page shows."""
    return page.split('name="seen" value="')[1].split('"')[0]


def count(database: Database, kind: type) -> int:
    """Return how many there are."""
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(kind)) or 0


def test_a_change_is_proposed_then_signed_by_the_school_in_two_tabs_once(
    desk: Desk, sqlite: Database
) -> None:
    found = proposed(desk, sqlite)
    assert "To be signed" in desk.manager.get("/service/ews/changes").text
    assert "Sign or decline a change" in desk.school.get(f"/school/{URN}/").text
    where = f"/school/{URN}/changes/{found.id}"
    page = desk.school.get(where).text
    assert "3 days more" in page
    assert "£1,104.00" in page
    signing = SIGNED | {"seen": seen_on(page)}
    for _ in range(2):
        assert desk.school.post(f"{where}/sign", data=signing).status_code == 303
    assert count(sqlite, Variation) == 1
    assert "Who signed it" in desk.school.get(where).text
    assert desk.manager.get(f"/service/ews/changes/{found.id}").status_code == 200


def test_s12_nothing_but_the_signature_is_taken_from_the_form(desk: Desk, sqlite: Database) -> None:
    found = proposed(desk, sqlite)
    where = f"/school/{URN}/changes/{found.id}"
    forged = SIGNED | {
        "seen": seen_on(desk.school.get(where).text),
        "quantity": "300",
        "status": "signed",
        "net": "0",
    }
    assert desk.school.post(f"{where}/sign", data=SIGNED | {"seen": "0" * 64}).status_code == 409
    assert desk.school.post(f"{where}/sign", data=forged).status_code == 303
    with sqlite.reading() as session:
        assert str(session.scalars(select(Variation.quantity)).one()) == "3.000"


def test_another_schools_change_is_not_there_and_a_chair_cannot_sign(desk: Desk, sqlite: Database) -> None:
    found = proposed(desk, sqlite)
    for urn in (URN, URN + 1):
        for path in ("", "/sign", "/decline"):
            where = f"/school/{urn}/changes/{found.id}{path}"
            assert desk.stranger.post(where, data=SIGNED).status_code in (404, 405)
            assert desk.stranger.get(where).status_code in (404, 405)
    notice = f"/school/{URN + 1}/agreements/{desk.sold.agreement_id}/notice"
    assert desk.stranger.get(notice).status_code == 404
    assert desk.chair.get(f"/school/{URN}/changes/{found.id}").status_code == 200
    assert desk.chair.post(f"/school/{URN}/changes/{found.id}/sign", data=SIGNED).status_code == 404


def test_a_signature_on_paper_says_who_and_where(desk: Desk, sqlite: Database) -> None:
    paper = {"medium": "paper", "confirmed": "yes"}
    bare = desk.manager.post(desk.vary, data=CHANGED | paper)
    assert bare.status_code == 422
    assert "who signed the paper" in bare.text
    whole = paper | {"name": "Ruth Amadi", "role": "Head teacher", "statement": "File 12"}
    assert desk.manager.post(desk.vary, data=CHANGED | whole).status_code == 303
    assert count(sqlite, Variation) == 1


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [("quantity", "0.3", "steps of 0.5"), ("quantity", "-13", "12 "), ("effective_on-year", "2031", "outside"),
     ("reason", "", "Write why")],
)  # fmt: skip
def test_a_change_that_cannot_be_made_is_refused_and_kept(
    desk: Desk, field: str, value: str, says: str
) -> None:
    answer = desk.manager.post(desk.vary, data=CHANGED | {field: value})
    assert answer.status_code == 422
    assert says in answer.text


def test_a_school_asks_and_the_service_declines_or_proposes(desk: Desk, sqlite: Database) -> None:
    where = f"/school/{URN}/agreements/{desk.sold.agreement_id}/lines/{desk.sold.line_id}/change"
    assert desk.school.post(where, data=CHANGED).status_code == 200
    assert desk.school.post(where, data=CHANGED | {"confirmed": "yes"}).status_code == 303
    with sqlite.reading() as session:
        asked = session.scalars(select(VariationProposal)).one()
    here = f"/service/ews/changes/{asked.id}"
    assert "Put it to the school to sign" in desk.manager.get(here).text
    assert desk.manager.post(f"{here}/close", data={"reason": ""}).status_code == 422
    assert desk.manager.post(f"{here}/propose").status_code == 303
    declined = desk.school.post(f"/school/{URN}/changes/{asked.id}/decline", data={"reason": "Too late now."})
    assert declined.status_code == 303
    with sqlite.reading() as session:
        assert session.get_one(VariationProposal, asked.id).status is ProposalStatus.DECLINED


def test_a_school_gives_notice_and_sees_the_figures_first(desk: Desk, sqlite: Database) -> None:
    where = f"/school/{URN}/agreements/{desk.sold.agreement_id}/notice"
    page = desk.school.get(where).text
    assert "14 January 2026" in page
    data = {"role": "Head teacher", "reason": "We do it ourselves.", "authority": "y", "once": "n"}
    assert desk.school.post(where, data=data | {"seen": "x"}).status_code == 409
    for _ in range(2):
        assert desk.school.post(where, data=data | {"seen": seen_on(page)}).status_code == 303
    assert count(sqlite, Termination) == 1
    shown = desk.school.get(f"/school/{URN}/agreements/{desk.sold.agreement_id}").text
    assert "It ends early" in shown


def test_a_manager_ends_an_agreement_by_consent(desk: Desk, sqlite: Database) -> None:
    data = {
        "way": "consent",
        "name": "Ruth Amadi",
        "role": "Head teacher",
        "reason": "Both agreed.",
        "once": "e",
    }
    for name, (day, month, year) in (("notice_on", (14, 10, 2025)), ("ends_on", (30, 11, 2025))):
        data |= {f"{name}-day": str(day), f"{name}-month": str(month), f"{name}-year": str(year)}
    page = desk.manager.post(f"{desk.agreement}/end", data=data)
    assert page.status_code == 200, page.text
    assert "£2,944.00" in page.text
    confirmed = data | {"confirmed": "yes", "seen": seen_on(page.text)}
    assert desk.manager.post(f"{desk.agreement}/end", data=confirmed).status_code == 303
    assert "It ends early" in desk.manager.get(desk.agreement).text


LINKS = "URN,LinkURN,LinkName,LinkType,LinkEstablishedDate\r\n{before},{after},After,Successor,01-10-2025\r\n"


def test_a_conversion_from_the_links_file_is_shown_then_confirmed(desk: Desk, sqlite: Database) -> None:
    with sqlite.transaction() as session:
        trust = builders.a_trust(session)
        builders.a_school(session, urn=URN + 9, customer_class=CustomerClass.ACADEMY, trust=trust)
    for _ in range(2):
        file = (io.BytesIO(LINKS.format(before=URN, after=URN + 9).encode("cp1252")), "links.csv")
        assert desk.admin.post("/admin/register/links", data={"file": file}).status_code == 303
    assert count(sqlite, SchoolChange) == 1
    with sqlite.reading() as session:
        change_id = session.scalars(select(SchoolChange.id)).one()
    assert "Conversion to an academy" in desk.manager.get("/service/ews/changes").text
    assert desk.manager.get(f"/service/ews/changes/schools/{change_id}").status_code == 200
    where = f"/service/ews/changes/schools/{change_id}/agreements/{desk.sold.agreement_id}"
    page = desk.manager.get(where).text
    with sqlite.reading() as session:
        trust_customer = session.scalars(select(Customer.id).where(Customer.trust_id == trust.id)).one()
    data = {"to_customer": str(trust_customer), "schedule": "single", "name": "Priya Nair", "role": "Finance lead",
            "statement": "Letter of 1 September 2025", "once": "t", "seen": seen_on(page)}  # fmt: skip
    assert desk.manager.post(where, data=data | {"to_customer": "1"}).status_code == 422
    for _ in range(2):
        assert desk.manager.post(where, data=data).status_code == 303
    assert count(sqlite, Transfer) == 1
    with sqlite.reading() as session:
        assert session.scalars(select(SchoolChange.status)).one() == "confirmed"
        assert session.scalar(select(func.count(Agreement.id))) == 2


def test_a_links_file_that_cannot_be_read_is_refused_with_its_cells(desk: Desk, sqlite: Database) -> None:
    for content, says in (
        (b"URN,LinkURN\r\n1,2\r\n", "LinkType"),
        (b"URN,LinkURN,LinkType\r\nx,2,Successor\r\n", "Row 2, URN"),
        (b"PK\x03\x04", "ZIP"),
    ):
        answer = desk.admin.post("/admin/register/links", data={"file": (io.BytesIO(content), "links.csv")})
        assert answer.status_code == 422
        assert says in answer.text
    assert count(sqlite, SchoolChange) == 0


def test_a_change_entered_by_hand_can_be_put_aside(desk: Desk, sqlite: Database) -> None:
    data = {"school": str(desk.sold.school_id), "kind": "closure", "effective_on-day": "1", "effective_on-month": "9",
            "effective_on-year": "2025", "once": "h"}  # fmt: skip
    answer = desk.manager.post("/service/ews/changes/new", data=data)
    assert answer.status_code == 303
    page = desk.manager.get(answer.location).text
    assert "£1,840.00" in page
    assert desk.manager.post(f"{answer.location}/dismiss", data={"reason": ""}).status_code == 422
    assert desk.manager.post(f"{answer.location}/dismiss", data={"reason": "A mistake."}).status_code == 303


def test_the_policy_is_set_once_and_a_second_tab_meets_it(desk: Desk) -> None:
    where = "/service/ews/agreement-policy"
    data = {"notice_months": "3", "renews": "y", "wording": "Tell us early.", "version": "0"}
    assert desk.manager.post(where, data=data).status_code == 303
    late = desk.manager.post(where, data=data | {"wording": "Another."})
    assert late.status_code == 422
    assert "Another." in late.text
    assert desk.manager.post(where, data=data | {"notice_months": "13", "version": "1"}).status_code == 422
    assert "Tell us early." in desk.manager.get("/service/ews/changes").text
