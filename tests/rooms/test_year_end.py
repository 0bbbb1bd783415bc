"""The figures that fall out at the end of a year: deferred, accrued, lapsed; worked numbers of an invented council."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from sla_manager.agreements.commands import close_year, enter
from sla_manager.agreements.models import Agreement
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.commands import credit_lost_time, issue_credit_note
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import FinancialYear
from sla_manager.reports.deferrals import DeferralRow, deferrals, year_end
from sla_manager.reports.rehearsal import YearIsClosedAlready, rehearse
from sla_manager.store.database import Database
from tests.rooms import selling
from tests.rooms.owing import BY, agree, documents, run_on

DAY = 444
APRIL_1, MARCH_31 = date(2025, 4, 1), date(2026, 3, 31)
AT = as_at(date(2026, 4, 10))


def deliver(
    database: Database, agreement: Agreement, days: str, on: date, kind: EntryKind = EntryKind.DELIVERED
) -> None:
    """Enter time in the tranche of a day."""
    with database.transaction() as session:
        tranche = next(
            one for one in selling.tranches(session, agreement) if one.starts_on <= on <= one.ends_on
        )
        enter(
            session, tranche.id, kind, Minutes(int(Decimal(days) * DAY)), effective_on=on,
            cause=f"{kind.value}:{on}", by=BY, at=as_at(on),
        )  # fmt: skip


def row_of(database: Database, agreement: Agreement, on: date = MARCH_31) -> DeferralRow:
    """Return an agreement's row at the end of a day."""
    with database.reading() as session:
        return next(row for row in deferrals(session, on).rows if row.agreement_id == agreement.id)


def figures(row: DeferralRow) -> dict[str, str]:
    """Return what is not nothing, as text."""
    names = (
        "invoiced",
        "delivered",
        "charged",
        "lapsed",
        "waived",
        "earned",
        "deferred",
        "accrued",
        "unused",
    )
    return {name: str(getattr(row, name)) for name in names if getattr(row, name)}


def close(database: Database) -> None:
    """Close 2025-26."""
    with database.transaction() as session:
        close_year(session, FinancialYear(2025), by=BY, at=AT)


def test_twelve_days_of_which_one_was_lost_and_two_lapse(database: Database) -> None:
    """Domain section 5: income 4,048.00; credit 368.00 + 73.60; two days, 736.00, lapse."""
    agreed = agree(database, schedule=Schedule.SINGLE)
    run_on(database, date(2025, 10, 14))
    deliver(database, agreed, "9", date(2025, 11, 3))
    with database.reading() as session:
        tranche_id = selling.tranches(session, agreed)[0].id
    with database.transaction() as session:
        made = credit_lost_time(
            session, tranche_id, Minutes(DAY), decided_on=date(2026, 3, 20), reason="Officer sick", by=BY,
            at=as_at(date(2026, 3, 20)),
        )  # fmt: skip
    assert [(str(one.net), str(one.vat)) for one in made] == [("-368.00", "-73.60")]
    before = {
        "invoiced": "4048.00",
        "delivered": "3312.00",
        "earned": "3312.00",
        "deferred": "736.00",
        "unused": "736.00",
    }
    assert figures(row_of(database, agreed)) == before
    close(database)
    assert figures(row_of(database, agreed)) == {
        "invoiced": "4048.00", "delivered": "3312.00", "lapsed": "736.00", "earned": "4048.00",
    }  # fmt: skip
    with database.reading() as session:
        assert str(year_end(session, FinancialYear(2025), date(2026, 4, 10)).income) == "4048.00"


def test_what_is_invoiced_for_the_next_year_is_deferred_and_what_lapses_is_earned(database: Database) -> None:
    """20 days from September to August are 11.5 + 8.5, 4,232.00 + 3,128.00; ten by seven and a half: 920.00 lapse."""
    long = agree(
        database,
        quantity="20",
        starts_on=date(2025, 9, 1),
        ends_on=date(2026, 8, 31),
        schedule=Schedule.SINGLE,
    )
    short = agree(database, quantity="10", schedule=Schedule.THREE)
    run_on(database, date(2026, 1, 1))
    deliver(database, long, "9", date(2026, 2, 2))
    deliver(database, long, "1", date(2026, 2, 3), EntryKind.CHARGED)
    deliver(database, short, "7.5", MARCH_31)
    close(database)
    assert figures(row_of(database, long)) == {
        "invoiced": "7360.00", "delivered": "3312.00", "charged": "368.00", "lapsed": "552.00", "earned": "4232.00",
        "deferred": "3128.00",
    }  # fmt: skip
    assert figures(row_of(database, short)) == {
        "invoiced": "2453.34", "delivered": "2760.00", "lapsed": "920.00", "earned": "3680.00", "accrued": "1226.66",
    }  # fmt: skip
    with database.reading() as session:
        both = year_end(session, FinancialYear(2025), date(2026, 6, 1))
        assert (str(both.opening.earned), str(both.income)) == ("0.00", "7912.00")
        assert (str(both.closing.deferred), str(both.closing.accrued)) == ("3128.00", "1226.66")
        after = year_end(session, FinancialYear(2026), date(2026, 6, 1))
        assert after.opening.rows == both.closing.rows
        assert str(after.income) == "0.00"


