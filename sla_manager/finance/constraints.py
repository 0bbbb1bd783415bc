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
