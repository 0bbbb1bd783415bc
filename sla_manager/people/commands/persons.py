"""People and their roles: added, given, taken, ended. Passwords and the links that set them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sla_manager.gateways.passwords import hash_password
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.references import new_token, token_hash
from sla_manager.people.models import (
    Membership,
    Officer,
    PasswordReset,
    Person,
    Provider,
    School,
    TradingService,
    Trust,
)
from sla_manager.people.queries import person_by_email, person_of_reset
from sla_manager.people.rules.addresses import read_email, read_name
from sla_manager.people.rules.passwords import check_password
from sla_manager.people.rules.roles import Role, Scope
from sla_manager.store.audit import Actor, record
from sla_manager.store.outbox import post

LINK_LASTS = timedelta(hours=1)


class LastAdministrator(Refused):
    """Somebody must be able to give roles."""

    def __init__(self) -> None:
        super().__init__(
            "This is the only administrator. Give somebody else the role of administrator first.",
            field="role",
        )


class LinkIsOver(Refused):
    """A link for setting a password was used, replaced, is too old or never was: nobody is told which."""

    def __init__(self) -> None:
        super().__init__(
            "This link does not work any more. A link is used once, within an hour. Ask for a new one.",
            field="password",
        )


class EmailTaken(Refused):
    """An e-mail address belongs to one person."""

    def __init__(self, email: str) -> None:
        super().__init__(
            f"Somebody with the address {email} is here already. Find them in the list of people.",
            field="email",
        )


def add_person(
    session: Session, *, name: str, email: str, password: str | None, by: Actor, at: datetime
) -> Person:
    """Add somebody who signs in. Without a password she sets one by a link (`request_password_link`)."""
    address, called = read_email(email), read_name(name)
    if person_by_email(session, address) is not None:
        raise EmailTaken(address)
    if password is not None:
        check_password(password, name=called, email=address)
    person = Person(
        name=called,
        email=address,
        password_hash=None if password is None else hash_password(password),
        active=True,
        session_version=1,
        created_at=at,
    )
    session.add(person)
    session.flush()
    _note(session, "add_person", person, f"Added {called} ({address}).", by=by, at=at)
    return person


def grant_role(
    session: Session,
    person_id: int,
    role: Role,
    *,
    school_id: int | None = None,
    trust_id: int | None = None,
    service_id: int | None = None,
    order_limit: Money | None = None,
    by: Actor,
    at: datetime,
) -> Membership:
    """Give a person a role in its place; her sessions end, so that it counts at once."""
    person = _locked(session, person_id)
    key, where = _place(session, role, school_id=school_id, trust_id=trust_id, service_id=service_id)
    if order_limit is not None and order_limit < Money(0):
        raise Refused("An order limit cannot be below £0.00.", field="order_limit")
    held = select(Membership.id).where(
        Membership.person_id == person.id, Membership.role == role, Membership.place_key == key
    )
    if session.scalar(held) is not None:
        raise Refused(f"{person.name} has that role there already.", field="role")
    membership = Membership(
        person_id=person.id,
        role=role,
        school_id=school_id,
        trust_id=trust_id,
        service_id=service_id,
        place_key=key,
        order_limit=order_limit,
        granted_at=at,
    )
    session.add(membership)
    person.session_version += 1
    session.flush()
    details = {
        "role": role.value,
        "place": key,
        "order_limit": None if order_limit is None else str(order_limit),
    }
    _note(
        session,
        "grant_role",
        person,
        f"{person.name} is now {role.title.lower()}{where}.",
        by=by,
        at=at,
        details=details,
    )
    return membership


def end_role(session: Session, membership_id: int, *, by: Actor, at: datetime) -> None:
    """Take a role away. The trail keeps that it was held."""
    membership = _membership(session, membership_id)
    person = _locked(session, membership.person_id)
    if membership.role is Role.ADMINISTRATOR:
        _keep_an_administrator(session, person)
    details = {"role": membership.role.value, "place": membership.place_key}
    session.delete(membership)
    person.session_version += 1
    summary = f"{person.name} is no longer {membership.role.title.lower()} ({membership.place_key})."
    _note(session, "end_role", person, summary, by=by, at=at, details=details)


def change_order_limit(
    session: Session, membership_id: int, *, order_limit: Money | None, by: Actor, at: datetime
) -> None:
    """Set what a person may order by herself in one place (net); None is no limit."""
    membership = _membership(session, membership_id)
    person = _locked(session, membership.person_id)
    if order_limit is not None and order_limit < Money(0):
        raise Refused("An order limit cannot be below £0.00.", field="order_limit")
    old, membership.order_limit = membership.order_limit, order_limit
    details = {
        "place": membership.place_key,
        "old": None if old is None else str(old),
        "new": None if order_limit is None else str(order_limit),
    }
    _note(
        session,
        "change_order_limit",
        person,
        f"Changed the order limit of {person.name}.",
        by=by,
        at=at,
        details=details,
    )


def deactivate_person(session: Session, person_id: int, *, by: Actor, at: datetime) -> None:
    """Let a person sign in no more. Her sessions, links and calendar feed end at once; what she did stays."""
    person = _locked(session, person_id)
    if not person.active:
        return
    _keep_an_administrator(session, person)
    person.active = False
    person.session_version += 1
    _end_links(session, person, at=at)
    for officer in session.scalars(select(Officer).where(Officer.person_id == person.id)):
        officer.feed_hash = None
    _note(session, "deactivate_person", person, f"{person.name} can no longer sign in.", by=by, at=at)


def reactivate_person(session: Session, person_id: int, *, by: Actor, at: datetime) -> None:
    """Let a person sign in again, with the roles she still has."""
    person = _locked(session, person_id)
    if not person.active:
        person.active = True
        _note(session, "reactivate_person", person, f"{person.name} can sign in again.", by=by, at=at)


def change_password(session: Session, person_id: int, *, password: str, by: Actor, at: datetime) -> Person:
    """Set a person's password; every session and link of hers ends."""
    person = _locked(session, person_id)
    check_password(password, name=person.name, email=person.email)
    person.password_hash = hash_password(password)
    person.session_version += 1
    _end_links(session, person, at=at)
    _note(session, "change_password", person, f"{person.name} has a new password.", by=by, at=at)
    return person


