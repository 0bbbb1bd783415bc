"""Variations signed like an agreement: previewed, put to the school, signed once, with what they take up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sla_manager.agreements.commands import close_year
from sla_manager.agreements.commands.orders import OverTheLimit
from sla_manager.agreements.models import Variation, VariationProposal
from sla_manager.agreements.queries import balances
from sla_manager.agreements.rules.lapse import YearIsClosed
from sla_manager.agreements.rules.proposals import Medium, ProposalIsOver, ProposalStatus
from sla_manager.billing.commands.proposing import (
    ChangeHasRunOut,
    ChangeWaits,
    FactsChanged,
    ask_for_change,
    decline_change,
    expire_changes,
    propose_asked,
    propose_change,
    record_paper_signature,
    sign_change,
)
from sla_manager.billing.queries.proposing import change_preview, proposal
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import Customer, Person, School
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from sla_manager.visits.commands import log_delivery, plan_visit, vary_agreement
from sla_manager.visits.models import ExtraTime, ExtraTimeStatus
from sla_manager.visits.rules.slots import Part
from tests.rooms import selling
from tests.rooms.owing import documents, run_on, sums
from tests.rooms.test_changes import DAY, Sold, deliver, sold, weekdays
from tests.visiting import worked

MANAGER = Actor(None, "Test Manager", "203.0.113.8")
OCTOBER = datetime.fromisoformat("2025-09-20T11:00:00+00:00")
TWELFTH = as_at(date(2025, 11, 12))
ACCEPTED = {"role": "School business manager", "statement": "I have the authority.", "address": "203.0.113.7"}


def bought(session: Session, quantity: str = "10", delivered: int = 0) -> Sold:
    """Sell days from 1 October to March, and deliver some a week apart from 7 October."""
    what = sold(session, quantity=quantity, starts_on=date(2025, 10, 1), agreed_at=OCTOBER)
    deliver(session, what, weekdays(date(2025, 10, 7), delivered))
    return what


def overrun(session: Session, what: Sold, *, minutes: int, times: int) -> None:
    """Plan half days a week apart, then deliver more than was booked on each."""
    where: dict[str, Any] = {
        "officer_id": what.officer_id,
        "school_id": what.school_id,
        "line_id": what.line_id,
    }
    planned = [
        plan_visit(session, day=day, part=Part.MORNING, anyway=True, by=MANAGER, at=OCTOBER, **where)
        for day in weekdays(date(2025, 10, 7), times)
    ]
    for visit in planned:
        log_delivery(session, visit.id, activities=[worked(minutes)], by=MANAGER, at=as_at(visit.day))


def signer(session: Session, what: Sold, **more: Any) -> Person:
    """Return the school's business manager."""
    return selling.manager_of(session, session.get_one(School, what.school_id), **more)


def put(
    session: Session, what: Sold, quantity: str = "3", on: date = date(2025, 10, 1), **more: Any
) -> VariationProposal:
    """Propose a change."""
    wanted: dict[str, Any] = {"reason": "More pupils need support.", "by": MANAGER, "at": TWELFTH}
    return propose_change(
        session, what.line_id, quantity=Decimal(quantity), effective_on=on, **(wanted | more)
    )


def sign(session: Session, found: VariationProposal, who: Person, **more: Any) -> Variation:
    """Sign what was proposed."""
    wanted: dict[str, Any] = {"seen_sha256": found.sha256, "by": selling.acting(who), "at": TWELFTH}
    return sign_change(session, found.id, **(ACCEPTED | wanted | more))


def test_e5_three_days_signed_on_12_november_from_1_october_take_up_waiting_extra_time(
    database: Database,
) -> None:
    with database.transaction() as session:
        what = bought(session, "3")
        overrun(session, what, minutes=370, times=6)
        assert session.scalar(select(func.sum(ExtraTime.minutes))) == Minutes(2 * DAY)
        preview = change_preview(
            session, what.line_id, quantity=Decimal(3), effective_on=date(2025, 10, 1), reason="More.",
            today=date(2025, 11, 12),
        )  # fmt: skip
        assert preview.change.absorbed == Minutes(2 * DAY)
        assert any("2 days take up extra time" in one and "£736.00" in one for one in preview.sentences)
        who = signer(session, what)
        found = put(session, what)
        variation = sign(session, found, who)
        assert variation.absorbed == Minutes(2 * DAY)
        states = session.scalars(select(ExtraTime.status)).all()
        assert set(states) == {ExtraTimeStatus.ABSORBED}
        assert balances(session, agreement_id=what.agreement_id)[0].balance == Minutes(DAY)
    run_on(database, date(2025, 11, 12))
    assert sums(documents(database)[-1]) == ("1104.00", "220.80", "1324.80")


