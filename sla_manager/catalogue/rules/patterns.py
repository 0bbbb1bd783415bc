"""A visit pattern: so long every week or fortnight, for so many school weeks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sla_manager.kernel.errors import Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.quantities import plain, read_quantity
from sla_manager.kernel.titles import Titled
from sla_manager.kernel.words import counted

_THOUSAND = 1000


class Every(Titled):
    """How often a visit comes."""

    WEEK = "week", "Every week"
    FORTNIGHT = "fortnight", "Every fortnight"


class PatternRefused(Refused):
    """A pattern that is nothing, or that the offering's step cannot hold."""


@dataclass(frozen=True, slots=True)
class VisitPattern:
    """So many hours in each school week on average, for so many weeks; `every` says how often somebody comes.

    A half day (3.7 hours) each fortnight is 1.85 hours a week.
    """

    every: Every
    hours_a_week: Decimal
    weeks: int

    def __post_init__(self) -> None:
        if self.hours_a_week <= 0 or not 1 <= self.weeks <= 53:
            raise PatternRefused(
                f"{plain(self.hours_a_week)} hours a week for {self.weeks} weeks is not a pattern. "
                "Enter more than 0 hours, and between 1 and 53 weeks.",
                field="pattern",
            )

    @property
    def minutes(self) -> Minutes:
        """The whole time; refused where it is no whole number of minutes.

        >>> VisitPattern(Every.FORTNIGHT, Decimal("1.85"), 39).minutes
        Minutes(minutes=4329)
        """
        exact = Fraction(self.hours_a_week) * 60 * self.weeks
        if exact.denominator != 1:
            raise PatternRefused(
                f"{plain(self.hours_a_week)} hours × {self.weeks} weeks is not a whole number of minutes. "
                "Choose other hours.",
                field="pattern",
            )
        return Minutes(exact.numerator)

    @property
    def visit(self) -> Minutes:
        """How long one visit is; a fortnight's visit is two weeks' time."""
        weeks = 2 if self.every is Every.FORTNIGHT else 1
        exact = Fraction(self.hours_a_week) * 60 * weeks
        if exact.denominator != 1:
            raise PatternRefused(
                "One visit is not a whole number of minutes. Choose other hours.", field="pattern"
            )
        return Minutes(exact.numerator)

    def visits(self) -> tuple[int, Minutes]:
        """Return how many whole visits there are, and the time that is left over.

        >>> VisitPattern(Every.FORTNIGHT, Decimal("1.85"), 39).visits()
        (19, Minutes(minutes=111))
        """
        count, rest = divmod(self.minutes.minutes, self.visit.minutes)
        return count, Minutes(rest)

    def quantity(self, *, unit: str, unit_minutes: Minutes | None) -> Decimal:
        """Return the quantity of an offering that the pattern comes to, in its days or hours.

        >>> str(VisitPattern(Every.WEEK, Decimal("7.4"), 39).quantity(unit="hour", unit_minutes=Minutes(60)))
        '288.600'
        """
        if unit_minutes is None:
            raise PatternRefused(
                f"A {unit} is not counted in time. Enter how many you need.", field="pattern"
            )
        exact = Fraction(self.minutes.minutes * _THOUSAND, unit_minutes.minutes)
        if exact.denominator != 1:
            raise PatternRefused(
                f"{self.minutes.hours_and_minutes()} cannot be written in {unit}s. Choose other hours or weeks.",
                field="pattern",
            )
        return Decimal(exact.numerator).scaleb(-3)

    @property
    def words(self) -> str:
        """The pattern as an explanation begins.

        >>> VisitPattern(Every.WEEK, Decimal("7.4"), 39).words
        '39 weeks × 7.4 hours'
        """
        return f"{counted(self.weeks, 'week')} × {counted(self.hours_a_week, 'hour')}"

    def facts(self) -> dict[str, Any]:
        """Return what is stored with a line."""
        return {"every": self.every.value, "hours_a_week": plain(self.hours_a_week), "weeks": self.weeks}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> VisitPattern:
        """Return the pattern that was stored."""
        hours = read_quantity(str(facts["hours_a_week"]), field="pattern")
        return cls(Every(str(facts["every"])), hours, int(facts["weeks"]))
