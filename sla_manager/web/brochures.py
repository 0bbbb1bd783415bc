"""Brochures printed when somebody asks: the same facts on the same day are printed once in a process.

A brochure is no document that must be kept: it says the prices of the day and is dated. So it is not archived. The
last ones are kept in memory under the hash of everything they say; a new day, price or figure is a new brochure.
"""

from __future__ import annotations

import atexit
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import cast

from flask import Response, current_app

from sla_manager.config import ROOT
from sla_manager.gateways.printing import Limits, Printer, Prints
from sla_manager.kernel.errors import GatewayFailed
from sla_manager.kernel.references import canonical_json, sha256
from sla_manager.web.downloads import pdf

KEPT = 24
LIMITS = Limits(memory_bytes=1024 * 1024 * 1024, processor_seconds=30, wall_seconds=60)


class PrintingDesk:
    """Prints brochures in a child process that is started with the first one."""

    def __init__(self, templates: Path, printer: Prints | None = None) -> None:
        self._templates = templates
        self._printer = printer
        self._lock = Lock()
        self._printed: OrderedDict[str, bytes] = OrderedDict()

    def brochure(self, facts: Mapping[str, object]) -> bytes:
        """Return the PDF; raises `GatewayFailed` where it cannot be printed now."""
        key = sha256(canonical_json(dict(facts)))
        with self._lock:
            known = self._printed.get(key)
            if known is not None:
                self._printed.move_to_end(key)
                return known
            printer = self._awake()
        content = printer.print("brochure", facts)
        with self._lock:
            self._printed[key] = content
            while len(self._printed) > KEPT:
                self._printed.popitem(last=False)
        return content

    def _awake(self) -> Prints:
        if self._printer is None:
            try:
                printer = Printer(self._templates, limits=LIMITS)
            except OSError as error:
                raise GatewayFailed("The printer could not be started. Try again in a minute.") from error
            atexit.register(printer.close)
            self._printer = printer
        return self._printer


def brochure_pdf(facts: Mapping[str, object], name: str) -> Response:
    """Return a brochure as a file that a browser shows."""
    desk = cast(PrintingDesk, current_app.extensions.setdefault("sla.desk", PrintingDesk(ROOT / "templates")))
    return pdf(desk.brochure(facts), name)
