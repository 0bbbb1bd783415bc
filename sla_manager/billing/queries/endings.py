"""What an early end or a transfer would do, with what was billed already and the visits that it touches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.commands.transfers import transfer_preview
from sla_manager.agreements.models import Instalment
from sla_manager.agreements.queries.endings import EndPreview, end_preview
from sla_manager.billing.models import Billed
from sla_manager.kernel.words import counted
from sla_manager.visits.models import Visit
from sla_manager.visits.queries.transferring import planned_of_agreement


@dataclass(frozen=True, slots=True)
class EndingPreview:
    """The figures, and the visits that are planned after the last day."""

    end: EndPreview
    visits: tuple[Visit, ...]
    moves: bool = False

    @property
    def sentences(self) -> list[str]:
        """Say what will follow."""
        said = self.end.sentences
        if self.visits:
            count = counted(len(self.visits), "planned visit")
            what = "to what goes on, at the same time" if self.moves else ""
            said.append(f"{count} will be {f'moved {what}' if self.moves else 'cancelled'}.")
        return said

    @property
    def sha256(self) -> str:
        """The hash of the figures."""
        return self.end.sha256


def billed_instalments(session: Session, agreement_id: int) -> frozenset[int]:
    """Return the instalments of an agreement that have a document already."""
    query = (
        select(Instalment.id)
        .join(Billed, (Billed.source_id == Instalment.id) & (Billed.purpose == Instalment.purpose))
        .where(Instalment.agreement_id == agreement_id)
    )
    return frozenset(session.scalars(query))


def ending_preview(session: Session, agreement_id: int, *, ends_on: date) -> EndingPreview:
    """Return what ending on a day by notice, consent or closure would do."""
    billed = billed_instalments(session, agreement_id)
    end = end_preview(session, agreement_id, ends_on=ends_on, rule="months", billed=billed)
    return EndingPreview(end, tuple(planned_of_agreement(session, agreement_id, after=ends_on)))


def going_on_preview(session: Session, agreement_id: int, *, effective_on: date) -> EndingPreview:
    """Return what carrying an agreement on with another customer from a day would do."""
    billed = billed_instalments(session, agreement_id)
    end = transfer_preview(session, agreement_id, effective_on=effective_on, billed=billed)
    visits = planned_of_agreement(session, agreement_id, after=end.through)
    return EndingPreview(end, tuple(visits), moves=True)
