"""Paid: receipts, what they are set against, what went back, what is open, what is held."""

from sla_manager.payments.models.balances import DocumentBalance
from sla_manager.payments.models.cards import (
    CardAlert,
    CardCheckout,
    CardDispute,
    CardEvent,
    CardReceipt,
    CardRefundOrder,
    PayLink,
)
from sla_manager.payments.models.holds import Hold, HoldRelease
from sla_manager.payments.models.receipts import Allocation, Receipt
from sla_manager.payments.models.refunds import Refund

__all__ = [
    "Allocation",
    "CardAlert",
    "CardCheckout",
    "CardDispute",
    "CardEvent",
    "CardReceipt",
    "CardRefundOrder",
    "DocumentBalance",
    "Hold",
    "HoldRelease",
    "PayLink",
    "Receipt",
    "Refund",
]
