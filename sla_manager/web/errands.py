"""Errands as pages show them: ask for one, do it at once when it is small, see how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sla_manager.config import ROOT
from sla_manager.gateways.archive import Archive
from sla_manager.kernel.errors import GatewayFailed
from sla_manager.reports.errands import Workshop, do_errand
from sla_manager.store.errands import ask
from sla_manager.web.pages import actor, archive_folder, close_reading, database, now, transaction
from sla_manager.web.printing import page_printer

RELOAD_SECONDS = 5


class _NotNow:
    """Stands for a printer that could not be started."""

    def __init__(self, reason: GatewayFailed) -> None:
        self._reason = reason

    def print(self, kind: str, facts: Mapping[str, object], xml: bytes = b"") -> bytes:
        """Say why nothing is printed."""
        raise self._reason


def ask_for(kind: str, about: str, *, facts: Mapping[str, Any] | None = None, at_once: bool) -> None:
    """Ask for an errand; a small one is done while the person waits, any other by the worker."""
    with transaction() as session:
        errand_id = ask(session, kind, about, facts=facts, by=actor(), at=now()).id
    if not at_once:
        return
    close_reading()
    folder = archive_folder()
    try:
        printer: Any = page_printer()
    except GatewayFailed as error:
        printer = _NotNow(error)
    do_errand(
        Workshop(database(), Archive(folder), printer, ROOT / "templates", folder / "packs", now()), errand_id
    )
