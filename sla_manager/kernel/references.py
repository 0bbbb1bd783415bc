"""References people read out on the telephone, and keys that machines compare."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from sla_manager.kernel.periods import FinancialYear


def document_number(series: str, year: FinancialYear, sequence: int) -> str:
    """Write a document's number.

    >>> document_number("EWS", FinancialYear(2026), 123)
    'EWS/26-27/000123'
    """
    return f"{series}/{year.short}/{sequence:06d}"


def sha256(content: bytes) -> str:
    """Return the SHA-256 of bytes in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def canonical_json(facts: Mapping[str, Any]) -> bytes:
    """Return facts as JSON bytes that are the same for the same facts; a float among them is an error."""
    _refuse_floats(facts)
    return json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise TypeError(f"a float may not stand in frozen facts: {value!r}")
    if isinstance(value, Mapping):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)


def new_token() -> str:
    """Return a random token for a link; only its hash is stored."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what is stored of a token."""
    return sha256(token.encode())
