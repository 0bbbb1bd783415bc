"""Steps that tests take with documents of money: agree, run, look into the books."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from sla_manager.agreements.commands import LineWanted
from sla_manager.agreements.models import Agreement
from sla_manager.billing.models import Billed, Document
from sla_manager.billing.runs import RunResult, run
from sla_manager.kernel.clock import as_at
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database
from tests.builders import a_school, an_offering
from tests.rooms import selling

BY = Actor(None, "Test")
SIGNED = datetime.fromisoformat("2025-10-10T11:00:00+00:00")
FIRST, SECOND, THIRD = date(2025, 10, 14), date(2026, 1, 1), date(2026, 3, 1)
"""The dates of three instalments of an agreement from 14 October 2025 to 31 March 2026."""


def agree(database: Database, **more: Any) -> Agreement:
    """Return an agreement of 12 days at £368 for an academy in three instalments, changed as a test wants."""
    with database.transaction() as session:
        offers = more.pop("offers", None)
        if offers is not None:
            more["lines"] = [
                LineWanted(
                    an_offering(session, price, code=f"O{place}", name=f"Work {place}").id, Decimal(quantity)
                )
                for place, (price, quantity) in enumerate(offers)
            ]
        return selling.agreed(session, BY, SIGNED, **more)


def agree_many(database: Database, count: int, **more: Any) -> list[int]:
    """Return the ids of as many agreements, each of another academy."""
    made = []
    for _ in range(count):
        with database.transaction() as session:
            school = a_school(session, customer_class=CustomerClass.ACADEMY)
            made.append(selling.agreed(session, BY, SIGNED, school=school, **more).id)
    return made


def run_on(database: Database, day: date) -> RunResult:
    """Run the invoices of a day."""
    return run(database, as_at=day, by=BY, at=as_at(day))


def documents(database: Database) -> list[Document]:
    """Return every document with its lines and VAT rows, in the order of issue."""
    with database.reading() as session:
        query = select(Document).options(selectinload(Document.lines), selectinload(Document.vat_rows))
        return list(session.scalars(query.order_by(Document.id)))


def billed(database: Database) -> Counter[tuple[str, int, str]]:
    """Return how often each thing was billed."""
    with database.reading() as session:
        rows = session.execute(select(Billed.purpose, Billed.source_id, Billed.route))
        return Counter((purpose, source_id, route.value) for purpose, source_id, route in rows)


def sums(document: Document) -> tuple[str, str, str]:
    """Return a document's net, VAT and gross."""
    return str(document.net), str(document.vat), str(document.gross)
