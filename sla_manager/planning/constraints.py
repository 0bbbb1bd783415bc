"""What the database's rules on planning say to people."""

from __future__ import annotations

from sla_manager.kernel.errors import Conflict
from sla_manager.store.constraints import says

_PLANNED = "Somebody else has just set this year's capacity. Look at what it says now, then save again."
says("capacity_plan(service_id, year)", _PLANNED, kind=Conflict)
says("uq_capacity_plan_service_id_year", _PLANNED, kind=Conflict)
says("ck_capacity_plan_day_length", "A day has between 1 and 12 hours.", field="day_length")
says("ck_capacity_plan_meeting", "A meeting with its preparation takes up to 24 hours.", field="meeting")
says("ck_capacity_plan_schools", "The number of schools is 0 or more.", field="schools")
says("ck_capacity_plan_not_negative", "Time that is kept free is 0 or more.")
_DECIDED = "This order was accepted beyond capacity already. Look at it again."
says("capacity_decision(agreement_id)", _DECIDED, kind=Conflict)
says("uq_capacity_decision_agreement_id", _DECIDED, kind=Conflict)
says(
    "ck_capacity_decision_reason", "Say why you accept it although there is not enough time.", field="reason"
)
says("append_only_capacity_decision", "A decision beyond capacity is never changed.")
