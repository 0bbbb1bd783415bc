"""What an attacker types, sends and opens: inert, refused, and never the beginning of a change."""

from __future__ import annotations

import re
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from sla_manager.app import create_app
from sla_manager.catalogue.rules.families import CoreDuty, Family
from sla_manager.config import DEMONSTRATION_SECRET, Settings, UnsafeSettings, read_settings
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.minutes import Minutes
from sla_manager.people.models import Person, School
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from sla_manager.store.tables import Table
from sla_manager.visits.commands import log_delivery, plan_visit
from sla_manager.visits.rules.deliveries import ActivityDone
from sla_manager.visits.rules.slots import Part
from tests import builders
from tests.rooms import selling
from tests.web.test_matrix import (
    World,
    a_world,
    address,
    as_person,
    is_allowed,
    like_in_service,
    rules,
)

__all__ = ["like_in_service"]

SCRIPT = "\"><script>alert('x')</script><img src=x onerror=alert(1)>{{7*7}}"
LONGEST = 10_000
URN = 900_301


@pytest.fixture
def world(sqlite: Database, by: Actor, at: datetime) -> World:
    """Two places that know nothing of each other, in a database of this test's own."""
    return a_world(sqlite, by, at)


class Page(HTMLParser):
    """Reads a page as a browser would, and notes everything that could run."""

    def __init__(self, html: str, nonce: str) -> None:
        super().__init__(convert_charrefs=True)
        self.nonce = nonce
        self.running: list[str] = []
        self.words: list[str] = []
        self.forms: list[dict[str, Any]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a script or style without the page's nonce, a handler, an address that runs."""
        values = {name: value or "" for name, value in attrs}
        own = tag == "script" and values.get("src", "").startswith("/static/")
        if tag in ("script", "style") and not own and values.get("nonce") != self.nonce:
            self.running.append(f"<{tag}> without the page's nonce")
        for name, value in values.items():
            if name.startswith("on") or name == "style":
                self.running.append(f"{name} on <{tag}>")
            if name in ("href", "src", "action", "formaction") and value.strip().lower().startswith(
                ("javascript:", "data:", "vbscript:")
            ):
                self.running.append(f"{name}={value[:40]} on <{tag}>")
        if tag == "form":
            self.forms.append({"method": values.get("method", "get").lower(), "fields": set()})
        if tag == "input" and self.forms:
            self.forms[-1]["fields"].add(values.get("name"))
        self.words.extend(value for value in values.values() if value)

    def handle_data(self, data: str) -> None:
        """Keep the words."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """Everything that is said or shown."""
        return "\n".join(self.words)


def nonce_of(answer: Any) -> str:
    """Return the nonce that a page's policy allows."""
    found = re.search(r"'nonce-([^']+)'", answer.headers.get("Content-Security-Policy", ""))
    return found.group(1) if found else ""


def pages_of(app: Flask, there: World, database: Database, role: Role) -> list[tuple[str, Page]]:
    """Open every page that a role may open and return those that are HTML."""
    client = as_person(app, database, there.here[role])
    found = []
    for rule, method, guard in rules(app):
        if method == "GET" and is_allowed(guard, role, here=True):
            answer = client.get(address(app, there, rule))
            assert answer.status_code != 500, rule.rule
            if answer.mimetype == "text/html" and answer.status_code == 200:
                found.append((rule.rule, Page(answer.text, nonce_of(answer))))
    return found


@pytest.fixture
def hostile_names(sqlite: Database) -> None:
    """Give everything that has a name a script for one, before anything is bought or issued."""
    with sqlite.transaction() as session:
        builders.council(session, name=f"Council {SCRIPT}")
        service = builders.a_service(session, "ews", name=f"Service {SCRIPT}")
        service.introduction = SCRIPT
        trust = builders.a_trust(session, "Trust of ews")
        trust.address = [SCRIPT]
        builders.a_school(
            session, URN, customer_class=CustomerClass.ACADEMY, trust=trust, name=f"School {SCRIPT}",
            street=SCRIPT, town=SCRIPT,
        )  # fmt: skip
        builders.an_offering(
            session,
            service=service,
            code="DAY-ews",
            name=f"Day {SCRIPT}",
            description=SCRIPT,
            activities=[SCRIPT],
        )
        builders.a_core_offering(session, service=service, name=f"Core {SCRIPT}", description=SCRIPT)


def test_s5_script_in_names_and_settings_is_inert_on_every_page(
    app: Flask, hostile_names: None, world: World, sqlite: Database
) -> None:
    with sqlite.transaction() as session:
        for person in session.scalars(select(Person)):
            person.name = f"{person.name} {SCRIPT}"
    for role in Role:
        shown = 0
        for where, page in pages_of(app, world, sqlite, role):
            assert page.running == [], where
            shown += SCRIPT in page.text
        assert shown > 2, f"{role.title} sees the names as they are typed on {shown} pages only"


def test_s5_a_script_in_a_filename_is_shown_as_typed(app: Flask, world: World, sqlite: Database) -> None:
    client = as_person(app, sqlite, world.here[Role.ADMINISTRATOR])
    name = "<script>alert(1)</script>.csv"
    answer = upload(client, Path("tests/data/registers/greenwich_28_columns.csv"), name=name)
    assert answer.status_code == 303, answer.text
    shown = client.get(answer.location)
    page = Page(shown.text, nonce_of(shown))
    assert page.running == []
    assert "script>.csv" in page.text


def test_s5_the_policy_for_scripts_is_strict_and_its_nonce_is_used_once(app: Flask, world: World) -> None:
    seen = set()
    for path in ("/sign-in", "/sign-in", "/no-such-page"):
        answer = app.test_client().get(path)
        policy = dict(
            part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";")
        )
        for directive in ("default-src", "script-src", "style-src"):
            assert "unsafe" not in policy[directive], policy
            assert "*" not in policy[directive]
            assert "http:" not in policy[directive]
        assert policy["object-src"] == "'none'"
        assert policy["base-uri"] == "'none'"
        assert policy["frame-ancestors"] == "'none'"
        assert policy["form-action"] == "'self'"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        nonce = nonce_of(answer)
        assert len(nonce) >= 16
        assert f"'nonce-{nonce}'" in policy["style-src"]
        assert Page(answer.text, nonce).running == []
        seen.add(nonce)
    assert len(seen) == 3


