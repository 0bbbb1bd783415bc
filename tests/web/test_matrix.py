"""S1: every address × every role × somebody else's object, made from the addresses that there are.

A new page is in the matrix by being registered. An address with an argument that `EXAMPLES` does not know fails
`test_s1_every_argument_of_an_address_has_an_example`: add what is mine and what is somebody else's there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from werkzeug.routing import Rule

from sla_manager.agreements.commands import LineWanted
from sla_manager.agreements.commands.partnerships import Purchase, prepare_trust_purchase
from sla_manager.agreements.commands.renewals import prepare_renewals
from sla_manager.agreements.commands.takeovers import keep_spreadsheet
from sla_manager.agreements.models import (
    Agreement,
    AgreementLine,
    AgreementVersion,
    Approval,
    Paper,
    Renewal,
    Tranche,
)
from sla_manager.agreements.rules.partnerships import Invoicing
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.seasons import SeasonDates
from sla_manager.billing.commands.charges import ChargeLine, record_charge
from sla_manager.billing.commands.proposing import propose_change
from sla_manager.billing.models import Document
from sla_manager.billing.runs import run
from sla_manager.catalogue.commands.bundles import add_discount
from sla_manager.catalogue.rules.discounts import DiscountKind, DiscountRule
from sla_manager.config import ROOT
from sla_manager.finance.commands import make_batch
from sla_manager.finance.commands.replies import receive_reply
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.money import Money
from sla_manager.payments.commands import record_receipt
from sla_manager.payments.commands.card_alerts import raise_alert
from sla_manager.payments.commands.locks import lock_period
from sla_manager.payments.commands.refunds import refund_receipt
from sla_manager.payments.models import Allocation, CardAlert
from sla_manager.people.commands import import_figures, import_schools, keep_figures, keep_upload
from sla_manager.people.commands.links import enter_change
from sla_manager.people.models import (
    FiguresImport,
    Membership,
    Officer,
    Person,
    RegisterImport,
    School,
    TradingService,
)
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.links import ChangeKind
from sla_manager.people.rules.roles import GRANTS, Role, Scope
from sla_manager.reports.parallel_run import compare_taken_over
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from sla_manager.store.tables import Table
from sla_manager.visits.commands import add_absence, log_delivery, plan_visit
from sla_manager.visits.commands.closures import add_closure
from sla_manager.visits.models import AbsenceKind, ExtraTime
from sla_manager.visits.rules.slots import Part
from sla_manager.web.brochures import PrintingDesk
from sla_manager.web.guard import PUBLIC, SIGNED_IN, Guard
from tests import builders
from tests.conftest import NOON, sign_in_as
from tests.databases import sqlite_copy, sqlite_template
from tests.rooms import banking, renewing, selling
from tests.rooms.test_people_figures import ABSENCE
from tests.rooms.test_people_register import GREENWICH
from tests.visiting import worked

SEASON = SeasonDates(
    starts_on=date(2026, 4, 1),
    ends_on=date(2027, 3, 31),
    builds_from=date(2025, 10, 1),
    submit_from=date(2025, 10, 1),
    due_by=date(2026, 3, 13),
)
SIGNED = datetime.fromisoformat("2025-10-01T10:00:00+00:00")
DELIVERED, PLANNED = date(2025, 10, 14), date(2025, 11, 11)
PLACES = ("urn", "service", "trust_id")
"""Arguments that name the place; the guard finds it."""
DENIED = (401, 403, 404)


@dataclass
class World:
    """People of every role, here and elsewhere, and an example of each argument: (mine, somebody else's)."""

    here: dict[Role, int]
    elsewhere: dict[Role, int]
    examples: dict[str, tuple[Any, Any]]


def a_place(database: Database, by: Actor, *, urn: int, code: str, officer: str) -> dict[str, Any]:
    """Build a school with an agreement, visits, time beyond what was bought, an absence and issued documents."""
    with database.transaction() as session:
        builders.terms(session)
        service = builders.a_service(session, code)
        trust = builders.a_trust(session, f"Trust of {code}")
        school = builders.a_school(session, urn, customer_class=CustomerClass.ACADEMY, trust=trust)
        person = builders.a_person(session, Role.OFFICER, service=service, name=officer)
        worker = builders.an_officer(session, officer, service=service, person=person)
        offering = builders.an_offering(session, service=service, code=f"DAY-{code}")
        agreed = selling.agreed(
            session, by, SIGNED, service_id=service.id, school=school, offering=offering, quantity="0.5"
        )
        line = session.scalars(select(AgreementLine).where(AgreementLine.agreement_id == agreed.id)).one()
        where = {"officer_id": worker.id, "school_id": school.id, "line_id": line.id, "by": by, "at": SIGNED}
        done = plan_visit(session, day=DELIVERED, part=Part.MORNING, **where)
        log_delivery(session, done.id, activities=[worked(400)], by=by, at=as_at(DELIVERED))
        core = {**where, "line_id": None, "duty": builders.CoreDuty.TARGETING_SUPPORT_MEETING}
        planned = plan_visit(session, day=PLANNED, part=Part.MORNING, **core)
        absence = add_absence(
            session, worker.id, kind=AbsenceKind.LEAVE, starts_at=as_at(PLANNED + timedelta(days=7)),
            ends_at=as_at(PLANNED + timedelta(days=8)), by=by, at=SIGNED,
        )  # fmt: skip
        season = renewing.a_season(session, service_id=service.id, dates=SEASON)
        early = DiscountRule(kind=DiscountKind.EARLY_BIRD, name="Early bird", percent=500,
                             starts_on=SIGNED.date(), ends_on=SIGNED.date())  # fmt: skip
        discount = add_discount(session, service.id, early, by=by, at=SIGNED)
        proposal = propose_change(session, line.id, quantity=Decimal(1), effective_on=DELIVERED,
                                  reason="More.", by=by, at=SIGNED)  # fmt: skip
        change = enter_change(session, kind=ChangeKind.CLOSURE, from_school_id=school.id, to_urn=None,
                              effective_on=date(2026, 1, 1), reason="", by=by, at=SIGNED)  # fmt: skip
        version = session.scalars(
            select(AgreementVersion.id).where(AgreementVersion.agreement_id == agreed.id)
        )
        sheet = keep_spreadsheet(
            session, service.id, content=b"URN,Days\r\n1,2\r\n", filename="days.csv", by=by, at=SIGNED
        )
        compared = compare_taken_over(session, service.id, as_at=DELIVERED, by=by, at=SIGNED)
        together = prepare_trust_purchase(
            session, trust.id, {school.id: [LineWanted(offering.id, Decimal(1))]},
            purchase=Purchase(service_id=service.id, starts_on=DELIVERED, ends_on=date(2026, 3, 31),
                              schedule=Schedule.SINGLE),
            invoicing=Invoicing.TOGETHER, by=by, at=SIGNED,
        )  # fmt: skip
        return {
            "trust_id": trust.id, "partnership_id": together.id,
            "takeover_id": sheet.id, "run_id": compared.id,
            "urn": urn, "service": code, "code": code, "agreement_id": agreed.id, "line_id": line.id,
            "tranche_id": session.scalars(select(Tranche.id).where(Tranche.line_id == line.id)).first(),
            "version_id": version.first(), "visit_id": planned.id, "absence_id": absence.id,
            "extra_time_id": session.scalars(select(ExtraTime.id).order_by(ExtraTime.id.desc())).first(),
            "officer_id": worker.id, "offering_id": offering.id, "season_id": season.id,
            "discount_id": discount.id, "proposal_id": proposal.id, "change_id": change.id,
        }  # fmt: skip


def people_of(database: Database, place: dict[str, Any], officer: str) -> dict[Role, int]:
    """Return a person of each role in a place."""
    found = {}
    with database.transaction() as session:
        school = session.scalars(select(School).where(School.urn == place["urn"])).one()
        service = session.scalars(select(TradingService).where(TradingService.code == place["code"])).one()
        trust = builders.a_trust(session, f"Trust of {place['code']}")
        for role in Role:
            name = officer if role is Role.OFFICER else f"{role.title} {place['code']}"
            found[role] = builders.a_person(
                session, role, school=school, service=service, trust=trust, name=name
            ).id
    return found


class NoPaper:
    """A printer that prints nothing: here it matters who may ask for a paper, not what stands on it."""

    def print(self, kind: str, facts: Mapping[str, object]) -> bytes:
        """Return a file without a page."""
        assert facts, kind
        return b"%PDF-1.7"


@pytest.fixture(autouse=True)
def like_in_service(app: Flask) -> None:
    """Answer a fault with its page, so that the matrix lists every address with one."""
    app.testing = False
    app.extensions["sla.desk"] = PrintingDesk(ROOT / "templates", NoPaper())


@pytest.fixture(scope="module")
def built(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """The world, built once: every test opens a copy of its database."""
    with sqlite_copy(sqlite_template(run_folder), tmp_path_factory.mktemp("world")) as database:
        world = a_world(database, Actor(None, "Test"), NOON)
        file = Path(str(database.engine.url.database))
    return file, world


@pytest.fixture
def sqlite(built: tuple[Path, World], tmp_path: Path) -> Iterator[Database]:
    """A fresh copy of the world's database."""
    with sqlite_copy(built[0], tmp_path) as opened:
        yield opened


@pytest.fixture
def world(built: tuple[Path, World]) -> World:
    """Two places that know nothing of each other, in one council."""
    return built[1]


def a_world(sqlite: Database, by: Actor, at: datetime) -> World:
    """Build two places that know nothing of each other, in one council."""
    mine = a_place(sqlite, by, urn=900_301, code="ews", officer="Asha Okafor")
    theirs = a_place(sqlite, by, urn=900_302, code="other", officer="Callum Reyes")
    for place in (mine, theirs):
        prepare_renewals(sqlite, place["season_id"], by=by, at=at)
        with sqlite.reading() as session:
            wanted = select(Renewal.id).where(Renewal.season_id == place["season_id"])
            place["renewal_id"] = session.scalars(wanted).one()
    here, elsewhere = people_of(sqlite, mine, "Asha Okafor"), people_of(sqlite, theirs, "Callum Reyes")
    ask_each(sqlite, (mine, here), (theirs, elsewhere))
    run(sqlite, as_at=date(2025, 10, 31), by=by, at=at)
    examples = {name: (value, theirs[name]) for name, value in mine.items()}
    with sqlite.transaction() as session:
        import_schools(session, GREENWICH, filename="register.csv", by=by, at=at)
        upload = keep_upload(session, GREENWICH, filename="register.csv", by=by, at=at)
        import_figures(session, ABSENCE, filename="absence.csv", by=by, at=at)
        figures = keep_figures(session, ABSENCE, filename="absence.csv", by=by, at=at)
        person = builders.a_person(session, Role.AUDITOR, name="Some Auditor")
        held = session.scalars(select(Membership.id).where(Membership.person_id == person.id)).one()
        closure = add_closure(
            session,
            session.scalars(select(School.id).where(School.urn == 900_301)).one(),
            starts_on=date(2026, 1, 5),
            ends_on=date(2026, 1, 5),
            why="INSET day",
            by=by,
            at=at,
        )
        documents = {
            urn: session.scalars(
                select(Document.id)
                .join(Agreement, Document.agreement_id == Agreement.id)
                .join(School, Agreement.school_id == School.id)
                .where(School.urn == urn)
            ).first()
            for urn in (900_301, 900_302)
        }
        for name, value in (
            ("upload_id", upload.id),
            ("import_id", session.scalars(select(RegisterImport.id)).one()),
            ("figures_upload_id", figures.id),
            ("figures_import_id", session.scalars(select(FiguresImport.id)).one()),
            ("person_id", person.id),
            ("membership_id", held),
            ("term_id", builders.terms(session)[0].id),
            ("closure_id", closure.id),
            ("mail_id", session.scalars(select(OutboxMessage.id)).first()),
        ):
            examples[name] = (value, 999_999)
        document = session.get_one(Document, documents[900_301])
        receipt = record_receipt(
            session,
            document.customer_id,
            amount=Money(100),
            received_on=date(2025, 10, 14),
            method="bank_transfer",
            allocations={document.id: Money(60)},
            by=by,
            at=at,
        )
        allocation = session.scalars(select(Allocation.id)).one()
        batch = make_batch(session, "sage50", by=by, at=at)
        reply = receive_reply(
            session, "sage50", filename="reply.csv", content=b"Number,Status\n1,ok\n", by=by, at=at
        )
        locked = lock_period(session, date(2025, 3, 31), reason="Before we began", by=by, at=at)
        refund = refund_receipt(
            session, receipt.id, amount=Money(10), method="cheque", reason="Agreed", refunded_on=date(2025, 10, 14),
            by=by, at=at,
        )  # fmt: skip
        charged = record_charge(
            session, service_id=document.service_id, customer_id=document.customer_id, school_id=None,
            kind="training", delivered_on=date(2025, 10, 14), by=by, at=at,
            lines=[
                ChargeLine(description="Training", quantity=Decimal(1), unit="session", unit_price=Money(100))
            ],
        )  # fmt: skip
        raise_alert(session, "alert", "A card payment of another amount came.", receipt_id=receipt.id, at=at)
        examples |= {
            "refund_id": (refund.id, 999_999),
            "alert_id": (session.scalars(select(CardAlert.id)).one(), 999_999),
            "customer_id": (document.customer_id, 999_999),
            "receipt_id": (receipt.id, 999_999),
            "allocation_id": (allocation, 999_999),
            "batch_id": (batch.id, 999_999),
            "reply_id": (reply.id, 999_999),
            "lock_id": (locked.id, 999_999),
            "charge_id": (charged.id, 999_999),
        }
        bank = banking.one_of_each(session, date(2025, 10, 14), by=by, at=at)
        examples |= {name: (value, 999_999) for name, value in bank.items()}
    examples["document_id"] = (documents[900_301], documents[900_302])
    examples |= {"year": ("2025-26", "1800-01"), "token": ("no-such-token", "no-such-token")}
    examples |= {"reference": ("no-such-reference", "no-such-reference")}
    examples |= MORE
    return World(here, elsewhere, examples)


def ask_each(database: Database, *places: tuple[dict[str, Any], dict[Role, int]]) -> None:
    """Put each place's agreement to its chair, and note its certificate."""
    with database.transaction() as session:
        for place, people in places:
            approval = Approval(
                agreement_id=place["agreement_id"], asked_by="Test", message="", purchase_order="", reason="",
                asked_by_id=people[Role.SCHOOL_BUSINESS_MANAGER], asked_at=SIGNED, document_sha256="0" * 64,
                approver_id=people[Role.CHAIR_OF_GOVERNORS], token_hash=place["code"], address="",
                expires_at=SIGNED + timedelta(days=60),
            )  # fmt: skip
            session.add(approval)
            session.flush()
            certificate = select(Paper.id).where(Paper.agreement_id == place["agreement_id"])
            place["approval_id"], place["paper_id"] = approval.id, session.scalars(certificate).first()


MORE: dict[str, tuple[Any, Any]] = {
    "customer_class": ("academy", "no-such-class"),
    "filename": ("app.css", "../../pyproject.toml"),
    "name": ("sage50", "no-such-layout"),
    "report": ("vat", "no-such-report"),
    "form": ("csv", "pdf"),
}
WITHOUT_A_FOREIGN_ONE = frozenset(
    {"year", "token", "reference", "filename", "code", "name", "report", "form", "customer_class", *PLACES}
)
"""Arguments that are not objects of a place."""
MISSING_FILES = ("version_id", "document_id", "renewal_id", "season_id", "paper_id")
"""What the worker prints is not there yet in this matrix: the page says so (503)."""


def rules(app: Flask) -> Iterator[tuple[Rule, str, Guard]]:
    """Yield every address with each of its methods and its guard."""
    for rule in app.url_map.iter_rules():
        guard = getattr(app.view_functions[rule.endpoint], "guard", None)
        if guard is not None:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method, guard


def address(app: Flask, world: World, rule: Rule, **changed: Any) -> str:
    """Return an address with examples of what is mine, some of them changed."""
    values = {name: world.examples[name][0] for name in rule.arguments} | changed
    with app.test_request_context():
        built = app.url_map.bind("localhost").build(rule.endpoint, values)
    return str(built)


def is_allowed(guard: Guard, role: Role, *, here: bool) -> bool:
    """Say whether a role lets somebody in, by the one table of roles."""
    if not GRANTS[role] & set(guard.permissions):
        return False
    if guard.scope is None:
        return True
    if guard.scope is Scope.SCHOOL:
        return here and role.scope in (Scope.SCHOOL, Scope.TRUST)
    if guard.scope is Scope.TRUST:
        return here and role.scope is Scope.TRUST
    return role.scope is Scope.PROVIDER or (here and role.scope is Scope.SERVICE)


def is_own_work(rule: Rule) -> bool:
    """Say whether an address names a visit of the officer who opens it: another officer's is not there."""
    return rule.rule.startswith("/officer/") and "visit_id" in rule.arguments


def as_person(app: Flask, database: Database, person_id: int | None) -> FlaskClient:
    """Return a browser in which a person is signed in."""
    client = app.test_client()
    if person_id is not None:
        with database.reading() as session:
            sign_in_as(client, person_id, session.get_one(Person, person_id).session_version)
    return client


def goes_to_sign_in(answer: Any) -> bool:
    """Say whether an answer sends somebody to sign in."""
    return answer.status_code == 302 and str(answer.location).startswith("/sign-in")


def test_s1_every_address_is_guarded_and_in_the_matrix(app: Flask) -> None:
    bare = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and not hasattr(app.view_functions[rule.endpoint], "guard")
    ]
    assert bare == []
    assert len(list(rules(app))) > 60


def test_s1_every_argument_of_an_address_has_an_example(app: Flask, world: World) -> None:
    unknown = {
        f"{name} in {rule.rule}"
        for rule, _, _ in rules(app)
        for name in rule.arguments
        if name not in world.examples or world.examples[name][0] is None
    }
    assert unknown == set()


def test_s1_an_address_that_names_a_place_is_guarded_by_that_place(app: Flask) -> None:
    wrong = [
        rule.rule
        for rule, _, guard in rules(app)
        if (rule.rule.startswith("/school/<int:urn>") and guard.scope is not Scope.SCHOOL)
        or (rule.rule.startswith("/service/<service>") and guard.scope is not Scope.SERVICE)
    ]
    assert "\n".join(wrong) == ""


def test_s1_nobody_gets_in_without_signing_in(app: Flask, world: World) -> None:
    client = app.test_client()
    wrong = []
    for rule, method, guard in rules(app):
        answer = client.open(address(app, world, rule), method=method)
        if (guard.kind == PUBLIC) == goes_to_sign_in(answer) and rule.endpoint != "sign_in.sign_out":
            wrong.append(f"{method} {rule.rule}: {answer.status_code}")
    assert "\n".join(wrong) == ""


def test_s1_every_role_meets_its_own_answer_on_every_address(
    app: Flask, world: World, sqlite: Database
) -> None:
    wrong = []
    before = everything(sqlite)
    for role in Role:
        for here, people in ((True, world.here), (False, world.elsewhere)):
            client = as_person(app, sqlite, people[role])
            for rule, method, guard in rules(app):
                if guard.kind in (PUBLIC, SIGNED_IN):
                    continue
                allowed = is_allowed(guard, role, here=here)
                not_hers = allowed and not here and is_own_work(rule)
                allowed = allowed and not not_hers
                if allowed and method != "GET":
                    continue
                answer = client.open(address(app, world, rule), method=method)
                status = answer.status_code
                expected = "allowed" if allowed else (404 if guard.scope or not_hers else 403)
                missing = allowed and status == 503 and set(MISSING_FILES) & set(rule.arguments)
                good = (status not in DENIED and status < 500) if allowed else status == expected
                if not (good or missing) or goes_to_sign_in(answer):
                    wrong.append(f"{role.value} {'here' if here else 'elsewhere'} {method} {rule.rule}: "
                                 f"{status}, expected {expected}")  # fmt: skip
    assert "\n".join(wrong) == ""
    assert everything(sqlite) == before


def test_s1_somebody_elses_object_is_not_there(app: Flask, world: World, sqlite: Database) -> None:
    wrong = []
    before = everything(sqlite)
    clients = {role: as_person(app, sqlite, person_id) for role, person_id in world.here.items()}
    for rule, method, guard in rules(app):
        for name in sorted(rule.arguments - WITHOUT_A_FOREIGN_ONE):
            for role in (role for role in Role if is_allowed(guard, role, here=True)):
                foreign = address(app, world, rule, **{name: world.examples[name][1]})
                if (
                    guard.scope is None
                    and world.examples[name][1] != 999_999
                    and not rule.rule.startswith("/officer")
                ):
                    continue
                status = clients[role].open(foreign, method=method, data=FILLED).status_code
                if status != 404:
                    wrong.append(f"{role.value} {method} {foreign} ({rule.rule}): {status}")
    assert "\n".join(wrong) == ""
    assert everything(sqlite) == before


FILLED = {"reason": "because", "role": "head_teacher", "note": "x", "ends_on-day": "1", "ends_on-month": "1",
          "ends_on-year": "2027"}  # fmt: skip


def test_s9_opening_any_page_writes_nothing(app: Flask, world: World, sqlite: Database) -> None:
    before = everything(sqlite)
    for person_id in world.here.values():
        client = as_person(app, sqlite, person_id)
        for rule, method, _ in rules(app):
            if method == "GET":
                assert client.get(address(app, world, rule)).status_code != 500, rule.rule
    assert everything(sqlite) == before


def everything(database: Database) -> dict[str, int]:
    """Return how many rows each table has, and the last of the trail."""
    with database.reading() as session:
        found = {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Table.metadata.tables.items()
        }
        found["people"] = session.scalar(text("SELECT SUM(session_version) FROM person")) or 0
        found["officers"] = (
            session.scalar(select(func.count(Officer.id)).where(Officer.ends_on.is_(None))) or 0
        )
        return found
