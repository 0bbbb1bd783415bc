"""Sold: offerings and their prices, VAT and route, and what a service promises, asks and is open for."""

from sla_manager.catalogue.models.discounts import Discount, PriceFreeze, PriceHold
from sla_manager.catalogue.models.needs import NeedBand
from sla_manager.catalogue.models.offerings import (
    BillingRule,
    Obligation,
    Offering,
    PresetLoad,
    Price,
    ServiceHours,
    ServicePolicy,
    ServiceRole,
    VatRate,
)
from sla_manager.catalogue.models.packages import PackagePart

__all__ = [
    "BillingRule",
    "Discount",
    "NeedBand",
    "Obligation",
    "Offering",
    "PackagePart",
    "PresetLoad",
    "Price",
    "PriceFreeze",
    "PriceHold",
    "ServiceHours",
    "ServicePolicy",
    "ServiceRole",
    "VatRate",
]
