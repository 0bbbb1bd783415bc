"""Administration: the register, schools, people and roles, officers, services, settings, the audit trail."""

from __future__ import annotations

import io
import re
from datetime import date
from typing import Any

import html5lib
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select

from sla_manager.people.models import (
    Membership,
    Officer,
    Person,
    Provider,
    RegisterImport,
    RegisterUpload,
    School,
    SchoolTerm,
    TradingService,
    WorkingDay,
)
from sla_manager.people.queries import school_by_urn
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import AuditEntry
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from sla_manager.visits.models import SchoolClosure
from tests import builders
from tests.conftest import sign_in_as
from tests.rooms.test_people_register import FOLDER, GREENWICH, small

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def admin(client: FlaskClient, sqlite: Database) -> FlaskClient:
    """An administrator at a browser; there is one school, one service and an officer."""
    with sqlite.transaction() as session:
        builders.a_school(session, builders.FIRST_URN, name="Meadow Lane School")
        builders.an_officer(session)
        builders.terms(session)
        person = builders.a_person(session, Role.ADMINISTRATOR)
    sign_in_as(client, person.id)
    return client


def upload(client: FlaskClient, content: bytes, name: str = "register.csv") -> Any:
    """Send a register file."""
    return client.post("/admin/register", data={"file": (io.BytesIO(content), name)})


def told(answer: Any) -> str:
    """Return what a page says."""
    return str(answer.get_data(as_text=True))


def test_a_register_is_previewed_imported_and_reported(admin: FlaskClient, sqlite: Database) -> None:
    answer = upload(admin, GREENWICH)
    assert answer.status_code == 303
    page = told(admin.get(answer.location))
    assert "107 schools added" in page
    assert "100 closed" in page
    with sqlite.reading() as session:
        assert session.scalar(select(func.count(School.id))) == 1
    done = admin.post(f"{answer.location}/import")
    assert done.status_code == 303
    report = told(admin.get(f"{done.location}?show=refused"))
    assert "Closed, and not known here" in report
    with sqlite.reading() as session:
        assert session.scalar(select(func.count(School.id))) == 108
        assert session.scalar(select(func.count(RegisterUpload.id))) == 0
        assert session.scalars(select(RegisterImport.imported_by)).one() == "Test Administrator"


def test_a_second_click_on_import_imports_once(admin: FlaskClient, sqlite: Database) -> None:
    location = upload(admin, GREENWICH).location
    assert admin.post(f"{location}/import").status_code == 303
    assert admin.post(f"{location}/import").status_code == 404
    with sqlite.reading() as session:
        assert session.scalar(select(func.count(RegisterImport.id))) == 1


def test_an_uploaded_file_can_be_dropped(admin: FlaskClient, sqlite: Database) -> None:
    location = upload(admin, GREENWICH).location
    assert admin.post(f"{location}/forget").status_code == 303
    assert admin.get(location).status_code == 404
    with sqlite.reading() as session:
        assert session.scalar(select(func.count(School.id))) == 1


def test_changes_are_shown_before_they_are_made(admin: FlaskClient) -> None:
    admin.post(f"{upload(admin, small({'URN': '900001', 'NumberOfPupils': '200'})).location}/import")
    page = told(admin.get(upload(admin, small({"URN": "900001", "NumberOfPupils": "231"})).location))
    assert re.search(r"NumberOfPupils: 200 → <strong>231</strong>", page)


def test_mistakes_of_a_file_are_listed_with_row_and_column(admin: FlaskClient, sqlite: Database) -> None:
    answer = upload(admin, (FOLDER / "bad_name_133_columns.csv").read_bytes())
    assert answer.status_code == 422
    assert "Row 2, EstablishmentName: is empty" in told(answer)
    with sqlite.reading() as session:
        assert session.scalar(select(func.count(RegisterUpload.id))) == 0


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04" + b"\0" * 5_000, bytes(range(256)) * 50, b"a,b\r\n1,2\r\n", b"\xff\xfe\x00\x01"],
)
def test_s13_garbage_is_refused_beside_the_field(
    admin: FlaskClient, sqlite: Database, content: bytes
) -> None:
    answer = upload(admin, content)
    assert answer.status_code == 422
    assert "There is a problem" in told(answer)
    with sqlite.reading() as session:
        assert session.scalar(select(func.count(RegisterUpload.id))) == 0


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "..\\..\\windows\\system.ini", "/etc/passwd", SCRIPT + ".csv"]
)
def test_s13_s5_a_files_name_is_shown_inert_and_never_a_path(
    admin: FlaskClient, sqlite: Database, name: str
) -> None:
    page = told(admin.get(upload(admin, GREENWICH, name).location))
    assert SCRIPT not in page
    with sqlite.reading() as session:
        assert not set(session.scalars(select(RegisterUpload.filename)).one()) & {"/", "\\"}


