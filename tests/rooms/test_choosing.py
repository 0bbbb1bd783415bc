"""Choosing: what a school is offered, at which price, how much it may need, what it bought, and the brochure."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal

import pytest
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.documents.brochures import brochure_of_class, brochure_of_school
from sla_manager.agreements.queries.purchases import purchases
from sla_manager.catalogue.commands import set_price
from sla_manager.catalogue.commands.bundles import add_discount, set_package
from sla_manager.catalogue.commands.needs import end_need_bands, set_need_bands, use_example_needs
from sla_manager.catalogue.models import NeedBand, Offering, Price, PriceHold
from sla_manager.catalogue.needs import band_sets, schools_by_band, suggestions
from sla_manager.catalogue.offers import Offer, catalogue_of_class, catalogue_of_school
from sla_manager.catalogue.rules.discounts import DiscountKind, DiscountRule
from sla_manager.catalogue.rules.families import CoreIsFree, Family
from sla_manager.catalogue.rules.quantities import QuantityRefused
from sla_manager.catalogue.rules.recommending import BandStep, Basis, Measure
from sla_manager.catalogue.rules.shapes import PriceShape
from sla_manager.config import ROOT
from sla_manager.gateways.printing import print_document
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.people.commands import import_figures
from sla_manager.people.models import School
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from tests.builders import a_core_offering, a_school, a_service, an_offering, council
from tests.rooms import selling

TODAY = date(2025, 10, 14)
FIGURES = (
    b"time_period,geographic_level,urn,enrolments,enrolments_pa_10_exact\n"
    b"201819,School,900111,704,121\n201819,School,900112,704,c\n"
)
BANDS = [
    BandStep(Decimal(0), Decimal(12), Decimal(5)),
    BandStep(Decimal(12), Decimal(20), Decimal(15)),
    BandStep(Decimal(20), None, Decimal(30)),
]


def hours(session: Session) -> Offering:
    """Return hours that are bought for each term: 5 to 30."""
    return an_offering(
        session, "55.00", code="HOURS", name="Attendance advisory officer", unit="hour", unit_minutes=60,
        minimum="5", maximum=Decimal(30), limit_basis="term",
    )  # fmt: skip


def a_shop(session: Session, by: Actor, at: datetime) -> tuple[School, Offering]:
    """Return a primary academy with figures, and what the service suggests to it by persistent absence."""
    school = a_school(session, 900111, customer_class=CustomerClass.ACADEMY, phase="Primary", pupils=704)
    a_school(session, 900112, phase="Primary")
    offering = hours(session)
    import_figures(session, FIGURES, filename="absence.csv", by=by, at=at)
    set_need_bands(
        session, a_service(session).id, offering_id=offering.id, measure=Measure.PERSISTENT, basis=Basis.TERM,
        steps=BANDS, by=by, at=at,
    )  # fmt: skip
    return school, offering


def offer_of(session: Session, school: School, offering: Offering) -> Offer:
    """Return one offer of the school's catalogue."""
    found = catalogue_of_school(session, a_service(session), school, on=TODAY).offers
    return next(one for one in found if one.offering.id == offering.id)


