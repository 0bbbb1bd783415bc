"""What the database's rules on people and places say to people."""

from __future__ import annotations

from sla_manager.kernel.errors import Conflict
from sla_manager.store.constraints import says

says("person(email)", "Somebody has this e-mail address already. Search for them instead.", field="email")
says("uq_person_email", "Somebody has this e-mail address already. Search for them instead.", field="email")
_HELD = "This person has that role there already."
says("uq_membership_once", _HELD, field="role")
says("membership(person_id, role, place_key)", _HELD, field="role")
says("ck_membership_role_in_its_place", "Choose the place that belongs to this role.", field="role")
_CODE = "Another service has this short name. Choose a different one."
says("uq_service_code", _CODE, field="code")
says("service(code)", _CODE, field="code")
_SERIES = "Another service's documents begin like this. Choose a different beginning."
says("uq_service_series", _SERIES, field="series")
says("service(series)", _SERIES, field="series")
_SIGN_IN = "This person is linked to another officer already."
says("uq_officer_person_id", _SIGN_IN, field="person_id")
says("officer(person_id)", _SIGN_IN, field="person_id")
says("ck_officer_ends_after_start", "An officer's last day cannot be before the first.", field="ends_on")
says("ck_working_day_hours", "A working day ends after it starts, on the same day.", field="pattern")
_TERM = "A term that starts on this day is there already."
says("uq_school_term_starts_on", _TERM, field="starts_on")
says("school_term(starts_on)", _TERM, field="starts_on")
says("ck_school_term_ends_after_start", "A term's last day cannot be before its first.", field="ends_on")
_COUNCIL = "The council is set up already."
says("ck_provider_only_one", _COUNCIL, kind=Conflict)
says("pk_provider", _COUNCIL, kind=Conflict)
says("provider(id)", _COUNCIL, kind=Conflict)
says("ck_provider_payment_days", "Enter between 0 and 365 days for payment.", field="payment_days")
says("ck_school_override_has_a_reason", "Give the reason for another class.", field="reason")
says("append_only_register_import", "The record of imports cannot be changed.", kind=Conflict)
for _table in ("figures_import", "attendance_figure", "census_count"):
    says(f"append_only_{_table}", "Published figures that were imported cannot be changed.", kind=Conflict)
