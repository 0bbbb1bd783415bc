"""Reads an electronic invoice back, so that what is checked is what a receiver will see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lxml import etree  # type: ignore[import-untyped]  # the library carries no types

from sla_manager.gateways.e_invoices.figures import Figures, Line, Party, Row
from sla_manager.gateways.e_invoices.writing import parse

_UBL = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
_CII = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}
_TRADE = "rsm:SupplyChainTradeTransaction"
_SETTLED = f"{_TRADE}/ram:ApplicableHeaderTradeSettlement"
_AGREED = f"{_TRADE}/ram:ApplicableHeaderTradeAgreement"
_SUMS = f"{_SETTLED}/ram:SpecifiedTradeSettlementHeaderMonetarySummation"

Said = Callable[[str], str]


def read(content: bytes) -> Figures:
    """Return what an electronic invoice says, in whichever of the two syntaxes."""
    root = parse(content)
    is_cii = etree.QName(root).localname == "CrossIndustryInvoice"
    return _read_cii(root) if is_cii else _read_ubl(root)


def _said(node: Any, namespaces: dict[str, str]) -> Said:
    """Return a reader of one text below a node; the empty text where there is none."""

    def read_one(path: str) -> str:
        found = node.xpath(path, namespaces=namespaces)
        if not found:
            return ""
        return str(found[0] if isinstance(found[0], str) else (found[0].text or ""))

    return read_one


def _currencies(root: Any) -> frozenset[str]:
    return frozenset(str(value) for value in root.xpath("//@currencyID"))


def _empty(root: Any) -> int:
    return sum(1 for node in root.iter() if len(node) == 0 and not (node.text or "").strip())


def _read_ubl(root: Any) -> Figures:
    one = _said(root, _UBL)
    kind = "CreditNote" if etree.QName(root).localname == "CreditNote" else "Invoice"
    sums = "cac:LegalMonetaryTotal/cbc:"
    before = root.xpath("cac:BillingReference/cac:InvoiceDocumentReference", namespaces=_UBL)
    return Figures(
        syntax="ubl",
        profile=one("cbc:CustomizationID"),
        process=one("cbc:ProfileID"),
        number=one("cbc:ID"),
        kind=one(f"cbc:{kind}TypeCode"),
        issued_on=one("cbc:IssueDate"),
        tax_point=one("cbc:TaxPointDate"),
        due_on=one("cbc:DueDate"),
        terms=one("cac:PaymentTerms/cbc:Note"),
        currencies=_currencies(root) | {one("cbc:DocumentCurrencyCode")},
        notes=len(root.xpath("cbc:Note", namespaces=_UBL)),
        buyer_reference=one("cbc:BuyerReference"),
        order=one("cac:OrderReference/cbc:ID"),
        preceding=tuple((_said(node, _UBL)("cbc:ID"), _said(node, _UBL)("cbc:IssueDate")) for node in before),
        seller=_ubl_party(root, "cac:AccountingSupplierParty/cac:Party"),
        buyer=_ubl_party(root, "cac:AccountingCustomerParty/cac:Party"),
        means=one("cac:PaymentMeans/cbc:PaymentMeansCode"),
        account=one("cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID"),
        lines=tuple(_ubl_line(node) for node in root.xpath(f"cac:{kind}Line", namespaces=_UBL)),
        rows=tuple(_ubl_row(node) for node in root.xpath("cac:TaxTotal/cac:TaxSubtotal", namespaces=_UBL)),
        line_total=one(f"{sums}LineExtensionAmount"),
        allowances=one(f"{sums}AllowanceTotalAmount"),
        charges=one(f"{sums}ChargeTotalAmount"),
        without_vat=one(f"{sums}TaxExclusiveAmount"),
        vat=one("cac:TaxTotal/cbc:TaxAmount"),
        with_vat=one(f"{sums}TaxInclusiveAmount"),
        prepaid=one(f"{sums}PrepaidAmount"),
        rounding=one(f"{sums}PayableRoundingAmount"),
        due=one(f"{sums}PayableAmount"),
        empty_elements=_empty(root),
    )


def _ubl_party(root: Any, path: str) -> Party:
    one = _said(root, _UBL)
    identifiers = root.xpath(f"{path}/cac:PartyIdentification/cbc:ID", namespaces=_UBL)
    return Party(
        name=one(f"{path}/cac:PartyLegalEntity/cbc:RegistrationName"),
        country=one(f"{path}/cac:PostalAddress/cac:Country/cbc:IdentificationCode"),
        identifiers=tuple(str(node.text) for node in identifiers),
        vat_number=one(f"{path}/cac:PartyTaxScheme[cac:TaxScheme/cbc:ID='VAT']/cbc:CompanyID"),
        scheme=one(f"{path}/cbc:EndpointID/@schemeID"),
        endpoint=one(f"{path}/cbc:EndpointID"),
    )


def _ubl_line(node: Any) -> Line:
    one = _said(node, _UBL)
    quantity = "cbc:CreditedQuantity" if one("cbc:CreditedQuantity") else "cbc:InvoicedQuantity"
    return Line(
        id=one("cbc:ID"),
        quantity=one(quantity),
        unit=one(f"{quantity}/@unitCode"),
        price=one("cac:Price/cbc:PriceAmount"),
        net=one("cbc:LineExtensionAmount"),
        code=one("cac:Item/cac:ClassifiedTaxCategory/cbc:ID"),
        rate=one("cac:Item/cac:ClassifiedTaxCategory/cbc:Percent"),
        name=one("cac:Item/cbc:Name"),
    )


def _ubl_row(node: Any) -> Row:
    one = _said(node, _UBL)
    return Row(
        code=one("cac:TaxCategory/cbc:ID"),
        rate=one("cac:TaxCategory/cbc:Percent"),
        net=one("cbc:TaxableAmount"),
        vat=one("cbc:TaxAmount"),
        reason=one("cac:TaxCategory/cbc:TaxExemptionReason"),
        reason_code=one("cac:TaxCategory/cbc:TaxExemptionReasonCode"),
    )


def _read_cii(root: Any) -> Figures:
    one = _said(root, _CII)
    before = root.xpath(f"{_SETTLED}/ram:InvoiceReferencedDocument", namespaces=_CII)
    means = f"{_SETTLED}/ram:SpecifiedTradeSettlementPaymentMeans"
    account = f"{means}/ram:PayeePartyCreditorFinancialAccount"
    context = "rsm:ExchangedDocumentContext/ram:"
    return Figures(
        syntax="cii",
        profile=one(f"{context}GuidelineSpecifiedDocumentContextParameter/ram:ID"),
        process=one(f"{context}BusinessProcessSpecifiedDocumentContextParameter/ram:ID"),
        number=one("rsm:ExchangedDocument/ram:ID"),
        kind=one("rsm:ExchangedDocument/ram:TypeCode"),
        issued_on=_day(one("rsm:ExchangedDocument/ram:IssueDateTime/udt:DateTimeString")),
        tax_point=_day(one(f"{_SETTLED}/ram:ApplicableTradeTax/ram:TaxPointDate/udt:DateString")),
        due_on=_day(one(f"{_SETTLED}/ram:SpecifiedTradePaymentTerms/ram:DueDateDateTime/udt:DateTimeString")),
        terms=one(f"{_SETTLED}/ram:SpecifiedTradePaymentTerms/ram:Description"),
        currencies=_currencies(root) | {one(f"{_SETTLED}/ram:InvoiceCurrencyCode")},
        notes=len(root.xpath("rsm:ExchangedDocument/ram:IncludedNote", namespaces=_CII)),
        buyer_reference=one(f"{_AGREED}/ram:BuyerReference"),
        order=one(f"{_AGREED}/ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID"),
        preceding=tuple(_cii_preceding(node) for node in before),
        seller=_cii_party(root, f"{_AGREED}/ram:SellerTradeParty"),
        buyer=_cii_party(root, f"{_AGREED}/ram:BuyerTradeParty"),
        means=one(f"{means}/ram:TypeCode"),
        account=one(f"{account}/ram:IBANID") or one(f"{account}/ram:ProprietaryID"),
        lines=tuple(
            _cii_line(node)
            for node in root.xpath(f"{_TRADE}/ram:IncludedSupplyChainTradeLineItem", namespaces=_CII)
        ),
        rows=tuple(
            _cii_row(node) for node in root.xpath(f"{_SETTLED}/ram:ApplicableTradeTax", namespaces=_CII)
        ),
        line_total=one(f"{_SUMS}/ram:LineTotalAmount"),
        allowances=one(f"{_SUMS}/ram:AllowanceTotalAmount"),
        charges=one(f"{_SUMS}/ram:ChargeTotalAmount"),
        without_vat=one(f"{_SUMS}/ram:TaxBasisTotalAmount"),
        vat=one(f"{_SUMS}/ram:TaxTotalAmount"),
        with_vat=one(f"{_SUMS}/ram:GrandTotalAmount"),
        prepaid=one(f"{_SUMS}/ram:TotalPrepaidAmount"),
        rounding=one(f"{_SUMS}/ram:RoundingAmount"),
        due=one(f"{_SUMS}/ram:DuePayableAmount"),
        empty_elements=_empty(root),
    )


def _day(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if text else ""


def _cii_preceding(node: Any) -> tuple[str, str]:
    one = _said(node, _CII)
    return one("ram:IssuerAssignedID"), _day(one("ram:FormattedIssueDateTime/*"))


def _cii_party(root: Any, path: str) -> Party:
    one = _said(root, _CII)
    return Party(
        name=one(f"{path}/ram:Name"),
        country=one(f"{path}/ram:PostalTradeAddress/ram:CountryID"),
        identifiers=tuple(str(node.text) for node in root.xpath(f"{path}/ram:ID", namespaces=_CII)),
        vat_number=one(f"{path}/ram:SpecifiedTaxRegistration/ram:ID[@schemeID='VA']"),
        scheme=one(f"{path}/ram:URIUniversalCommunication/ram:URIID/@schemeID"),
        endpoint=one(f"{path}/ram:URIUniversalCommunication/ram:URIID"),
    )


def _cii_line(node: Any) -> Line:
    one = _said(node, _CII)
    tax = "ram:SpecifiedLineTradeSettlement/ram:ApplicableTradeTax"
    quantity = "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity"
    sums = "ram:SpecifiedLineTradeSettlement/ram:SpecifiedTradeSettlementLineMonetarySummation"
    return Line(
        id=one("ram:AssociatedDocumentLineDocument/ram:LineID"),
        quantity=one(quantity),
        unit=one(f"{quantity}/@unitCode"),
        price=one("ram:SpecifiedLineTradeAgreement/ram:NetPriceProductTradePrice/ram:ChargeAmount"),
        net=one(f"{sums}/ram:LineTotalAmount"),
        code=one(f"{tax}/ram:CategoryCode"),
        rate=one(f"{tax}/ram:RateApplicablePercent"),
        name=one("ram:SpecifiedTradeProduct/ram:Name"),
    )


def _cii_row(node: Any) -> Row:
    one = _said(node, _CII)
    return Row(
        code=one("ram:CategoryCode"),
        rate=one("ram:RateApplicablePercent"),
        net=one("ram:BasisAmount"),
        vat=one("ram:CalculatedAmount"),
        reason=one("ram:ExemptionReason"),
        reason_code=one("ram:ExemptionReasonCode"),
    )
