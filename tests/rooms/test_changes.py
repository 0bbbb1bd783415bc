"""Early ends and transfers in the books: what is charged and credited, where the time goes, what stays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sla_manager.agreements.commands.terminations import AlreadyEnding, FiguresChanged, end_what_is_over
from sla_manager.agreements.commands.transfers import Consent, NotTheirs, NotYetInEffect
from sla_manager.agreements.models import (
    Agreement,
    AgreementLine,
    LedgerEntry,
    Paper,
    Termination,
    Tranche,
    Transfer,
    Variation,
)
from sla_manager.agreements.queries import balances, quoted_documents
from sla_manager.agreements.rules.endings import NoEarlyEnd
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus, Origin
from sla_manager.billing.commands.ending import terminate_agreement, transfer_agreement
from sla_manager.billing.queries import agreement_values
from sla_manager.billing.queries.endings import ending_preview, going_on_preview
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.money import Money, total
from sla_manager.people.models import Customer, Officer, School
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.reports.integrity import problems
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from sla_manager.visits.commands import log_delivery, plan_visit
from sla_manager.visits.commands.planning import EndsEarlier
from sla_manager.visits.commands.transferring import LogThemFirst
from sla_manager.visits.models import Visit, VisitStatus
from sla_manager.visits.rules.slots import Part
from tests import builders
from tests.rooms import selling
from tests.rooms.owing import documents, run_on, sums
from tests.visiting import worked

BY = Actor(None, "Test", "203.0.113.7")
BEFORE = datetime.fromisoformat("2025-03-20T11:00:00+00:00")
CONSENT = Consent(name="Priya Nair", role="Finance lead", statement="Letter of 12 December 2025")
DAY = 444


@dataclass(frozen=True)
class Sold:
    """An agreement, its one line, and the officer who delivers it."""

    agreement_id: int
    line_id: int
    school_id: int
    officer_id: int


def sold(session: Session, *, agreed_at: datetime = BEFORE, **more: Any) -> Sold:
    """Sell 12 days to a school as a test wants."""
    builders.terms(session)
    agreement = selling.agreed(session, BY, agreed_at, **more)
    line = session.scalars(select(AgreementLine).where(AgreementLine.agreement_id == agreement.id)).one()
    return Sold(agreement.id, line.id, agreement.school_id, builders.an_officer(session).id)


def a_year(session: Session, **more: Any) -> Sold:
    """Sell 12 days from April to March, paid at once, with three months' notice."""
    wanted: dict[str, Any] = {
        "starts_on": date(2025, 4, 1),
        "ends_on": date(2026, 3, 31),
        "schedule": Schedule.SINGLE,
        "notice_months": 3,
    }
    return sold(session, **(wanted | more))


def deliver(session: Session, what: Sold, days: list[date]) -> None:
    """Deliver whole days."""
    for day in days:
        visit = plan_visit(
            session, officer_id=what.officer_id, school_id=what.school_id, line_id=what.line_id, day=day,
            part=Part.DAY, anyway=True, by=BY, at=as_at(day),
        )  # fmt: skip
        log_delivery(session, visit.id, activities=[worked(DAY)], by=BY, at=as_at(day))


def weekdays(first: date, count: int) -> list[date]:
    """Return days of a week each, from the first."""
    return [date.fromordinal(first.toordinal() + 7 * number) for number in range(count)]


def give_notice(session: Session, what: Sold, on: date = date(2025, 8, 31), **more: Any) -> Termination:
    """Give notice for the school."""
    wanted: dict[str, Any] = {
        "cause": "notice",
        "notice_on": on,
        "given_by": "school",
        "name": "Ruth Amadi",
        "role": "Head teacher",
        "reason": "We take the work in house.",
        "by": BY,
        "at": as_at(on),
    }
    return terminate_agreement(session, what.agreement_id, **(wanted | more))


def books(database: Database, agreement_id: int) -> tuple[Money, Money]:
    """Return what an agreement is worth, and what was charged less credited."""
    with database.reading() as session:
        return agreement_values(session, [agreement_id])[agreement_id]


