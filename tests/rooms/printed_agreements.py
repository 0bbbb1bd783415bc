"""Agreements to print, one for each preset: its own words, and an invented purchase where it sells something."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any

from sla_manager.gateways.printing.agreement_facts import (
    Acceptance,
    AgreementFacts,
    BoughtLine,
    CancellationBand,
    CoreDuty,
    CoreItem,
    Costs,
    DeliverySlot,
    Obligation,
    Passage,
    PaymentDue,
    Role,
    ServiceHours,
    TrancheShare,
)
from sla_manager.gateways.printing.facts import Contact, VatRow
from tests.rooms.printed_samples import ACADEMY, COMMUNITY_SCHOOL, COUNCIL, WHY_NO_VAT, WHY_VAT

PRESETS = Path(__file__).parents[2] / "sla_manager" / "catalogue" / "presets"
DUTIES = {
    "communication_and_advice": (
        "Communication and advice",
        "Bringing schools together, and a named person to ask.",
    ),
    "targeting_support_meeting": (
        "Targeting support meetings",
        "A meeting every term to find the pupils who need help most.",
    ),
    "multi_disciplinary_support": (
        "Multi-disciplinary support for families",
        "Working with other services where a family needs more than one.",
    ),
    "legal_intervention": (
        "Legal intervention",
        "Using the law where support has not worked or is not right.",
    ),
}
FAMILIES = {
    "school_processes": "School processes",
    "casework": "Casework on behalf of the school",
    "training": "Training",
    "audit_support": "Audits and attendance management support",
}
PLACES = frozenset(
    {
        "core_introduction",
        "delivery",
        "link_officer",
        "cancellation",
        "cover",
        "no_carry_forward",
        "variation",
        "termination",
        "performance",
        "complaints",
        "data_protection",
    }
)
LINK_OFFICER = Contact(
    name="Rowan Ashdown",
    role="Education welfare officer",
    phone="01632 960161",
    email="rowan.ashdown@aldermere.example",
)

Preset = dict[str, Any]
"""A preset file as TOML reads it: another room's shape, of which paper needs a few words."""


def presets() -> dict[str, Preset]:
    """Return the presets of whole services by file name (examples of prices are no service)."""
    read = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(PRESETS.glob("*.toml"))}
    return {name: preset for name, preset in read.items() if "offering" in preset and "service" in preset}


def agreement(preset: Preset, *, own: bool, signed: bool) -> AgreementFacts:
    """Return an agreement in a preset's words: 12 days at £368.00 in three documents."""
    bought = _bought(preset, own)
    return AgreementFacts(
        kind="agreement",
        title="Service level agreement" if own else "Contract for services",
        stage="agreement" if signed else "quote",
        reference=f"{preset['service_code']}-A-00031",
        version=1,
        issued_on="2025-09-26",
        valid_until=None if signed else "2025-10-10",
        starts_on="2025-10-14",
        ends_on="2026-03-31",
        supplier=replace(
            COUNCIL,
            service=preset["service"],
            email=preset["email"],
            vat_number=None if own else "GB123456789",
        ),
        customer=COMMUNITY_SCHOOL if own else ACADEMY,
        schools=() if own else ("Brightwater Academy",),
        purchase_order=None if own else "BLT-2025-0417",
        status_reason=_status(own),
        introduction=_texts(preset.get("introduction")),
        introduced_by=_introduced_by(preset),
        description=_texts(preset.get("description")),
        contacts=(
            Contact(
                name=preset["service"],
                role="Questions and advice",
                phone="01632 960150",
                email=preset["email"],
            ),
        ),
        passages=_passages(preset),
        core_introduction=_words(preset, "core_introduction")
        or ("Every school has all of this free of charge, whether or not it buys anything.",),
        core_offer=_core(preset),
        bought=(bought,),
        delivery=tuple(
            DeliverySlot(when=when, what="Visit to your school", length=length, who=LINK_OFFICER.name)
            for when, length in (
                ("Tuesdays from 14 October to 16 December 2025", "5 days"),
                ("Tuesdays from 6 January to 10 February 2026", "3 days"),
                ("Tuesdays from 24 February to 31 March 2026", "4 days"),
            )
        ),
        delivery_notes=_words(preset, "delivery") or ("We plan each visit with you.",),
        tranches=(
            TrancheShare(
                offering=bought.description,
                year="2025-26",
                starts_on="2025-10-14",
                ends_on="2026-03-31",
                quantity="12",
                unit="days",
                net="4416.00",
            ),
        ),
        link_officer=LINK_OFFICER,
        link_officer_note=" ".join(_words(preset, "link_officer")),
        we_will=_obligations(preset, "provider"),
        you_will=_obligations(preset, "school"),
        roles=tuple(
            Role(title=role["title"], name="", responsibilities=_texts(role.get("responsibilities")))
            for role in preset.get("role", [])
        ),
        hours=_hours(preset),
        cancellation=_words(preset, "cancellation")
        or (
            "Tell us as early as you can. Notice counts in whole working days between your message and the visit.",
        ),
        cancellation_bands=(
            CancellationBand(notice="Fewer than 5 clear working days", charge="The whole booked time"),
            CancellationBand(notice="5 to 19 clear working days", charge="Half the booked time"),
            CancellationBand(notice="20 clear working days or more", charge="Nothing"),
        ),
        cover=_words(preset, "cover")
        or ("When your officer is away we send another officer or agree another date with you.",),
        no_carry_forward=_words(preset, "no_carry_forward"),
        variation=("We can change what you buy by a dated variation that both of us sign.",),
        termination=()
        if own
        else (
            "Either of us may end this contract with three months’ written notice. You pay for the months to its end.",
        ),
        performance=_words(preset, "performance"),
        complaints=_words(preset, "complaints"),
        data_protection=_words(preset, "data_protection"),
        costs=_costs(own),
        acceptance_statement=_statement(own),
        acceptance=_acceptance() if signed else None,
    )


