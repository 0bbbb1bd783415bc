"""Quotes: every line priced, every document exact, the text frozen."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from sla_manager.agreements.commands import LineWanted, expire_quotes, withdraw_quote
from sla_manager.agreements.commands.quotes import Replaced, TooLong
from sla_manager.agreements.models import Agreement
from sla_manager.agreements.queries import agreement, latest_version, newer_version, quoted_documents
from sla_manager.agreements.queries.limits import NotForYou, TooLittleEachWeek
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.agreements.rules.tranches import SplitDoesNotAddUp
from sla_manager.agreements.shares import read_shares
from sla_manager.catalogue.commands import set_billing_rule, set_price
from sla_manager.catalogue.rules.families import CoreIsFree, Family
from sla_manager.catalogue.rules.pricing import NoPrice
from sla_manager.catalogue.rules.quantities import QuantityRefused
from sla_manager.catalogue.rules.vat import EXEMPT_REASON, Route, VatCode
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.quantities import plain
from sla_manager.kernel.references import canonical_json, sha256
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from tests.builders import a_core_offering, a_school, a_service, an_offering, terms
from tests.rooms.selling import agreed, figures, order, quote

YEAR = {"starts_on": date(2025, 4, 1), "ends_on": date(2026, 3, 31)}
SCHOOL_YEAR = {"starts_on": date(2025, 9, 1), "ends_on": date(2026, 8, 31)}


def test_twelve_days_for_an_academy_in_three_instalments(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        made = quote(session, by, at)
        assert (str(made.net), str(made.vat), str(made.gross)) == ("4416.00", "883.20", "5299.20")
        assert figures(session, made) == [("1472.00", "294.40", "1766.40")] * 3
        assert [one.label for one in quoted_documents(session, made)] == [
            f"Invoice {n} of 3" for n in (1, 2, 3)
        ]
        assert made.status is AgreementStatus.QUOTED
        assert made.valid_until == date(2025, 11, 13)


def test_the_same_for_an_own_maintained_school_is_three_recharges_without_vat(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        made = quote(session, by, at, customer_class=CustomerClass.OWN_MAINTAINED)
        assert figures(session, made) == [("1472.00", "0.00", "1472.00")] * 3
        assert {one.route for one in quoted_documents(session, made)} == {Route.RECHARGE}
        assert {one.payable_by for one in quoted_documents(session, made)} == {None}


def test_ten_days_in_seven_and_five_twelfths(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        made = quote(session, by, at, quantity="10", schedule=Schedule.SEVEN_FIVE, **YEAR)
        assert figures(session, made) == [("2146.67", "429.33", "2576.00"), ("1533.33", "306.67", "1840.00")]


def test_seven_days_in_three_state_the_vat_of_the_documents_and_not_of_the_whole(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        made = quote(session, by, at, quantity="7")
        assert [net for net, _, _ in figures(session, made)] == ["858.67", "858.67", "858.66"]
        assert str(made.vat) == "515.19"
        assert str(latest_version(session, made.id).facts["costs"]["vat"]) == "515.19"


def test_half_a_day_for_an_academy_is_a_full_vat_invoice(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        made = quote(session, by, at, quantity="0.5", schedule=Schedule.SINGLE)
        assert figures(session, made) == [("184.00", "36.80", "220.80")]


def test_barnsleys_published_price_for_a_year_of_weekly_days(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        hours = an_offering(session, "33.00", code="HOUR", unit="hour", unit_minutes=60, step="0.1")
        made = quote(session, by, at, offering=hours, quantity="288.6", schedule=Schedule.SINGLE, **YEAR)
        assert (str(made.net), str(made.vat), str(made.gross)) == ("9523.80", "1904.76", "11428.56")


def test_standard_rated_days_and_exempt_training_stand_apart(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        day = an_offering(session)
        training = an_offering(
            session, "250.00", code="TRAIN", name="Training", family=Family.TRAINING, unit="session",
            unit_minutes=None, step="1", minimum="1",
        )  # fmt: skip
        set_billing_rule(
            session, training.id, CustomerClass.ACADEMY, route=Route.INVOICE, vat_code=VatCode.EXEMPT,
            reason=EXEMPT_REASON, by=by, at=at,
        )  # fmt: skip
        lines = [LineWanted(day.id, Decimal(1)), LineWanted(training.id, Decimal(1))]
        made = quote(session, by, at, lines=lines, schedule=Schedule.SINGLE)
        assert str(made.gross) == "691.60"
        rows = [
            (row.code, str(row.net), str(row.vat))
            for one in quoted_documents(session, made)
            for row in one.vat_rows
        ]
        assert rows == [(VatCode.STANDARD, "368.00", "73.60"), (VatCode.EXEMPT, "250.00", "0.00")]
        printed = latest_version(session, made.id).facts["costs"]["vat_rows"]
        assert [row["reason"] for row in printed] == [None, EXEMPT_REASON]


def test_a_recharge_and_an_invoice_are_never_one_document(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        day, other = an_offering(session), an_offering(session, "100.00", code="OTHER")
        set_billing_rule(
            session, other.id, CustomerClass.VOLUNTARY_AIDED, route=Route.INVOICE, vat_code=VatCode.STANDARD,
            reason="Decided with the diocese", by=by, at=at,
        )  # fmt: skip
        lines = [LineWanted(day.id, Decimal(1)), LineWanted(other.id, Decimal(1))]
        made = quote(
            session,
            by,
            at,
            lines=lines,
            schedule=Schedule.SINGLE,
            customer_class=CustomerClass.VOLUNTARY_AIDED,
        )
        assert figures(session, made) == [("100.00", "20.00", "120.00"), ("368.00", "0.00", "368.00")]


def test_a_private_fund_is_invoiced_with_vat(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        made = quote(
            session, by, at, customer_class=CustomerClass.OWN_MAINTAINED, paid_from="private_fund",
            schedule=Schedule.SINGLE, quantity="1",
        )  # fmt: skip
        assert figures(session, made) == [("368.00", "73.60", "441.60")]
        with pytest.raises(Refused, match="private fund"):
            quote(session, by, at, paid_from="private_fund")


@pytest.mark.parametrize("parts", [Schedule.SINGLE, Schedule.THREE, Schedule.SEVEN_FIVE, Schedule.MONTHLY])
def test_m7_instalments_always_add_up_to_the_penny(
    database: Database, by: Actor, at: datetime, parts: Schedule
) -> None:
    with database.transaction() as session:
        odd = an_offering(session, "5.47", code="ODD")
        made = quote(session, by, at, offering=odd, quantity="1", schedule=parts)
        documents = quoted_documents(session, made)
        assert total(one.net for one in documents) == made.net == Money(5_47)
        assert total(one.vat for one in documents) == made.vat
        if parts is Schedule.THREE:
            assert [str(one.net) for one in documents] == ["1.83", "1.82", "1.82"]


def test_m8_a_quote_is_the_same_on_whatever_day_it_is_made(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        school = a_school(session, customer_class=CustomerClass.ACADEMY)
        made = [
            quote(session, by, at + timedelta(days=days), school=school, quantity="20", **SCHOOL_YEAR)
            for days in (0, 30, 170)
        ]
        assert len({str(figures(session, one)) for one in made}) == 1
        assert len({str(one.lines[0].year_shares) for one in made}) == 1


def test_m9_nothing_to_pay_is_no_document(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        free = an_offering(session, "0.00", code="FREE-TRIAL")
        made = agreed(session, by, at, offering=free)
        assert quoted_documents(session, made) == []
        assert made.gross == Money(0)


@pytest.mark.parametrize(
    ("quantity", "step", "shares"),
    [
        ("20", "0.5", [("11.5", "4232.00"), ("8.5", "3128.00")]),
        ("38", "0.25", [("22.25", "8188.00"), ("15.75", "5796.00")]),
    ],
)
def test_a_school_year_is_cut_by_financial_years(
    database: Database, by: Actor, at: datetime, quantity: str, step: str, shares: list[tuple[str, str]]
) -> None:
    with database.transaction() as session:
        offering = an_offering(session, code=f"STEP-{step}", step=step)
        made = quote(session, by, at, offering=offering, quantity=quantity, **SCHOOL_YEAR)
        cut = read_shares(made.lines[0].year_shares)
        assert [(plain(one.quantity), str(one.net)) for one in cut] == shares


def test_an_agreed_split_counts_and_must_add_up(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        split = {FinancialYear(2025): Decimal(15), FinancialYear(2026): Decimal(5)}
        made = quote(session, by, at, quantity="20", year_split=split, **SCHOOL_YEAR)
        assert [one.quantity for one in read_shares(made.lines[0].year_shares)] == [15, 5]
        with pytest.raises(SplitDoesNotAddUp):
            quote(session, by, at, quantity="21", year_split=split, **SCHOOL_YEAR)


def test_greenwichs_hours_are_limited_for_each_term(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        terms(session)
        hours = an_offering(
            session, "48.50", code="HOURS", unit="hour", unit_minutes=60, step="1", minimum="5",
            maximum=Decimal(30), limit_basis="term",
        )  # fmt: skip
        for asked in ("4", "32"):
            with pytest.raises(QuantityRefused, match="each term between 5 and 30"):
                quote(session, by, at, offering=hours, quantity=asked, **SCHOOL_YEAR)
        made = quote(session, by, at, offering=hours, quantity="12", **SCHOOL_YEAR)
        shares = read_shares(made.lines[0].year_shares)
        assert made.lines[0].quantity == 36
        assert sum(share.minutes.minutes for share in shares if share.minutes) == 2160
        assert made.lines[0].explanation == "12 hours × 3 terms = 36 hours; 36 hours × £48.50 = £1,746.00"


def test_a_weekly_minimum_counts_school_weeks(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        terms(session)
        weekly = an_offering(session, code="WEEKLY", minimum_per_week=Decimal(1), phases=["Secondary"])
        with pytest.raises(
            TooLittleEachWeek, match=r"at least 1 day a week. That is 20 days in 20 school weeks"
        ):
            quote(session, by, at, offering=weekly, quantity="19")
        assert quote(session, by, at, offering=weekly, quantity="20").lines[0].quantity == 20
        primary = a_school(session, customer_class=CustomerClass.ACADEMY, phase="Primary")
        with pytest.raises(NotForYou, match="Secondary"):
            quote(session, by, at, offering=weekly, quantity="20", school=primary)


def test_core_is_refused_with_the_sentence_that_it_is_free(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        with pytest.raises(CoreIsFree, match="free core offer"):
            quote(session, by, at, offering=a_core_offering(session), quantity="1")
        assert session.scalars(select(Agreement)).all() == []


def test_an_offering_without_a_price_cannot_be_ordered(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session, pytest.raises(NoPrice, match="no price"):
        quote(session, by, at, offering=an_offering(session, None, code="UNSET"))


def test_a_service_cannot_sell_what_another_offers(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        foreign = an_offering(session, code="FOREIGN", service=a_service(session, "psychology"))
        with pytest.raises(Exception, match="nothing here"):
            quote(session, by, at, offering=foreign)


def test_the_first_buy_back_of_a_maintained_school_lasts_three_years_and_later_ones_five(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        school = a_school(session)
        with pytest.raises(TooLong, match="3 years"):
            quote(session, by, at, school=school, starts_on=date(2025, 4, 1), ends_on=date(2028, 4, 1))
        agreed(session, by, at, school=school, starts_on=date(2025, 4, 1), ends_on=date(2028, 3, 31))
        with pytest.raises(TooLong, match="5 years"):
            quote(session, by, at, school=school, starts_on=date(2025, 4, 1), ends_on=date(2030, 4, 1))
        assert quote(session, by, at, school=school, starts_on=date(2025, 4, 1), ends_on=date(2030, 3, 31))


def test_a_double_click_prepares_one_quote(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        school = a_school(session, customer_class=CustomerClass.ACADEMY)
        first = quote(session, by, at, school=school, once_key="k-1")
        assert quote(session, by, at, school=school, once_key="k-1").id == first.id


def test_a_newer_version_takes_the_place_of_a_quote(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        school = a_school(session, customer_class=CustomerClass.ACADEMY)
        old = quote(session, by, at, school=school)
        new = quote(session, by, at, school=school, quantity="10", replaces_id=old.id)
        assert agreement(session, old.id).status is AgreementStatus.SUPERSEDED
        assert newer_version(session, old.id) is new
        assert new.reference != old.reference


def test_n11_of_two_people_who_change_one_quote_the_second_gets_a_conflict_naming_the_newer(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        school = a_school(session, customer_class=CustomerClass.ACADEMY)
        old = quote(session, by, at, school=school)
        new = quote(session, by, at, school=school, quantity="10", replaces_id=old.id)
    with pytest.raises(Replaced, match=new.reference) as refused, database.transaction() as session:
        quote(session, by, at, school=school, quantity="8", replaces_id=old.id)
    assert refused.value.status == 409
    with database.reading() as session:
        assert len(session.scalars(select(Agreement)).all()) == 2


def test_e10_a_price_or_day_length_changed_later_leaves_a_quote_as_it_was(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        offering = an_offering(session)
        made = agreed(session, by, at, offering=offering)
        set_price(
            session, offering.id, CustomerClass.ACADEMY, unit_price=Money(400_00), starts_on=date(2026, 4, 1),
            by=by, at=at,
        )  # fmt: skip
        offering.unit_minutes = Minutes(420)
        session.flush()
        line = agreement(session, made.id).lines[0]
        assert (line.unit_minutes, line.unit_price, made.net) == (Minutes(444), Money(368_00), Money(4416_00))


def test_the_frozen_text_has_the_hash_of_its_facts(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        version = latest_version(session, quote(session, by, at).id)
        assert version.kind == "quote"
        assert version.sha256 == sha256(canonical_json(version.facts))


def test_quotes_expire_after_their_last_day_and_once(database: Database, by: Actor, at: datetime) -> None:
    with database.transaction() as session:
        made = quote(session, by, at)
        kept = quote(session, by, at)
        order(session, kept, by, at)
        last = datetime(2025, 11, 13, 23, 59, tzinfo=UTC)
        assert expire_quotes(session, at=last) == 0
        assert expire_quotes(session, at=last + timedelta(minutes=2)) == 1
        assert expire_quotes(session, at=last + timedelta(days=2)) == 0
        assert agreement(session, made.id).status is AgreementStatus.EXPIRED
        assert agreement(session, kept.id).status is AgreementStatus.ORDERED


def test_a_quote_is_withdrawn_before_it_is_ordered_and_not_after(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        made, ordered = quote(session, by, at), quote(session, by, at)
        assert withdraw_quote(session, made.id, by=by, at=at).status is AgreementStatus.WITHDRAWN
        order(session, ordered, by, at)
        with pytest.raises(Refused, match="already ordered"):
            withdraw_quote(session, ordered.id, by=by, at=at)


def test_dates_that_go_back_and_an_empty_quote_are_refused(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        school = a_school(session, customer_class=CustomerClass.ACADEMY)
        with pytest.raises(Refused, match="before the first"):
            quote(session, by, at, school=school, starts_on=date(2026, 4, 1), ends_on=date(2026, 3, 31))
        with pytest.raises(Refused, match="at least one"):
            quote(session, by, at, school=school, lines=[])
        with pytest.raises(Refused, match="pupil number"):
            quote(session, by, at, school=school, purchase_order="PO B820432109001")
