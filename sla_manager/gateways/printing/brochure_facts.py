"""What a service's brochure says: what is free, what is sold at which price, and how to buy it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sla_manager.gateways.printing.agreement_facts import CoreDuty, ServiceHours
from sla_manager.gateways.printing.facts import Contact, Day, Prose, Supplier


@dataclass(frozen=True, slots=True, kw_only=True)
class BrochureTier:
    """One step of a price that falls with the quantity: "From 4 audits", "£500.00 each"."""

    reach: str
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrochureOffer:
    """Something that is sold: its price in words, how much may be ordered, how it is billed, what it covers.

    `prices` is empty where the service gives a price on request. `tiers` are the steps of a price that falls with
    the quantity. `example` is what it costs the school for which the brochure is printed; it may be empty.
    `includes` is what a package holds; what is free in it says so.
    """

    name: str
    description: Prose
    prices: tuple[Prose, ...]
    tiers: tuple[BrochureTier, ...]
    vat: str
    example: Prose
    limits: Prose
    suggestion: Prose
    includes: tuple[Prose, ...]
    covers: tuple[Prose, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrochureFamily:
    """One trading area and what is sold in it."""

    name: str
    offers: tuple[BrochureOffer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrochurePackage:
    """A package for the table that sets packages side by side."""

    name: str
    price: str
    includes: tuple[Prose, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrochureFacts:
    """A service's brochure for a kind of customer, or for one school. A part that is empty is left out.

    `whom` says for whom the prices are; `school` names the school of a brochure that is for one. `figures` says
    what its prices by pupils or absence stand on.
    """

    kind: Literal["brochure"]
    title: str
    whom: str
    school: str | None
    dated: Day
    supplier: Supplier
    introduction: tuple[Prose, ...]
    core_introduction: tuple[Prose, ...]
    core_offer: tuple[CoreDuty, ...]
    packages: tuple[BrochurePackage, ...]
    families: tuple[BrochureFamily, ...]
    figures: Prose
    billing: tuple[Prose, ...]
    reductions: tuple[Prose, ...]
    how_to_buy: tuple[Prose, ...]
    good_to_know: tuple[Prose, ...]
    hours: tuple[ServiceHours, ...]
    questions: Contact
