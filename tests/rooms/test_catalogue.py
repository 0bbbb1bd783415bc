"""The catalogue: core first and free, prices by version, presets that load again without harm."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from sla_manager.catalogue.commands import (
    load_preset,
    set_billing_rule,
    set_price,
    set_vat_rate,
    withdraw_offering,
)
from sla_manager.catalogue.commands.presets import FamilyStands
from sla_manager.catalogue.commands.prices import PriceStands
from sla_manager.catalogue.models import Obligation, Price
from sla_manager.catalogue.queries import (
    obligations,
    offering_by_code,
    offerings,
    policies,
    preset_loads,
    price_of,
    prices_on,
    treatment_of,
    vat_rates,
    without_price,
)
from sla_manager.catalogue.rules.families import CoreIsFree, Family
from sla_manager.catalogue.rules.presets import preset_names, read_preset
from sla_manager.catalogue.rules.pricing import NoPrice
from sla_manager.catalogue.rules.vat import Route, VatCode, rate_at
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from tests.builders import a_core_offering, a_service, an_offering
from tests.rooms.counting import queries

APRIL = date(2025, 4, 1)


def test_core_comes_first(database: Database) -> None:
    with database.transaction() as session:
        an_offering(session, position=1)
        core = a_core_offering(session, position=9)
        listed = offerings(session, a_service(session).id, APRIL)
        assert [one.family is Family.CORE for one in listed] == [True, False]
        assert listed[0].id == core.id


def test_a_withdrawn_offering_is_no_longer_listed(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        gone = an_offering(session)
        withdraw_offering(session, gone.id, on=date(2025, 11, 1), by=by, at=at)
        assert offerings(session, gone.service_id, date(2025, 10, 31)) == [gone]
        assert offerings(session, gone.service_id, date(2025, 11, 1)) == []


def test_a_price_has_versions_and_the_day_decides(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        day = an_offering(session, None)
        for amount, starts_on in ((Money(368_00), date(2025, 4, 1)), (Money(383_46), date(2026, 4, 1))):
            set_price(
                session, day.id, CustomerClass.ACADEMY, unit_price=amount, starts_on=starts_on, by=by, at=at
            )
        assert price_of(session, day.id, CustomerClass.ACADEMY, date(2026, 3, 31)).unit_price == Money(368_00)
        assert price_of(session, day.id, CustomerClass.ACADEMY, date(2026, 4, 1)).unit_price == Money(383_46)
        with pytest.raises(NoPrice):
            price_of(session, day.id, CustomerClass.ACADEMY, date(2025, 3, 31))
        with pytest.raises(NoPrice):
            price_of(session, day.id, CustomerClass.INDEPENDENT, date(2025, 5, 1))


def test_a_price_between_two_versions_ends_where_the_later_begins(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        day = an_offering(session, None)
        for pence, starts_on in ((100, APRIL), (300, date(2026, 4, 1)), (200, date(2025, 9, 1))):
            set_price(
                session,
                day.id,
                CustomerClass.ACADEMY,
                unit_price=Money(pence),
                starts_on=starts_on,
                by=by,
                at=at,
            )
        held = [
            price_of(session, day.id, CustomerClass.ACADEMY, on).unit_price.pence
            for on in (date(2025, 8, 31), date(2025, 9, 1), date(2026, 3, 31), date(2026, 4, 1))
        ]
        assert held == [100, 200, 200, 300]


def test_a_price_that_stands_is_never_edited(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        day = an_offering(session, None)
        first = set_price(
            session, day.id, CustomerClass.ACADEMY, unit_price=Money(1), starts_on=APRIL, by=by, at=at
        )
        same = set_price(
            session, day.id, CustomerClass.ACADEMY, unit_price=Money(1), starts_on=APRIL, by=by, at=at
        )
        assert same.id == first.id
        with pytest.raises(PriceStands, match=r"£0\.01 from 1 April 2025"):
            set_price(
                session, day.id, CustomerClass.ACADEMY, unit_price=Money(2), starts_on=APRIL, by=by, at=at
            )
    for statement in ("UPDATE price SET unit_price = 5", "DELETE FROM price"):
        with pytest.raises(IntegrityError, match="price_is_never_edited"), database.transaction() as session:
            session.execute(text(statement))


def test_two_prices_for_one_day_are_refused_by_the_database(database: Database) -> None:
    with database.transaction() as session:
        an_offering(session)
    with pytest.raises(IntegrityError, match="price_versions_overlap"), database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO price (offering_id, family, customer_class, starts_on, unit_price, source) "
                "SELECT offering_id, family, customer_class, '2025-06-01', 100, '' FROM price"
            )
        )


def test_core_can_have_no_price_and_no_billing_rule(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        core = a_core_offering(session)
        with pytest.raises(CoreIsFree):
            set_price(
                session, core.id, CustomerClass.ACADEMY, unit_price=Money(1), starts_on=APRIL, by=by, at=at
            )
        with pytest.raises(CoreIsFree):
            price_of(session, core.id, CustomerClass.ACADEMY, APRIL)
        with pytest.raises(CoreIsFree):
            set_billing_rule(
                session, core.id, CustomerClass.ACADEMY, route=Route.INVOICE, vat_code=VatCode.STANDARD, reason="x",
                by=by, at=at,
            )  # fmt: skip


@pytest.mark.parametrize(
    ("customer_class", "route", "code", "rate"),
    [
        (CustomerClass.OWN_MAINTAINED, Route.RECHARGE, VatCode.OUTSIDE_SCOPE, 0),
        (CustomerClass.VOLUNTARY_AIDED, Route.RECHARGE, VatCode.OUTSIDE_SCOPE, 0),
        (CustomerClass.ACADEMY, Route.INVOICE, VatCode.STANDARD, 2000),
        (CustomerClass.INDEPENDENT, Route.INVOICE, VatCode.STANDARD, 2000),
        (CustomerClass.OUT_OF_AREA_MAINTAINED, Route.INVOICE, VatCode.STANDARD, 2000),
        (CustomerClass.OTHER, Route.INVOICE, VatCode.STANDARD, 2000),
    ],
)
def test_route_and_vat_by_customer_class(
    database: Database, customer_class: CustomerClass, route: Route, code: VatCode, rate: int
) -> None:
    with database.transaction() as session:
        found = treatment_of(
            session, an_offering(session), customer_class, private_fund=False, tax_point=APRIL
        )
        assert (found.route, found.code, found.rate) == (route, code, rate)


def test_the_providers_own_rule_comes_before_the_default(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        training = an_offering(session, "250.00", code="TRAIN", family=Family.TRAINING)
        set_billing_rule(
            session, training.id, CustomerClass.ACADEMY, route=Route.INVOICE, vat_code=VatCode.EXEMPT,
            reason="Group 6", by=by, at=at,
        )  # fmt: skip
        found = treatment_of(session, training, CustomerClass.ACADEMY, private_fund=False, tax_point=APRIL)
        assert (found.code, found.rate, found.reason) == (VatCode.EXEMPT, 0, "Group 6")
        with pytest.raises(Refused, match="outside the scope"):
            set_billing_rule(
                session, training.id, CustomerClass.ACADEMY, route=Route.RECHARGE, vat_code=VatCode.STANDARD,
                reason="x", by=by, at=at,
            )  # fmt: skip


def test_m5_the_rate_follows_the_tax_point(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        set_vat_rate(session, VatCode.STANDARD, rate=2100, starts_on=date(2026, 1, 1), by=by, at=at)
        rates = vat_rates(session)
        assert rate_at(VatCode.STANDARD, date(2025, 12, 31), rates) == 2000
        assert rate_at(VatCode.STANDARD, date(2026, 1, 1), rates) == 2100
        with pytest.raises(Refused, match="later day"):
            set_vat_rate(session, VatCode.STANDARD, rate=2200, starts_on=date(2026, 1, 1), by=by, at=at)


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_loads_whole_and_again_without_a_change(
    database: Database, by: Actor, at: datetime, name: str
) -> None:
    preset = read_preset(name)
    with database.transaction() as session:
        service = a_service(session)
        first = load_preset(session, preset, service_id=service.id, by=by, at=at)
        assert len(first.changes["offerings"]["added"]) == len(preset.offerings)
        assert len(obligations(session, service.id)) == len(preset.obligations)
        listed = offerings(session, service.id, APRIL)
        assert [one.code for one in listed if one.family is Family.CORE] == [one.code for one in preset.core]
        priced = session.scalar(select(func.count()).select_from(Price))
        assert priced == len(preset.prices)
    with database.transaction() as session:
        again = load_preset(session, preset, service_id=service.id, by=by, at=at + timedelta(days=1))
        assert again.id == first.id
        assert len(preset_loads(session, service.id)) == 1


def test_a_later_preset_updates_texts_withdraws_offerings_and_touches_no_price(
    database: Database, by: Actor, at: datetime
) -> None:
    preset = read_preset("southampton-2024-25")
    first, *rest = preset.obligations
    sold = preset.chargeable[0]
    later = replace(
        preset,
        sha256="0" * 64,
        offerings=tuple(one for one in preset.offerings if one.code != sold.code),
        obligations=(replace(first, wording="New words."), *rest[:-1]),
        prices=tuple(
            replace(one, unit_price=Money(999_00)) for one in preset.prices if one.offering != sold.code
        ),
    )
    with database.transaction() as session:
        service = a_service(session)
        load_preset(session, preset, service_id=service.id, by=by, at=at)
        before = {one.id: one.unit_price for one in session.scalars(select(Price))}
        changes = load_preset(session, later, service_id=service.id, by=by, at=at).changes
        assert changes["obligations"]["updated"] == [f"{first.side.value} {first.ref}"]
        assert len(changes["obligations"]["removed"]) == 1
        assert changes["offerings"]["withdrawn"] == [sold.code]
        assert len(changes["prices"]["kept"]) == len(later.prices)
        assert {one.id: one.unit_price for one in session.scalars(select(Price))} == before
        assert offering_by_code(session, service.id, sold.code).withdrawn_on == date(2025, 10, 14)
        assert (
            session.scalars(select(Obligation.wording).where(Obligation.ref == first.ref)).first()
            == "New words."
        )


def test_what_is_core_never_becomes_sold_by_a_preset(database: Database, by: Actor, at: datetime) -> None:
    preset = read_preset("southampton-2024-25")
    core = preset.core[0]
    turned = replace(core, family=Family.CASEWORK, duty=None)
    later = replace(preset, offerings=tuple(turned if one is core else one for one in preset.offerings))
    with database.transaction() as session:
        service = a_service(session)
        load_preset(session, preset, service_id=service.id, by=by, at=at)
        with pytest.raises(FamilyStands, match=core.code):
            load_preset(session, later, service_id=service.id, by=by, at=at)


def test_rates_that_a_source_does_not_give_stay_unset(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        service = a_service(session)
        load_preset(session, read_preset("shropshire-2025-26"), service_id=service.id, by=by, at=at)
        listed = offerings(session, service.id, APRIL)
        unset = without_price(listed, prices_on(session, service.id, CustomerClass.ACADEMY, APRIL))
        assert unset == [one for one in listed if one.family is not Family.CORE]
        assert unset
        assert policies(session, service.id)


def test_an_offering_of_another_service_is_not_found(database: Database) -> None:
    with database.transaction() as session:
        an_offering(session)
        with pytest.raises(NotFound):
            offering_by_code(session, a_service(session, "psychology").id, "EWO-DAY")


def test_the_catalogue_asks_as_few_questions_for_many_offerings_as_for_one(database: Database) -> None:
    counts = []
    for number in (1, 12):
        with database.transaction() as session:
            for which in range(number):
                an_offering(session, code=f"O-{number}-{which}")
            service = a_service(session)
        with database.reading() as session, queries(database) as count:
            assert offerings(session, service.id, APRIL)
            assert prices_on(session, service.id, CustomerClass.ACADEMY, APRIL)
        counts.append(count.number)
    assert counts == [2, 2]
