"""Promised: quotes, orders and agreements, their lines, tranches, the day ledger, variations, the year close."""

from sla_manager.agreements.models.agreements import (
    Acceptance,
    Agreement,
    AgreementFile,
    AgreementLine,
    AgreementVersion,
    Instalment,
    InstalmentPart,
    LedgerEntry,
    Tranche,
    Variation,
    YearClose,
)

__all__ = [
    "Acceptance",
    "Agreement",
    "AgreementFile",
    "AgreementLine",
    "AgreementVersion",
    "Instalment",
    "InstalmentPart",
    "LedgerEntry",
    "Tranche",
    "Variation",
    "YearClose",
]
