"""What every page uses: the moment, the reading session, the transaction, who acts."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import cast

from flask import current_app, g, request
from flask_login import current_user
from sqlalchemy.orm import Session

from sla_manager.kernel.clock import Clock, london_date
from sla_manager.kernel.errors import Conflict
from sla_manager.store.audit import Actor
from sla_manager.store.database import Database


def database() -> Database:
    """Return the opened database of this application."""
    return cast(Database, current_app.extensions["sla.database"])


def now() -> datetime:
    """Return this request's moment: one for the whole request, in UTC."""
    if "now" not in g:
        g.now = cast(Clock, current_app.extensions["sla.clock"])()
    return cast(datetime, g.now)


def today() -> date:
    """Return the London date of this request."""
    return london_date(now())


def archive_folder() -> Path:
    """Return the folder of issued documents."""
    return cast(Path, current_app.extensions["sla.archive"])


def reading() -> Session:
    """Return this request's reading session: it sees one moment and cannot write."""
    if "reading" not in g:
        g.reading_context = database().reading()
        g.reading = g.reading_context.__enter__()
    return cast(Session, g.reading)


def transaction() -> AbstractContextManager[Session]:
    """Open the one transaction of a use case. The reading session is closed first: afterwards it reads afresh."""
    close_reading()
    return database().transaction()


def close_reading(_error: BaseException | None = None) -> None:
    """Close the reading session, when one was opened."""
    context = g.pop("reading_context", None)
    g.pop("reading", None)
    if context is not None:
        context.__exit__(None, None, None)


def actor() -> Actor:
    """Return who acts in this request, for the audit trail."""
    return Actor(current_user.id, current_user.name, request.remote_addr)


def expect_version(typed: str | None, stored: int) -> None:
    """Refuse when the thing changed since the form was opened (N11); what was typed stays on the page."""
    if typed is None or typed != str(stored):
        raise Conflict(
            "Somebody else changed this while you had it open. Check what it says now, then save again: "
            "what you typed is still below."
        )
