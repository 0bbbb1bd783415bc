"""Renewals that somebody asked for on a page are prepared here; a worker that is stopped goes on when it runs again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sla_manager.agreements.commands.renewals import prepare_renewals
from sla_manager.agreements.commands.seasons import SeasonClosed
from sla_manager.agreements.models import Season
from sla_manager.agreements.queries.seasons import season_by_id, seasons_to_look_after, seasons_to_prepare
from sla_manager.kernel.clock import london_date
from sla_manager.store.audit import SYSTEM, Actor
from sla_manager.store.database import Database


def prepare_requested(
    database: Database, *, at: datetime, stopping: Callable[[], bool] = lambda: False
) -> str:
    """Prepare the renewals of every season for which somebody asked; returns what was done, in words."""
    with database.reading() as session:
        waiting = [season_by_id(session, season_id) for season_id in seasons_to_prepare(session)]
    return _prepare(database, waiting, at=at, stopping=stopping) or "nobody asked for renewals"


def prepare_again(database: Database, *, at: datetime, stopping: Callable[[], bool] = lambda: False) -> str:
    """Try again what could not be prepared, in every season that still sells, and renew quotes that ran out."""
    with database.reading() as session:
        ids = seasons_to_look_after(session, today=london_date(at))
        waiting = [season_by_id(session, season_id) for season_id in ids]
    return _prepare(database, waiting, at=at, stopping=stopping) or "no season sells"


def _prepare(
    database: Database, waiting: Sequence[Season], *, at: datetime, stopping: Callable[[], bool]
) -> str:
    said = []
    for season in waiting:
        by = Actor(season.requested_by_id, season.requested_by) if season.requested_by else SYSTEM
        try:
            done = prepare_renewals(database, season.id, by=by, at=at, stopping=stopping)
        except SeasonClosed:
            continue
        said.append(f"{season.service.name} {season.name}: {done.words}")
    return "; ".join(said)
