"""Layouts of systems that take sales invoices: everything plainly, Sage 50, Xero, QuickBooks Online.

Sources: each maker's import template and help pages.
"""

from __future__ import annotations

from sla_manager.finance.rules.fields import FIELDS
from sla_manager.finance.rules.layouts import Column, Layout
from sla_manager.finance.rules.settings import PLAIN, QUICKBOOKS, SAGE50, TITLES, XERO, Options


def plain(_: Options) -> Layout:
    """Return every field, a row for each line."""
    return Layout(
        name=PLAIN,
        title=TITLES[PLAIN],
        columns=tuple(Column(name, name) for name in FIELDS if name not in ("sage_type", "tax_code")),
        date_format="yyyy-mm-dd",
        contact="name-account",
    )


def sage50(chosen: Options) -> Layout:
    """Return Sage 50's audit trail transactions: 15 columns exactly, both amounts positive, SI and SC."""
    return Layout(
        name=SAGE50,
        title=TITLES[SAGE50],
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


def xero(chosen: Options) -> Layout:
    """Return Xero's 27 columns of sales invoices; credit notes go into a file of their own, above nothing.

    Xero takes 500 invoices a file and works VAT out again from quantity, unit amount and the rate's name.
    """
    return Layout(
        name=XERO,
        title=TITLES[XERO],
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


def quickbooks(chosen: Options) -> Layout:
    """Return QuickBooks Online's 16 columns of invoices; credit notes go into a file of their own, above nothing.

    QuickBooks takes 100 invoices and 1,000 rows a file.
    """
    return Layout(
        name=QUICKBOOKS,
        title=TITLES[QUICKBOOKS],
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
