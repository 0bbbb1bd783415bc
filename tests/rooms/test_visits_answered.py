"""What schools say: agree, query, approve extra time; what variations absorb; two officers at the same moment."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from sla_manager.agreements.rules.ledger import Balance
from sla_manager.kernel.errors import Forbidden, NotFound, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from sla_manager.visits.commands import (
    decide_extra_time,
    delivering,
    log_delivery,
    record_no_access,
    respond_to_delivery,
    settle_query,
    vary_agreement,
)
from sla_manager.visits.commands.responding import AlreadyDecided, NothingToAnswer
from sla_manager.visits.models import ExtraTime, ExtraTimeStatus
from sla_manager.visits.queries import (
    awaiting_school,
    awaiting_service,
    past_visits,
    variation_preview,
    visit_in,
    visit_record,
)
from tests import builders
from tests.visiting import BY, TUESDAY, Scene, a_scene, a_visit, at_noon, entries, figures, worked

LATER = at_noon(date(2025, 11, 12))


def an_overrun(database: Database, *, extra: int = 222) -> tuple[Scene, int]:
    """Deliver half a day that was bought, and some time beyond it."""
    with database.transaction() as session:
        scene = a_scene(session, quantity="0.5")
        visit = a_visit(session, scene)
        log_delivery(session, visit.id, activities=[worked(222 + extra)], by=BY, at=at_noon(TUESDAY))
        return scene, visit.id


def a_manager(database: Database, scene: Scene) -> Actor:
    with database.transaction() as session:
        person = builders.a_person(session, Role.SCHOOL_BUSINESS_MANAGER, school=scene.school)
        return Actor(person.id, person.name)


def the_extra(database: Database) -> ExtraTime:
    with database.reading() as session:
        return session.scalars(select(ExtraTime)).one()


def test_extra_time_is_charged_only_after_a_person_of_the_school_approves_it(database: Database) -> None:
    scene, _ = an_overrun(database)
    extra = the_extra(database)
    with database.transaction() as session:
        stranger = builders.a_person(
            session, Role.SCHOOL_BUSINESS_MANAGER, school=builders.a_school(session), name="Other School"
        )
        council = builders.a_person(session, Role.SERVICE_MANAGER)
    for person in (stranger, council):
        with pytest.raises(Forbidden, match="Only a person of"), database.transaction() as session:
            decide_extra_time(session, extra.id, approve=True, by=Actor(person.id, person.name), at=LATER)
    with pytest.raises(Forbidden), database.transaction() as session:
        decide_extra_time(session, extra.id, approve=True, by=BY, at=LATER)
    manager = a_manager(database, scene)
    for _ in range(2):
        with database.transaction() as session:
            decided = decide_extra_time(session, extra.id, approve=True, by=manager, at=LATER)
    assert (decided.status, decided.net, decided.version) == (ExtraTimeStatus.APPROVED, Money(184_00), 2)
    with pytest.raises(AlreadyDecided), database.transaction() as session:
        decide_extra_time(session, extra.id, approve=False, by=manager, at=LATER)


def test_a_trusts_finance_lead_decides_for_its_schools(database: Database) -> None:
    scene, _ = an_overrun(database)
    with database.transaction() as session:
        trust = builders.a_trust(session)
        session.merge(scene.school).trust_id = trust.id
        lead = builders.a_person(session, Role.TRUST_FINANCE_LEAD, trust=trust)
    with database.transaction() as session:
        by = Actor(lead.id, lead.name)
        assert (
            decide_extra_time(session, the_extra(database).id, approve=False, by=by, at=LATER).decided_by
            == by.name
        )


def test_a_query_puts_the_visit_in_dispute_until_it_is_settled(database: Database) -> None:
    scene, visit_id = an_overrun(database)
    manager = a_manager(database, scene)
    with database.reading() as session:
        assert [visit.id for visit in awaiting_school(session, scene.school.id).deliveries] == [visit_id]
    for _ in range(2):
        with database.transaction() as session:
            respond_to_delivery(
                session, visit_id, answer="query", wording="Two hours only.", by=manager, at=LATER
            )
    with database.reading() as session:
        record = visit_record(session, visit_in(session, visit_id))
        assert (record.in_dispute, len(record.responses)) == (True, 1)
        waiting = awaiting_service(session, scene.service.id)
        assert ([visit.id for visit in waiting.queries], waiting.extra_time) == ([visit_id], 1)
        assert awaiting_school(session, scene.school.id).deliveries == ()
    with database.transaction() as session:
        settle_query(session, visit_id, wording="You are right.", minutes=Minutes(120), by=BY, at=LATER)
    assert entries(database, visit_id) == [("delivered", -222), ("reversal", 222), ("delivered", -120)]
    with database.reading() as session:
        (record,) = past_visits(session, scene.school.id)
        assert not record.in_dispute
        assert awaiting_service(session, scene.service.id).queries == ()
    with pytest.raises(Refused, match="no open query"), database.transaction() as session:
        settle_query(session, visit_id, wording="Again.", by=BY, at=LATER)


def test_settling_never_takes_more_than_before(database: Database) -> None:
    _, visit_id = an_overrun(database)
    with database.transaction() as session:
        respond_to_delivery(session, visit_id, answer="query", wording="Why?", by=BY, at=LATER)
    with pytest.raises(Refused, match="Enter that or less"), database.transaction() as session:
        settle_query(session, visit_id, wording="No.", minutes=Minutes(300), by=BY, at=LATER)


def test_a_charge_for_a_locked_door_can_be_queried_and_given_back(database: Database) -> None:
    with database.transaction() as session:
        scene = a_scene(session)
        visit = a_visit(session, scene)
        record_no_access(session, visit.id, reason="Locked.", by=BY, at=at_noon(TUESDAY))
        respond_to_delivery(session, visit.id, answer="query", wording="We were open.", by=BY, at=LATER)
        settle_query(session, visit.id, wording="Sorry.", minutes=Minutes(0), by=BY, at=LATER)
    assert entries(database, visit.id) == [("charged", -222), ("reversal", 222)]
    with database.reading() as session:
        assert figures(session, scene.tranche.id).balance == Minutes(4440)


def test_a_planned_visit_has_nothing_to_agree_and_a_query_needs_words(database: Database) -> None:
    with database.transaction() as session:
        scene = a_scene(session)
        planned = a_visit(session, scene)
    with pytest.raises(NothingToAnswer), database.transaction() as session:
        respond_to_delivery(session, planned.id, answer="agree", by=BY, at=LATER)
    _, visit_id = scene, planned.id
    with database.transaction() as session:
        log_delivery(session, visit_id, activities=[worked(60)], by=BY, at=at_noon(TUESDAY))
    with pytest.raises(Refused, match="Enter what is wrong"), database.transaction() as session:
        respond_to_delivery(session, visit_id, answer="query", wording=" ", by=BY, at=LATER)
    with pytest.raises(NotFound), database.transaction() as session:
        respond_to_delivery(session, visit_id + 1, answer="agree", by=BY, at=LATER)


@pytest.mark.parametrize(
    ("quantity", "absorbed", "left", "status", "balance"),
    [("3", 222, 0, ExtraTimeStatus.ABSORBED, 1110), ("0.5", 222, 0, ExtraTimeStatus.ABSORBED, 0)],
)
def test_e5_a_variation_says_what_extra_time_it_absorbs_and_then_absorbs_it(
    database: Database, quantity: str, absorbed: int, left: int, status: ExtraTimeStatus, balance: int
) -> None:
    scene, visit_id = an_overrun(database)
    effective = date(2025, 11, 1)
    with database.reading() as session:
        preview = variation_preview(
            session, scene.line.id, quantity=Decimal(quantity), effective_on=effective
        )
        assert (preview.absorbed, preview.spared) == (Minutes(absorbed), Money(184_00))
        assert any("0.5 days of that take up extra time" in sentence for sentence in preview.sentences)
    for _ in range(2):
        with database.transaction() as session:
            variation = vary_agreement(
                session,
                scene.line.id,
                quantity=Decimal(quantity),
                effective_on=effective,
                reason="More help.",
                by=BY,
                at=LATER,
                once_key="form",
            )
    assert variation.absorbed == Minutes(absorbed)
    assert the_extra(database).status is status
    assert entries(database, visit_id) == [("delivered", -222), ("delivered", -222)]
    with database.reading() as session:
        assert figures(session, scene.tranche.id).balance == Minutes(balance)
        assert visit_record(session, visit_in(session, visit_id)).deducted == Minutes(444)


def test_e5_a_variation_that_is_too_small_leaves_the_rest_proposed_at_its_price(database: Database) -> None:
    scene, visit_id = an_overrun(database, extra=444)
    with database.transaction() as session:
        vary_agreement(
            session,
            scene.line.id,
            quantity=Decimal("0.5"),
            effective_on=date(2025, 11, 1),
            reason="More.",
            by=BY,
            at=LATER,
        )
    extra = the_extra(database)
    assert (extra.status, extra.minutes, extra.net) == (ExtraTimeStatus.PROPOSED, Minutes(222), Money(184_00))
    assert entries(database, visit_id) == [("delivered", -222), ("delivered", -222)]


def test_e5_extra_time_delivered_before_the_variation_takes_effect_is_not_absorbed(
    database: Database,
) -> None:
    scene, _ = an_overrun(database)
    with database.reading() as session:
        preview = variation_preview(
            session, scene.line.id, quantity=Decimal("3"), effective_on=date(2025, 11, 5)
        )
        assert preview.absorbed == Minutes(0)


class Race:
    """Two officers, each with a visit planned against the last day, log a whole day each at the same moment."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.transaction() as session:
            self.scene = a_scene(session, quantity="1")
            other = builders.an_officer(session, "Ben Carter")
            first = a_visit(session, self.scene)
            second = a_visit(session, self.scene, officer_id=other.id)
            self.visits = (first.id, second.id)

    def run(self) -> list[Exception]:
        """Log both; return what went wrong."""
        barrier, errors = threading.Barrier(2), list[Exception]()

        def log(visit_id: int) -> None:
            barrier.wait()
            try:
                with self.database.transaction() as session:
                    log_delivery(session, visit_id, activities=[worked(444)], by=BY, at=at_noon(TUESDAY))
            except (Refused, IntegrityError) as error:
                errors.append(error)

        threads = [threading.Thread(target=log, args=(visit_id,)) for visit_id in self.visits]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return errors


def test_e4_two_officers_at_the_same_moment_both_log_and_the_rest_is_proposed(database: Database) -> None:
    race = Race(database)
    assert race.run() == []
    with database.reading() as session:
        found = figures(session, race.scene.tranche.id)
        assert (found.delivered, found.balance) == (Minutes(444), Minutes(0))
    extra = the_extra(database)
    assert (extra.minutes, extra.net) == (Minutes(444), Money(368_00))


def test_e4_control_a_balance_read_before_the_lock_fails_one_of_the_two(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    race = Race(database)

    def read_early(_session: object, tranche_id: int) -> Balance:
        return early[tranche_id]

    with database.reading() as session:
        early = {race.scene.tranche.id: figures(session, race.scene.tranche.id)}
    monkeypatch.setattr(delivering, "balance_locked", read_early)
    assert len(race.run()) == 1
