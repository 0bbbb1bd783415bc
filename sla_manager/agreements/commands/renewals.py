"""Every school's renewal at once, pre-filled from last year: one small transaction a school.

A run that is killed loses the school it was at and nothing else; the next run goes on there. Two runs at once
prepare each school once: the renewal's row is taken before its quote is made. What cannot be prepared stands in the
list with its reason, and the next run tries it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sla_manager.agreements.commands.quotes import prepare_quote
from sla_manager.agreements.commands.seasons import SeasonClosed
from sla_manager.agreements.documents.renewal_letters import freeze_renewal_letter
from sla_manager.agreements.models import Agreement, Renewal, Season
from sla_manager.agreements.queries.pricing import LineWanted
from sla_manager.agreements.queries.renewals import Bought, BoughtLine, bought_before, minutes_of_lines
from sla_manager.agreements.queries.seasons import preparation, schools_to_renew, season_by_id
from sla_manager.agreements.queries.standing import SharedFacts, shared_facts
from sla_manager.agreements.rules.seasons import Answer, for_one_season
from sla_manager.agreements.rules.statuses import AgreementStatus, Origin
from sla_manager.catalogue.rules.patterns import VisitPattern
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import ProductError, Refused
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import Period
from sla_manager.kernel.quantities import is_on_step
from sla_manager.kernel.words import long_date
from sla_manager.people.models import Customer, School
from sla_manager.people.queries import terms
from sla_manager.store.audit import Actor, record
from sla_manager.store.constraints import explain
from sla_manager.store.database import Database

CLOSED = "2"
"""The register's word for a closed school."""
AT_ONCE = 50
"""For how many schools last year is read together."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """How a run went: prepared now, in trouble now, and whether it came to the end."""

    prepared: int
    troubled: int
    finished: bool

    @property
    def words(self) -> str:
        """What a person reads."""
        trouble = f", {self.troubled} could not be prepared" if self.troubled else ""
        return (
            f"{self.prepared} renewals prepared{trouble}{'' if self.finished else ', stopped before the end'}"
        )


class CannotRenew(Refused):
    """Something of last year cannot be offered again as it was."""


def prepare_renewals(
    database: Database,
    season_id: int,
    *,
    by: Actor,
    at: datetime,
    progress: Progress = lambda done, schools: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Prepared:
    """Prepare the renewal of every school whose agreement ends before a season; returns how it went.

    Last year's quantities as agreed count, variations included, and never what was used (E1). Running it again
    prepares what is missing and tries again what could not be prepared.
    """
    with database.reading() as session:
        season = season_by_id(session, season_id)
        if season.closed_at is not None:
            raise SeasonClosed(season)
        waiting = schools_to_renew(session, season)
        so_far = preparation(session, season)
        shared = shared_facts(session, season.service_id, documents_on=london_date(at))
        known_terms = [Period.through(one.starts_on, one.ends_on) for one in terms(session)]
    prepared = troubled = 0
    for school_ids in _chunks(waiting, AT_ONCE):
        with database.reading() as session:
            bought = bought_before(session, season, school_ids)
        for school_id in school_ids:
            if stopping():
                return Prepared(prepared, troubled, finished=False)
            done = _prepare_one(database, season, bought[school_id], known_terms, shared=shared, by=by, at=at)
            prepared += done is True
            troubled += done is False
            progress(so_far.prepared + prepared, so_far.schools)
    _note_end(database, season_id, prepared=prepared, troubled=troubled, by=by, at=at)
    return Prepared(prepared, troubled, finished=True)


def _prepare_one(
    database: Database,
    season: Season,
    bought: Bought,
    known_terms: Sequence[Period],
    *,
    shared: SharedFacts,
    by: Actor,
    at: datetime,
) -> bool | None:
    """Prepare one school: True when it is, False when it cannot be, None when another run did it meanwhile."""
    try:
        with database.transaction() as session:
            renewal = _take(session, season.id, bought, at=at)
            if renewal is None:
                return None
            key = f"renewal:{season.id}:{bought.school_id}:{renewal.agreement_id or 'first'}"
            quote = _quoted(session, season, bought, known_terms, key=key, shared=shared, by=by, at=at)
            _offer(renewal, bought, quote, at=at)
            session.flush()
            freeze_renewal_letter(session, renewal, season, bought, quote, shared.billing, at=at)
        return True
    except ProductError as error:
        reason = error.message
    except IntegrityError as error:
        refused = explain(error)
        if refused is None:
            raise
        reason = refused.message
    with database.transaction() as session:
        renewal = _take(session, season.id, bought, at=at)
        if renewal is None:
            return None
        renewal.trouble, renewal.prepared_at = reason, at
    return False


def _take(session: Session, season_id: int, bought: Bought, *, at: datetime) -> Renewal | None:
    """Take a school's row in a season, and hold it; None when it is prepared or answered already."""
    row = {
        "season_id": season_id,
        "school_id": bought.school_id,
        "previous": [one.id for one in bought.agreements],
        "last_net": bought.net,
        "last_minutes": bought.minutes,
        "offered_net": Money(0),
        "offered_minutes": Minutes(0),
        "trouble": "",
        "prepared_at": at,
        "answer": Answer.NONE,
        "answered_by": "",
        "reason": "",
    }
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    session.execute(
        dialect.insert(Renewal).values(row).on_conflict_do_nothing(index_elements=["season_id", "school_id"])
    )
    held = session.scalars(
        select(Renewal)
        .where(Renewal.season_id == season_id, Renewal.school_id == bought.school_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if held.answer is not Answer.NONE:
        return None
    if held.agreement_id is None:
        return held
    quote = session.get_one(Agreement, held.agreement_id)
    return held if quote.status is AgreementStatus.EXPIRED else None


def _offer(renewal: Renewal, bought: Bought, quote: Agreement, *, at: datetime) -> None:
    renewal.quote_id = renewal.agreement_id = quote.id
    renewal.previous = [one.id for one in bought.agreements]
    renewal.last_net, renewal.last_minutes = bought.net, bought.minutes
    renewal.offered_net, renewal.offered_minutes = quote.net, minutes_of_lines(quote)
    renewal.trouble, renewal.prepared_at = "", at


def _quoted(
    session: Session,
    season: Season,
    bought: Bought,
    known_terms: Sequence[Period],
    *,
    key: str,
    shared: SharedFacts,
    by: Actor,
    at: datetime,
) -> Agreement:
    school = session.get_one(School, bought.school_id)
    _refuse_closed_school(school, season.starts_on)
    schedules = {one.schedule for one in bought.agreements}
    last = bought.agreements[-1]
    return prepare_quote(
        session,
        service_id=season.service_id,
        school_id=bought.school_id,
        starts_on=season.starts_on,
        ends_on=season.ends_on,
        schedule=schedules.pop() if len(schedules) == 1 else season.schedule,
        lines=lines_again(bought, season.period, known_terms),
        paid_from=last.paid_from if school.customer_class.is_own else "budget",
        payer_id=_payer(session, last, school),
        origin=Origin.RENEWAL,
        notice_months=season.notice_months,
        renews=season.renews,
        shared=shared,
        by=by,
        at=at,
        once_key=key,
    )


def _payer(session: Session, last: Agreement, school: School) -> int | None:
    """Return who paid last year when that is the school's trust today; else the school's own budget pays."""
    if school.trust_id is None:
        return None
    payer = session.get(Customer, last.customer_id)
    return payer.id if payer is not None and payer.trust_id == school.trust_id else None


def _refuse_closed_school(school: School, starts_on: date) -> None:
    if school.closed_on is not None and school.closed_on <= starts_on:
        raise CannotRenew(f"{school.name} closed on {long_date(school.closed_on)}.")
    if school.status_code == CLOSED:
        raise CannotRenew(f"{school.name} is closed on the register.")


def lines_again(bought: Bought, season: Period, known_terms: Sequence[Period]) -> list[LineWanted]:
    """Return what is asked for again: each offering once, with the quantity that was agreed in all.

    A package is asked for as a package, a weekly pattern as a pattern; what came free comes again by itself. A line
    that variations brought down to nothing is left out. What is sold by the term is asked for each term.
    """
    wanted: dict[int, Decimal] = {}
    packages: dict[tuple[Period, int], Decimal] = {}
    patterns: list[LineWanted] = []
    for line in bought.lines:
        if "share" in line.facts:
            raise CannotRenew(
                f"“{line.description}” was bought together with other schools. Prepare their shared quote again."
            )
        if line.facts.get("free"):
            continue
        if "package_id" in line.facts:
            packages[line.term, int(line.facts["package_id"])] = _packages(line)
        elif "pattern" in line.facts and not line.is_varied:
            pattern = VisitPattern.of(line.facts["pattern"])
            patterns.append(LineWanted(line.offering_id, line.quantity, pattern=pattern))
        else:
            quantity = _again(line, season, known_terms)
            wanted[line.offering_id] = wanted.get(line.offering_id, Decimal(0)) + quantity
    for (_, offering_id), quantity in packages.items():
        wanted[offering_id] = wanted.get(offering_id, Decimal(0)) + quantity
    found = [LineWanted(offering_id, quantity) for offering_id, quantity in wanted.items() if quantity > 0]
    if not found and not patterns:
        raise CannotRenew("Nothing is left of what was bought: variations took all of it back.")
    return [*found, *patterns]


def _packages(line: BoughtLine) -> Decimal:
    if line.is_varied:
        raise CannotRenew(
            f"“{line.description}” was part of a package and was varied. Ask the school what it wants this year."
        )
    return Decimal(str(line.facts["packages"]))


def _again(line: BoughtLine, season: Period, known_terms: Sequence[Period]) -> Decimal:
    quantity = for_one_season(line.quantity, line.step, line.term, season)
    if not line.by_term:
        return quantity
    count = sum(1 for term in known_terms if term.overlap(line.term))
    return _each_term(quantity, count, line.step, line.description)


def _each_term(quantity: Decimal, count: int, step: Decimal, description: str) -> Decimal:
    each = quantity / count if count else quantity
    if not is_on_step(each, step):
        raise CannotRenew(
            f"“{description}” is sold by the term, and what was agreed does not share evenly among "
            f"{count} terms. Ask the school how much it wants each term."
        )
    return each


def _note_end(
    database: Database, season_id: int, *, prepared: int, troubled: int, by: Actor, at: datetime
) -> None:
    with database.transaction() as session:
        season = session.get_one(Season, season_id, with_for_update=True)
        season.prepared_at = at if season.requested_at is None else max(at, season.requested_at)
        if prepared or troubled:
            record(
                session,
                "prepare_renewals",
                about="season",
                about_id=season_id,
                summary=f"{prepared} renewals prepared, {troubled} could not be prepared",
                by=by,
                at=at,
            )


def _chunks(every: Sequence[int], size: int) -> Iterator[list[int]]:
    rest = iter(every)
    while chunk := list(islice(rest, size)):
        yield chunk
