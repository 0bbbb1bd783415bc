"""A service's terms as the document prints them, with the product's own words where the service has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from sla_manager.agreements.models import Agreement
from sla_manager.agreements.queries.policies import Policy, agreement_policy
from sla_manager.agreements.rules.cancellations import read_bands
from sla_manager.catalogue.commands.presets import POINT
from sla_manager.catalogue.models import ServicePolicy
from sla_manager.gateways.printing.agreement_facts import CancellationBand, Passage

_PRINTED = (
    "description",
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
)
"""Terms that have a place of their own in the document; any other is a passage."""
_OWN_WORDS = {
    "core_introduction": "Every school has all of this free of charge, whether or not it buys anything.",
    "delivery": "We plan each visit with you. Each one is agreed before it happens.",
    "cancellation": "Tell us as early as you can when you need to move or cancel a visit. Notice counts in clear "
    "working days: whole working days between the day you tell us and the visit.",
    "cover": "When your officer is away we try to send somebody else, or agree another date with you. Time that "
    "we cannot give within the financial year is credited to you.",
    "no_carry_forward": "Time belongs to its financial year, 1 April to 31 March. What you have not used by 31 "
    "March lapses. It is never carried into the next year and is not refunded.",
    "variation": "We can change how much you buy by a dated variation that both of us sign. The signed text "
    "itself never changes.",
    "performance": "We review our work with you every term and ask for your views.",
    "data_protection": "We hold no pupil’s name or number in our records of this work: only kinds of activity and "
    "counts. Each of us is responsible for the personal data that it holds.",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """The texts by key, and the service's own passages in order."""

    texts: Mapping[str, str]
    passages: tuple[Passage, ...]

    def paragraphs(self, key: str) -> tuple[str, ...]:
        """Return a text in paragraphs; the product's own words where the service says nothing."""
        return _paragraphs(self.texts.get(key) or _OWN_WORDS.get(key, ""))


def read_terms(stored: Sequence[ServicePolicy]) -> Terms:
    """Return a service's terms from what is stored."""
    texts = {one.key: one.wording for one in stored if one.key in _PRINTED}
    return Terms(texts, tuple(_passage(one) for one in stored if one.key not in _PRINTED))


def notice_and_renewal(session: Session, agreement: Agreement, *, own: Sequence[str]) -> tuple[str, ...]:
    """Return how an agreement ends early and whether it renews, by its own terms.

    Where it fixes neither, a service that has words of `own` on ending early is not contradicted.
    """
    wording = agreement_policy(session, agreement.service_id).wording
    policy = Policy(notice_months=agreement.notice_months, renews=agreement.renews, wording=wording)
    sentences = policy.sentences
    return sentences[1:] if own and not agreement.notice_months else sentences


def _passage(stored: ServicePolicy) -> Passage:
    parts = _paragraphs(stored.wording)
    return Passage(
        heading=stored.title,
        paragraphs=tuple(part for part in parts if not part.startswith(POINT)),
        points=tuple(part.removeprefix(POINT) for part in parts if part.startswith(POINT)),
    )


def cancellation_bands(rows: Iterable[Sequence[int]]) -> tuple[CancellationBand, ...]:
    """Return the bands in words, from the shortest notice on; no bands means no charge and no table."""
    bands = read_bands(rows)
    if not bands:
        return ()
    written, from_days = [], 0
    for band in bands:
        notice = f"Fewer than {band.below}" if not from_days else f"{from_days} to {band.below - 1}"
        charge = "Nothing" if not band.per_cent else f"{band.per_cent} per cent of the booked time"
        written.append(CancellationBand(notice=f"{notice} clear working days", charge=charge))
        from_days = band.below
    written.append(CancellationBand(notice=f"{from_days} clear working days or more", charge="Nothing"))
    return tuple(written)


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("\n\n") if part.strip())
