"""Names of customers, many at once."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sla_manager.payments.queries.receipts import customer_words
from sla_manager.people.models import Customer


def customer_names(session: Session, ids: Collection[int]) -> dict[int, str]:
    """Return the names of customers by their ids. One query, none for nobody."""
    if not ids:
        return {}
    query = (
        select(Customer)
        .where(Customer.id.in_(ids))
        .options(joinedload(Customer.school), joinedload(Customer.trust))
    )
    return {one.id: customer_words(one) for one in session.scalars(query)}