def test_s13_more_than_50_mb_is_refused(admin: FlaskClient) -> None:
    answer = upload(admin, b"x" * (50 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    assert "50 MB" in told(answer)


def test_s5_script_in_names_settings_and_trail_is_inert(admin: FlaskClient, sqlite: Database) -> None:
    file = small({"URN": "900001", "EstablishmentName": SCRIPT, "Trusts (name)": SCRIPT})
    location = upload(admin, file).location
    assert SCRIPT not in told(admin.get(f"{location}?show=added"))
    admin.post(f"{location}/import")
    admin.post("/admin/people/new", data={"name": SCRIPT, "email": "x@aldermere.example"})
    admin.post("/admin/settings", data=settings(name=SCRIPT))
    admin.post("/admin/schools/900001/class", data={"customer_class": "other", "reason": SCRIPT})
    for address in ("/admin/", "/admin/schools", "/admin/schools/900001", "/admin/trusts", "/admin/people",
                    "/admin/settings", "/admin/audit", "/admin/people/2"):  # fmt: skip
        answer = admin.get(address)
        assert answer.status_code == 200
        assert SCRIPT not in told(answer), address
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe-inline" not in policy
    assert "&lt;script&gt;" in told(admin.get("/admin/schools"))


def settings(**changed: str) -> dict[str, str]:
    """Return the settings form as it would be sent."""
    return {
        "name": "Aldermere Council", "address": "Civic Centre\nAldermere", "email": "finance@aldermere.example",
        "phone": "01632 960100", "vat_number": "GB987654321", "bank_name": "Aldermere Council",
        "bank_sort_code": "00-00-00", "bank_account": "00000000", "payment_days": "14", "colour": "#123abc",
    } | changed  # fmt: skip


def test_settings_are_saved_and_the_change_is_on_the_trail(admin: FlaskClient, sqlite: Database) -> None:
    assert admin.post("/admin/settings", data=settings()).status_code == 303
    with sqlite.reading() as session:
        council = session.scalars(select(Provider)).one()
        assert (council.vat_number, council.payment_days, council.colour) == ("GB987654321", 14, "#123abc")
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "change_provider")).one()
        assert entry.details["vat_number"] == ["GB123456789", "GB987654321"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"colour": "red;}*{x"}, "not a colour"),
        ({"vat_number": "GB1"}, "not a VAT number"),
        ({"payment_days": "400"}, "365"),
        ({"address": "\n".join("abcdefgh")}, "at most 6 lines"),
    ],
)
def test_settings_that_are_refused_stay_typed(admin: FlaskClient, change: dict[str, str], says: str) -> None:
    answer = admin.post("/admin/settings", data=settings(**change))
    assert answer.status_code == 422
    assert says in told(answer)
    assert "GB987654321" in told(answer) or "vat_number" in change


def test_a_school_says_how_its_class_came_about_and_an_override_needs_a_reason(
    admin: FlaskClient, sqlite: Database
) -> None:
    address = f"/admin/schools/{builders.FIRST_URN}"
    assert "Community school (Local authority maintained schools)" in told(admin.get(address))
    refused = admin.post(f"{address}/class", data={"customer_class": "academy", "reason": ""})
    assert refused.status_code == 422
    assert "Give the reason" in told(refused)
    assert (
        admin.post(f"{address}/class", data={"customer_class": "academy", "reason": "Converted"}).status_code
        == 303
    )
    with sqlite.reading() as session:
        assert school_by_urn(session, builders.FIRST_URN).customer_class is CustomerClass.ACADEMY
    assert "Reason: Converted" in told(admin.get(address))
    assert admin.post(f"{address}/class", data={"customer_class": "", "reason": ""}).status_code == 303
    with sqlite.reading() as session:
        assert school_by_urn(session, builders.FIRST_URN).customer_class is CustomerClass.OWN_MAINTAINED


