"""Warnings before time lapses and when it is used up: each once per agreement version, however often it is crossed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.mails import school_addresses, warn
from sla_manager.agreements.models import Agreement, AgreementVersion
from sla_manager.agreements.queries.balances import TrancheBalance, balances
from sla_manager.agreements.rules.pace import pace_sentence, school_weeks
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.kernel.clock import london_date
from sla_manager.kernel.periods import FinancialYear, Period
from sla_manager.people.models import Customer
from sla_manager.people.queries import terms, the_provider
from sla_manager.store.audit import Actor, record

DAYS_LEFT = (90, 60, 30)
PER_CENT_USED = (75, 90, 100)


def warn_of_balances(session: Session, *, by: Actor, at: datetime) -> int:
    """Post the warnings that are due today; returns how many were posted.

    Of days left only the tightest counts, so that a job that missed some nights sends no burst of stale mail.
    """
    today = london_date(at)
    year = FinancialYear.of(today, start_month=the_provider(session).financial_year_start_month)
    running = [one for one in balances(session, year=year.first) if one.starts_on <= today <= one.ends_on]
    agreements = _agreements(session, {one.agreement_id for one in running})
    versions = _versions(session, agreements)
    ordered_by = school_addresses(session, agreements)
    known_terms = terms(session)
    posted = 0
    for one in running:
        agreement = agreements.get(one.agreement_id)
        if agreement is None:
            continue
        recipient = ordered_by.get(one.agreement_id) or agreement.customer.email
        key = f"{one.tranche_id}:v{versions[one.agreement_id]}"
        weeks = school_weeks(Period.through(today, one.ends_on), known_terms)
        pace = pace_sentence(one.balance, one.unit_minutes, one.unit, weeks=weeks, last=one.ends_on)
        posted += _warn_of_lapse(session, one, key, recipient, pace, (one.ends_on - today).days, at)
        posted += _warn_of_use(session, one, key, recipient, pace, at)
    if posted:
        record(
            session,
            "warn_of_balances",
            about="outbox_message",
            about_id=None,
            summary=f"{posted} warnings about time posted",
            by=by,
            at=at,
        )
    return posted


def _warn_of_lapse(
    session: Session, one: TrancheBalance, key: str, recipient: str, pace: str, days: int, at: datetime
) -> bool:
    passed = [threshold for threshold in DAYS_LEFT if days <= threshold]
    if not passed or not one.balance:
        return False
    return warn(
        session,
        f"lapse:{key}:{min(passed)}",
        recipient=recipient,
        subject=f"{one.reference}: {days} days until unused time lapses",
        paragraphs=[
            f"{one.school}, {one.description}: {pace}.",
            "What is unused then lapses. It is not carried forward and not refunded. Book your visits now.",
        ],
        at=at,
    )


def _warn_of_use(
    session: Session, one: TrancheBalance, key: str, recipient: str, pace: str, at: datetime
) -> bool:
    bought, used = one.figures.bought.minutes, one.figures.used.minutes
    passed = [threshold for threshold in PER_CENT_USED if bought and used * 100 >= threshold * bought]
    if not passed:
        return False
    left = f"{pace}." if one.balance else "Nothing is left."
    return warn(
        session,
        f"used:{key}:{max(passed)}",
        recipient=recipient,
        subject=f"{one.reference}: {max(passed)} per cent of your time is used",
        paragraphs=[
            f"{one.school}, {one.description}: {left}",
            "You can see each visit in the ledger. Ask the service if you need more time.",
        ],
        at=at,
    )


def _agreements(session: Session, ids: Iterable[int]) -> Mapping[int, Agreement]:
    query = (
        select(Agreement)
        .where(Agreement.id.in_(ids), Agreement.status == AgreementStatus.AGREED)
        .options(joinedload(Agreement.customer).load_only(Customer.email))
    )
    return {one.id: one for one in session.scalars(query)}


def _versions(session: Session, ids: Iterable[int]) -> dict[int, int]:
    query = (
        select(AgreementVersion.agreement_id, func.max(AgreementVersion.number))
        .where(AgreementVersion.agreement_id.in_(ids))
        .group_by(AgreementVersion.agreement_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}
