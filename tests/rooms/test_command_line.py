"""The command line: a council from `init` to an exported invoice, answers for machines, refusals in words."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select, text

from sla_manager.agreements.models import Agreement
from sla_manager.billing.models import Document
from sla_manager.cli.commands import program
from sla_manager.config import ROOT
from sla_manager.finance.models import ExportBatch
from sla_manager.people.models import School
from sla_manager.people.rules.customer_classes import CustomerClass
from sla_manager.store.database import Database
from sla_manager.store.outbox import OutboxMessage
from tests import builders

REGISTER = Path(__file__).parent.parent / "data" / "registers" / "greenwich_28_columns.csv"
Run = Callable[..., Result]


@pytest.fixture
def run(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command against the test's database; no secret is set, for a command serves nobody."""
    monkeypatch.setenv("DATABASE_URL", database.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("SLA_ARCHIVE", str(tmp_path / "invoices"))
    monkeypatch.delenv("SLA_SECRET_KEY", raising=False)
    monkeypatch.delenv("SLA_DEMONSTRATION", raising=False)

    def command(*words: str, exit_code: int = 0, **options: Any) -> Result:
        result = CliRunner().invoke(program, list(words), **options)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == exit_code, result.output
        return result

    return command


def answer(result: Result) -> Any:
    return json.loads(result.stdout)


def begun(run: Run) -> None:
    """Set a council up with the Greenwich slice and a catalogue."""
    run("init", "--authority", "203", "--name", "Aldermere Council", "--json")
    run("import", "schools", str(REGISTER), "--json")
    run("catalogue", "load", "southampton-2024-25", "--json")


ORDER = (
    "orders", "place", "--offering", "SOU-EWO-DAY=12", "--start", "2025-10-14", "--end", "2026-03-31",
    "--schedule", "three", "--signed-by", "Test Buyer", "--as-at", "2025-10-10", "--json",
)  # fmt: skip


def academy(database: Database) -> int:
    with database.reading() as session:
        found = select(func.min(School.urn)).where(School.derived_class == CustomerClass.ACADEMY)
        urn = session.scalar(found.where(School.phase == "Secondary"))
    assert urn is not None
    return urn


def test_a_council_from_its_first_command_to_a_file_for_finance(
    run: Run, database: Database, tmp_path: Path
) -> None:
    begun(run)
    urn = str(academy(database))
    again = answer(run("import", "schools", str(REGISTER), "--json"))
    assert list(again) == ["rows", "added", "updated", "unchanged", "refused", "reasons"]
    assert (again["added"], again["updated"], again["refused"]) == (0, 0, again["reasons"]["closed"])
    added = run(
        "users", "add", "--email", "finance@council.example", "--name", "Test Finance", "--role", "finance_officer",
        "--password-stdin", "--json", input="a long enough password\n",
    )  # fmt: skip
    assert answer(added)["role"] == "finance_officer"
    placed = answer(run(*ORDER, "--school", urn, "--accept"))
    assert (placed["net"], placed["vat"], placed["gross"]) == ("4416.00", "883.20", "5299.20")
    assert [one["gross"] for one in placed["documents"]] == ["1766.40"] * 3
    preview = answer(run("invoices", "run", "--as-at", "2025-10-14", "--preview", "--json"))
    assert preview["issued"] == 1
    with database.reading() as session:
        assert session.scalar(select(func.count(Document.id))) == 0
    issued = answer(run("invoices", "run", "--as-at", "2025-10-14", "--json"))
    assert list(issued) == ["issued", "already", "parked", "net", "vat", "gross", "documents"]
    assert (issued["issued"], issued["net"], issued["vat"], issued["gross"]) == (
        1,
        "1472.00",
        "294.40",
        "1766.40",
    )
    (document,) = issued["documents"]
    assert list(document) == ["number", "kind", "customer", "net", "vat", "gross"]
    assert (document["number"], document["kind"]) == ("EWS/25-26/000001", "invoice")
    repeated = answer(run("invoices", "run", "--as-at", "2025-10-14", "--json"))
    assert (repeated["issued"], repeated["already"], repeated["gross"]) == (0, 1, "0.00")
    (balance,) = answer(run("balance", urn, "--json"))
    assert balance == {
        "year": "2025-26", "contracted": 4320, "varied": 0, "delivered": 0, "charged": 0, "credited": 0,
        "lapsed": 0, "balance": 4320, "booked": 0,
    }  # fmt: skip
    out = tmp_path / "batch.csv"
    batch = answer(run("export", "--layout", "sage50", "--out", str(out), "--json"))
    assert list(batch) == ["batch", "documents", "net", "vat", "gross", "sha256"]
    assert (batch["documents"], batch["gross"]) == (1, "1766.40")
    assert "EWS/25-26/000001" in out.read_text()
    nothing = run("export", "--layout", "sage50", "--out", str(out), "--json", exit_code=1)
    assert nothing.stdout == ""
    assert nothing.stderr
    lapsing = answer(run("year", "close", "2025-26", "--preview", "--as-at", "2026-05-01", "--json"))
    assert lapsing == {"tranches": 1, "lapsed_minutes": 4320, "lapsed_value": "4416.00", "already": False}
    closed = answer(run("year", "close", "2025-26", "--as-at", "2026-05-01", "--json"))
    assert closed == lapsing
    assert answer(run("year", "close", "2025-26", "--as-at", "2026-05-02", "--json")) == {
        **lapsing,
        "already": True,
    }
    assert answer(run("check", "--json")) == {"ok": True, "problems": []}


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("catalogue", "load", "nowhere"), 1, "There is no preset"),
        (("balance", "1"), 1, "1"),
        (("balance", "one"), 2, "not a valid integer"),
        (("invoices", "run", "--as-at", "soon"), 2, "2026-03-31"),
        (("import", "schools", "no-such-file.csv"), 2, "does not exist"),
        (("year", "close", "2025"), 1, "2025-26"),
        (("export", "--layout", "sage50"), 2, "--out"),
        (
            ("users", "add", "--email", "a@b.example", "--name", "A B", "--role", "head_teacher"),
            1,
            "--school",
        ),
        (("init", "--authority", "203", "--name", "Again"), 1, "already"),
    ],
)
def test_what_is_refused_says_why_on_standard_error(
    run: Run, words: tuple[str, ...], code: int, says: str
) -> None:
    run("init", "--authority", "203", "--name", "Aldermere Council")
    refused = run(*words, exit_code=code)
    assert says in refused.stderr
    assert refused.stdout == ""


