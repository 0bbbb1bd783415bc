"""Every layout that is ready: its exact columns, its totals, its credits, and what it refuses (X1-X5)."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.catalogue.rules.vat import VatCode
from sla_manager.finance.rules.coding import Coding, Suggestion, suggested
from sla_manager.finance.rules.exported import ExportDocument, ExportLine, for_recalculation
from sla_manager.finance.rules.layouts import Column, Layout, LayoutNotUsable, check_layout
from sla_manager.finance.rules.oracle_columns import ORACLE_COLUMNS
from sla_manager.finance.rules.ready import READY, ready_layout
from sla_manager.finance.rules.writing import SharedName, TooWide, write
from sla_manager.kernel.money import Money, total
from sla_manager.people.rules.customer_classes import CustomerClass

XERO_HEADER = (
    "*ContactName,EmailAddress,POAddressLine1,POAddressLine2,POAddressLine3,POAddressLine4,POCity,PORegion,"
    "POPostalCode,POCountry,*InvoiceNumber,Reference,*InvoiceDate,*DueDate,InventoryItemCode,*Description,*Quantity,"
    "*UnitAmount,Discount,*AccountCode,*TaxType,TrackingName1,TrackingOption1,TrackingName2,TrackingOption2,"
    "Currency,BrandingTheme"
)
QUICKBOOKS_HEADER = (
    "*InvoiceNo,*Customer,*InvoiceDate,*DueDate,Terms,Location,Memo,Item(Product/Service),ItemDescription,"
    "ItemQuantity,ItemRate,*ItemAmount,*ItemTaxCode,ItemTaxAmount,Currency,Service Date"
)


def a_line(net: str = "1472.00", **more: Any) -> ExportLine:
    """Return a line at the standard rate: by default an instalment of 12 days at £368."""
    amount = Money.parse(net)
    usual: dict[str, Any] = {
        "position": 1, "description": "Officer day", "quantity": Decimal(12), "unit": "days",
        "unit_price": Money(368_00), "vat_code": VatCode.STANDARD, "vat_rate": 2000, "net": amount,
        "vat": amount.per_cent(2000),
    }  # fmt: skip
    return ExportLine(**(usual | more))


def a_document(place: int = 1, *lines: ExportLine, **more: Any) -> ExportDocument:
    """Return an invoice of an academy with the lines given."""
    held = lines or (a_line(),)
    net, vat = total(one.net for one in held), total(one.vat for one in held)
    usual: dict[str, Any] = {
        "id": place, "number": f"EWS/25-26/{place:06d}", "kind": DocumentKind.INVOICE, "series": "EWS",
        "financial_year": "2025-26", "issued_on": date(2025, 10, 14), "tax_point": date(2025, 10, 14),
        "due_on": date(2025, 11, 13), "account_reference": f"EW{place:06d}", "customer": "Hill Academy",
        "school": "Hill Academy", "urn": 900_001, "service": "Education Welfare", "agreement": "EWS/25-26/A1",
        "purchase_order": "PO 77", "credits_number": "", "reason": "", "net": net, "vat": vat, "gross": net + vat,
        "lines": held, "email": "finance@hill.example", "address": ("1 Hill Road", "Wexcombe", "WX1 1AA"),
    }  # fmt: skip
    return ExportDocument(**(usual | more))


def a_credit(place: int = 9) -> ExportDocument:
    """Return a credit note of half a day."""
    line = a_line("-184.00", quantity=Decimal("0.5"), unit_price=Money(-368_00), vat=Money(-36_80))
    return a_document(
        place, line, kind=DocumentKind.CREDIT_NOTE, number=f"EWS-CN/25-26/{place:06d}", due_on=None,
        credits_number="EWS/25-26/000001", reason="Officer ill",
    )  # fmt: skip


def table(content: bytes, encoding: str = "utf-8") -> list[dict[str, str]]:
    """Read a file as a finance system would."""
    return list(csv.DictReader(io.StringIO(content.decode(encoding), newline="")))


def members(content: bytes) -> dict[str, bytes]:
    """Return the files of a ZIP."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_xero_has_its_twenty_seven_columns_and_an_instalment_adds_up() -> None:
    done = write(ready_layout("xero"), [a_document()])
    assert (done.ending, done.content.decode().splitlines()[0]) == (".csv", XERO_HEADER)
    (row,) = table(done.content)
    assert len(row) == 27
    assert (row["*ContactName"], row["POAddressLine1"], row["POPostalCode"]) == (
        "Hill Academy (EW000001)", "1 Hill Road", "WX1 1AA"
    )  # fmt: skip
    assert (row["*InvoiceDate"], row["*DueDate"], row["*TaxType"], row["*AccountCode"]) == (
        "14/10/2025", "13/11/2025", "20% (VAT on Income)", "200"
    )  # fmt: skip
    assert (row["*Quantity"], row["*UnitAmount"]) == ("1", "1472.00")


