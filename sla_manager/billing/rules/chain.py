"""The chain of hashes through a number series: each document carries the hash of the one before it.

A document changed by hand no longer matches its own hash; one taken out or put in breaks the next one's link.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sla_manager.kernel.clock import as_utc
from sla_manager.kernel.quantities import plain
from sla_manager.kernel.references import canonical_json, sha256

START = "0" * 64
"""What the first document of a series and year carries as its predecessor."""

HEAD_FIELDS = (
    "kind", "series", "year", "sequence", "number", "service_id", "customer_id", "customer_name", "agreement_id",
    "credits_id", "reason", "tax_point", "issued_on", "issued_at", "issued_by", "due_on", "purchase_order",
    "net", "vat", "gross", "facts",
)  # fmt: skip
LINE_FIELDS = (
    "position", "line_id", "credits_line_id", "description", "quantity", "unit", "unit_price", "net", "vat_code",
    "vat_rate", "explanation",
)  # fmt: skip
VAT_FIELDS = ("code", "rate", "net", "vat", "reason")


def document_hash(
    previous: str,
    head: Mapping[str, Any],
    lines: Sequence[Mapping[str, Any]],
    vat_rows: Sequence[Mapping[str, Any]],
) -> str:
    """Return the hash of a document as stored: its head, lines and VAT rows, and the hash before it."""
    return sha256(
        canonical_json(
            {
                "previous": previous,
                "head": {field: _plain(head[field]) for field in HEAD_FIELDS},
                "lines": [{field: _plain(line[field]) for field in LINE_FIELDS} for line in lines],
                "vat": [{field: _plain(row[field]) for field in VAT_FIELDS} for row in vat_rows],
            }
        )
    )


def _plain(value: Any) -> Any:
    """Return a value as the chain writes it: the same for a value just made and for one read back."""
    if value is None or isinstance(value, int | dict | list):
        return value
    if isinstance(value, Decimal):
        return plain(value)
    return as_utc(value).isoformat() if isinstance(value, datetime) else str(value)
