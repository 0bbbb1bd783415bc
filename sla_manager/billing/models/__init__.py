"""Owed: documents as issued, one-off charges, the council's rules of asking for money."""

from sla_manager.billing.models.charges import CHARGE_KINDS, OneOffCharge, OneOffLine, OneOffWithdrawal
from sla_manager.billing.models.costs import ServiceCost
from sla_manager.billing.models.documents import (
    Billed,
    Document,
    DocumentFile,
    DocumentLine,
    DocumentVat,
    Parked,
)
from sla_manager.billing.models.e_invoices import EInvoice, EInvoiceForm, ElectronicAddress
from sla_manager.billing.models.locks import PeriodLock, PeriodReopening
from sla_manager.billing.models.policy import FinancePolicy

__all__ = [
    "CHARGE_KINDS",
    "Billed",
    "Document",
    "DocumentFile",
    "DocumentLine",
    "DocumentVat",
    "EInvoice",
    "EInvoiceForm",
    "ElectronicAddress",
    "FinancePolicy",
    "OneOffCharge",
    "OneOffLine",
    "OneOffWithdrawal",
    "Parked",
    "PeriodLock",
    "PeriodReopening",
    "ServiceCost",
]