def agreements() -> dict[str, AgreementFacts]:
    """Return one agreement for each preset, own and academy, signed and quoted by turns."""
    return {
        name: agreement(preset, own=index % 2 == 1, signed=index % 3 != 2)
        for index, (name, preset) in enumerate(presets().items())
    }


def _texts(entries: list[Preset] | None) -> tuple[str, ...]:
    return tuple(str(entry["text"]) for entry in entries or [])


def _words(preset: Preset, key: str) -> tuple[str, ...]:
    policy = preset["policies"].get(key)
    return tuple(policy["wording"]) if policy else ()


def _introduced_by(preset: Preset) -> Contact | None:
    role = preset.get("introduced_by")
    return Contact(name="Morgan Tate", role=str(role), phone="", email="") if role else None


def _passages(preset: Preset) -> tuple[Passage, ...]:
    own_words = [
        Passage(
            heading=one["heading"], paragraphs=_texts(one.get("paragraphs")), points=_texts(one.get("points"))
        )
        for one in preset.get("passage", [])
    ]
    terms = [
        Passage(heading=policy["title"], paragraphs=tuple(policy["wording"]))
        for key, policy in preset["policies"].items()
        if isinstance(policy, dict) and key not in PLACES
    ]
    return tuple(own_words + terms)


def _core(preset: Preset) -> tuple[CoreDuty, ...]:
    duties = []
    for duty, (name, meaning) in DUTIES.items():
        items = tuple(
            CoreItem(
                name=one["name"], description=one.get("description", ""), points=_texts(one.get("activities"))
            )
            for one in preset["offering"]
            if one.get("duty") == duty
        )
        duties.append(CoreDuty(name=name, meaning=meaning, items=items))
    return tuple(duties)


def _bought(preset: Preset, own: bool) -> BoughtLine:
    sold = next(one for one in preset["offering"] if one["family"] != "core")
    return BoughtLine(
        description=sold["name"],
        family=FAMILIES[sold["family"]],
        quantity="12",
        unit="days",
        unit_price="368.00",
        net="4416.00",
        vat_label="Outside the scope" if own else "Standard rate",
        includes=_texts(sold.get("activities")),
        note="A day is 6 hours",
    )


def _obligations(preset: Preset, side: str) -> tuple[Obligation, ...]:
    return tuple(
        Obligation(
            reference=one["ref"],
            text=one["wording"],
            points=_texts(one.get("items")),
            heading=one.get("heading", ""),
        )
        for one in preset["obligation"]
        if one["side"] == side
    )


def _hours(preset: Preset) -> tuple[ServiceHours, ...]:
    rows = preset.get("hours") or []
    if not rows:
        return (ServiceHours(days="Monday to Friday in term time", times="9am to 5pm"),)
    return tuple(
        ServiceHours(
            days=f"{row['weekdays'][0].title()} to {row['weekdays'][-1].title()}"
            if len(row["weekdays"]) > 1
            else row["weekdays"][0].title(),
            times=f"{_clock(row['opens'])} to {_clock(row['closes'])}",
        )
        for row in rows
    )


def _clock(at: time) -> str:
    return f"{(at.hour - 1) % 12 + 1}:{at.minute:02d}{'am' if at.hour < 12 else 'pm'}".replace(":00", "")


def _status(own: bool) -> str:
    if own:
        return (
            "St Oswin’s Lane Primary School is maintained by Aldermere Council, so this is a service level agreement "
            "between two parts of one authority and not a legal contract. Both sides keep to it all the same."
        )
    return (
        "Brightwater Academy is not maintained by Aldermere Council: its responsible body is a separate legal "
        "person, so this is a contract."
    )


def _statement(own: bool) -> str:
    if own:
        return (
            "I have the authority to accept this service level agreement for St Oswin’s Lane Primary School. I "
            "accept it, and agree that the amounts shown are taken from the school’s budget by recharge."
        )
    return (
        "I have the authority to accept this contract for Brightwater Academy. I accept it, and agree to pay the "
        "amounts shown."
    )


def _costs(own: bool) -> Costs:
    dates = (("2025-10-14", "2025-11-13"), ("2026-01-05", "2026-02-04"), ("2026-03-02", "2026-04-01"))
    vat, gross = ("0.00", "1472.00") if own else ("294.40", "1766.40")
    return Costs(
        shows_vat=not own,
        vat_rows=()
        if own
        else (VatRow(code="S", label="Standard rate", rate="20", net="4416.00", vat="883.20", reason=None),),
        net="4416.00",
        vat="0.00" if own else "883.20",
        gross="4416.00" if own else "5299.20",
        route_reason=WHY_NO_VAT if own else WHY_VAT,
        payment_terms="Recharges are made by journal in the month of issue."
        if own
        else "Payment is due within 30 days of the date of each invoice.",
        schedule=tuple(
            PaymentDue(
                label=f"{'Recharge note' if own else 'Invoice'} {number} of 3",
                issued_on=issued,
                due_on=None if own else due,
                net="1472.00",
                vat=vat,
                gross=gross,
            )
            for number, (issued, due) in enumerate(dates, 1)
        ),
    )


def _acceptance() -> Acceptance:
    return Acceptance(
        name="Imogen Fairweather",
        role="School business manager",
        accepted_at="2025-10-02T13:04:55Z",
        address="192.0.2.44",
        document_sha256="3f0c9d4be77a51c2b6d1f8a09e24d75b1c3a86f2e0947d5b8a1c6e3f92d4b705",
    )
