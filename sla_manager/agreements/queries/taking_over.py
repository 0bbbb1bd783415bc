"""Rows of a spreadsheet judged against the books: known schools, what is sold, what is taken over already.

Everything that rows are judged by is asked once for a whole file, however many rows it has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement, AgreementLine, TakenRow, YearClose
from sla_manager.agreements.queries.payment import Billing, billing_facts
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.agreements.rules.taken_cells import ReadRow
from sla_manager.agreements.rules.takeovers import Field, Finding, Level, plain_header
from sla_manager.catalogue.models import Offering, Price
from sla_manager.catalogue.queries import BillingTreatment, price_history, treatment_of
from sla_manager.catalogue.rules.pricing import holds_on
from sla_manager.catalogue.rules.shapes import PriceShape
from sla_manager.kernel.money import Money
from sla_manager.people.models import Customer, School
from sla_manager.people.rules.customer_classes import CustomerClass

CLOSED = "2"


@dataclass(frozen=True, slots=True)
class KnownSchool:
    """A school as far as a row needs it."""

    id: int
    urn: int
    laestab: str
    name: str
    customer_class: CustomerClass
    is_closed: bool
    customer_id: int | None


@dataclass(frozen=True, slots=True)
class Bought:
    """Something that a school has already in the books."""

    agreement_id: int
    reference: str
    starts_on: date
    ends_on: date
    row: int | None
    """The row of this very file that it was taken over from."""

    def overlaps(self, starts_on: date, ends_on: date) -> bool:
        """Say whether it shares a day with other dates."""
        return self.starts_on <= ends_on and starts_on <= self.ends_on


@dataclass
class Books:
    """What rows are judged by. `seen` gathers the rows of the file as they are judged."""

    session: Session
    billing: Billing
    by_urn: Mapping[int, KnownSchool]
    by_laestab: Mapping[str, list[KnownSchool]]
    by_name: Mapping[str, list[KnownSchool]]
    by_code: Mapping[str, Offering]
    by_offering_name: Mapping[str, list[Offering]]
    prices: Mapping[int, list[Price]]
    closed_years: frozenset[int]
    bought: Mapping[tuple[int, int], list[Bought]]
    taken: Mapping[int, int]
    """Rows of this file that were taken over already, with their agreements."""
    seen: dict[tuple[int, int], list[tuple[int, date, date]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _treatments: dict[tuple[int, CustomerClass, date], BillingTreatment] = field(default_factory=dict)

    def treatment(self, offering: Offering, customer_class: CustomerClass, on: date) -> BillingTreatment:
        """Return how an offering is billed to a class from a day."""
        key = (offering.id, customer_class, on)
        if key not in self._treatments:
            self._treatments[key] = treatment_of(
                self.session, offering, customer_class, private_fund=False, tax_point=on
            )
        return self._treatments[key]

    def our_price(self, offering: Offering, customer_class: CustomerClass, on: date) -> Money | None:
        """Return the price of one by our list, or None where there is none, or none so simple."""
        for price in self.prices.get(offering.id, ()):
            if price.customer_class is customer_class and holds_on(price, on):
                return price.unit_price if price.shape is PriceShape.UNIT else None
        return None


def load_books(session: Session, *, service_id: int, sha256: str) -> Books:
    """Ask everything that the rows of a file are judged by; eight questions, however long the file."""
    schools = _schools(session)
    by_laestab, by_name = defaultdict(list), defaultdict(list)
    for school in schools:
        by_laestab[school.laestab].append(school)
        by_name[plain_header(school.name)].append(school)
    offerings = list(session.scalars(select(Offering).where(Offering.service_id == service_id)))
    named: dict[str, list[Offering]] = defaultdict(list)
    for one in offerings:
        named[plain_header(one.name)].append(one)
    taken = select(TakenRow.row, TakenRow.agreement_id).where(
        TakenRow.service_id == service_id, TakenRow.sha256 == sha256
    )
    return Books(
        session=session,
        billing=billing_facts(session),
        by_urn={school.urn: school for school in schools},
        by_laestab=by_laestab,
        by_name=by_name,
        by_code={one.code.casefold(): one for one in offerings},
        by_offering_name=named,
        prices=price_history(session, service_id),
        closed_years=frozenset(session.scalars(select(YearClose.year))),
        bought=_bought(session, service_id, sha256),
        taken={row[0]: row[1] for row in session.execute(taken)},
    )


def _schools(session: Session) -> list[KnownSchool]:
    query = select(
        School.id,
        School.urn,
        School.la_code,
        School.establishment_number,
        School.name,
        func.coalesce(School.customer_class_override, School.derived_class),
        School.status_code,
        Customer.id,
    ).outerjoin(Customer, Customer.school_id == School.id)
    return [
        KnownSchool(
            id=row[0],
            urn=row[1],
            laestab=f"{row[2]}/{row[3] or ''}",
            name=row[4],
            customer_class=CustomerClass(row[5]),
            is_closed=row[6] == CLOSED,
            customer_id=row[7],
        )
        for row in session.execute(query)
    ]


def _bought(session: Session, service_id: int, sha256: str) -> dict[tuple[int, int], list[Bought]]:
    query = (
        select(
            Agreement.school_id,
            AgreementLine.offering_id,
            Agreement.id,
            Agreement.reference,
            Agreement.starts_on,
            func.coalesce(Agreement.ends_early_on, Agreement.ends_on),
            TakenRow.row,
        )
        .join(AgreementLine, AgreementLine.agreement_id == Agreement.id)
        .outerjoin(TakenRow, (TakenRow.agreement_id == Agreement.id) & (TakenRow.sha256 == sha256))
        .where(
            Agreement.service_id == service_id,
            Agreement.status.in_((AgreementStatus.ORDERED, AgreementStatus.AGREED, AgreementStatus.ENDED)),
        )
        .order_by(Agreement.id)
    )
    found: dict[tuple[int, int], list[Bought]] = defaultdict(list)
    for school_id, offering_id, agreement_id, reference, starts_on, ends_on, row in session.execute(query):
        found[school_id, offering_id].append(Bought(agreement_id, reference, starts_on, ends_on, row))
    return found


def find_school(books: Books, row: ReadRow) -> tuple[KnownSchool | None, list[Finding]]:
    """Return the school of a row: by its URN, else its LAESTAB, else its name; unknown and ambiguous are errors."""
    if row.urn is not None:
        found, what, column = (
            [books.by_urn[row.urn]] if row.urn in books.by_urn else [],
            f"URN {row.urn}",
            Field.URN,
        )
    elif row.laestab:
        found, what, column = books.by_laestab.get(row.laestab, []), f"LAESTAB {row.laestab}", Field.LAESTAB
    elif row.school:
        found, what, column = (
            books.by_name.get(plain_header(row.school), []),
            f"name “{row.school[:80]}”",
            Field.SCHOOL,
        )
    else:
        if any(one.level is Level.ERROR and one.field in (Field.URN, Field.LAESTAB) for one in row.findings):
            return None, []
        return None, [
            _error(row, Field.SCHOOL, "The row names no school.", "Enter its URN, LAESTAB or name.")
        ]
    open_ones = [school for school in found if not school.is_closed]
    chosen = open_ones if len(open_ones) == 1 else found
    if len(chosen) > 1:
        names = "; ".join(f"{one.name}, URN {one.urn}" for one in chosen[:5])
        said = f"{len(chosen)} schools have the {what}: {names}."
        return None, [_error(row, column, said, "Enter the URN of the one that is meant.")]
    if not chosen:
        return None, [_unknown(books, row, what, column)]
    return chosen[0], _school_findings(row, chosen[0])


def _unknown(books: Books, row: ReadRow, what: str, column: Field) -> Finding:
    near = get_close_matches(plain_header(row.school), books.by_name) if row.school else []
    listed = "; ".join(f"{one.name}, URN {one.urn}" for name in near for one in books.by_name[name][:1])
    do = f"Do you mean {listed}?" if listed else "Check it, or import the register that has the school."
    return _error(row, column, f"No school has the {what}.", do)


def _school_findings(row: ReadRow, school: KnownSchool) -> list[Finding]:
    found = []
    ours, theirs = plain_header(school.name), plain_header(row.school)
    if theirs and theirs not in ours and ours not in theirs:
        found.append(
            _warning(
                row,
                Field.SCHOOL,
                f"The row says “{row.school[:80]}”; URN {school.urn} is {school.name}.",
                "Check that the number is the right school’s.",
            )
        )
    if school.is_closed:
        found.append(
            _warning(
                row,
                Field.SCHOOL,
                f"{school.name} is closed in the register.",
                "Take it over only if the agreement still matters.",
            )
        )
    if school.customer_id is None:
        found.append(
            _error(row, Field.SCHOOL, f"{school.name} is not a customer yet.", "Import the register again.")
        )
    return found


def find_offering(books: Books, row: ReadRow) -> tuple[Offering | None, list[Finding]]:
    """Return what was bought, by our code or our name; core is free and was never bought."""
    if not row.offering:
        return None, [
            _error(row, Field.OFFERING, "The row does not say what was bought.", "Enter our code for it.")
        ]
    named = books.by_offering_name.get(plain_header(row.offering), [])
    found = books.by_code.get(row.offering.casefold()) or (named[0] if len(named) == 1 else None)
    if found is None:
        codes = ", ".join(sorted(one.code for one in books.by_code.values() if one.duty is None)[:12])
        return None, [
            _error(
                row,
                Field.OFFERING,
                f"We sell nothing called “{row.offering[:60]}”.",
                f"Enter a code: {codes}.",
            )
        ]
    if found.duty is not None:
        return None, [
            _error(
                row,
                Field.OFFERING,
                f"“{found.name}” is part of the free core offer. It cannot be bought.",
                "Take the row out, and tell the school that it is free.",
            )
        ]
    return found, []


def _error(row: ReadRow, field: Field | None, message: str, what_to_do: str) -> Finding:
    return Finding(row.number, field, Level.ERROR, message, what_to_do)


def _warning(row: ReadRow, field: Field | None, message: str, what_to_do: str) -> Finding:
    return Finding(row.number, field, Level.WARNING, message, what_to_do)
