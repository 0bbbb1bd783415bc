"""What the database's rules on the catalogue say to people."""

from __future__ import annotations

from sla_manager.kernel.errors import Conflict
from sla_manager.store.constraints import says

_CORE = "This is part of the free core offer. It cannot have a price, be sold or be invoiced."

says("ck_price_core_is_free", _CORE, field="offering")
says("fk_price_offering_id_family", _CORE, field="offering")
says(
    "price_versions_overlap",
    "There is a price for these dates already. Choose a later start date.",
    field="starts_on",
)
says(
    "price_is_never_edited",
    "A price is never changed once it is there. Set a new one from a later date.",
    field="unit_price",
    kind=Conflict,
)
says("ck_price_not_negative", "A price cannot be below £0.00.", field="unit_price")
says("ck_price_period", "A price ends after it starts.", field="starts_on")
says("ck_offering_core_has_a_duty", "Core offerings name their duty, and only they do.", field="duty")
says("ck_offering_step_whole_minutes", "A step must be a whole number of minutes.", field="step")
says(
    "ck_offering_time_has_a_length",
    "Enter how long one day or one hour is, in minutes.",
    field="unit_minutes",
)
says("ck_offering_limits", "The largest quantity cannot be below the smallest.", field="maximum")
says(
    "offering(service_id, code)",
    "This service has an offering with that code already. Choose another code.",
    field="code",
)
says(
    "ck_billing_rule_recharge_is_outside_scope",
    "A recharge is outside the scope of VAT, and an invoice is not. Choose the two together.",
    field="vat_code",
)
says("append_only_preset_load", "The record of loaded presets cannot be changed.", kind=Conflict)
says(
    "discount_is_never_edited",
    "A discount is never changed once it is there. End it, and add another.",
    field="ends_on",
    kind=Conflict,
)
says(
    "ck_discount_what_it_gives",
    "Enter what this discount gives: per cent, a price, or a free item.",
    field="percent",
)
says("package_in_package", "A package cannot hold another package. Choose its parts.", field="parts")
says("append_only_price_hold", "A promised price cannot be taken back.", kind=Conflict)
