"""Bank statements: files, lines, what each line was matched with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import after_insert, allow_again, append_only, not_append_only, refuse_when

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FACTS = ("bank_layout", "bank_import", "bank_line", "bank_match", "journal_remittance", "journal_receipt")
MATCHED = "(SELECT SUM(amount) FROM bank_match WHERE line_id = NEW.line_id)"
TWICE = (
    "NEW.receipt_id IS NOT NULL AND (SELECT COUNT(*) FROM bank_match AS other WHERE other.receipt_id = NEW.receipt_id "
    "AND NOT EXISTS (SELECT 1 FROM bank_match AS back WHERE back.reverses_id = other.id)) > 1"
)
LINE = "(SELECT amount FROM bank_line WHERE id = NEW.line_id)"


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _whole(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _pence(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _at(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _key(name: str, *, empty: bool = False) -> sa.Column[int]:
    return sa.Column(name, KEY, nullable=empty)


def _once() -> sa.Column[str]:
    return sa.Column("once_key", sa.Text(), nullable=True)


def _rules(
    table: str,
    *,
    keys: dict[str, str] | None = None,
    unique: tuple[tuple[str, ...], ...] = (),
    primary: str = "id",
    **checks: str,
) -> list[sa.Constraint]:
    made: list[sa.Constraint] = [sa.PrimaryKeyConstraint(primary, name=op.f(f"pk_{table}"))]
    for column, other in (keys or {}).items():
        made.append(sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}")))
    made += [sa.UniqueConstraint(*each, name=op.f(f"uq_{table}_{'_'.join(each)}")) for each in unique]
    made += [sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}")) for name, rule in checks.items()]
    return made


def upgrade() -> None:
    """Make the tables, and the rules that the database holds."""
    _statements()
    _matches()
    _journals()
    for table in FACTS:
        append_only(op, table)
    after_insert(
        op, "bank_line_opens", table="bank_line", when="NEW.amount > 0",
        does="INSERT INTO bank_line_open (line_id, open) VALUES (NEW.id, NEW.amount)",
    )  # fmt: skip
    after_insert(
        op, "bank_match_settles", table="bank_match",
        does="UPDATE bank_line_open SET open = open - NEW.amount WHERE line_id = NEW.line_id",
    )  # fmt: skip
    refuse_when(
        op, "bank_match_line", table="bank_match", event="INSERT", when=f"{MATCHED} > {LINE} OR {MATCHED} < 0",
        says="bank_match_exceeds_line", lock="SELECT 1 FROM bank_line WHERE id = NEW.line_id FOR UPDATE",
    )  # fmt: skip
    refuse_when(
        op, "bank_match_receipt", table="bank_match", event="INSERT", says="bank_match_is_its_receipt",
        when="NEW.receipt_id IS NOT NULL AND NEW.amount <> (SELECT amount FROM receipt WHERE id = NEW.receipt_id)",
    )  # fmt: skip
    refuse_when(
        op, "bank_match_once", table="bank_match", event="INSERT", when=TWICE, says="bank_match_receipt_once",
        lock="SELECT 1 FROM receipt WHERE id = NEW.receipt_id FOR UPDATE",
    )  # fmt: skip


def _statements() -> None:
    op.create_table(
        "bank_layout", _key("id"), *_texts("name", "columns"), _at("made_at"), *_texts("made_by"),
        *_rules("bank_layout", unique=(("name",),)),
    )  # fmt: skip
    op.create_table(
        "bank_import", _key("id"), *_texts("file_name", "written", "sha256", "accounts"), *_whole("taken", "known"),
        *_texts("findings"), sa.Column("first_on", sa.Date(), nullable=True),
        sa.Column("last_on", sa.Date(), nullable=True), _at("imported_at"), *_texts("imported_by"),
        *_rules("bank_import", unique=(("sha256", "written"),)),
    )  # fmt: skip
    op.create_table(
        "bank_line", _key("id"), _key("import_id"), *_whole("number"), *_texts("account"),
        sa.Column("booked_on", sa.Date(), nullable=False), sa.Column("value_on", sa.Date(), nullable=True),
        _pence("amount"), *_texts("text", "payer", "payer_account", "bank_reference", "identity"),
        *_whole("occurrence"),
        *_rules(
            "bank_line", keys={"import_id": "bank_import"}, unique=(("identity", "occurrence"),),
            amount="amount <> 0", occurrence="occurrence > 0",
        ),
    )  # fmt: skip
    op.create_index("ix_bank_line_import", "bank_line", ["import_id", "id"])
    named = sa.text("payer <> ''")
    op.create_index("ix_bank_line_payer", "bank_line", ["payer"], sqlite_where=named, postgresql_where=named)
    named = sa.text("payer_account <> ''")
    op.create_index(
        "ix_bank_line_payer_account",
        "bank_line",
        ["payer_account"],
        sqlite_where=named,
        postgresql_where=named,
    )


def _matches() -> None:
    op.create_table(
        "bank_line_open", _key("line_id"), _pence("open"),
        *_rules("bank_line_open", keys={"line_id": "bank_line"}, primary="line_id"),
    )  # fmt: skip
    still = sa.text("open > 0")
    op.create_index(
        "ix_bank_line_open_open", "bank_line_open", ["line_id"], sqlite_where=still, postgresql_where=still
    )
    op.create_table(
        "bank_match", _key("id"), _key("line_id"), *_texts("kind"), _key("receipt_id", empty=True), _pence("amount"),
        *_texts("reason"), _key("reverses_id", empty=True), _at("matched_at"), *_texts("matched_by"), _once(),
        *_rules(
            "bank_match",
            keys={"line_id": "bank_line", "receipt_id": "receipt", "reverses_id": "bank_match"},
            unique=(("reverses_id",), ("once_key",)),
            kind="kind IN ('receipt', 'recorded', 'not_ours')",
            sign="(reverses_id IS NULL AND amount > 0) OR (reverses_id IS NOT NULL AND amount < 0)",
            receipt="(receipt_id IS NOT NULL) = (kind <> 'not_ours' AND reverses_id IS NULL)",
        ),
    )  # fmt: skip
    op.create_index(op.f("ix_bank_match_line_id"), "bank_match", ["line_id"])
    op.create_index(op.f("ix_bank_match_receipt_id"), "bank_match", ["receipt_id"])
    op.create_index("ix_receipt_amount", "receipt", ["amount", "received_on"])


def _journals() -> None:
    op.create_table(
        "journal_remittance", _key("id"), *_texts("reference"), sa.Column("journal_on", sa.Date(), nullable=False),
        _pence("total"), _at("recorded_at"), *_texts("recorded_by"), _once(),
        *_rules("journal_remittance", unique=(("once_key",),), total="total > 0"),
    )  # fmt: skip
    op.create_table(
        "journal_receipt", _key("id"), _key("remittance_id"), _key("receipt_id"),
        *_rules(
            "journal_receipt", keys={"remittance_id": "journal_remittance", "receipt_id": "receipt"},
            unique=(("receipt_id",),),
        ),
    )  # fmt: skip
    op.create_index(op.f("ix_journal_receipt_remittance_id"), "journal_receipt", ["remittance_id"])


def downgrade() -> None:
    """Take them away again."""
    op.drop_index("ix_receipt_amount", "receipt")
    for name in ("bank_match_once", "bank_match_receipt", "bank_match_line", "bank_match_settles"):
        allow_again(op, name, table="bank_match")
    allow_again(op, "bank_line_opens", table="bank_line")
    for table in FACTS:
        not_append_only(op, table)
    for table in (
        "journal_receipt", "journal_remittance", "bank_match", "bank_line_open", "bank_line", "bank_import",
        "bank_layout",
    ):  # fmt: skip
        op.drop_table(table)
