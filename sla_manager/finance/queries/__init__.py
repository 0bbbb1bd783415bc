"""What is handed over, what waits for it, and in which layouts."""

from sla_manager.finance.queries.batches import (
    PAGE,
    batch,
    batch_by_filename,
    batch_documents,
    batches,
    batches_of,
    waiting_count,
    waiting_for,
)
from sla_manager.finance.queries.documents import export_documents
from sla_manager.finance.queries.layouts import from_stored, layout, layouts, mapping

__all__ = [
    "PAGE",
    "batch",
    "batch_by_filename",
    "batch_documents",
    "batches",
    "batches_of",
    "export_documents",
    "from_stored",
    "layout",
    "layouts",
    "mapping",
    "waiting_count",
    "waiting_for",
]
