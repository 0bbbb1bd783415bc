"""Questions about how a year could be."""

from __future__ import annotations

from sla_manager.planning.queries.capacity import capacity, capacity_plan, settings_of, years_of
from sla_manager.planning.queries.room import OrderRoom, decision_of, order_room, room_for

__all__ = [
    "OrderRoom",
    "capacity",
    "capacity_plan",
    "decision_of",
    "order_room",
    "room_for",
    "settings_of",
    "years_of",
]