def test_a_link_officer_is_named_and_leaves(admin: FlaskClient, sqlite: Database) -> None:
    with sqlite.reading() as session:
        officer = session.scalars(select(Officer.id)).one()
    address = f"/admin/schools/{builders.FIRST_URN}"
    assert admin.post(f"{address}/link-officer", data={"officer": str(officer)}).status_code == 303
    assert "Asha Okafor" in told(admin.get(address))
    assert admin.post(f"{address}/link-officer", data={"officer": "9999"}).status_code == 422
    last = {"ends_on-day": "31", "ends_on-month": "12", "ends_on-year": "2025"}
    assert admin.post(f"/admin/officers/{officer}/end", data=last).status_code == 303
    with sqlite.reading() as session:
        assert school_by_urn(session, builders.FIRST_URN).link_officer is None


def test_an_administrator_adds_somebody_gives_a_role_and_takes_it(
    admin: FlaskClient, sqlite: Database
) -> None:
    made = admin.post(
        "/admin/people/new", data={"name": "Priya Nair", "email": "Priya@School.example", "send_link": "y"}
    )
    assert made.status_code == 303
    with sqlite.reading() as session:
        assert session.scalars(select(OutboxMessage.recipient)).one() == "priya@school.example"
    role = {"role": "school_business_manager", "school": str(builders.FIRST_URN), "order_limit": "5,000"}
    assert admin.post(f"{made.location}/roles", data=role).status_code == 303
    again = admin.post(f"{made.location}/roles", data=role)
    assert again.status_code == 422
    assert "has that role there already" in told(again)
    with sqlite.reading() as session:
        held = session.scalars(
            select(Membership).where(Membership.role == Role.SCHOOL_BUSINESS_MANAGER)
        ).one()
        assert str(held.order_limit) == "5000.00"
    ending = f"{made.location}/roles/{held.id}/end"
    assert "What will follow" in told(admin.get(ending))
    assert admin.post(ending).status_code == 303
    assert admin.post(ending).status_code == 404


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"role": "head_teacher"}, "Choose the school"),
        ({"role": "head_teacher", "school": "123456"}, "no school with the URN 123456"),
        ({"role": "officer"}, "Choose the service"),
        ({"role": "emperor"}, "Choose a role"),
        ({"role": "head_teacher", "school": str(builders.FIRST_URN), "order_limit": "lots"}, "not an amount"),
    ],
)
def test_a_role_needs_its_place(admin: FlaskClient, data: dict[str, str], says: str) -> None:
    answer = admin.post("/admin/people/1/roles", data=data)
    assert answer.status_code == 422
    assert says in told(answer)


def test_the_last_administrator_stays(admin: FlaskClient, sqlite: Database) -> None:
    with sqlite.reading() as session:
        held = session.scalars(select(Membership).where(Membership.role == Role.ADMINISTRATOR)).one()
    for address in (f"/admin/people/{held.person_id}/deactivate",
                    f"/admin/people/{held.person_id}/roles/{held.id}/end"):  # fmt: skip
        answer = admin.post(address)
        assert answer.status_code == 422
        assert "only administrator" in told(answer)


def test_somebody_is_stopped_from_signing_in_and_let_in_again(admin: FlaskClient, sqlite: Database) -> None:
    with sqlite.transaction() as session:
        person = builders.a_person(session, Role.AUDITOR)
    address = f"/admin/people/{person.id}"
    for act, active in (("deactivate", False), ("reactivate", True)):
        assert admin.post(f"{address}/{act}").status_code == 303
        with sqlite.reading() as session:
            assert session.get_one(Person, person.id).active is active


def test_s12_what_a_form_does_not_ask_for_is_ignored(admin: FlaskClient, sqlite: Database) -> None:
    data = {"name": "Priya Nair", "email": "priya@school.example", "password_hash": "x", "session_version": "99",
            "active": "", "id": "1"}  # fmt: skip
    assert admin.post("/admin/people/new", data=data).status_code == 303
    with sqlite.reading() as session:
        person = session.scalars(select(Person).where(Person.email == "priya@school.example")).one()
        assert (person.password_hash, person.session_version, person.active) == (None, 1, True)


