"""How an amount is coded on both sides: the service's income, and what the school reports it as.

Source of the codes: the Department for Education's Consistent Financial Reporting framework (maintained schools)
and the academies accounts return (academies).
"""

from __future__ import annotations

from dataclasses import dataclass
from re import fullmatch

from sla_manager.kernel.errors import Refused
from sla_manager.people.rules.customer_classes import CustomerClass

CFR_SERVICES, CFR_TRAINING = "E28a", "E09"
"""Bought in professional services, other; development and training."""
RETURN_SERVICES, RETURN_TRAINING = "BAE300", "BAE090"
"""Professional services, non-curriculum; staff development and training."""
CFR_CODES = {
    "E09": "Development and training",
    "E22": "Administrative supplies",
    "E27": "Bought in professional services: curriculum",
    "E28a": "Bought in professional services: other",
}
RETURN_LINES = {
    "BAE090": "Staff development and training",
    "BAE230": "Educational consultancy",
    "BAE280": "Administrative supplies, non-educational",
    "BAE300": "Professional services, non-curriculum",
}
LONGEST_CODE = 20


class CodeNotUsable(Refused):
    """A code that no ledger would take."""


_MAINTAINED = (
    CustomerClass.OWN_MAINTAINED,
    CustomerClass.VOLUNTARY_AIDED,
    CustomerClass.OUT_OF_AREA_MAINTAINED,
)


@dataclass(frozen=True, slots=True)
class Coding:
    """Where a line's income goes, which code the school is charged on, and what the school reports."""

    income_centre: str = ""
    income_code: str = ""
    charge_code: str = ""
    cfr_code: str = ""
    return_line: str = ""


NO_CODING = Coding()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a school reports a cost as: a CFR code, or an academy its line of the accounts return."""

    cfr_code: str
    return_line: str


def suggested(customer_class: CustomerClass, *, training: bool) -> Suggestion:
    """Return what a kind of school reports a service as; independent schools and others report neither.

    >>> suggested(CustomerClass.OWN_MAINTAINED, training=False).cfr_code
    'E28a'
    >>> academy = suggested(CustomerClass.ACADEMY, training=True)
    >>> academy.cfr_code, academy.return_line
    ('', 'BAE090')
    """
    if customer_class is CustomerClass.ACADEMY:
        return Suggestion("", RETURN_TRAINING if training else RETURN_SERVICES)
    if customer_class in _MAINTAINED:
        return Suggestion(CFR_TRAINING if training else CFR_SERVICES, "")
    return Suggestion("", "")


def checked_code(text: str, what: str, *, field: str, needed: bool = False) -> str:
    """Return a code of the ledger as typed, or say what is allowed.

    >>> checked_code(" 4000-EWS ", "income code", field="code")
    '4000-EWS'
    """
    code = text.strip()
    if not code and not needed:
        return ""
    if not fullmatch(r"[A-Za-z0-9][A-Za-z0-9./_-]*", code) or len(code) > LONGEST_CODE:
        raise CodeNotUsable(
            f"“{code[:40]}” is not usable as {what}. Use up to {LONGEST_CODE} letters, digits, hyphens and points.",
            field=field,
        )
    return code
