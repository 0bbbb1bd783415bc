"""How a command opens the product and answers: the database, the moment, who acts, words or JSON, exit codes."""

from __future__ import annotations

import functools
import getpass
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ParamSpec, TypeVar

import click
from sqlalchemy import inspect, select
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError, OperationalError

from sla_manager.cli.revisions import check_revision
from sla_manager.config import Settings, UnsafeSettings, prepare_logs, read_settings
from sla_manager.kernel.clock import as_at, london_date, system_clock
from sla_manager.kernel.errors import NotFound, ProductError, Refused
from sla_manager.people.models import Provider
from sla_manager.people.queries import provider
from sla_manager.store.audit import Actor
from sla_manager.store.constraints import explain
from sla_manager.store.database import Database

P = ParamSpec("P")
R = TypeVar("R")
REFUSED = 1


class NoCouncilError(NotFound):
    """Nothing was set up in this database."""

    def __init__(self) -> None:
        super().__init__(
            "There is no council here yet. Run `sla-manager init --authority CODE --name NAME` first."
        )


class IsoDate(click.ParamType[date]):
    """A date like 2026-03-31."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read the date, or say what a date looks like (exit code 2)."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"“{value}” is not a date. Write it like 2026-03-31.", param, ctx)


as_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for machines.")
on_date = click.option(
    "--as-at", "day", type=IsoDate(), help="The London date to act at, like 2026-03-31; else now."
)


@dataclass(frozen=True)
class Product:
    """The opened product, as a command sees it."""

    settings: Settings
    database: Database

    @property
    def by(self) -> Actor:
        """Who acts: the account at the terminal."""
        try:
            account = getpass.getuser()
        except (KeyError, OSError):
            account = "unknown account"
        return Actor(None, f"{account} (command line)")


def settings_for_commands() -> Settings:
    """Return the settings; a command serves no sessions and so needs no secret."""
    values = dict(os.environ)
    values["SLA_SECRET_KEY"] = values.get("SLA_SECRET_KEY") or secrets.token_hex(32)
    try:
        return read_settings(values)
    except UnsafeSettings as error:
        raise Refused(str(error)) from error


def open_product(*, empty: bool = False, needs_council: bool = True) -> Product:
    """Open the database. Unless `empty`, it must have been set up before, by this version of the product."""
    prepare_logs()
    settings = settings_for_commands()
    database = _opened(settings.database_url)
    has_tables = is_set_up(database)
    if not empty:
        if not has_tables:
            raise NoCouncilError()
        check_revision(database)
        if needs_council:
            with database.reading() as session:
                if provider(session) is None:
                    raise NoCouncilError()
    return Product(settings, database)


def _opened(url: str) -> Database:
    try:
        return Database.open(url)
    except (ArgumentError, ImportError, ValueError) as error:
        raise Refused(
            "DATABASE_URL is no address of a database. Write it like sqlite:///var/sla-manager.db or "
            "postgresql://user:password@host/name."
        ) from error
    except OSError as error:
        raise Refused(
            f"The folder of the database cannot be made: {error.strerror} ({error.filename})."
        ) from error


def is_set_up(database: Database) -> bool:
    """Say whether the product's tables are there; a database that cannot be opened is refused in words."""
    try:
        return inspect(database.engine).has_table("provider")
    except DatabaseError as error:
        raise Refused(f"The database cannot be opened: {first_line(error)}") from error


def has_council(database: Database) -> bool:
    """Say whether the council was made: tables alone are not enough."""
    if not is_set_up(database):
        return False
    with database.reading() as session:
        return session.scalar(select(Provider.id)) is not None


def first_line(error: DatabaseError) -> str:
    """Return what the database said, without the statement and its figures."""
    return (str(error.orig).strip().splitlines() or ["it said nothing"])[0]


def moment(day: date | None) -> datetime:
    """Return noon in London on the day asked for, or this instant."""
    return system_clock() if day is None else as_at(day)


def day_of(day: date | None) -> date:
    """Return the day asked for, or today's date in London."""
    return day or london_date(system_clock())


def answer(facts: Mapping[str, Any], *, as_json: bool, words: str) -> None:
    """Print the facts for machines, or the words for people."""
    click.echo(json.dumps(facts, ensure_ascii=False) if as_json else words)


def refusals(command: Callable[P, R]) -> Callable[P, R]:
    """Turn a refusal into its reason on standard error and exit code 1."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except ProductError as error:
            click.echo(error.message, err=True)
        except IntegrityError as error:
            refused = explain(error)
            if refused is None:
                raise
            click.echo(refused.message, err=True)
        except OperationalError as error:
            click.echo(f"The database did not do it: {first_line(error)}. Try again.", err=True)
        raise SystemExit(REFUSED)

    return wrapped
