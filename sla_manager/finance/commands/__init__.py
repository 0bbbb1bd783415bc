"""Hand documents over, and keep layouts."""

from sla_manager.finance.commands.batches import (
    NothingToExport,
    make_batch,
    save_layout,
    save_sage50,
)

__all__ = [
    "NothingToExport",
    "make_batch",
    "save_layout",
    "save_sage50",
]
