"""Paid: receipts, what they are set against, what went back, what is open, what is held."""

from sla_manager.payments.models.balances import DocumentBalance
from sla_manager.payments.models.bank import (
    BankImport,
    BankLayout,
    BankLine,
    BankLineOpen,
    BankMatch,
    JournalReceipt,
    JournalRemittance,
)
from sla_manager.payments.models.cards import (
    CardAlert,
    CardCheckout,
    CardDispute,
    CardEvent,
    CardReceipt,
    CardRefundOrder,
    PayLink,
)
from sla_manager.payments.models.chasing import (
    BankRate,
    DisputeMessage,
    LatePaymentClaim,
    Reminder,
    ReminderWithdrawal,
)
from sla_manager.payments.models.holds import Hold, HoldRelease
from sla_manager.payments.models.receipts import Allocation, Receipt
from sla_manager.payments.models.refunds import Refund

__all__ = [
    "Allocation",
    "BankImport",
    "BankLayout",
    "BankLine",
    "BankLineOpen",
    "BankMatch",
    "BankRate",
    "CardAlert",
    "CardCheckout",
    "CardDispute",
    "CardEvent",
    "CardReceipt",
    "CardRefundOrder",
    "DisputeMessage",
    "DocumentBalance",
    "Hold",
    "HoldRelease",
    "JournalReceipt",
    "JournalRemittance",
    "LatePaymentClaim",
    "PayLink",
    "Receipt",
    "Refund",
    "Reminder",
    "ReminderWithdrawal",
]