def test_persistent_absence_of_the_schools_own_figures_suggests_hours_a_term(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        school, offering = a_shop(session, by, at)
        offer = offer_of(session, school, offering)
        assert offer.suggestion is not None
        assert offer.suggestion.sentence == (
            "Persistent absence was 17.2 % in 2018/19 (121 of 704 pupils): we suggest 15 hours a term."
        )
        assert offer.telling is not None
        assert offer.telling.words == "15 hours × £55.00 = £825.00"
        hidden = offer_of(session, a_school(session, 900112), offering)
        assert hidden.suggestion is not None
        assert hidden.suggestion.quantity is None
        assert "is not published for 2018/19" in hidden.suggestion.sentence
        (found,) = band_sets(session, a_service(session).id)
        counted = schools_by_band(session, found.bands, on=TODAY)
        assert (counted[found.bands[1].id], counted[None], counted.total()) == (1, 1, 2)


def test_bands_are_replaced_whole_and_what_cannot_be_ordered_is_refused(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        _, offering = a_shop(session, by, at)
        service = a_service(session)
        wanted = {"offering_id": offering.id, "measure": Measure.PERSISTENT, "basis": Basis.TERM}
        set_need_bands(
            session, service.id, steps=[BandStep(Decimal(0), None, Decimal(6))], by=by, at=at, **wanted
        )
        assert session.scalars(select(NeedBand.quantity)).all() == [Decimal(6)]
        for quantity in ("4", "32"):
            steps = [BandStep(Decimal(0), None, Decimal(quantity))]
            with pytest.raises(QuantityRefused, match="between 5 and 30"):
                set_need_bands(session, service.id, steps=steps, by=by, at=at, **wanted)
        core = a_core_offering(session)
        with pytest.raises(CoreIsFree):
            set_need_bands(
                session, service.id, steps=BANDS, by=by, at=at, **(wanted | {"offering_id": core.id})
            )
        other = a_service(session, "other")
        with pytest.raises(NotFound):
            set_need_bands(session, other.id, steps=BANDS, by=by, at=at, **wanted)
        with pytest.raises(Refused, match="Enter the phase"):
            set_need_bands(
                session, service.id, steps=BANDS, by=by, at=at, **(wanted | {"measure": Measure.PHASE})
            )
        end_need_bands(
            session, service.id, offering_id=offering.id, measure=Measure.PERSISTENT, phase="", by=by, at=at
        )
        assert session.scalars(select(NeedBand)).all() == []


def test_a_day_a_week_is_suggested_to_secondary_schools_by_the_presets_example(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        weekly = an_offering(session, code="SHR-WEEKLY-SEC", name="Weekly day")
        service = a_service(session)
        assert use_example_needs(session, service.id, preset="shropshire-2025-26", by=by, at=at) == 2
        assert use_example_needs(session, service.id, preset="no-such-preset", by=by, at=at) == 0
        school = a_school(session, phase="Secondary")
        found = suggestions(session, service.id, school, [weekly], on=TODAY)[weekly.id]
        assert (found.asked, found.basis) == (Decimal(39), Basis.WEEK)
        primary = a_school(session, phase="Primary")
        assert suggestions(session, service.id, primary, [weekly], on=TODAY) == {}


def test_phase_and_customer_class_decide_what_is_offered_and_core_is_for_everybody(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        core = a_core_offering(session, phases=["Secondary"], customer_classes=["academy"])
        an_offering(session, code="SEC", phases=["Secondary"])
        an_offering(session, code="ACAD", customer_classes=["academy"])
        an_offering(session, code="ALL")
        school = a_school(session, phase="Primary")
        catalogue = catalogue_of_school(session, a_service(session), school, on=TODAY)
        assert [one.offering.code for one in catalogue.offers] == ["ALL"]
        assert [one.id for one in catalogue.free] == [core.id]
        academies = catalogue_of_class(session, a_service(session), CustomerClass.ACADEMY, on=TODAY)
        assert sorted(one.offering.code for one in academies.offers) == ["ACAD", "ALL", "SEC"]


def test_a_price_by_pupils_takes_the_latest_census_and_says_which(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        school = a_school(session, 900113, pupils=999)
        census = b"time_period,urn,headcount of pupils\n202425,900113,210\n"
        import_figures(session, census, filename="census.csv", by=by, at=at)
        offering = an_offering(session, None, code="YEAR", name="Subscription", unit="year", unit_minutes=None,
                               step="1", minimum="1")  # fmt: skip
        set_price(
            session, offering.id, CustomerClass.OWN_MAINTAINED, unit_price=Money(466_14),
            shape=PriceShape.PER_PUPIL, terms={"base": "466.14", "each": "1.14"}, starts_on=TODAY, by=by, at=at,
        )  # fmt: skip
        offer = offer_of(session, school, offering)
        assert offer.telling is not None
        assert str(offer.telling.net) == "705.54"
        assert offer.telling.words.endswith("(census of 16 January 2025)")
        nobody = a_school(session, pupils=None)
        assert "number of pupils" in offer_of(session, nobody, offering).missing


def test_last_years_purchase_and_its_use_stand_beside_what_is_offered(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        school = a_school(session, customer_class=CustomerClass.ACADEMY)
        selling.agreed(session, by, at, school=school)
        (found,) = purchases(session, school.id, [2025, 2024])
        assert (str(found.year), found.quantity, str(found.net)) == ("2025-26", Decimal(12), "4416.00")
        assert found.bought is not None
        assert found.used is not None
        assert (found.bought.minutes, found.used.minutes) == (12 * 444, 0)
        assert purchases(session, school.id, [2024]) == []


def test_c7_a_promised_price_stands_and_a_price_that_comes_is_said_beside(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        school, other = a_school(session), a_school(session)
        offering = an_offering(session)
        first = session.scalars(
            select(Price).where(
                Price.offering_id == offering.id, Price.customer_class == CustomerClass.OWN_MAINTAINED
            )
        ).one()
        set_price(
            session, offering.id, CustomerClass.OWN_MAINTAINED, unit_price=Money(383_46),
            starts_on=date(2026, 4, 1), by=by, at=at,
        )  # fmt: skip
        hold = PriceHold(
            school_id=school.id, offering_id=offering.id, price_id=first.id, starts_on=TODAY,
            until=date(2028, 4, 1), agreement="EWS-1", held_at=at,
        )  # fmt: skip
        session.add(hold)
        session.flush()
        assert offer_of(session, other, offering).coming == "From 1 April 2026: £383.46 for each day"
        (later,) = catalogue_of_school(session, a_service(session), school, on=date(2026, 5, 1)).offers
        assert (later.words, later.held_until) == (("£368.00 for each day",), date(2028, 3, 31))


def words_of(content: bytes) -> str:
    """Return a printed document's words, line ends and hard spaces taken as spaces."""
    pages = PdfReader(io.BytesIO(content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_the_brochure_of_a_school_has_the_free_offer_first_then_its_own_prices(
    sqlite: Database, by: Actor, at: datetime
) -> None:
    with sqlite.transaction() as session:
        council(session)
        a_shop(session, by, at)
        a_core_offering(session, name="Termly targeting support meeting")
        tiers = an_offering(session, None, code="AUDIT", name="Attendance audit", unit="audit", unit_minutes=None,
                            step="1", minimum="1", family=Family.AUDIT_SUPPORT)  # fmt: skip
        set_price(
            session, tiers.id, CustomerClass.ACADEMY, unit_price=Money(565_00), shape=PriceShape.TIERS,
            terms={"tiers": [["1", "565.00"], ["4", "500.00"]]}, starts_on=TODAY, by=by, at=at,
        )  # fmt: skip
        package = an_offering(session, "900.00", code="PACK", name="Gold package", unit="package",
                              unit_minutes=None, step="1", minimum="1")  # fmt: skip
        core = a_core_offering(session)
        set_package(session, package.id, [(tiers.id, Decimal(2)), (core.id, Decimal(1))], by=by, at=at)
        early = DiscountRule(
            kind=DiscountKind.EARLY_BIRD, name="Early bird", percent=500, starts_on=TODAY,
            ends_on=date(2026, 2, 28),
        )  # fmt: skip
        add_discount(session, a_service(session).id, early, by=by, at=at)
    with sqlite.reading() as session:
        service = a_service(session)
        facts = brochure_of_school(session, service, a_school(session, 900111), today=TODAY)
    content = print_document("brochure", facts, templates=ROOT / "templates")
    reader = PdfReader(io.BytesIO(content))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    text = words_of(content)
    free, sold = text.index("Free to every school"), text.index("What you can buy")
    assert free < text.index("Termly targeting support meeting") < sold
    for words in (
        "Prices for an academy",
        "we suggest 15 hours a term",
        "15 hours × £55.00 = £825.00 for a term",
        "From 4 audits: £500.00 each",
        "2 audits: Attendance audit",
        "Free: Termly targeting support meeting",
        "Early bird: 5 % less for everything that you buy until 28 February 2026.",
        "VAT 20 % because an academy is a separate legal person",
        "ews@aldermere.example",
    ):
        assert words in text, words
    assert print_document("brochure", facts, templates=ROOT / "templates") == content


def test_the_brochure_of_a_class_shows_no_schools_figures(sqlite: Database, by: Actor, at: datetime) -> None:
    with sqlite.transaction() as session:
        council(session)
        a_shop(session, by, at)
    with sqlite.reading() as session:
        facts = brochure_of_class(session, a_service(session), CustomerClass.OWN_MAINTAINED, today=TODAY)
    text = words_of(print_document("brochure", facts, templates=ROOT / "templates"))
    assert "Recharged to the school" in text
    assert "£55.00 for each hour" in text
    assert "For your school" not in text
    assert "we suggest" not in text
