"""Handed over: export batches, frozen, and each council's own mapping of columns."""

from sla_manager.finance.models.batches import ColumnMapping, ExportBatch, ExportedDocument

__all__ = ["ColumnMapping", "ExportBatch", "ExportedDocument"]
