"""Money received, set against documents, taken off again, given back."""

from sla_manager.payments.commands.receipts import (
    LONGEST_REFERENCE,
    METHODS,
    MoreThanLeft,
    MoreThanOpen,
    allocate,
    record_receipt,
    reverse_allocation,
)

__all__ = [
    "LONGEST_REFERENCE",
    "METHODS",
    "MoreThanLeft",
    "MoreThanOpen",
    "allocate",
    "record_receipt",
    "reverse_allocation",
]