def test_evidence_is_kept_and_signing_in_two_tabs_is_one_variation(database: Database) -> None:
    with database.transaction() as session:
        what = bought(session)
        who = signer(session, what)
        session.execute(update(Customer).values(email="office@school.example"))
        found = put(session, what)
        first = sign(session, found, who)
        assert sign(session, found, who).id == first.id
        kept = proposal(session, found.id)
        assert (kept.status, kept.medium, kept.name, kept.role) == (
            ProposalStatus.SIGNED, Medium.PAGE, who.name, "School business manager",
        )  # fmt: skip
        assert (kept.address, kept.document_sha256) == ("203.0.113.7", found.sha256)
        assert kept.signed_at == TWELFTH
        mails = session.scalars(
            select(OutboxMessage.key).where(OutboxMessage.recipient == "office@school.example")
        )
        assert list(mails) == [f"proposal:{found.id}", f"variation:{first.id}"]
    with database.reading() as session:
        assert session.scalar(select(func.count(Variation.id))) == 1


def test_e6_below_what_is_delivered_is_refused_with_the_figures(database: Database) -> None:
    with database.transaction() as session:
        what = bought(session, "10", delivered=5)
    with pytest.raises(Refused, match=r"5 |37 hours"), database.transaction() as session:
        put(session, what, "-6")
    with database.transaction() as session:
        put(session, what, "-5")


def test_a_reduction_is_credited_when_it_is_signed(database: Database) -> None:
    with database.transaction() as session:
        what = bought(session)
        who = signer(session, what)
    run_on(database, date(2025, 10, 14))
    with database.transaction() as session:
        found = put(session, what, "-2", date(2025, 11, 1))
        assert (found.facts["document"], found.facts["net"]) == ("Credit note", "-736.00")
        sign(session, found, who)
    run_on(database, date(2025, 11, 12))
    assert sums(documents(database)[-1]) == ("-736.00", "-147.20", "-883.20")


def test_what_changed_meanwhile_is_refused_and_the_new_figures_can_be_signed(database: Database) -> None:
    with database.transaction() as session:
        what = bought(session)
        who = signer(session, what)
        found = put(session, what)
        deliver(session, what, [date(2025, 11, 11)])
    with pytest.raises(FactsChanged), database.transaction() as session:
        sign(session, found, who)
    with database.transaction() as session:
        now = change_preview(
            session, what.line_id, quantity=found.quantity, effective_on=found.effective_on, reason=found.reason,
            today=date(2025, 11, 12),
        )  # fmt: skip
        assert now.used == Minutes(DAY)
        sign(session, found, who, seen_sha256=now.sha256)
        assert proposal(session, found.id).document_sha256 == now.sha256


def test_n11_two_who_propose_for_one_line_meet_and_nothing_is_lost(database: Database) -> None:
    with database.transaction() as session:
        what = bought(session)
        first = put(session, what, once_key="a")
        assert put(session, what, once_key="a").id == first.id
    with pytest.raises(ChangeWaits, match="Test Manager"), database.transaction() as session:
        put(session, what, "2", once_key="b")
    with database.transaction() as session:
        decline_change(session, first.id, reason="Not now.", by=MANAGER, at=TWELFTH)
        put(session, what, "2", once_key="b")


def test_nobody_signs_above_her_limit_nor_for_another_school(database: Database) -> None:
    with database.transaction() as session:
        what = bought(session)
        small = signer(session, what, order_limit=Money(500_00))
        found = put(session, what)
    with pytest.raises(OverTheLimit, match=r"£1,104\.00"), database.transaction() as session:
        sign(session, found, small)
    with database.reading() as session:
        assert proposal(session, found.id).status is ProposalStatus.PROPOSED


