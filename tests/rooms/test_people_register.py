"""The national register: read by name, refused whole when it is wrong, imported twice without a change."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from sla_manager.gateways.registers import UnreadableRegister
from sla_manager.kernel.errors import NotFound, Refused
from sla_manager.people.commands import (
    ImportReport,
    create_provider,
    import_schools,
    import_upload,
    keep_upload,
    override_customer_class,
    preview_schools,
)
from sla_manager.people.models import Customer, RegisterImport, RegisterUpload, School, Trust
from sla_manager.people.queries import customer_of_school, school_by_urn, trust_by_name
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.people.rules.register import MissingColumns, UnreadableCells
from sla_manager.store.audit import Actor, AuditEntry
from sla_manager.store.database import Database

FOLDER = Path(__file__).parent.parent / "data" / "registers"
GREENWICH = (FOLDER / "greenwich_28_columns.csv").read_bytes()


@pytest.fixture
def council(database: Database, by: Actor, at: datetime) -> Database:
    """A database with the council of authority 203."""
    with database.transaction() as session:
        create_provider(session, authority_code="203", name="Aldermere Council", by=by, at=at)
    return database


def take(database: Database, content: bytes, by: Actor, at: datetime) -> ImportReport:
    """Import a file in a transaction of its own."""
    with database.transaction() as session:
        return import_schools(session, content, filename="register.csv", by=by, at=at)


def written(rows: list[list[str]]) -> bytes:
    """Return rows as the register writes them."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return out.getvalue().encode("cp1252")


def table(content: bytes) -> list[list[str]]:
    """Return a file's rows."""
    return list(csv.reader(io.StringIO(content.decode("cp1252"), newline="")))


def small(*changes: dict[str, str]) -> bytes:
    """Return a file of a few invented schools: the cells that are given, over those of an open community school."""
    rows = table(GREENWICH)
    header = rows[0]
    model = next(row for row in rows if row[header.index("EstablishmentStatus (code)")] == "1")
    made = [header]
    for change in changes:
        row = list(model)
        for name, value in change.items():
            row[header.index(name)] = value
        made.append(row)
    return written(made)


def school(database: Database, urn: int) -> School:
    """Return a school as it is stored."""
    with database.reading() as session:
        return school_by_urn(session, urn)


def test_the_greenwich_slice_is_imported_and_again_changes_nothing(
    council: Database, by: Actor, at: datetime
) -> None:
    first = take(council, GREENWICH, by, at)
    assert first.counts() == {
        "rows": 207, "added": 107, "updated": 0, "unchanged": 0, "refused": 100, "reasons": {"closed": 100},
    }  # fmt: skip
    second = take(council, GREENWICH, by, at)
    assert second.counts() == {
        "rows": 207, "added": 0, "updated": 0, "unchanged": 107, "refused": 100, "reasons": {"closed": 100},
    }  # fmt: skip
    with council.reading() as session:
        assert session.scalar(select(func.count(School.id))) == 107
        assert session.scalar(select(func.count(RegisterImport.id))) == 2
        assert (
            session.scalar(select(func.count(AuditEntry.id)).where(AuditEntry.action == "import_register"))
            == 2
        )


def test_every_school_and_trust_is_a_customer_with_a_short_stable_reference(
    council: Database, by: Actor, at: datetime
) -> None:
    take(council, GREENWICH, by, at)
    with council.reading() as session:
        references = list(session.scalars(select(Customer.account_reference)))
        schools = session.scalar(select(func.count(School.id))) or 0
        trusts = session.scalar(select(func.count(Trust.id))) or 0
        assert len(references) == len(set(references)) == schools + trusts
        assert all(len(reference) <= 8 and reference.isalnum() for reference in references)
        assert customer_of_school(session, school_by_urn(session, 100097).id).account_reference == "S100097"


@pytest.mark.parametrize(
    ("file", "added", "reasons"),
    [
        ("sample_133_columns.csv", 2, {"closed": 1, "proposed_to_open": 1}),
        ("sample_139_columns.csv", 89, {"closed": 9, "proposed_to_open": 1}),
        ("sample_140_columns.csv", 6, {"closed": 2}),
    ],
)
def test_the_wide_layouts_of_three_years_are_read_by_column_name(
    council: Database, by: Actor, at: datetime, file: str, added: int, reasons: dict[str, int]
) -> None:
    report = take(council, (FOLDER / file).read_bytes(), by, at)
    assert (report.added, dict(report.reasons)) == (added, reasons)


