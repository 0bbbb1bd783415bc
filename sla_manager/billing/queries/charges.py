"""One-off charges found: a page of the list, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Row, Select, and_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from sla_manager.billing.models import Billed, Document, OneOffCharge, OneOffWithdrawal
from sla_manager.kernel.errors import NotFound
from sla_manager.people.models import Customer

PAGE = 50


@dataclass(frozen=True, slots=True)
class ChargeRow:
    """A charge with the document that bills it, or why it was withdrawn; neither while it waits for a run."""

    charge: OneOffCharge
    document_id: int | None
    number: str
    withdrawn: str | None

    @property
    def waits(self) -> bool:
        """Whether the next run would bill it."""
        return self.document_id is None and self.withdrawn is None

    @property
    def customer(self) -> str:
        """Who pays."""
        payer = self.charge.customer.trust or self.charge.customer.school
        return payer.name if payer is not None else self.charge.customer.account_reference


def charges_page(session: Session, *, before: int | None = None) -> list[ChargeRow]:
    """Return a page of charges, the latest first; `before` is the last id of the page before."""
    query = _charges().order_by(OneOffCharge.id.desc()).limit(PAGE)
    if before is not None:
        query = query.where(OneOffCharge.id < before)
    return [_row(row) for row in session.execute(query)]


def charge_row(session: Session, charge_id: int) -> ChargeRow:
    """Return one charge with its lines."""
    row = session.execute(_charges().where(OneOffCharge.id == charge_id)).one_or_none()
    if row is None:
        raise NotFound
    return _row(row)


def _row(found: Row[OneOffCharge, int, str, str]) -> ChargeRow:
    charge, document_id, number, withdrawn = found
    return ChargeRow(charge, document_id, number or "", withdrawn)


def _charges() -> Select[OneOffCharge, int, str, str]:
    return (
        select(OneOffCharge, Document.id, Document.number, OneOffWithdrawal.reason)
        .outerjoin(Billed, and_(Billed.purpose == "one_off", Billed.source_id == OneOffCharge.id))
        .outerjoin(Document, Document.id == Billed.document_id)
        .outerjoin(OneOffWithdrawal, OneOffWithdrawal.charge_id == OneOffCharge.id)
        .options(
            joinedload(OneOffCharge.customer).joinedload(Customer.school),
            joinedload(OneOffCharge.customer).joinedload(Customer.trust),
            joinedload(OneOffCharge.supplements),
            selectinload(OneOffCharge.lines),
        )
    )