def test_a_register_with_mistakes_changes_nothing(run: Run, database: Database) -> None:
    run("init", "--authority", "370", "--name", "Aldermere Council")
    bad = REGISTER.with_name("bad_name_133_columns.csv")
    refused = run("import", "schools", str(bad), "--json", exit_code=1)
    assert "EstablishmentName" in refused.stderr
    assert refused.stdout == ""
    with database.reading() as session:
        assert session.scalar(select(func.count(School.id))) == 0


def test_before_a_council_there_is_nothing_to_ask(run: Run) -> None:
    refused = run("balance", "100000", exit_code=1)
    assert "sla-manager init" in refused.stderr


def test_quotes_are_priced_by_the_installed_command(tmp_path: Path) -> None:
    case = {
        "customer_class": "academy", "unit_price": "368.00", "quantity": "12", "step": "0.5", "day_minutes": 444,
        "start": "2025-10-14", "end": "2026-03-31", "schedule": "three", "vat": "standard",
    }  # fmt: skip
    cases = tmp_path / "cases.jsonl"
    cases.write_text(json.dumps(case) + "\n" + json.dumps(case | {"quantity": "12.3"}) + "\n")
    words = [sys.executable, "-c", "from sla_manager.cli import main; main()", "quote", str(cases)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    priced, refused = (json.loads(line) for line in done.stdout.splitlines())
    assert (priced["net"], priced["vat"], priced["gross"]) == ("4416.00", "883.20", "5299.20")
    assert list(refused) == ["error"]


# --- handing over -----------------------------------------------------------------------------------------------


def billed(run: Run, database: Database) -> None:
    """Set up a council that has issued one invoice."""
    begun(run)
    run(*ORDER, "--school", str(academy(database)), "--accept")
    run("invoices", "run", "--as-at", "2025-10-14")


def batches(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count(ExportBatch.id))) or 0


def test_a_file_that_cannot_be_written_is_refused_before_a_batch_is_made(
    run: Run, database: Database, tmp_path: Path
) -> None:
    billed(run, database)
    for out in (tmp_path / "nowhere" / "batch.csv", Path("/dev/full"), Path("/proc/batch.csv")):
        refused = run("export", "--layout", "plain", "--out", str(out), "--json", exit_code=1)
        assert str(out) in refused.stderr
        assert "Nothing was exported" in refused.stderr
        assert refused.stdout == ""
    assert batches(database) == 0
    assert Path("/dev/full").is_char_device()


