"""Handing over from the terminal: a batch and its file, and the same file once more."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import click

from sla_manager.cli.opening import answer, as_json, moment, on_date, open_product, refusals
from sla_manager.kernel.errors import GatewayFailed, Refused


@click.command("export")
@click.option(
    "--layout", help="The layout's name: plain, sage50, xero, quickbooks, oracle, journal or one of your own."
)
@click.option("--again", metavar="BATCH", help="Write the file of an earlier batch once more, unchanged.")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write."
)
@on_date
@as_json
@refusals
def export(layout: str | None, again: str | None, out: Path, day: date | None, as_json: bool) -> None:
    """Put every document that is in no batch of this layout into a new one, and write its file."""
    from sla_manager.finance.commands import make_batch
    from sla_manager.finance.queries import batch_by_filename

    if (layout is None) == (again is None):
        raise click.UsageError(
            "Say either --layout NAME for a new batch or --again BATCH for an earlier one."
        )
    product = open_product()
    with _place_for(out) as part:
        if again is not None:
            with product.database.reading() as session:
                batch = batch_by_filename(session, again)
                content = bytes(batch.content)
        else:
            with product.database.transaction() as session:
                batch = make_batch(session, str(layout), by=product.by, at=moment(day))
                content = bytes(batch.content)
        try:
            _write(part, content, out)
        except OSError as error:
            raise GatewayFailed(
                f"{batch.filename} is made and kept, but {out} could not be written: {error.strerror}. "
                f"Write it again with `sla-manager export --again {batch.filename} --out FILE`."
            ) from error
    facts = {
        "batch": batch.filename,
        "documents": batch.count,
        "net": str(batch.net),
        "vat": str(batch.vat),
        "gross": str(batch.gross),
        "sha256": batch.sha256,
    }
    words = f"{batch.filename}: {batch.count} documents, net £{batch.net}, VAT £{batch.vat}, gross £{batch.gross}."
    answer(facts, as_json=as_json, words=words)


@contextmanager
def _place_for(out: Path) -> Iterator[Path]:
    """Lend a file beside `out`, made before anything else happens, and remove it when it was not used."""
    if out.exists() and not out.is_file():
        raise Refused(f"{out} is no file. Nothing was exported. Name a file to write.")
    part = out.resolve().with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    try:
        if out.exists() and not os.access(out, os.W_OK):
            raise PermissionError(13, "it may not be changed")
        part.touch(exist_ok=False)
    except OSError as error:
        raise Refused(
            f"{out} cannot be written: {error.strerror}. Nothing was exported. Name another file."
        ) from error
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _write(part: Path, content: bytes, out: Path) -> None:
    """Give the file its name when it is whole on the disk, so that nobody reads half a batch."""
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(out.resolve())
