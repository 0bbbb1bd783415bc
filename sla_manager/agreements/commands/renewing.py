"""Agreements that renew by themselves: the warnings before the last day for notice, and the renewal after it.

Only an agreement that says so renews by itself. Each warning goes once. After the last day for notice the next year
is ordered under the clause, with the evidence of who agreed to it, and the service accepts or declines as usual.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sla_manager.agreements.commands.orders import place_order
from sla_manager.agreements.commands.quotes import prepare_quote
from sla_manager.agreements.commands.renewals import CannotRenew, lines_again
from sla_manager.agreements.mails import warn
from sla_manager.agreements.models import Agreement, AutomaticRenewal, Renewal, Season
from sla_manager.agreements.queries import acceptance_of, frozen_sha256
from sla_manager.agreements.queries import agreement as whole_agreement
from sla_manager.agreements.queries.recipients import school_recipients
from sla_manager.agreements.queries.renewals import bought_by, runs_then
from sla_manager.agreements.queries.renewing import (
    RenewingAgreement,
    bought_before_chain,
    chain_of,
    renewing_agreement,
    renewing_agreements,
)
from sla_manager.agreements.rules.renewing import (
    FIRST_YEARS,
    LATER_YEARS,
    is_within_years,
    next_period,
    warning_on,
)
from sla_manager.agreements.rules.seasons import Answer
from sla_manager.agreements.rules.statuses import AgreementStatus, Origin
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.errors import NotFound, ProductError
from sla_manager.kernel.periods import Period
from sla_manager.kernel.words import counted, long_date
from sla_manager.people.models import School
from sla_manager.people.queries import terms, the_provider
from sla_manager.store.audit import SYSTEM, Actor, record
from sla_manager.store.constraints import explain
from sla_manager.store.database import Database


@dataclass(frozen=True, slots=True)
class Renewed:
    """What a night did: mails posted, agreements renewed, and those that could not be, with the reason."""

    warned: int
    renewed: int
    troubles: tuple[str, ...]

    @property
    def words(self) -> str:
        """What a person reads."""
        trouble = f"; {len(self.troubles)} could not be: {self.troubles[0]}" if self.troubles else ""
        return f"{self.warned} notice warnings, {self.renewed} agreements renewed by themselves{trouble}"


def renew_by_clause(
    database: Database,
    *,
    address: str,
    by: Actor = SYSTEM,
    at: datetime,
    stopping: Callable[[], bool] = lambda: False,
) -> Renewed:
    """Do the night's work on agreements that renew by themselves: warn in time, then renew what had no notice."""
    today = london_date(at)
    with database.reading() as session:
        waiting = renewing_agreements(session, today=today, still_open=True)
    warned = renewed = 0
    troubles: list[str] = []
    for one in waiting:
        if stopping():
            break
        if not one.is_over(today):
            with database.transaction() as session:
                warned += _warn(session, one, today=today, address=address, at=at)
            continue
        try:
            with database.transaction() as session:
                done = renew_automatically(session, one.agreement.id, by=by, at=at)
            renewed += done is not None
        except ProductError as error:
            troubles.append(f"{one.agreement.reference}: {error.message}")
        except IntegrityError as error:
            refused = explain(error)
            if refused is None:
                raise
            troubles.append(f"{one.agreement.reference}: {refused.message}")
    return Renewed(warned, renewed, tuple(troubles))


def renew_automatically(
    session: Session, agreement_id: int, *, by: Actor = SYSTEM, at: datetime
) -> Agreement | None:
    """Order the further year of an agreement under its clause; None when it is not to, or has been done.

    The order of the season's renewal stands in for it when the school has one. A maintained school's buy-back stays
    within three years, five later (`CannotRenew`). The evidence names who agreed to the clause, and when.
    """
    agreement = session.get(Agreement, agreement_id, with_for_update=True, populate_existing=True)
    if agreement is None:
        raise NotFound
    standing = renewing_agreement(session, agreement)
    if standing is None or standing.notice is not None or standing.renewed_as_id is not None:
        return None
    if agreement.ends_early_on is not None or not standing.is_over(london_date(at)):
        return None
    period = next_period(agreement.ends_on)
    if runs_then(session, school_id=agreement.school_id, service_id=agreement.service_id, on=period.start):
        return None
    school = session.get_one(School, agreement.school_id)
    _refuse_too_long(session, agreement, school, period)
    offered = _offered(session, agreement, period, by=by, at=at)
    clause = _clause(session, standing)
    ordered = place_order(
        session,
        offered.id,
        role=f"By the renewal clause of {agreement.reference}",
        statement=clause,
        address="by the agreement itself",
        document_sha256=frozen_sha256(session, offered.id),
        by_clause=True,
        by=Actor(None, "Renewed automatically"),
        at=at,
    )
    session.add(
        AutomaticRenewal(agreement_id=agreement.id, renewed_as_id=ordered.id, renewed_at=at, clause=clause)
    )
    session.flush()
    _tell_renewed(session, whole_agreement(session, agreement.id), ordered, clause, at=at)
    record(
        session,
        "renew_automatically",
        about="agreement",
        about_id=agreement.id,
        summary=f"{agreement.reference} renewed by itself as {ordered.reference}",
        by=by,
        at=at,
    )
    return ordered


