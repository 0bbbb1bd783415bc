"""Proof packs as finance and schools see them: asked for, made, downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, send_file
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from sla_manager.agreements.models import Agreement
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.periods import FinancialYear
from sla_manager.people.models import School
from sla_manager.people.queries import the_provider
from sla_manager.reports.errands import PROOF_PACK, pack_file, pack_size
from sla_manager.store.errands import Errand, latest
from sla_manager.web.errands import RELOAD_SECONDS, ask_for
from sla_manager.web.pages import archive_folder, database, reading, today

SMALL = 120
"""A pack of so many files at most is made while somebody waits; a larger one by the worker."""
TYPE = "application/zip"


def years_bought(schools: Sequence[School]) -> dict[int, list[FinancialYear]]:
    """Return the financial years since each school first bought anything, the latest first (two queries)."""
    session = reading()
    month = the_provider(session).financial_year_start_month
    last = FinancialYear.of(today(), start_month=month).first
    query = (
        select(Agreement.school_id, func.min(Agreement.starts_on))
        .where(Agreement.school_id.in_([one.id for one in schools]), Agreement.agreed_at.is_not(None))
        .group_by(Agreement.school_id)
    )
    found: dict[int, list[FinancialYear]] = {one.id: [] for one in schools}
    for school_id, since in session.execute(query):
        first = FinancialYear.of(since, start_month=month).first
        found[school_id] = [FinancialYear(year, month) for year in range(max(last, first), first - 1, -1)]
    return found


def pack_years(school: School) -> list[FinancialYear]:
    """Return the financial years since the school first bought anything, the latest first."""
    return years_bought([school])[school.id]


def pack_year(school: School, text: str) -> FinancialYear:
    """Return the year that an address names; one in which nothing was bought is not found."""
    try:
        wanted = FinancialYear.parse(text)
    except Refused as error:
        raise NotFound from error
    found = next((one for one in pack_years(school) if one.first == wanted.first), None)
    if found is None:
        raise NotFound("This school bought nothing in that year.")
    return found


def _about(school: School, year: FinancialYear) -> str:
    return f"{school.id}:{year.first}"


def pack_of(school: School, year: FinancialYear) -> tuple[Errand | None, bool]:
    """Return the last pack that was asked for, and whether its file is still there."""
    errand = latest(reading(), PROOF_PACK, _about(school, year))
    made = errand is not None and errand.ok is True and pack_file(_folder(), errand.id).exists()
    return errand, made


def _folder() -> Any:
    return archive_folder() / "packs"


def make_pack(school: School, year: FinancialYear) -> None:
    """Make a pack, at once when it is small; any other is made by the worker."""
    small = pack_size(database(), school.id, year.first) <= SMALL
    facts = {"school_id": school.id, "year": year.first}
    ask_for(PROOF_PACK, _about(school, year), facts=facts, at_once=small)


def download(school: School, year: FinancialYear, back: str) -> ResponseReturnValue:
    """Hand out the file; where there is none, lead back to the page that makes one."""
    errand, made = pack_of(school, year)
    if errand is None or not made:
        flash("There is no proof pack yet. Make one first.")
        return redirect(back)
    answer = send_file(
        pack_file(_folder(), errand.id),
        mimetype=TYPE,
        as_attachment=True,
        download_name=f"{errand.result['name']}.zip",
        max_age=0,
    )
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def headers(errand: Errand | None, *, stay: bool) -> dict[str, str]:
    """Return what makes a page load itself again while a pack is being made, unless it is told to stay."""
    waits = errand is not None and errand.is_waiting
    return {"Refresh": str(RELOAD_SECONDS)} if waits and not stay else {}
