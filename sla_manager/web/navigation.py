"""The menu: one entry for each place a person works in, and the pages within that place."""

from __future__ import annotations

from typing import Any, cast

from flask import Flask, g, request, url_for
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.people.models import Provider, School, TradingService, Trust
from sla_manager.people.rules.roles import Role
from sla_manager.web.guard import my_memberships, my_roles
from sla_manager.web.pages import reading

Entry = dict[str, Any]


def register(app: Flask) -> None:
    """Give every template the provider, the menu of places and who is signed in."""

    @app.context_processor
    def _shared() -> dict[str, Any]:
        return {
            "provider": provider(reading()),
            "places": places,
            "demonstration": app.config["SLA_DEMONSTRATION"],
        }


def provider(session: Session) -> Provider | None:
    """Return the council that runs this installation, or None before its first run (read once a session)."""
    key, found = g.get("provider", (None, None))
    if key != id(session):
        found = session.scalar(select(Provider))
        g.provider = (id(session), found)
    return cast("Provider | None", found)


def entry(text: str, endpoint: str, **values: Any) -> Entry:
    """Return a menu entry; it is active on its own page and on the pages below it."""
    address = url_for(endpoint, **values)
    return {
        "text": text,
        "href": address,
        "active": request.path == address or request.path.startswith(f"{address}/"),
    }


def places() -> list[Entry]:
    """Return the top menu: where this person works."""
    if not current_user.is_authenticated:
        return []
    entries: list[Entry] = []
    for school in my_schools()[:3]:
        _add(entries, school.name, "school.home", urn=school.urn)
    if len(my_schools()) > 3:
        entries = []
        _add(entries, "Your schools", "sign_in.start")
    for trust in my_trusts():
        _add(entries, trust.name, "trust.home", trust_id=trust.id)
    roles = my_roles()
    if Role.OFFICER in roles:
        _add(entries, "My diary", "officer.week")
    for service in my_services():
        _add(entries, service.name, "service.home", service=service.code)
    if roles & {Role.FINANCE_OFFICER, Role.AUDITOR}:
        _add(entries, "Finance", "finance.home")
    if roles & {Role.ADMINISTRATOR, Role.AUDITOR}:
        _add(entries, "Administration", "admin.home")
    return entries


def my_schools() -> list[School]:
    """Return the schools of who is signed in: her own, and those of her trust, by name."""
    own = {m.school_id for m in my_memberships() if m.school_id}
    trusts = {m.trust_id for m in my_memberships() if m.trust_id}
    if not own and not trusts:
        return []
    query = select(School).where(School.id.in_(own) | School.trust_id.in_(trusts)).order_by(School.name)
    return list(reading().scalars(query))


def my_trusts() -> list[Trust]:
    """Return the trusts that who is signed in buys for."""
    return [m.trust for m in my_memberships() if m.role is Role.TRUST_FINANCE_LEAD and m.trust is not None]


def my_services() -> list[TradingService]:
    """Return the services that who is signed in manages."""
    return [m.service for m in my_memberships() if m.role is Role.SERVICE_MANAGER and m.service is not None]


def _add(entries: list[Entry], text: str, endpoint: str, **values: Any) -> None:
    entries.append(entry(text, endpoint, **values))