def _refuse_too_long(session: Session, agreement: Agreement, school: School, further: Period) -> None:
    if not school.customer_class.is_own:
        return
    chain = chain_of(session, agreement)
    years = LATER_YEARS if bought_before_chain(session, agreement, chain[0].start) else FIRST_YEARS
    if not is_within_years(chain, further, years):
        raise CannotRenew(
            f"With another year it would run since {long_date(chain[0].start)}, and a maintained school’s buy-back "
            f"lasts at most {counted(years, 'year')}. Ask the school to order anew."
        )


def _offered(session: Session, agreement: Agreement, period: Period, *, by: Actor, at: datetime) -> Agreement:
    """Return the quote that is ordered: the prepared renewal when the school has one, else one of its own."""
    prepared = session.scalar(
        select(Agreement)
        .join(Renewal, Renewal.agreement_id == Agreement.id)
        .join(Season, Season.id == Renewal.season_id)
        .where(
            Renewal.school_id == agreement.school_id,
            Season.service_id == agreement.service_id,
            Season.starts_on == period.start,
            Renewal.answer.in_((Answer.NONE, Answer.DECLINED)),
            Agreement.status == AgreementStatus.QUOTED,
            Agreement.valid_until >= london_date(at),
        )
    )
    if prepared is not None:
        return prepared
    bought = bought_by(session, [agreement.id])[agreement.school_id]
    known_terms = [Period.through(one.starts_on, one.ends_on) for one in terms(session)]
    return prepare_quote(
        session,
        service_id=agreement.service_id,
        school_id=agreement.school_id,
        starts_on=period.start,
        ends_on=period.last,
        schedule=agreement.schedule,
        lines=lines_again(bought, period, known_terms),
        paid_from=agreement.paid_from,
        payer_id=agreement.customer_id,
        origin=Origin.RENEWAL,
        notice_months=agreement.notice_months,
        renews=True,
        by=by,
        at=at,
        once_key=f"automatic:{agreement.id}",
    )


def _clause(session: Session, standing: RenewingAgreement) -> str:
    agreement = standing.agreement
    return (
        f"Renewed automatically under the renewal clause of {agreement.reference}. {_agreed(session, agreement)} "
        f"The last day for notice was {long_date(standing.last_day)}, and no notice was given."
    )


def _agreed(session: Session, agreement: Agreement) -> str:
    accepted = acceptance_of(session, agreement.id)
    if accepted is not None:
        day = long_date(london_date(accepted.accepted_at))
        return f"{accepted.name}, {accepted.role}, agreed to it on {day}."
    return f"It was agreed on {long_date(london_date(agreement.agreed_at))}." if agreement.agreed_at else ""


def _warn(session: Session, one: RenewingAgreement, *, today: date, address: str, at: datetime) -> int:
    days = warning_on(one.last_day, today)
    if days is None:
        return 0
    agreement = one.agreement
    period = next_period(agreement.ends_on)
    if runs_then(session, school_id=agreement.school_id, service_id=agreement.service_id, on=period.start):
        return 0
    subject = f"{agreement.reference} renews by itself: notice by {long_date(one.last_day)}"
    said = (
        f"The agreement {agreement.reference} of {agreement.school.name} ends on {long_date(agreement.ends_on)}. "
        f"Unless the school gives notice by {long_date(one.last_day)}, it renews until {long_date(period.last)}."
    )
    page = f"{address}/school/{agreement.school.urn}/agreements/{agreement.id}/renewing"
    people = school_recipients(session, [agreement.school_id]).get(agreement.school_id, [])
    told = [
        warn(
            session,
            f"notice-warning:{agreement.id}:{days}:{person.key}",
            recipient=person.email,
            subject=subject,
            paragraphs=[said, f"If you do not want that, give notice here:\n{page}"],
            at=at,
        )
        for person in people
    ]
    told.append(
        warn(
            session,
            f"notice-warning:{agreement.id}:{days}:service",
            recipient=agreement.service.email or the_provider(session).email,
            subject=subject,
            paragraphs=[said, "The school was told. You need do nothing."],
            at=at,
        )
    )
    return sum(told)


def _tell_renewed(
    session: Session, agreement: Agreement, ordered: Agreement, clause: str, *, at: datetime
) -> None:
    people: Sequence[str] = [
        one.email for one in school_recipients(session, [agreement.school_id]).get(agreement.school_id, [])
    ]
    for number, recipient in enumerate(people):
        warn(
            session,
            f"renewed-automatically:{agreement.id}:{number}",
            recipient=recipient,
            subject=f"{agreement.reference} has renewed for another year",
            paragraphs=[
                clause,
                (
                    f"The new order is {ordered.reference}, {long_date(ordered.starts_on)} to "
                    f"{long_date(ordered.ends_on)}. {agreement.service.name} accepts or declines it."
                ),
            ],
            at=at,
        )
