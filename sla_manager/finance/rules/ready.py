"""The layouts that are ready, each with the council's own settings of it."""

from __future__ import annotations

from sla_manager.catalogue.rules.vat import VatCode
from sla_manager.finance.rules.cells import DATE_FORMATS, ENCODINGS
from sla_manager.finance.rules.layouts import SCOPES, TAX_CODES, Layout
from sla_manager.finance.rules.ledger_layouts import journal, oracle
from sla_manager.finance.rules.sales_layouts import plain, quickbooks, sage50, xero
from sla_manager.finance.rules.settings import (
    JOURNAL,
    ORACLE,
    PLAIN,
    QUICKBOOKS,
    SAGE50,
    TITLES,
    XERO,
    Options,
    Ready,
    Setting,
)

CONTACTS = {
    "name-account": "Name and account, so that schools of one name stay apart",
    "name": "Name alone",
    "account": "Account alone",
}


def ready_layout(name: str, options: Options | None = None) -> Layout:
    """Return a ready layout with the council's own settings."""
    return LAYOUTS[name].build(LAYOUTS[name].checked(options or {}))


def _scope(default: str) -> Setting:
    return Setting("scope", "Documents", default, choices=SCOPES)


_ENCODING = Setting("encoding", "Encoding", "utf-8", choices=ENCODINGS)
_CONTACT = Setting("contact", "Customers are called by", "name-account", choices=CONTACTS)
_NAMED_TAX = r"[^\x00-\x1f]{1,50}"


def _text(name: str, label: str, default: str, *, most: int = 50, least: int = 1, hint: str = "") -> Setting:
    """Return a setting of any letters."""
    wanted = f"Enter {label[0].lower() + label[1:]} in {most} characters or fewer."
    return Setting(name, label, default, rf"[^\x00-\x1f]{{{least},{most}}}", wanted, hint=hint)


_DATES = Setting("date_format", "Dates", "dd/mm/yyyy", choices={one: one for one in DATE_FORMATS})


LAYOUTS: dict[str, Ready] = {
    PLAIN: Ready(TITLES[PLAIN], plain),
    SAGE50: Ready(
        TITLES[SAGE50],
        sage50,
        (
            Setting("nominal", "Nominal code", "4000", r"\d{1,8}", "Enter a nominal code of 1 to 8 digits, like 4000."),
            Setting("department", "Department", "0", r"\d{1,3}", "Enter a department from 0 to 999."),
            _DATES,
            _ENCODING,
            _scope("all"),
        ),
        tax_codes=TAX_CODES,
        note="The file has the 15 columns of audit trail transactions. Credits are type SC with amounts above nothing.",
    ),
    XERO: Ready(
        TITLES[XERO],
        xero,
        (
            Setting("account", "Account code", "200", r"[A-Za-z0-9]{1,10}", "Enter Xero’s account code, like 200."),
            _text("tracking", "Tracking category for the service", "", least=0,
                  hint="Leave it empty when you track nothing."),
            _CONTACT,
            _scope("invoices"),
        ),
        tax_codes={
            VatCode.STANDARD: "20% (VAT on Income)",
            VatCode.ZERO: "Zero Rated Income",
            VatCode.EXEMPT: "Exempt Income",
            VatCode.OUTSIDE_SCOPE: "No VAT",
        },
        tax_pattern=_NAMED_TAX,
        note="Choose “Tax exclusive” when you import. Credit notes are in a file of their own: import it at "
             "Xero’s page of credit notes. A batch of more than 500 invoices has several files.",
    ),
    QUICKBOOKS: Ready(
        TITLES[QUICKBOOKS],
        quickbooks,
        (
            _text("item", "Product or service", "Education Welfare", most=100),
            _CONTACT,
            _scope("invoices"),
        ),
        tax_codes={
            VatCode.STANDARD: "20.0% S",
            VatCode.ZERO: "0.0% Z",
            VatCode.EXEMPT: "Exempt",
            VatCode.OUTSIDE_SCOPE: "No VAT",
        },
        tax_pattern=_NAMED_TAX,
        note="Choose “Exclusive of VAT” when you import. Credit notes are in a file of their own: use “Import credit "
             "notes”. A batch of more than 100 invoices has several files.",
    ),
    ORACLE: Ready(
        TITLES[ORACLE],
        oracle,
        (
            _text("business_unit", "Business unit", "Council", most=100),
            _text("source", "Transaction source", "SLA Manager"),
            _text("charge_type", "Transaction type of a charge", "Invoice", most=20),
            _text("credit_type", "Transaction type of a credit", "Credit Memo", most=20),
            _text("terms", "Payment terms", "30 Net", most=15, least=0),
            _text("context", "Context of the line’s flexfield", "SLA_MANAGER", most=30,
                  hint="Its segments are number, line, and LINE or TAX: Oracle takes each row once."),
            _text("memo_line", "Memo line", "", least=0),
            Setting("vat", "VAT", "rows", choices={"rows": "Send it as rows of its own, as on the document",
                                                   "oracle": "Oracle works it out"}),
            _text("tax_regime", "Tax regime", "GB VAT", most=30),
            _text("tax", "Tax", "GB VAT", most=30),
            _scope("invoices"),
        ),
        tax_codes={
            VatCode.STANDARD: "GB STANDARD",
            VatCode.ZERO: "GB ZERO",
            VatCode.EXEMPT: "GB EXEMPT",
            VatCode.OUTSIDE_SCOPE: "GB OUT OF SCOPE",
        },
        tax_pattern=_NAMED_TAX,
        note="The file is the ZIP that “Import AutoInvoice” takes: 368 columns without headings. Set up a line "
             "transaction flexfield of this context with three segments first.",
    ),
    JOURNAL: Ready(
        TITLES[JOURNAL],
        journal,
        (
            Setting("narrative", "Longest narrative", "60", r"[1-9]\d{0,2}", "Enter how many characters, like 60."),
            _DATES,
            _ENCODING,
        ),
        note="Each line is two rows: the school’s cost centre is debited, the service’s income is credited. Enter "
             "cost centres and codes first.",
    ),
}  # fmt: skip
READY = tuple(LAYOUTS)
