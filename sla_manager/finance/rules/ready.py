"""The layouts that are ready: exactly the columns that each finance system's import asks for.

Sources: each maker's import template or help pages. Oracle's columns are in `oracle_columns.csv`, beside this file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from re import fullmatch
from typing import Any

from sla_manager.catalogue.rules.vat import VatCode
from sla_manager.finance.rules.cells import DATE_FORMATS, ENCODINGS
from sla_manager.finance.rules.fields import FIELDS
from sla_manager.finance.rules.layouts import SCOPES, TAX_CODES, Column, Layout, LayoutNotUsable

PLAIN, SAGE50, XERO, QUICKBOOKS, ORACLE, JOURNAL = (
    "plain", "sage50", "xero", "quickbooks", "oracle", "journal"
)  # fmt: skip
CONTACTS = {
    "name-account": "Name and account, so that schools of one name stay apart",
    "name": "Name alone",
    "account": "Account alone",
}
Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """One of a ready layout's settings: a text by its pattern, or one of a list."""

    name: str
    label: str
    default: str
    pattern: str = ""
    wanted: str = ""
    choices: Mapping[str, str] | None = None
    hint: str = ""

    def checked(self, given: Any) -> str:
        """Return what was given, or say what is allowed."""
        text = self.default if given is None else str(given).strip()
        if self.choices is not None and text not in self.choices:
            raise LayoutNotUsable("Choose one of the list.", field=self.name)
        if self.choices is None and not fullmatch(self.pattern, text):
            raise LayoutNotUsable(self.wanted, field=self.name)
        return text


@dataclass(frozen=True, slots=True)
class Ready:
    """A ready layout: how it is built from its settings, and what a person should know of it."""

    title: str
    build: Callable[[Options], Layout]
    settings: tuple[Setting, ...] = ()
    tax_codes: Mapping[VatCode, str] | None = None
    tax_pattern: str = r"[A-Za-z0-9]{1,10}"
    note: str = ""

    def checked(self, options: Options) -> dict[str, Any]:
        """Return options that can be used, each as it was given or by default."""
        kept: dict[str, Any] = {one.name: one.checked(options.get(one.name)) for one in self.settings}
        if self.tax_codes is not None:
            given = dict(options.get("tax_codes", {}))
            kept["tax_codes"] = {
                code.value: self._tax(code, given.get(code.value, ready))
                for code, ready in self.tax_codes.items()
            }
        return kept

    def _tax(self, code: VatCode, given: Any) -> str:
        text = str(given).strip()
        if not fullmatch(self.tax_pattern, text):
            example = dict(self.tax_codes or {}).get(code, "")
            raise LayoutNotUsable(
                f"Enter the tax code for {code.value.replace('_', ' ')}, like {example}.",
                field=f"tax_{code.value}",
            )
        return text


def _scope(default: str) -> Setting:
    return Setting("scope", "Documents", default, choices=SCOPES)


_ENCODING = Setting("encoding", "Encoding", "utf-8", choices=ENCODINGS)
_CONTACT = Setting("contact", "Customers are called by", "name-account", choices=CONTACTS)
_NAMED_TAX = r"[^\x00-\x1f]{1,50}"


def ready_layout(name: str, options: Options | None = None) -> Layout:
    """Return a ready layout with the council's own settings."""
    return LAYOUTS[name].build(LAYOUTS[name].checked(options or {}))


def _plain(_: Options) -> Layout:
    return Layout(
        name=PLAIN,
        title=LAYOUTS[PLAIN].title,
        columns=tuple(Column(name, name) for name in FIELDS if name not in ("sage_type", "tax_code")),
        date_format="yyyy-mm-dd",
        contact="name-account",
    )


def _sage50(chosen: Options) -> Layout:
    """Return Sage 50's audit trail transactions: 15 columns exactly, both amounts positive, SI and SC."""
    return Layout(
        name=SAGE50,
        title=LAYOUTS[SAGE50].title,
        columns=(
            Column("Type", "sage_type"),
            Column("Account Reference", "account_reference"),
            Column("Nominal A/C Ref", constant=chosen["nominal"]),
            Column("Department Code", constant=chosen["department"]),
            Column("Date", "issued_on"),
            Column("Reference", "number", longest=30),
            Column("Details", "description", longest=60),
            Column("Net Amount", "net"),
            Column("Tax Code", "tax_code"),
            Column("Tax Amount", "vat"),
            Column("Exchange Rate", constant="1"),
            Column("Extra Reference", "purchase_order", longest=30),
            Column("User Name"),
            Column("Project Refn"),
            Column("Cost Code Refn"),
        ),
        encoding=chosen["encoding"],
        date_format=chosen["date_format"],
        sign="positive",
        scope=chosen["scope"],
        tax_codes=chosen["tax_codes"],
        longest_account=8,
    )


