"""Statements as OFX files (and QFX), of version 1 in SGML and version 2 in XML."""

from __future__ import annotations

import io
from xml.etree.ElementTree import Element, ParseError

from ofxtools.header import OFXHeaderError
from ofxtools.models.bank.stmt import STMTTRN
from ofxtools.Parser import OFXTree
from ofxtools.Parser import ParseError as OfxParseError

from sla_manager.gateways.statements.amounts import signed
from sla_manager.gateways.statements.lines import (
    MOST_LINES,
    Finding,
    Statement,
    StatementLine,
    UnreadableStatement,
    account_number,
    plain,
)
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import Refused


def read_ofx(content: bytes) -> tuple[Statement, ...]:
    """Read the bank statements of an OFX file; each transaction is judged by itself."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise UnreadableStatement("The file has a document type, which no bank sends.")
    if b"</OFX>" not in content[-200:]:
        raise UnreadableStatement("The file is cut short: it does not end with </OFX>.")
    tree = OFXTree()
    try:
        root = tree.parse(io.BytesIO(content))
    except (
        OFXHeaderError,
        OfxParseError,
        ParseError,
        ValueError,
        LookupError,
        AttributeError,
        TypeError,
    ) as error:
        raise UnreadableStatement("The file is cut short or damaged.") from error
    found = [*root.iter("STMTRS"), *root.iter("CCSTMTRS")]
    if not found:
        raise UnreadableStatement("The file is OFX, but has no bank statement.")
    statements, number = [], 1
    for one in found:
        statements.append(_statement(one, number))
        number += sum(1 for _ in one.iter("STMTTRN"))
    if number > MOST_LINES + 1:
        raise UnreadableStatement(
            f"The file has more than {MOST_LINES:,} lines.", "Download fewer days at a time."
        )
    return tuple(statements)


def _statement(found: Element, first: int) -> Statement:
    currency = found.findtext("CURDEF") or "GBP"
    lines, findings = [], []
    for number, one in enumerate(found.iter("STMTTRN"), first):
        try:
            if currency != "GBP" or one.find("CURRENCY") is not None:
                raise Refused(f"The account is in {currency}. Only pounds are taken.")
            lines.append(_line(one, number))
        except Refused as error:
            findings.append(Finding(number, error.message))
    kept = tuple(line for line in lines if line.amount)
    return Statement(_account(found), kept, tuple(findings))


def _account(found: Element) -> str:
    """Return sort code and number; some banks write the sort code before the number already."""
    number = account_number(found.findtext(".//ACCTID") or "")
    sort_code = account_number(found.findtext(".//BANKID") or "")
    return number if len(number) != 8 or len(sort_code) != 6 else sort_code + number


def _line(one: Element, number: int) -> StatementLine:
    amount = signed(one.findtext("TRNAMT") or "")
    try:
        read = STMTTRN.from_etree(one)
    except Exception as error:  # the library raises plain exceptions of many kinds
        raise Refused("The transaction lacks a date, an amount or a number of its own.") from error
    name = one.findtext("NAME") or one.findtext("PAYEE/NAME") or ""
    words = dict.fromkeys(filter(None, (one.findtext("MEMO"), name, one.findtext("REFNUM"))))
    return StatementLine(
        number=number,
        booked_on=london_date(read.dtposted),
        amount=amount,
        text=plain(" ".join(words)),
        payer=plain(name),
        payer_account=account_number(one.findtext("BANKACCTTO/ACCTID") or ""),
        bank_reference=plain(str(read.fitid)),
    )