def test_windows_1252_and_utf_8_give_the_same_letters(council: Database, by: Actor, at: datetime) -> None:
    cells = {"URN": "900001", "EstablishmentName": "St Thomas à Becket’s"}
    take(council, small(cells), by, at)
    assert school(council, 900001).name == "St Thomas à Becket’s"
    utf8 = small(cells).decode("cp1252").encode("utf-8-sig")
    assert take(council, utf8, by, at).unchanged == 1


def test_a_row_without_a_name_refuses_the_file_with_row_and_column(
    council: Database, by: Actor, at: datetime
) -> None:
    with pytest.raises(UnreadableCells) as caught:
        take(council, (FOLDER / "bad_name_133_columns.csv").read_bytes(), by, at)
    assert "Row 2, EstablishmentName: is empty" in caught.value.message
    with council.reading() as session:
        assert session.scalar(select(func.count(School.id))) == 0
        assert session.scalar(select(func.count(RegisterImport.id))) == 0


def test_one_bad_row_among_good_ones_imports_nothing_and_every_mistake_is_listed(
    council: Database, by: Actor, at: datetime
) -> None:
    file = small(
        {"URN": "900001"},
        {"URN": "nine", "NumberOfPupils": "many"},
        {"URN": "900003", "OpenDate": "2020-09-01"},
        {"URN": "900004", "CloseDate": "31-02-2020"},
        {"URN": "900001"},
    )
    with pytest.raises(UnreadableCells) as caught:
        take(council, file, by, at)
    assert [(error.row, error.column) for error in caught.value.errors] == [
        (3, "URN"), (3, "NumberOfPupils"), (4, "OpenDate"), (5, "CloseDate"), (6, "URN"),
    ]  # fmt: skip
    assert "stands in row 2 already" in str(caught.value.errors[-1])
    with council.reading() as session:
        assert session.scalar(select(func.count(School.id))) == 0


def test_no_more_than_fifty_mistakes_are_listed(council: Database, by: Actor, at: datetime) -> None:
    file = small(*({"URN": "x"} for _ in range(60)))
    with pytest.raises(UnreadableCells, match="more than 50 mistakes") as caught:
        take(council, file, by, at)
    assert len(caught.value.errors) == 50


def test_missing_columns_are_named(council: Database, by: Actor, at: datetime) -> None:
    rows = [[cell for i, cell in enumerate(row) if i not in (0, 4)] for row in table(GREENWICH)]
    with pytest.raises(MissingColumns, match="URN, EstablishmentName"):
        take(council, written(rows), by, at)


def test_a_row_that_is_too_short_is_named(council: Database, by: Actor, at: datetime) -> None:
    rows = table(small({"URN": "900001"}))
    rows[1].pop()
    with pytest.raises(UnreadableCells, match="27 cells and the header names 28"):
        take(council, written(rows), by, at)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"  \r\n ", "empty"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"%PDF-1.7", "PDF"),
        (b"URN,LA (code)\x00\r\n1,2", "not text"),
        (b"\x89PNG\r\n", "picture"),
        (b"one column only\r\n1\r\n", "no column names"),
        (b"URN,URN\r\n1,2\r\n", "names a column twice"),
        (bytes(range(128, 256)) * 20, "neither UTF-8 nor Windows-1252"),
        (b'URN,"open quote\r\n', "cannot be read"),
    ],
)
def test_s13_what_is_no_register_is_refused_in_words(
    council: Database, by: Actor, at: datetime, content: bytes, says: str
) -> None:
    with pytest.raises(UnreadableRegister, match=says):
        take(council, content, by, at)


