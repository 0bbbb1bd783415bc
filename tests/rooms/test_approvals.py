"""Approval: above her limit somebody else orders, by a link that works once, for one person, for one text."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sla_manager.agreements.commands import accept_order
from sla_manager.agreements.commands.approvals import (
    DecidedAlready,
    LinkOver,
    approve_order,
    decline_approval,
)
from sla_manager.agreements.commands.asking import CannotApprove, OwnOrder, ask_approval, withdraw_approval
from sla_manager.agreements.commands.orders import OverTheLimit
from sla_manager.agreements.commands.quotes import Replaced
from sla_manager.agreements.models import Acceptance, Agreement, Approval, ApprovalDecision
from sla_manager.agreements.queries import acceptance_of
from sla_manager.agreements.queries.approvals import approval_by_token, approvals_waiting, approvers
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.gateways.mail import Mail
from sla_manager.jobs.outbox import NOT_KEPT, send_outbox
from sla_manager.kernel.errors import Conflict, Forbidden, NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.references import token_hash
from sla_manager.people.models import Membership, Person, School
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor, AuditEntry
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from tests import builders
from tests.rooms import selling
from tests.rooms.selling import acting


@dataclass
class People:
    """A school with a manager who may order up to £2,000, a head up to £4,000, and a chair without a limit."""

    school: School
    manager: Person
    head: Person
    chair: Person
    quote: Agreement

    def ask(self, session: Session, at: datetime, approver: Person | None = None, **more: str) -> Approval:
        return ask_approval(
            session,
            self.quote.id,
            school_id=self.school.id,
            approver_id=(approver or self.chair).id,
            by=acting(self.manager),
            at=at,
            **more,
        )


def people(session: Session, at: datetime) -> People:
    school = builders.a_school(session, customer_class=CustomerClass.ACADEMY)
    manager = selling.manager_of(
        session, school, order_limit=Money.parse("2000.00"), email="m@school.example"
    )
    head = builders.a_person(
        session,
        Role.HEAD_TEACHER,
        school=school,
        order_limit=Money.parse("4000.00"),
        email="h@school.example",
    )
    chair = builders.a_person(session, Role.CHAIR_OF_GOVERNORS, school=school, email="c@school.example")
    quote = selling.quote(session, acting(manager), at, school=school)
    return People(school, manager, head, chair, quote)


def approve(session: Session, approval: Approval, who: Person, at: datetime) -> Agreement:
    return approve_order(
        session,
        approval.id,
        role="Chair of governors",
        statement="I have the authority.",
        address="203.0.113.9",
        by=acting(who),
        at=at,
    )


def token_in(session: Session, approval: Approval) -> str:
    body = session.scalars(
        select(OutboxMessage.body).where(OutboxMessage.key == f"approval:{approval.id}")
    ).one()
    found = re.search(r"\{address\}/school/approvals/(\S+)", body)
    assert found is not None
    return found[1]


def test_an_order_above_the_limit_is_approved_by_the_chair_with_her_evidence(
    database: Database, at: datetime
) -> None:
    with database.transaction() as session:
        cast = people(session, at)
        with pytest.raises(OverTheLimit, match=r"£4,416\.00 net and your limit is £2,000\.00"):
            selling.order(session, cast.quote, acting(cast.manager), at)
        approval = cast.ask(session, at, message="For the spring term.", purchase_order="PO 12")
        ordered = approve(session, approval, cast.chair, at)
        assert ordered.status is AgreementStatus.ORDERED
        assert ordered.purchase_order == "PO 12"
        evidence = acceptance_of(session, ordered.id)
        assert evidence is not None
        assert (evidence.person_id, evidence.role) == (cast.chair.id, "Chair of governors")
        assert (evidence.address, evidence.accepted_at) == ("203.0.113.9", at)
        assert evidence.document_sha256 == approval.document_sha256
        assert f"Prepared by {cast.manager.name}" in evidence.statement
        answer = session.scalars(
            select(OutboxMessage).where(OutboxMessage.key == f"approval-answer:{approval.id}")
        ).one()
        assert answer.recipient == "m@school.example"
        accept_order(session, ordered.id, by=Actor(None, "Service"), at=at)
        agreed = select(OutboxMessage.recipient).where(OutboxMessage.key == f"agreed:{ordered.id}")
        assert session.scalars(agreed).one() == "m@school.example"


def test_a_head_approves_within_her_limit_and_not_above_it(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        cast = people(session, at)
        assert [(one.name, str(one.limit)) for one in approvers(session, cast.school)] == [
            (cast.chair.name, "None"),
            (cast.head.name, "4000.00"),
        ]
        with pytest.raises(CannotApprove, match=cast.chair.name):
            cast.ask(session, at, cast.head)
        small = selling.quote(session, acting(cast.manager), at, school=cast.school, quantity="8")
        cast.quote = small
        approval = cast.ask(session, at, cast.head)
        assert approve(session, approval, cast.head, at).status is AgreementStatus.ORDERED


def test_an_approver_s_limit_counts_when_she_approves(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        cast = people(session, at)
        approval = cast.ask(session, at)
        held = session.scalars(select(Membership).where(Membership.person_id == cast.chair.id)).one()
        held.order_limit = Money.parse("100.00")
        session.flush()
        with pytest.raises(OverTheLimit, match=r"your limit is £100\.00"):
            approve(session, approval, cast.chair, at)


def test_nobody_approves_her_own_order_above_her_limit(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        cast = people(session, at)
        with pytest.raises(OwnOrder):
            cast.ask(session, at, cast.manager)
        cast.quote = selling.quote(session, acting(cast.head), at, school=cast.school)
        with pytest.raises(OwnOrder):
            cast.ask(session, at, cast.head)
        with pytest.raises(OverTheLimit):
            selling.order(session, cast.quote, acting(cast.head), at)
    with database.transaction() as session:
        approval = cast.ask(session, at)
    with pytest.raises(IntegrityError, match="somebody_else"), database.transaction() as session:
        session.get_one(Approval, approval.id).approver_id = approval.asked_by_id


def test_a_chair_may_approve_and_not_order(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        cast = people(session, at)
        with pytest.raises(Forbidden):
            selling.order(session, cast.quote, acting(cast.chair), at)


def test_s10_a_link_is_for_one_person_and_only_its_hash_is_kept(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        cast = people(session, at)
        approval = cast.ask(session, at)
        session.flush()
        token = token_in(session, approval)
        assert approval.token_hash == token_hash(token)
        assert token not in str(
            [
                {column.name: getattr(approval, column.name) for column in Approval.__table__.columns},
                session.scalars(select(AuditEntry.details)).all(),
            ]
        )
        assert approval_by_token(session, token, person_id=cast.chair.id).id == approval.id
        for other in (cast.manager, cast.head):
            with pytest.raises(NotFound):
                approval_by_token(session, token, person_id=other.id)
            with pytest.raises(NotFound):
                approve(session, approval, other, at)
            with pytest.raises(NotFound):
                decline_approval(session, approval.id, reason="No", address="x", by=acting(other), at=at)
        with pytest.raises(NotFound):
            approval_by_token(session, "guessed", person_id=cast.chair.id)


def test_s10_the_text_of_a_mail_with_a_link_is_not_kept_once_it_is_sent(
    database: Database, at: datetime
) -> None:
    with database.transaction() as session:
        approval = people(session, at).ask(session, at)
    sent: list[Mail] = []
    assert send_outbox(database, send=sent.append, at=at, address="https://sla.example") == (1, 0)
    assert "https://sla.example/school/approvals/" in sent[0].body
    with database.reading() as session:
        message = session.scalars(
            select(OutboxMessage).where(OutboxMessage.key == f"approval:{approval.id}")
        ).one()
    assert message.body == NOT_KEPT


def test_s10_a_link_runs_out_after_a_fortnight_or_with_the_quote(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        cast = people(session, at)
        approval = cast.ask(session, at)
        assert approval.expires_at == at + timedelta(days=14)
        with pytest.raises(LinkOver, match=cast.manager.name):
            approve(session, approval, cast.chair, approval.expires_at)
        late = datetime(2025, 11, 10, 12, 0, tzinfo=UTC)
        assert cast.quote.valid_until == date(2025, 11, 13)
        assert cast.ask(session, late).expires_at == datetime(2025, 11, 14, 0, 0, tzinfo=UTC)
        assert approve_again(session, cast, datetime(2025, 11, 13, 23, 59, tzinfo=UTC)) == "ordered"


def approve_again(session: Session, cast: People, at: datetime) -> str:
    newest = session.scalars(select(Approval).order_by(Approval.id.desc())).first()
    assert newest is not None
    return approve(session, newest, cast.chair, at).status.value


def test_s10_a_link_is_used_once_and_a_second_press_finds_the_order(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        cast = people(session, at)
        approval = cast.ask(session, at)
        first = approve(session, approval, cast.chair, at)
        assert approve(session, approval, cast.chair, at).id == first.id
        with pytest.raises(DecidedAlready, match="approved already"):
            decline_approval(session, approval.id, reason="No", address="x", by=acting(cast.chair), at=at)
        assert session.scalar(select(func.count(Acceptance.id))) == 1
    with pytest.raises(IntegrityError, match="approval_is_decided"), database.transaction() as session:
        session.get_one(Approval, approval.id).decision = ApprovalDecision.DECLINED


def test_c1_two_tabs_approve_and_there_is_one_order_and_one_mail(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        cast = people(session, at)
        approval = cast.ask(session, at)
    gate = threading.Barrier(4)

    def press(_: int) -> int:
        gate.wait(10)
        with database.transaction() as session:
            return approve(session, approval, cast.chair, at).id

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(press, range(4))) == {cast.quote.id}
    assert counts(database, cast.quote.id) == (1, 1)


def test_c1_approved_in_one_tab_and_declined_in_another_one_of_them_counts(
    database: Database, at: datetime
) -> None:
    with database.transaction() as session:
        cast = people(session, at)
        approval = cast.ask(session, at)
    gate = threading.Barrier(2)

    def press(yes: bool) -> str:
        gate.wait(10)
        try:
            with database.transaction() as session:
                if yes:
                    approve(session, approval, cast.chair, at)
                else:
                    decline_approval(
                        session, approval.id, reason="No money.", address="x", by=acting(cast.chair), at=at
                    )
        except Conflict:
            return "told"
        return "done"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(press, (True, False)))
    assert outcomes == ["done", "told"]
    with database.reading() as session:
        decided = session.get_one(Approval, approval.id).decision
        ordered = session.get_one(Agreement, cast.quote.id).status is AgreementStatus.ORDERED
    assert (decided is ApprovalDecision.APPROVED) == ordered


def test_c1_control_without_the_lock_two_tabs_would_both_find_nobody_has_decided(
    database: Database, at: datetime
) -> None:
    with database.transaction() as session:
        approval = people(session, at).ask(session, at)
    gate = threading.Barrier(2)

    def look(_: int) -> bool:
        with database.reading() as session:
            seen = session.get_one(Approval, approval.id).decided_at is None
            gate.wait(10)
            return seen

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(look, range(2))) == [True, True]


def counts(database: Database, agreement_id: int) -> tuple[int, int]:
    with database.reading() as session:
        accepted = select(func.count(Acceptance.id)).where(Acceptance.agreement_id == agreement_id)
        mails = select(func.count(OutboxMessage.id)).where(OutboxMessage.key == f"order:{agreement_id}")
        return session.scalars(accepted).one(), session.scalars(mails).one()


def test_c2_a_superseded_or_expired_quote_is_not_approved(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        cast = people(session, at)
        approval = cast.ask(session, at)
        newer = selling.quote(
            session, acting(cast.manager), at, school=cast.school, replaces_id=cast.quote.id
        )
        with pytest.raises(Replaced, match=newer.reference):
            approve(session, approval, cast.chair, at)
        with pytest.raises(Replaced, match=newer.reference):
            cast.ask(session, at)
        cast.quote = newer
        with pytest.raises(Refused, match="was valid until"):
            cast.ask(session, at + timedelta(days=60))


def test_a_declined_order_goes_back_with_the_reason(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        cast = people(session, at)
        approval = cast.ask(session, at)
        with pytest.raises(Refused, match="Say why"):
            decline_approval(session, approval.id, reason=" ", address="x", by=acting(cast.chair), at=at)
        decline_approval(
            session, approval.id, reason="Wait for the budget.", address="x", by=acting(cast.chair), at=at
        )
        key = f"approval-answer:{approval.id}"
        letter = session.scalars(select(OutboxMessage).where(OutboxMessage.key == key)).one()
        assert "Wait for the budget." in letter.body
        assert session.get_one(Agreement, cast.quote.id).status is AgreementStatus.QUOTED
        again = cast.ask(session, at)
        assert approve(session, again, cast.chair, at).status is AgreementStatus.ORDERED


def test_one_person_is_asked_at_a_time_and_an_order_takes_the_question_back(
    database: Database, at: datetime
) -> None:
    with database.transaction() as session:
        cast = people(session, at)
        finance = builders.a_person(
            session, Role.HEAD_TEACHER, school=cast.school, name="Una Marsh", email="u@school.example"
        )
        first = cast.ask(session, at)
        second = cast.ask(session, at, finance)
        with pytest.raises(DecidedAlready, match="asked somebody else"):
            approve(session, first, cast.chair, at)
        assert [
            one.id
            for one in approvals_waiting(session, person_id=finance.id, school_id=cast.school.id, at=at)
        ] == [second.id]
        selling.order(session, cast.quote, acting(finance), at)
        with pytest.raises(DecidedAlready, match="Una Marsh ordered it"):
            approve(session, second, finance, at)


def test_a_question_is_taken_back_by_its_own_school_alone(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        cast = people(session, at)
        approval = cast.ask(session, at)
        other = builders.a_school(session)
        with pytest.raises(NotFound):
            withdraw_approval(session, approval.id, school_id=other.id, by=acting(cast.manager), at=at)
        for _ in range(2):
            withdraw_approval(session, approval.id, school_id=cast.school.id, by=acting(cast.manager), at=at)
        with pytest.raises(DecidedAlready, match="took it back"):
            approve(session, approval, cast.chair, at)


def test_a_required_purchase_order_is_asked_for_before_the_approval(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        cast = people(session, at)
        builders.customer_of(session, cast.school).purchase_order_required = True
        session.flush()
        with pytest.raises(Refused, match="purchase order number"):
            cast.ask(session, at)
        approval = cast.ask(session, at, purchase_order="PO 9")
        assert approve(session, approval, cast.chair, at).purchase_order == "PO 9"


def test_c1_ordered_in_two_tabs_there_is_one_order_and_one_mail(
    database: Database, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        quote = selling.quote(session, by, at)
    gate = threading.Barrier(4)

    def press(_: int) -> int:
        gate.wait(10)
        with database.transaction() as session:
            return selling.order(session, quote, by, at).id

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(press, range(4))) == {quote.id}
    assert counts(database, quote.id) == (1, 1)
