"""Who may open which page. Every view carries its guard; one without is a defect that stops the product.

A view names its permission, and where the address names a school or a service, the guard finds it and checks that
the person may see it. What is not hers is not there (404).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import Flask, abort, g, redirect, request, url_for
from flask_login import LoginManager, UserMixin, current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from sla_manager.kernel.errors import Broken, NotFound
from sla_manager.people.models import Membership, Person, School, TradingService, Trust
from sla_manager.people.rules.roles import GRANTS, Permission, Role, Scope
from sla_manager.web.pages import reading

P = ParamSpec("P")
R = TypeVar("R")
PUBLIC = "public"
SIGNED_IN = "signed_in"


@dataclass(frozen=True)
class Guard:
    """How a view is guarded: public, any signed-in person, or a permission (optionally in a school or a service)."""

    kind: str
    permissions: tuple[Permission, ...] = ()
    scope: Scope | None = None


@dataclass(frozen=True)
class SignedInPerson(UserMixin):
    """Who is signed in. The session names the person and the version of her sessions: raising it ends them all."""

    id: int
    name: str
    email: str
    session_version: int

    @classmethod
    def of(cls, person: Person) -> SignedInPerson:
        """Return the signed-in face of a stored person."""
        return cls(person.id, person.name, person.email, person.session_version)

    def get_id(self) -> str:
        """What the session cookie holds."""
        return f"{self.id}.{self.session_version}"


def load_person(session_id: str) -> SignedInPerson | None:
    """Return who a session belongs to, or None when she left or her sessions were ended."""
    number, _, version = session_id.partition(".")
    if not (number.isdigit() and version.isdigit()):
        return None
    person = reading().get(Person, int(number))
    if person is None or not person.active or person.session_version != int(version):
        return None
    return SignedInPerson.of(person)


def prepare_sign_in(app: Flask) -> None:
    """Let Flask-Login find people by their sessions."""
    manager = LoginManager()
    manager.session_protection = None
    manager.user_loader(load_person)
    manager.init_app(app)


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view that anybody may open."""
    view.guard = Guard(PUBLIC)  # type: ignore[attr-defined]
    return view


def signed_in(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view that any signed-in person may open."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        require_person()
        return view(*args, **kwargs)

    guarded.guard = Guard(SIGNED_IN)  # type: ignore[attr-defined]
    return guarded


def permitted(*permissions: Permission) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Guard a view by permissions held anywhere; one of them is enough."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            require_person()
            if not any(may(permission) for permission in permissions):
                abort(403)
            return view(*args, **kwargs)

        guarded.guard = Guard("permission", permissions)  # type: ignore[attr-defined]
        return guarded

    return decorate


def in_school(permission: Permission) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Guard a view whose address carries `urn`: it receives the `School`, or there is nothing here (404)."""

    def decorate(view: Callable[..., R]) -> Callable[..., R]:
        @wraps(view)
        def guarded(urn: int, **kwargs: Any) -> R:
            require_person()
            return view(my_school(urn, permission), **kwargs)

        guarded.guard = Guard("permission", (permission,), Scope.SCHOOL)  # type: ignore[attr-defined]
        return guarded

    return decorate


def in_trust(permission: Permission) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Guard a view whose address carries `trust_id`: it receives the `Trust`, or there is nothing here (404)."""

    def decorate(view: Callable[..., R]) -> Callable[..., R]:
        @wraps(view)
        def guarded(trust_id: int, **kwargs: Any) -> R:
            require_person()
            return view(my_trust(trust_id, permission), **kwargs)

        guarded.guard = Guard("permission", (permission,), Scope.TRUST)  # type: ignore[attr-defined]
        return guarded

    return decorate


def in_service(permission: Permission) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Guard a view whose address carries `service`, its code: it receives the `TradingService`, or 404."""

    def decorate(view: Callable[..., R]) -> Callable[..., R]:
        @wraps(view)
        def guarded(service: str, **kwargs: Any) -> R:
            require_person()
            return view(my_service(service, permission), **kwargs)

        guarded.guard = Guard("permission", (permission,), Scope.SERVICE)  # type: ignore[attr-defined]
        return guarded

    return decorate


def require_person() -> SignedInPerson:
    """Return who is signed in; anybody else is sent to sign in and comes back here afterwards."""
    if not current_user.is_authenticated:
        target = request.full_path.rstrip("?") if request.method == "GET" else None
        abort(redirect(url_for("sign_in.sign_in", next=target)))
    return me()


def me() -> SignedInPerson:
    """Return who is signed in (behind a guard only)."""
    return cast(SignedInPerson, current_user)


def my_memberships() -> list[Membership]:
    """Return the roles of who is signed in (read once a request)."""
    if "memberships" not in g:
        places = (joinedload(Membership.school), joinedload(Membership.trust), joinedload(Membership.service))
        g.memberships = []
        if current_user.is_authenticated:
            query = select(Membership).where(Membership.person_id == me().id).order_by(Membership.id)
            g.memberships = list(reading().scalars(query.options(*places)))
    return cast(list[Membership], g.memberships)


def my_roles() -> set[Role]:
    """Return the roles held anywhere."""
    return {membership.role for membership in my_memberships()}


def may(permission: Permission) -> bool:
    """Say whether a permission is held anywhere (for menus, and before a place is known)."""
    return any(permission in GRANTS[membership.role] for membership in my_memberships())


def my_school(urn: int, permission: Permission) -> School:
    """Return a school in which the permission is held: by a role there or in its trust. Else `NotFound`."""
    school = reading().scalar(select(School).where(School.urn == urn).options(joinedload(School.trust)))
    if school is None or not any(
        _holds(membership, permission)
        and (
            membership.school_id == school.id or (school.trust_id and membership.trust_id == school.trust_id)
        )
        for membership in my_memberships()
    ):
        raise NotFound()
    return school


def my_trust(trust_id: int, permission: Permission) -> Trust:
    """Return a trust in which the permission is held. Else `NotFound`."""
    held = any(_holds(one, permission) and one.trust_id == trust_id for one in my_memberships())
    trust = reading().get(Trust, trust_id) if held else None
    if trust is None:
        raise NotFound()
    return trust


def my_service(code: str, permission: Permission) -> TradingService:
    """Return a service in which the permission is held, or for the whole council. Else `NotFound`."""
    service = reading().scalar(select(TradingService).where(TradingService.code == code))
    if service is None or not any(
        _holds(membership, permission)
        and (membership.service_id == service.id or membership.role.scope is Scope.PROVIDER)
        for membership in my_memberships()
    ):
        raise NotFound()
    return service


def _holds(membership: Membership, permission: Permission) -> bool:
    return permission in GRANTS[membership.role]


def check_guards(app: Flask, *, except_for: Iterable[str] = ("static",)) -> None:
    """Refuse to start when any address has no guard (S1)."""
    bare = sorted(
        name
        for name, view in app.view_functions.items()
        if name not in except_for and not hasattr(view, "guard")
    )
    if bare:
        raise Broken(f"These pages have no guard: {', '.join(bare)}.")
