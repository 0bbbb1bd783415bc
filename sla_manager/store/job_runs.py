"""When each background job last ran, and how it went: for the health page and the administrator."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, Session, mapped_column

from sla_manager.store.tables import Table


class JobRun(Table):
    """The last run of a job. One row a job, replaced by the next run."""

    __tablename__ = "job_run"

    name: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    ok: Mapped[bool]
    message: Mapped[str] = mapped_column(default="")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


def note_run(
    session: Session, name: str, *, started_at: datetime, finished_at: datetime, ok: bool, message: str = ""
) -> None:
    """Keep how a job went."""
    run = session.get(JobRun, name)
    if run is None:
        run = JobRun(
            name=name, started_at=started_at, finished_at=finished_at, ok=ok, message=message, details={}
        )
        session.add(run)
    run.started_at, run.finished_at, run.ok, run.message = started_at, finished_at, ok, message
