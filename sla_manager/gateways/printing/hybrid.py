"""The hybrid invoice: a PDF/A-3 that carries its own electronic invoice, and says so in its metadata.

The names of the file, of its relationship and of the metadata are of Factur-X 1.0 (ZUGFeRD 2), which readers look
for. The document stays tagged, and claims PDF/UA-1 beside PDF/A-3a.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from typing import Any

import weasyprint

VARIANT = "pdf/a-3a"
XML_NAME = "factur-x.xml"
_NAMESPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_ACCESS = "http://www.aiim.org/pdfua/ns/id/"
_END = b"</rdf:RDF>"
_PROPERTIES = (
    ("DocumentFileName", XML_NAME, "name of the embedded XML invoice file"),
    ("DocumentType", "INVOICE", "INVOICE"),
    ("Version", "1.0", "The actual version of the Factur-X XML schema"),
    ("ConformanceLevel", "EN 16931", "The conformance level of the embedded Factur-X data"),
)


def attachment(xml: bytes, made_on: str) -> weasyprint.Attachment:
    """Return the electronic invoice as an attachment dated by its document, so that bytes never differ."""
    moment = datetime.fromisoformat(made_on).replace(tzinfo=UTC)
    return weasyprint.Attachment(
        file_obj=BytesIO(xml),
        name=XML_NAME,
        description="The electronic invoice (EN 16931)",
        created=moment,
        modified=moment,
        relationship="Alternative",
    )


def say_so(metadata: Any) -> None:
    """Let a laid-out document's metadata say that it is a Factur-X invoice, and made for everybody."""
    written = metadata.generate_rdf_metadata

    def with_invoice(*variant: Any) -> bytes:
        said: bytes = written(*variant)
        return said.replace(_END, _descriptions() + _END)

    metadata.generate_rdf_metadata = with_invoice


@cache
def _descriptions() -> bytes:
    said = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, value, _ in _PROPERTIES)
    invoice = _schema(
        "Factur-X PDFA Extension Schema", _NAMESPACE, "fx",
        [(name, "Text", "external", about) for name, _, about in _PROPERTIES],
    )  # fmt: skip
    access = _schema(
        "PDF/UA Universal Accessibility Schema", _ACCESS, "pdfuaid",
        [("part", "Integer", "internal", "Indicates, which part of ISO 14289 standard is followed")],
    )  # fmt: skip
    return (
        f'<rdf:Description rdf:about="" xmlns:fx="{_NAMESPACE}">{said}</rdf:Description>'
        f'<rdf:Description rdf:about="" xmlns:pdfuaid="{_ACCESS}">'
        "<pdfuaid:part>1</pdfuaid:part></rdf:Description>"
        '<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" '
        'xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" '
        'xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">'
        f"<pdfaExtension:schemas><rdf:Bag>{invoice}{access}</rdf:Bag></pdfaExtension:schemas></rdf:Description>"
    ).encode()


def _schema(title: str, namespace: str, prefix: str, properties: list[tuple[str, str, str, str]]) -> str:
    """Return the description of a metadata schema that PDF/A does not know by itself."""
    rows = "".join(
        '<rdf:li rdf:parseType="Resource">'
        f"<pdfaProperty:name>{name}</pdfaProperty:name><pdfaProperty:valueType>{kind}</pdfaProperty:valueType>"
        f"<pdfaProperty:category>{category}</pdfaProperty:category>"
        f"<pdfaProperty:description>{about}</pdfaProperty:description></rdf:li>"
        for name, kind, category, about in properties
    )
    return (
        f'<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>{title}</pdfaSchema:schema>'
        f"<pdfaSchema:namespaceURI>{namespace}</pdfaSchema:namespaceURI>"
        f"<pdfaSchema:prefix>{prefix}</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{rows}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )
