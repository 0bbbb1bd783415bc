"""The 368 columns of Oracle's AutoInvoice import (RaInterfaceLinesAll), in their order.

Source: Oracle's file-based data import template for AutoInvoice. "Segment [1-15]" stands for fifteen columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from re import fullmatch

_WRITTEN = """
Business Unit Name
Transaction Batch Source Name
Transaction Type Name
Payment Terms
Transaction Date
Accounting Date
Transaction Number
Original System Bill-to Customer Reference
Original System Bill-to Customer Address Reference
Original System Bill-to Customer Contact Reference
Original System Ship-to Customer Reference
Original System Ship-to Customer Address Reference
Original System Ship-to Customer Contact Reference
Original System Ship-to Customer Account Reference
Original System Ship-to Customer Account Address Reference
Original System Ship-to Customer Account Contact Reference
Original System Sold-to Customer Reference
Original System Sold-to Customer Account Reference
Bill-to Customer Account Number
Bill-to Customer Site Number
Bill-to Contact Party Number
Ship-to Customer Account Number
Ship-to Customer Site Number
Ship-to Contact Party Number
Sold-to Customer Account Number
Transaction Line Type
Transaction Line Description
Currency Code
Currency Conversion Type
Currency Conversion Date
Currency Conversion Rate
Transaction Line Amount
Transaction Line Quantity
Customer Ordered Quantity
Unit Selling Price
Unit Standard Price
Line Transactions Flexfield Context
Line Transactions Flexfield Segment [1-15]
Primary Salesperson Number
Tax Classification Code
Legal Entity Identifier
Accounted Amount in Ledger Currency
Sales Order Number
Sales Order Date
Actual Ship Date
Warehouse Code
Unit of Measure Code
Unit of Measure Name
Invoicing Rule Name
Revenue Scheduling Rule Name
Number of Revenue Periods
Revenue Scheduling Rule Start Date
Revenue Scheduling Rule End Date
Reason Code Meaning
Last Period to Credit
Transaction Business Category Code
Product Fiscal Classification Code
Product Category Code
Product Type
Line Intended Use Code
Assessable Value
Document Sub Type
Default Taxation Country
User Defined Fiscal Classification
Tax Invoice Number
Tax Invoice Date
Tax Regime Code
Tax
Tax Status Code
Tax Rate Code
Tax Jurisdiction Code
First Party Registration Number
Third Party Registration Number
Final Discharge Location
Taxable Amount
Taxable Flag
Tax Exemption Flag
Tax Exemption Reason Code
Tax Exemption Reason Code Meaning
Tax Exemption Certificate Number
Line Amount Includes Tax Flag
Tax Precedence
Credit Method To Be Used For Lines With Revenue Scheduling Rules
Credit Method To Be Used For Transactions With Split Payment Terms
Reason Code
Tax Rate
FOB Point
Carrier
Shipping Reference
Sales Order Line Number
Sales Order Source
Sales Order Revision Number
Purchase Order Number
Purchase Order Revision Number
Purchase Order Date
Agreement Name
Memo Line Name
Document Number
Original System Batch Name
Link-to Transactions Flexfield Context
Link-to Transactions Flexfield Segment [1-15]
Reference Transactions Flexfield Context
Reference Transactions Flexfield Segment [1-15]
Link To Parent Line Context
Link To Parent Line Segment [1-15]
Receipt Method Name
Printing Option
Related Batch Source Name
Related Transaction Number
Inventory Item Number
Inventory Item Segment [2-20]
Bill To Customer Bank Account Name
Reset Transaction Date Flag
Payment Server Order Number
Last Transaction on Debit Authorization
Approval Code
Address Verification Code
Transaction Line Translated Description
Consolidated Billing Number
Promised Commitment Amount
Payment Set Identifier
Original Accounting Date
Invoiced Line Accounting Level
Override AutoAccounting Flag
Historical Flag
Deferral Exclusion Flag
Payment Attributes
Invoice Billing Date
Invoice Lines Flexfield Context
Invoice Lines Flexfield Segment [1-15]
Invoice Transactions Flexfield Context
Invoice Transactions Flexfield Segment [1-15]
Receivables Transaction Region Information Flexfield Context
Receivables Transaction Region Information Flexfield Segment [1-30]
Line Global Descriptive Flexfield Attribute Category
Line Global Descriptive Flexfield Segment [1-20]
Comments
Notes from Source
Credit Card Token Number
Credit Card Expiration Date
First Name of the Credit Card Holder
Last Name of the Credit Card Holder
Credit Card Issuer Code
Masked Credit Card Number
Credit Card Authorization Request Identifier
Credit Card Voice Authorization Code
Receivables Transaction Region Information Flexfield Number Segment [1-12]
Receivables Transaction Region Information Flexfield Date Segment [1-5]
Receivables Transaction Line Region Information Flexfield Number Segment [1-5]
Receivables Transaction Line Region Information Flexfield Date Segment [1-5]
Freight Charge
Insurance Charge
Packing Charge
Miscellaneous Charge
Commercial Discount
Enforce Chronological Document Sequencing
Payments transaction identifier
Interface Status
Invoice Lines Flexfield Number Segment [1-5]
Invoice Lines Flexfield Date Segment [1-5]
Invoice Transactions Flexfield Number Segment [1-5]
Invoice Transactions Flexfield Date Segment [1-5]
ADDITIONAL_LINE_CONTEXT
ADDITIONAL_LINE_ATTRIBUTE[1-15]
END
"""


def _spread(written: str) -> Iterator[str]:
    """Yield the columns that one written line stands for."""
    match = fullmatch(r"(.*)\[(\d+)-(\d+)\]", written)
    if match is None:
        yield written
        return
    for number in range(int(match[2]), int(match[3]) + 1):
        yield f"{match[1]}{number}"


ORACLE_COLUMNS = tuple(name for line in _WRITTEN.strip().splitlines() for name in _spread(line))