def test_a_batch_whose_file_was_lost_can_be_written_again_unchanged(
    run: Run, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    billed(run, database)
    out = tmp_path / "batch.csv"

    def full(part: Path, content: bytes, out: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("sla_manager.cli.exporting._write", full)
        failed = run("export", "--layout", "plain", "--out", str(out), "--as-at", "2025-10-14", exit_code=1)
    assert "sla-manager export --again plain-20251014-0001.csv" in failed.stderr
    assert list(tmp_path.glob("*batch.csv*")) == []
    first = answer(run("export", "--again", "plain-20251014-0001.csv", "--out", str(out), "--json"))
    assert (first["documents"], first["gross"]) == (1, "1766.40")
    content = out.read_bytes()
    assert hashlib.sha256(content).hexdigest() == first["sha256"]
    again = run("export", "--again", "plain-20251014-0001.csv", "--out", str(out), "--json")
    assert (answer(again), out.read_bytes()) == (first, content)
    assert batches(database) == 1
    unknown = run("export", "--again", "plain-0.csv", "--out", str(out), exit_code=1)
    assert "plain-0.csv" in unknown.stderr
    both = run("export", "--again", "x", "--layout", "plain", "--out", str(out), exit_code=2)
    assert "either" in both.stderr


def test_what_a_run_answers_is_what_is_in_the_books(run: Run, database: Database) -> None:
    begun(run)
    run(*ORDER, "--school", str(academy(database)), "--accept")
    issued = answer(run("invoices", "run", "--as-at", "2026-03-01", "--json"))
    with database.reading() as session:
        stored = list(session.scalars(select(Document).order_by(Document.id)))
    assert issued["documents"] == [
        {
            "number": one.number, "kind": one.kind.value, "customer": one.facts["customer"]["name"],
            "net": str(one.net), "vat": str(one.vat), "gross": str(one.gross),
        }
        for one in stored
    ]  # fmt: skip
    assert len(stored) == issued["issued"] == 3
    assert (issued["net"], issued["vat"], issued["gross"]) == ("4416.00", "883.20", "5299.20")
    earlier = run("invoices", "run", "--as-at", "2026-02-01", "--json")
    assert answer(earlier)["issued"] == 0


def test_everything_issued_is_printed_once(run: Run, database: Database, tmp_path: Path) -> None:
    billed(run, database)
    assert answer(run("print", "--json")) == {"documents": 1, "agreements": 1, "papers": 1, "waiting": 0}
    assert answer(run("print", "--json")) == {"documents": 0, "agreements": 0, "papers": 0, "waiting": 0}
    names = sorted(path.name for path in (tmp_path / "invoices" / "2025-26").iterdir())
    assert "EWS-25-26-000001.pdf" in names
    assert "EWS-25-26-000001.json" in names
    assert answer(run("check", "--json")) == {"ok": True, "problems": []}
    paper = tmp_path / "invoices" / "2025-26" / "EWS-25-26-000001.pdf"
    paper.chmod(0o600)
    paper.write_bytes(b"%PDF-1.7 something else")
    off = run("check", "--json", exit_code=1)
    assert answer(off)["ok"] is False
    assert set(answer(off)["problems"][0]) == {"code", "about", "message", "what_to_do"}
    assert off.stderr


# --- buying and people ------------------------------------------------------------------------------------------


def test_an_order_takes_several_offerings_and_a_split_by_years(run: Run, database: Database) -> None:
    begun(run)
    with database.transaction() as session:
        builders.an_offering(session, "48.50", code="EWS-HOUR", name="An hour", unit="hour", unit_minutes=60)
    urn = str(academy(database))
    placed = answer(
        run(
            "orders", "place", "--school", urn, "--offering", "SOU-EWO-DAY=12", "--offering", "EWS-HOUR=4",
            "--split", "SOU-EWO-DAY=2025-26:5,2026-27:7", "--split", "EWS-HOUR=2025-26:4,2026-27:0",
            "--start", "2026-01-05", "--end", "2026-07-20", "--signed-by", "Test Buyer", "--as-at", "2026-01-05",
            "--accept", "--json",
        )
    )  # fmt: skip
    assert placed["net"] == "4610.00"
    rows = answer(run("balance", urn, "--json"))
    assert sorted((row["year"], row["contracted"]) for row in rows) == [
        ("2025-26", 240),
        ("2025-26", 5 * 360),
        ("2026-27", 7 * 360),
    ]
    assert all(type(row[key]) is int for row in rows for key in row if key != "year")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--offering", "SOU-EWO-DAY"), "CODE=QUANTITY"),
        (("--offering", "SOU-EWO-DAY=12", "--offering", "SOU-EWO-DAY=1"), "twice"),
        (("--offering", "SOU-EWO-DAY=many"), "not a quantity"),
        (("--offering", "SOU-EWO-DAY=0.3"), "half days"),
        (("--offering", "NO-SUCH-THING=1"), "NO-SUCH-THING"),
        (("--offering", "SOU-EWO-DAY=12", "--split", "OTHER=2025-26:12"), "not bought"),
        (("--offering", "SOU-EWO-DAY=12", "--split", "SOU-EWO-DAY=2025-26:5"), "5"),
        (("--offering", "SOU-EWO-DAY=12", "--split", "SOU-EWO-DAY=25:12"), "financial year"),
    ],
)
def test_an_order_that_is_refused_leaves_nothing(
    run: Run, database: Database, words: tuple[str, ...], says: str
) -> None:
    begun(run)
    rest = [word for word in ORDER if word not in ("--offering", "SOU-EWO-DAY=12")]
    refused = run(*rest, "--school", str(academy(database)), *words, exit_code=1)
    assert says in refused.stderr
    with database.reading() as session:
        assert session.scalar(select(func.count(Agreement.id))) == 0


