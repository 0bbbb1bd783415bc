"""What changes visits: planned, moved, cancelled, delivered, answered; absences, calendar addresses, variations."""

from sla_manager.visits.commands.absences import AbsenceClashes, add_absence, withdraw_absence
from sla_manager.visits.commands.cancelling import cancel_visit, record_no_access
from sla_manager.visits.commands.delivering import log_delivery
from sla_manager.visits.commands.feeds import open_feed, revoke_feed
from sla_manager.visits.commands.planning import (
    JustTaken,
    concerns_about,
    move_visit,
    plan_visit,
    reassign_visit,
    slot_of,
)
from sla_manager.visits.commands.responding import (
    decide_extra_time,
    respond_to_delivery,
    settle_query,
    taken_by,
)
from sla_manager.visits.commands.varying import vary_agreement

__all__ = [
    "AbsenceClashes",
    "JustTaken",
    "add_absence",
    "cancel_visit",
    "concerns_about",
    "decide_extra_time",
    "log_delivery",
    "move_visit",
    "open_feed",
    "plan_visit",
    "reassign_visit",
    "record_no_access",
    "respond_to_delivery",
    "revoke_feed",
    "settle_query",
    "slot_of",
    "taken_by",
    "vary_agreement",
    "withdraw_absence",
]
