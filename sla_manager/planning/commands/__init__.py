"""Commands of planning: the capacity of a year is set, and orders are decided by it."""

from __future__ import annotations

from sla_manager.planning.commands.capacity import set_capacity
from sla_manager.planning.commands.orders import decide_order

__all__ = ["decide_order", "set_capacity"]
