"""Commands on people."""

from __future__ import annotations

import sys
from datetime import date

import click

from sla_manager.cli.opening import answer, as_json, moment, on_date, open_product, refusals
from sla_manager.kernel.errors import Refused
from sla_manager.kernel.money import Money
from sla_manager.people.rules.roles import Role, Scope


@click.group("users")
def users() -> None:
    """People who sign in."""


@users.command("add")
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--school", "urn", type=int, help="The school's URN, for roles in a school.")
@click.option("--trust", "trust_name", help="The trust's name, for roles in a trust.")
@click.option("--service", "service_code", help="The service's short name, for roles in a service.")
@click.option("--order-limit", help="The largest order she may place by herself, net, like 5000.00.")
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from standard input; else a link for setting one is posted.",
)
@on_date
@as_json
@refusals
def add(
    email: str,
    name: str,
    role: str,
    urn: int | None,
    trust_name: str | None,
    service_code: str | None,
    order_limit: str | None,
    password_stdin: bool,
    day: date | None,
    as_json: bool,
) -> None:
    """Add a person, or give a role to one who is known by this e-mail address."""
    from sla_manager.people.commands import add_person, grant_role, request_password_link
    from sla_manager.people.queries import one_service, person_by_email, school_by_urn, trust_by_name

    wanted = Role(role)
    at = moment(day)
    needed = {Scope.SCHOOL: (urn, "--school"), Scope.TRUST: (trust_name, "--trust")}.get(wanted.scope)
    if needed is not None and needed[0] is None:
        raise Refused(f"The role {role} is held in a {wanted.scope.value}. Add {needed[1]}.")
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    limit = Money.parse(order_limit, field="order_limit") if order_limit else None
    product = open_product()
    with product.database.transaction() as session:
        person, posted = person_by_email(session, email), False
        if person is None:
            person = add_person(session, name=name, email=email, password=password, by=product.by, at=at)
            posted = password is None
        place: dict[str, int] = {}
        if wanted.scope is Scope.SCHOOL and urn is not None:
            place["school_id"] = school_by_urn(session, urn).id
        elif wanted.scope is Scope.TRUST and trust_name is not None:
            place["trust_id"] = trust_by_name(session, trust_name).id
        elif wanted.scope is Scope.SERVICE:
            place["service_id"] = one_service(session, service_code).id
        grant_role(session, person.id, wanted, order_limit=limit, by=product.by, at=at, **place)
        if posted:
            page = f"{product.settings.address}/password/set/"
            request_password_link(session, person.email, page=page, by=product.by, at=at)
    facts = {"id": person.id, "email": person.email, "role": role}
    words = f"{person.name} ({person.email}) is now {wanted.title.lower()}."
    if posted:
        words += " A link for setting a password is in the outbox; it works for an hour."
    answer(facts, as_json=as_json, words=words)
