"""Prints documents as tagged PDF: letterhead, tables and pictures from frozen facts.

`Printer` prints in child processes with limits and is what the product uses. `PrinterHere` prints in this
process and is for tests and benches. Both have `print(kind, facts) -> bytes`. Nothing here is imported that
needs the system's text layout library until something is printed.
"""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sla_manager.gateways.printing.errors import PrintingFailed, PrintingUnavailable
from sla_manager.gateways.printing.printer import Limits, Printer

if TYPE_CHECKING:
    from sla_manager.gateways.printing.press import Press


class Prints(Protocol):
    """Anything that turns the facts of a document into its PDF."""

    def print(self, kind: str, facts: Mapping[str, object], xml: bytes = b"") -> bytes:
        """Return the PDF, or raise `GatewayFailed` with the reason; `xml` is the invoice that it carries."""
        ...


@lru_cache(maxsize=2)
def open_press(templates: Path) -> Press:
    """Return this process's press for a folder of templates, or raise `PrintingUnavailable`."""
    try:
        from sla_manager.gateways.printing.press import Press
    except (ImportError, OSError) as reason:
        raise PrintingUnavailable(str(reason).strip()[:300]) from reason
    return Press(templates)


atexit.register(open_press.cache_clear)


def print_document(kind: str, facts: Mapping[str, object], *, templates: Path, xml: bytes = b"") -> bytes:
    """Return the PDF of a document, laid out in this process: the same facts give the same bytes."""
    return open_press(templates).print_document(kind, facts, xml)


class PrinterHere:
    """Prints in this process, without the limits of a child: for tests and benches."""

    def __init__(self, templates: Path) -> None:
        self._templates = templates

    def print(self, kind: str, facts: Mapping[str, object], xml: bytes = b"") -> bytes:
        """Return the PDF."""
        return print_document(kind, facts, templates=self._templates, xml=xml)


__all__ = [
    "Limits",
    "Printer",
    "PrinterHere",
    "PrintingFailed",
    "PrintingUnavailable",
    "Prints",
    "print_document",
]
