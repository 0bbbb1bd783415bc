"""The layouts that there are: ready ones with the council's settings, and its own."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.finance.models import ColumnMapping
from sla_manager.finance.rules.layouts import Layout, column_of
from sla_manager.finance.rules.ready import READY, ready_layout
from sla_manager.kernel.errors import NotFound


def layout(session: Session, name: str) -> Layout:
    """Return a layout by its name: a ready one, or one of the council's own."""
    stored = mapping(session, name)
    if name in READY:
        return ready_layout(name, stored.options if stored is not None else None)
    if stored is None:
        names = ", ".join(one.name for one in layouts(session))
        raise NotFound(f"There is no layout “{name[:40]}”. There are: {names}.")
    return from_stored(stored)


def from_stored(stored: ColumnMapping) -> Layout:
    """Return a layout of the council's own, as it was saved."""
    return Layout(
        name=stored.name,
        title=str(stored.options.get("title") or stored.name),
        columns=tuple(column_of(one) for one in stored.columns),
        **{key: value for key, value in stored.options.items() if key != "title"},
    )


def layouts(session: Session) -> list[Layout]:
    """Return every layout: the ready ones first."""
    stored = {one.name: one for one in session.scalars(select(ColumnMapping).order_by(ColumnMapping.name))}
    ready = [ready_layout(name, stored[name].options if name in stored else None) for name in READY]
    return ready + [from_stored(one) for name, one in stored.items() if name not in READY]


def mapping(session: Session, name: str) -> ColumnMapping | None:
    """Return a stored mapping by its name."""
    return session.scalar(select(ColumnMapping).where(ColumnMapping.name == name))
