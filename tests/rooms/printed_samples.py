"""Invented documents to print: one council, three kinds of customer, the worked numbers of the domain."""

from __future__ import annotations

from dataclasses import replace

from sla_manager.gateways.printing.facts import (
    BankDetails,
    Contact,
    Credited,
    Customer,
    DayStatementFacts,
    DocumentLine,
    MoneyDocumentFacts,
    StatementEntry,
    Supplier,
    TrancheStatement,
    VatRow,
)

COUNCIL = Supplier(
    name="Aldermere Council",
    service="Education Welfare Service",
    address=("Civic Centre", "12 Market Square", "Aldermere", "AM1 4QZ"),
    vat_number="GB123456789",
    email="education.welfare@aldermere.example",
    phone="01632 960150",
    colour="#00625b",
)
FINANCE_DESK = Contact(
    name="Priya Nandakumar",
    role="Traded services officer",
    phone="01632 960154",
    email="traded.services@aldermere.example",
)
BANK = BankDetails(
    account_name="Aldermere Council",
    sort_code="00-00-00",
    account_number="00000000",
    payment_reference="EWS/25-26/000123",
)
ACADEMY = Customer(
    name="Brightwater Learning Trust",
    address=("Brightwater Academy", "Quayside Road", "Aldermere", "AM3 7LP"),
    reference="C-100482",
)
COMMUNITY_SCHOOL = Customer(
    name="St Oswin’s Lane Primary School",
    address=("St Oswin’s Lane", "Aldermere", "AM2 1DD"),
    reference="E4410-77310",
)
WHY_VAT = (
    "VAT is charged at 20% because an academy trust is a separate legal person, so this is a supply by the "
    "council and not work inside it."
)
WHY_NO_VAT = (
    "No VAT is charged because a community school is part of the council: moving money between two budgets "
    "of one legal person is outside the scope of VAT. This is not a VAT invoice."
)


def line(
    description: str,
    quantity: str,
    unit: str,
    price: str,
    net: str,
    *,
    rate: str | None = "20",
    why: str = "",
) -> DocumentLine:
    """Return a line of a document."""
    return DocumentLine(
        description=description,
        period="14 October 2025 to 31 March 2026",
        quantity=quantity,
        unit=unit,
        unit_price=price,
        net=net,
        vat_code="S" if rate else "O",
        vat_rate=rate,
        explanation=why,
    )


def academy_invoice(instalment: int = 1) -> MoneyDocumentFacts:
    """Return one of three instalments of 12 days for an academy: 1,472.00 + 294.40 = 1,766.40 each."""
    issued = ("2025-10-14", "2026-01-05", "2026-03-02")[instalment - 1]
    due = ("2025-11-13", "2026-02-04", "2026-04-01")[instalment - 1]
    number = f"EWS/25-26/{122 + instalment:06d}"
    return MoneyDocumentFacts(
        kind="invoice",
        route="invoice",
        number=number,
        issued_on=issued,
        tax_point=issued,
        due_on=due,
        supplier=COUNCIL,
        customer=ACADEMY,
        school="Brightwater Academy",
        purchase_order="BLT-2025-0417",
        agreement="EWS-A-00031",
        lines=(
            line(
                "Education welfare officer, days",
                "12",
                "days",
                "368.00",
                "1472.00",
                why=f"12 days × £368.00 = £4,416.00, instalment {instalment} of 3",
            ),
        ),
        vat_rows=(
            VatRow(code="S", label="Standard rate", rate="20", net="1472.00", vat="294.40", reason=None),
        ),
        net="1472.00",
        vat="294.40",
        gross="1766.40",
        payment_terms="Payment is due within 30 days of the invoice date.",
        bank=replace(BANK, payment_reference=number),
        how_to_pay="Pay by bank transfer and quote the payment reference.",
        questions=FINANCE_DESK,
        credits=None,
        route_reason=WHY_VAT,
    )


def recharge_note() -> MoneyDocumentFacts:
    """Return the same instalment for an own maintained school: 1,472.00, no VAT, not in the VAT series."""
    return replace(
        academy_invoice(),
        kind="recharge_note",
        route="recharge",
        number="EWSR/25-26/000047",
        due_on=None,
        customer=COMMUNITY_SCHOOL,
        school=None,
        purchase_order=None,
        lines=(
            line(
                "Education welfare officer, days",
                "12",
                "days",
                "368.00",
                "1472.00",
                rate=None,
                why="12 days × £368.00 = £4,416.00, instalment 1 of 3",
            ),
        ),
        vat_rows=(),
        vat="0.00",
        gross="1472.00",
        payment_terms="",
        bank=None,
        how_to_pay=(
            "We take £1,472.00 from your delegated budget by journal in the October 2025 period. It appears "
            "on your budget report with the recharge number."
        ),
        route_reason=WHY_NO_VAT,
    )


