"""What a row of a council's own spreadsheet says about an agreement: columns guessed, cells read, findings noted.

Nothing here knows the books: whether the school is known, the price ours or the row taken over already is judged
where the books are asked. A finding names the row, the field, what is wrong and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.titles import Titled

PUPIL_NUMBER_REMOVED = "[a pupil number was removed]"
"""What is kept of a cell that held one: nothing."""


class Field(Titled):
    """What a column of their spreadsheet may hold."""

    URN = "urn", "URN"
    LAESTAB = "laestab", "LAESTAB (DfE number)"
    SCHOOL = "school", "School’s name"
    OFFERING = "offering", "Service bought (code or name)"
    QUANTITY = "quantity", "Quantity bought"
    UNIT_PRICE = "unit_price", "Price of one"
    NET = "net", "Net for the whole agreement"
    GROSS = "gross", "Total with VAT"
    STARTS_ON = "starts_on", "First day"
    ENDS_ON = "ends_on", "Last day"
    SCHEDULE = "schedule", "How it is paid"
    PURCHASE_ORDER = "purchase_order", "Purchase order number"
    USED = "used", "Used so far"
    BALANCE = "balance", "Balance left"
    INVOICED_NET = "invoiced_net", "Invoiced so far, net"
    INVOICED_GROSS = "invoiced_gross", "Invoiced so far, with VAT"
    PAID = "paid", "Paid so far"
    NOTES = "notes", "Notes"


_F: Final = Field
WORDS: Mapping[Field, tuple[str, ...]] = {
    _F.URN: ("urn", "school urn", "unique reference number"),
    _F.LAESTAB: ("laestab", "dfe", "dfe number", "dfe no", "dfes", "la estab", "estab", "school number"),
    _F.SCHOOL: ("school", "school name", "establishment", "establishment name", "customer", "name"),
    _F.OFFERING: ("service", "offering", "product", "package", "item", "service bought", "what", "code"),
    _F.QUANTITY: (
        "days",
        "quantity",
        "qty",
        "days bought",
        "days purchased",
        "bought",
        "hours bought",
        "allocation",
    ),
    _F.UNIT_PRICE: ("day rate", "unit price", "rate", "price", "daily rate", "cost per day", "price per day"),
    _F.NET: (
        "net",
        "total net",
        "net cost",
        "cost",
        "net total",
        "total cost",
        "value",
        "amount",
        "annual cost",
    ),
    _F.GROSS: (
        "gross",
        "total",
        "total gross",
        "gross total",
        "total inc vat",
        "total including vat",
        "inc vat",
    ),
    _F.STARTS_ON: ("start", "start date", "from", "starts", "begins", "first day", "date from"),
    _F.ENDS_ON: ("end", "end date", "to", "ends", "until", "last day", "date to", "expires"),
    _F.SCHEDULE: (
        "schedule",
        "paid in",
        "payment",
        "payment schedule",
        "billing",
        "instalments",
        "payment terms",
    ),
    _F.PURCHASE_ORDER: (
        "po",
        "po number",
        "purchase order",
        "po no",
        "purchase order number",
        "order number",
    ),
    _F.USED: ("used", "days used", "used to date", "delivered", "days delivered", "hours used", "taken"),
    _F.BALANCE: (
        "left",
        "balance",
        "days left",
        "remaining",
        "days remaining",
        "balance left",
        "balance remaining",
    ),
    _F.INVOICED_NET: ("invoiced", "invoiced net", "billed", "billed net", "net invoiced", "invoiced to date"),
    _F.INVOICED_GROSS: ("invoiced gross", "gross invoiced", "billed gross", "invoiced inc vat"),
    _F.PAID: ("paid", "paid to date", "received", "amount paid"),
    _F.NOTES: ("notes", "note", "comments", "comment", "remarks"),
}


FIGURES: Final = frozenset({_F.QUANTITY, _F.USED, _F.BALANCE, _F.INVOICED_NET, _F.INVOICED_GROSS})
"""What their figures and ours are compared by."""


def plain_header(text: str) -> str:
    """Return a column's name without signs, for comparing.

    >>> plain_header("Total (inc. VAT) £")
    'total inc vat'
    """
    return " ".join(re.findall(r"[a-z0-9]+", text.lower().replace("’", "").replace("'", "")))


def guessed(columns: Sequence[str]) -> dict[Field, str]:
    """Guess which of their columns is which of our fields: by the names that offices use, each column once.

    >>> guessed(["School", "Days", "Day rate", "PO number", "Colour"])[Field.UNIT_PRICE]
    'Day rate'
    """
    names = {plain_header(column): column for column in reversed(columns)}
    found: dict[Field, str] = {}
    for one, words in WORDS.items():
        wanted = (plain_header(one.value), plain_header(one.title), *words)
        match = next(
            (names[word] for word in wanted if word in names and names[word] not in found.values()), None
        )
        if match is not None:
            found[one] = match
    return found


class Level(Titled):
    """How much a finding matters."""

    ERROR = "error", "Not taken over"
    WARNING = "warning", "Taken over; look at it"
    PASSED_OVER = "passed_over", "Passed over"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about one row: which field, what is wrong, what to do."""

    row: int
    field: Field | None
    level: Level
    message: str
    what_to_do: str

    def facts(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "row": self.row,
            "field": self.field.title if self.field else "",
            "level": self.level.value,
            "message": self.message,
            "what_to_do": self.what_to_do,
        }


