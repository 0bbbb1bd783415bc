"""Attendance figures of schools, census counts, and the bands that recommend a quantity."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sla_manager.store.triggers import append_only, not_append_only

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FACTS = ("figures_import", "attendance_figure", "census_count")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "figures_import",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('absence', 'census')", name=op.f("ck_figures_import_file_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figures_import")),
    )
    op.create_table(
        "figures_upload",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("compressed", sa.LargeBinary(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figures_upload")),
    )
    _figures()
    _bands()
    for table in FACTS:
        append_only(op, table)


def _figures() -> None:
    op.create_table(
        "attendance_figure",
        sa.Column("id", KEY, nullable=False),
        sa.Column("school_id", KEY, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("enrolments", sa.Integer(), nullable=True),
        sa.Column("overall", sa.BigInteger(), nullable=True),
        sa.Column("persistent", sa.BigInteger(), nullable=True),
        sa.Column("persistent_pupils", sa.Integer(), nullable=True),
        sa.Column("severe", sa.BigInteger(), nullable=True),
        sa.Column("severe_pupils", sa.Integer(), nullable=True),
        sa.Column("import_id", KEY, nullable=False),
        sa.CheckConstraint("year BETWEEN 2000 AND 2100", name=op.f("ck_attendance_figure_year")),
        sa.CheckConstraint("enrolments >= 0", name=op.f("ck_attendance_figure_enrolments")),
        sa.CheckConstraint("overall BETWEEN 0 AND 100000", name=op.f("ck_attendance_figure_overall")),
        sa.CheckConstraint("persistent BETWEEN 0 AND 100000", name=op.f("ck_attendance_figure_persistent")),
        sa.CheckConstraint("severe BETWEEN 0 AND 100000", name=op.f("ck_attendance_figure_severe")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_attendance_figure_school_id")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["figures_import.id"], name=op.f("fk_attendance_figure_import_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_figure")),
        sa.UniqueConstraint(
            "school_id", "year", "import_id", name=op.f("uq_attendance_figure_school_id_year_import_id")
        ),
    )
    op.create_index("ix_attendance_figure_import_id", "attendance_figure", ["import_id"], unique=False)
    op.create_table(
        "census_count",
        sa.Column("id", KEY, nullable=False),
        sa.Column("school_id", KEY, nullable=False),
        sa.Column("counted_on", sa.Date(), nullable=False),
        sa.Column("pupils", sa.Integer(), nullable=True),
        sa.Column("import_id", KEY, nullable=False),
        sa.CheckConstraint("pupils >= 0", name=op.f("ck_census_count_pupils")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_census_count_school_id")),
        sa.ForeignKeyConstraint(["import_id"], ["figures_import.id"], name=op.f("fk_census_count_import_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_census_count")),
        sa.UniqueConstraint(
            "school_id",
            "counted_on",
            "import_id",
            name=op.f("uq_census_count_school_id_counted_on_import_id"),
        ),
    )
    op.create_index("ix_census_count_import_id", "census_count", ["import_id"], unique=False)


def _bands() -> None:
    op.create_table(
        "need_band",
        sa.Column("id", KEY, nullable=False),
        sa.Column("service_id", KEY, nullable=False),
        sa.Column("measure", sa.String(length=40), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("from_value", sa.BigInteger(), nullable=False),
        sa.Column("to_value", sa.BigInteger(), nullable=True),
        sa.Column("offering_id", KEY, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.String(length=40), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.CheckConstraint("to_value IS NULL OR from_value < to_value", name=op.f("ck_need_band_range")),
        sa.CheckConstraint("from_value >= 0", name=op.f("ck_need_band_from_value")),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_need_band_quantity")),
        sa.CheckConstraint(
            "measure <> 'phase' OR (phase <> '' AND from_value = 0 AND to_value IS NULL)",
            name=op.f("ck_need_band_phase_alone"),
        ),
        sa.CheckConstraint(
            "measure IN ('persistent', 'severe', 'phase', 'pupils')", name=op.f("ck_need_band_measure")
        ),
        sa.CheckConstraint("basis IN ('agreement', 'term', 'week')", name=op.f("ck_need_band_basis")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_need_band_service_id")),
        sa.ForeignKeyConstraint(["offering_id"], ["offering.id"], name=op.f("fk_need_band_offering_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_need_band")),
    )
    op.create_index("ix_need_band_service_id", "need_band", ["service_id"], unique=False)
    op.create_index(
        "uq_need_band_begins", "need_band", ["offering_id", "measure", "phase", "from_value"], unique=True
    )


def downgrade() -> None:
    """Take them away again."""
    for table in FACTS:
        not_append_only(op, table)
    for table in ("need_band", "census_count", "attendance_figure", "figures_upload", "figures_import"):
        op.drop_table(table)