def credit_note() -> MoneyDocumentFacts:
    """Return the credit for half a day that the officer missed: −184.00 − 36.80 = −220.80."""
    return replace(
        academy_invoice(),
        kind="credit_note",
        number="EWS/25-26/000141",
        issued_on="2026-03-20",
        tax_point="2026-03-20",
        due_on=None,
        lines=(
            line(
                "Education welfare officer, half day not provided",
                "0.5",
                "days",
                "368.00",
                "-184.00",
                why="0.5 days × £368.00, visit of 12 March 2026",
            ),
        ),
        vat_rows=(
            VatRow(code="S", label="Standard rate", rate="20", net="-184.00", vat="-36.80", reason=None),
        ),
        net="-184.00",
        vat="-36.80",
        gross="-220.80",
        bank=None,
        how_to_pay="We set this credit against your next invoice. Ask us if you want it paid back.",
        payment_terms="",
        credits=Credited(
            number="EWS/25-26/000123",
            date="2025-10-14",
            reason="Our officer was ill on 12 March 2026 and we could not give the half day before 31 March.",
        ),
    )


def mixed_invoice() -> MoneyDocumentFacts:
    """Return a day at 20% and a training session that is exempt: 618.00 + 73.60 = 691.60."""
    return replace(
        academy_invoice(),
        number="EWS/25-26/000126",
        lines=(
            line("Education welfare officer, day", "1", "day", "368.00", "368.00"),
            replace(
                line("Attendance training for governors", "1", "session", "250.00", "250.00", rate=None),
                vat_code="E",
                period="22 January 2026",
            ),
        ),
        vat_rows=(
            VatRow(code="S", label="Standard rate", rate="20", net="368.00", vat="73.60", reason=None),
            VatRow(
                code="E",
                label="Exempt",
                rate=None,
                net="250.00",
                vat="0.00",
                reason="Education supplied by an eligible body: VAT Act 1994, Schedule 9, Group 6.",
            ),
        ),
        net="618.00",
        vat="73.60",
        gross="691.60",
        bank=replace(BANK, payment_reference="EWS/25-26/000126"),
    )


def long_invoice(lines: int = 50) -> MoneyDocumentFacts:
    """Return 50 lines of £241.67 at 20%: net 12,083.50, VAT 2,416.70 (not 2,416.50), gross 14,500.20."""
    return replace(
        academy_invoice(),
        number="EWS/25-26/000127",
        lines=tuple(
            line(
                f"Home visits, round {index}",
                "1",
                "round",
                "241.67",
                "241.67",
                why=f"Requested in week {index}",
            )
            for index in range(1, lines + 1)
        ),
        vat_rows=(
            VatRow(code="S", label="Standard rate", rate="20", net="12083.50", vat="2416.70", reason=None),
        ),
        net="12083.50",
        vat="2416.70",
        gross="14500.20",
        bank=replace(BANK, payment_reference="EWS/25-26/000127"),
    )


def two_page_invoice() -> MoneyDocumentFacts:
    """Return an invoice that fills two sheets: what the bench prints."""
    return long_invoice(16)


def day_statement() -> DayStatementFacts:
    """Return 10 days of 444 minutes and every kind of entry: 1.5 days left, half a day booked."""
    moves = (
        ("2025-04-01", "Bought", "Agreement EWS-A-00031, 10 days", 4440),
        ("2025-05-06", "Delivered", "Visit: register analysis and two attendance meetings", -444),
        ("2025-06-10", "Delivered", "Visit: 3 hours 20 minutes, report 40 minutes", -240),
        ("2025-06-12", "Reversal", "Undoes the entry of 10 June 2025: logged twice", 240),
        ("2025-09-16", "Varied", "Variation 1, signed 12 September 2025", 444),
        ("2025-10-07", "Delivered", "Intervention day with two officers", -2220),
        ("2025-11-18", "Charged", "Cancelled by the school with 4 clear working days’ notice", -222),
        ("2026-01-20", "Credited", "Officer ill on 13 January 2026: credit note EWS/25-26/000141", -222),
        ("2026-02-03", "Delivered", "Late gate and parent drop-in", -888),
        ("2026-03-10", "Delivered", "Visit: casework review", -222),
    )
    entries, balance = [], 0
    for day, kind, description, minutes in moves:
        balance += minutes
        entries.append(
            StatementEntry(date=day, kind=kind, description=description, minutes=minutes, balance=balance)
        )
    return DayStatementFacts(
        kind="day_statement",
        stated_on="2026-03-16",
        supplier=COUNCIL,
        customer=ACADEMY,
        school="Brightwater Academy",
        agreement="EWS-A-00031",
        tranches=(
            TrancheStatement(
                offering="Education welfare officer, days",
                year="2025-26",
                starts_on="2025-04-01",
                ends_on="2026-03-31",
                unit="day",
                unit_minutes=444,
                contracted=4440,
                varied=444,
                delivered=3774,
                charged=222,
                credited=222,
                lapsed=0,
                balance=balance,
                booked=222,
                free_to_book=balance - 222,
                outlook="2 school weeks to 31 March",
                entries=tuple(entries),
            ),
        ),
        how_to_read=(
            "Time is kept in minutes and shown in days of 7 hours 24 minutes. What is left on 31 March "
            "lapses: it is never carried into the next financial year. You can question any entry."
        ),
        questions=FINANCE_DESK,
    )
