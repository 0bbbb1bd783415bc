"""Electronic invoices: written by a library, read back, held against the official schema and our exact rules."""

from __future__ import annotations

from sla_manager.gateways.e_invoices.checking import Breach, RulesBroken, breaches, check
from sla_manager.gateways.e_invoices.figures import Figures
from sla_manager.gateways.e_invoices.reading import read
from sla_manager.gateways.e_invoices.writing import NotOfTheSchema, Syntax, write

__all__ = [
    "Breach",
    "Figures",
    "NotOfTheSchema",
    "RulesBroken",
    "Syntax",
    "breaches",
    "check",
    "read",
    "write",
]
