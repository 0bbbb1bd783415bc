"""What is booked and still free to book of what a school bought."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sla_manager.agreements.queries import TrancheBalance, balances
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.periods import FinancialYear, Period
from sla_manager.visits.models import Visit, VisitStatus


@dataclass(frozen=True, slots=True)
class BookedBalance:
    """One line of an agreement in one financial year: what was bought, what became of it, what is booked."""

    tranche: TrancheBalance
    booked: Minutes

    @property
    def year(self) -> FinancialYear:
        """The financial year that bounds the balance."""
        return FinancialYear(self.tranche.year)

    @property
    def reference(self) -> str:
        """The agreement's reference."""
        return self.tranche.reference

    @property
    def description(self) -> str:
        """What was bought."""
        return self.tranche.description

    @property
    def unit(self) -> str:
        """By what it was bought: the day, the hour …"""
        return self.tranche.unit

    @property
    def unit_minutes(self) -> Minutes:
        """The length of one unit."""
        return self.tranche.unit_minutes

    @property
    def contracted(self) -> Minutes:
        """What was bought at first."""
        return self.tranche.figures.contracted

    @property
    def varied(self) -> Minutes:
        """What variations added or took away."""
        return self.tranche.figures.varied

    @property
    def delivered(self) -> Minutes:
        """What officers gave."""
        return self.tranche.figures.delivered

    @property
    def charged(self) -> Minutes:
        """What late cancellations and locked doors cost."""
        return self.tranche.figures.charged

    @property
    def credited(self) -> Minutes:
        """What was lost through the council's fault and given back in money."""
        return self.tranche.figures.credited

    @property
    def lapsed(self) -> Minutes:
        """What was unused when the year was closed."""
        return self.tranche.figures.lapsed

    @property
    def balance(self) -> Minutes:
        """What is left."""
        return self.tranche.balance

    @property
    def free(self) -> Minutes:
        """What is free to book: the balance less what is booked. Below nothing when visits overran."""
        return self.balance - self.booked

    @property
    def period(self) -> Period:
        """The days on which it may be used."""
        return Period.through(self.tranche.starts_on, self.tranche.ends_on)


def booked(
    session: Session, tranche_ids: Collection[int], *, but_not: int | None = None
) -> dict[int, Minutes]:
    """Return the time of planned visits per tranche (one query), leaving one visit out when it is moved."""
    found = {tranche_id: Minutes(0) for tranche_id in tranche_ids}
    query = (
        select(Visit.tranche_id, func.sum(Visit.booked))
        .where(Visit.tranche_id.in_(list(tranche_ids)), Visit.status == VisitStatus.PLANNED)
        .group_by(Visit.tranche_id)
    )
    if but_not is not None:
        query = query.where(Visit.id != but_not)
    return found | {key: minutes for key, minutes in session.execute(query) if key is not None}


def balances_with_booked(
    session: Session,
    *,
    school_id: int | None = None,
    agreement_id: int | None = None,
    service_id: int | None = None,
    tranche_ids: Collection[int] | None = None,
    year: int | None = None,
    on: date | None = None,
) -> list[BookedBalance]:
    """Return every agreement line and year with its figures and what is booked: two queries, however many."""
    rows = balances(
        session,
        school_id=school_id,
        agreement_id=agreement_id,
        service_id=service_id,
        tranche_ids=None if tranche_ids is None else list(tranche_ids),
        year=year,
        on=on,
    )
    taken = _booked_of(session, rows, everything=service_id is not None or school_id is None)
    return [BookedBalance(row, taken.get(row.tranche_id, Minutes(0))) for row in rows]


def _booked_of(session: Session, rows: list[TrancheBalance], *, everything: bool) -> dict[int, Minutes]:
    """Return what is booked of these rows; of a whole service, without naming thousands of keys."""
    if not everything or len(rows) <= 500:
        return booked(session, [row.tranche_id for row in rows])
    query = (
        select(Visit.tranche_id, func.sum(Visit.booked))
        .where(Visit.tranche_id.is_not(None), Visit.status == VisitStatus.PLANNED)
        .group_by(Visit.tranche_id)
    )
    return {tranche_id: minutes for tranche_id, minutes in session.execute(query) if tranche_id is not None}


def bookable(session: Session, school_id: int, service_id: int, *, today: date) -> list[BookedBalance]:
    """Return what a school may still use in this or a later year of its agreements with a service."""
    rows = balances_with_booked(session, school_id=school_id, service_id=service_id)
    return [row for row in rows if row.tranche.ends_on >= today]
