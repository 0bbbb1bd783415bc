"""The worker's part of errands: packs and checks that somebody asked for, and the nightly check of the books."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sla_manager.config import ROOT
from sla_manager.gateways.archive import Archive
from sla_manager.gateways.printing import Prints
from sla_manager.kernel.errors import GatewayFailed, ProductError
from sla_manager.reports.errands import (
    CHECK_BOOKS,
    EVERYTHING,
    Workshop,
    do_errand,
    do_waiting,
    remove_old_packs,
)
from sla_manager.store.audit import SYSTEM
from sla_manager.store.database import Database
from sla_manager.store.errands import Errand, ask


class BooksAreOffError(ProductError):
    """The nightly check found something."""


class ErrandsFailed(GatewayFailed):
    """Something that was asked for could not be made; its page says why."""


def workshop(
    database: Database, archive: Path, printer: Prints, *, at: datetime, stopping: Callable[[], bool]
) -> Workshop:
    """Return where the worker does errands."""
    return Workshop(database, Archive(archive), printer, ROOT / "templates", archive / "packs", at, stopping)


def do_errands(shop: Workshop) -> str:
    """Do what somebody asked for on a page; returns what was done, in words."""
    done, failed = do_waiting(shop)
    if failed:
        raise ErrandsFailed(f"{done} errands done, {failed} failed: their pages say why.")
    return f"{done} errands done"


def check_books(shop: Workshop) -> str:
    """Compare ledgers, numbers, hashes, money and files; anything off is the job's failure, in words."""
    with shop.database.transaction() as session:
        errand_id = ask(session, CHECK_BOOKS, EVERYTHING, by=SYSTEM, at=shop.at).id
    if do_errand(shop, errand_id) is None:
        return "stopped half-way: the books are checked again when the worker runs"
    with shop.database.reading() as session:
        result = session.get_one(Errand, errand_id).result
    problems = result.get("problems", [])
    if problems or "trouble" in result:
        said = [result["trouble"]] if "trouble" in result else [one["message"] for one in problems[:20]]
        raise BooksAreOffError("; ".join(said))
    return "the books are in order"


def tidy_packs(shop: Workshop) -> str:
    """Remove proof packs that were made long ago."""
    return f"{remove_old_packs(shop.packs, database=shop.database, at=shop.at)} old proof packs removed"
