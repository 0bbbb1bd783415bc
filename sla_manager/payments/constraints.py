"""What the database's rules on money received say to people."""

from __future__ import annotations

from sla_manager.kernel.errors import Conflict
from sla_manager.store.constraints import says

says(
    "allocation_exceeds_document",
    "That is more than is open on the document. Allocate less, and leave the rest on account.",
    field="amount",
)
says(
    "allocation_exceeds_receipt",
    "That is more than is left of this payment. Allocate less.",
    field="amount",
)
says("allocation_exceeds_credit", "That is more than is left of the credit note.", field="amount")
says("ck_receipt_amount", "Enter an amount above £0.00.", field="amount")
says("receipt(once_key)", "This payment was recorded already.", kind=Conflict)
says("uq_receipt_once_key", "This payment was recorded already.", kind=Conflict)
says("allocation(reverses_id)", "This allocation was reversed already.", kind=Conflict)
says("uq_allocation_reverses_id", "This allocation was reversed already.", kind=Conflict)
for _table in ("receipt", "allocation"):
    says(f"append_only_{_table}", "What was received is never changed. Reverse it instead.", kind=Conflict)
says("refund_exceeds_receipt", "That is more than is left of this payment. Refund less.", field="amount")
for _name in ("refund(once_key)", "uq_refund_once_key"):
    says(_name, "This refund was recorded already.", kind=Conflict)
for _name in ("hold(once_key)", "uq_hold_once_key"):
    says(_name, "This document is held for this reason already.", kind=Conflict)
for _name in ("hold_release(hold_id)", "uq_hold_release_hold_id"):
    says(_name, "This hold was ended already.", kind=Conflict)
for _name in ("refund(reverses_id)", "uq_refund_reverses_id"):
    says(_name, "This refund was undone already.", kind=Conflict)
for _table in ("refund", "hold", "hold_release"):
    says(
        f"append_only_{_table}", "Money that moved is never rewritten. Record what undoes it.", kind=Conflict
    )
