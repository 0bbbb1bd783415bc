"""Electronic invoices: written by a library, held against the official schema and rules, read back."""

from __future__ import annotations

from sla_manager.gateways.e_invoices.writing import NotOfTheSchema, Syntax, write

__all__ = ["NotOfTheSchema", "Syntax", "write"]
