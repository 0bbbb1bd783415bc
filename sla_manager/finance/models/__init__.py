"""Handed over: export batches, frozen; each council's own layouts and codes; what its finance system answered."""

import sla_manager.payments.models  # noqa: F401  (an answer may name the payment that came of it)
from sla_manager.finance.models.batches import ColumnMapping, ExportBatch, ExportedDocument
from sla_manager.finance.models.coding import SchoolCode, ServiceCode
from sla_manager.finance.models.replies import LedgerAnswer, LedgerReply, ReplyLayout, ReplyReading

__all__ = [
    "ColumnMapping",
    "ExportBatch",
    "ExportedDocument",
    "LedgerAnswer",
    "LedgerReply",
    "ReplyLayout",
    "ReplyReading",
    "SchoolCode",
    "ServiceCode",
]