def test_paid_on_delivery_is_accrued_until_it_is_billed_and_never_earns_what_lapses(
    database: Database,
) -> None:
    agreed = agree(database, quantity="10", schedule=Schedule.ON_DELIVERY)
    deliver(database, agreed, "2.5", date(2026, 3, 30))
    deliver(database, agreed, "1", date(2025, 12, 1))
    run_on(database, date(2026, 3, 30))
    accrued = {"invoiced": "368.00", "delivered": "1288.00", "earned": "1288.00", "accrued": "920.00"}
    assert figures(row_of(database, agreed)) == accrued
    close(database)
    run_on(database, date(2026, 4, 2))
    assert figures(row_of(database, agreed)) == accrued
    assert figures(row_of(database, agreed, date(2026, 4, 2))) == {
        "invoiced": "1288.00", "delivered": "1288.00", "earned": "1288.00",
    }  # fmt: skip


def test_a_credit_beyond_the_ledger_is_no_income_that_waits_to_be_invoiced(database: Database) -> None:
    agreed = agree(database, schedule=Schedule.SINGLE)
    run_on(database, date(2025, 10, 14))
    deliver(database, agreed, "12", date(2025, 11, 3))
    with database.transaction() as session:
        issue_credit_note(
            session, documents(database)[0].id, amounts={1: Money(100_00)}, reason="Goodwill", by=BY,
            at=as_at(date(2026, 1, 5)),
        )  # fmt: skip
    assert figures(row_of(database, agreed)) == {
        "invoiced": "4316.00", "delivered": "4416.00", "waived": "100.00", "earned": "4316.00",
    }  # fmt: skip


def test_a_rehearsal_closes_a_copy_and_says_what_would_change(database: Database) -> None:
    agreed = agree(database, quantity="10", schedule=Schedule.SINGLE)
    untouched = agree(database, quantity="4", schedule=Schedule.ON_DELIVERY)
    run_on(database, date(2025, 10, 14))
    deliver(database, agreed, "7.5", date(2025, 11, 3))
    books = whole(database)
    found = rehearse(database, FinancialYear(2025), at=as_at(date(2026, 2, 2)))
    assert (found["tranches"], found["count"], found["problems"]) == (2, 1, [])
    assert (found["lapsed"], found["paid"]) == ("2392.00", "920.00")
    assert found["figures"] == [
        ["invoiced", "3680.00", "3680.00"], ["earned", "2760.00", "3680.00"], ["deferred", "920.00", "0.00"],
        ["accrued", "0.00", "0.00"],
    ]  # fmt: skip
    assert found["services"] == [["Education Welfare Service", "2760.00", "3680.00"]]
    [row] = found["rows"]
    assert (row["agreement_id"], row["lapsed"], row["earned"]) == (
        agreed.id, ["0.00", "920.00"], ["2760.00", "3680.00"],
    )  # fmt: skip
    assert ["Documents that are not printed", 1] in [one[:2] for one in found["waiting"]]
    assert whole(database) == books
    assert rehearse(database, FinancialYear(2025), at=as_at(date(2026, 2, 2))) == found
    close(database)
    assert whole(database) != books
    assert figures(row_of(database, agreed)) == {
        "invoiced": "3680.00", "delivered": "2760.00", "lapsed": "920.00", "earned": "3680.00",
    }  # fmt: skip
    assert figures(row_of(database, untouched)) == {}
    with pytest.raises(YearIsClosedAlready, match="2025-26 is closed already"):
        rehearse(database, FinancialYear(2025), at=AT)


def whole(database: Database) -> dict[str, int]:
    """Return how many rows every table has."""
    with database.reading() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in database.metadata.tables.items()
        }