def test_xero_s_own_sum_of_vat_is_the_document_s_to_the_penny() -> None:
    lines = [a_line("10.01", position=place, vat=Money(2_00)) for place in (1, 2, 3)]
    lines[0] = a_line("10.01", vat=Money(2_01))
    assert total(line.net.per_cent(2000) for line in lines) == Money(6_00)
    (row,) = table(write(ready_layout("xero"), [a_document(1, *lines)]).content)
    assert (row["*Quantity"], row["*UnitAmount"], row["*Description"]) == (
        "1",
        "30.03",
        "Officer day and 2 more",
    )
    assert Money.parse(row["*UnitAmount"]).per_cent(2000) == Money(6_01)
    alone = [a_line("368.00", quantity=Decimal(1)), a_line("184.00", position=2)]
    assert for_recalculation(alone) == alone


def test_quickbooks_has_its_sixteen_columns() -> None:
    done = write(ready_layout("quickbooks"), [a_document(1, a_line("4416.00"))])
    assert done.content.decode().splitlines()[0] == QUICKBOOKS_HEADER
    (row,) = table(done.content)
    assert (row["ItemQuantity"], row["ItemRate"], row["*ItemAmount"], row["ItemTaxAmount"], row["*ItemTaxCode"]) == (
        "12", "368.00", "4416.00", "883.20", "20.0% S"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "number", "amount"),
    [("xero", "*CreditNoteNumber", "*UnitAmount"), ("quickbooks", "*CreditNoteNo", "*ItemAmount")],
)
def test_credits_are_a_file_of_their_own_with_amounts_above_nothing(
    name: str, number: str, amount: str
) -> None:
    done = write(ready_layout(name), [a_document(), a_credit()])
    assert done.ending == ".zip"
    files = members(done.content)
    assert list(files) == [f"{name}-invoices-01.csv", f"{name}-credit-notes-01.csv"]
    (row,) = table(files[f"{name}-credit-notes-01.csv"])
    assert row[number] == "EWS-CN/25-26/000009"
    assert Money.parse(row[amount]) == (Money(368_00) if name == "xero" else Money(184_00))
    assert (str(done.net), str(done.vat), str(done.gross)) == ("1288.00", "257.60", "1545.60")


@pytest.mark.parametrize(("name", "most"), [("xero", 500), ("quickbooks", 100)])
def test_a_file_never_holds_more_documents_than_the_system_takes(name: str, most: int) -> None:
    done = write(ready_layout(name), (a_document(one) for one in range(1, 2 * most + 2)))
    counts = [len(table(file)) for file in members(done.content).values()]
    assert counts == [most, most, 1]
    assert write(ready_layout(name), [a_document(one) for one in range(1, most + 1)]).ending == ".csv"


