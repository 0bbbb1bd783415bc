"""Their figures beside ours: what differs, and the reason where it can be told from the figures alone.

A reason is only given when the figures show it; otherwise the line says that somebody should look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from sla_manager.kernel.money import Money
from sla_manager.kernel.quantities import plain
from sla_manager.kernel.titles import Titled
from sla_manager.kernel.words import counted, pounds

UNKNOWN = "No reason found in the figures. Look at the ledger and at their records."
_NONE = Decimal(0)


class Figure(Titled):
    """What is compared."""

    BOUGHT = "bought"
    USED = "used"
    BALANCE = "balance"
    INVOICED_NET = "invoiced_net", "Invoiced, net"
    INVOICED_GROSS = "invoiced_gross", "Invoiced, with VAT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """What their file says of one agreement; None where it says nothing."""

    bought: Decimal | None = None
    used: Decimal | None = None
    balance: Decimal | None = None
    unit_price: Money | None = None
    invoiced_net: Money | None = None
    invoiced_gross: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """What our books say of the same agreement on the day.

    `instalments` are the nets of its documents in order, and `due` of them are due; `used` is without what lapsed.
    """

    bought: Decimal
    varied: Decimal = _NONE
    used: Decimal | None = None
    charged: Decimal = _NONE
    lapsed: Decimal = _NONE
    balance: Decimal | None = None
    unit: str = "day"
    unit_price: Money
    net: Money
    invoiced_net: Money
    invoiced_gross: Money
    instalments: tuple[Money, ...] = ()
    due: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure: theirs, ours, theirs less ours, and why (nothing where they agree)."""

    figure: Figure
    theirs: Decimal | Money | None
    ours: Decimal | Money | None
    off: Decimal | Money | None
    reason: str = ""

    @property
    def agrees(self) -> bool:
        """Whether nothing is off, or nothing can be compared."""
        return not self.off


def differences(theirs: Theirs, ours: Ours) -> tuple[Difference, ...]:
    """Compare every figure that both sides have.

    >>> found = differences(Theirs(bought=Decimal(10), used=Decimal(2), balance=Decimal("10.5")), Ours(
    ...     bought=Decimal(10), used=Decimal(2), balance=Decimal(8), unit_price=Money(368_00), net=Money(3680_00),
    ...     invoiced_net=Money(0), invoiced_gross=Money(0)))
    >>> print(found[2].off, found[2].reason)
    2.5 They carried 2.5 days forward from an earlier year. Here unused time lapses at the end of its year.
    """
    found = []
    for figure in Figure:
        his, own = getattr(theirs, figure.value), getattr(ours, figure.value)
        off = None if his is None or own is None else his - own
        reason = _REASONS[figure](theirs, ours) if off else ""
        found.append(Difference(figure, his, own, off, reason))
    return tuple(found)


def _is_rounded(his: Decimal, own: Decimal) -> bool:
    """Say whether theirs is ours, shown with fewer decimals."""
    places = min(2, max(0, -int(his.as_tuple().exponent))) if his.is_finite() else 0
    step = Decimal(1).scaleb(-places)
    return his != own and (own.quantize(step, ROUND_HALF_UP) == his or abs(his - own) < Decimal("0.01"))


def _rounding(his: Decimal, own: Decimal, unit: str) -> str:
    return f"Rounding: ours is {counted(own, unit)}, kept to the minute; they show {plain(his)}."


def _bought(theirs: Theirs, ours: Ours) -> str:
    his = theirs.bought or _NONE
    if ours.varied and his - ours.bought == -ours.varied:
        return f"Our variation of {counted(ours.varied, ours.unit)} is not in their file."
    if his > ours.bought:
        return (
            f"They count {counted(his - ours.bought, ours.unit)} more as bought: a variation that is not here, or "
            "time carried forward, which lapses here."
        )
    return UNKNOWN


def _used(theirs: Theirs, ours: Ours) -> str:
    his, own = theirs.used or _NONE, ours.used or _NONE
    if _is_rounded(his, own):
        return _rounding(his, own, ours.unit)
    if ours.charged and own - his == ours.charged:
        return f"We charged {counted(ours.charged, ours.unit)} for visits cancelled late; they did not."
    if own > his:
        return f"{counted(own - his, ours.unit)} entered here are not in their file yet."
    return f"{counted(his - own, ours.unit)} in their file are not entered here."


