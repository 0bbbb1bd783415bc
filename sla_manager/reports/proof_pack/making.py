"""Making a proof pack: file after file into a ZIP whose bytes depend on the books alone.

What was issued stands in it as it was issued; the lists beside it name nobody but those who signed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.orm import Session

from sla_manager.gateways.packing import zipped
from sla_manager.gateways.printing import Prints
from sla_manager.kernel.errors import Broken, GatewayFailed
from sla_manager.kernel.references import canonical_json, sha256
from sla_manager.reports.findings import Files, Problem
from sla_manager.reports.proof_pack import lists
from sla_manager.reports.proof_pack.checks import Checked, checks_of
from sla_manager.reports.proof_pack.scope import Scope, scope_of
from sla_manager.reports.proof_pack.statements import statement_facts

Told = Callable[[int, int], None]
"""Is told how many files are done, and of how many."""


@dataclass(slots=True)
class _Pack:
    """A pack in the making: what was put in, and what was off about it."""

    session: Session
    scope: Scope
    archive: Files
    printer: Prints
    put: list[tuple[str, str, int]] = field(default_factory=list)
    off: list[Problem] = field(default_factory=list)
    read: int = 0
    missing: list[str] = field(default_factory=list)

    def add(self, path: str, content: bytes) -> tuple[str, bytes]:
        """Note a file for the manifest."""
        self.put.append((path, sha256(content), len(content)))
        return path, content

    def archived(self, path: str, about: str, kept: tuple[str, str] | None) -> Iterator[tuple[str, bytes]]:
        """Yield a file of the archive; one that is damaged is named instead."""
        if kept is None:
            self.missing.append(about)
            return
        self.read += 1
        try:
            content = self.archive.read(*kept)
        except Broken as error:
            self.off.append(
                Problem("file_off", about, error.message, "Put the file back from the backup of the archive.")
            )
            return
        yield self.add(path, content)


def proof_pack(
    session: Session,
    school_id: int,
    year: int,
    *,
    archive: Files,
    printer: Prints,
    templates: Path,
    tell: Told = lambda done, total: None,
) -> Iterator[bytes]:
    """Yield the ZIP of a school's year, piece by piece. The same books give the same bytes."""
    scope = scope_of(session, school_id, year)
    pack = _Pack(session, scope, archive, printer)
    yield from zipped(_told(_files(pack, templates), expected(scope), tell))


def expected(scope: Scope) -> int:
    """Return about how many files a pack has, for its progress."""
    return 2 * (len(scope.versions) + len(scope.documents)) + len(scope.acceptances) + len(scope.papers) + 9


def _told(files: Iterator[tuple[str, bytes]], total: int, tell: Told) -> Iterator[tuple[str, bytes]]:
    for done, file in enumerate(files, 1):
        yield file
        tell(min(done, total), total)


def _files(pack: _Pack, templates: Path) -> Iterator[tuple[str, bytes]]:
    scope = pack.scope
    yield from _agreements(pack)
    timed, statements = list(lists.time_listed(pack.session, scope)), list(_statements(pack))
    yield from statements
    for document in scope.documents:
        name = document.number.replace("/", "-")
        file = scope.files.get(document.id)
        kept = (file.path, file.sha256) if file is not None else None
        yield from pack.archived(f"documents/{name}.pdf", document.number, kept)
        yield pack.add(f"documents/{name}.json", canonical_json(document.facts))
    tables = [
        lists.visits_listed(pack.session, scope),
        *(listed for _, listed in timed),
        lists.documents_listed(scope),
        lists.payments_listed(pack.session, scope),
        lists.refunds_listed(pack.session, scope),
        lists.exports_listed(pack.session, scope.documents),
    ]
    for table in tables:
        yield pack.add(table.path, table.csv())
    checks = checks_of(pack.session, scope, pack.off, pack.read)
    yield pack.add("checks.json", _json({"checks": [one.facts() for one in checks]}))
    yield pack.add("index.html", _index(pack, templates, tables, checks))
    yield pack.add("manifest.json", _manifest(pack))
    sums = "".join(f"{digest}  {path}\n" for path, digest, _ in pack.put)
    yield "SHA256SUMS", sums.encode()


def _agreements(pack: _Pack) -> Iterator[tuple[str, bytes]]:
    scope = pack.scope
    for version, file in scope.versions:
        reference = scope.agreement(version.agreement_id).reference
        stem = f"{scope.folder(version.agreement_id)}/version-{version.number}-{version.kind}"
        kept = (file.path, file.sha256) if file is not None else None
        if kept is not None or version.kind != "quote":  # a quote is printed only when somebody asks for it
            yield from pack.archived(f"{stem}.pdf", f"{reference}, version {version.number}", kept)
        yield pack.add(f"{stem}.json", canonical_json(version.facts))
    for accepted in scope.acceptances:
        reference = scope.agreement(accepted.agreement_id).reference
        facts = lists.acceptance_facts(accepted, reference)
        yield pack.add(f"{scope.folder(accepted.agreement_id)}/acceptance.json", _json(facts))
    for paper, printed in scope.papers:
        agreement = scope.agreement(paper.agreement_id or 0)
        kept = (printed.path, printed.sha256) if printed is not None else None
        path = f"{scope.folder(agreement.id)}/{paper.kind}-{paper.id}.pdf"
        yield from pack.archived(path, f"{agreement.reference}, {paper.kind} {paper.id}", kept)


def _statements(pack: _Pack) -> Iterator[tuple[str, bytes]]:
    """Yield the statement of time of each agreement; one that cannot be printed is named, its list stays."""
    scope = pack.scope
    balances = (balance for balance, _ in lists.time_listed(pack.session, scope))
    for agreement_id, group in groupby(balances, key=lambda one: one.agreement_id):
        version = [version for version, _ in scope.versions if version.agreement_id == agreement_id][-1]
        facts = statement_facts(pack.session, version, scope.school.name, list(group))
        reference = scope.agreement(agreement_id).reference
        try:
            content = pack.printer.print("day_statement", facts)
        except GatewayFailed:
            pack.missing.append(f"{reference}, statement of time")
            continue
        yield pack.add(f"{scope.folder(agreement_id)}/statement-of-time.pdf", content)


def _json(facts: Mapping[str, Any]) -> bytes:
    return (json.dumps(facts, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def _manifest(pack: _Pack) -> bytes:
    scope = pack.scope
    return _json(
        {
            "council": scope.council,
            "school": {"urn": scope.school.urn, "name": scope.school.name},
            "financial_year": str(scope.year),
            "files": [{"path": path, "sha256": digest, "bytes": size} for path, digest, size in pack.put],
            "not_printed": pack.missing,
        }
    )


def _index(pack: _Pack, templates: Path, tables: Sequence[lists.Listed], checks: Sequence[Checked]) -> bytes:
    environment = Environment(
        loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    scope = pack.scope
    page = environment.get_template("proof_pack/index.html").render(
        said=lists.in_words,
        scope=scope,
        tables=tables,
        checks=checks,
        problems=[problem for one in checks for problem in one.problems],
        paths={path for path, _, _ in pack.put},
        missing=pack.missing,
        acceptances={one.agreement_id: one for one in scope.acceptances},
    )
    return page.encode()
