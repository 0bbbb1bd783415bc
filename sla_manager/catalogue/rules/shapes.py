"""The shapes of a price: how much a quantity costs, each with the line that explains it."""

from __future__ import annotations

from sla_manager.kernel.titles import Titled


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