@pytest.mark.parametrize(
    ("delivered", "payable", "credit", "left"),
    [
        (5, "2944.00", ("-1472.00", "-294.40", "-1766.40"), 3),
        (10, "3680.00", ("-736.00", "-147.20", "-883.20"), 0),
    ],
)
def test_notice_of_three_months_on_31_august_credits_what_is_not_payable(
    database: Database, delivered: int, payable: str, credit: tuple[str, str, str], left: int
) -> None:
    with database.transaction() as session:
        what = a_year(session)
        deliver(session, what, weekdays(date(2025, 5, 6), delivered))
    run_on(database, date(2025, 4, 1))
    with database.transaction() as session:
        ended = give_notice(session, what)
        assert (ended.ends_on, str(ended.payable)) == (date(2025, 11, 30), payable)
        assert session.get_one(Agreement, what.agreement_id).ends_early_on == date(2025, 11, 30)
        standing = balances(session, agreement_id=what.agreement_id)[0]
        assert (standing.balance, standing.ends_on) == (Minutes(left * DAY), date(2025, 11, 30))
    run_on(database, date(2025, 11, 30))
    invoice, note = documents(database)
    assert (invoice.kind, str(invoice.net)) == (DocumentKind.INVOICE, "4416.00")
    assert note.kind is DocumentKind.CREDIT_NOTE
    assert sums(note) == credit
    assert books(database, what.agreement_id) == (Money.parse(payable), Money.parse(payable))


def test_later_instalments_are_not_charged_and_nothing_is_credited_when_they_come_out_even(
    database: Database,
) -> None:
    with database.transaction() as session:
        what = a_year(session, schedule=Schedule.THREE)
        give_notice(session, what)
        agreement = session.get_one(Agreement, what.agreement_id)
    for day in (date(2025, 4, 1), date(2025, 9, 1), date(2026, 1, 1), date(2026, 3, 31)):
        run_on(database, day)
    assert [str(one.net) for one in documents(database)] == ["1472.00", "1472.00"]
    assert books(database, what.agreement_id) == (Money(2944_00), Money(2944_00))
    with database.reading() as session:
        loaded = session.get_one(Agreement, agreement.id)
        assert total(one.net for one in quoted_documents(session, loaded)) == Money(2944_00)


def test_more_delivered_than_charged_by_then_is_charged_once(database: Database) -> None:
    with database.transaction() as session:
        what = a_year(session, schedule=Schedule.MONTHLY)
        deliver(session, what, weekdays(date(2025, 5, 6), 10))
        give_notice(session, what)
    for month in range(4, 13):
        run_on(database, date(2025, month, 1))
    run_on(database, date(2026, 3, 1))
    found = documents(database)
    assert total(one.net for one in found) == Money(3680_00)
    assert str(found[-1].net) == "736.00"
    line = found[-1].lines[0]
    assert (str(line.quantity), line.unit, str(line.unit_price)) == ("1.000", "part", "736.00")
    with database.reading() as session:
        assert list(problems(session, Nothing())) == []


class Nothing:
    """An archive that is not asked: nothing was printed."""

    def read(self, path: str, sha256_kept: str) -> bytes:
        """Nothing was kept."""
        raise AssertionError(path + sha256_kept)


def test_without_notice_only_consent_with_its_reason_ends_it(database: Database) -> None:
    with database.transaction() as session:
        what = a_year(session, notice_months=0)
    with pytest.raises(NoEarlyEnd), database.transaction() as session:
        give_notice(session, what)
    with database.transaction() as session:
        ended = give_notice(
            session, what, cause="consent", ends_on=date(2025, 9, 30), given_by="both", reason="Both agreed."
        )
        assert str(ended.payable) == "2208.00"


def test_ended_twice_in_two_tabs_it_ends_once(database: Database) -> None:
    with database.transaction() as session:
        what = a_year(session)
        first = give_notice(session, what, once_key="k")
        assert give_notice(session, what, once_key="k").id == first.id
    with pytest.raises(AlreadyEnding, match="30 November 2025"), database.transaction() as session:
        give_notice(session, what, once_key="other")
    with database.reading() as session:
        assert session.scalar(select(func.count(Variation.id))) == 1


def test_figures_that_changed_since_the_page_are_refused(database: Database) -> None:
    with database.transaction() as session:
        what = a_year(session)
        seen = ending_preview(session, what.agreement_id, ends_on=date(2025, 11, 30)).sha256
        deliver(session, what, weekdays(date(2025, 5, 6), 10))
    with pytest.raises(FiguresChanged), database.transaction() as session:
        give_notice(session, what, seen_sha256=seen)


