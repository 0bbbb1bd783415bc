"""The council and its services, its schools' classes and customers, and its school terms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.words import long_date
from sla_manager.people.models import Customer, Provider, School, SchoolTerm, TradingService
from sla_manager.people.queries import provider, the_provider
from sla_manager.people.rules.addresses import (
    read_authority_code,
    read_code,
    read_colour,
    read_email,
    read_name,
    read_series,
    read_vat_number,
)
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor, record

_PLAIN = ("name", "phone", "bank_name", "bank_sort_code", "bank_account")


def create_provider(session: Session, *, authority_code: str, name: str, by: Actor, at: datetime) -> Provider:
    """Set the council up. There is one; a second is refused."""
    if provider(session) is not None:
        raise Conflict("The council is set up already.")
    council = Provider(
        id=1,
        authority_code=read_authority_code(authority_code),
        name=read_name(name, what="the council's name"),
    )
    session.add(council)
    session.flush()
    record(
        session,
        "create_provider",
        about="provider",
        about_id=1,
        summary=f"Set up {council.name}.",
        by=by,
        at=at,
    )
    return council


def change_provider(session: Session, *, by: Actor, at: datetime, **facts: Any) -> Provider:
    """Change the council's details. What is frozen in issued documents stays as it was.

    Takes any of name, address (lines), email, phone, colour, vat_number, bank_name, bank_sort_code,
    bank_account, payment_days, retention_years, demonstration.
    """
    council = session.scalars(select(Provider).with_for_update()).one_or_none()
    if council is None:
        council = the_provider(session)
    readers = {"vat_number": read_vat_number, "colour": read_colour}
    changed: dict[str, list[Any]] = {}
    for fact, given in facts.items():
        if fact not in _CHANGEABLE:
            raise Refused(f"The council's {fact} cannot be changed here.")
        value = readers[fact](given) if fact in readers else _provider_fact(fact, given)
        old = getattr(council, fact)
        if old != value:
            changed[fact] = [old, value]
            setattr(council, fact, value)
    if changed:
        names = ", ".join(sorted(fact.replace("_", " ") for fact in changed))
        record(
            session,
            "change_provider",
            about="provider",
            about_id=1,
            summary=f"Changed the council's {names}.",
            details=changed,
            by=by,
            at=at,
        )
    return council


_CHANGEABLE = frozenset(
    (*_PLAIN, "address", "email", "colour", "vat_number", "payment_days", "retention_years", "demonstration")
)


def _provider_fact(fact: str, given: Any) -> Any:
    if fact == "name":
        return read_name(given, what="the council's name")
    if fact == "email":
        return read_email(given) if given.strip() else ""
    if fact == "payment_days":
        return _between(given, 0, 365, "days for payment", fact)
    if fact == "retention_years":
        return _between(given, 6, 25, "years for which records are kept", fact)
    if fact in _PLAIN:
        return " ".join(given.split())[:200]
    return list(given) if fact == "address" else given


def _between(value: int, least: int, most: int, what: str, field: str) -> int:
    if not least <= value <= most:
        raise Refused(
            f"{value} is outside what is allowed. Enter between {least} and {most} {what}.", field=field
        )
    return value


def add_service(
    session: Session,
    *,
    code: str,
    series: str,
    name: str,
    by: Actor,
    at: datetime,
    email: str = "",
    phone: str = "",
) -> TradingService:
    """Add a service that trades. Its code stands in addresses, its series begins document numbers."""
    the_provider(session)
    short, beginning = read_code(code), read_series(series)
    taken = select(TradingService).where(
        (TradingService.code == short) | (TradingService.series == beginning)
    )
    other = session.scalar(taken)
    if other is not None:
        field = "code" if other.code == short else "series"
        raise Refused(f"{other.name} uses that already. Choose a different one.", field=field)
    service = TradingService(
        code=short,
        series=beginning,
        name=read_name(name, what="the service's name"),
        email=read_email(email) if email.strip() else "",
        phone=" ".join(phone.split()),
        preset=None,
        cancellation_bands=[],
    )
    session.add(service)
    session.flush()
    record(
        session,
        "add_service",
        about="service",
        about_id=service.id,
        summary=f"Added the {service.name}.",
        details={"code": short, "series": beginning},
        by=by,
        at=at,
    )
    return service


def change_service(
    session: Session,
    service_id: int,
    *,
    name: str,
    email: str,
    phone: str,
    quote_valid_days: int,
    rearrangement_days: int,
    cancellation_bands: Sequence[tuple[int, int]],
    by: Actor,
    at: datetime,
) -> TradingService:
    """Change a service's name, contacts and policies; bands are (fewer than days, per cent)."""
    service = session.get(TradingService, service_id, with_for_update=True)
    if service is None:
        raise NotFound()
    bands = [[days, share] for days, share in cancellation_bands]
    if bands != sorted(bands) or len({days for days, _ in bands}) != len(bands):
        raise Refused("Enter the shortest notice first, each number of days once.", field="bands")
    if any(not (1 <= days <= 260 and 0 <= share <= 100) for days, share in bands):
        raise Refused("Enter 1 to 260 clear working days and a charge of 0 to 100 per cent.", field="bands")
    wanted = {
        "name": read_name(name, what="the service's name"),
        "email": read_email(email) if email.strip() else "",
        "phone": " ".join(phone.split()),
        "quote_valid_days": _between(quote_valid_days, 1, 365, "days", "quote_valid_days"),
        "rearrangement_days": _between(rearrangement_days, 0, 365, "working days", "rearrangement_days"),
        "cancellation_bands": bands,
    }
    changed = {
        fact: [getattr(service, fact), value]
        for fact, value in wanted.items()
        if getattr(service, fact) != value
    }
    for fact, value in wanted.items():
        setattr(service, fact, value)
    if changed:
        record(
            session,
            "change_service",
            about="service",
            about_id=service.id,
            summary=f"Changed the {service.name}.",
            details=changed,
            by=by,
            at=at,
        )
    return service


