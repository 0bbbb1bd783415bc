"""Who may order how much, who may approve it, and what waits for whom."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.models import Agreement, Approval, ApprovalDecision
from sla_manager.agreements.queries.partnerships import purchase_value
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.money import Money
from sla_manager.kernel.references import token_hash
from sla_manager.people.models import Membership, School
from sla_manager.people.queries import people_of_school
from sla_manager.people.rules.roles import Permission, Role, roles_with


def order_value(session: Session, agreement: Agreement) -> Money:
    """Return what a person's limit is held against when she orders this: its net, or that of the joint purchase."""
    return purchase_value(session, agreement)


@dataclass(frozen=True, slots=True)
class Spending:
    """What somebody may order at a school: nothing, up to a limit (net), or as much as she wants (`limit` None)."""

    is_allowed: bool
    limit: Money | None

    def covers(self, value: Money) -> bool:
        """Say whether a value is within it."""
        return self.is_allowed and (self.limit is None or value <= self.limit)


def spending(members: Collection[Membership], person_id: int, permission: Permission) -> Spending:
    """Return what a person may order (or approve) by her roles at a school: the most generous one counts."""
    able = roles_with(permission)
    own = [one for one in members if one.person_id == person_id and one.role in able]
    limits = [one.order_limit for one in own if one.order_limit is not None]
    return Spending(bool(own), max(limits) if own and len(limits) == len(own) else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """Somebody who approves orders of a school, as what, and up to how much (None: any amount)."""

    person_id: int
    name: str
    email: str
    role: Role
    limit: Money | None

    def covers(self, value: Money) -> bool:
        """Say whether she may approve so much."""
        return self.limit is None or value <= self.limit


def approvers(session: Session, school: School, *, apart_from: Collection[int] = ()) -> list[Approver]:
    """Return who approves orders of a school, each once, by name; a head teacher, a chair, a trust's finance lead."""
    members = people_of_school(session, school)
    able = roles_with(Permission.APPROVE_ORDERS)
    found: dict[int, Approver] = {}
    for one in members:
        if one.role not in able or one.person_id in apart_from or one.person_id in found:
            continue
        found[one.person_id] = Approver(
            person_id=one.person_id,
            name=one.person.name,
            email=one.person.email,
            role=one.role,
            limit=spending(members, one.person_id, Permission.APPROVE_ORDERS).limit,
        )
    return list(found.values())


def approvals_of(session: Session, agreement_id: int) -> list[Approval]:
    """Return every question for approval of a quote, the latest first, with whom it was put to."""
    query = select(Approval).where(Approval.agreement_id == agreement_id).order_by(Approval.id.desc())
    return list(session.scalars(query.options(joinedload(Approval.approver))))


def approved(session: Session, agreement_id: int) -> Approval | None:
    """Return the approval by which something was ordered, or None where whoever prepared it ordered it."""
    return session.scalar(
        select(Approval)
        .where(Approval.agreement_id == agreement_id, Approval.decision == ApprovalDecision.APPROVED)
        .options(joinedload(Approval.approver))
    )


def approval_for(session: Session, approval_id: int, *, person_id: int) -> Approval:
    """Return a question that was put to a person, with its quote; anybody else's is not there."""
    found = session.scalar(_asked().where(Approval.id == approval_id))
    if found is None or found.approver_id != person_id:
        raise NotFound
    return found


def approval_of_school(session: Session, approval_id: int, *, school_id: int) -> Approval:
    """Return a question about a school's quote; a foreign one is not found."""
    found = session.scalar(_asked().where(Approval.id == approval_id))
    if found is None or found.agreement.school_id != school_id:
        raise NotFound
    return found


def approval_by_token(session: Session, token: str, *, person_id: int) -> Approval:
    """Return the question that a link is about, for the person whom it was sent to; for anybody else there is none."""
    found = session.scalar(_asked().where(Approval.token_hash == token_hash(token)))
    if found is None or found.approver_id != person_id:
        raise NotFound
    return found


def approvals_waiting(session: Session, *, person_id: int, school_id: int, at: datetime) -> list[Approval]:
    """Return what a person is asked to approve for a school and still can, the oldest first."""
    query = (
        _asked()
        .join(Agreement, Agreement.id == Approval.agreement_id)
        .where(
            Approval.approver_id == person_id,
            Approval.decided_at.is_(None),
            Approval.expires_at > at,
            Agreement.school_id == school_id,
            Agreement.status == AgreementStatus.QUOTED,
            Agreement.valid_until >= london_date(at),
        )
    )
    return list(session.scalars(query.order_by(Approval.id)))


def is_open(approval: Approval, *, at: datetime) -> bool:
    """Say whether a question can still be answered, as far as it alone says."""
    return approval.decided_at is None and at < approval.expires_at


def _asked() -> Select[Approval]:
    return select(Approval).options(
        joinedload(Approval.approver), joinedload(Approval.agreement).joinedload(Agreement.school)
    )
