"""Bank lines matched by somebody: over many documents, with what was recorded, taken back; journals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.models import Document
from sla_manager.billing.rules.kinds import DocumentKind
from sla_manager.gateways.statements import Columns, read_statement
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.payments.commands import bank_matching, record_receipt, reverse_allocation
from sla_manager.payments.commands.bank_import import (
    take_statement,
)
from sla_manager.payments.commands.bank_matching import match_line, match_recorded, set_aside, take_back
from sla_manager.payments.commands.holds import place_hold
from sla_manager.payments.commands.journals import record_journal
from sla_manager.payments.commands.refunds import refund_receipt
from sla_manager.payments.models import BankLine, BankMatch, JournalRemittance
from sla_manager.payments.queries import allocations_of, open_amount, unallocated_total
from sla_manager.payments.queries.bank import OpenLine, open_lines, recorded_already, unmatched_total
from sla_manager.payments.queries.journals import journal, journals_page, waiting_notes
from sla_manager.payments.queries.proposals import propose
from sla_manager.payments.rules.matching import Proposal, Sureness
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.database import Database
from tests.rooms.owing import BY, FIRST, THIRD, agree, agree_many, documents, run_on
from tests.rooms.test_bank import AT, TODAY, statement, take


def three_invoices(database: Database) -> list[Document]:
    """Return the three invoices of 1,766.40 of one academy."""
    agree(database)
    run_on(database, THIRD)
    return documents(database)


def lines_open(database: Database) -> list[OpenLine]:
    """Return what waits to be matched."""
    with database.reading() as session:
        return open_lines(session)


def proposed(database: Database) -> list[Proposal]:
    """Return the proposals for what waits."""
    with database.reading() as session:
        lines = open_lines(session)
        made = propose(session, lines)
    return [made[one.line.id] for one in lines]


def match(database: Database, proposal: Proposal, *, once_key: str = "k", **more: object) -> list[BankMatch]:
    """Confirm a proposal as it stands, or with other amounts."""
    told: dict[str, object] = {
        "documents": {part.item.document_id: part.amount for part in proposal.parts},
        "on_account": proposal.customer_id,
    }
    with database.transaction() as session:
        return match_line(session, proposal.arrived.line_id, once_key=once_key, by=BY, at=AT, **(told | more))  # type: ignore[arg-type]


def left(database: Database, *ids: int) -> list[str]:
    """Return what is open on documents."""
    with database.reading() as session:
        return [str(open_amount(session, one)) for one in ids]


def on_account(database: Database) -> str:
    """Return all money on account."""
    with database.reading() as session:
        return str(unallocated_total(session))


def test_p10_one_transfer_over_three_invoices_with_a_remainder_is_matched_and_each_is_taken_off_alone(
    database: Database,
) -> None:
    one, two, three = three_invoices(database)
    take(database, statement(("30/03/2026", "EWS/25-26/000001,2 & 3", "5500.00")))
    (proposal,) = proposed(database)
    assert (proposal.sureness, str(proposal.left)) == (Sureness.LIKELY, "200.80")
    (made,) = match(database, proposal)
    assert left(database, one.id, two.id, three.id) == ["0.00", "0.00", "0.00"]
    assert (on_account(database), lines_open(database)) == ("200.80", [])
    with database.reading() as session:
        allocations = allocations_of(session, receipt_id=made.receipt_id)
        assert allocations[0].receipt is not None
        assert allocations[0].receipt.received_on == date(2026, 3, 30)
    with database.transaction() as session:
        reverse_allocation(session, allocations[1].id, reason="Meant for April", by=BY, at=AT)
    assert left(database, one.id, two.id, three.id) == ["0.00", "1766.40", "0.00"]
    assert on_account(database) == "1967.20"
    with database.transaction() as session:
        take_back(session, made.id, reason="Another customer’s", by=BY, at=AT)
    assert left(database, one.id, two.id, three.id) == ["1766.40"] * 3
    assert on_account(database) == "0.00"
    assert [str(each.open) for each in lines_open(database)] == ["5500.00"]
    with pytest.raises(Conflict, match="taken back already"), database.transaction() as session:
        take_back(session, made.id, reason="Again", by=BY, at=AT)
    assert [str(one.amount) for one in match(database, proposal, once_key="anew")] == ["5500.00"]


def test_one_line_pays_documents_of_two_customers_with_a_receipt_each(database: Database) -> None:
    agree_many(database, 2, schedule=Schedule.SINGLE)
    run_on(database, FIRST)
    one, other = documents(database)
    take(database, statement(("30/03/2026", "OUR SCHOOLS", "700.00")))
    (proposal,) = proposed(database)
    both = {one.id: Money(400_00), other.id: Money(250_00)}
    made = match(database, proposal, documents=both, on_account=other.customer_id)
    assert sorted(str(each.amount) for each in made) == ["300.00", "400.00"]
    assert on_account(database) == "50.00"
    again = match(database, proposal, documents=both, on_account=other.customer_id)
    assert [each.id for each in again] == [each.id for each in made], "a double click matches once"


def test_what_cannot_be_matched_says_why_and_books_nothing(sqlite: Database) -> None:
    one, _, _ = three_invoices(sqlite)
    take(sqlite, statement(("30/03/2026", "EWS/25-26/000001", "2000.00"), ("30/03/2026", "FEE", "-1.00")))
    (proposal,) = proposed(sqlite)
    for more, said in (
        (
            {"documents": {one.id: Money(1766_40)}, "on_account": None},
            r"£233\.60 of £2,000\.00 is not matched",
        ),
        (
            {"documents": {one.id: Money(2000_01)}},
            r"£2,000\.01 is more than is left of this bank line: £2,000\.00",
        ),
        ({"documents": {one.id: Money(1800_00)}}, r"more than is open on EWS/25-26/000001: £1,766\.40"),
        ({"documents": {one.id: Money(-1)}}, "above £0.00"),
        ({"documents": {one.id + 99: Money(1)}}, "no such document"),
    ):
        with pytest.raises((Refused, NotFound), match=said):
            match(sqlite, proposal, **more)
    assert (on_account(sqlite), left(sqlite, one.id)) == ("0.00", ["1766.40"])
    match(sqlite, proposal)
    with pytest.raises(Conflict, match="matched already"):
        match(sqlite, proposal, once_key="second")
    with pytest.raises(Refused, match="Money left by this line"), sqlite.transaction() as session:
        set_aside(session, proposal.arrived.line_id + 1, reason="A fee", once_key="x", by=BY, at=AT)


def test_money_that_is_not_ours_is_set_aside_with_its_reason_and_comes_back(sqlite: Database) -> None:
    take(sqlite, statement(("30/03/2026", "LIBRARY FINES", "9.10")))
    (line,) = lines_open(sqlite)
    with pytest.raises(Refused, match="why it is not ours"), sqlite.transaction() as session:
        set_aside(session, line.line.id, reason=" ", once_key="a", by=BY, at=AT)
    made = []
    for _ in range(2):
        with sqlite.transaction() as session:
            made.append(
                set_aside(session, line.line.id, reason="The library’s", once_key="a", by=BY, at=AT).id
            )
    assert made[0] == made[1]
    assert lines_open(sqlite) == []
    with sqlite.transaction() as session:
        take_back(session, made[0], reason="It is ours", by=BY, at=AT)
    with sqlite.reading() as session:
        assert unmatched_total(session) == (1, Money(9_10))


def test_a_match_whose_money_went_back_is_not_taken_back(sqlite: Database) -> None:
    one, _, _ = three_invoices(sqlite)
    take(sqlite, statement(("30/03/2026", "EWS/25-26/000001", "2000.00")))
    (made,) = match(sqlite, proposed(sqlite)[0])
    assert made.receipt_id is not None
    with sqlite.transaction() as session:
        refund_receipt(
            session, made.receipt_id, amount=Money(233_60), method="bank_transfer", reason="Too much",
            refunded_on=TODAY, by=BY, at=AT,
        )  # fmt: skip
    with (
        pytest.raises(Refused, match=r"£233\.60 of this payment was given back"),
        sqlite.transaction() as session,
    ):
        take_back(session, made.id, reason="Wrong", by=BY, at=AT)
    assert left(sqlite, one.id) == ["0.00"]


def test_p6_more_than_the_line_is_impossible_in_the_database(database: Database) -> None:
    take(database, statement(("30/03/2026", "X", "10.00")))
    (line,) = lines_open(database)
    row = {
        "line_id": line.line.id, "kind": "not_ours", "receipt_id": None, "amount": Money(10_01), "reason": "x",
        "reverses_id": None, "matched_at": AT, "matched_by": "Test", "once_key": None,
    }  # fmt: skip
    with pytest.raises(IntegrityError, match="bank_match_exceeds_line"), database.transaction() as session:
        session.execute(insert(BankMatch), [row])
    with database.transaction() as session:
        session.execute(insert(BankMatch), [row | {"amount": Money(6_00)}, row | {"amount": Money(4_00)}])
    assert lines_open(database) == []


@pytest.mark.parametrize("guarded", [True, False])
def test_two_people_who_match_one_line_at_once_match_it_once(
    database: Database, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(database, statement(("30/03/2026", "LIBRARY FINES", "1000.00")))
    (line,) = lines_open(database)
    if not guarded:
        with database.transaction() as session:
            on = " ON bank_match" if session.get_bind().dialect.name == "postgresql" else ""
            session.execute(text(f"DROP TRIGGER bank_match_line{on}"))
        monkeypatch.setattr(bank_matching, "_held_line", _not_held)

    def one(key: str) -> str:
        try:
            with database.transaction() as session:
                set_aside(session, line.line.id, reason="Not ours", once_key=key, by=BY, at=AT)
        except Refused:
            return "refused"
        return "matched"

    with ThreadPoolExecutor(2) as pool:
        results = sorted(pool.map(one, ["a", "b"]))
    assert results == (["matched", "refused"] if guarded else ["matched", "matched"])


def _not_held(session: Session, line_id: int) -> tuple[BankLine, Money]:
    """Return a line as if nobody else could be matching it: the control of the race."""
    line = session.get(BankLine, line_id)
    assert line is not None
    return line, line.amount


def test_who_paid_before_is_remembered_and_forgotten_with_the_match(sqlite: Database) -> None:
    agree_many(sqlite, 2, schedule=Schedule.SINGLE)
    run_on(sqlite, FIRST)
    one, _ = documents(sqlite)
    mapping = Columns("Ours", day="1", text=("2",), amount="3", payer="4", headed=False)
    first = b"30/03/2026,PART,100.00,COUNTY PAYMENTS\n"
    with sqlite.transaction() as session:
        take_statement(
            session,
            read_statement(first, columns=mapping),
            content_hash="1",
            file_name="a",
            account="1",
            by=BY,
            at=AT,
        )
    (proposal,) = proposed(sqlite)
    assert proposal.sureness is Sureness.NONE
    (made,) = match(sqlite, proposal, documents={one.id: Money(100_00)})
    second = b"31/03/2026,MORE,50.00,COUNTY PAYMENTS\n"
    with sqlite.transaction() as session:
        take_statement(
            session,
            read_statement(second, columns=mapping),
            content_hash="2",
            file_name="b",
            account="1",
            by=BY,
            at=AT,
        )
    (proposal,) = proposed(sqlite)
    assert (proposal.customer_id, proposal.sureness) == (one.customer_id, Sureness.POSSIBLE)
    with sqlite.transaction() as session:
        take_back(session, made.id, reason="Wrong", by=BY, at=AT)
    assert {each.customer_id for each in proposed(sqlite)} == {None}


def test_own_schools_recharges_are_settled_by_one_journal_and_only_those(database: Database) -> None:
    agree(database, customer_class=CustomerClass.OWN_MAINTAINED)
    agree(database)
    run_on(database, THIRD)
    notes = [one for one in documents(database) if one.kind is DocumentKind.RECHARGE_NOTE]
    invoice = next(one for one in documents(database) if one.kind is DocumentKind.INVOICE)

    def settle(ids: list[int], reference: str = "JNL 77", once_key: str = "j") -> JournalRemittance:
        with database.transaction() as session:
            return record_journal(
                session, ids, reference=reference, journal_on=TODAY, once_key=once_key, by=BY, at=AT
            )

    with database.transaction() as session:
        held = place_hold(session, notes[2].id, kind="dispute", reason="Not delivered", by=BY, at=AT)
    for ids, reference, said in (
        ([invoice.id], "J", "is not a recharge note"),
        ([notes[2].id], "J", "is held or disputed"),
        ([notes[0].id], " ", "the journal’s reference"),
        ([], "J", "between 1 and 500"),
    ):
        with pytest.raises(Refused, match=said):
            settle(ids, reference)
    made = settle([notes[0].id, notes[1].id])
    assert (settle([notes[0].id, notes[1].id]).id, str(made.total)) == (made.id, "2944.00")
    assert left(database, *(one.id for one in notes)) == ["0.00", "0.00", "1472.00"]
    with pytest.raises(Conflict, match="settled already"):
        settle([notes[0].id], once_key="other")
    with database.reading() as session:
        waiting = waiting_notes(session)
        assert [(one.document.id, str(one.open), one.held) for one in waiting] == [
            (notes[2].id, "1472.00", True)
        ]
        (paid,) = journal(session, made.id)[1]
        assert (paid.method, str(paid.amount), paid.reference) == ("journal", "2944.00", "JNL 77")
        assert [one.id for one in journals_page(session)] == [made.id]
    assert held.id


def by_hand(database: Database, customer_id: int, amount: str, method: str = "cheque") -> int:
    """Record a payment before its statement comes."""
    with database.transaction() as session:
        return record_receipt(
            session,
            customer_id,
            amount=Money.parse(amount),
            received_on=date(2026, 3, 27),
            method=method,
            by=BY,
            at=AT,
        ).id


def test_money_recorded_by_hand_before_its_statement_comes_is_not_booked_twice(database: Database) -> None:
    one, _, _ = three_invoices(database)
    cheques = [by_hand(database, one.customer_id, amount) for amount in ("100.00", "50.00")]
    by_card = by_hand(database, one.customer_id, "150.00", method="card")
    take(database, statement(("30/03/2026", "DEPOSIT 000012", "150.00"), ("30/03/2026", "X", "100.00")))
    deposit, other = lines_open(database)
    with database.reading() as session:
        found = recorded_already(session, [deposit, other])
    assert {key: [each.id for each in value] for key, value in found.items()} == {
        deposit.line.id: [], other.line.id: cheques[:1],
    }  # fmt: skip

    def say(line: OpenLine, receipt_id: int, once_key: str) -> BankMatch:
        with database.transaction() as session:
            return match_recorded(session, line.line.id, receipt_id, once_key=once_key, by=BY, at=AT)

    with pytest.raises(Refused, match="did not come through the bank"):
        say(deposit, by_card, "card")
    first, again = say(deposit, cheques[0], "a"), say(deposit, cheques[0], "a")
    assert first.id == again.id
    with pytest.raises(IntegrityError, match="bank_match_receipt_once"):
        say(other, cheques[0], "b")
    with pytest.raises(NotFound):
        say(other, 999, "c")
    say(deposit, cheques[1], "d")
    assert [one.line.id for one in lines_open(database)] == [other.line.id], "two cheques were one line"
    assert on_account(database) == "300.00", "nothing was booked anew"
    with database.transaction() as session:
        take_back(session, first.id, reason="It was another cheque", by=BY, at=AT)
    assert on_account(database) == "300.00"
    assert say(other, cheques[0], "e").amount == Money(100_00)
