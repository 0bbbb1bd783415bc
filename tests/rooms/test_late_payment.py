"""Late payment claimed: the law's sum from stored facts, once, only where the council wants it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload, selectinload

from sla_manager.agreements.rules.schedules import Schedule
from sla_manager.billing.commands import issue_credit_note
from sla_manager.billing.commands.charges import withdraw_charge
from sla_manager.billing.models import Document, OneOffCharge, OneOffLine
from sla_manager.billing.queries import document, school_documents
from sla_manager.billing.queries.policy import finance_policy
from sla_manager.catalogue.rules.vat import VatCode
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.payments.commands import record_receipt
from sla_manager.payments.commands.bank_rates import record_bank_rate
from sla_manager.payments.commands.holds import place_hold, release_hold
from sla_manager.payments.commands.interest import claim_late_payment
from sla_manager.payments.models import LatePaymentClaim
from sla_manager.payments.queries.interest import NotClaimable, bank_rate_on, bank_rates, claims_on, late_sum
from sla_manager.people.models import Customer
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.constraints import explain
from sla_manager.store.database import Database
from tests.rooms.owing import BY, FIRST, agree, documents, run_on

DUE_ON = date(2025, 11, 13)
LATE = DUE_ON + timedelta(days=60)


def an_invoice(database: Database, *, claims: bool = True, **more: object) -> Document:
    """Return an invoice of £5,299.20, due on 13 November 2025, of a council that claims for late payment."""
    agree(database, schedule=Schedule.SINGLE, **more)
    with database.transaction() as session:
        policy = finance_policy(session)
        policy.late_payment, policy.version, policy.changed_at = claims, 1, as_at(FIRST)
        session.add(policy)
    run_on(database, FIRST)
    return documents(database)[-1]


def claim(database: Database, document_id: int, key: str, day: date = LATE) -> LatePaymentClaim:
    """Claim on a day."""
    with database.transaction() as session:
        return claim_late_payment(session, document_id, once_key=key, by=BY, at=as_at(day))


def test_the_worked_claim_is_made_once_and_becomes_a_charge_without_vat(database: Database) -> None:
    """Bank Rate of 30 June 2025 was 4.25 %: 12.25 % on 5,299.20 for 60 days is 106.71, and 70.00 beside it."""
    invoice = an_invoice(database)
    assert (str(invoice.gross), invoice.due_on) == ("5299.20", DUE_ON)
    made = [claim(database, invoice.id, "k") for _ in range(2)]
    assert made[0].id == made[1].id
    assert (made[0].rate, made[0].reference_day) == (1225, date(2025, 6, 30))
    assert (str(made[0].interest), str(made[0].compensation)) == ("106.71", "70.00")
    with database.reading() as session:
        charge = session.scalars(select(OneOffCharge).options(selectinload(OneOffCharge.lines))).one()
    assert (charge.kind, charge.supplements_id, str(charge.net)) == ("late_payment", invoice.id, "176.71")
    assert {line.vat_code for line in charge.lines} == {VatCode.OUTSIDE_SCOPE}
    assert any("12.25 % × 60 ÷ 365" in sentence for sentence in charge.lines[0].explanation)


def test_later_interest_is_claimed_without_what_was_claimed_and_the_fixed_sum_comes_once(
    database: Database,
) -> None:
    """Thirty days on: 53.35 more; a claim whose charge is withdrawn does not count any more."""
    invoice = an_invoice(database)
    first = claim(database, invoice.id, "one")
    second = claim(database, invoice.id, "two", LATE + timedelta(days=30))
    assert (str(second.interest), str(second.compensation)) == ("53.35", "0.00")
    with pytest.raises(NotClaimable, match=r"claimed already: £160\.06"):
        claim(database, invoice.id, "three", LATE + timedelta(days=30))
    with database.transaction() as session:
        withdraw_charge(session, first.charge_id, reason="Agreed with the trust", by=BY, at=as_at(LATE))
    with database.reading() as session:
        assert [one.id for one in claims_on(session, invoice.id)] == [second.id]
        again = late_sum(session, invoice.id, today=LATE + timedelta(days=30))
    assert (str(again.interest), str(again.compensation)) == ("106.71", "70.00")


def test_payments_credits_and_holds_shorten_what_is_owed(database: Database) -> None:
    """Money counts from the day it came, a credit as if never owed, days on hold not at all."""
    invoice = an_invoice(database)
    with database.transaction() as session:
        issue_credit_note(
            session, invoice.id, amounts={1: Money(416_00)}, reason="A day", by=BY, at=as_at(LATE)
        )
        record_receipt(
            session, invoice.customer_id, amount=Money(2_800_00), received_on=DUE_ON + timedelta(days=20),
            method="cheque", allocations={invoice.id: Money(2_800_00)}, by=BY, at=as_at(LATE),
        )  # fmt: skip
        hold = place_hold(
            session, invoice.id, kind="dispute", reason="?", by=BY, at=as_at(DUE_ON + timedelta(days=31))
        )
        with pytest.raises(NotClaimable, match="is held"):
            late_sum(session, invoice.id, today=LATE)
        release_hold(session, hold.id, outcome="Right", by=BY, at=as_at(DUE_ON + timedelta(days=41)))
    with database.reading() as session:
        found = late_sum(session, invoice.id, today=LATE)
    assert [(str(one.owed), one.days, one.held) for one in found.stretches] == [
        ("4800.00", 20, False), ("2000.00", 10, False), ("2000.00", 10, True), ("2000.00", 20, False),
    ]  # fmt: skip
    wanted = (Decimal(4800) * 20 + Decimal(2000) * 30) * Decimal("0.1225") / 365
    assert str(found.interest) == str(wanted.quantize(Decimal("0.01")))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda database: an_invoice(database, claims=False), "are off"),
        (lambda database: an_invoice(database, customer_class=CustomerClass.OWN_MAINTAINED), "never on a recharge"),
        (lambda database: paid_in_time(database), "was paid in time"),
        (lambda database: credited(database), "credited in full"),
    ],
)  # fmt: skip
def test_nothing_is_claimed_where_nothing_is_due(
    database: Database, spoil: Callable[[Database], Document], reason: str
) -> None:
    """Off by default, never for recharges, not for what was paid in time or credited."""
    invoice = spoil(database)
    with pytest.raises(NotClaimable, match=reason):
        claim(database, invoice.id, "k")
    with database.reading() as session:
        assert session.scalars(select(OneOffLine)).all() == []


def paid_in_time(database: Database) -> Document:
    """Return an invoice whose money came on its due date, though it was recorded later."""
    invoice = an_invoice(database)
    with database.transaction() as session:
        record_receipt(
            session, invoice.customer_id, amount=invoice.gross, received_on=DUE_ON, method="bank_transfer",
            allocations={invoice.id: invoice.gross}, by=BY, at=as_at(LATE),
        )  # fmt: skip
    return invoice


def credited(database: Database) -> Document:
    """Return an invoice that was taken back."""
    invoice = an_invoice(database)
    with database.transaction() as session:
        issue_credit_note(session, invoice.id, reason="Not ours", by=BY, at=as_at(LATE))
    return invoice


def test_a_claim_is_billed_by_the_next_run_and_bears_no_interest_itself(database: Database) -> None:
    """The run makes an invoice of £176.71 without VAT that names the late one."""
    invoice = an_invoice(database)
    claim(database, invoice.id, "k")
    run_on(database, LATE)
    billed = documents(database)[-1]
    assert (str(billed.net), str(billed.vat), str(billed.gross)) == ("176.71", "0.00", "176.71")
    with database.reading() as session:
        school_id = session.get_one(Customer, billed.customer_id).school_id
        assert school_id is not None
        assert billed.id in {row.id for row in school_documents(session, school_id).rows}
        assert document(session, billed.id, school_id=school_id).number == billed.number
        with pytest.raises(NotFound):
            document(session, billed.id, school_id=school_id + 1)
    with database.reading() as session, pytest.raises(NotClaimable, match="Interest bears no interest"):
        late_sum(session, billed.id, today=LATE + timedelta(days=90))
    with database.reading() as session, pytest.raises(NotClaimable, match="not late"):
        late_sum(session, invoice.id, today=DUE_ON)
    with database.reading() as session, pytest.raises(NotFound):
        late_sum(session, 999, today=LATE)


def test_bank_rates_are_dated_and_what_is_not_known_is_not_guessed(database: Database) -> None:
    """The worked half-years; a day too far beyond the last record is refused until somebody records it."""
    with database.transaction() as session:
        known = {
            date(2024, 12, 31): 475, date(2025, 6, 30): 425, date(2025, 12, 31): 375, date(2020, 6, 30): 10,
            date(2017, 10, 31): 25,
        }  # fmt: skip
        assert {day: bank_rate_on(session, day) for day in known} == known
        with pytest.raises(NotClaimable, match="30 June 2031 is not recorded"):
            bank_rate_on(session, date(2031, 6, 30))
        for day, rate in ((date(2031, 6, 30), 500), (date(2031, 6, 30), 525)):
            record_bank_rate(session, from_day=day, rate=rate, by=BY, at=as_at(date(2031, 7, 1)))
        assert bank_rate_on(session, date(2031, 6, 30)) == 525
        assert [one.rate for one in bank_rates(session)][:2] == [525, 375]
        for day, rate in ((date(2031, 7, 2), 500), (date(2031, 6, 1), 2_501)):
            with pytest.raises(Refused):
                record_bank_rate(session, from_day=day, rate=rate, by=BY, at=as_at(date(2031, 7, 1)))


def test_the_database_itself_refuses_a_claim_on_a_held_invoice(database: Database) -> None:
    """Written past the command."""
    invoice = an_invoice(database)
    made = claim(database, invoice.id, "k")
    with database.transaction() as session:
        place_hold(session, invoice.id, kind="hold", reason="?", by=BY, at=as_at(LATE))
        other = session.scalars(select(OneOffCharge).options(joinedload(OneOffCharge.customer))).one()
        values = {
            column.name: getattr(other, column.name)
            for column in OneOffCharge.__table__.columns
            if column.name != "id"
        }
        charge = OneOffCharge(**(values | {"once_key": "other"}))
        session.add(charge)
        session.flush()
        charge_id = charge.id
    facts = {
        column.name: getattr(made, column.name)
        for column in LatePaymentClaim.__table__.columns
        if column.name != "id"
    }
    with pytest.raises(IntegrityError) as told, database.transaction() as session:
        session.add(LatePaymentClaim(**(facts | {"charge_id": charge_id, "once_key": "other"})))
    said = explain(told.value)
    assert said is not None
    assert "is held" in said.message
