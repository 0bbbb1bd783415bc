"""Enter cost centres and codes: one by one, or many from a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import sla_manager.finance.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.finance.models import SchoolCode, ServiceCode
from sla_manager.finance.rules.coding import CodeNotUsable, checked_code
from sla_manager.gateways.spreadsheets.tables import Table
from sla_manager.kernel.errors import NotFound
from sla_manager.kernel.words import counted
from sla_manager.people.models import Customer, School, TradingService
from sla_manager.store.audit import Actor, record

MOST_PROBLEMS = 20
_NAMES = {
    "urn": ("urn", "school urn"),
    "cost_centre": ("cost centre", "cost center", "costcentre", "cost centre code"),
    "account_code": ("account code", "account", "subjective", "detail code"),
}


@dataclass(frozen=True, slots=True)
class CodesRead:
    """What came of a file of cost centres."""

    entered: int
    unchanged: int


class CodesNotReadable(CodeNotUsable):
    """A file of cost centres of which some rows cannot be used; nothing of it was entered."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems[:MOST_PROBLEMS])
        super().__init__(
            f"{counted(len(problems), 'row')} cannot be used, so nothing was entered. {problems[0]}",
            field="file",
        )


def enter_school_code(
    session: Session, customer_id: int, *, cost_centre: str, account_code: str = "", by: Actor, at: datetime
) -> SchoolCode:
    """Enter a school's cost centre; batches that were made keep what they were made with."""
    if session.get(Customer, customer_id) is None:
        raise NotFound
    centre = checked_code(cost_centre, "a cost centre", field="cost_centre", needed=True)
    code = checked_code(account_code, "an account code", field="account_code")
    stored = session.scalar(select(SchoolCode).where(SchoolCode.customer_id == customer_id))
    if stored is None:
        stored = SchoolCode(customer_id=customer_id, cost_centre=centre, changed_at=at, changed_by=by.name)
        session.add(stored)
    stored.cost_centre, stored.account_code, stored.changed_at, stored.changed_by = centre, code, at, by.name
    session.flush()
    record(
        session, "enter_school_code", about="customer", about_id=customer_id, by=by, at=at,
        summary=f"Cost centre {centre} entered.", details={"cost_centre": centre, "account_code": code},
    )  # fmt: skip
    return stored


def enter_service_code(
    session: Session,
    service_id: int,
    *,
    training: bool,
    income_centre: str,
    income_code: str,
    charge_code: str,
    cfr_code: str = "",
    return_line: str = "",
    by: Actor,
    at: datetime,
) -> ServiceCode:
    """Enter where a service's income goes and which code schools are charged on."""
    if session.get(TradingService, service_id) is None:
        raise NotFound
    given = {
        "income_centre": checked_code(income_centre, "a cost centre", field="income_centre", needed=True),
        "income_code": checked_code(income_code, "an income code", field="income_code", needed=True),
        "charge_code": checked_code(charge_code, "an account code", field="charge_code", needed=True),
        "cfr_code": checked_code(cfr_code, "a CFR code", field="cfr_code"),
        "return_line": checked_code(return_line, "a line of the accounts return", field="return_line"),
    }
    stored = session.scalar(
        select(ServiceCode).where(ServiceCode.service_id == service_id, ServiceCode.training == training)
    )
    if stored is None:
        stored = ServiceCode(
            service_id=service_id, training=training, changed_at=at, changed_by=by.name, **given
        )
        session.add(stored)
    for name, value in given.items():
        setattr(stored, name, value)
    stored.changed_at, stored.changed_by = at, by.name
    session.flush()
    record(
        session, "enter_service_code", about="service", about_id=service_id, by=by, at=at,
        summary=f"Codes entered for {'training' if training else 'everything but training'}.", details=given,
    )  # fmt: skip
    return stored


def import_school_codes(session: Session, table: Table, *, by: Actor, at: datetime) -> CodesRead:
    """Enter the cost centres of a table with a URN in each row: all of them, or none when a row cannot be used."""
    places = _places(table)
    customers = {urn: one for one, urn in session.execute(
        select(Customer.id, School.urn).join(School, School.id == Customer.school_id)
    )}  # fmt: skip
    stored = {one.customer_id: one for one in session.scalars(select(SchoolCode))}
    problems: list[str] = []
    entered, unchanged, seen = 0, 0, dict[int, int]()
    for number, cells in table.rows:
        try:
            customer_id, centre, code = _row(cells, places, customers)
            if customer_id in seen:
                raise CodeNotUsable(f"the school of row {seen[customer_id]} is here again.")
        except CodeNotUsable as error:
            problems.append(f"Row {number}: {error}")
            continue
        seen[customer_id] = number
        known = stored.get(customer_id)
        if known is not None and (known.cost_centre, known.account_code) == (centre, code):
            unchanged += 1
        elif not problems:
            enter_school_code(session, customer_id, cost_centre=centre, account_code=code, by=by, at=at)
            entered += 1
    if problems:
        raise CodesNotReadable(problems)
    return CodesRead(entered, unchanged)


def _places(table: Table) -> dict[str, int]:
    """Return which column holds what; the account code may be missing."""
    names = [" ".join(name.casefold().split()) for name in table.columns]
    found = {
        what: next((names.index(name) for name in spellings if name in names), -1)
        for what, spellings in _NAMES.items()
    }
    for what in ("urn", "cost_centre"):
        if found[what] < 0:
            wanted = {"urn": "URN", "cost_centre": "Cost centre"}[what]
            raise CodeNotUsable(
                f"There is no column “{wanted}”. The file has: {', '.join(table.columns)[:200]}.",
                field="file",
            )
    return found


def _row(cells: Sequence[str], places: dict[str, int], customers: dict[int, int]) -> tuple[int, str, str]:
    urn = cells[places["urn"]]
    customer_id = customers.get(int(urn)) if urn.isascii() and urn.isdigit() and len(urn) < 10 else None
    if customer_id is None:
        raise CodeNotUsable(f"no school with the URN “{urn[:20]}” pays here.")
    centre = checked_code(cells[places["cost_centre"]], "a cost centre", field="file", needed=True)
    code = cells[places["account_code"]] if places["account_code"] >= 0 else ""
    return customer_id, centre, checked_code(code, "an account code", field="file")
