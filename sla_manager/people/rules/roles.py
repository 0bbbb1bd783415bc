"""Who may do what: every permission with its sentence, and one table of roles."""

from __future__ import annotations

from enum import StrEnum

from sla_manager.kernel.titles import Titled


class Role(Titled):
    """What a person is, in one place (a school, a trust, a service, or the whole council)."""

    SCHOOL_BUSINESS_MANAGER = "school_business_manager"
    HEAD_TEACHER = "head_teacher"
    CHAIR_OF_GOVERNORS = "chair_of_governors"
    TRUST_FINANCE_LEAD = "trust_finance_lead"
    OFFICER = "officer"
    SERVICE_MANAGER = "service_manager"
    FINANCE_OFFICER = "finance_officer"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"

    @property
    def scope(self) -> Scope:
        """What kind of place the role is held in."""
        return SCOPES[self]


class Scope(StrEnum):
    """The kind of place a role is held in."""

    SCHOOL = "school"
    TRUST = "trust"
    SERVICE = "service"
    PROVIDER = "provider"


SCOPES: dict[Role, Scope] = {
    Role.SCHOOL_BUSINESS_MANAGER: Scope.SCHOOL,
    Role.HEAD_TEACHER: Scope.SCHOOL,
    Role.CHAIR_OF_GOVERNORS: Scope.SCHOOL,
    Role.TRUST_FINANCE_LEAD: Scope.TRUST,
    Role.OFFICER: Scope.SERVICE,
    Role.SERVICE_MANAGER: Scope.SERVICE,
    Role.FINANCE_OFFICER: Scope.PROVIDER,
    Role.ADMINISTRATOR: Scope.PROVIDER,
    Role.AUDITOR: Scope.PROVIDER,
}


class Permission(StrEnum):
    """One thing a person may be allowed to do. `sentence` says it to people."""

    SEE_SCHOOL = "see_school"
    ORDER = "order"
    APPROVE_ORDERS = "approve_orders"
    RESPOND_TO_VISIT = "respond_to_visit"
    APPROVE_EXTRA_TIME = "approve_extra_time"
    SEE_OWN_DIARY = "see_own_diary"
    LOG_DELIVERY = "log_delivery"
    SEE_SERVICE = "see_service"
    PLAN_VISITS = "plan_visits"
    DECIDE_ORDERS = "decide_orders"
    VARY_AGREEMENTS = "vary_agreements"
    CLOSE_YEAR = "close_year"
    SEE_CATALOGUE = "see_catalogue"
    MANAGE_CATALOGUE = "manage_catalogue"
    SEE_RATES = "see_rates"
    SEE_DOCUMENTS = "see_documents"
    ISSUE_DOCUMENTS = "issue_documents"
    RECORD_PAYMENTS = "record_payments"
    EXPORT = "export"
    MANAGE_MONEY = "manage_money"
    PAY = "pay"
    DISPUTE = "dispute"
    MANAGE_PEOPLE = "manage_people"
    IMPORT_REGISTER = "import_register"
    MANAGE_PROVIDER = "manage_provider"
    SEE_AUDIT_TRAIL = "see_audit_trail"

    @property
    def sentence(self) -> str:
        """What the permission lets somebody do, for the page on roles."""
        return SENTENCES[self]


SENTENCES: dict[Permission, str] = {
    Permission.SEE_SCHOOL: "See a school's agreements, balances, visits and documents.",
    Permission.ORDER: "Ask for quotes and order services for a school, up to a limit.",
    Permission.APPROVE_ORDERS: "Approve what somebody else of the school or trust wants to order, up to a limit.",
    Permission.RESPOND_TO_VISIT: "Agree or query what was delivered at a school.",
    Permission.APPROVE_EXTRA_TIME: "Approve or decline time beyond what was bought.",
    Permission.SEE_OWN_DIARY: "See your own diary of visits and its calendar feed.",
    Permission.LOG_DELIVERY: "Log what was delivered on your own visits.",
    Permission.SEE_SERVICE: "See a service's orders, agreements, diaries and pace.",
    Permission.PLAN_VISITS: "Plan, move, reassign and cancel visits of a service.",
    Permission.DECIDE_ORDERS: "Accept or decline orders of a service.",
    Permission.VARY_AGREEMENTS: "Make variations of agreements of a service.",
    Permission.CLOSE_YEAR: "Preview and close a financial year.",
    Permission.SEE_CATALOGUE: "See the catalogue of a service.",
    Permission.MANAGE_CATALOGUE: "Load presets and change offerings and prices.",
    Permission.SEE_RATES: "See prices and the value of agreements.",
    Permission.SEE_DOCUMENTS: "See all invoices, recharge notes, credit notes and receipts.",
    Permission.ISSUE_DOCUMENTS: "Preview and issue invoice runs and credit notes.",
    Permission.RECORD_PAYMENTS: "Record payments and allocate them.",
    Permission.EXPORT: "Make export batches for the finance system.",
    Permission.MANAGE_MONEY: "Change how money is asked for, chased and handed over, and lock periods.",
    Permission.PAY: "Pay invoices of a school or trust by card.",
    Permission.DISPUTE: "Dispute a charge of a school or trust.",
    Permission.MANAGE_PEOPLE: "Add people and give or take roles.",
    Permission.IMPORT_REGISTER: "Import the national register of schools.",
    Permission.MANAGE_PROVIDER: "Change the council's details and settings.",
    Permission.SEE_AUDIT_TRAIL: "Read the audit trail.",
}

