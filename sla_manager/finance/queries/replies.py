"""Replies of finance systems: what came, what each says, and what is answered of a batch or a document."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased, joinedload, undefer

from sla_manager.billing.models import Document
from sla_manager.finance.models import ExportedDocument, LedgerAnswer, LedgerReply, ReplyLayout, ReplyReading
from sla_manager.finance.rules.replies import REJECTED, WORDS, Reading, guessed, plain_number
from sla_manager.gateways.spreadsheets import Table, read_spreadsheet
from sla_manager.kernel.errors import NotFound

PAGE = 50


def replies(session: Session, *, before: int | None = None) -> list[tuple[LedgerReply, ReplyReading | None]]:
    """Return a page of replies, the latest first, with what came of each."""
    query = (
        select(LedgerReply, ReplyReading)
        .outerjoin(ReplyReading, ReplyReading.reply_id == LedgerReply.id)
        .order_by(LedgerReply.id.desc())
        .limit(PAGE)
    )
    rows = session.execute(query if before is None else query.where(LedgerReply.id < before))
    return [(reply, reading) for reply, reading in rows]


def reply(session: Session, reply_id: int) -> LedgerReply:
    """Return a reply with its content."""
    found = session.get(LedgerReply, reply_id, options=[undefer(LedgerReply.content)])
    if found is None:
        raise NotFound
    return found


def reading_of(session: Session, reply_id: int) -> ReplyReading | None:
    """Return what came of a reply, once it was read."""
    return session.scalar(select(ReplyReading).where(ReplyReading.reply_id == reply_id))


def table_of(found: LedgerReply) -> Table:
    """Return a reply's rows."""
    return read_spreadsheet(bytes(found.content))


def usual_reading(session: Session, target: str, columns: tuple[str, ...]) -> Reading:
    """Return how a target's reply is read: as the last one, where its columns are there, else as it seems."""
    stored = session.scalar(select(ReplyLayout).where(ReplyLayout.target == target))
    if stored is None:
        return Reading(guessed(columns), WORDS)
    known = {part: name if name in columns else "" for part, name in stored.columns["columns"].items()}
    words = {status: tuple(given) for status, given in stored.words.items()}
    if not known["number"]:
        known = guessed(columns)
    return Reading(known, words, "" if known["status"] else stored.columns["every"])


def handed_over_numbers(session: Session, target: str) -> dict[str, int]:
    """Return the documents of a target's batches by their plain numbers."""
    query = (
        select(Document.number, Document.id)
        .join(ExportedDocument, ExportedDocument.document_id == Document.id)
        .where(ExportedDocument.target == target)
    )
    return {plain_number(number): one for number, one in session.execute(query)}


def answers_of_reply(session: Session, reply_id: int, *, limit: int = 1_000) -> list[LedgerAnswer]:
    """Return the answers of a reply with their documents, at most the first thousand."""
    query = (
        select(LedgerAnswer)
        .where(LedgerAnswer.reply_id == reply_id)
        .options(joinedload(LedgerAnswer.document).defer(Document.facts))
    )
    return list(session.scalars(query.order_by(LedgerAnswer.row).limit(limit)))


def answers_of(session: Session, document_id: int) -> list[LedgerAnswer]:
    """Return what finance systems answered about a document, the latest first."""
    query = select(LedgerAnswer).where(LedgerAnswer.document_id == document_id)
    return list(
        session.scalars(query.options(joinedload(LedgerAnswer.reply)).order_by(LedgerAnswer.id.desc()))
    )


def answered(session: Session, batch_id: int) -> Counter[str]:
    """Return how many documents of a batch have each latest answer, and how many have none ("")."""
    earlier = aliased(LedgerAnswer)
    latest = (
        select(func.max(earlier.id))
        .where(earlier.document_id == ExportedDocument.document_id, earlier.target == ExportedDocument.target)
        .correlate(ExportedDocument)
        .scalar_subquery()
    )
    query = (
        select(LedgerAnswer.status, func.count())
        .select_from(ExportedDocument)
        .outerjoin(LedgerAnswer, LedgerAnswer.id == latest)
        .where(ExportedDocument.batch_id == batch_id)
        .group_by(LedgerAnswer.status)
    )
    return Counter({status or "": count for status, count in session.execute(query)})


def rejected_documents(session: Session, batch_id: int, *, limit: int = 200) -> list[LedgerAnswer]:
    """Return the rejections of a batch that no later answer took back."""
    later = aliased(LedgerAnswer)
    query = (
        select(LedgerAnswer)
        .join(
            ExportedDocument,
            (ExportedDocument.document_id == LedgerAnswer.document_id)
            & (ExportedDocument.target == LedgerAnswer.target),
        )
        .where(
            ExportedDocument.batch_id == batch_id,
            LedgerAnswer.status == REJECTED,
            ~exists().where(
                later.document_id == LedgerAnswer.document_id,
                later.target == LedgerAnswer.target,
                later.id > LedgerAnswer.id,
            ),
        )
        .options(joinedload(LedgerAnswer.document).defer(Document.facts))
        .order_by(LedgerAnswer.id)
        .limit(limit)
    )
    return list(session.scalars(query))
