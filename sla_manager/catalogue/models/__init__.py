"""Sold: offerings and their prices, VAT and route, and what a service promises, asks and is open for."""

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

__all__ = [
    "BillingRule",
    "NeedBand",
    "Obligation",
    "Offering",
    "PresetLoad",
    "Price",
    "ServiceHours",
    "ServicePolicy",
    "ServiceRole",
    "VatRate",
]
