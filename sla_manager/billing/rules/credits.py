"""How much of a document may be credited, and what VAT goes with it: its own rate, and never a penny too much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sla_manager.catalogue.rules.vat import Totals, VatCode, VatRow
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money, total
from sla_manager.kernel.words import long_date, pounds

DAYS_TO_CREDIT = 14
"""A credit for a decrease is issued within this many days, counting the day of the decision.

Source: Value Added Tax Regulations 1995, regulation 15C."""


class CreditTooLarge(Refused):
    """No more can be credited than is left of the document."""

    def __init__(self, what: str, wanted: Money, left: Money) -> None:
        super().__init__(
            f"{pounds(wanted)} is more than is left of {what}: {pounds(left)} can still be credited. "
            "Enter that or less.",
            field="amount",
        )


class NothingToCredit(Refused):
    """A credit is above nothing."""

    def __init__(self) -> None:
        super().__init__("Enter an amount above £0.00 for at least one line.", field="amount")


class ReasonMissing(Refused):
    """A credit says why."""

    def __init__(self) -> None:
        super().__init__(
            "Enter why this is credited. The reason is printed on the credit note.", field="reason"
        )


class CreditedTooLate(Refused):
    """A credit is issued within 14 days of the decision."""

    def __init__(self, decided_on: date, last: date) -> None:
        super().__init__(
            f"This was decided on {long_date(decided_on)}, so the credit note was due by {long_date(last)}. "
            "Record a new decision with today's date, and say why it is late.",
            field="decided_on",
        )


def last_day_to_credit(decided_on: date) -> date:
    """Return the last day on which a credit may be issued, the day of the decision counted as the first.

    >>> str(last_day_to_credit(date(2026, 3, 1)))
    '2026-03-14'
    """
    return decided_on + timedelta(days=DAYS_TO_CREDIT - 1)


@dataclass(frozen=True, slots=True)
class CreditableLine:
    """A line of the document and how much of its net is left (amounts as on the document)."""

    position: int
    net: Money
    left: Money
    code: VatCode
    rate: int


@dataclass(frozen=True, slots=True)
class CreditableVat:
    """A VAT row of the document and how much of its net and VAT is left."""

    code: VatCode
    rate: int
    net_left: Money
    vat_left: Money
    reason: str


def credit_totals(
    lines: Sequence[CreditableLine], rows: Sequence[CreditableVat], wanted: Mapping[int, Money]
) -> Totals:
    """Return a credit's totals, all below nothing: VAT per code on the credited sum, at the document's own rate.

    What is credited last takes the VAT that is left, so that all credits of a document add up to it exactly.
    """
    by_position = {line.position: line for line in lines}
    if not wanted or any(amount.pence <= 0 for amount in wanted.values()):
        raise NothingToCredit()
    nets: dict[tuple[VatCode, int], Money] = {}
    for position, amount in wanted.items():
        line = by_position[position]
        if amount > line.left:
            raise CreditTooLarge(f"line {position}", amount, line.left)
        key = (line.code, line.rate)
        nets[key] = nets.get(key, Money(0)) + amount
    credited = []
    for row in rows:
        net = nets.get((row.code, row.rate))
        if net is None:
            continue
        if net > row.net_left:
            raise CreditTooLarge("this document", net, row.net_left)
        vat = row.vat_left if net == row.net_left else min(net.per_cent(row.rate), row.vat_left)
        credited.append(VatRow(row.code, row.rate, -net, -vat, row.reason))
    net, vat = total(row.net for row in credited), total(row.vat for row in credited)
    return Totals(net, vat, net + vat, tuple(credited))


def spread(amount: Money, lefts: Sequence[Money]) -> tuple[Money, ...]:
    """Take an amount from several remainders in their order, each as far as it goes.

    >>> [str(part) for part in spread(Money(500), [Money(300), Money(400)])]
    ['3.00', '2.00']
    """
    taken = []
    for left in lefts:
        part = min(amount, left) if left.pence > 0 else Money(0)
        taken.append(part)
        amount -= part
    return tuple(taken)
