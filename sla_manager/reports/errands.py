"""Doing errands: a proof pack is written to a folder of its own, the books are checked; both with their progress."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from sla_manager.gateways.printing import Prints
from sla_manager.kernel.errors import ProductError
from sla_manager.kernel.periods import FinancialYear
from sla_manager.reports.findings import Files
from sla_manager.reports.integrity import checks, to_look_at
from sla_manager.reports.proof_pack.making import expected, proof_pack
from sla_manager.reports.proof_pack.scope import scope_of
from sla_manager.reports.rehearsal import rehearse
from sla_manager.store.audit import Actor, record
from sla_manager.store.database import Database
from sla_manager.store.errands import Errand, finish, note_progress, waiting

CHECK_BOOKS, PROOF_PACK, REHEARSE_YEAR = "check_books", "proof_pack", "rehearse_year"
EVERYTHING = "all"
"""What a check of the books is about."""
MOST_LISTED = 200
KEPT_FOR = timedelta(days=14)
_TELL_EVERY = 50


@dataclass(frozen=True)
class Workshop:
    """What errands need: the books, the archive, a printer, the templates, the folder for packs, the moment."""

    database: Database
    archive: Files
    printer: Prints
    templates: Path
    packs: Path
    at: datetime
    stopping: Callable[[], bool] = lambda: False


class Interrupted(ProductError):
    """The worker was told to stop: the errand waits, and is done again when it runs."""

    status = 503


def pack_file(packs: Path, errand_id: int) -> Path:
    """Return where the pack of an errand lies until it is removed."""
    return packs / f"{errand_id}.zip"


def do_waiting(shop: Workshop) -> tuple[int, int]:
    """Do every errand that waits; returns how many were done and how many failed."""
    with shop.database.reading() as session:
        ids = [one.id for one in waiting(session)]
    outcomes = [do_errand(shop, one) for one in ids if not shop.stopping()]
    return outcomes.count(True), outcomes.count(False)


def do_errand(shop: Workshop, errand_id: int) -> bool | None:
    """Do one errand and keep what came of it; None when it was done already or has to be done again."""
    with shop.database.reading() as session:
        errand = session.get_one(Errand, errand_id)
    if not errand.is_waiting:
        return None
    try:
        result, ok = _DOES[errand.kind](shop, errand), True
    except Interrupted:
        return None
    except ProductError as error:
        result, ok = {"trouble": error.message}, False
    with shop.database.transaction() as session:
        finish(session, errand_id, ok=ok, result=result, at=shop.at)
    return ok


def _told(shop: Workshop, errand_id: int) -> Callable[[int, int], None]:
    """Return what keeps an errand's progress, not at every step."""

    def tell(done: int, total: int) -> None:
        if shop.stopping():
            raise Interrupted("The worker is stopping.")
        if done % _TELL_EVERY == 0:
            with shop.database.transaction() as session:
                note_progress(session, errand_id, done=done, total=total, at=shop.at)

    return tell


def _make_pack(shop: Workshop, errand: Errand) -> dict[str, Any]:
    school_id, year = int(errand.facts["school_id"]), int(errand.facts["year"])
    shop.packs.mkdir(parents=True, exist_ok=True)
    final = pack_file(shop.packs, errand.id)
    part, digest, size = final.with_suffix(f".{os.getpid()}.part"), hashlib.sha256(), 0
    try:
        with shop.database.reading() as session, part.open("wb") as file:
            name = scope_of(session, school_id, year).name
            for piece in proof_pack(
                session, school_id, year, archive=shop.archive, printer=shop.printer,
                templates=shop.templates, tell=_told(shop, errand.id),
            ):  # fmt: skip
                file.write(piece)
                digest.update(piece)
                size += len(piece)
        part.replace(final)
    finally:
        part.unlink(missing_ok=True)
    by = Actor(None, errand.asked_by)
    with shop.database.transaction() as session:
        record(
            session, "make_proof_pack", about="school", about_id=school_id, by=by, at=shop.at,
            summary=f"{name} made.", details={"sha256": digest.hexdigest(), "bytes": size},
        )  # fmt: skip
    return {"name": name, "sha256": digest.hexdigest(), "bytes": size}


def _check(shop: Workshop, errand: Errand) -> dict[str, Any]:
    tell, looked_at = _told(shop, errand.id), 0
    found: list[dict[str, Any]] = []
    listed: list[dict[str, Any]] = []
    with shop.database.reading() as session:
        total = to_look_at(session)

        def more(count: int) -> None:
            nonlocal looked_at
            looked_at += count
            tell(looked_at, total)

        for title, problems in checks(session, shop.archive, more):
            count = 0
            for problem in problems:
                count += 1
                if len(listed) < MOST_LISTED:
                    listed.append(asdict(problem))
            found.append({"title": title, "count": count})
    return {"checks": found, "problems": listed, "count": sum(one["count"] for one in found)}


def _rehearse(shop: Workshop, errand: Errand) -> dict[str, Any]:
    year = FinancialYear(int(errand.facts["year"]), int(errand.facts["start_month"]))
    return rehearse(shop.database, year, at=shop.at)


_DOES: dict[str, Callable[[Workshop, Errand], dict[str, Any]]] = {
    CHECK_BOOKS: _check,
    PROOF_PACK: _make_pack,
    REHEARSE_YEAR: _rehearse,
}


def pack_size(database: Database, school_id: int, year: int) -> int:
    """Return about how many files a pack will have: small ones are made while somebody waits."""
    with database.reading() as session:
        return expected(scope_of(session, school_id, year))


def remove_old_packs(packs: Path, *, database: Database, at: datetime) -> int:
    """Remove packs that were made long ago; they can be made again. Returns how many."""
    with database.reading() as session:
        query = select(Errand.id).where(Errand.kind == PROOF_PACK, Errand.finished_at < at - KEPT_FOR)
        old = [pack_file(packs, one) for one in session.scalars(query)]
    removed = [one for one in old if one.exists()]
    for one in removed:
        one.unlink(missing_ok=True)
    return len(removed)