@pytest.fixture
def with_tokens(app: Flask) -> Flask:
    """The product as people meet it: every form carries a token."""
    app.config["WTF_CSRF_ENABLED"] = True
    return app


def test_s9_a_form_without_its_token_is_refused_at_every_address(
    with_tokens: Flask, world: World, sqlite: Database
) -> None:
    before = contents(sqlite)
    clients = {role: as_person(with_tokens, sqlite, person_id) for role, person_id in world.here.items()}
    answered, sent = [], 0
    for rule, method, guard in rules(with_tokens):
        if method == "GET":
            continue
        allowed = [role for role in Role if is_allowed(guard, role, here=True)] or list(Role)
        where = address(with_tokens, world, rule)
        for data in ({}, {"csrf_token": "invented"}):
            sent += 1
            status = clients[allowed[0]].open(where, method=method, data=data).status_code
            if status != 400:
                answered.append(f"{method} {where}: {status}")
    assert answered == []
    assert sent > 60
    assert contents(sqlite) == before


def test_s9_every_form_that_changes_something_carries_a_token(
    with_tokens: Flask, world: World, sqlite: Database
) -> None:
    for role in Role:
        for where, page in pages_of(with_tokens, world, sqlite, role):
            for form in page.forms:
                assert form["method"] == "get" or "csrf_token" in form["fields"], where


def test_c8_opening_any_page_leaves_every_row_as_it_was(app: Flask, world: World, sqlite: Database) -> None:
    before = contents(sqlite)
    for role in Role:
        assert pages_of(app, world, sqlite, role)
    assert contents(sqlite) == before


def contents(database: Database) -> dict[str, list[str]]:
    """Return every row of every table, not only how many there are."""
    with database.reading() as session:
        return {
            name: sorted(repr(tuple(row)) for row in session.execute(select(table)))
            for name, table in Table.metadata.tables.items()
        }


def test_s14_refuses_to_start_on_a_known_or_short_secret_or_with_debug(tmp_path: Path) -> None:
    good = {"SLA_SECRET_KEY": "k" * 40, "DATABASE_URL": "sqlite://"}
    assert read_settings(good).secret_key == "k" * 40
    for bad in ("", "short", "k" * 31, DEMONSTRATION_SECRET):
        with pytest.raises(UnsafeSettings, match="SLA_SECRET_KEY"):
            read_settings({**good, "SLA_SECRET_KEY": bad})
    with pytest.raises(UnsafeSettings, match="SLA_DEBUG"):
        read_settings({**good, "SLA_DEBUG": "1"})
    with pytest.raises(UnsafeSettings, match="SLA_ADDRESS"):
        read_settings({**good, "SLA_ADDRESS": "javascript:alert(1)"})
    assert read_settings({"SLA_DEMONSTRATION": "1"}).secret_key == DEMONSTRATION_SECRET