def test_visits_after_the_end_are_listed_then_cancelled_free_and_none_can_be_planned(
    database: Database,
) -> None:
    with database.transaction() as session:
        what = a_year(session)
        late = plan_visit(
            session, officer_id=what.officer_id, school_id=what.school_id, line_id=what.line_id,
            day=date(2026, 1, 13), part=Part.MORNING, by=BY, at=as_at(date(2025, 8, 1)),
        )  # fmt: skip
        preview = ending_preview(session, what.agreement_id, ends_on=date(2025, 11, 30))
        assert [visit.id for visit in preview.visits] == [late.id]
        assert any("1 planned visit will be cancelled" in one for one in preview.sentences)
        give_notice(session, what)
        assert session.get_one(Visit, late.id).status is VisitStatus.CANCELLED
        charged = select(func.count(LedgerEntry.id)).where(LedgerEntry.kind == EntryKind.CHARGED)
        assert session.scalar(charged) == 0
    with pytest.raises(EndsEarlier), database.transaction() as session:
        plan_visit(
            session, officer_id=what.officer_id, school_id=what.school_id, line_id=what.line_id,
            day=date(2025, 12, 2), part=Part.MORNING, by=BY, at=as_at(date(2025, 9, 1)),
        )  # fmt: skip


def test_the_night_after_the_last_day_marks_it_as_ended(database: Database) -> None:
    with database.transaction() as session:
        what = a_year(session)
        give_notice(session, what)
        assert end_what_is_over(session, today=date(2025, 11, 30), by=BY, at=as_at(date(2025, 11, 30))) == 0
        assert end_what_is_over(session, today=date(2025, 12, 1), by=BY, at=as_at(date(2025, 12, 1))) == 1
        assert session.get_one(Agreement, what.agreement_id).status is AgreementStatus.ENDED


def test_a_dropped_instalment_cannot_be_billed_nor_a_billed_one_dropped(database: Database) -> None:
    with database.transaction() as session:
        what = a_year(session, schedule=Schedule.THREE)
    run_on(database, date(2025, 4, 1))
    with database.transaction() as session:
        give_notice(session, what)
    billed = (
        "INSERT INTO billed (id, purpose, source_id, route, document_id) SELECT 999, 'instalment', instalment_id, "
        "'invoice', (SELECT MIN(id) FROM document) FROM dropped_instalment"
    )
    dropped = (
        "INSERT INTO dropped_instalment (id, instalment_id, termination_id) SELECT 999, source_id, "
        "(SELECT MIN(id) FROM termination) FROM billed"
    )
    for statement, says in ((billed, "instalment_is_dropped"), (dropped, "instalment_is_billed")):
        with pytest.raises(IntegrityError, match=says), database.transaction() as session:
            session.execute(text(statement))


# transfers


@dataclass(frozen=True)
class Conversion:
    """A maintained school with 12 days, and the academy that follows it."""

    sold: Sold
    academy_id: int
    trust_customer_id: int


def converting(session: Session, *, delivered: int = 7) -> Conversion:
    """Sell 12 days from 14 October to a maintained school, deliver some, and open the academy."""
    school = builders.a_school(session, customer_class=CustomerClass.OWN_MAINTAINED)
    what = sold(session, school=school, agreed_at=datetime.fromisoformat("2025-10-10T11:00:00+00:00"))
    deliver(session, what, weekdays(date(2025, 10, 14), delivered))
    trust = builders.a_trust(session)
    academy = builders.a_school(session, customer_class=CustomerClass.ACADEMY, trust=trust)
    customer = session.scalars(select(Customer).where(Customer.trust_id == trust.id)).one()
    session.get_one(School, school.id).link_officer_id = session.scalars(select(Officer.id)).first()
    return Conversion(what, academy.id, customer.id)


def convert(session: Session, what: Conversion, **more: Any) -> Transfer:
    """Carry the agreement on with the trust from 1 January."""
    wanted: dict[str, Any] = {
        "to_school_id": what.academy_id,
        "to_customer_id": what.trust_customer_id,
        "effective_on": date(2026, 1, 1),
        "consent": CONSENT,
        "reason": "Conversion to an academy.",
        "by": BY,
        "at": as_at(date(2026, 1, 5)),
    }
    return transfer_agreement(session, what.sold.agreement_id, **(wanted | more))


