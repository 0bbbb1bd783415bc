"""A service manager brings her spreadsheet: every page on the way, what is refused, and the parallel run."""

from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from sla_manager.agreements.models import Agreement, ParallelRun, TakenRow, Takeover, TakeoverMapping
from sla_manager.agreements.rules.statuses import Origin
from sla_manager.gateways.spreadsheets import read_spreadsheet, write_xlsx
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.roles import Role
from sla_manager.store.database import Database
from tests import builders
from tests.conftest import sign_in_as
from tests.rooms.taking_over import NAMES, a_file, row, world

EXAMPLE = Path(__file__).resolve().parent.parent / "data" / "spreadsheets" / "buy-back-2025-26.csv"
PLACE = "/service/ews/spreadsheets"


@pytest.fixture
def manager(app: Flask, sqlite: Database) -> FlaskClient:
    """The manager of a service that sells days, to an academy and a community school."""
    with sqlite.transaction() as session:
        world(session)
        builders.a_school(session, 900_101, customer_class=CustomerClass.ACADEMY, name="Sainte-Zoé's School")
        builders.a_school(session, 900_102, name="Hill School")
        person = builders.a_person(session, Role.SERVICE_MANAGER).id
    client = app.test_client()
    sign_in_as(client, person)
    return client


def uploaded(
    client: FlaskClient, content: bytes, *, purpose: str = "import", name: str = "buy-back.csv"
) -> str:
    """Upload a file and return the address of its columns."""
    sent = {"purpose": purpose, "file": (io.BytesIO(content), name), "sheet": ""}
    answer = client.post(PLACE, data=sent, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.location)


def chosen(client: FlaskClient, address: str) -> dict[str, str]:
    """Return the form of the columns as the page fills it."""
    page = client.get(address).get_data(as_text=True)
    fields: dict[str, str] = {}
    for name, body in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        found = re.search(r'<option value="([^"]*)"[^>]*\bselected', body)
        fields[name] = found[1] if found else ""
    inputs = r'<input[^>]*name="((?:all_|taken_|bill_|save_)[^"]*)"[^>]*value="([^"]*)"'
    fields |= dict(re.findall(inputs, page))
    return fields | {"counted_in": "unit"}


def test_a_spreadsheet_becomes_agreements(manager: FlaskClient, sqlite: Database) -> None:
    columns = uploaded(manager, EXAMPLE.read_bytes(), name="../Desk/buy-back-2025-26.csv")
    fields = chosen(manager, columns)
    assert (fields["urn"], fields["quantity"], fields["unit_price"], fields["balance"]) == (
        "URN", "Days", "Day rate", "Left",
    )  # fmt: skip
    named = manager.post(columns, data=fields | {"save_as": "Buy-back sheet", "bill_from-day": "1",
                                                 "bill_from-month": "1", "bill_from-year": "2026"})  # fmt: skip
    assert named.status_code == 303, named.get_data(as_text=True)
    findings = manager.get(named.location).get_data(as_text=True)
    assert "Take over 2 agreements" in findings
    assert "The row adds the others up." in findings
    assert "£5,299.20" in findings
    with sqlite.reading() as session:
        assert session.scalar(select(func.count()).select_from(Agreement)) == 0
        assert session.scalars(select(TakeoverMapping.name)).one() == "Buy-back sheet"
    begun = manager.post(str(named.location).replace("/findings", "/begin"))
    assert begun.status_code == 303
    done = manager.get(begun.location).get_data(as_text=True)
    assert "2 of 3 rows are taken over." in done
    assert "Paid by BACS – July" in done
    with sqlite.reading() as session:
        made = list(session.scalars(select(Agreement).order_by(Agreement.id)))
        assert [(one.origin, str(one.gross)) for one in made] == [
            (Origin.IMPORT, "5299.20"), (Origin.IMPORT, "3680.00"),
        ]  # fmt: skip
        assert [str(one) for one in session.scalars(select(TakenRow.to_bill).order_by(TakenRow.row))] == [
            "2944.00", "0.00",
        ]  # fmt: skip
    agreement = manager.get(f"/service/ews/agreements/{made[0].id}")
    assert agreement.status_code == 200
    assert "Taken over from buy-back-2025-26.csv, row 2" in agreement.get_data(as_text=True)
    assert "Where it comes from" in agreement.get_data(as_text=True)
    again = manager.post(str(named.location).replace("/findings", "/begin"))
    assert again.status_code == 303
    with sqlite.reading() as session:
        assert session.scalar(select(func.count()).select_from(Agreement)) == 2


def test_a_kept_mapping_fills_the_next_file(manager: FlaskClient) -> None:
    first = uploaded(manager, a_file(row(900_101)))
    fields = chosen(manager, first) | {"notes": "", "save_as": "Ours", "all_schedule": "monthly"}
    assert manager.post(first, data=fields).status_code == 303
    second = uploaded(manager, a_file(row(900_102)))
    assert chosen(manager, second)["notes"] == "Notes"
    again = chosen(manager, f"{second}?mapping=Ours")
    assert (again["notes"], again["all_schedule"], again["save_as"]) == ("", "monthly", "Ours")


