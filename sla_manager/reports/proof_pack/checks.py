"""What of a proof pack was checked while it was made, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from sla_manager.billing.models import Document
from sla_manager.billing.rules.chain import START
from sla_manager.kernel.references import canonical_json, sha256
from sla_manager.reports.findings import Problem
from sla_manager.reports.integrity import ledger_problems, one_document_problems
from sla_manager.reports.money_integrity import allocation_problems, balance_problems
from sla_manager.reports.proof_pack.scope import Scope


@dataclass(frozen=True, slots=True)
class Checked:
    """One check: what was compared, of how many things, and what is off."""

    title: str
    count: int
    problems: tuple[Problem, ...]

    def facts(self) -> dict[str, object]:
        """Return it as what JSON can hold."""
        return {"check": self.title, "count": self.count, "problems": [asdict(one) for one in self.problems]}


def checks_of(session: Session, scope: Scope, off: Sequence[Problem], files: int) -> list[Checked]:
    """Return every check; `off` is what was found while the files were read, `files` how many were."""
    documents = [one.id for one in scope.documents]
    agreements = [one.id for one in scope.agreements]
    money = (*balance_problems(session, documents), *allocation_problems(session, documents))
    return [
        Checked(
            "Each document is as it was issued and follows the one before it in its series",
            len(documents), tuple(_chained(session, scope.documents)),
        ),
        Checked("Each signed text has the hash that was accepted", len(scope.versions), tuple(_texts(scope))),
        Checked(
            "Each ledger of time begins as agreed and is never below nothing",
            len(agreements), tuple(ledger_problems(session, agreements)),
        ),
        Checked("What is open on each document is what its credits and payments leave", len(documents), money),
        Checked("Each printed file is, byte for byte, what was kept", files, tuple(off)),
    ]  # fmt: skip


def _chained(session: Session, documents: Sequence[Document]) -> list[Problem]:
    places = [
        and_(Document.series == one.series, Document.year == one.year, Document.sequence == one.sequence - 1)
        for one in documents
        if one.sequence > 1
    ]
    before: dict[tuple[str, int, int], str] = {}
    for start in range(0, len(places), 100):
        query = select(Document.series, Document.year, Document.sequence, Document.hash)
        for series, year, sequence, kept in session.execute(query.where(or_(*places[start : start + 100]))):
            before[series, year, sequence] = kept
    found: list[Problem] = []
    for one in documents:
        previous = before.get((one.series, one.year, one.sequence - 1), START)
        found.extend(one_document_problems(one, previous))
    return found


def _texts(scope: Scope) -> list[Problem]:
    return [
        Problem(
            "text_changed",
            f"{scope.agreement(version.agreement_id).reference}, version {version.number}",
            "Its text was changed after it was frozen.",
        )
        for version, _ in scope.versions
        if sha256(canonical_json(version.facts)) != version.sha256
    ]