def test_somebody_without_a_password_is_posted_a_link_for_setting_one(run: Run, database: Database) -> None:
    begun(run)
    wanted = ("users", "add", "--email", "manager@council.example", "--name", "Test Manager")
    added = run(*wanted, "--role", "service_manager", "--json", input="")
    assert list(answer(added)) == ["id", "email", "role"]
    with database.reading() as session:
        (mail,) = session.scalars(select(OutboxMessage))
    assert mail.recipient == "manager@council.example"
    assert "/password/set/" in mail.body
    assert run(*wanted, "--role", "finance_officer", "--json").exit_code == 0
    with database.reading() as session:
        assert session.scalar(select(func.count(OutboxMessage.id))) == 1
    weak = ("users", "add", "--email", "b@council.example", "--name", "Test B", "--role", "finance_officer")
    assert run(*weak, "--password-stdin", input="short\n", exit_code=1).stderr


# --- databases --------------------------------------------------------------------------------------------------


def test_a_database_of_another_version_is_named_with_what_to_do(run: Run, database: Database) -> None:
    begun(run)
    newest = run("database", "current").stdout.split()[0]
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    behind = run("check", "--json", exit_code=1)
    assert "sla-manager database upgrade" in behind.stderr
    assert newest in behind.stderr
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "does not know" in run("check", exit_code=1).stderr
    assert run("database", "upgrade", exit_code=1).stderr


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "oracle-of://nowhere",
        "sqlite:////proc/nowhere/sla.db",
        "postgresql://nobody:secret@127.0.0.1:1/no",
    ],
)
def test_a_database_that_cannot_be_opened_is_refused_in_words(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.delenv("SLA_SECRET_KEY", raising=False)
    for words in (["check", "--json"], ["init", "--authority", "203", "--name", "Aldermere Council"]):
        refused = CliRunner().invoke(program, words)
        assert (refused.exit_code, refused.stdout) == (1, ""), refused.output
        assert refused.stderr.strip()
        assert "Traceback" not in refused.stderr
        assert "secret" not in refused.stderr


def test_a_file_that_is_no_database_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    letter = tmp_path / "letter.db"
    letter.write_text("Dear all, this is a letter and not a database. " * 100)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{letter}")
    refused = CliRunner().invoke(program, ["check", "--json"])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "not a database" in refused.stderr


def test_a_real_process_needs_no_secret_and_answers_nothing_but_json(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": f"sqlite:///{tmp_path / 'sla.db'}",
        "SLA_ARCHIVE": str(tmp_path / "invoices"),
    }

    def process(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "sla_manager.cli", *words],
            capture_output=True, text=True, env=environment, cwd=ROOT, timeout=120, check=False,
        )  # fmt: skip

    missing = process("check", "--json")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "sla-manager init" in missing.stderr
    made = process("init", "--authority", "203", "--name", "Aldermere Council", "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["authority"] == "203"
    imported = process("import", "schools", str(REGISTER), "--json")
    assert set(json.loads(imported.stdout)) == {"rows", "added", "updated", "unchanged", "refused", "reasons"}
    checked = process("check", "--json")
    assert (checked.returncode, json.loads(checked.stdout)) == (0, {"ok": True, "problems": []})
    assert process("check", "--jsno").returncode == 2