def test_e11_conversion_on_1_january_of_a_school_that_paid_two_recharges(database: Database) -> None:
    with database.transaction() as session:
        what = converting(session)
    run_on(database, date(2025, 10, 14))
    run_on(database, date(2026, 1, 1))
    before = documents(database)
    assert [str(one.net) for one in before] == ["1472.00", "1472.00"]
    with database.transaction() as session:
        old_time = total_minutes(one.figures.bought for one in balances(session))
        transfer = convert(session, what)
        assert total_minutes(one.figures.bought for one in balances(session)) == old_time
        assert transfer.moved == Minutes(5 * DAY)
        new = session.get_one(Agreement, transfer.to_agreement_id)
        assert (new.origin, new.status) == (Origin.TRANSFER, AgreementStatus.AGREED)
        assert (str(new.net), str(new.vat), new.customer_class) == (
            "1840.00",
            "368.00",
            CustomerClass.ACADEMY,
        )
        assert (new.starts_on, new.ends_on) == (date(2026, 1, 1), date(2026, 3, 31))
        moved = session.scalars(
            select(LedgerEntry)
            .where(LedgerEntry.cause == f"transfer:{transfer.id}")
            .order_by(LedgerEntry.minutes)
        ).all()
        assert [(one.kind.value, one.minutes.minutes) for one in moved] == [
            ("varied", -2220),
            ("contracted", 2220),
        ]
        years = {session.get_one(Tranche, one.tranche_id).year for one in moved}
        assert years == {2025}
        academy = session.get_one(School, what.academy_id)
        assert academy.link_officer_id == what.sold.officer_id
    run_on(database, date(2026, 1, 5))
    run_on(database, date(2026, 3, 1))
    after = documents(database)
    assert [(one.kind.value, *sums(one)) for one in after[2:]] == [
        ("invoice", "1840.00", "368.00", "2208.00"),
        ("recharge_credit", "-368.00", "0.00", "-368.00"),
    ]
    assert [(one.hash, one.customer_id) for one in after[:2]] == [
        (one.hash, one.customer_id) for one in before
    ]
    assert after[2].customer_id == what.trust_customer_id
    with database.reading() as session:
        assert list(problems(session, Nothing())) == []
    assert books(database, what.sold.agreement_id) == (Money(2576_00), Money(2576_00))


def test_visits_follow_with_officer_and_time(database: Database) -> None:
    with database.transaction() as session:
        what = converting(session)
        where: dict[str, Any] = {"officer_id": what.sold.officer_id, "school_id": what.sold.school_id}
        where |= {"by": BY, "at": as_at(date(2025, 12, 1))}
        visit = plan_visit(
            session, line_id=what.sold.line_id, day=date(2026, 1, 13), part=Part.MORNING, **where
        )
        core = plan_visit(session, day=date(2026, 1, 20), part=Part.MORNING, **where)
        kept = (visit.officer_id, visit.starts_at, visit.ends_at)
        preview = going_on_preview(session, what.sold.agreement_id, effective_on=date(2026, 1, 1))
        assert [one.id for one in preview.visits] == [visit.id]
        transfer = convert(session, what)
    with database.reading() as session:
        moved, free = session.get_one(Visit, visit.id), session.get_one(Visit, core.id)
        assert (moved.officer_id, moved.starts_at, moved.ends_at) == kept
        assert moved.school_id == free.school_id == what.academy_id
        tranche = session.get_one(Tranche, moved.tranche_id)
        line = session.get_one(AgreementLine, tranche.line_id)
        assert line.agreement_id == transfer.to_agreement_id


def test_what_cannot_be_carried_on_is_refused_and_nothing_is_half_done(database: Database) -> None:
    with database.transaction() as session:
        what = converting(session)
        plan_visit(
            session, officer_id=what.sold.officer_id, school_id=what.sold.school_id, line_id=what.sold.line_id,
            day=date(2025, 12, 16), part=Part.MORNING, by=BY, at=as_at(date(2025, 12, 1)),
        )  # fmt: skip
        stranger = builders.a_school(session, customer_class=CustomerClass.ACADEMY)
        foreign = builders.customer_of(session, stranger).id
    for error, more in (
        (LogThemFirst, {}),
        (NotYetInEffect, {"effective_on": date(2025, 12, 10), "at": as_at(date(2025, 12, 9))}),
        (NotTheirs, {"to_customer_id": foreign, "effective_on": date(2025, 12, 9)}),
    ):
        with pytest.raises(error), database.transaction() as session:
            convert(session, what, **more)
    with database.reading() as session:
        assert session.scalar(select(func.count(Agreement.id))) == 1
        assert session.scalar(select(func.count(Termination.id))) == 0