def test_quickbooks_takes_a_thousand_rows_and_a_document_is_never_cut_in_two() -> None:
    long = [a_line("1.00", position=place, quantity=Decimal(1)) for place in range(1, 301)]
    done = write(ready_layout("quickbooks"), [a_document(one, *long) for one in range(1, 5)])
    assert [len(table(file)) for file in members(done.content).values()] == [900, 300]


@pytest.mark.parametrize("name", READY)
def test_x2_the_same_documents_give_the_same_bytes(name: str) -> None:
    documents = [a_document(one) for one in range(1, 4)] + [a_credit()]
    assert write(ready_layout(name), documents) == write(ready_layout(name), iter(documents))


@pytest.mark.parametrize("name", READY)
def test_x4_no_text_runs_in_any_layout(name: str) -> None:
    line = a_line(description="@SUM(1+1)")
    bad = a_document(1, line, customer="=cmd|' /C calc'!A0", purchase_order="\t=1+1", school="＝1")
    content = write(ready_layout(name), [bad]).content
    for file in members(content).values() if content.startswith(b"PK") else [content]:
        cells = [
            cell for row in csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")) for cell in row
        ]
        running = [cell for cell in cells if cell.lstrip(" \u00a0").startswith(tuple("=@+\t\r＝"))]
        assert running == []
        assert "@SUM(1+1)" in file.decode("utf-8-sig")


@pytest.mark.parametrize("name", READY)
def test_x5_commas_quotes_and_all_letters_come_back_from_every_layout(name: str) -> None:
    words = 'Ŵales "day", £5; 😀'
    content = write(ready_layout(name), [a_document(1, a_line(description=words))]).content
    files = list(members(content).values()) if content.startswith(b"PK") else [content]
    cells = {
        cell for row in csv.reader(io.StringIO(files[0].decode("utf-8-sig"), newline="")) for cell in row
    }
    assert words in cells


def test_two_schools_of_one_name_never_become_one_customer() -> None:
    two = [a_document(1), a_document(2)]
    names = {row["*ContactName"] for row in table(write(ready_layout("xero"), two).content)}
    assert names == {"Hill Academy (EW000001)", "Hill Academy (EW000002)"}
    with pytest.raises(SharedName, match="EW000001 and EW000002"):
        write(ready_layout("xero", {"contact": "name"}), two)


@pytest.mark.parametrize(
    ("name", "options", "field"),
    [
        ("xero", {"account": "2 0"}, "account"),
        ("xero", {"tax_codes": {"standard": ""}}, "tax_standard"),
        ("xero", {"scope": "some"}, "scope"),
        ("quickbooks", {"item": ""}, "item"),
        ("sage50", {"department": "1000"}, "department"),
    ],
)
def test_settings_that_the_system_would_refuse_are_refused(
    name: str, options: dict[str, Any], field: str
) -> None:
    with pytest.raises(LayoutNotUsable) as refused:
        ready_layout(name, options)
    assert refused.value.field == field


FIXED = Layout(
    name="unit4", title="Unit4", delimiter="fixed", encoding="cp1252", date_format="yyyymmdd", decimals="pence",
    header=False,
    columns=(
        Column("Batch", constant="EWS", width=7),
        Column("Account", "account_reference", width=8),
        Column("Number", "number", width=20, align="right"),
        Column("Date", "issued_on", width=8),
        Column("Amount", "gross", width=12, align="zeros"),
        Column("Text", "description", width=10),
    ),
)  # fmt: skip


def test_a_file_of_fixed_width_puts_every_value_in_its_place() -> None:
    done = write(check_layout(FIXED), [a_document(1, a_line(description="Officer\nday, autumn")), a_credit()])
    assert done.ending == ".txt"
    first, second, end = done.content.decode("cp1252").split("\r\n")
    assert (len(first), len(second), end) == (65, 65, "")
    assert (
        first == "EWS    " + "EW000001" + "    EWS/25-26/000001" + "20251014" + "000000176640" + "Officer da"
    )
    assert second[43:55] == "-00000022080"


