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
from sla_manager.agreements.models.changes import (
    AgreementPolicy,
    DroppedInstalment,
    Termination,
    Transfer,
    VariationProposal,
)
from sla_manager.agreements.models.seasons import AutomaticRenewal, Renewal, RenewalNotice, Season
from sla_manager.agreements.models.takeovers import ParallelRun, TakenRow, Takeover, TakeoverMapping

__all__ = [
    "Acceptance",
    "Agreement",
    "AgreementFile",
    "AgreementLine",
    "AgreementPolicy",
    "AgreementVersion",
    "AutomaticRenewal",
    "DroppedInstalment",
    "Instalment",
    "InstalmentPart",
    "LedgerEntry",
    "ParallelRun",
    "Renewal",
    "RenewalNotice",
    "Season",
    "TakenRow",
    "Takeover",
    "TakeoverMapping",
    "Termination",
    "Tranche",
    "Transfer",
    "Variation",
    "VariationProposal",
    "YearClose",
]
