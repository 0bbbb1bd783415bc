"""What the database's rules on handed-over files say to people."""

from __future__ import annotations

from sla_manager.kernel.errors import Conflict
from sla_manager.store.constraints import says

_TWICE = "One of these documents is in another batch already. Nothing was made. Try again."

says("exported_document(target, document_id)", _TWICE, kind=Conflict)
says("uq_exported_document_target_document_id", _TWICE, kind=Conflict)
says("column_mapping(name)", "There is a layout of this name. Choose another name.", field="name")
says("uq_column_mapping_name", "There is a layout of this name. Choose another name.", field="name")
for _table in ("export_batch", "exported_document"):
    says(f"append_only_{_table}", "A batch that was made never changes.", kind=Conflict)
for _table in ("ledger_reply", "reply_reading", "ledger_answer"):
    says(f"append_only_{_table}", "A reply of the finance system never changes.", kind=Conflict)
_READ = "Somebody else read this reply a moment ago. Open it again to see what came of it."
says("ledger_reply(target, sha256)", "This file is here already. Open it from the list.", kind=Conflict)
says("uq_ledger_reply_target_sha256", "This file is here already. Open it from the list.", kind=Conflict)
says("reply_reading(reply_id)", _READ, kind=Conflict)
says("uq_reply_reading_reply_id", _READ, kind=Conflict)
says("ledger_answer(target, fingerprint)", _READ, kind=Conflict)
says("uq_ledger_answer_target_fingerprint", _READ, kind=Conflict)
says(
    "answers_are_to_what_was_handed_over",
    "A reply answers only documents that are in a batch of its layout.",
    kind=Conflict,
)
says("ck_ledger_answer_status", "An answer is accepted, rejected or paid.")
says("ck_ledger_answer_rejected_with_a_reason", "A rejection needs its reason.", field="reason")
says("ck_school_code_cost_centre", "Enter a cost centre.", field="cost_centre")
_CHANGED = "Somebody else changed these codes a moment ago. Open the page again."
for _rule in ("school_code(customer_id)", "uq_school_code_customer_id", "service_code(service_id, training)",
              "uq_service_code_service_id_training", "reply_layout(target)", "uq_reply_layout_target"):  # fmt: skip
    says(_rule, _CHANGED, kind=Conflict)
