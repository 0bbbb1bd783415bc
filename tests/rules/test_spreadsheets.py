"""Spreadsheets read and written: what offices save, what attackers send, and figures that stay exact."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_manager.gateways.spreadsheets import (
    TooLarge,
    UnreadableSpreadsheet,
    read_spreadsheet,
    write_csv,
    write_xlsx,
)
from sla_manager.gateways.spreadsheets.tables import MOST_COLUMNS, MOST_ROWS
from sla_manager.gateways.spreadsheets.workbook import MOST_UNPACKED, WITHOUT_VALUE
from sla_manager.kernel.money import Money

DATA = Path(__file__).resolve().parent.parent / "data" / "spreadsheets"
NAMES = ["School", "Net", "Days", "From"]
ROW = ["Hill School", Money(5299_20), Decimal("11.5"), date(2025, 9, 1)]


def rebuilt(content: bytes, parts: Mapping[str, str | bytes]) -> bytes:
    """Return a workbook with some of its parts replaced or added."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, text in parts.items():
            new.writestr(name, text)
    return made.getvalue()


def with_sheet(rows: str, **parts: str) -> bytes:
    """Return a workbook whose sheet has these rows."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
    return rebuilt(write_xlsx(NAMES, [ROW]), {"xl/worksheets/sheet1.xml": sheet, **parts})


def text_cell(text: str, place: str = "") -> str:
    where = f' r="{place}"' if place else ""
    return f'<c{where} t="inlineStr"><is><t>{text}</t></is></c>'


def test_a_file_as_an_office_saves_it_is_read_whole() -> None:
    table = read_spreadsheet((DATA / "buy-back-2025-26.csv").read_bytes())
    assert table.columns[:4] == ("School", "URN", "Service", "Days")
    assert [number for number, _ in table.rows] == [2, 3, 4]
    assert table.rows[0][1][0] == "Sainte-Zoé’s School"
    assert table.rows[0][1][5] == "4,416.00"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_in_each_encoding_and_delimiter_says_the_same(encoding: str, delimiter: str) -> None:
    lines = ["School|Rate|Days", 'Sainte-Zoé’s School|"£1,368.00"|4.5', "Hill; The|£368|12"]
    quoted = [line.replace("Hill; The", '"Hill; The"') for line in lines]
    content = "\r\n".join(line.replace("|", delimiter) for line in quoted).encode(encoding)
    table = read_spreadsheet(content)
    assert table.columns == ("School", "Rate", "Days")
    assert table.rows == ((2, ("Sainte-Zoé’s School", "£1,368.00", "4.5")), (3, ("Hill; The", "£368", "12")))


def test_titles_above_the_names_and_empty_rows_are_passed_over() -> None:
    table = read_spreadsheet(b"Buy-back 2025-26,,\r\n,,\r\nSchool,Days,Days\r\n,,\r\nHill,12,3,note\r\n")
    assert table.columns == ("School", "Days", "Days (2)", "Column D")
    assert table.rows == ((5, ("Hill", "12", "3", "note")),)


def test_a_workbook_is_read_as_it_was_written() -> None:
    table = read_spreadsheet(write_xlsx(NAMES, [ROW, [None, Money(-207_63), None, None]], sheet="Last year"))
    assert table.sheet == "Last year"
    assert table.rows == (
        (2, ("Hill School", "5299.2", "11.5", "2025-09-01")),
        (3, ("", "-207.63", "", "")),
    )


def test_the_same_rows_are_the_same_bytes() -> None:
    assert write_xlsx(NAMES, [ROW]) == write_xlsx(NAMES, [ROW])


def test_a_number_is_what_excel_shows_and_never_a_binary_one() -> None:
    raw = (
        '<row><c t="n"><v>5299.2000000000007</v></c><c><v>0.30000000000000004</v></c><c><v>1E-3</v></c></row>'
    )
    table = read_spreadsheet(
        with_sheet(f"<row>{text_cell('Net')}{text_cell('Rate')}{text_cell('Step')}</row>{raw}")
    )
    assert table.rows[0][1] == ("5299.2", "0.3", "0.001")


@given(st.integers(-(10**12), 10**12))
def test_every_amount_survives_a_workbook_and_a_csv(pence: int) -> None:
    rows = [["Hill School", Money(pence), None, None]]
    from_workbook = read_spreadsheet(write_xlsx(NAMES, rows)).rows[0][1][1]
    from_csv = read_spreadsheet(write_csv(NAMES, rows)).rows[0][1][1]
    assert (Money.parse(from_workbook), Money.parse(from_csv)) == (Money(pence), Money(pence))


def test_x4_formulas_in_texts_are_inert_and_numbers_stay_numbers() -> None:
    evil = ["=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)", "＝1", "\tx", "-2+3"]
    rows = [[text, Money(-207_63), None, None] for text in evil]
    in_csv = write_csv(NAMES, rows).decode("utf-8-sig")
    assert all(line.startswith(("'", "\"'")) for line in in_csv.splitlines()[1:])
    assert in_csv.count(",-207.63,") == len(evil)
    with zipfile.ZipFile(io.BytesIO(write_xlsx(NAMES, rows))) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert sheet.count("<v>-207.63</v>") == len(evil)
    texts = re.findall(r"<t [^>]*>([^<]*)</t>", sheet)[len(NAMES) :]
    assert all(text.startswith("'") for text in texts)


def test_a_formula_gives_its_stored_value_and_says_when_there_is_none() -> None:
    rows = f"<row>{text_cell('Net')}{text_cell('Days')}</row><row><c><f>A1*2</f><v>8</v></c><c><f>1+1</f></c></row>"
    assert read_spreadsheet(with_sheet(rows)).rows[0][1] == ("8", WITHOUT_VALUE)


def test_the_sheet_may_be_chosen_and_a_wrong_name_lists_those_there_are() -> None:
    content = write_xlsx(NAMES, [ROW], sheet="Data")
    assert read_spreadsheet(content, sheet=" data ").sheet == "Data"
    with pytest.raises(UnreadableSpreadsheet, match=r"no sheet “Other”\. It has “Data”"):
        read_spreadsheet(content, sheet="Other")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"%PDF-1.7 ...", "is a PDF"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel workbook"),
        (b"\xff\xfeA\x00", "UTF-16"),
        (b"PK\x03\x04 cut short", "damaged or was cut short"),
        (b"just a sentence\r\nand another", "no row of column names"),
        (b"School,Days\r\n", "column names and no rows"),
        (b'School,Days\r\n"Hill,12\r\n', "Row 2 cannot be read"),
        (b"School,Days\r\nHill\x81\x8d,12", "Row 2 has a character"),
        (b"School,Days\r\nHill\x00,12", "not text"),
    ],
)
def test_s13_what_is_no_spreadsheet_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(UnreadableSpreadsheet, match=why):
        read_spreadsheet(content)


def test_s13_a_name_says_nothing_and_the_bytes_everything() -> None:
    """A CSV file called .xlsx, and a workbook called .csv, are read for what they are: no name is given here."""
    assert read_spreadsheet(b"School,Days\r\nHill,12\r\n").sheet == ""
    assert read_spreadsheet(write_xlsx(NAMES, [ROW])).sheet == "Sheet1"


def test_s13_a_workbook_cut_short_is_refused_wherever_it_was_cut() -> None:
    whole = write_xlsx(NAMES, [ROW] * 40)
    for length in range(4, len(whole) - 1, 97):
        with pytest.raises(UnreadableSpreadsheet):
            read_spreadsheet(whole[:length])


def test_s13_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = rebuilt(write_xlsx(NAMES, [ROW]), {"xl/worksheets/sheet1.xml": b" " * (MOST_UNPACKED + 1)})
    assert len(bomb) < 200_000
    with pytest.raises(TooLarge, match="MB when unpacked"):
        read_spreadsheet(bomb)


def test_s13_ten_thousand_columns_and_endless_rows_are_refused() -> None:
    wide = ",".join(f"c{number}" for number in range(10_000)).encode()
    with pytest.raises(TooLarge, match="10,000 columns"):
        read_spreadsheet(wide + b"\r\n" + wide)
    far = f"<row>{text_cell('a')}{text_cell('b')}</row><row>{text_cell('x', 'NTP2')}</row>"
    with pytest.raises(TooLarge, match=f"{MOST_COLUMNS} are allowed"):
        read_spreadsheet(with_sheet(far))
    with pytest.raises(TooLarge, match=f"{MOST_ROWS:,} rows"):
        read_spreadsheet(b"School,Days\r\n" + b"Hill,1\r\n" * (MOST_ROWS + 1))
    with pytest.raises(TooLarge, match="characters"):
        read_spreadsheet(b"School,Days\r\n" + b"x" * 6_000 + b",1\r\n")


def test_s13_entities_and_document_types_are_refused() -> None:
    laughs = (
        '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
        "<worksheet><sheetData><row><c><v>&c;</v></c></row></sheetData></worksheet>"
    )
    hostile = rebuilt(write_xlsx(NAMES, [ROW]), {"xl/worksheets/sheet1.xml": laughs})
    with pytest.raises(UnreadableSpreadsheet, match="document type"):
        read_spreadsheet(hostile)


def test_s13_a_sheet_that_points_out_of_the_file_is_not_followed() -> None:
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Type="x" Target="../../../../etc/passwd"/></Relationships>'
    )
    hostile = rebuilt(write_xlsx(NAMES, [ROW]), {"xl/_rels/workbook.xml.rels": relations})
    with pytest.raises(UnreadableSpreadsheet, match="is missing"):
        read_spreadsheet(hostile)
