"""Which shape a database has, and which one this version of the product needs."""

from __future__ import annotations

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from sla_manager.config import ROOT
from sla_manager.kernel.errors import Conflict
from sla_manager.store.database import Database


class BehindError(Conflict):
    """The database has the shape of an earlier version."""

    def __init__(self, found: str, wanted: str) -> None:
        super().__init__(
            f"The database is at migration {found}, and this version of the product needs {wanted}. "
            "Run `sla-manager database upgrade` first."
        )


class AheadError(Conflict):
    """The database has the shape of a later version."""

    def __init__(self, found: str, wanted: str) -> None:
        super().__init__(
            f"The database is at migration {found}, which this version of the product (up to {wanted}) does not "
            "know. Use the version that made it."
        )


def config() -> Config:
    """Return where the migrations lie."""
    made = Config(str(ROOT / "migrations" / "alembic.ini"))
    made.set_main_option("script_location", str(ROOT / "migrations"))
    return made


def newest() -> str:
    """Return the newest revision that this version of the product knows."""
    return str(ScriptDirectory.from_config(config()).get_current_head())


def revision_of(database: Database) -> str:
    """Return the revision the database is at; "nothing" before the first."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or "nothing"


def check_revision(database: Database) -> None:
    """Refuse a database that an earlier or a later version of the product has shaped."""
    found, scripts = revision_of(database), ScriptDirectory.from_config(config())
    wanted = str(scripts.get_current_head())
    if found == wanted:
        return
    known = {script.revision for script in scripts.walk_revisions()}
    raise BehindError(found, wanted) if found in known or found == "nothing" else AheadError(found, wanted)
