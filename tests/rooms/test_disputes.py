"""Disputes between a school and the council: raised, answered, ended, each word once and kept."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from sla_manager.kernel.clock import as_at
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.payments.commands.disputes import answer_dispute, raise_dispute
from sla_manager.payments.commands.holds import place_hold
from sla_manager.payments.queries.disputes import disputes_to_answer, held, stories_of
from sla_manager.payments.queries.holds import is_held
from sla_manager.people.models import Person
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from tests.rooms.owing import BY
from tests.rooms.selling import acting
from tests.rooms.test_reminders import LATE, an_invoice

AT = as_at(LATE)


def mails(database: Database) -> list[tuple[str, str]]:
    """Return recipient and subject of what was written about disputes."""
    with database.reading() as session:
        query = select(OutboxMessage.recipient, OutboxMessage.subject)
        found = session.execute(
            query.where(OutboxMessage.key.startswith("dispute:")).order_by(OutboxMessage.id)
        )
        return [(recipient, subject) for recipient, subject in found]


def test_a_dispute_is_raised_answered_and_ended_with_every_word_kept(database: Database) -> None:
    """Both sides are told by mail; a double click says one word; what ended is not answered again."""
    invoice = an_invoice(database)
    with database.transaction() as session:
        her = acting(session.scalars(select(Person)).one())
        for _ in range(2):
            hold = raise_dispute(session, invoice.id, text="We had three days.", once_key="k1", by=her, at=AT)
    with database.transaction() as session:
        again = raise_dispute(session, invoice.id, text="See the log of 3 March.", by=her, at=AT)
        assert (again.id, disputes_to_answer(session)) == (hold.id, 1)
        answer_dispute(session, hold.id, text="We look into it.", ends=False, by=BY, at=AT)
    with database.reading() as session:
        assert (is_held(session, invoice.id), disputes_to_answer(session)) == (True, 0)
        assert [(row.hold.document.number, row.open, row.waits_for_council) for row in held(session)] == [
            (invoice.number, invoice.gross, False)
        ]
    with database.transaction() as session:
        answer_dispute(
            session, hold.id, text="You are right: a credit note follows.", ends=True, by=BY, at=AT
        )
    with pytest.raises(Conflict, match="ended already"), database.transaction() as session:
        answer_dispute(session, hold.id, text="Once more.", ends=True, by=BY, at=AT)
    with database.reading() as session:
        story = stories_of(session, invoice.id)[0]
        assert not is_held(session, invoice.id)
    assert [(one.side, one.text) for one in story.messages] == [
        ("payer", "We had three days."), ("payer", "See the log of 3 March."), ("council", "We look into it."),
        ("council", "You are right: a credit note follows."),
    ]  # fmt: skip
    assert story.release is not None
    assert story.release.outcome == "You are right: a credit note follows."
    assert mails(database)[2:] == [
        ("manager@school.example", f"An answer: your dispute of {invoice.number}"),
        ("manager@school.example", f"Settled: your dispute of {invoice.number}"),
    ]
    assert [subject for _, subject in mails(database)[:2]] == [f"{invoice.number} is disputed"] * 2


def test_a_hold_of_our_own_is_no_news_for_the_payer_and_words_are_needed(database: Database) -> None:
    """The council's own hold ends without a mail; empty and endless words are refused; unknown ones not found."""
    invoice = an_invoice(database)
    with database.transaction() as session:
        hold = place_hold(session, invoice.id, kind="hold", reason="The PO is being checked.", by=BY, at=AT)
    for text in ("  ", "x" * 1_001):
        with pytest.raises(Refused, match="characters at most"), database.transaction() as session:
            raise_dispute(session, invoice.id, text=text, by=BY, at=AT)
    with database.transaction() as session:
        answer_dispute(session, hold.id, text="The PO is right.", ends=True, by=BY, at=AT)
    assert mails(database) == []
    with pytest.raises(NotFound), database.transaction() as session:
        answer_dispute(session, 999, text="?", ends=False, by=BY, at=AT)
