"""Statements taken: each line once, true doubles kept, what is wrong said before anything is taken."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from sla_manager.gateways.statements import Columns, read_statement
from sla_manager.kernel.clock import as_at
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.money import Money
from sla_manager.kernel.references import sha256
from sla_manager.payments.commands.bank_import import (
    StatementHasFindings,
    add_layout,
    layout_columns,
    take_statement,
)
from sla_manager.payments.models import BankImport, BankLine, BankLineOpen
from sla_manager.store.database import Database
from tests.rooms.owing import BY

TODAY = date(2026, 3, 31)
AT = as_at(TODAY)
ACCOUNT = "60-16-13 31926819"


def statement(*rows: tuple[str, str, str]) -> bytes:
    """Return a file of day, text and amount, without headings."""
    return "".join(f'{day},"{words}",{amount}\n' for day, words, amount in rows).encode()


def take(database: Database, content: bytes, *, at: datetime = AT, **more: object) -> BankImport:
    """Take a file as somebody in finance does."""
    told = {"account": ACCOUNT, "file_name": "march.csv"} | more
    with database.transaction() as session:
        return take_statement(
            session, read_statement(content), content_hash=sha256(content), by=BY, at=at, **told
        )  # type: ignore[arg-type]


def counted(database: Database) -> tuple[int, int]:
    """Return how many lines there are, and how many are still open."""
    with database.reading() as session:
        still = select(func.count()).where(BankLineOpen.open > Money(0))
        return session.scalar(select(func.count(BankLine.id))) or 0, session.scalar(still) or 0


def test_the_same_line_is_never_taken_twice_and_true_doubles_are_both_kept(database: Database) -> None:
    one, two = ("30/03/2026", "HILL EWS/25-26/000001", "12.50"), ("31/03/2026", "FEE", "-3.00")
    first = take(database, statement(one, one, two))
    assert (first.taken, first.known, first.accounts) == (3, 0, ["60161331926819"])
    assert counted(database) == (3, 2), "what left is not waiting to be matched"
    again = take(database, statement(one, one, two), file_name="copy.csv")
    assert again.id == first.id, "the same file is the same import"
    overlapping = take(database, statement(two, one, one, one, ("31/03/2026", "NEW", "1.00")))
    assert (overlapping.taken, overlapping.known) == (2, 3)
    assert counted(database) == (5, 4)
    other_account = take(database, statement(two, one), account="20-00-00 12345678")
    assert (other_account.taken, other_account.known) == (2, 0)


def test_a_file_with_something_wrong_is_taken_only_when_somebody_says_so(database: Database) -> None:
    rows = [("30/03/2026", "A", "12.50"), ("30/03/2026", "B", "12.50001"), ("01/04/2026", "C", "1.00")]
    with pytest.raises(StatementHasFindings, match="2 things are wrong") as refused:
        take(database, statement(*rows))
    assert [(one.number, one.said) for one in refused.value.findings] == [
        (2, "“12.50001” has 5 decimals; pounds have two."),
        (3, "1 April 2026 has not come yet."),
    ]
    assert counted(database) == (0, 0)
    made = take(database, statement(*rows), accept_findings=True)
    assert (made.taken, [number for number, _ in made.findings]) == (1, [2, 3])
    with pytest.raises(Refused, match="which account") as nameless:
        take(database, statement(("30/03/2026", "D", "1.00")), account=" ")
    assert nameless.value.field == "account"


def test_days_that_came_in_another_kind_of_file_are_asked_about(sqlite: Database) -> None:
    take(sqlite, statement(("30/03/2026", "HILL", "12.50")))
    other = b"Date,Type,Description,Value,Balance,Account Name,Account Number\n"
    other += b"30 Mar 2026,BAC,HILL ACADEMY,12.50,12.50,US,60161331926819\n"
    with pytest.raises(StatementHasFindings) as refused:
        take(sqlite, other)
    assert (
        "30 March 2026 were taken from a file of another kind (HSBC (CSV))" in refused.value.findings[0].said
    )
    assert take(sqlite, other.replace(b"30 Mar", b"29 Mar")).taken == 1


def test_two_people_who_take_one_file_at_once_take_it_once(database: Database) -> None:
    content = statement(*[("30/03/2026", f"PAYMENT {number}", "1.00") for number in range(400)])

    def one(name: str) -> str:
        try:
            return f"took {take(database, content, file_name=name).taken}"
        except (Conflict, IntegrityError):
            return "refused"

    with ThreadPoolExecutor(2) as pool:
        results = set(pool.map(one, ["a.csv", "b.csv"]))
    assert results <= {"took 400", "refused"}
    assert counted(database) == (400, 400)


def test_what_the_bank_said_is_never_changed(sqlite: Database) -> None:
    take(sqlite, statement(("30/03/2026", "A", "12.50")))
    for statement_text in (
        "UPDATE bank_line SET amount = 1",
        "DELETE FROM bank_line",
        "DELETE FROM bank_import",
    ):
        with pytest.raises(IntegrityError, match="append_only"), sqlite.transaction() as session:
            session.execute(text(statement_text))


def test_another_banks_file_is_described_once_and_read_by_that(sqlite: Database) -> None:
    mapping = Columns("Our bank", day="When", text=("What",), amount="How much")
    with sqlite.transaction() as session:
        made = add_layout(session, mapping, by=BY, at=AT)
    with sqlite.reading() as session:
        assert layout_columns(session, made.id) == mapping
        with pytest.raises(NotFound):
            layout_columns(session, made.id + 1)
    with pytest.raises(IntegrityError), sqlite.transaction() as session:
        add_layout(session, mapping, by=BY, at=AT)


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        (Columns("", day="A", text=("B",), amount="C"), "name"),
        (Columns("X", day="", text=("B",), amount="C"), "day"),
        (Columns("X", day="A", text=(), amount="C"), "text"),
        (Columns("X", day="A", text=("B",), amount="C", paid_in="D", paid_out="E"), "amount"),
        (Columns("X", day="A", text=("B",), paid_in="D"), "amount"),
        (Columns("X", day="A", text=("B",), amount="C", date_order="ydm"), "date_order"),
        (Columns("X", day="A", text=("2",), amount="3", headed=False), "day"),
    ],
)
def test_a_description_that_cannot_be_read_by_is_refused(
    sqlite: Database, columns: Columns, field: str
) -> None:
    with pytest.raises(Refused) as refused, sqlite.transaction() as session:
        add_layout(session, columns, by=BY, at=AT)
    assert refused.value.field == field


def test_an_import_that_dies_half_way_leaves_nothing_and_is_taken_whole_the_next_time(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = statement(*[("30/03/2026", f"PAYMENT {number}", "1.00") for number in range(1_200)])

    def dies(*_: object, **__: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr("sla_manager.payments.commands.bank_import.record", dies)
        with pytest.raises(RuntimeError, match="killed"):
            take(sqlite, content)
    assert counted(sqlite) == (0, 0)
    assert take(sqlite, content).taken == 1_200
