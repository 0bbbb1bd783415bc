"""Who: the provider and its services, schools and trusts, customers, persons, roles, officers."""

from sla_manager.people.models.attendance import (
    AttendanceFigure,
    CensusCount,
    FiguresImport,
    FiguresUpload,
)
from sla_manager.people.models.changes import SchoolChange, SchoolLink
from sla_manager.people.models.people import (
    Customer,
    Membership,
    Officer,
    PasswordReset,
    Person,
    Provider,
    RegisterImport,
    RegisterUpload,
    School,
    SchoolTerm,
    TradingService,
    Trust,
    WorkingDay,
)

__all__ = [
    "AttendanceFigure",
    "CensusCount",
    "Customer",
    "FiguresImport",
    "FiguresUpload",
    "Membership",
    "Officer",
    "PasswordReset",
    "Person",
    "Provider",
    "RegisterImport",
    "RegisterUpload",
    "School",
    "SchoolChange",
    "SchoolLink",
    "SchoolTerm",
    "TradingService",
    "Trust",
    "WorkingDay",
]