def test_blanks_and_noughts_are_unknown(council: Database, by: Actor, at: datetime) -> None:
    blanks = dict.fromkeys(
        ("NumberOfPupils", "UKPRN", "Postcode", "EstablishmentNumber", "OpenDate", "LastChangedDate"), ""
    )
    take(council, small({"URN": "900001", "Easting": "0", "Northing": "", **blanks}), by, at)
    found = school(council, 900001)
    assert (found.pupils, found.ukprn, found.postcode, found.easting, found.northing) == (
        None,
        None,
        "",
        None,
        None,
    )
    assert found.laestab == "203"


def test_changes_are_shown_old_and_new_and_stored(council: Database, by: Actor, at: datetime) -> None:
    take(council, small({"URN": "900001", "NumberOfPupils": "200", "OpenDate": "01-09-2001"}), by, at)
    report = take(
        council,
        small({"URN": "900001", "NumberOfPupils": "", "OpenDate": "02-09-2001", "Town": "Farmere"}),
        by,
        at,
    )
    assert report.counts() | {"reasons": {}} == {
        "rows": 1, "added": 0, "updated": 1, "unchanged": 0, "refused": 0, "reasons": {},
    }  # fmt: skip
    shown = report.changes[0].changes
    assert shown["NumberOfPupils"] == ("200", "")
    assert shown["OpenDate"] == ("01-09-2001", "02-09-2001")
    found = school(council, 900001)
    assert (found.pupils, found.opened_on, found.town) == (None, date(2001, 9, 2), "Farmere")


def test_a_known_school_that_closed_is_updated_and_an_unknown_one_refused(
    council: Database, by: Actor, at: datetime
) -> None:
    take(council, small({"URN": "900001"}), by, at)
    closed = {
        "EstablishmentStatus (code)": "2",
        "EstablishmentStatus (name)": "Closed",
        "CloseDate": "31-08-2025",
    }
    report = take(council, small({"URN": "900001", **closed}, {"URN": "900002", **closed}), by, at)
    assert (report.updated, report.refused, dict(report.reasons)) == (1, 1, {"closed": 1})
    found = school(council, 900001)
    assert (found.status_name, found.closed_on) == ("Closed", date(2025, 8, 31))


def test_proposed_to_close_is_open_and_proposed_to_open_is_not_yet(
    council: Database, by: Actor, at: datetime
) -> None:
    report = take(
        council,
        small(
            {"URN": "900001", "EstablishmentStatus (code)": "3"},
            {"URN": "900002", "EstablishmentStatus (code)": "4"},
        ),
        by,
        at,
    )
    assert (report.added, dict(report.reasons)) == (1, {"proposed_to_open": 1})


def test_classes_follow_type_and_authority_and_an_override_outlives_an_import(
    council: Database, by: Actor, at: datetime
) -> None:
    rows = small(
        {"URN": "900001"},
        {"URN": "900002", "LA (code)": "209"},
        {"URN": "900003", "TypeOfEstablishment (code)": "02"},
        {"URN": "900004", "TypeOfEstablishment (code)": "34", "EstablishmentTypeGroup (code)": "10"},
        {"URN": "900005", "TypeOfEstablishment (code)": "30", "EstablishmentTypeGroup (code)": "6"},
    )
    take(council, rows, by, at)
    assert [school(council, 900000 + n).customer_class for n in range(1, 6)] == [
        CustomerClass.OWN_MAINTAINED,
        CustomerClass.OUT_OF_AREA_MAINTAINED,
        CustomerClass.VOLUNTARY_AIDED,
        CustomerClass.ACADEMY,
        CustomerClass.OTHER,
    ]
    key = school(council, 900003).id
    with council.transaction() as session:
        with pytest.raises(Refused, match="Give the reason"):
            override_customer_class(session, key, CustomerClass.ACADEMY, reason=" ", by=by, at=at)
        override_customer_class(session, key, CustomerClass.ACADEMY, reason="Converts in May", by=by, at=at)
    assert take(council, rows, by, at).unchanged == 5
    assert school(council, 900003).customer_class is CustomerClass.ACADEMY


def test_a_column_that_a_file_lacks_leaves_what_is_known(council: Database, by: Actor, at: datetime) -> None:
    take(council, small({"URN": "900001", "Trusts (name)": "BRIGHTWATER LEARNING TRUST"}), by, at)
    rows = table(small({"URN": "900001"}))
    gone = rows[0].index("Trusts (name)")
    report = take(council, written([row[:gone] + row[gone + 1 :] for row in rows]), by, at)
    assert report.unchanged == 1
    found = school(council, 900001)
    assert found.trust is not None
    assert found.trust.name == "BRIGHTWATER LEARNING TRUST"