def test_a_value_that_a_fixed_width_would_cut_is_refused_and_free_text_is_cut() -> None:
    with pytest.raises(TooWide, match="EW12345678"):
        write(FIXED, [a_document(1, account_reference="EW12345678")])
    with pytest.raises(LayoutNotUsable, match="width from 1"):
        check_layout(Layout(name="w-0", title="", columns=(Column("x", "net"),), delimiter="fixed"))


def test_decimals_may_have_a_comma() -> None:
    layout = Layout(
        name="sap", title="", columns=(Column("DMBTR", "gross"), Column("MENGE", "quantity")), delimiter=";",
        encoding="utf-8", decimals="comma", header=False,
    )  # fmt: skip
    assert write(layout, [a_credit()]).content == b"-220,80;0,5\r\n"


ORACLE_NAMES = (
    (Path(__file__).parent.parent / "data" / "finance" / "oracle_autoinvoice_columns.txt")
    .read_text(encoding="utf-8")
    .splitlines()
)


def oracle_rows(*documents: ExportDocument, **options: str) -> list[dict[str, str]]:
    """Return the rows of Oracle's file under the names of its template."""
    done = write(ready_layout("oracle", options), documents)
    assert (done.ending, list(members(done.content))) == (".zip", ["RaInterfaceLinesAll.csv"])
    text = members(done.content)["RaInterfaceLinesAll.csv"].decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert {len(row) for row in rows} == {368}
    return [dict(zip(ORACLE_NAMES, row, strict=True)) for row in rows]


def test_oracle_has_its_368_columns_in_their_order_and_no_headings() -> None:
    assert list(ORACLE_COLUMNS) == ORACLE_NAMES
    line, vat = oracle_rows(a_document(), business_unit="Wexcombe BU")
    assert (line["Business Unit Name"], line["END"], vat["END"]) == ("Wexcombe BU", "END", "END")
    assert (line["Transaction Date"], line["Transaction Number"], line["Bill-to Customer Account Number"]) == (
        "2025/10/14", "EWS/25-26/000001", "EW000001"
    )  # fmt: skip
    assert [(row["Transaction Line Type"], row["Transaction Line Amount"]) for row in (line, vat)] == [
        ("LINE", "1472.00"), ("TAX", "294.40")
    ]  # fmt: skip
    assert (line["Tax Classification Code"], vat["Tax Rate Code"], vat["Tax Rate"]) == (
        "GB STANDARD", "GB STANDARD", "20"
    )  # fmt: skip


def key_of(row: dict[str, str], flexfield: str = "Line Transactions") -> tuple[str, ...]:
    """Return the values of one of a row's flexfields."""
    segments = (row[f"{flexfield} Flexfield Segment {place}"] for place in (1, 2, 3))
    return (row[f"{flexfield} Flexfield Context"], *segments)


def test_oracle_s_line_context_is_a_key_that_no_two_rows_share() -> None:
    lines = [
        a_line("368.00", position=1),
        a_line("250.00", position=2, vat_code=VatCode.EXEMPT, vat_rate=0, vat=Money(0)),
    ]
    rows = oracle_rows(a_document(1, *lines), a_document(2), a_credit())
    keys = [key_of(row) for row in rows]
    assert len(keys) == len(set(keys)) == 7
    assert keys[:3] == [
        ("SLA_MANAGER", "EWS/25-26/000001", "1", "LINE"),
        ("SLA_MANAGER", "EWS/25-26/000001", "1", "TAX"),
        ("SLA_MANAGER", "EWS/25-26/000001", "2", "LINE"),
    ]
    assert key_of(rows[1], "Link-to Transactions") == keys[0]
    assert key_of(rows[0], "Link-to Transactions") == ("", "", "", "")