def test_an_officer_is_added_with_working_days(admin: FlaskClient, sqlite: Database) -> None:
    with sqlite.reading() as session:
        service = session.scalars(select(TradingService.id)).one()
    first_day = {"starts_on-day": "1", "starts_on-month": "9", "starts_on-year": "2025"}
    hours = {"starts_0": "8:30am", "ends_0": "17:00", "starts_1": "", "ends_1": ""}
    data = {"name": "Dilys Morgan", "service": str(service), "person": ""} | first_day | hours
    made = admin.post("/admin/officers/new", data=data)
    assert made.status_code == 303
    with sqlite.reading() as session:
        officer = session.scalars(select(Officer).where(Officer.name == "Dilys Morgan")).one()
        days = session.scalars(select(WorkingDay).where(WorkingDay.officer_id == officer.id)).all()
        assert [(day.weekday, day.starts.minutes, day.ends.minutes) for day in days] == [(0, 510, 1020)]
    half = admin.post(f"{made.location}/pattern", data={"starts_2": "9am", "ends_2": ""})
    assert half.status_code == 422
    assert "Wednesday: enter both times" in told(half)
    assert admin.post(f"{made.location}/pattern", data={}).status_code == 422


def test_terms_may_not_overlap(admin: FlaskClient, sqlite: Database) -> None:
    def term(first: date, last: date) -> dict[str, str]:
        parts = {"name": "A term"}
        for name, day in (("starts_on", first), ("ends_on", last)):
            parts |= {
                f"{name}-day": str(day.day),
                f"{name}-month": str(day.month),
                f"{name}-year": str(day.year),
            }
        return parts

    clash = admin.post("/admin/terms", data=term(date(2025, 12, 1), date(2026, 1, 2)))
    assert clash.status_code == 422
    assert "overlap Autumn term 2025" in told(clash)
    assert admin.post("/admin/terms", data=term(date(2026, 9, 1), date(2026, 12, 18))).status_code == 303
    with sqlite.reading() as session:
        made = session.scalars(select(SchoolTerm.id).where(SchoolTerm.name == "A term")).one()
    assert admin.post(f"/admin/terms/{made}/withdraw").status_code == 303


def test_a_closure_is_added_once_and_withdrawn(admin: FlaskClient, sqlite: Database) -> None:
    address = f"/admin/schools/{builders.FIRST_URN}/closures"
    data = {"why": "INSET day"}
    for name in ("starts_on", "ends_on"):
        data |= {f"{name}-day": "5", f"{name}-month": "1", f"{name}-year": "2026"}
    assert admin.post(address, data=data).status_code == 303
    again = admin.post(address, data=data)
    assert again.status_code == 422
    assert "closed 5 January 2026 to 5 January 2026 already" in told(again)
    with sqlite.reading() as session:
        key = session.scalars(select(SchoolClosure.id)).one()
    assert admin.post(f"/admin/schools/100097/closures/{key}/withdraw").status_code == 404
    assert admin.post(f"{address}/{key}/withdraw").status_code == 303
    assert "No closure is entered" in told(admin.get(address))


def test_a_service_is_added_and_its_bands_are_read(admin: FlaskClient, sqlite: Database) -> None:
    data = {"name": "Attendance Advice", "code": "advice", "series": "ADV", "email": "", "phone": ""}
    made = admin.post("/admin/services/new", data=data)
    assert made.status_code == 303
    assert admin.post("/admin/services/new", data=data).status_code == 422
    change = {
        "name": "Attendance Advice",
        "quote_valid_days": "30",
        "rearrangement_days": "20",
        "bands": "5 100\n20 50",
    }
    assert admin.post(made.location, data=change).status_code == 303
    assert admin.post(made.location, data=change | {"bands": "20 50\n5 100"}).status_code == 422
    assert admin.post(made.location, data=change | {"bands": "soon all"}).status_code == 422
    with sqlite.reading() as session:
        stored = session.scalars(select(TradingService).where(TradingService.code == "advice")).one()
        assert stored.cancellation_bands == [[5, 100], [20, 50]]


def test_a_preset_is_loaded(admin: FlaskClient, sqlite: Database) -> None:
    page = told(admin.get("/admin/services/ews/preset"))
    chosen = re.findall(r'name="preset"[^>]*value="([^"]+)"', page)
    assert len(chosen) == 5
    assert admin.post("/admin/services/ews/preset", data={"preset": chosen[0]}).status_code == 303
    assert admin.post("/admin/services/ews/preset", data={"preset": "../../etc/passwd"}).status_code == 422
    with sqlite.reading() as session:
        assert session.scalars(select(TradingService.preset)).one() == chosen[0]