def test_what_is_missing_is_said_beside_its_list_and_the_choices_stay(manager: FlaskClient) -> None:
    columns = uploaded(manager, a_file(row(900_101)))
    fields = chosen(manager, columns) | {"quantity": "", "purchase_order": "Notes"}
    answer = manager.post(columns, data=fields)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Choose the column with the quantity that was bought." in page
    assert 'href="#quantity"' in page
    assert re.search(r'name="purchase_order".*?<option value="Notes"[^>]*selected', page, re.DOTALL)


@pytest.mark.parametrize(
    ("content", "name", "why"),
    [
        (b"", "empty.csv", "Choose a spreadsheet"),
        (b"%PDF-1.7", "buy-back.xlsx", "The file is a PDF."),
        (b"PK\x03\x04cut", "buy-back.xlsx", "damaged or was cut short"),
        (b"one\r\n", "buy-back.csv", "no row of column names"),
    ],
)
def test_s13_a_file_that_is_no_spreadsheet_is_refused_beside_its_field(
    manager: FlaskClient, sqlite: Database, content: bytes, name: str, why: str
) -> None:
    sent = {"purpose": "import", "file": (io.BytesIO(content), name if content else "")}
    answer = manager.post(PLACE, data=sent, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert why in answer.get_data(as_text=True)
    with sqlite.reading() as session:
        assert session.scalar(select(func.count()).select_from(Takeover)) == 0


def test_s5_hostile_cells_are_text_on_every_page(manager: FlaskClient, sqlite: Database) -> None:
    evil = '<script>alert(1)</script>"onload='
    content = write_xlsx([*NAMES, evil], [[*row(900_101, Notes=evil), "=cmd|' /C calc'!A0"]])
    columns = uploaded(manager, content, name=f"{evil}.xlsx")
    pages = manager.get(columns).get_data(as_text=True)
    named = manager.post(columns, data=chosen(manager, columns))
    pages += manager.get(named.location).get_data(as_text=True)
    begun = manager.post(str(named.location).replace("/findings", "/begin"))
    pages += manager.get(begun.location).get_data(as_text=True)
    assert "<script>alert" not in pages
    assert "&lt;script&gt;alert" in pages


def test_a_file_can_be_dropped_before_anything_is_entered(manager: FlaskClient, sqlite: Database) -> None:
    columns = uploaded(manager, a_file(row(900_101)))
    assert manager.post(columns.replace("/columns", "/drop")).status_code == 303
    assert manager.get(columns).status_code == 404


def test_a_later_file_is_compared_and_handed_out(manager: FlaskClient, sqlite: Database) -> None:
    named = manager.post(columns := uploaded(manager, a_file(row(900_101))), data=chosen(manager, columns))
    manager.post(str(named.location).replace("/findings", "/begin"))
    later = uploaded(manager, a_file(row(900_101, Left="10")), purpose="compare", name="november.csv")
    fields = chosen(manager, later) | {"taken_on-day": "3", "taken_on-month": "11", "taken_on-year": "2025"}
    compared = manager.post(later, data=fields)
    assert compared.status_code == 303, compared.get_data(as_text=True)
    page = manager.get(compared.location).get_data(as_text=True)
    assert "Parallel run on 3 November 2025" in page
    assert "They carried 2.5 days forward from an earlier year." in page
    every = manager.get(f"{compared.location}?show=all").get_data(as_text=True)
    assert "£1,766.40" in every
    table = read_spreadsheet(manager.get(f"{compared.location}.xlsx").get_data())
    place = {name: index for index, name in enumerate(table.columns)}
    first = table.rows[0][1]
    assert first[place["Balance: theirs"]], first[place["Balance: difference"]] == ("10", "2.5")
    csv = manager.get(f"{compared.location}.csv")
    assert csv.headers["Content-Disposition"].startswith('attachment; filename="parallel-run-2025-11-03-')
    assert "1472.00,1472.00,0.00" in csv.get_data().decode("utf-8-sig")


def test_the_figures_that_were_taken_over_are_compared_once_however_often_it_is_sent(
    manager: FlaskClient, sqlite: Database
) -> None:
    named = manager.post(columns := uploaded(manager, a_file(row(900_101))), data=chosen(manager, columns))
    manager.post(str(named.location).replace("/findings", "/begin"))
    day = date(2025, 10, 14)
    sent = {"as_at-day": day.day, "as_at-month": day.month, "as_at-year": day.year, "once": "the same key"}
    answers = {str(manager.post(f"{PLACE}/parallel-runs", data=sent).location) for _ in range(2)}
    assert len(answers) == 1
    assert "Nothing differs" in manager.get(answers.pop()).get_data(as_text=True)
    with sqlite.reading() as session:
        assert session.scalar(select(func.count()).select_from(ParallelRun)) == 1
