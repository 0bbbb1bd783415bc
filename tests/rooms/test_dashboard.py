"""What waits for finance is counted in few questions, and each figure is the one that its page shows."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import event

from sla_manager.billing.commands import issue_credit_note
from sla_manager.billing.runs import preview_run
from sla_manager.finance.commands import make_batch
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.errors import Conflict
from sla_manager.kernel.money import Money
from sla_manager.payments.commands import record_receipt
from sla_manager.payments.commands.holds import place_hold, release_hold
from sla_manager.reports.dashboard import Waiting, dashboard
from sla_manager.store.database import Database
from sla_manager.store.job_runs import note_run
from sla_manager.store.outbox import OutboxMessage, post
from sla_manager.store.sending import Sending, mails_page, try_again, try_all_again
from tests.rooms.owing import BY, FIRST, SECOND, THIRD, agree, agree_many, documents, run_on

AT = as_at(date(2026, 3, 5))


def test_each_thing_that_waits_is_counted_with_its_amount(database: Database) -> None:
    agree(database)
    agree_many(database, 2)
    with database.reading() as session:
        before = dashboard(session, SECOND)
        shown = preview_run(session, SECOND)
    assert before.instalments == Waiting(6, Money(8832_00)) == Waiting(shown.issued, shown.net)
    run_on(database, FIRST)
    one, two, three = documents(database)
    with database.transaction() as session:
        record_receipt(
            session, one.customer_id, amount=Money(2000_00), received_on=date(2026, 3, 4), method="cheque",
            allocations={one.id: Money(1766_40)}, by=BY, at=AT,
        )  # fmt: skip
        issue_credit_note(session, one.id, amounts={1: Money(100_00)}, reason="Ill", by=BY, at=AT)
        make_batch(session, "plain", by=BY, at=AT)
        held = place_hold(session, two.id, kind="dispute", reason="Not ours", by=BY, at=AT)
        over = place_hold(session, three.id, kind="hold", reason="Wait", by=BY, at=AT)
        release_hold(session, over.id, outcome="Settled", by=BY, at=AT)
        note_run(session, "send mail", started_at=AT, finished_at=AT, ok=False, message="No server")
        mail = post(session, "a", recipient="a@school.example", subject="A", body="B", at=AT)
        assert mail is not None
        mail.last_error = "No server"
    run_on(database, SECOND)
    asked: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def _count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    with database.reading() as session:
        asked.clear()
        found = dashboard(session, THIRD)
    assert len(asked) <= 12
    assert held.document_id == two.id
    assert found.instalments == Waiting(3, Money(4416_00))
    assert (found.one_off, found.extra_time, found.arrears) == (
        Waiting(0, Money(0)),
        Waiting(0, Money(0)),
        Waiting(0),
    )
    assert (found.to_print, found.parked, found.to_export) == (7, 0, [("Everything, plainly", 3)])
    assert found.held == Waiting(1, Money(1766_40))
    assert found.overpaid == Waiting(1, Money(120_00))
    assert found.on_account == Money(233_60)
    assert found.overdue == Waiting(5, Money(8832_00))
    assert found.owed == Money(8832_00)
    assert (found.failing_mails, found.failing_jobs) == (1, [("send mail", "No server")])
    assert (found.unmatched, found.card_alerts, found.last_check) == (Waiting(0, Money(0)), 0, None)


def test_a_mail_that_failed_is_put_forward_and_one_that_was_sent_never(database: Database) -> None:
    with database.transaction() as session:
        for key in ("failing", "waiting", "sent"):
            post(session, key, recipient=f"{key}@school.example", subject=key, body="B", at=AT)
        failing, waiting, sent = session.query(OutboxMessage).order_by(OutboxMessage.id)
        failing.last_error, failing.next_attempt_at = "No server", as_at(date(2026, 3, 9))
        sent.sent_at = AT
        ids = failing.id, waiting.id, sent.id
    with database.transaction() as session:
        try_again(session, ids[0], by=BY, at=AT)
    for place, words in ((1, "has not failed"), (2, "sent already")):
        with pytest.raises(Conflict, match=words), database.transaction() as session:
            try_again(session, ids[place], by=BY, at=AT)
    with database.transaction() as session:
        assert try_all_again(session, by=BY, at=AT) == 1
    with database.reading() as session:
        for state, key in zip(Sending, ("failing", "waiting", "sent"), strict=True):
            assert [one.key for one in mails_page(session, state=state)[0]] == [key]
        (again,) = mails_page(session, recipient="FAILING@")[0]
        assert again.next_attempt_at == AT
