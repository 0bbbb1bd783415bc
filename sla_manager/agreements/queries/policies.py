"""How a service's agreements are ended early and renewed, unless one says otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models.changes import AgreementPolicy
from sla_manager.kernel.words import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The terms that new quotes of a service carry. Without a policy: no early end, no renewal by itself."""

    notice_months: int = 0
    renews: bool = False
    wording: str = ""
    version: int = 0

    @property
    def sentences(self) -> tuple[str, ...]:
        """Say it as the document prints it.

        >>> Policy(notice_months=3, renews=True).sentences[0]
        'Either side may end this agreement early by giving 3 months’ notice in writing.'
        """
        months = f"{counted(self.notice_months, 'month')}{'’s' if self.notice_months == 1 else '’'}"
        early = (
            f"Either side may end this agreement early by giving {months} notice in writing."
            if self.notice_months
            else "This agreement runs to its last day. It ends earlier only when both sides consent."
        )
        after = (
            "It renews for a further year unless one side gives notice in time."
            if self.renews
            else "It does not renew by itself."
        )
        return tuple(one for one in (early, after, self.wording.strip()) if one)


def agreement_policy(session: Session, service_id: int) -> Policy:
    """Return a service's policy: the defaults of `prepare_quote(…, notice_months=…, renews=…)`."""
    found = session.scalar(select(AgreementPolicy).where(AgreementPolicy.service_id == service_id))
    if found is None:
        return Policy()
    return Policy(
        notice_months=found.notice_months,
        renews=found.renews,
        wording=found.wording,
        version=found.version,
    )
