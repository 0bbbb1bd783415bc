"""The statement of time of one agreement, as it is printed into a proof pack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal

from sqlalchemy.orm import Session

from sla_manager.agreements.models import AgreementVersion
from sla_manager.agreements.queries import TrancheBalance
from sla_manager.agreements.queries.balances import ledger
from sla_manager.gateways.printing.facts import (
    Contact,
    Customer,
    DayStatementFacts,
    StatementEntry,
    Supplier,
    TrancheStatement,
    plain,
)
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import FinancialYear
from sla_manager.kernel.words import long_date
from sla_manager.reports.proof_pack.lists import described
from sla_manager.visits.queries.booked import booked

_LENGTH: dict[str, Literal["day", "hour"]] = {"hour": "hour"}


def statement_facts(
    session: Session, version: AgreementVersion, school: str, found: Sequence[TrancheBalance]
) -> dict[str, object]:
    """Return the facts of the statement: letterhead and payer as signed, the ledger as it is.

    It is dated by its last entry, so that the same books print the same bytes whenever they are asked.
    """
    signed = version.facts
    held = booked(session, [one.tranche_id for one in found])
    tranches = [_tranche(session, one, held[one.tranche_id]) for one in found]
    facts = DayStatementFacts(
        kind="day_statement",
        stated_on=max(day for _, day in tranches).isoformat(),
        supplier=Supplier(**_tuples(signed["supplier"])),
        customer=Customer(**_tuples(signed["customer"])),
        school=school,
        agreement=found[0].reference,
        tranches=tuple(tranche for tranche, _ in tranches),
        how_to_read=(
            "Time is kept in minutes. What is left at the end of a financial year lapses: it is never carried "
            "into the next one. You can question any entry."
        ),
        questions=_questions(signed["supplier"]),
    )
    return plain(facts)


def _tranche(session: Session, one: TrancheBalance, held: Minutes) -> tuple[TrancheStatement, date]:
    rows = ledger(session, one.tranche_id)
    entries = [row.entry for row in rows]
    figures = one.figures
    statement = TrancheStatement(
        offering=one.description,
        year=str(FinancialYear(one.year)),
        starts_on=one.starts_on.isoformat(),
        ends_on=one.ends_on.isoformat(),
        unit=_LENGTH.get(one.unit, "day"),
        unit_minutes=one.unit_minutes.minutes,
        contracted=figures.contracted.minutes,
        varied=figures.varied.minutes,
        delivered=figures.delivered.minutes,
        charged=figures.charged.minutes,
        credited=figures.credited.minutes,
        lapsed=figures.lapsed.minutes,
        balance=one.balance.minutes,
        booked=held.minutes,
        free_to_book=(one.balance - held).minutes,
        outlook=f"Usable until {long_date(one.ends_on)}",
        entries=tuple(
            StatementEntry(
                date=row.entry.effective_on.isoformat(),
                kind=row.entry.kind.title,
                description=described(row.entry, entries),
                minutes=row.entry.minutes.minutes,
                balance=row.balance.minutes,
            )
            for row in rows
        ),
    )
    return statement, max((london_date(entry.recorded_at) for entry in entries), default=one.starts_on)


def _tuples(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored facts with their lists as the tuples that the printed facts want."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}


def _questions(supplier: Mapping[str, Any]) -> Contact:
    return Contact(
        name=str(supplier["service"]),
        role="Questions about this statement",
        phone=str(supplier["phone"]),
        email=str(supplier["email"]),
    )