def test_oracle_s_credit_is_negative_and_names_the_line_it_takes_back() -> None:
    line = a_line("-184.00", quantity=Decimal("-0.5"), vat=Money(-36_80), credits_position=3)
    credit = a_document(
        9, line, kind=DocumentKind.CREDIT_NOTE, credits_number="EWS/25-26/000001", due_on=None
    )
    taken, vat = oracle_rows(credit)
    assert (taken["Transaction Type Name"], taken["Payment Terms"]) == ("Credit Memo", "")
    assert (taken["Transaction Line Amount"], vat["Transaction Line Amount"]) == ("-184.00", "-36.80")
    assert (taken["Transaction Line Quantity"], taken["Unit Selling Price"]) == ("-0.5", "368.00")
    assert key_of(taken, "Reference Transactions") == ("SLA_MANAGER", "EWS/25-26/000001", "3", "LINE")
    assert [row["Transaction Line Type"] for row in oracle_rows(a_document(), vat="oracle")] == ["LINE"]


def recharge(*lines: ExportLine, **more: Any) -> ExportDocument:
    """Return a recharge note of a school with a cost centre."""
    usual = {
        "kind": DocumentKind.RECHARGE_NOTE,
        "due_on": None,
        "cost_centre": "S0013",
        "school": "Hill School",
    }
    return a_document(1, *lines, **(usual | more))


def test_the_journal_debits_the_school_and_credits_the_service_with_the_code_that_the_school_reports() -> (
    None
):
    free = {"vat_code": VatCode.OUTSIDE_SCOPE, "vat_rate": 0, "vat": Money(0)}
    services = Coding("EWS01", "91001", "43210", "E28a", "")
    training = Coding("EWS01", "91005", "43211", "E09", "")
    lines = [
        a_line("1472.00", coding=services, **free),
        a_line("250.00", position=2, coding=training, **free),
    ]
    rows = table(write(ready_layout("journal"), [recharge(*lines)]).content)
    assert [
        (row["Cost centre"], row["Account code"], row["Debit"], row["Credit"], row["CFR code"])
        for row in rows
    ] == [
        ("S0013", "43210", "1472.00", "", "E28a"),
        ("EWS01", "91001", "", "1472.00", ""),
        ("S0013", "43211", "250.00", "", "E09"),
        ("EWS01", "91005", "", "250.00", ""),
    ]
    debited, credited = (total(Money.parse(row[side] or "0") for row in rows) for side in ("Debit", "Credit"))
    assert debited == credited == Money(1722_00)


def test_the_journal_of_a_credit_gives_the_money_back_and_balances() -> None:
    line = a_line("-368.00", vat_code=VatCode.OUTSIDE_SCOPE, vat_rate=0, vat=Money(0),
                  coding=Coding("EWS01", "91001", "43210", "E28a", ""))  # fmt: skip
    credit = recharge(line, kind=DocumentKind.RECHARGE_CREDIT, account_code="43999")
    school, service = table(write(ready_layout("journal"), [credit]).content)
    assert (school["Account code"], school["Debit"], school["Credit"]) == ("43999", "", "368.00")
    assert (service["Account code"], service["Debit"], service["Credit"]) == ("91001", "368.00", "")


@pytest.mark.parametrize(
    ("customer_class", "training", "cfr", "return_line"),
    [
        (CustomerClass.OWN_MAINTAINED, False, "E28a", ""),
        (CustomerClass.VOLUNTARY_AIDED, True, "E09", ""),
        (CustomerClass.ACADEMY, False, "", "BAE300"),
        (CustomerClass.ACADEMY, True, "", "BAE090"),
        (CustomerClass.INDEPENDENT, False, "", ""),
    ],
)
def test_an_academy_has_no_cfr_code_and_its_line_of_the_accounts_return_instead(
    customer_class: CustomerClass, training: bool, cfr: str, return_line: str
) -> None:
    assert suggested(customer_class, training=training) == Suggestion(cfr, return_line)
