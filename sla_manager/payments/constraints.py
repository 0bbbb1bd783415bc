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
says(
    "bank_match_exceeds_line",
    "That is more than is left of this bank line. Somebody else may have matched it just now.",
    field="amount",
    kind=Conflict,
)
says("bank_match_is_its_receipt", "A bank line is matched with a payment of the same amount.", field="amount")
says("bank_match_receipt_once", "This payment was matched with a bank line already.", kind=Conflict)
for _name in ("bank_line(identity, occurrence)", "uq_bank_line_identity_occurrence"):
    says(
        _name,
        "Somebody took lines of this statement just now. Send the file again to take the rest.",
        field="file",
        kind=Conflict,
    )
for _name in ("bank_import(sha256, written)", "uq_bank_import_sha256_written"):
    says(_name, "Somebody took this file just now. Its lines are there.", field="file", kind=Conflict)
for _name in ("bank_layout(name)", "uq_bank_layout_name"):
    says(_name, "There is a layout of this name. Choose another name.", field="name", kind=Conflict)
for _name in ("bank_match(once_key)", "uq_bank_match_once_key"):
    says(_name, "This bank line was matched already.", kind=Conflict)
for _name in ("bank_match(reverses_id)", "uq_bank_match_reverses_id"):
    says(_name, "This match was taken back already.", kind=Conflict)
for _name in ("journal_remittance(once_key)", "uq_journal_remittance_once_key"):
    says(_name, "This journal was recorded already.", kind=Conflict)
for _table in (
    "bank_layout",
    "bank_import",
    "bank_line",
    "bank_match",
    "journal_remittance",
    "journal_receipt",
):
    says(
        f"append_only_{_table}",
        "What the bank said, and what became of it, is never rewritten. Take a match back instead.",
        kind=Conflict,
    )
says(
    "only_invoices_are_chased",
    "Recharges and credit notes are never chased: there is nothing to pay.",
    kind=Conflict,
)
says("nothing_is_owed", "Nothing is open on this invoice any more, so nobody is reminded.", kind=Conflict)
says("held_is_not_chased", "This invoice is held, so nobody is reminded of it.", kind=Conflict)
says(
    "only_invoices_bear_interest", "Interest is claimed on invoices only, never on a recharge.", kind=Conflict
)
says("held_bears_no_interest", "This invoice is held. End the hold before you claim interest.", kind=Conflict)
for _name in ("reminder(document_id, stage)", "uq_reminder_document_id_stage"):
    says(_name, "This reminder went out already.", kind=Conflict)
for _name in ("late_payment_claim(once_key)", "uq_late_payment_claim_once_key"):
    says(_name, "This claim was made already.", kind=Conflict)
for _name in ("dispute_message(once_key)", "uq_dispute_message_once_key"):
    says(_name, "This message was sent already.", kind=Conflict)
for _table in ("dispute_message", "reminder", "reminder_withdrawal", "bank_rate", "late_payment_claim"):
    says(f"append_only_{_table}", "What was said or claimed is never rewritten. Add to it.", kind=Conflict)
for _name in ("card_checkout(document_id)", "uq_card_checkout_live"):
    says(_name, "Somebody else is opening the card page of this invoice. Try again.", kind=Conflict)
for _name in ("card_event(event_id)", "uq_card_event_event_id"):
    says(_name, "This message was kept already.", kind=Conflict)
for _name in ("card_receipt(payment_id)", "uq_card_receipt_payment_id"):
    says(_name, "This card payment was recorded already.", kind=Conflict)
for _name in ("card_refund_order(refund_id)", "uq_card_refund_order_refund_id"):
    says(_name, "This refund was ordered already.", kind=Conflict)
for _name in ("card_dispute(dispute_id)", "uq_card_dispute_dispute_id"):
    says(_name, "This dispute was noted already.", kind=Conflict)
for _name in ("card_alert(once_key)", "uq_card_alert_once_key"):
    says(_name, "This was told already.", kind=Conflict)
for _name in ("pay_link(once_key)", "uq_pay_link_once_key"):
    says(_name, "This link was sent already.", kind=Conflict)
says("append_only_card_receipt", "By which payment money came is never rewritten.", kind=Conflict)
