"""Which column of a bank's CSV file means what: the banks that are known, and a council's own mapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sla_manager.kernel.errors import Refused

DATE_ORDERS = {"dmy": "Day, month, year", "ymd": "Year, month, day", "mdy": "Month, day, year"}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class Columns:
    """A way to write a statement as rows. Columns are called by their heading, or by number ("1" the first).

    An amount stands in one column with its sign, or in two of what left and what arrived.
    """

    name: str
    day: str
    text: tuple[str, ...]
    amount: str = ""
    paid_out: str = ""
    paid_in: str = ""
    payer: str = ""
    account: tuple[str, ...] = ()
    balance: str = ""
    currency: str = ""
    reference: str = ""
    date_order: str = "dmy"
    headed: bool = True

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that must be there."""
        single = (self.day, self.amount, self.paid_out, self.paid_in, self.payer, self.balance, self.currency)
        return tuple(filter(None, (*single, *self.text, *self.account, self.reference)))


KNOWN = (
    Columns(
        "Lloyds, Bank of Scotland, Halifax or TSB (CSV)",
        day="Transaction Date",
        text=("Transaction Description",),
        paid_out="Debit Amount",
        paid_in="Credit Amount",
        account=("Sort Code", "Account Number"),
        balance="Balance",
    ),
    Columns("Barclays (CSV)", day="Date", text=("Memo",), amount="Amount", account=("Account",)),
    Columns(
        "NatWest or RBS (CSV)",
        day="Date",
        text=("Description",),
        amount="Value",
        account=("Account Number",),
        balance="Balance",
    ),
    Columns(
        "Nationwide (CSV)",
        day="Date",
        text=("Description",),
        paid_out="Paid out",
        paid_in="Paid in",
        balance="Balance",
    ),
    Columns(
        "AIB (CSV)",
        day="Posted Transactions Date",
        text=("Description1", "Description2", "Description3"),
        paid_out="Debit Amount",
        paid_in="Credit Amount",
        account=("Posted Account",),
        balance="Balance",
        currency="Posted Currency",
    ),
)
_ONLY_THERE = {"Barclays (CSV)": "subcategory", "NatWest or RBS (CSV)": "account name"}
HEADERLESS = Columns("HSBC (CSV)", day="1", text=("2",), amount="3", headed=False)


def heading(cell: str) -> str:
    """Return a heading in one spelling.

    >>> heading("\\ufeff ' Type "), heading("Paid  out")
    ('type', 'paid out')
    """
    return " ".join(cell.replace("\ufeff", " ").replace("'", " ").lower().split())


def known_columns(cells: Sequence[str]) -> Columns | None:
    """Return the bank whose headings these are."""
    there = {heading(cell) for cell in cells}
    for one in KNOWN:
        if {heading(name) for name in one.named} <= there and _ONLY_THERE.get(one.name, "") in {*there, ""}:
            return one
    return None


def read_day(text: str, order: str = "dmy") -> date:
    """Read a date in figures or with the month's name; a year of two figures is of this century.

    >>> [str(read_day(text)) for text in ("12/04/2026", "12 Apr 2026", "12-APR-26", "2026-04-12")]
    ['2026-04-12', '2026-04-12', '2026-04-12', '2026-04-12']
    """
    parts = text.strip().strip("'").replace("/", " ").replace("-", " ").replace(".", " ").split()
    if len(parts) == 3 and parts[0].isdigit() and len(parts[0]) == 4:
        order = "ymd"
    try:
        named = dict(zip(order, parts, strict=True))
        month = named["m"].lower()[:3]
        months = _MONTHS.index(month) + 1 if month in _MONTHS else int(month)
        year = int(named["y"])
        return date(year if year > 99 else 2000 + year, months, int(named["d"]))
    except ValueError as error:
        raise Refused(f"“{text.strip()[:40]}” is not a date.") from error
