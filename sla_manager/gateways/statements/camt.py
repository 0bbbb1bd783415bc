"""Statements in XML: ISO 20022 camt.053, every version and none.

Reports within a day (camt.052) and notices (camt.054) look alike and say the same movements again: they are refused.

Elements are found by their local names, since banks send versions 2 to 13 with and without a namespace. A document
type is refused: it is how an XML file reaches for others (XXE) or grows without end.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree as Defused
from defusedxml.common import DefusedXmlException

from sla_manager.gateways.statements.amounts import unsigned
from sla_manager.gateways.statements.lines import (
    MOST_LINES,
    Finding,
    Statement,
    StatementLine,
    UnreadableStatement,
    account_number,
    plain,
)
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money

_NO_REFERENCE = ("NOTPROVIDED", "NOREF", "NONREF")


def read_camt(content: bytes) -> tuple[Statement, ...]:
    """Read the statements of a camt file. What is not XML, cut short or no statement is refused whole."""
    try:
        root = Defused.fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise UnreadableStatement("The file has a document type, which no bank sends.") from error
    except (ParseError, LookupError, ValueError) as error:
        raise UnreadableStatement(f"The file is cut short or damaged: {error}.") from error
    _strip_namespaces(root)
    found = list(root.iter("Stmt"))
    if not found and (root.find(".//Rpt") is not None or root.find(".//Ntfctn") is not None):
        raise UnreadableStatement(
            "The file is a report within a day or a notice (camt.052, camt.054).",
            "Download the statement of the whole day (camt.053).",
        )
    if not found:
        raise UnreadableStatement("The file is XML, but no bank statement (camt.053).")
    statements, number = [], 0
    for one in found:
        statements.append(_statement(one, number))
        number += len(one.findall("Ntry"))
    return tuple(statements)


def _strip_namespaces(root: Element) -> None:
    """Leave local names alone."""
    for one in root.iter():
        if isinstance(one.tag, str):
            one.tag = one.tag.rpartition("}")[2]


def _statement(found: Element, before: int) -> Statement:
    entries = found.findall("Ntry")
    if before + len(entries) > MOST_LINES:
        raise UnreadableStatement(
            f"The file has more than {MOST_LINES:,} lines.", "Download fewer days at a time."
        )
    lines: list[StatementLine] = []
    findings: list[Finding] = []
    for number, entry in enumerate(entries, before + 1):
        try:
            lines.extend(_lines(entry, number))
        except Refused as error:
            findings.append(Finding(number, error.message))
    account = account_number(_text(found, "Acct/Id/IBAN") or _text(found, "Acct/Id/Othr/Id"))
    opening, closing = _balance(found, "OPBD"), _balance(found, "CLBD")
    return Statement(account, tuple(lines), tuple(findings), opening, closing).checked()


def _lines(entry: Element, number: int) -> Iterator[StatementLine]:
    """Yield an entry's line, or a line for each of its transactions where they say how much each of them was."""
    if (_text(entry, "Sts") or _text(entry, "Sts/Cd") or "BOOK") != "BOOK":
        return
    amount = _amount(entry.find("Amt"), entry)
    booked_on = _day(entry, "BookgDt") or _day(entry, "ValDt")
    if booked_on is None:
        raise Refused("The entry has no booking date.")
    details = entry.findall("NtryDtls/TxDtls")
    shares = [_share(one, entry) for one in details]
    known = [share for share in shares if share is not None]
    if len(details) > 1 and len(known) == len(details) and sum(one.pence for one in known) == amount.pence:
        for one, share in zip(details, known, strict=True):
            yield _line(entry, [one], number, booked_on, share)
    elif amount:
        yield _line(entry, details, number, booked_on, amount)


def _line(
    entry: Element, details: list[Element], number: int, booked_on: date, amount: Money
) -> StatementLine:
    payers = dict.fromkeys(name for one in details if (name := _payer(one, arrived=amount.pence > 0)))
    accounts = {account for one in details if (account := _payer_account(one, arrived=amount.pence > 0))}
    words = [word for one in details for word in _words(one)]
    words += [_text(entry, "AddtlNtryInf")]
    reference = "".join(_text(one, "Refs/AcctSvcrRef") for one in details) if len(details) == 1 else ""
    return StatementLine(
        number=number,
        booked_on=booked_on,
        amount=amount,
        text=plain(" ".join(dict.fromkeys(word for word in words if word))),
        payer=plain(", ".join(payers)),
        payer_account=account_number(accounts.pop()) if len(accounts) == 1 else "",
        bank_reference=plain(reference or _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")),
        value_on=_day(entry, "ValDt"),
    )


def _words(details: Element) -> list[str]:
    """Return everything that a payer may have written a document's number into."""
    texts = [_local(one) for one in details.findall("RmtInf/Ustrd")]
    texts += [_local(one) for one in details.findall("RmtInf/Strd/CdtrRefInf/Ref")]
    texts += [_local(one) for one in details.findall("RmtInf/Strd/RfrdDocInf/Nb")]
    texts += [_text(details, "Refs/EndToEndId"), _text(details, "AddtlTxInf")]
    return [text for text in texts if text and text.upper() not in _NO_REFERENCE]


def _payer(details: Element, *, arrived: bool) -> str:
    """Return who is on the other side: of money that arrived the debtor, else the creditor."""
    party = "Dbtr" if arrived else "Cdtr"
    return _text(details, f"RltdPties/{party}/Nm") or _text(details, f"RltdPties/{party}/Pty/Nm")


def _payer_account(details: Element, *, arrived: bool) -> str:
    place = f"RltdPties/{'DbtrAcct' if arrived else 'CdtrAcct'}/Id"
    return _text(details, f"{place}/IBAN") or _text(details, f"{place}/Othr/Id")


def _share(details: Element, entry: Element) -> Money | None:
    found = details.find("Amt")
    if found is None:
        found = details.find("AmtDtls/TxAmt/Amt")
    return None if found is None or found.get("Ccy") != "GBP" else _amount(found, entry)


def _amount(found: Element | None, signed_by: Element) -> Money:
    """Return an amount with the sign of its entry: CRDT arrived, DBIT left."""
    if found is None:
        raise Refused("The entry has no amount.")
    currency = found.get("Ccy") or "GBP"
    if currency != "GBP":
        raise Refused(f"{_local(found)} {currency} is not in pounds. Only pounds are taken.")
    amount, direction = unsigned(_local(found)), _text(signed_by, "CdtDbtInd")
    if direction not in ("CRDT", "DBIT"):
        raise Refused(f"“{direction}” does not say whether money arrived (CRDT) or left (DBIT).")
    return amount if direction == "CRDT" else -amount


def _balance(found: Element, code: str) -> Money | None:
    """Return a balance in pounds, None where there is none or more than one, or where it cannot be read."""
    balances = [one for one in found.findall("Bal") if _text(one, "Tp/CdOrPrtry/Cd") == code]
    if len(balances) != 1:
        return None
    try:
        return _amount(balances[0].find("Amt"), balances[0])
    except Refused:
        return None


def _day(entry: Element, place: str) -> date | None:
    """Return a date: the day that the bank wrote, also where it wrote a time."""
    text = _text(entry, f"{place}/Dt") or _text(entry, f"{place}/DtTm")
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise Refused(f"“{text[:40]}” is not a date.") from error


def _text(element: Element, place: str) -> str:
    found = element.find(place)
    return "" if found is None else _local(found)


def _local(element: Element) -> str:
    return (element.text or "").strip()
