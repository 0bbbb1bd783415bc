"""What an agreement brings about when it is agreed: tranches, contracted time, documents to come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement, Instalment, InstalmentPart, LedgerEntry, Tranche
from sla_manager.agreements.queries.payment import billing_facts
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.rules.schedules import plan_instalments
from sla_manager.agreements.shares import read_shares
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.periods import Period
from sla_manager.store.audit import Actor


def arrange(
    session: Session, agreement: Agreement, *, cause: str = "contract", by: Actor, at: datetime
) -> None:
    """Write the tranches that were signed, their contracted entries, and the instalments with each line's part.

    `cause` names the entries: "contract", or "transfer:3" where the time comes from another agreement.
    """
    for line in agreement.lines:
        for share in read_shares(line.year_shares):
            tranche = Tranche(
                line_id=line.id,
                family=line.family,
                year=share.year,
                starts_on=share.starts_on,
                ends_on=share.ends_on,
                quantity=share.quantity,
                minutes=share.minutes,
                net=share.net,
            )
            session.add(tranche)
            session.flush()
            if share.minutes:
                session.add(contracted(tranche, share.minutes, cause=cause, by=by, at=at))
    session.flush()
    term = Period.through(agreement.starts_on, agreement.ends_on)
    nets = [line.net for line in agreement.lines]
    start_month = billing_facts(session).start_month
    for planned in plan_instalments(agreement.schedule, term, nets, start_month=start_month):
        parts = [(line.id, net) for line, net in zip(agreement.lines, planned.parts, strict=True) if net]
        add_instalment(
            session,
            agreement.id,
            purpose="instalment",
            position=planned.position,
            count=planned.count,
            due_on=planned.due_on,
            parts=parts,
        )


def contracted(
    tranche: Tranche, minutes: Minutes, *, cause: str = "contract", by: Actor, at: datetime
) -> LedgerEntry:
    """Return the entry that opens a tranche."""
    return LedgerEntry(
        tranche_id=tranche.id,
        kind=EntryKind.CONTRACTED,
        minutes=minutes,
        effective_on=tranche.starts_on,
        recorded_at=at,
        recorded_by=by.name,
        cause=cause,
        reason="",
        visit_id=None,
        delivery_id=None,
        reverses_id=None,
    )


def add_instalment(
    session: Session,
    agreement_id: int,
    *,
    purpose: str,
    position: int,
    count: int,
    due_on: date,
    parts: Sequence[tuple[int, Money]],
    variation_id: int | None = None,
) -> Instalment | None:
    """Add a document that is to be issued; one of nothing does not exist (M9)."""
    net = total(part for _, part in parts)
    if not net:
        return None
    instalment = Instalment(
        agreement_id=agreement_id,
        purpose=purpose,
        position=position,
        count=count,
        due_on=due_on,
        net=net,
        variation_id=variation_id,
    )
    session.add(instalment)
    session.flush()
    session.add_all(
        InstalmentPart(instalment_id=instalment.id, line_id=line_id, net=part) for line_id, part in parts
    )
    session.flush()
    return instalment