def test_the_trail_is_filtered_and_paged_by_key(admin: FlaskClient, sqlite: Database) -> None:
    for number in range(60):
        admin.post(
            "/admin/people/new", data={"name": f"Person {number}", "email": f"p{number}@aldermere.example"}
        )
    page = told(admin.get("/admin/audit?action=add_person"))
    assert page.count("Added Person") >= 50
    assert "Added Person 59 " in page
    older = re.search(r'href="(/admin/audit\?[^"]*before=\d+)"', page)
    assert older is not None
    second = told(admin.get(older[1].replace("&amp;", "&")))
    assert "Added Person 9 " in second
    assert "Added Person 59 " not in second
    assert "Nothing fits" in told(admin.get("/admin/audit?actor=nobody"))
    assert (
        admin.get(
            "/admin/audit?since-day=99&since-month=x&since-year=y&before=zz&_external=1&_scheme=x"
        ).status_code
        == 200
    )


@pytest.mark.parametrize("address", ["/admin/schools", "/admin/people"])
def test_v1_lists_take_the_same_few_questions_at_ten_times_the_rows(
    app: Flask, admin: FlaskClient, sqlite: Database, address: str
) -> None:
    def questions() -> int:
        seen: list[str] = []
        listen = lambda *args: seen.append(args[2])  # noqa: E731
        event.listen(sqlite.engine, "before_cursor_execute", listen)
        assert admin.get(address).status_code == 200
        event.remove(sqlite.engine, "before_cursor_execute", listen)
        return len([one for one in seen if one.lstrip().upper().startswith("SELECT")])

    def more(count: int) -> None:
        with sqlite.transaction() as session:
            trust = builders.a_trust(session)
            for number in range(count):
                school = builders.a_school(session, trust=trust)
                builders.a_person(
                    session, Role.HEAD_TEACHER, school=school, name=f"Head {school.urn} {number}"
                )

    more(6)
    questions()
    few = questions()
    more(60)
    assert questions() == few <= 12


def test_schools_are_found_by_name_postcode_urn_and_class_and_paged(admin: FlaskClient) -> None:
    admin.post(f"{upload(admin, GREENWICH).location}/import")
    first = told(admin.get("/admin/schools"))
    assert "108 schools" in first
    more = re.search(r'href="(/admin/schools\?[^"]*after=[^"]*)"', first)
    assert more is not None
    second = told(admin.get(more[1].replace("&amp;", "&")))
    names = [re.findall(r'href="/admin/schools/(\d+)"', page) for page in (first, second)]
    assert len(names[0]) == 50
    assert not set(names[0]) & set(names[1])
    assert "Rachel McMillan" in told(admin.get("/admin/schools?text=rachel+nursery"))
    assert "Rachel McMillan" in told(admin.get("/admin/schools?text=100097"))
    assert "No school fits" in told(admin.get("/admin/schools?text=%25%25"))
    assert "Rachel McMillan" not in told(admin.get("/admin/schools?customer_class=academy"))
    assert (
        admin.get("/admin/schools?customer_class=x&status=y&trust=z&urn=w&after=&_anchor=1").status_code
        == 200
    )


@pytest.mark.parametrize(
    "address",
    ["/admin/", "/admin/register", "/admin/schools", f"/admin/schools/{builders.FIRST_URN}",
     f"/admin/schools/{builders.FIRST_URN}/closures", "/admin/trusts",
     "/admin/people", "/admin/people/new", "/admin/people/1", "/admin/people/1/deactivate", "/admin/roles",
     "/admin/officers", "/admin/officers/new", "/admin/officers/1", "/admin/services", "/admin/services/new",
     "/admin/services/ews", "/admin/services/ews/preset", "/admin/terms", "/admin/terms/1/withdraw",
     "/admin/settings", "/admin/audit", "/account", "/account/password", "/accessibility", "/cookies"],
)  # fmt: skip
def test_every_page_is_sound_html_with_one_heading_and_labelled_inputs(
    admin: FlaskClient, address: str
) -> None:
    answer = admin.get(address)
    assert answer.status_code == 200
    page = told(answer)
    html5lib.HTMLParser(strict=True).parse(page)
    assert len(re.findall(r"<h1[ >]", page)) == 1
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert sorted({one for one in ids if ids.count(one) > 1}) == []
    labelled = set(re.findall(r'<label[^>]*for="([^"]+)"', page))
    inputs = re.findall(r"<(?:input|select|textarea)\b[^>]*>", page)
    asked = [one for one in inputs if 'type="hidden"' not in one]
    bare = [one for one in asked if (m := re.search(r'\sid="([^"]+)"', one)) is None or m[1] not in labelled]
    assert bare == []
