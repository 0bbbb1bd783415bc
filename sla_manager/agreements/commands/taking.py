"""One row of a spreadsheet becomes an agreement: their price, our ledger, nothing that was billed before.

What was signed then stays what binds; here it is entered with the evidence of where it came from.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.commands.arranging import add_instalment, contracted
from sla_manager.agreements.commands.ledger import enter
from sla_manager.agreements.commands.numbers import next_reference
from sla_manager.agreements.documents.freezing import freeze
from sla_manager.agreements.models import Acceptance, Agreement, AgreementLine, TakenRow, Takeover, Tranche
from sla_manager.agreements.queries.judging import Judged
from sla_manager.agreements.queries.payment import billing_facts
from sla_manager.agreements.queries.takeovers import their_figures
from sla_manager.agreements.rules.ledger import EntryKind
from sla_manager.agreements.rules.schedules import plan_instalments
from sla_manager.agreements.rules.statuses import AgreementStatus, Origin, move
from sla_manager.agreements.shares import read_shares
from sla_manager.kernel.errors import Broken
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.periods import Period
from sla_manager.kernel.references import canonical_json, sha256
from sla_manager.kernel.words import long_date
from sla_manager.people.models import TradingService
from sla_manager.store.audit import Actor, record


def evidence(found: Takeover, row: int, name: str) -> str:
    """Say where an agreement came from."""
    return f"Taken over from {found.filename}, row {row}, by {name}"


def take_over(session: Session, found: Takeover, judged: Judged, *, by: Actor, at: datetime) -> Agreement:
    """Enter a judged row as an agreement that runs, with what was used before, and keep that it was taken over.

    No mail is sent. Nothing is billed but, with `bill_from`, the instalments that fall due from that day on.
    """
    line, school, term = judged.line, judged.school, judged.term
    if line is None or school is None or term is None or school.customer_id is None or found.taken_on is None:
        raise Broken("A row that cannot be taken over was to be.")
    row = judged.row
    service = session.get_one(TradingService, found.service_id)
    agreement = Agreement(
        reference=next_reference(session, f"{service.series}-SLA", at=at),
        service_id=service.id,
        customer_id=school.customer_id,
        school_id=school.id,
        status=AgreementStatus.DRAFT,
        origin=Origin.IMPORT,
        customer_class=school.customer_class,
        paid_from="budget",
        schedule=judged.schedule,
        starts_on=term.start,
        ends_on=term.last,
        purchase_order=row.purchase_order,
        net=judged.net,
        vat=judged.vat,
        gross=judged.net + judged.vat,
        quoted_at=at,
        valid_until=None,
        prepared_by=by.name,
        prepared_by_id=by.person_id,
    )
    session.add(agreement)
    session.flush()
    line.agreement_id = agreement.id
    session.add(line)
    session.flush()
    theirs = their_figures(row, line.unit_minutes)
    _sign(session, agreement, evidence(found, row.number, by.name), theirs, by=by, at=at)
    _open_ledger(session, found, judged, line, by=by, at=at)
    to_bill = _to_bill(session, found, agreement, line, term)
    taken = TakenRow(
        takeover_id=found.id,
        service_id=found.service_id,
        sha256=found.sha256,
        row=row.number,
        agreement_id=agreement.id,
        theirs=theirs,
        bill_from=found.bill_from,
        to_bill=to_bill,
        taken_at=at,
        taken_by=by.name,
    )
    session.add(taken)
    session.flush()
    freeze(session, agreement.id, kind="agreement", at=at)
    record(
        session, "take_over_agreement", about="agreement", about_id=agreement.id,
        summary=f"{agreement.reference}, {school.name}: {evidence(found, row.number, by.name)}", by=by, at=at,
        details={"net": str(agreement.net), "gross": str(agreement.gross), "sha256": found.sha256},
    )  # fmt: skip
    return agreement


def _sign(
    session: Session,
    agreement: Agreement,
    statement: str,
    theirs: dict[str, object],
    *,
    by: Actor,
    at: datetime,
) -> None:
    """Walk the draft to an agreement, each step on its own, with the evidence.

    The acceptance names nobody's sign-in: mail about the agreement goes to the school, not to who took it over.
    """
    agreement.status = move(agreement.status, AgreementStatus.QUOTED)
    session.flush()
    session.add(
        Acceptance(
            agreement_id=agreement.id,
            person_id=None,
            name=by.name,
            role="For the service, from its own records",
            statement=statement,
            accepted_at=at,
            address=by.address or "",
            document_sha256=sha256(canonical_json(theirs)),
        )
    )
    agreement.status, agreement.ordered_at = move(agreement.status, AgreementStatus.ORDERED), at
    session.flush()
    agreement.status, agreement.agreed_at = move(agreement.status, AgreementStatus.AGREED), at
    session.flush()


def _open_ledger(
    session: Session, found: Takeover, judged: Judged, line: AgreementLine, *, by: Actor, at: datetime
) -> None:
    """Write each year's tranche and its contracted time, then what was used before."""
    for share in read_shares(line.year_shares):
        tranche = Tranche(
            line_id=line.id,
            family=line.family,
            year=share.year,
            starts_on=share.starts_on,
            ends_on=share.ends_on,
            quantity=share.quantity,
            minutes=share.minutes,
            net=share.net,
        )
        session.add(tranche)
        session.flush()
        if share.minutes:
            session.add(contracted(tranche, share.minutes, by=by, at=at))
    session.flush()
    query = select(Tranche).where(Tranche.line_id == line.id)
    tranches = {one.year: one for one in session.scalars(query)}
    for part, used, day in judged.use:
        _enter_use(session, found, judged, tranches[part.year.first], used, by=by, at=at, day=day)


def _enter_use(
    session: Session,
    found: Takeover,
    judged: Judged,
    tranche: Tranche,
    used: Minutes,
    *,
    by: Actor,
    at: datetime,
    day: date,
) -> None:
    until = long_date(found.taken_on or day)
    enter(
        session,
        tranche.id,
        EntryKind.DELIVERED,
        used,
        effective_on=day,
        cause=f"takeover:{judged.row.number}",
        reason=f"Used before {until}. {evidence(found, judged.row.number, by.name)}",
        by=by,
        at=at,
    )


def _to_bill(
    session: Session, found: Takeover, agreement: Agreement, line: AgreementLine, term: Period
) -> Money:
    """Arrange the instalments that fall due from the day on which we begin to bill; returns their net."""
    if found.bill_from is None:
        return Money(0)
    start_month = billing_facts(session).start_month
    billed = Money(0)
    for planned in plan_instalments(agreement.schedule, term, [line.net], start_month=start_month):
        if planned.due_on >= found.bill_from:
            add_instalment(
                session,
                agreement.id,
                purpose="instalment",
                position=planned.position,
                count=planned.count,
                due_on=planned.due_on,
                parts=[(line.id, planned.net)],
            )
            billed += planned.net
    return billed
