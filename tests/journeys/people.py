"""Who travels: people with passwords, who sign in by the page."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from sla_manager.people.commands import add_person, grant_role
from sla_manager.people.models import Person
from sla_manager.people.rules.roles import Role
from sla_manager.store.audit import Actor

PASSWORD = "plum orchard lantern"


def somebody(session: Session, name: str, role: Role, *, by: Actor, at: datetime, **place: int) -> Person:
    """Add a person with one role and the password of every journey; her address is her first name's."""
    email = f"{name.split()[0].lower()}@aldermere.example"
    person = add_person(session, name=name, email=email, password=PASSWORD, by=by, at=at)
    grant_role(session, person.id, role, by=by, at=at, **place)
    return person


def acting(person: Person) -> Actor:
    """Return a person as who acts."""
    return Actor(person.id, person.name, "203.0.113.7")