class MappingIncomplete(Refused):
    """Without these a row says nothing about an agreement."""

    def __init__(self, what: str, field: str) -> None:
        super().__init__(what, field=field)


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Which column is which field, and what holds for all rows where a column is missing or a cell empty."""

    columns: Mapping[Field, str]
    offering: str = ""
    """The code of the one offering, for all rows."""
    starts_on: date | None = None
    ends_on: date | None = None
    schedule: Schedule | None = None
    in_hours: bool = False
    """Whether used and balance are hours; else they are counted like the quantity."""

    def facts(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "columns": {one.value: column for one, column in self.columns.items()},
            "offering": self.offering,
            "starts_on": self.starts_on.isoformat() if self.starts_on else None,
            "ends_on": self.ends_on.isoformat() if self.ends_on else None,
            "schedule": self.schedule.value if self.schedule else None,
            "in_hours": self.in_hours,
        }

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> ColumnMapping:
        """Return what `facts` wrote."""
        day = {
            key: date.fromisoformat(facts[key]) if facts.get(key) else None
            for key in ("starts_on", "ends_on")
        }
        return cls(
            columns={Field(name): column for name, column in facts.get("columns", {}).items()},
            offering=facts.get("offering", ""),
            starts_on=day["starts_on"],
            ends_on=day["ends_on"],
            schedule=Schedule(facts["schedule"]) if facts.get("schedule") else None,
            in_hours=bool(facts.get("in_hours")),
        )

    def checked(self, columns: Sequence[str], *, comparing: bool = False) -> ColumnMapping:
        """Return it, or refuse a mapping that names no school, no quantity, no money or no dates.

        For comparing, the school and one figure are enough.
        """
        for one, column in self.columns.items():
            if column not in columns:
                raise MappingIncomplete(
                    f"The file has no column “{column[:60]}”. Choose another for {one.title}.", one.value
                )
        has = self.columns.keys()
        if not has & {_F.URN, _F.LAESTAB, _F.SCHOOL}:
            raise MappingIncomplete(
                "Choose the column that names the school: its URN, its LAESTAB or its name.", "urn"
            )
        if comparing and not has & FIGURES:
            raise MappingIncomplete("Choose at least one column with figures to compare.", "balance")
        if not comparing:
            self._refuse_incomplete()
        return self

    def _refuse_incomplete(self) -> None:
        """Refuse what says too little to make an agreement of."""
        has = self.columns.keys()
        wanted = (
            (_F.QUANTITY in has, "quantity", "Choose the column with the quantity that was bought."),
            (
                _F.OFFERING in has or bool(self.offering),
                "offering",
                "Choose the column that says what was bought, or one service for all rows.",
            ),
            (
                bool(has & {_F.UNIT_PRICE, _F.NET}),
                "unit_price",
                "Choose the column with the price of one, or with the net.",
            ),
            (
                _F.STARTS_ON in has or self.starts_on is not None,
                "starts_on",
                "Choose the column with the first day, or enter it for all rows.",
            ),
            (
                _F.ENDS_ON in has or self.ends_on is not None,
                "ends_on",
                "Choose the column with the last day, or enter it for all rows.",
            ),
        )
        for is_there, field, sentence in wanted:
            if not is_there:
                raise MappingIncomplete(sentence, field)