def _xero(chosen: Options) -> Layout:
    """Return Xero's 27 columns of sales invoices; credit notes go into a file of their own, above nothing.

    Xero takes 500 invoices a file and works VAT out again from quantity, unit amount and the rate's name.
    """
    return Layout(
        name=XERO,
        title=LAYOUTS[XERO].title,
        columns=(
            Column("*ContactName", "contact"),
            Column("EmailAddress", "email"),
            *(Column(f"POAddressLine{place}", f"address_{place}") for place in range(1, 5)),
            Column("POCity"),
            Column("PORegion"),
            Column("POPostalCode", "postcode"),
            Column("POCountry"),
            Column("*InvoiceNumber", "number", credit_header="*CreditNoteNumber"),
            Column("Reference", "purchase_order"),
            Column("*InvoiceDate", "issued_on", credit_header="*CreditNoteDate"),
            Column("*DueDate", "due_on", credit_header="DueDate"),
            Column("InventoryItemCode"),
            Column("*Description", "description"),
            Column("*Quantity", "exact_quantity"),
            Column("*UnitAmount", "exact_unit_price"),
            Column("Discount"),
            Column("*AccountCode", constant=chosen["account"]),
            Column("*TaxType", "tax_code"),
            Column("TrackingName1", constant=chosen["tracking"]),
            Column("TrackingOption1", "service" if chosen["tracking"] else ""),
            Column("TrackingName2"),
            Column("TrackingOption2"),
            Column("Currency", constant="GBP"),
            Column("BrandingTheme"),
        ),
        encoding="utf-8",
        sign="positive",
        scope=chosen["scope"],
        tax_codes=chosen["tax_codes"],
        recalculates=True,
        splits_credits=True,
        most_documents=500,
        contact=chosen["contact"],
    )


def _quickbooks(chosen: Options) -> Layout:
    """Return QuickBooks Online's 16 columns of invoices; credit notes go into a file of their own, above nothing.

    QuickBooks takes 100 invoices and 1,000 rows a file.
    """
    return Layout(
        name=QUICKBOOKS,
        title=LAYOUTS[QUICKBOOKS].title,
        columns=(
            Column("*InvoiceNo", "number", credit_header="*CreditNoteNo"),
            Column("*Customer", "contact"),
            Column("*InvoiceDate", "issued_on", credit_header="*CreditNoteDate"),
            Column("*DueDate", "due_on", credit_header="DueDate"),
            Column("Terms"),
            Column("Location"),
            Column("Memo", "purchase_order"),
            Column("Item(Product/Service)", constant=chosen["item"]),
            Column("ItemDescription", "description"),
            Column("ItemQuantity", "exact_quantity"),
            Column("ItemRate", "exact_unit_price"),
            Column("*ItemAmount", "net"),
            Column("*ItemTaxCode", "tax_code"),
            Column("ItemTaxAmount", "vat"),
            Column("Currency", constant="GBP"),
            Column("Service Date", "tax_point"),
        ),
        encoding="utf-8",
        sign="positive",
        scope=chosen["scope"],
        tax_codes=chosen["tax_codes"],
        recalculates=True,
        splits_credits=True,
        most_documents=100,
        most_rows=1_000,
        contact=chosen["contact"],
    )


LAYOUTS: dict[str, Ready] = {
    PLAIN: Ready("Everything, plainly", _plain),
    SAGE50: Ready(
        "Sage 50 audit trail transactions",
        _sage50,
        (
            Setting("nominal", "Nominal code", "4000", r"\d{1,8}", "Enter a nominal code of 1 to 8 digits, like 4000."),
            Setting("department", "Department", "0", r"\d{1,3}", "Enter a department from 0 to 999."),
            Setting("date_format", "Dates", "dd/mm/yyyy", choices={one: one for one in DATE_FORMATS}),
            _ENCODING,
            _scope("all"),
        ),
        tax_codes=TAX_CODES,
        note="The file has the 15 columns of audit trail transactions. Credits are type SC with amounts above nothing.",
    ),
    XERO: Ready(
        "Xero sales invoices",
        _xero,
        (
            Setting("account", "Account code", "200", r"[A-Za-z0-9]{1,10}", "Enter Xero’s account code, like 200."),
            Setting("tracking", "Tracking category for the service", "", r"[^\x00-\x1f]{0,50}",
                    "Use 50 characters at most.", hint="Leave it empty when you track nothing."),
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
        "QuickBooks Online invoices",
        _quickbooks,
        (
            Setting("item", "Product or service", "Education Welfare", r"[^\x00-\x1f]{1,100}",
                    "Enter the product or service, in up to 100 characters."),
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
}  # fmt: skip
READY = tuple(LAYOUTS)
