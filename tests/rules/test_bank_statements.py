"""Statements of every kind become the same lines, to the penny; what cannot be read is said with its place."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla_manager.gateways.statements import Columns, read_statement
from sla_manager.gateways.statements.amounts import UnreadableAmount, signed, unsigned
from sla_manager.gateways.statements.camt import read_camt
from sla_manager.gateways.statements.lines import Statement, UnreadableStatement
from sla_manager.kernel.money import Money

DATA = Path(__file__).parents[1] / "data" / "bank"


def camt(*entries: str, account: str = "<IBAN>GB29NWBK60161331926819</IBAN>", more: str = "") -> bytes:
    """Return a small statement without a namespace."""
    return (
        f"<Document><BkToCstmrStmt><Stmt><Acct><Id>{account}</Id></Acct>{more}{''.join(entries)}</Stmt>"
        "</BkToCstmrStmt></Document>"
    ).encode()


def entry(
    amount: str, text: str = "", *, day: str = "2026-04-12", sign: str = "CRDT", currency: str = "GBP"
) -> str:
    """Return one booked entry."""
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>{day}'
        f"</Dt></BookgDt><NtryDtls><TxDtls><RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )


def lines(statement: Statement) -> list[tuple[str, str, str]]:
    """Return day, amount and text of each line."""
    return [(str(one.booked_on), str(one.amount), one.text) for one in statement.lines]


def test_a_batched_entry_of_version_8_becomes_a_line_for_each_payer() -> None:
    (statement,) = read_camt((DATA / "camt_v8_batch.xml").read_bytes())
    assert statement.account == "60161331926819"
    assert statement.findings == ()
    assert (str(statement.opening), str(statement.closing)) == ("100.00", "5314.50")
    assert lines(statement) == [
        ("2026-03-31", "1766.40", "EWS/25-26/000001"),
        ("2026-03-31", "3532.80", "EWS2526000003 EWS/25-26/000002"),
        ("2026-03-31", "-84.70", "CHARGES"),
    ]
    first, second, _ = statement.lines
    assert (first.payer, first.payer_account, first.bank_reference) == (
        "BEECH HILL ACADEMY",
        "20000012345678",
        "T-1",
    )
    assert (second.payer, second.value_on) == ("ASHFIELD TRUST", date(2026, 4, 1))


@pytest.mark.parametrize("version", [2, 3, 4, 6, 8, 13, None])
def test_every_version_and_no_namespace_read_the_same(version: int | None) -> None:
    content = camt(entry("250.00", "EWS/26-27/000123"))
    if version is not None:
        space = f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version:02d}">'
        content = content.replace(b"<Document>", space.encode())
    assert lines(read_camt(content)[0]) == [("2026-04-12", "250.00", "EWS/26-27/000123")]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (entry("12..34"), "is not an amount"),
        (entry("4.50001"), "has 5 decimals; pounds have two"),
        (entry("-4.50"), "is not an amount"),
        (entry("4.50", currency="EUR"), "not in pounds"),
        (entry("4.50", sign="MAYBE"), "does not say whether money arrived"),
        (entry("4.50", day="2026-02-30"), "“2026-02-30” is not a date"),
        (entry("4.50").replace("<Dt>2026-04-12</Dt>", ""), "no booking date"),
    ],
)
def test_an_entry_that_cannot_be_read_is_named_and_the_others_are_read(broken: str, said: str) -> None:
    (statement,) = read_camt(camt(entry("1.00", "A"), broken, entry("2.00", "B")))
    assert [text for _, _, text in lines(statement)] == ["A", "B"]
    (finding,) = statement.findings
    assert finding.number == 2
    assert said in finding.said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (camt(entry("1.00"))[:200], "cut short or damaged"),
        (camt(entry("1.00", "\u00e9")).decode().encode("latin-1"), "damaged"),
        (b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + camt(), "document type"),
        (b"<Invoice/>", "no bank statement"),
        (b"<Document><BkToCstmrAcctRpt><Rpt/></BkToCstmrAcctRpt></Document>", "report within a day"),
        (camt(*["<Ntry/>"] * 20_001), "more than 20,000 lines"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_whole_statement_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(UnreadableStatement, match=said):
        read_camt(content)


def test_balances_that_the_lines_do_not_explain_are_a_finding() -> None:
    balance = (
        "<Bal><Tp><CdOrPrtry><Cd>{0}</Cd></CdOrPrtry></Tp>"
        '<Amt Ccy="GBP">{1}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>'
    )
    more = balance.format("OPBD", "100.00") + balance.format("CLBD", "350.00")
    assert read_camt(camt(entry("250.00"), more=more))[0].findings == ()
    (finding,) = read_camt(camt(entry("200.00"), more=more))[0].findings
    assert "add up to £200.00, not £250.00. Is the file cut short?" in finding.said


@settings(max_examples=100, deadline=None)
@given(st.integers(-(10**11), 10**11), st.sampled_from(["{s}{a}", "{s}£{a}", "£{s}{a}", "{a}{s}"]))
def test_every_amount_is_read_to_the_penny_in_every_spelling(pence: int, spelling: str) -> None:
    figures = f"{abs(Decimal(pence)).scaleb(-2):,}"
    assert signed(spelling.format(s="-" if pence < 0 else "", a=figures)) == Money(pence)


@pytest.mark.parametrize("text", ["", "12..34", "1.234", "1,23", "٣.00", "--5", "1e3", "NaN", "9" * 31])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(UnreadableAmount):
        unsigned(text)
    with pytest.raises(UnreadableAmount):
        signed(text)


@pytest.mark.parametrize(
    ("name", "written", "account", "day"),
    [
        ("lloyds.csv", "Lloyds, Bank of Scotland, Halifax or TSB (CSV)", "30987112345678", "2026-03-31"),
        ("barclays.csv", "Barclays (CSV)", "20000012345678", "2026-03-31"),
        ("natwest.csv", "NatWest or RBS (CSV)", "60161331926819", "2026-03-31"),
        ("hsbc.csv", "HSBC (CSV)", "", "2026-03-31"),
        ("nationwide.csv", "Nationwide (CSV)", "12345", "2026-03-31"),
        ("santander.txt", "Santander (text)", "XXXXXXXXXXXX1234", "2026-03-31"),
        ("aib.csv", "AIB (CSV)", "93860012345678", "2026-03-31"),
        ("council.mt940", "MT940", "60161331926819", "2026-03-31"),
        ("council.ofx", "OFX", "60161331926819", "2026-04-01"),
    ],
)
def test_the_same_payment_reads_the_same_from_every_bank(
    name: str, written: str, account: str, day: str
) -> None:
    read = read_statement((DATA / name).read_bytes())
    (statement,) = read.statements
    assert (read.written, statement.account, read.findings) == (written, account, ())
    assert sorted(str(line.amount) for line in statement.lines) == ["-16.00", "1766.40"]
    arrived = next(line for line in statement.lines if line.amount.pence > 0)
    assert str(arrived.booked_on) == day, "23:30 in winter time is half past midnight in London"
    assert "EWS/25-26/000001" in arrived.text
    assert "BEECH HILL ACADEMY" in f"{arrived.payer} {arrived.text}"


def test_payers_and_references_stand_apart_where_the_bank_keeps_them_apart() -> None:
    barclays = read_statement((DATA / "barclays.csv").read_bytes()).statements[0].lines[0]
    assert (barclays.payer, barclays.text) == (
        "BEECH HILL ACADEMY",
        "BEECH HILL ACADEMY EWS/25-26/000001 BGC",
    )
    swift = read_statement((DATA / "council.mt940").read_bytes()).statements[0].lines[0]
    assert (swift.bank_reference, swift.text) == ("B-1", "EWS/25-26/000001 BEECH HILL ACADEMY")


@pytest.mark.parametrize(
    ("name", "old", "new", "number", "said"),
    [
        ("lloyds.csv", "1766.40,1850.40", "1,766.401,1850.40", 2, "3 decimals"),
        ("lloyds.csv", ",,1766.40,1850.40", ",5.00,1766.40,1850.40", 2, "one of the two must be empty"),
        ("lloyds.csv", ",,1766.40,1850.40", ",,,1850.40", 2, "no amount"),
        ("lloyds.csv", ",16.00,,84.00", "", 3, "ends before “Debit Amount”. Is the file cut short"),
        ("lloyds.csv", ",,1766.40,1850.40", ",,1765.40,1850.40", 0, "add up to"),
        ("natwest.csv", "1766.40,1850.40", "1766.40001,1850.40", 4, "5 decimals"),
        ("hsbc.csv", "CHARGES,-16.00", "CHARGES,-16.00 EUR", 2, "not an amount"),
        ("nationwide.csv", '"31 Mar 2026","Payment"', '"31 Mrz 2026","Payment"', 6, "not a date"),
        ("aib.csv", "GBP,Debit", "EUR,Debit", 3, "is in EUR"),
        ("santander.txt", "Amount:\u00a0-16.00", "Amount\u00a0-16.00", 10, "ends before “Amount:”"),
        ("council.mt940", "D16,NCHG", "D16,00001NCHG", 2, "5 decimals"),
        ("council.mt940", "2603310331D16,", "26X310331D16,", 2, "cannot be read"),
        ("council.mt940", "GBP100,00", "GBP100,01", 0, "add up to"),
        ("council.ofx", "<TRNAMT>-16.00", "<TRNAMT>-16.00001", 2, "5 decimals"),
        ("council.ofx", "<DTPOSTED>20260331<", "<DTPOSTED>20260231<", 2, "lacks a date"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(name: str, old: str, new: str, number: int, said: str) -> None:
    encoding = {"nationwide.csv": "cp1252", "santander.txt": "iso-8859-1"}.get(name, "utf-8")
    content = (DATA / name).read_bytes().decode(encoding)
    assert old in content
    findings = read_statement(content.replace(old, new, 1).encode(encoding)).findings
    assert [one.number for one in findings] == [number]
    assert said in findings[0].said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04", "Excel workbook"),
        (b"%PDF-1.7", "a PDF"),
        (b"Date,Amount\n\x81\x8d,1", "Row 2 has a character"),
        (b"Date,Amount\0\n\xa3,1", "not text"),
        (b"Fruit,Colour\nApple,Red\n", "not those of a bank"),
        (b'Date,Description\n"31/03/2026,cut', "Row 2 cannot be read"),
        ((DATA / "lloyds.csv").read_bytes().partition(b"\n")[0], "headings and no lines"),
        ((DATA / "council.mt940").read_bytes().partition(b":62F:")[0], "no closing balance"),
        ((DATA / "council.ofx").read_bytes()[:700], "cut short"),
        (b"<OFX><!DOCTYPE x></OFX>", "document type"),
        (b"<OFX><SIGNONMSGSRSV1></SIGNONMSGSRSV1></OFX>", "damaged"),
        (b"31/03/2026,A,1.00\n" * 20_100, "more than 20,000"),
    ],
)
def test_what_is_no_statement_is_refused_with_the_reason(content: bytes, said: str) -> None:
    with pytest.raises(UnreadableStatement, match=said):
        read_statement(content)


def test_a_file_of_another_bank_is_read_by_its_own_mapping_with_headings_or_without() -> None:
    mapping = Columns(
        "Our bank",
        day="When",
        text=("What", "Note"),
        amount="How much",
        payer="Who",
        account=("Ours",),
        date_order="mdy",
    )
    content = "Who;When;What;Note;How much;Ours\n"
    content += "Hill;03/31/2026;EWS/25-26/000001;thanks;1766.40-;GB29NWBK60161331926819\n"
    (statement,) = read_statement(content.encode("utf-16"), columns=mapping).statements
    assert lines(statement) == [("2026-03-31", "-1766.40", "EWS/25-26/000001 thanks")]
    assert (statement.account, statement.lines[0].payer) == ("60161331926819", "Hill")
    bare = Columns("Bare", day="2", text=("1",), amount="3", date_order="ymd", headed=False)
    (statement,) = read_statement(b"EWS 1,2026-03-31,5.00\n", columns=bare).statements
    assert lines(statement) == [("2026-03-31", "5.00", "EWS 1")]
    with pytest.raises(UnreadableStatement, match="No row has the columns of Our bank: “When”"):
        read_statement(b"A;B\n1;2\n", columns=mapping)
