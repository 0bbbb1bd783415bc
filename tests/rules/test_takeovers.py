"""What offices write in cells, and what is made of it: read exactly, or refused with what to do."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.taken_cells import ReadRow, read_row
from sla_manager.agreements.rules.taken_checks import priced, spread_use, used_time
from sla_manager.agreements.rules.takeovers import ColumnMapping, Field, Level, guessed
from sla_manager.agreements.rules.tranches import tranches_by_months
from sla_manager.kernel.minutes import Minutes, total_minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import Period

DAY = Minutes(444)
EMPTY = ColumnMapping({})


def one(**cells: str) -> ReadRow:
    """Return a row of these cells."""
    return read_row(7, {Field(name): text for name, text in cells.items()}, EMPTY)


@pytest.mark.parametrize(
    ("text", "read"),
    [("12", "12"), ("4.5 days", "4.5"), ("2 ½", "2.5"), (".5", "0.5"), ("1,234", "1234"), ("7:24", "7.4"), ("", None),
     ("n/a", None), ("twelve", None), ("1,5", None), ("1e3", None), ("12-13", None), ("NaN", None), ("٣", None)],
)  # fmt: skip
def test_a_number_is_read_exactly_or_not_at_all(text: str, read: str | None) -> None:
    row = one(used=text)
    assert row.used == (None if read is None else Decimal(read))
    assert row.is_refused == (read is None and text not in ("", "n/a"))


@pytest.mark.parametrize(
    ("text", "read"),
    [("£4,416.00", "4416.00"), ("368", "368.00"), ("GBP 12.5", "12.50"), ("368.005", "368.01"), ("(207.63)", None),
     ("-1", None), ("4416,00", None), ("£", None), ("1e9", None), ("9" * 13, None)],
)  # fmt: skip
def test_money_is_read_to_the_penny_and_is_never_below_nothing(text: str, read: str | None) -> None:
    row = one(net=text)
    assert row.net == (None if read is None else Money.parse(read))
    assert row.is_refused == (read is None)


@pytest.mark.parametrize(
    "text", ["31/03/2026", "31.3.26", "31 March 2026", "31st Mar 2026", "31-Mar-26", "2026-03-31 00:00"]
)
def test_a_date_has_its_day_first(text: str) -> None:
    assert one(ends_on=text).ends_on == date(2026, 3, 31)


@pytest.mark.parametrize("text", ["03/31/2026", "31/02/2026", "March", "45747", "00/01/2026", "1/2/3/4"])
def test_what_is_no_date_is_refused(text: str) -> None:
    assert [finding.field for finding in one(ends_on=text).findings] == [Field.ENDS_ON]


def test_columns_are_guessed_from_the_names_that_offices_use_and_none_twice() -> None:
    names = [
        "DfE No.",
        "School Name",
        "Days Purchased",
        "Cost per day",
        "Total (inc. VAT)",
        "Days used",
        "Balance",
        "Days",
    ]
    found = guessed(names)
    wanted = {
        Field.LAESTAB: "DfE No.",
        Field.SCHOOL: "School Name",
        Field.UNIT_PRICE: "Cost per day",
        Field.GROSS: "Total (inc. VAT)",
        Field.USED: "Days used",
    }
    assert {field: found[field] for field in wanted} == wanted
    assert len(set(found.values())) == len(found)


@given(st.dictionaries(st.sampled_from(list(Field)), st.text(max_size=20), max_size=8), st.booleans())
def test_a_mapping_is_what_was_kept_of_it(columns: dict[Field, str], in_hours: bool) -> None:
    mapping = ColumnMapping(
        columns, offering="DAY", ends_on=date(2026, 3, 31), schedule=Schedule.THREE, in_hours=in_hours
    )
    assert ColumnMapping.of(mapping.facts()) == mapping


@given(st.text(max_size=40))
def test_no_cell_breaks_the_reading(text: str) -> None:
    row = read_row(2, dict.fromkeys(Field, text), EMPTY)
    assert row.number == 2
    assert row.net is None or row.net.pence >= 0


@given(
    pence=st.integers(1, 50_000_00), steps=st.integers(1, 400), off=st.integers(-500, 500), both=st.booleans()
)
def test_a_net_stands_only_when_a_rounded_price_can_make_it(
    pence: int, steps: int, off: int, both: bool
) -> None:
    quantity = Decimal(steps) / 2
    net = Money(Money(pence).times(quantity).pence + off)
    if net.pence < 0:
        return
    row = ReadRow(number=2, net=net, unit_price=Money(pence) if both else None)
    found, findings = priced(row, quantity, "day", None)
    if found is None:
        assert both
        assert abs(off) > quantity / 2
        assert findings[-1].level is Level.ERROR
    else:
        assert found.net == net
        assert abs(found.unit_price.times(quantity).pence - net.pence) <= quantity / 2 + Decimal("1.5")


@given(used=st.integers(0, 40), begun=st.integers(0, 700))
def test_used_time_is_all_put_on_years_that_had_begun_or_refused(used: int, begun: int) -> None:
    term = Period.through(date(2025, 9, 1), date(2026, 8, 31))
    parts = tranches_by_months(Decimal(20), Decimal("0.5"), term, net=Money(7360_00), unit=DAY)
    on = date.fromordinal(date(2025, 8, 1).toordinal() + begun)
    minutes = Minutes(used * 222)
    spread, findings = spread_use(ReadRow(number=2), minutes, parts, on=on)
    room = total_minutes(part.minutes for part in parts if part.minutes and part.period.start <= on)
    if minutes <= room:
        assert total_minutes(length for _, length, _ in spread) == minutes
        assert all(day in part.period for part, _, day in spread)
    else:
        assert (spread, findings[0].level) == ([], Level.ERROR)


def test_time_of_an_earlier_year_is_named_and_not_taken_over() -> None:
    row = ReadRow(number=2, used=Decimal(2), balance=Decimal("10.5"))
    used, findings = used_time(row, Minutes(10 * 444), DAY)
    assert used == Minutes(888)
    assert "The 2.5 above it look carried forward from an earlier year." in findings[0].message
    assert findings[0].what_to_do == "Time is never carried forward: the balance here will be 8."
