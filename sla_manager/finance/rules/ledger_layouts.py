"""Layouts of a council's general ledger: Oracle's AutoInvoice, and the journal of recharges."""

from __future__ import annotations

from dataclasses import replace

from sla_manager.finance.rules.layouts import Column, Layout
from sla_manager.finance.rules.oracle_columns import ORACLE_COLUMNS
from sla_manager.finance.rules.settings import JOURNAL, ORACLE, TITLES, Options


def oracle(chosen: Options) -> Layout:
    """Return Oracle's AutoInvoice lines: 368 columns, no headings, in the ZIP that its import takes.

    Context and segments of the line's flexfield (number, line, LINE or TAX) make each row one that Oracle never
    takes twice. VAT goes as rows of its own, tied to their lines, so that Oracle's VAT is the document's. A credit
    note's lines name the lines that they take back.
    """
    context, is_tax = chosen["context"], chosen["vat"] == "rows"
    of_line = {
        "Business Unit Name": Column("", constant=chosen["business_unit"]),
        "Transaction Batch Source Name": Column("", constant=chosen["source"]),
        "Transaction Type Name": Column("", "type_word"),
        "Payment Terms": Column("", constant=chosen["terms"], only="charge"),
        "Transaction Date": Column("", "issued_on"),
        "Accounting Date": Column("", "issued_on"),
        "Transaction Number": Column("", "number"),
        "Bill-to Customer Account Number": Column("", "account_reference"),
        "Transaction Line Type": Column("", "line_type"),
        "Transaction Line Description": Column("", "description", longest=240),
        "Currency Code": Column("", constant="GBP"),
        "Currency Conversion Type": Column("", constant="User"),
        "Currency Conversion Rate": Column("", constant="1"),
        "Transaction Line Amount": Column("", "amount"),
        "Transaction Line Quantity": Column("", "exact_quantity"),
        "Unit Selling Price": Column("", "exact_unit_price"),
        "Line Transactions Flexfield Context": Column("", constant=context),
        "Line Transactions Flexfield Segment 1": Column("", "number"),
        "Line Transactions Flexfield Segment 2": Column("", "line"),
        "Line Transactions Flexfield Segment 3": Column("", "line_type"),
        "Tax Classification Code": Column("", "tax_code", only="line"),
        "Purchase Order Number": Column("", "purchase_order", longest=50),
        "Memo Line Name": Column("", constant=chosen["memo_line"], only="line"),
        "Link-to Transactions Flexfield Context": Column("", constant=context, only="tax"),
        "Link-to Transactions Flexfield Segment 1": Column("", "number", only="tax"),
        "Link-to Transactions Flexfield Segment 2": Column("", "line", only="tax"),
        "Link-to Transactions Flexfield Segment 3": Column("", constant="LINE", only="tax"),
        "Tax Regime Code": Column("", constant=chosen["tax_regime"], only="tax"),
        "Tax": Column("", constant=chosen["tax"], only="tax"),
        "Tax Rate Code": Column("", "tax_code", only="tax"),
        "Tax Rate": Column("", "vat_rate", only="tax"),
        "Reference Transactions Flexfield Context": Column("", constant=context, only="credit"),
        "Reference Transactions Flexfield Segment 1": Column("", "credits_number", only="credit"),
        "Reference Transactions Flexfield Segment 2": Column("", "credits_line", only="credit"),
        "Reference Transactions Flexfield Segment 3": Column("", "line_type", only="credit"),
        "Comments": Column("", "reason", longest=240),
        "END": Column("", constant="END"),
    }
    return Layout(
        name=ORACLE,
        title=TITLES[ORACLE],
        columns=tuple(replace(of_line.get(name, Column("")), header=name) for name in ORACLE_COLUMNS),
        rows="tax" if is_tax else "line",
        header=False,
        encoding="utf-8",
        date_format="yyyy/mm/dd",
        scope=chosen["scope"],
        tax_codes=chosen["tax_codes"],
        recalculates=not is_tax,
        member="RaInterfaceLinesAll.csv",
        charge_word=chosen["charge_type"],
        credit_word=chosen["credit_type"],
    )


def journal(chosen: Options) -> Layout:
    """Return the journal of recharges: the school's cost centre debited, the service's income credited.

    The suggested code of Consistent Financial Reporting stands on the school's row; an academy has none and
    its line of the accounts return instead.
    """
    return Layout(
        name=JOURNAL,
        title=TITLES[JOURNAL],
        columns=(
            Column("Date", "issued_on"),
            Column("Journal reference", "number"),
            Column("Line", "line"),
            Column("Cost centre", "ledger_centre"),
            Column("Account code", "ledger_code"),
            Column("Debit", "debit"),
            Column("Credit", "credit"),
            Column("Narrative", "description", longest=int(chosen["narrative"])),
            Column("School", "school"),
            Column("URN", "urn"),
            Column("CFR code", "cfr_code"),
            Column("Accounts return line", "return_line"),
            Column("Service", "service"),
        ),
        rows="journal",
        encoding=chosen["encoding"],
        date_format=chosen["date_format"],
        scope="recharges",
    )
