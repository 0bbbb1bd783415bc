"""Signing in and out, setting a password, the first run, and what strangers see."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from sla_manager.app import create_app
from sla_manager.config import DEMONSTRATION_SECRET, Settings, UnsafeSettings
from sla_manager.kernel.clock import fixed_clock
from sla_manager.people.commands import add_person, deactivate_person, end_role, grant_role
from sla_manager.people.models import Membership, PasswordReset, Person, Provider
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor, AuditEntry
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from sla_manager.web.sign_in.entry import own_path
from tests import builders
from tests.conftest import sign_in_as
from tests.databases import test_settings as settings_of_tests

PASSWORD = "wheelbarrow anthem Tuesday"
EMAIL = "asha.okafor@aldermere.example"


@pytest.fixture
def asha(sqlite: Database, by: Actor, at: datetime) -> Person:
    """An administrator with a password."""
    with sqlite.transaction() as session:
        builders.council(session)
        person = add_person(session, name="Asha Okafor", email=EMAIL, password=PASSWORD, by=by, at=at)
        grant_role(session, person.id, Role.ADMINISTRATOR, by=by, at=at)
        other = builders.a_person(session, Role.ADMINISTRATOR, name="Other Administrator")
        assert other.active
        return person


def sign_in(client: FlaskClient, email: str = EMAIL, password: str = PASSWORD, target: str = "") -> int:
    """Sign in on the page; returns the status."""
    address = f"/sign-in?next={target}" if target else "/sign-in"
    return client.post(address, data={"email": email, "password": password}).status_code


def letter(database: Database) -> str:
    """Return the latest mail."""
    with database.reading() as session:
        return session.scalars(select(OutboxMessage).order_by(OutboxMessage.id.desc())).first().body  # type: ignore[union-attr]


def token(database: Database) -> str:
    """Return the token of the latest link."""
    found = re.search(r"/password/set/(\S+)", letter(database))
    assert found is not None
    return found[1]


def test_signing_in_leads_to_the_one_place_and_is_kept(
    client: FlaskClient, asha: Person, sqlite: Database
) -> None:
    answer = client.post("/sign-in", data={"email": EMAIL.upper(), "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/").location == "/admin/"
    with sqlite.reading() as session:
        assert session.get_one(Person, asha.id).last_signed_in_at is not None
        kept = session.scalars(select(AuditEntry).where(AuditEntry.action == "sign_in")).one()
        assert (kept.actor, kept.address) == ("Asha Okafor", "127.0.0.1")


def test_s15_a_wrong_password_and_an_unknown_address_get_the_same_page(
    client: FlaskClient, asha: Person
) -> None:
    pages = [
        client.post("/sign-in", data={"email": email, "password": "not the right one"})
        for email in (EMAIL, "nobody.here@aldermere.example")
    ]
    assert [page.status_code for page in pages] == [422, 422]
    plain = [re.sub(r'(value|content|nonce)="[^"]*"', "", page.get_data(as_text=True)) for page in pages]
    assert plain[0] == plain[1]
    assert "is not right" in plain[0]


def test_s15_an_unknown_address_costs_a_hash_as_well(
    client: FlaskClient, asha: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str | None] = []
    monkeypatch.setattr(
        "sla_manager.web.sign_in.entry.is_password", lambda stored, typed: bool(checked.append(stored))
    )
    sign_in(client, "nobody.here@aldermere.example")
    sign_in(client)
    assert checked[0] is None
    assert checked[1] is not None


def test_s15_asking_for_a_link_gets_the_same_answer_and_only_the_known_address_a_mail(
    client: FlaskClient, asha: Person, sqlite: Database
) -> None:
    answers = [
        client.post("/password/forgotten", data={"email": email})
        for email in ("nobody.here@aldermere.example", EMAIL)
    ]
    assert [(answer.status_code, answer.location) for answer in answers] == [(303, "/password/sent")] * 2
    with sqlite.reading() as session:
        assert session.scalars(select(OutboxMessage.recipient)).all() == [EMAIL]


def test_s10_a_link_is_hashed_at_rest_works_once_and_replaces_earlier_ones(
    client: FlaskClient, asha: Person, sqlite: Database
) -> None:
    client.post("/password/forgotten", data={"email": EMAIL})
    first = token(sqlite)
    client.post("/password/forgotten", data={"email": EMAIL})
    second = token(sqlite)
    with sqlite.reading() as session:
        assert not {first, second} & set(session.scalars(select(PasswordReset.token_hash)))
    assert client.get(f"/password/set/{first}").status_code == 410
    assert client.get(f"/password/set/{second}").status_code == 200
    new = {"password": "different lighthouse crumbs"}
    assert client.post(f"/password/set/{second}", data=new).status_code == 303
    assert client.post(f"/password/set/{second}", data=new).status_code == 410
    assert sign_in(client, password=PASSWORD) == 422
    assert sign_in(client, password=new["password"]) == 303


def test_s10_a_link_is_over_after_an_hour(
    app: Flask, asha: Person, sqlite: Database, at: datetime, tmp_path: Path
) -> None:
    client = app.test_client()
    client.post("/password/forgotten", data={"email": EMAIL})
    for minutes, status in ((59, 200), (60, 410)):
        app.extensions["sla.clock"] = fixed_clock(at + timedelta(minutes=minutes))
        assert client.get(f"/password/set/{token(sqlite)}").status_code == status


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short", "at least 12"),
        ("ashaokafor12", "your own name"),
        ("asha.okafor@aldermere.example", "your own name"),
        ("passwordpassword", "many people use"),
        ("Welcome2025!!", "many people use"),
        ("aaaaaaaaaaaaaa", "pattern"),
        ("qwertyuiop12345", "pattern"),
        ("123456789012", "pattern"),
        ("x" * 1001, "1,000"),
    ],
)
def test_weak_passwords_are_refused_in_words(
    client: FlaskClient, asha: Person, sqlite: Database, password: str, says: str
) -> None:
    client.post("/password/forgotten", data={"email": EMAIL})
    page = client.post(f"/password/set/{token(sqlite)}", data={"password": password})
    assert page.status_code == 422
    assert says in page.get_data(as_text=True)
    assert sign_in(client) == 303


def test_s7_nothing_of_an_earlier_session_is_carried_over(client: FlaskClient, asha: Person) -> None:
    with client.session_transaction() as session:
        session["planted"] = "before"
    sign_in(client)
    with client.session_transaction() as session:
        assert "planted" not in session


def test_s7_a_new_password_ends_every_other_session(app: Flask, asha: Person) -> None:
    here, elsewhere = app.test_client(), app.test_client()
    sign_in(here)
    sign_in(elsewhere)
    new = {"current": PASSWORD, "password": "different lighthouse crumbs"}
    assert here.post("/account/password", data={**new, "current": "wrong"}).status_code == 422
    assert elsewhere.get("/account").status_code == 200
    assert here.post("/account/password", data=new).status_code == 303
    assert here.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302


def test_s7_a_role_that_is_given_or_taken_ends_sessions(
    app: Flask, asha: Person, sqlite: Database, by: Actor, at: datetime
) -> None:
    client = app.test_client()
    sign_in(client)
    with sqlite.transaction() as session:
        held = grant_role(session, asha.id, Role.AUDITOR, by=by, at=at).id
    assert client.get("/account").status_code == 302
    sign_in(client)
    with sqlite.transaction() as session:
        end_role(session, held, by=by, at=at)
    assert client.get("/account").status_code == 302


def test_somebody_who_left_is_out_at_once_and_stays_out(
    app: Flask, asha: Person, sqlite: Database, by: Actor, at: datetime
) -> None:
    client = app.test_client()
    sign_in(client)
    client.post("/password/forgotten", data={"email": EMAIL})
    link = token(sqlite)
    with sqlite.transaction() as session:
        deactivate_person(session, asha.id, by=by, at=at)
    assert client.get("/account").status_code == 302
    assert sign_in(client) == 422
    assert client.get(f"/password/set/{link}").status_code == 410


def test_signing_out_forgets_the_session(client: FlaskClient, asha: Person) -> None:
    sign_in(client)
    assert client.get("/sign-out").status_code == 405
    assert client.get("/account").status_code == 200
    client.post("/sign-out")
    assert client.get("/account").status_code == 302


def test_a_stranger_is_sent_to_sign_in_and_comes_back(client: FlaskClient, asha: Person) -> None:
    location = client.get("/admin/people?text=a").location
    assert location == "/sign-in?next=/admin/people?text%3Da"
    answer = client.post(location, data={"email": EMAIL, "password": PASSWORD})
    assert answer.location == "/admin/people?text=a"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\/evil",
        "javascript:alert(1)",
        "/a\nb",
        "/\t/evil.example",
        "",
    ],
)
def test_coming_back_never_leads_elsewhere(app: Flask, target: str) -> None:
    with app.test_request_context():
        assert own_path(target) == "/"


def test_too_many_attempts_on_an_account_wait_whether_it_is_known_or_not(app: Flask, asha: Person) -> None:
    app.extensions["sla.limiter"].enabled = True
    for email in (EMAIL, "nobody.here@aldermere.example"):
        client = app.test_client()
        answers = [sign_in(client, email, "not the right one") for _ in range(12)]
        assert answers == [422] * 10 + [429] * 2
    app.extensions["sla.limiter"].reset()


def test_an_address_cannot_try_many_accounts(
    app: Flask, asha: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sla_manager.web.sign_in.entry.is_password", lambda stored, typed: False)
    app.extensions["sla.limiter"].enabled = True
    client = app.test_client()
    answers = [sign_in(client, f"person{number}@aldermere.example") for number in range(61)]
    assert answers == [422] * 60 + [429]
    app.extensions["sla.limiter"].reset()


def test_somebody_with_several_places_is_asked_where(client: FlaskClient, sqlite: Database) -> None:
    with sqlite.transaction() as session:
        one, two = builders.a_school(session, 900_201), builders.a_school(session, 900_202)
        person = builders.a_person(session, Role.HEAD_TEACHER, school=one, name="Owen Prosser")
        builders.a_person(session, Role.HEAD_TEACHER, school=two, name="Owen Prosser")
    sign_in_as(client, person.id)
    page = client.get("/").get_data(as_text=True)
    assert "Where do you want to work?" in page
    assert "/school/900201" in page
    assert "/school/900202" in page


def test_somebody_without_a_role_is_told_so(client: FlaskClient, sqlite: Database) -> None:
    with sqlite.transaction() as session:
        builders.council(session)
        person = builders.a_person(session, name="Nina Newcomer")
    sign_in_as(client, person.id)
    assert "You have no role yet" in client.get("/").get_data(as_text=True)


FIRST_RUN = {
    "council": "Aldermere Council",
    "authority_code": "203",
    "address": "Civic Centre\nAldermere",
    "vat_number": "GB123456789",
    "service_name": "Education Welfare Service",
    "code": "ews",
    "series": "EWS",
    "name": "Asha Okafor",
    "email": EMAIL,
    "password": PASSWORD,
}


def test_an_empty_installation_leads_to_the_first_run_and_then_hides_it(
    client: FlaskClient, sqlite: Database
) -> None:
    for address in ("/", "/sign-in", "/admin/", "/nowhere"):
        assert client.get(address).location == "/first-run"
    assert client.get("/health").status_code == 200
    assert client.get("/first-run").status_code == 200
    assert client.post("/first-run", data=FIRST_RUN).status_code == 303
    assert client.get("/").location == "/admin/"
    assert client.get("/first-run").status_code == 404
    assert client.post("/first-run", data=FIRST_RUN).status_code == 404
    with sqlite.reading() as session:
        council = session.scalars(select(Provider)).one()
        assert (council.name, council.authority_code, council.address) == (
            "Aldermere Council", "203", ["Civic Centre", "Aldermere"],
        )  # fmt: skip
        assert session.scalars(select(Membership.role)).one() is Role.ADMINISTRATOR


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"authority_code": "20"}, "three digits"),
        ({"vat_number": "12"}, "not a VAT number"),
        ({"code": "../x"}, "cannot stand in an address"),
        ({"series": "E W"}, "cannot begin a number"),
        ({"password": "password1234"}, "many people use"),
        ({"email": "nobody"}, "not an email address"),
    ],
)
def test_a_first_run_that_is_refused_keeps_nothing(
    client: FlaskClient, sqlite: Database, change: dict[str, str], says: str
) -> None:
    page = client.post("/first-run", data=FIRST_RUN | change)
    assert page.status_code == 422
    assert says in page.get_data(as_text=True)
    assert "Aldermere Council" in page.get_data(as_text=True)
    with sqlite.reading() as session:
        assert session.scalar(select(func.count(Provider.id))) == 0
        assert session.scalar(select(func.count(Person.id))) == 0


def test_s9_a_form_without_its_token_is_refused(sqlite: Database, tmp_path: Path, asha: Person) -> None:
    app = create_app(settings_of_tests("sqlite://", tmp_path / "invoices"), database=sqlite)
    app.testing = True
    assert sign_in(app.test_client()) == 400


def test_s14_the_product_does_not_start_on_a_default_secret_or_with_debug(tmp_path: Path) -> None:
    safe = Settings(database_url="sqlite://", secret_key="s" * 32, archive=tmp_path)
    for unsafe in (
        {"secret_key": ""},
        {"secret_key": DEMONSTRATION_SECRET},
        {"secret_key": "short"},
        {"debug": True},
    ):
        with pytest.raises(UnsafeSettings):
            replace(safe, **unsafe)


def test_health_says_when_the_database_does_not_answer(app: Flask, tmp_path: Path) -> None:
    client = app.test_client()
    assert client.get("/health").get_json() == {"ok": True, "database": "ok"}
    folder = tmp_path / "gone"
    broken = Database.open(f"sqlite:///{folder / 'gone.db'}")
    folder.rename(tmp_path / "moved")
    app.extensions["sla.database"] = broken
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.get_json() == {"ok": False, "database": "does not answer"}


@pytest.mark.parametrize(
    "address", ["/accessibility", "/cookies", "/password/forgotten", "/password/sent", "/sign-in"]
)
def test_what_every_visitor_may_read(client: FlaskClient, asha: Person, address: str) -> None:
    assert client.get(address).status_code == 200


def test_your_account_says_your_roles_in_sentences(client: FlaskClient, asha: Person) -> None:
    sign_in(client)
    page = client.get("/account").get_data(as_text=True)
    assert "Add people and give or take roles." in page
    assert "$argon2" not in page
