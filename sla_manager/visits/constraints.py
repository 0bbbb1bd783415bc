"""What the database's rules about visits say to a person."""

from __future__ import annotations

from sla_manager.kernel.errors import Conflict
from sla_manager.store.constraints import says

says(
    "visit_double_booking",
    "That time was just taken: the officer has another visit then. Choose another time or another officer.",
    field="day",
    kind=Conflict,
)
says(
    "visit_is_settled",
    "This visit is already delivered, cancelled or closed, so it cannot be changed. Open it again to see.",
    kind=Conflict,
)
says("visit_is_never_deleted", "A visit is never deleted. Cancel it instead.")
says(
    "extra_time_is_decided", "This extra time is already decided. Open the page again to see.", kind=Conflict
)
says("append_only_delivery", "What was delivered is never changed. Settle the school's query instead.")
says("append_only_activity", "What was delivered is never changed. Settle the school's query instead.")
says("append_only_cancellation", "A cancellation is never changed. Settle the school's query instead.")
says("append_only_school_response", "An answer is never changed. Give a new one: the last one counts.")
says("ck_visit_core_or_tranche", "A visit is either free core work or against what was bought, never both.")
says("delivery(visit_id)", "This visit is already logged. Open it again to see.", kind=Conflict)
says("uq_delivery_visit_id", "This visit is already logged. Open it again to see.", kind=Conflict)
says("visit(once_key)", "This visit is already planned.", kind=Conflict)
says("uq_visit_once_key", "This visit is already planned.", kind=Conflict)
