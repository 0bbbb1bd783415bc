"""Changing what was bought after signing, with the extra time that the change takes up."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.commands import enter, vary_line
from sla_manager.agreements.models import AgreementLine, Variation
from sla_manager.agreements.queries import tranche_on
from sla_manager.agreements.rules.extra_time import extra_time_value
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.words import long_date
from sla_manager.store.audit import Actor, record
from sla_manager.visits.models import ExtraTimeStatus
from sla_manager.visits.queries.varying import Absorption, variation_preview


def vary_agreement(
    session: Session,
    line_id: int,
    *,
    quantity: Decimal,
    effective_on: date,
    reason: str,
    by: Actor,
    at: datetime,
    once_key: str | None = None,
) -> Variation:
    """Change a line by `quantity` from a date and let the added time take up proposed extra time.

    What is taken up is deducted from the balance as delivered on its own day; it is never charged as extra time.
    The same `once_key` again is one variation.
    """
    if once_key is not None:
        made = session.scalar(select(Variation).where(Variation.once_key == once_key))
        if made is not None:
            return made
    preview = variation_preview(session, line_id, quantity=quantity, effective_on=effective_on)
    variation = vary_line(
        session,
        line_id,
        quantity=quantity,
        effective_on=effective_on,
        reason=reason,
        absorbed=preview.absorbed,
        by=by,
        at=at,
        once_key=once_key,
    )
    for one in preview.absorptions:
        _absorb(session, one, variation, by=by, at=at)
    return variation


def _absorb(session: Session, one: Absorption, variation: Variation, *, by: Actor, at: datetime) -> None:
    extra = one.extra
    tranche = tranche_on(session, extra.line_id, extra.delivery.delivered_on)
    line = session.get_one(AgreementLine, extra.line_id)
    if tranche is None or line.unit_minutes is None:
        raise NotFound()
    enter(
        session,
        tranche.id,
        EntryKind.DELIVERED,
        one.taken,
        effective_on=extra.delivery.delivered_on,
        cause=f"absorbed:{extra.id}:{variation.id}",
        reason=f"Extra time taken up by the variation from {long_date(variation.effective_on)}.",
        visit_id=extra.delivery.visit_id,
        delivery_id=extra.delivery_id,
        by=by,
        at=at,
    )
    left = one.left
    if left:
        extra.minutes, extra.net = left, extra_time_value(left, line.unit_minutes, line.unit_price)
    else:
        extra.status, extra.decided_at, extra.decided_by = ExtraTimeStatus.ABSORBED, at, by.name
    extra.version += 1
    session.flush()
    school = extra.delivery.visit.school.name
    said = f"{one.taken.hours_and_minutes()} of extra time at {school} taken up by a variation."
    record(session, "absorb_extra_time", about="extra_time", about_id=extra.id, summary=said, by=by, at=at,
           details={"variation": variation.id, "minutes": one.taken.minutes, "left": left.minutes})  # fmt: skip
