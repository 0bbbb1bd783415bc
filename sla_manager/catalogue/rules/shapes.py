"""The shapes of a price: how much a quantity costs, each with the sentences that explain it.

A price depends on its terms, the quantity and the school's frozen figures alone, never on the day on which it is
worked out (M8). It is rounded once, half up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.quantities import first_step, plain
from sla_manager.kernel.titles import Titled
from sla_manager.kernel.words import counted, pounds


class PriceShape(Titled):
    """How a price is built."""

    UNIT = "unit", "So much for each"
    TIERS = "tiers", "A price for each that falls with the whole quantity"
    PER_PUPIL = "per_pupil", "A base and so much for each pupil"
    BANDS = "bands", "A fixed price by phase, pupils or absence"


class PartYear(Titled):
    """What an agreement of less than a year pays of a price that is for a year."""

    FULL = "full", "The full year's price"
    MONTHS = "months", "By the months that are left"
    DAYS = "days", "By the days that are left"


class TopUp(Titled):
    """What more of the same costs later in the year, where the price falls with the quantity."""

    ORIGINAL = "original", "At the price of each that was agreed"
    STAND_ALONE = "stand_alone", "As an order of its own"
    CUMULATIVE = "cumulative", "The whole quantity is priced again, and the difference is charged"


BANDED_BY = ("phase", "pupils", "absence")
"""What a fixed price may depend on; absence is persistent absence, in per cent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolFigures:
    """What is published of a school and prices stand on; None is what is not published, and is never nothing."""

    phase: str = ""
    pupils: int | None = None
    pupils_from: str = ""
    """Where the number of pupils comes from: "January 2025 census"."""
    absence: Decimal | None = None
    """Persistent absence in per cent."""
    absence_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """What a quantity costs, exact in pence and not yet rounded; how it came about; what it stood on."""

    pence: Fraction
    each: Money
    words: str
    facts: dict[str, Any] = field(default_factory=dict)
    hint: str = ""

    @property
    def net(self) -> Money:
        """The price, rounded once."""
        return Money.rounded(self.pence)


class FigureMissing(Refused):
    """A price stands on a figure that the school does not have."""

    def __init__(self, figure: str, *, why: str = "none is published") -> None:
        super().__init__(
            f"This price depends on the school’s {figure}, and {why}. Ask the service for a price."
        )


def price_quantity(
    shape: PriceShape,
    unit_price: Money,
    terms: Mapping[str, Any],
    quantity: Decimal,
    *,
    unit: str,
    figures: SchoolFigures,
    step: Decimal = Decimal(1),
    maximum: Decimal | None = None,
) -> Priced:
    """Return what a quantity costs, with its sentence and, where more would cost less, a hint.

    `step` and `maximum` are those of the whole quantity: a hint names only what can be ordered.

    >>> tiers = {"tiers": [["1", "565.00"], ["4", "500.00"], ["11", "475.00"], ["21", "432.00"]]}
    >>> found = price_quantity(PriceShape.TIERS, Money(565_00), tiers, Decimal(20), unit="audit",
    ...                        figures=SchoolFigures())
    >>> found.words, found.hint
    ('20 audits × £475.00 = £9,500.00', '21 audits cost £9,072.00: that is £428.00 less than 20.')
    >>> pupils = SchoolFigures(pupils=210, pupils_from="January 2025 census")
    >>> str(price_quantity(PriceShape.PER_PUPIL, Money(466_14), {"base": "466.14", "each": "1.14"}, Decimal(1),
    ...                    unit="year", figures=pupils).net)
    '705.54'
    """
    if shape is PriceShape.TIERS:
        return _tiered(terms, quantity, unit, step, maximum)
    if shape is PriceShape.PER_PUPIL:
        return _by_pupils(terms, quantity, unit, figures)
    if shape is PriceShape.BANDS:
        return _banded(terms, quantity, unit, figures)
    exact = Fraction(quantity) * unit_price.pence
    return Priced(pence=exact, each=unit_price, words=_times(quantity, unit, unit_price))


def _times(quantity: Decimal, unit: str, each: Money) -> str:
    return f"{counted(quantity, unit)} × {pounds(each)} = {pounds(each.times(quantity))}"


def tiers_of(terms: Mapping[str, Any]) -> list[tuple[Decimal, Money]]:
    """Return the tiers: from how many on, and the price of each."""
    return [(Decimal(str(least)), Money.parse(str(price))) for least, price in terms["tiers"]]


def tier_price(tiers: Sequence[tuple[Decimal, Money]], quantity: Decimal) -> Money:
    """Return the price of each of a whole quantity; below the first tier the first price holds.

    >>> tier_price([(Decimal(1), Money(565_00)), (Decimal(4), Money(500_00))], Decimal(4))
    Money(pence=50000)
    """
    return [price for least, price in tiers if least <= quantity or least == tiers[0][0]][-1]