_SCHOOL = {Permission.SEE_SCHOOL, Permission.SEE_CATALOGUE, Permission.SEE_RATES}
_P = Permission
GRANTS: dict[Role, frozenset[Permission]] = {
    Role.SCHOOL_BUSINESS_MANAGER: frozenset(
        _SCHOOL | {_P.ORDER, _P.RESPOND_TO_VISIT, _P.APPROVE_EXTRA_TIME, _P.PAY, _P.DISPUTE}
    ),
    Role.HEAD_TEACHER: frozenset(
        _SCHOOL
        | {_P.ORDER, _P.APPROVE_ORDERS, _P.RESPOND_TO_VISIT, _P.APPROVE_EXTRA_TIME, _P.PAY, _P.DISPUTE}
    ),
    Role.CHAIR_OF_GOVERNORS: frozenset(_SCHOOL | {_P.APPROVE_ORDERS}),
    Role.TRUST_FINANCE_LEAD: frozenset(
        _SCHOOL
        | {_P.ORDER, _P.APPROVE_ORDERS, _P.RESPOND_TO_VISIT, _P.APPROVE_EXTRA_TIME, _P.PAY, _P.DISPUTE}
    ),
    Role.OFFICER: frozenset({_P.SEE_OWN_DIARY, _P.LOG_DELIVERY}),
    Role.SERVICE_MANAGER: frozenset(
        {
            _P.SEE_SERVICE,
            _P.PLAN_VISITS,
            _P.DECIDE_ORDERS,
            _P.VARY_AGREEMENTS,
            _P.CLOSE_YEAR,
            _P.SEE_CATALOGUE,
            _P.MANAGE_CATALOGUE,
            _P.SEE_RATES,
        }
    ),
    Role.FINANCE_OFFICER: frozenset(
        {
            _P.SEE_DOCUMENTS,
            _P.ISSUE_DOCUMENTS,
            _P.RECORD_PAYMENTS,
            _P.EXPORT,
            _P.MANAGE_MONEY,
            _P.SEE_CATALOGUE,
            _P.SEE_RATES,
            _P.CLOSE_YEAR,
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        {
            _P.MANAGE_PEOPLE,
            _P.IMPORT_REGISTER,
            _P.MANAGE_PROVIDER,
            _P.SEE_AUDIT_TRAIL,
            _P.SEE_CATALOGUE,
            _P.MANAGE_CATALOGUE,
        }
    ),
    Role.AUDITOR: frozenset({_P.SEE_AUDIT_TRAIL, _P.SEE_DOCUMENTS, _P.SEE_CATALOGUE, _P.SEE_RATES}),
}
"""The one table: what each role may do."""


OPENS_RATES = frozenset(
    {
        _P.SEE_SCHOOL,
        _P.ORDER,
        _P.APPROVE_ORDERS,
        _P.SEE_SERVICE,
        _P.SEE_DOCUMENTS,
        _P.ISSUE_DOCUMENTS,
        _P.EXPORT,
    }
)
"""What opens a page on which prices stand: a role may hold one of these only with `SEE_RATES` (a test holds it)."""


def roles_with(permission: Permission) -> frozenset[Role]:
    """Return the roles that carry a permission."""
    return frozenset(role for role, granted in GRANTS.items() if permission in granted)
