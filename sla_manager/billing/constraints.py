"""What the database's rules on documents say to people."""

from __future__ import annotations

from sla_manager.kernel.errors import Conflict
from sla_manager.store.constraints import says

says(
    "credit_exceeds_document",
    "More would be credited than is left of the document. Look at what was credited before.",
    field="amount",
)
says("billed(purpose, source_id, route)", "This was billed already.", kind=Conflict)
says("uq_billed_purpose_source_id_route", "This was billed already.", kind=Conflict)
says("document(series, year, sequence)", "This number is taken. Try again.", kind=Conflict)
says("uq_document_series_year_sequence", "This number is taken. Try again.", kind=Conflict)
says("document_file(document_id)", "This document is printed already.", kind=Conflict)
says("uq_document_file_document_id", "This document is printed already.", kind=Conflict)
says(
    "core_is_never_charged",
    "This is part of the free core offer. It is never charged. Choose a chargeable service.",
    field="offering",
)
says("one_off_charge(once_key)", "This charge was recorded already.", kind=Conflict)
says("uq_one_off_charge_once_key", "This charge was recorded already.", kind=Conflict)
says("one_off_withdrawal(charge_id)", "This charge was withdrawn already.", kind=Conflict)
says("uq_one_off_withdrawal_charge_id", "This charge was withdrawn already.", kind=Conflict)
for _table in ("one_off_charge", "one_off_line", "one_off_withdrawal"):
    says(
        f"append_only_{_table}",
        "A charge never changes. Withdraw it and record another.",
        kind=Conflict,
    )
for _table in ("document", "document_line", "document_vat", "document_file", "billed"):
    says(
        f"append_only_{_table}",
        "What was issued never changes. Issue a credit note instead.",
        kind=Conflict,
    )
says(
    "period_is_locked",
    "The books of that day are locked. Use a later date, or reopen the period.",
)
says("period_locked_already", "The books are locked that far already.", kind=Conflict)
says("period_locked_further", "A later period is locked. Reopen that one first.", kind=Conflict)
says("ck_period_lock_is_over", "Only days that are over can be locked.", field="through")
for _name in ("period_reopening(lock_id)", "uq_period_reopening_lock_id"):
    says(_name, "This period was reopened already.", kind=Conflict)
for _table in ("period_lock", "period_reopening"):
    says(f"append_only_{_table}", "A lock never changes. Reopen the period, or lock it again.", kind=Conflict)
for _name in ("service_cost(service_id, year)", "uq_service_cost_service_id_year"):
    says(_name, "Somebody else entered this year's cost at the same moment. Look at it again.", kind=Conflict)
for _name in ("e_invoice(document_id, syntax)", "uq_e_invoice_document_id_syntax"):
    says(_name, "This electronic invoice is made already.", kind=Conflict)
for _name in ("electronic_address(customer_id)", "uq_electronic_address_customer_id"):
    says(
        _name, "Somebody else entered this customer's electronic address just now. Look at it.", kind=Conflict
    )
says(
    "ck_electronic_address_scheme_and_identifier",
    "Enter the kind of electronic address and its number, or neither.",
    field="identifier",
)
for _table in ("e_invoice", "e_invoice_form"):
    says(
        f"append_only_{_table}",
        "An electronic invoice never changes. Issue a credit note instead.",
        kind=Conflict,
    )