def _tiered(
    terms: Mapping[str, Any], quantity: Decimal, unit: str, step: Decimal, maximum: Decimal | None
) -> Priced:
    tiers = tiers_of(terms)
    each = tier_price(tiers, quantity)
    return Priced(
        pence=Fraction(quantity) * each.pence,
        each=each,
        words=_times(quantity, unit, each),
        facts={
            "tiers": [list(row) for row in terms["tiers"]],
            "top_up": str(terms.get("top_up", "original")),
        },
        hint=cheaper_hint(tiers, quantity, unit, step=step, maximum=maximum),
    )


def cheaper_hint(
    tiers: Sequence[tuple[Decimal, Money]],
    quantity: Decimal,
    unit: str,
    *,
    step: Decimal = Decimal(1),
    maximum: Decimal | None = None,
) -> str:
    """Say that more costs less, where it does: the cheapest larger quantity that can be ordered.

    The cheapest is where a later price begins, at the first step from there on.

    >>> cheaper_hint([(Decimal(1), Money(10_00)), (Decimal(3), Money(9_00))], Decimal(2), "case")
    ''
    """
    now = tier_price(tiers, quantity).times(quantity)
    larger = [first_step(least, step) for least, _ in tiers if least > quantity]
    cheaper = [
        (cost, more)
        for more in larger
        if (maximum is None or more <= maximum) and (cost := tier_price(tiers, more).times(more)) < now
    ]
    if not cheaper:
        return ""
    cost, more = min(cheaper)
    return f"{counted(more, unit)} cost {pounds(cost)}: that is {pounds(now - cost)} less than {plain(quantity)}."


def _by_pupils(terms: Mapping[str, Any], quantity: Decimal, unit: str, figures: SchoolFigures) -> Priced:
    base, each = Money.parse(str(terms["base"])), Money.parse(str(terms["each"]))
    fallback = terms.get("fallback_pupils")
    pupils, source = figures.pupils, figures.pupils_from
    if pupils is None and fallback is not None:
        pupils, source = int(fallback), "no figure is published, so the service's own number counts"
    if pupils is None:
        raise FigureMissing("number of pupils")
    one = base + each.times(pupils)
    why = f"{pounds(base)} + {pounds(each)} × {pupils:,} pupils = {pounds(one)}"
    if source:
        why = f"{why} ({source})"
    return Priced(
        pence=Fraction(quantity) * one.pence,
        each=one,
        words=why if quantity == 1 else f"{why}; {_times(quantity, unit, one)}",
        facts={"base": str(base), "each": str(each), "pupils": pupils, "pupils_from": source},
    )


def _banded(terms: Mapping[str, Any], quantity: Decimal, unit: str, figures: SchoolFigures) -> Priced:
    by = str(terms["by"])
    band = _band_of(terms["bands"], by, figures)
    each = Money.parse(str(band["price"]))
    said = {
        "phase": f"phase {figures.phase}",
        "pupils": f"{figures.pupils or 0:,} pupils"
        + (f", {figures.pupils_from}" if figures.pupils_from else ""),
        "absence": f"persistent absence {plain(figures.absence or Decimal(0))} %"
        + (f", {figures.absence_from}" if figures.absence_from else ""),
    }[by]
    return Priced(
        pence=Fraction(quantity) * each.pence,
        each=each,
        words=f"{_times(quantity, unit, each)} ({said})",
        facts={"by": by, "band": dict(band), "stood_on": said},
    )


def _band_of(bands: Sequence[Mapping[str, Any]], by: str, figures: SchoolFigures) -> Mapping[str, Any]:
    if by == "phase":
        found = next((one for one in bands if str(one["phase"]).lower() == figures.phase.lower()), None)
        if found is None:
            why = f"“{figures.phase}” has no price" if figures.phase else "the register has none"
            raise FigureMissing("phase", why=why)
        return found
    figure = Decimal(figures.pupils) if by == "pupils" and figures.pupils is not None else None
    figure = figures.absence if by == "absence" else figure
    if figure is None:
        raise FigureMissing("number of pupils" if by == "pupils" else "persistent absence")
    found = next((one for one in bands if _within(one, figure)), None)
    if found is None:
        named = "number of pupils" if by == "pupils" else "persistent absence"
        raise FigureMissing(named, why=f"{plain(figure)} is outside every band")
    return found


def _within(band: Mapping[str, Any], figure: Decimal) -> bool:
    ends = band.get("to")
    return Decimal(str(band["from"])) <= figure and (ends is None or figure < Decimal(str(ends)))


def plainest(shape: PriceShape, terms: Mapping[str, Any]) -> Money:
    """Return the price that stands in lists: of one, of the first tier, of the base, of the lowest band.

    >>> plainest(PriceShape.BANDS, {"by": "phase", "bands": [{"phase": "Primary", "price": "250.00"}]})
    Money(pence=25000)
    """
    if shape is PriceShape.TIERS:
        return tiers_of(terms)[0][1]
    if shape is PriceShape.PER_PUPIL:
        return Money.parse(str(terms["base"]))
    return min(Money.parse(str(band["price"])) for band in terms["bands"])