@pytest.mark.parametrize(
    ("served_at", "secure"), [("https://sla.example", True), ("http://127.0.0.1:5000", False)]
)
def test_s7_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    sqlite: Database, tmp_path: Path, served_at: str, secure: bool
) -> None:
    with sqlite.transaction() as session:
        builders.council(session)
    settings = Settings(
        database_url="sqlite://",
        secret_key="k" * 40,
        archive=tmp_path,
        address=served_at,
        demonstration=False,
    )
    app = create_app(settings, database=sqlite)
    answer = app.test_client().get("/sign-in", base_url=served_at)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("sla_manager=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert ("Secure" in cookie) is secure
    assert ("Strict-Transport-Security" in answer.headers) is secure


def test_s15_an_unknown_and_a_known_address_are_answered_alike(app: Flask, sqlite: Database) -> None:
    with sqlite.transaction() as session:
        builders.council(session)
        builders.a_person(session, Role.HEAD_TEACHER, email="known@school.example")
    answers = {
        address_typed: app.test_client().post(
            path, data={"email": address_typed, "password": "wrong password here"}
        )
        for path in ("/sign-in",)
        for address_typed in ("known@school.example", "unknown@school.example")
    }
    known, unknown = answers.values()
    assert known.status_code == unknown.status_code == 422
    assert strip(known) == strip(unknown).replace("unknown@", "known@")


def strip(answer: Any) -> str:
    """Return a page without what differs each time."""
    return str(answer.text).replace(nonce_of(answer), "")


def test_s5_ten_thousand_characters_of_anything_are_shown_inert_to_everybody(
    app: Flask, sqlite: Database, by: Actor, at: Any
) -> None:
    long = (SCRIPT + " =cmd|' /C calc'!A0 ŵ😀 \u202e\n") * 200
    note = long[:LONGEST]
    with sqlite.transaction() as session:
        builders.terms(session)
        service = builders.a_service(session)
        school = builders.a_school(session, URN, customer_class=CustomerClass.ACADEMY)
        person = builders.a_person(session, Role.OFFICER, service=service)
        officer = builders.an_officer(session, person=person)
        selling.agreed(session, by, at, school=school)
        visit = plan_visit(
            session, officer_id=officer.id, school_id=school.id, day=date(2025, 10, 15), part=Part.MORNING,
            duty=CoreDuty.TARGETING_SUPPORT_MEETING, by=by, at=at,
        )  # fmt: skip
        done = ActivityDone("work", Family.CORE, Minutes(60), duty=CoreDuty.TARGETING_SUPPORT_MEETING)
        log_delivery(session, visit.id, activities=[done], note=note, by=by, at=as_at(date(2025, 10, 15)))
        buyer = builders.a_person(session, Role.SCHOOL_BUSINESS_MANAGER, school=school)
        manager = builders.a_person(session, Role.SERVICE_MANAGER, service=service)
        ids = person.id, buyer.id, manager.id
        visit_id = visit.id
    worker, school_desk, service_desk = (as_person(app, sqlite, one) for one in ids)
    path = f"/school/{URN}/visits/{visit_id}"
    answer = school_desk.post(f"{path}/query", data={"wording": note})
    assert answer.status_code == 303, answer.text[-3000:]
    too_long = school_desk.post(f"{path}/query", data={"wording": "x" * (LONGEST + 1)})
    assert too_long.status_code == 422
    assert "10,000" in too_long.text
    opened = [(school_desk, path), (service_desk, f"/service/ews/visits/{visit_id}"),
              (worker, f"/officer/visits/{visit_id}"), (worker, "/officer/")]  # fmt: skip
    for client, where in opened:
        shown = client.get(where)
        assert shown.status_code == 200
        page = Page(shown.text, nonce_of(shown))
        assert page.running == [], where
        if "visits" in where:
            assert page.text.count(SCRIPT) >= 2 * (note.count(SCRIPT) - 1), where


GARBAGE = {
    "nothing": b"",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
    "an archive": b"PK\x03\x04" + b"\x00" * 4_000,
    "nothing but zeros": b"\x00" * 10_000,
    "one endless line": b"URN," * 200_000,
    "a page": b"<html><script>alert(1)</script></html>",
    "quotes that never close": b'URN,EstablishmentName\n100000,"' + b"x" * 50_000,
    "a header without rows or columns": b"a,b,c\n1,2,3\n",
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_s13_garbage_instead_of_the_register_is_refused_with_words(
    app: Flask, sqlite: Database, tmp_path: Path, kind: str
) -> None:
    with sqlite.transaction() as session:
        builders.council(session)
        person_id = builders.a_person(session, Role.ADMINISTRATOR).id
    before = contents(sqlite)
    client = as_person(app, sqlite, person_id)
    file = tmp_path / "garbage"
    file.write_bytes(GARBAGE[kind])
    answer = upload(client, file, name="../../../etc/passwd\x00.csv")
    assert answer.status_code == 422
    assert "There is a problem" in answer.text
    assert Page(answer.text, nonce_of(answer)).running == []
    assert contents(sqlite) == before
    with sqlite.reading() as session:
        assert session.scalar(select(func.count(School.id))) == 0


def upload(client: FlaskClient, file: Path, *, name: str) -> Any:
    """Send a file as the register."""
    with file.open("rb") as content:
        return client.post(
            "/admin/register", data={"file": (content, name)}, content_type="multipart/form-data"
        )