def test_carried_on_twice_it_is_one(database: Database) -> None:
    with database.transaction() as session:
        what = converting(session)
        first = convert(session, what, once_key="k")
        assert convert(session, what, once_key="k").id == first.id
    with pytest.raises(AlreadyEnding), database.transaction() as session:
        convert(session, what, once_key="other")
    with database.reading() as session:
        assert session.scalar(select(func.count(Agreement.id))) == 2


def test_a_trust_change_keeps_the_school_and_changes_who_pays(database: Database) -> None:
    with database.transaction() as session:
        trust = builders.a_trust(session)
        school = builders.a_school(session, customer_class=CustomerClass.ACADEMY, trust=trust)
        what = a_year(session, school=school)
        payer = session.scalars(select(Customer).where(Customer.trust_id == trust.id)).one()
    run_on(database, date(2025, 4, 1))
    with database.transaction() as session:
        transfer = transfer_agreement(
            session, what.agreement_id, to_school_id=school.id, to_customer_id=payer.id,
            effective_on=date(2025, 9, 1), consent=CONSENT, reason="The school joined a trust.", by=BY,
            at=as_at(date(2025, 9, 2)),
        )  # fmt: skip
        assert transfer.moved == Minutes(12 * DAY)
    run_on(database, date(2025, 9, 2))
    found = documents(database)
    assert [(one.kind.value, str(one.net)) for one in found] == [
        ("invoice", "4416.00"), ("invoice", "4416.00"), ("credit_note", "-4416.00"),
    ]  # fmt: skip
    assert found[1].customer_id == payer.id


def test_two_financial_years_each_move_inside_themselves(database: Database) -> None:
    with database.transaction() as session:
        what = sold(
            session, quantity="20", starts_on=date(2025, 9, 1), ends_on=date(2026, 8, 31),
            school=builders.a_school(session, customer_class=CustomerClass.OWN_MAINTAINED),
        )  # fmt: skip
        deliver(session, what, weekdays(date(2025, 9, 9), 3))
        trust = builders.a_trust(session)
        academy = builders.a_school(session, customer_class=CustomerClass.ACADEMY, trust=trust)
        customer = builders.customer_of(session, academy)
        before = {one.year: one.figures.bought for one in balances(session)}
        convert(session, Conversion(what, academy.id, customer.id), effective_on=date(2026, 1, 1))
        after: dict[int, Minutes] = {}
        for one in balances(session):
            after[one.year] = after.get(one.year, Minutes(0)) + one.figures.bought
        assert after == before


def test_what_was_delivered_since_the_conversion_is_the_trusts(database: Database) -> None:
    with database.transaction() as session:
        what = converting(session)
        deliver(session, what.sold, [date(2026, 1, 6)])
        transfer = convert(session, what, at=as_at(date(2026, 1, 7)))
        assert transfer.moved == Minutes(5 * DAY)
        figures = {one.agreement_id: one.figures for one in balances(session)}
        assert figures[what.sold.agreement_id].delivered == Minutes(7 * DAY)
        assert figures[transfer.to_agreement_id or 0].delivered == Minutes(DAY)
        assert figures[transfer.to_agreement_id or 0].balance == Minutes(4 * DAY)


def test_an_early_end_has_its_paper_and_its_mail_once(database: Database) -> None:
    with database.transaction() as session:
        what = a_year(session)
        session.execute(update(Customer).values(email="office@school.example"))
        ended = give_notice(session, what)
        paper = session.scalars(select(Paper).where(Paper.kind == "ending")).one()
        assert (paper.kind, paper.key) == ("ending", f"ending:{ended.id}")
        assert paper.facts["sections"][1]["table"]["last_row"][-1] == "£2,944.00"
        posted = select(func.count(OutboxMessage.id)).where(OutboxMessage.key == f"ending:{ended.id}")
        assert session.scalar(posted) == 1
