"""The printer of the pages: one child process, started with the first document that somebody asks for."""

from __future__ import annotations

import atexit
from threading import Lock
from typing import cast

from flask import current_app

from sla_manager.agreements.documents import print_paper, print_version
from sla_manager.config import ROOT
from sla_manager.gateways.archive import Archive
from sla_manager.gateways.printing import Limits, Printer, Prints
from sla_manager.kernel.errors import GatewayFailed
from sla_manager.web.pages import archive_folder, close_reading, database, now

LIMITS = Limits(memory_bytes=1024 * 1024 * 1024, processor_seconds=30, wall_seconds=60)
_STARTING = Lock()


def page_printer() -> Prints:
    """Return the printer of this process, or raise `GatewayFailed` where it cannot be started."""
    with _STARTING:
        if "sla.printer" not in current_app.extensions:
            try:
                printer = Printer(ROOT / "templates", limits=LIMITS)
            except OSError as error:
                raise GatewayFailed("The printer could not be started. Try again in a minute.") from error
            atexit.register(printer.close)
            current_app.extensions["sla.printer"] = printer
    return cast(Prints, current_app.extensions["sla.printer"])


def print_version_now(version_id: int) -> None:
    """Print a version of an agreement unless it is printed; raises `GatewayFailed` where that cannot be done now."""
    close_reading()
    archive = Archive(archive_folder())
    print_version(database(), version_id, archive=archive, printer=page_printer(), at=now())


def print_paper_now(paper_id: int) -> None:
    """Print a paper unless it is printed; raises `GatewayFailed` where that cannot be done now."""
    close_reading()
    archive = Archive(archive_folder())
    print_paper(database(), paper_id, archive=archive, printer=page_printer(), at=now())