def override_customer_class(
    session: Session,
    school_id: int,
    customer_class: CustomerClass | None,
    *,
    reason: str,
    by: Actor,
    at: datetime,
) -> School:
    """Give a school another customer class than the register implies, with the reason; None takes it back.

    What is issued keeps the class that was frozen on it.
    """
    school = session.get(School, school_id, with_for_update=True)
    if school is None:
        raise NotFound()
    why = " ".join(reason.split())
    if customer_class is not None and not why:
        raise Refused(
            "Give the reason for another class. It is shown to finance and auditors.", field="reason"
        )
    old = school.customer_class
    school.customer_class_override = customer_class
    school.override_reason = why if customer_class is not None else None
    new = school.customer_class
    record(
        session,
        "override_customer_class",
        about="school",
        about_id=school.id,
        summary=f"{school.name} is charged as {new.described}.",
        details={"old": old.value, "new": new.value, "reason": why},
        by=by,
        at=at,
    )
    return school


def change_customer(
    session: Session, customer_id: int, *, email: str, purchase_order_required: bool, by: Actor, at: datetime
) -> Customer:
    """Set where a customer's documents are sent, and whether they must carry a purchase order number."""
    customer = session.get(Customer, customer_id, with_for_update=True)
    if customer is None:
        raise NotFound()
    address = read_email(email) if email.strip() else ""
    details = {
        "email": [customer.email, address],
        "purchase_order_required": [customer.purchase_order_required, purchase_order_required],
    }
    customer.email, customer.purchase_order_required = address, purchase_order_required
    record(
        session,
        "change_customer",
        about="customer",
        about_id=customer.id,
        summary=f"Changed how {customer.account_reference} receives documents.",
        details=details,
        by=by,
        at=at,
    )
    return customer


def add_term(
    session: Session,
    *,
    name: str,
    starts_on: date,
    ends_on: date,
    half_term_starts_on: date | None = None,
    half_term_ends_on: date | None = None,
    by: Actor,
    at: datetime,
) -> SchoolTerm:
    """Add a school term of the authority: first and last day, and the half-term break within it."""
    if ends_on < starts_on:
        raise Refused("A term's last day cannot be before its first.", field="ends_on")
    if (half_term_starts_on is None) != (half_term_ends_on is None):
        raise Refused("Enter both days of the half-term break, or neither.", field="half_term_ends_on")
    first, last = half_term_starts_on, half_term_ends_on
    if first is not None and last is not None and not starts_on < first <= last < ends_on:
        raise Refused("The half-term break must lie within the term.", field="half_term_starts_on")
    clash = session.scalar(
        select(SchoolTerm).where(SchoolTerm.starts_on <= ends_on, SchoolTerm.ends_on >= starts_on).limit(1)
    )
    if clash is not None:
        raise Refused(
            f"These days overlap {clash.name}, {long_date(clash.starts_on)} to {long_date(clash.ends_on)}.",
            field="starts_on",
        )
    term = SchoolTerm(
        name=read_name(name, what="the term's name"),
        starts_on=starts_on,
        ends_on=ends_on,
        half_term_starts_on=half_term_starts_on,
        half_term_ends_on=half_term_ends_on,
    )
    session.add(term)
    session.flush()
    record(
        session,
        "add_term",
        about="school_term",
        about_id=term.id,
        summary=f"Added {term.name}, {long_date(starts_on)} to {long_date(ends_on)}.",
        by=by,
        at=at,
    )
    return term


def withdraw_term(session: Session, term_id: int, *, by: Actor, at: datetime) -> None:
    """Take a term back that was entered wrongly. The trail keeps what it was."""
    term = session.get(SchoolTerm, term_id, with_for_update=True)
    if term is None:
        raise NotFound()
    details = {"starts_on": term.starts_on.isoformat(), "ends_on": term.ends_on.isoformat()}
    session.delete(term)
    record(session, "withdraw_term", about="school_term", about_id=term_id, summary=f"Withdrew {term.name}.",
           details=details, by=by, at=at)  # fmt: skip