def request_password_link(session: Session, email: str, *, page: str, by: Actor, at: datetime) -> None:
    """Post a link for setting a password to whoever has this address; for anybody else nothing happens.

    `page` is the address of the page, to which the token is added. Earlier links of hers end.
    """
    person = person_by_email(session, email)
    if person is None or not person.active:
        return
    _end_links(session, person, at=at)
    token = new_token()
    link = PasswordReset(
        person_id=person.id,
        token_hash=token_hash(token),
        created_at=at,
        expires_at=at + LINK_LASTS,
        used_at=None,
    )
    session.add(link)
    session.flush()
    council = session.get(Provider, 1)
    post(
        session,
        f"password-link:{link.id}",
        recipient=person.email,
        subject="Set your password for SLA Manager",
        body=_letter(person.name, f"{page}{token}", council.name if council else "SLA Manager"),
        at=at,
    )
    _note(
        session,
        "request_password_link",
        person,
        f"Sent {person.name} a link to set a password.",
        by=by,
        at=at,
    )


def set_password_by_link(session: Session, token: str, *, password: str, by: Actor, at: datetime) -> Person:
    """Set the password of whom a link belongs to. The link works once (S10)."""
    person = person_of_reset(session, token, at=at)
    if person is None:
        raise LinkIsOver()
    return change_password(
        session, person.id, password=password, by=Actor(person.id, person.name, by.address), at=at
    )


def note_sign_in(session: Session, person_id: int, *, by: Actor, at: datetime) -> None:
    """Keep that a person signed in."""
    person = _locked(session, person_id)
    person.last_signed_in_at = at
    _note(session, "sign_in", person, f"{person.name} signed in.", by=by, at=at)


def _letter(name: str, link: str, council: str) -> str:
    return (
        f"Hello {name},\n\n"
        f"Use this link to set your password for SLA Manager at {council}:\n\n{link}\n\n"
        "The link works once, within one hour.\n\n"
        "If you did not ask for it, you can ignore this mail: your password stays as it is.\n"
    )


def _locked(session: Session, person_id: int) -> Person:
    found = session.scalar(select(Person).where(Person.id == person_id).with_for_update())
    if found is None:
        raise NotFound()
    return found


def _membership(session: Session, membership_id: int) -> Membership:
    found = session.get(Membership, membership_id, with_for_update=True)
    if found is None:
        raise NotFound()
    return found


def _keep_an_administrator(session: Session, leaving: Person) -> None:
    """Refuse when nobody else could give roles. They are locked: two cannot leave at once."""
    rows = session.scalars(
        select(Membership)
        .where(Membership.role == Role.ADMINISTRATOR)
        .order_by(Membership.id)
        .with_for_update()
    )
    holders = {membership.person_id for membership in rows}
    others = (
        select(func.count())
        .select_from(Person)
        .where(Person.id.in_(holders - {leaving.id}), Person.active.is_(True))
    )
    if leaving.id in holders and leaving.active and not session.scalar(others):
        raise LastAdministrator()


def _end_links(session: Session, person: Person, *, at: datetime) -> None:
    query = select(PasswordReset).where(PasswordReset.person_id == person.id, PasswordReset.used_at.is_(None))
    for link in session.scalars(query):
        link.used_at = at


def _place(
    session: Session, role: Role, *, school_id: int | None, trust_id: int | None, service_id: int | None
) -> tuple[str, str]:
    """Return the key of a role's place and how to say it; a wrong place is refused."""
    given = {Scope.SCHOOL: school_id, Scope.TRUST: trust_id, Scope.SERVICE: service_id}
    scope = role.scope
    if any(value is not None for kind, value in given.items() if kind is not scope):
        raise Refused(f"The role of {role.title.lower()} is held in a {scope.value} only.", field="role")
    if scope is Scope.PROVIDER:
        return "provider", ""
    key = given[scope]
    place: School | Trust | TradingService | None = None
    if key is not None and scope is Scope.SCHOOL:
        place = session.get(School, key)
    elif key is not None and scope is Scope.TRUST:
        place = session.get(Trust, key)
    elif key is not None:
        place = session.get(TradingService, key)
    if place is None:
        raise Refused(f"Choose the {scope.value} in which the role is held.", field=scope.value)
    return f"{scope.value}:{key}", f" at {place.name}"


def _note(
    session: Session,
    action: str,
    person: Person,
    summary: str,
    *,
    by: Actor,
    at: datetime,
    details: Mapping[str, str | None] | None = None,
) -> None:
    record(
        session,
        action,
        about="person",
        about_id=person.id,
        summary=summary,
        by=by,
        at=at,
        details=details or {},
    )
