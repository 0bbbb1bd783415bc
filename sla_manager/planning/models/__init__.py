"""Planning: what the core offer needs in a year, and decisions beyond what officers have time for."""

from __future__ import annotations

from sla_manager.planning.models.capacity import CapacityDecision, CapacityPlan

__all__ = ["CapacityDecision", "CapacityPlan"]
