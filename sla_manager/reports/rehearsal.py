"""The year end rehearsed: the year is closed on a copy, and what would change is listed. The books stay as they are.

SQLite's own backup makes the copy, a file that is thrown away. PostgreSQL closes inside a transaction that is rolled
back: nothing of it is ever seen by anybody else.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.commands import close_year
from sla_manager.agreements.queries import year_close
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.errors import Broken, Conflict
from sla_manager.kernel.money import total
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import TradingService
from sla_manager.reports.before_closing import before_closing
from sla_manager.reports.deferrals import DeferralRow, Deferrals, deferrals
from sla_manager.reports.earned import NOTHING
from sla_manager.reports.income import income_parts
from sla_manager.reports.integrity import ledger_problems
from sla_manager.store.audit import SYSTEM
from sla_manager.store.database import Database

MOST_LISTED = 500
FIGURES = ("invoiced", "earned", "deferred", "accrued")


class YearIsClosedAlready(Conflict):
    """There is nothing left to rehearse."""

    def __init__(self, year: FinancialYear) -> None:
        super().__init__(f"{year} is closed already. Its figures stand in the reports.")


@dataclass(frozen=True, slots=True)
class Changed:
    """An agreement before and after."""

    before: DeferralRow
    after: DeferralRow

    @property
    def facts(self) -> dict[str, Any]:
        """The row as it is kept: amounts as text."""
        found: dict[str, Any] = {
            "agreement_id": self.after.agreement_id, "reference": self.after.reference, "school": self.after.school,
        }  # fmt: skip
        for name in ("earned", "deferred", "accrued", "lapsed"):
            found[name] = [str(getattr(self.before, name)), str(getattr(self.after, name))]
        return found


@contextmanager
def copied(database: Database) -> Iterator[Session]:
    """Open a session on a copy of the books; whatever happens in it leaves the books as they are."""
    if not database.is_sqlite:
        moment = database.engine.execution_options(isolation_level="REPEATABLE READ")
        with Session(moment, expire_on_commit=False) as session:
            try:
                yield session
            finally:
                session.rollback()
        return
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        file = Path(folder) / "books.db"
        _backup(database, file)
        copy = Database.open(f"sqlite:///{file}")
        try:
            with Session(copy.engine, expire_on_commit=False) as session:
                yield session
                session.rollback()
        finally:
            copy.dispose()


def _backup(database: Database, file: Path) -> None:
    """Copy an SQLite database as it stands at one moment, while others go on writing."""
    with database.engine.connect() as connection:
        source = connection.connection.driver_connection
        if not isinstance(source, sqlite3.Connection):
            raise Broken("The database cannot be copied: it is no SQLite file.")
        target = sqlite3.connect(file)
        try:
            source.backup(target)
        finally:
            target.close()


def rehearse(database: Database, year: FinancialYear, *, at: datetime) -> dict[str, Any]:
    """Close a year on a copy and return what would change, amounts as text. A year that runs is closed at its end."""
    moment = max(at, as_at(year.period.end))
    on = year.period.last
    with copied(database) as session:
        if year_close(session, year) is not None:
            raise YearIsClosedAlready(year)
        waiting = before_closing(session, on)
        before = deferrals(session, on)
        income_before = _income(session, year)
        closed = close_year(session, year, by=SYSTEM, at=moment)
        after = deferrals(session, on)
        income_after = _income(session, year)
        problems = [f"{one.about}: {one.message}" for one in ledger_problems(session)]
        tranches, lapsed = closed.tranches, str(closed.lapsed_value)
    rows = changed(before, after)
    return {
        "year": str(year),
        "tranches": tranches,
        "lapsed": lapsed,
        "paid": str(total(one.after.lapsed - one.before.lapsed for one in rows)),
        "waiting": [[one.words, one.count, one.what_to_do] for one in waiting],
        "figures": [[name, str(getattr(before, name)), str(getattr(after, name))] for name in FIGURES],
        "services": [[name, income_before[name], income_after[name]] for name in sorted(income_after)],
        "rows": [one.facts for one in rows[:MOST_LISTED]],
        "count": len(rows),
        "problems": problems[:MOST_LISTED],
    }


def _income(session: Session, year: FinancialYear) -> dict[str, str]:
    """Return the year's income by service, once it is over."""
    names = {row[0]: row[1] for row in session.execute(select(TradingService.id, TradingService.name))}
    found = dict.fromkeys(names, NOTHING)
    for part in income_parts(session, year, year.period.last):
        found[part.service_id] += part.amount
    return {names[service]: str(amount) for service, amount in found.items()}


def changed(before: Deferrals, after: Deferrals) -> list[Changed]:
    """Return the agreements whose figures differ, the largest difference first."""
    known = {row.agreement_id: row for row in before.rows if row.agreement_id is not None}
    found = [
        Changed(known[row.agreement_id], row)
        for row in after.rows
        if row.agreement_id in known and row != known[row.agreement_id]
    ]
    return sorted(
        found, key=lambda one: (-abs(one.after.earned - one.before.earned).pence, one.after.reference)
    )
