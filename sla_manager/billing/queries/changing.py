"""Changes of schools that touch running agreements, with what each would do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.models import Agreement
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.billing.queries.endings import EndingPreview, ending_preview, going_on_preview
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.people.models import Customer, School, SchoolChange
from sla_manager.people.rules.links import ChangeKind

_LOADED = (
    joinedload(SchoolChange.from_school),
    joinedload(SchoolChange.to_school),
    joinedload(SchoolChange.trust),
)


@dataclass(frozen=True, slots=True)
class ChangeWaiting:
    """A change of a school, and the agreements that it touches."""

    change: SchoolChange
    agreements: tuple[Agreement, ...]


@dataclass(frozen=True, slots=True)
class NewPayer:
    """A customer that may pay from then on, as a choice."""

    customer_id: int
    name: str
    is_trust: bool


def changes_waiting(session: Session, service_id: int) -> list[ChangeWaiting]:
    """Return the changes that nobody decided and that touch running agreements of a service, the earliest first."""
    query = select(SchoolChange).where(SchoolChange.status == "found").options(*_LOADED)
    changes = list(session.scalars(query.order_by(SchoolChange.effective_on, SchoolChange.id)))
    running = _running(session, service_id, {one.from_school_id for one in changes})
    found = [
        ChangeWaiting(one, tuple(agreement for agreement in running if touches(one, agreement)))
        for one in changes
    ]
    return [one for one in found if one.agreements]


def school_change(session: Session, change_id: int, *, service_id: int) -> ChangeWaiting:
    """Return one change with the running agreements of a service; one that touches none of them is not found."""
    change = session.scalar(select(SchoolChange).where(SchoolChange.id == change_id).options(*_LOADED))
    if change is None:
        raise NotFound
    every = session.scalars(
        select(Agreement)
        .where(Agreement.service_id == service_id, Agreement.school_id == change.from_school_id)
        .options(joinedload(Agreement.school))
        .order_by(Agreement.id)
    ).all()
    if not every:
        raise NotFound
    return ChangeWaiting(change, tuple(one for one in every if touches(change, one)))


def touches(change: SchoolChange, agreement: Agreement) -> bool:
    """Say whether an agreement has to follow a change of its school."""
    return (
        agreement.school_id == change.from_school_id
        and agreement.status is AgreementStatus.AGREED
        and agreement.ends_early_on is None
        and agreement.ends_on >= change.effective_on
    )


def still_touched(session: Session, change: SchoolChange) -> bool:
    """Say whether agreements of any service still have to follow a change."""
    query = select(Agreement).where(
        Agreement.school_id == change.from_school_id, Agreement.status == AgreementStatus.AGREED
    )
    return any(touches(change, one) for one in session.scalars(query))


def change_effect(session: Session, change: SchoolChange, agreement: Agreement) -> EndingPreview:
    """Return what a change would do to an agreement."""
    if not touches(change, agreement):
        raise Refused(f"{agreement.reference} has followed this change already, or is over.")
    if change.kind is ChangeKind.CLOSURE:
        last = change.effective_on - timedelta(days=1)
        return ending_preview(session, agreement.id, ends_on=max(last, agreement.starts_on))
    return going_on_preview(session, agreement.id, effective_on=change.effective_on)


def new_payers(session: Session, change: SchoolChange) -> list[NewPayer]:
    """Return who may pay after a change: the trust first where there is one, then the school itself."""
    if change.to_school_id is None:
        return []
    loaded = select(School).where(School.id == change.to_school_id).options(joinedload(School.trust))
    school = session.scalars(loaded.execution_options(populate_existing=True)).one()
    query = select(Customer).where(
        (Customer.school_id == school.id) | (Customer.trust_id == (school.trust_id or -1))
    )
    found = [
        NewPayer(
            one.id, school.trust.name if one.trust_id and school.trust else school.name, bool(one.trust_id)
        )
        for one in session.scalars(query)
    ]
    return sorted(found, key=lambda one: not one.is_trust)


def _running(session: Session, service_id: int, school_ids: set[int]) -> list[Agreement]:
    query = (
        select(Agreement)
        .where(
            Agreement.service_id == service_id,
            Agreement.status == AgreementStatus.AGREED,
            Agreement.school_id.in_(school_ids),
        )
        .options(joinedload(Agreement.school))
        .order_by(Agreement.id)
    )
    return list(session.scalars(query))