def wide(*schools: tuple[int, str, str]) -> bytes:
    """Return a 140-column file of schools with (URN, trust code, trust name)."""
    rows = list(csv.reader(io.StringIO((FOLDER / "sample_140_columns.csv").read_text("utf-8"), newline="")))
    header, model = rows[0], rows[1]
    made = [header]
    for urn, code, name in schools:
        row = list(model)
        row[0], row[header.index("EstablishmentStatus (code)")] = str(urn), "1"
        row[header.index("Trusts (code)")], row[header.index("Trusts (name)")] = code, name
        made.append(row)
    return written(made)


def test_trusts_are_known_by_group_uid_and_renamed(council: Database, by: Actor, at: datetime) -> None:
    first = take(
        council, wide((900001, "3104", "Brightwater Trust"), (900002, "3104", "Brightwater Trust")), by, at
    )
    assert first.trusts_added == ["Brightwater Trust"]
    renamed = wide((900001, "3104", "Clearwater Trust"), (900002, "3104", "Clearwater Trust"))
    second = take(council, renamed, by, at)
    assert second.trusts_renamed == [("Brightwater Trust", "Clearwater Trust")]
    assert second.unchanged == 2
    with council.reading() as session:
        assert trust_by_name(session, "clearwater  trust").group_uid == "3104"
        assert session.scalar(select(func.count(Trust.id))) == 1
        assert (
            session.scalars(select(Customer.account_reference).where(Customer.trust_id.is_not(None))).one()
            == "T3104"
        )


def test_two_trusts_of_one_name_are_kept_apart_by_their_codes(
    council: Database, by: Actor, at: datetime
) -> None:
    file = wide((900001, "1", "St Mary’s Trust"), (900002, "2", "St Mary’s Trust"))
    take(council, file, by, at)
    assert take(council, file, by, at).unchanged == 2
    with council.reading() as session:
        assert set(session.scalars(select(Trust.group_uid))) == {"1", "2"}


def test_a_trust_known_by_name_gets_its_code_and_keeps_its_reference(
    council: Database, by: Actor, at: datetime
) -> None:
    take(council, small({"URN": "900001", "Trusts (name)": "Brightwater Trust"}), by, at)
    with council.reading() as session:
        before = session.scalars(
            select(Customer.account_reference).where(Customer.trust_id.is_not(None))
        ).one()
    take(council, wide((900001, "3104", "Brightwater Trust")), by, at)
    with council.reading() as session:
        assert session.scalars(select(Trust.group_uid)).one() == "3104"
        after = session.scalars(
            select(Customer.account_reference).where(Customer.trust_id.is_not(None))
        ).one()
    assert before == after


def test_a_preview_says_what_the_import_does_and_changes_nothing(
    council: Database, by: Actor, at: datetime
) -> None:
    with council.reading() as session:
        seen = preview_schools(session, GREENWICH)
        assert session.scalar(select(func.count(School.id))) == 0
    assert seen.facts() == take(council, GREENWICH, by, at).facts()


def test_a_kept_file_is_imported_once(council: Database, by: Actor, at: datetime) -> None:
    with council.transaction() as session:
        key = keep_upload(session, GREENWICH, filename="register.csv", by=by, at=at).id
    with council.transaction() as session:
        assert import_upload(session, key, by=by, at=at).added == 107
    with pytest.raises(NotFound), council.transaction() as session:
        import_upload(session, key, by=by, at=at)
    with council.reading() as session:
        assert session.scalar(select(func.count(RegisterUpload.id))) == 0


def test_thousands_of_rows_are_imported_in_one_go_and_again_without_a_change(
    council: Database, by: Actor, at: datetime
) -> None:
    rows = table(small({"URN": "200000"}))
    model = rows[1]
    file = written([rows[0], *([str(200_000 + n), *model[1:]] for n in range(5_000))])
    report = take(council, file, by, at)
    assert report.added == 5_000
    assert take(council, file, by, at).unchanged == 5_000