def _balance(theirs: Theirs, ours: Ours) -> str:
    his, own = theirs.balance or _NONE, ours.balance or _NONE
    off = his - own
    if _is_rounded(his, own):
        return _rounding(his, own, ours.unit)
    carried = None
    if theirs.bought is not None and theirs.used is not None:
        carried = his - (theirs.bought - theirs.used)
    elif theirs.used is None and his > ours.bought:
        carried = his - ours.bought
    if carried is not None and carried > 0:
        return (
            f"They carried {counted(carried, ours.unit)} forward from an earlier year. "
            "Here unused time lapses at the end of its year."
        )
    if ours.lapsed and off == ours.lapsed:
        return f"The year is closed here: {counted(ours.lapsed, ours.unit)} lapsed."
    bought_off = (theirs.bought - ours.bought) if theirs.bought is not None else _NONE
    used_off = (theirs.used - (ours.used or _NONE)) if theirs.used is not None else _NONE
    if off == bought_off - used_off:
        return "It follows from what was bought and used."
    return UNKNOWN


def _net(theirs: Theirs, ours: Ours) -> str:
    his = theirs.invoiced_net or Money(0)
    off = his - ours.invoiced_net
    if abs(off.pence) <= max(1, ours.due):
        return "Rounding: parts of the whole are split to the penny here."
    if theirs.unit_price is not None and theirs.unit_price != ours.unit_price:
        dearer = (theirs.unit_price - ours.unit_price).times(ours.bought)
        if off in (dearer, _share(dearer, ours)):
            return f"Another price: theirs is {pounds(theirs.unit_price)}, ours {pounds(ours.unit_price)}."
    if his == ours.net and ours.due < len(ours.instalments):
        return f"They invoice the whole at once; {pounds(off)} of it falls due later here."
    billed = _instalments_in(his, ours.instalments)
    if billed is not None and billed != ours.due:
        return (
            f"Other days: they have invoiced {billed} of {len(ours.instalments)} parts; "
            f"by our schedule {ours.due} are due."
        )
    return UNKNOWN


def _share(whole: Money, ours: Ours) -> Money | None:
    """Return the part of a difference that has fallen due: as much of it as of the instalments."""
    if not ours.instalments or not ours.due:
        return None
    weights = [part.pence for part in ours.instalments]
    return Money(sum(part.pence for part in whole.split(weights)[: ours.due]))


def _instalments_in(amount: Money, instalments: Sequence[Money]) -> int | None:
    """Return how many instalments an amount is, within a penny each; None when it is no whole number of them."""
    so_far = Money(0)
    for count, part in enumerate((Money(0), *instalments)):
        so_far += part
        if abs((so_far - amount).pence) <= count:
            return count
    return None


def _gross(theirs: Theirs, ours: Ours) -> str:
    his = theirs.invoiced_gross or Money(0)
    off, vat = his - ours.invoiced_gross, ours.invoiced_gross - ours.invoiced_net
    net_off = (theirs.invoiced_net - ours.invoiced_net) if theirs.invoiced_net is not None else None
    if not net_off and abs(off.pence) <= max(1, ours.due):
        return "Rounding of VAT: here it is worked out on each document."
    if vat and (his == ours.invoiced_net or (theirs.invoiced_net is not None and his == theirs.invoiced_net)):
        return f"VAT: they charge none, here it is {pounds(vat)}."
    if not vat and off.pence > 0 and not net_off:
        return "VAT: they charge it; here it is a recharge or an exempt service, without VAT."
    if net_off:
        return "It follows from the net."
    return _in_the_net(theirs, ours, his) if net_off is None else UNKNOWN


def _in_the_net(theirs: Theirs, ours: Ours, his: Money) -> str:
    """Look for the reason in the net that their total with VAT stands for, at our rate."""
    rate = (ours.invoiced_gross.pence, ours.invoiced_net.pence)
    if not rate[0]:
        return UNKNOWN
    net = Money.rounded(Decimal(his.pence) * rate[1] / rate[0])
    return _net(Theirs(invoiced_net=net, unit_price=theirs.unit_price), ours)


_REASONS = {
    Figure.BOUGHT: _bought,
    Figure.USED: _used,
    Figure.BALANCE: _balance,
    Figure.INVOICED_NET: _net,
    Figure.INVOICED_GROSS: _gross,
}
