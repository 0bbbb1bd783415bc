"""Statements of every kind become the same lines, to the penny; what cannot be read is said with its place."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