def test_a_change_runs_out_and_a_decided_one_is_not_decided_again(database: Database) -> None:
    late = as_at(date(2026, 1, 20))
    with database.transaction() as session:
        what = bought(session)
        who = signer(session, what)
        found = put(session, what)
    with pytest.raises(ChangeHasRunOut), database.transaction() as session:
        sign(session, found, who, at=late)
    with database.transaction() as session:
        assert expire_changes(session, at=late, by=MANAGER) == 1
    with pytest.raises(ProposalIsOver, match="run out"), database.transaction() as session:
        sign(session, found, who, at=late)


def test_what_a_school_asks_for_is_proposed_then_signed_on_paper(database: Database) -> None:
    with database.transaction() as session:
        what = bought(session)
        who = signer(session, what)
        asked = ask_for_change(
            session, what.line_id, quantity=Decimal(2), effective_on=date(2025, 12, 1), reason="More.",
            by=selling.acting(who), at=TWELFTH,
        )  # fmt: skip
        assert asked.status is ProposalStatus.ASKED
        proposed = propose_asked(session, asked.id, by=MANAGER, at=TWELFTH)
        assert propose_asked(session, asked.id, by=MANAGER, at=TWELFTH).version == proposed.version
        record_paper_signature(
            session, asked.id, name="Ruth Amadi", role="Head teacher", statement="Paper of 10 November, file 12",
            by=MANAGER, at=TWELFTH,
        )  # fmt: skip
        kept = proposal(session, asked.id)
        assert (kept.medium, kept.name) == (Medium.PAPER, "Ruth Amadi")


def test_back_dated_only_within_the_year_and_while_it_is_open(database: Database) -> None:
    with database.transaction() as session:
        what = sold(
            session, quantity="10", starts_on=date(2025, 9, 1), ends_on=date(2026, 8, 31), agreed_at=OCTOBER
        )
        deliver(session, what, weekdays(date(2025, 10, 7), 6))
        close_year(session, FinancialYear(2025), by=MANAGER, at=as_at(date(2026, 4, 2)))
    with pytest.raises(YearIsClosed), database.transaction() as session:
        put(session, what, on=date(2026, 3, 1), at=as_at(date(2026, 4, 3)))
    with database.transaction() as session:
        put(session, what, on=date(2026, 4, 1), at=as_at(date(2026, 4, 3)))


def test_s12_what_is_proposed_never_changes_in_the_database(database: Database) -> None:
    with database.transaction() as session:
        what = bought(session)
        found = put(session, what)
    assert found.id
    for statement in (
        "UPDATE variation_proposal SET quantity = 1000",
        "UPDATE variation_proposal SET status = 'signed'",
        "DELETE FROM variation_proposal",
    ):
        with pytest.raises(IntegrityError), database.transaction() as session:
            session.execute(text(statement))


def together(*acts: Callable[[], object]) -> list[object]:
    """Do things at the same moment, each in its own thread; returns what came of each, errors too."""
    barrier = threading.Barrier(len(acts))

    def one(act: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return act()
        except (Refused, IntegrityError) as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(one, acts))


def test_n11_signed_at_the_same_moment_it_is_one_variation_and_the_control_makes_two(
    database: Database,
) -> None:
    with database.transaction() as session:
        what = bought(session)
        who = signer(session, what)
        found = put(session, what)

    def signing() -> int:
        with database.transaction() as session:
            return sign(session, found, who).id

    def unguarded() -> int:
        with database.transaction() as session:
            return vary_agreement(
                session, what.line_id, quantity=Decimal(1), effective_on=date(2025, 11, 12), reason="More.",
                by=MANAGER, at=TWELFTH,
            ).id  # fmt: skip

    first, second = together(signing, signing)
    assert first == second
    one, other = together(unguarded, unguarded)
    assert one != other


def test_proposed_at_the_same_moment_one_waits_and_the_other_is_told(database: Database) -> None:
    with database.transaction() as session:
        what = bought(session)

    def proposing(key: str) -> Callable[[], object]:
        def act() -> object:
            with database.transaction() as session:
                return put(session, what, once_key=key).id

        return act

    results = together(proposing("a"), proposing("b"))
    assert sum(isinstance(one, ChangeWaits) for one in results) == 1
