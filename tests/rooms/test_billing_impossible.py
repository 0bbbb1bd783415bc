"""What cannot be right parks the agreement, tells the council, and lets the rest go on."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, text

from sla_manager.agreements.commands.arranging import add_instalment
from sla_manager.billing.rules import impossible
from sla_manager.kernel.money import Money
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from tests.rooms import owing

DAY = date(2025, 10, 14)


def test_c6_instalments_that_overlap_park_the_agreement_with_an_alert(database: Database) -> None:
    broken, sound = owing.agree_many(database, 2)
    with database.transaction() as session:
        line_id = session.execute(
            text("SELECT id FROM agreement_line WHERE agreement_id = :id"), {"id": broken}
        ).scalar_one()
        add_instalment(
            session,
            broken,
            purpose="instalment",
            position=4,
            count=4,
            due_on=DAY,
            parts=[(line_id, Money(3000_00))],
        )
    result = owing.run_on(database, DAY)
    assert (result.issued, result.parked) == (1, 1)
    assert "£56.00 too much" in result.parked_reasons[broken]
    assert {one.agreement_id for one in owing.documents(database)} == {sound}
    owing.run_on(database, DAY)
    with database.reading() as session:
        sent = session.scalars(select(OutboxMessage).where(OutboxMessage.key.like("parked:%"))).all()
        assert [one.subject for one in sent] == ["An agreement could not be billed"]
        assert "too much" in sent[0].body


def test_c6_an_absurd_number_of_documents_parks_the_agreement(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impossible, "MOST_AT_ONCE", 2)
    agreement = owing.agree(database)
    result = owing.run_on(database, date(2026, 3, 31))
    assert (result.issued, result.parked) == (0, 1)
    assert "3 documents" in result.parked_reasons[agreement.id]
