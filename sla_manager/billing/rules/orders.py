"""When a document needs the payer's purchase order number."""

from __future__ import annotations

from sla_manager.catalogue.rules.vat import Route
from sla_manager.kernel.money import Money


def purchase_order_needed(route: Route, gross: Money, *, by_customer: bool, least: Money | None) -> bool:
    """Say whether a document needs one: the customer asks for it, or the council does from an amount on.

    The council's rule is about invoices; within its own books nobody orders.

    >>> purchase_order_needed(Route.INVOICE, Money(500_00), by_customer=False, least=Money(500_00))
    True
    >>> purchase_order_needed(Route.RECHARGE, Money(500_00), by_customer=False, least=Money(500_00))
    False
    """
    return by_customer or (route is Route.INVOICE and least is not None and gross >= least)
