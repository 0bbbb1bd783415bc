"""Renewals that somebody asked for on a page are prepared here; a worker that is stopped goes on when it runs again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sla_manager.agreements.commands.renewals import prepare_renewals
from sla_manager.agreements.commands.seasons import SeasonClosed
from sla_manager.agreements.queries.seasons import season_by_id, seasons_to_prepare
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database


def prepare_requested(
    database: Database, *, at: datetime, stopping: Callable[[], bool] = lambda: False
) -> str:
    """Prepare the renewals of every season for which somebody asked; returns what was done, in words."""
    with database.reading() as session:
        waiting = [season_by_id(session, season_id) for season_id in seasons_to_prepare(session)]
    said = []
    for season in waiting:
        by = Actor(season.requested_by_id, season.requested_by)
        try:
            done = prepare_renewals(database, season.id, by=by, at=at, stopping=stopping)
        except SeasonClosed:
            continue
        said.append(f"{season.service.name} {season.name}: {done.words}")
    return "; ".join(said) or "nobody asked for renewals"
