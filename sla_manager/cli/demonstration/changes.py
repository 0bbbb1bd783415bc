"""What changes after signing, for the demonstration: a change to sign, one asked for, a conversion to confirm."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sla_manager.agreements.commands.policies import set_agreement_policy
from sla_manager.agreements.models import Agreement, AgreementLine
from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.agreements.rules.statuses import AgreementStatus
from sla_manager.billing.commands.proposing import ask_for_change, propose_change
from sla_manager.people.commands import import_schools
from sla_manager.people.commands.links import import_links
from sla_manager.people.models import School, TradingService, Trust
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.audit import Actor

SHOWN_SCHOOL = 900013
"""The school whose business manager signs in."""
CONVERTED = 900990
"""The URN of the academy that follows a maintained school."""


def tell_changes(
    session: Session, service: TradingService, *, today: date, by: Actor, school_person: Actor, at: datetime
) -> None:
    """Set notice and renewal, put a change to a school, let another ask for one, and find a conversion."""
    set_agreement_policy(
        session,
        service.id,
        notice_months=3,
        renews=False,
        wording="Please tell your link officer before you give notice: much can be solved.",
        by=by,
        at=at,
    )
    running = _running(session, service.id, today)
    shown = [one for one in running if one.agreement.school.urn == SHOWN_SCHOOL]
    others = [one for one in running if one.agreement.school.urn != SHOWN_SCHOOL]
    month = today.replace(day=1)
    for line in shown[:1]:
        propose_change(
            session, line.id, quantity=Decimal(2), effective_on=max(month, line.agreement.starts_on),
            reason="Two more days for the attendance panel, as agreed at the support meeting.", by=by, at=at,
        )  # fmt: skip
    for line in others[:1]:
        ask_for_change(
            session, line.id, quantity=Decimal(1), effective_on=max(month, line.agreement.starts_on),
            reason="A second morning for the transition to Year 7.", by=school_person, at=at,
        )  # fmt: skip
    _conversion(session, [one.agreement for one in others[1:]], month, by=by, at=at)


def _running(session: Session, service_id: int, today: date) -> list[AgreementLine]:
    """Return the lines of time in running agreements, the oldest first."""
    query = (
        select(AgreementLine)
        .join(Agreement, Agreement.id == AgreementLine.agreement_id)
        .where(
            Agreement.service_id == service_id,
            Agreement.status == AgreementStatus.AGREED,
            Agreement.starts_on <= today,
            Agreement.ends_on > today,
            AgreementLine.unit == "day",
            AgreementLine.position == 1,
        )
        .options(joinedload(AgreementLine.agreement).joinedload(Agreement.school))
        .order_by(Agreement.id)
    )
    return list(session.scalars(query))


def _conversion(session: Session, running: list[Agreement], on: date, *, by: Actor, at: datetime) -> None:
    """Let the register say that a maintained school became an academy of a trust."""
    trust = session.scalars(select(Trust).order_by(Trust.id)).first()
    converts = next(
        (
            one
            for one in running
            if one.school.customer_class is CustomerClass.OWN_MAINTAINED
            and one.starts_on < on
            and one.schedule is not Schedule.ON_DELIVERY
        ),
        None,
    )
    if trust is None or converts is None:
        return
    import_schools(session, _academy(converts.school, trust, on), filename="register.csv", by=by, at=at)
    header = "URN,LinkURN,LinkName,LinkType,LinkEstablishedDate"
    row = f"{converts.school.urn},{CONVERTED},,Successor,{on:%d-%m-%Y}"
    import_links(session, f"{header}\r\n{row}\r\n".encode(), filename="links.csv", by=by, at=at)


def _academy(school: School, trust: Trust, on: date) -> bytes:
    """Return a register file with the academy that follows a school."""
    row = {
        "URN": str(CONVERTED),
        "LA (code)": school.la_code,
        "LA (name)": school.la_name,
        "EstablishmentNumber": school.establishment_number or "",
        "EstablishmentName": f"{school.name.removesuffix(' School')} Academy",
        "TypeOfEstablishment (code)": "34",
        "TypeOfEstablishment (name)": "Academy converter",
        "EstablishmentTypeGroup (code)": "10",
        "EstablishmentTypeGroup (name)": "Academies",
        "EstablishmentStatus (code)": "1",
        "EstablishmentStatus (name)": "Open",
        "OpenDate": f"{on:%d-%m-%Y}",
        "PhaseOfEducation (name)": school.phase,
        "NumberOfPupils": str(school.pupils or ""),
        "Trusts (name)": trust.name,
        "Street": school.street,
        "Town": school.town,
        "Postcode": school.postcode,
    }
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, list(row))
    writer.writeheader()
    writer.writerow(row)
    return written.getvalue().encode("utf-8")
