"""What an agreement's document says, gathered from the books: one place for pages, paper and the hash.

The title follows the customer: with one's own maintained school it is a *Service level agreement* (no legal
contract), with any other legal person a *Contract for services*.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from sla_manager.agreements.documents.bought import bought_lines, changes_of, delivery_slots, tranche_shares
from sla_manager.agreements.documents.costs import costs
from sla_manager.agreements.documents.parties import parties
from sla_manager.agreements.documents.terms import cancellation_bands, notice_and_renewal, read_terms
from sla_manager.agreements.models import Acceptance, Agreement
from sla_manager.agreements.queries import acceptance_of
from sla_manager.agreements.queries.standing import SharedFacts, service_texts
from sla_manager.agreements.rules.statuses import AgreementStatus, Origin
from sla_manager.catalogue.models import Obligation as StoredObligation
from sla_manager.catalogue.models import Offering, ServiceHours
from sla_manager.catalogue.rules.families import CoreDuty
from sla_manager.gateways.printing import agreement_facts as paper
from sla_manager.gateways.printing.facts import Contact, Customer, Supplier, plain
from sla_manager.kernel.clock import london_date
from sla_manager.people.models import Customer as Payer
from sla_manager.people.models import Provider, School
from sla_manager.people.queries import terms as known_terms
from sla_manager.people.queries import the_provider

_BEFORE = (AgreementStatus.DRAFT, AgreementStatus.QUOTED)
_MEANINGS = {
    CoreDuty.COMMUNICATION_AND_ADVICE: "Bringing schools together, and a named person to ask.",
    CoreDuty.TARGETING_SUPPORT_MEETING: "A meeting every term to find the pupils who need help most.",
    CoreDuty.MULTI_DISCIPLINARY_SUPPORT: "Working with other services where a family needs more than one.",
    CoreDuty.LEGAL_INTERVENTION: "Using the law where support has not worked or is not right.",
}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def agreement_facts(
    session: Session, agreement: Agreement, *, number: int, at: datetime, shared: SharedFacts | None = None
) -> dict[str, Any]:
    """Return everything that an agreement's document says, as plain facts for printing.

    `agreement` comes from `queries.agreement`; `number` is the version's number. `shared` is what many documents of
    its service have in common, read once.
    """
    provider = the_provider(session)
    issued_on = london_date(at)
    said = shared.texts if shared else None
    said = said or service_texts(session, agreement.service_id, on=issued_on)
    terms = read_terms(said.policies)
    accepted = None if agreement.status in _BEFORE else acceptance_of(session, agreement.id)
    changes = changes_of(session, agreement)
    days = known_terms(session) if shared is None else shared.terms
    is_taken_over = agreement.origin is Origin.IMPORT
    facts = paper.AgreementFacts(
        kind="agreement",
        title="Service level agreement" if agreement.customer_class.is_own else "Contract for services",
        stage="quote" if agreement.status in _BEFORE else "agreement",
        reference=agreement.reference,
        version=number,
        issued_on=issued_on.isoformat(),
        valid_until=_valid_until(agreement),
        starts_on=agreement.starts_on.isoformat(),
        ends_on=agreement.ends_on.isoformat(),
        supplier=paper_supplier(provider, agreement),
        customer=paper_customer(agreement.customer),
        schools=(agreement.school.name,),
        purchase_order=agreement.purchase_order or None,
        status_reason=_status_reason(provider, agreement),
        introduction=text_paragraphs(agreement.service.introduction),
        introduced_by=None,
        description=terms.paragraphs("description"),
        contacts=_contacts(agreement),
        passages=terms.passages,
        core_introduction=terms.paragraphs("core_introduction"),
        core_offer=core_duties(said.core),
        bought=bought_lines(agreement, changes),
        delivery=delivery_slots(agreement, changes, days),
        delivery_notes=terms.paragraphs("delivery"),
        tranches=tranche_shares(agreement, changes),
        link_officer=_link_officer(agreement.school, agreement),
        link_officer_note=" ".join(terms.paragraphs("link_officer")),
        we_will=_promises(said.promised, "provider"),
        you_will=_promises(said.promised, "school"),
        roles=tuple(
            paper.Role(title=role.title, name="", responsibilities=tuple(role.responsibilities))
            for role in said.roles
        ),
        hours=opening_hours(said.hours),
        cancellation=terms.paragraphs("cancellation"),
        cancellation_bands=cancellation_bands(agreement.service.cancellation_bands),
        cover=terms.paragraphs("cover"),
        no_carry_forward=terms.paragraphs("no_carry_forward"),
        variation=terms.paragraphs("variation"),
        termination=terms.paragraphs("termination"),
        performance=terms.paragraphs("performance"),
        complaints=terms.paragraphs("complaints"),
        data_protection=terms.paragraphs("data_protection"),
        costs=costs(
            session, agreement, payment_days=provider.payment_days, billing=shared.billing if shared else None
        ),
        acceptance_statement=_taken_over(accepted) if is_taken_over else _statement(agreement),
        acceptance=None if is_taken_over else _acceptance(accepted),
        parties=parties(session, agreement),
        notice=notice_and_renewal(session, agreement, own=terms.paragraphs("termination")),
        agreed_on=london_date(agreement.agreed_at).isoformat() if agreement.agreed_at else None,
    )
    return plain(facts)


def _valid_until(agreement: Agreement) -> str | None:
    if agreement.status not in _BEFORE or agreement.valid_until is None:
        return None
    return agreement.valid_until.isoformat()


def paper_supplier(provider: Provider, agreement: Agreement) -> Supplier:
    """Return who issues a paper about an agreement, for its letterhead."""
    return Supplier(
        name=provider.name,
        service=agreement.service.name,
        address=tuple(str(line) for line in provider.address),
        vat_number=provider.vat_number or None,
        email=agreement.service.email or provider.email,
        phone=agreement.service.phone or provider.phone,
        colour=provider.colour,
    )


def paper_customer(payer: Payer) -> Customer:
    """Return who pays, for the address of a paper."""
    if payer.school is not None:
        name, address = payer.school.name, payer.school.address_lines
    else:
        name, address = (payer.trust.name, payer.trust.address) if payer.trust is not None else ("", [])
    return Customer(
        name=name, address=tuple(str(line) for line in address), reference=payer.account_reference
    )


def _status_reason(provider: Provider, agreement: Agreement) -> str:
    if agreement.customer_class.is_own:
        return (
            f"{agreement.school.name} is maintained by {provider.name}, so this is a service level agreement "
            "between two parts of one authority and not a legal contract. Both sides keep to it all the same."
        )
    return (
        f"{agreement.school.name} is not maintained by {provider.name}: its responsible body is a separate legal "
        "person, so this is a contract."
    )


def _contacts(agreement: Agreement) -> tuple[Contact, ...]:
    service = agreement.service
    team = Contact(name=service.name, role="Questions and advice", phone=service.phone, email=service.email)
    return (team,) if service.phone or service.email else ()


def _link_officer(school: School, agreement: Agreement) -> Contact | None:
    officer = school.link_officer
    if officer is None or officer.service_id != agreement.service_id:
        return None
    service = agreement.service
    return Contact(name=officer.name, role="Link officer", phone=service.phone, email=service.email)


def core_duties(offered: Sequence[Offering]) -> tuple[paper.CoreDuty, ...]:
    """Return the free core offer in full, under its four duties."""
    duties = []
    for duty in CoreDuty:
        items = tuple(
            paper.CoreItem(
                name=one.name,
                description=one.description,
                points=tuple(str(activity) for activity in one.activities),
            )
            for one in offered
            if one.duty is duty
        )
        if items:
            duties.append(paper.CoreDuty(name=duty.title, meaning=_MEANINGS[duty], items=items))
    return tuple(duties)


def _promises(stored: Sequence[StoredObligation], side: str) -> tuple[paper.Obligation, ...]:
    return tuple(
        paper.Obligation(
            reference=one.ref,
            text=one.wording,
            points=tuple(str(item) for item in one.items),
            heading=one.heading,
        )
        for one in stored
        if one.side == side
    )


def opening_hours(stored: Sequence[ServiceHours]) -> tuple[paper.ServiceHours, ...]:
    """Return the hours with days of the same hours in one row: "Monday to Thursday"."""
    runs: list[tuple[int, int, str]] = []
    for one in stored:
        times = f"{_clock(one.opens.hour, one.opens.minute)} to {_clock(one.closes.hour, one.closes.minute)}"
        if runs and runs[-1][1] == one.weekday - 1 and runs[-1][2] == times:
            runs[-1] = (runs[-1][0], one.weekday, times)
        else:
            runs.append((one.weekday, one.weekday, times))
    return tuple(
        paper.ServiceHours(
            days=_DAYS[first] if first == last else f"{_DAYS[first]} to {_DAYS[last]}", times=times
        )
        for first, last, times in runs
    )


def _clock(hour: int, minute: int) -> str:
    half = "am" if hour < 12 else "pm"
    shown = (hour - 1) % 12 + 1
    return f"{shown}:{minute:02d}{half}" if minute else f"{shown}{half}"


def text_paragraphs(text: str) -> tuple[str, ...]:
    """Return a text in its paragraphs, empty ones left out."""
    return tuple(part.strip() for part in text.split("\n\n") if part.strip())


def _statement(agreement: Agreement) -> str:
    what = "this service level agreement" if agreement.customer_class.is_own else "this contract"
    money = (
        "that the amounts shown are taken from the school’s budget by recharge"
        if agreement.customer_class.is_own and agreement.paid_from == "budget"
        else "to pay the amounts shown"
    )
    return (
        f"I have the authority to accept {what} for {agreement.school.name}. I accept it, and agree {money}."
    )


def _taken_over(stored: Acceptance | None) -> str:
    """Say that it was agreed before, and where it was taken over from: nobody accepts it again."""
    source = f" {stored.statement}." if stored is not None else ""
    return f"This was agreed before it was entered here, and what was signed then stays what binds.{source}"


def _acceptance(stored: Acceptance | None) -> paper.Acceptance | None:
    if stored is None:
        return None
    return paper.Acceptance(
        name=stored.name,
        role=stored.role,
        accepted_at=stored.accepted_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        address=stored.address,
        document_sha256=stored.document_sha256,
    )
