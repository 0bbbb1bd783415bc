"""Importing the national register: the same plan is previewed and carried out.

A file is refused whole when a cell of it cannot be read. Otherwise each row is added, updated, unchanged, or
refused: only schools that are closed, or not open yet, and that we do not know, are refused. A school that we
know and that has closed since is updated, because its agreements and documents stay. A column that a
file lacks changes nothing.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.orm import Session

from sla_manager.gateways.registers import read_register
from sla_manager.kernel.references import sha256
from sla_manager.people.models import Customer, RegisterImport, RegisterUpload, School, Trust
from sla_manager.people.queries import register_upload, the_provider
from sla_manager.people.rules.customer_classes import CustomerClass, derive_customer_class
from sla_manager.people.rules.register import COLUMN_NAMES, RegisterRow, read_rows
from sla_manager.store.audit import Actor, record

UPLOADS_ARE_KEPT = timedelta(days=1)
_EMPTY: Mapping[str, Any] = {
    "establishment_number": None, "opened_on": None, "closed_on": None, "phase": "", "pupils": None,
    "ukprn": None, "register_changed_on": None, "street": "", "locality": "", "address3": "",
    "town": "", "county": "",
    "postcode": "", "easting": None, "northing": None,
}  # fmt: skip


@dataclass(frozen=True)
class RowOutcome:
    """What became of one row: added, updated (old and new of each column) or refused (with its reason)."""

    row: int
    urn: int
    name: str
    outcome: str
    reason: str = ""
    changes: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """Return the outcome as JSON holds it."""
        kept: dict[str, Any] = {"row": self.row, "urn": self.urn, "name": self.name, "outcome": self.outcome}
        if self.reason:
            kept["reason"] = self.reason
        if self.changes:
            kept["changes"] = {column: list(pair) for column, pair in self.changes.items()}
        return kept


@dataclass
class ImportReport:
    """Counts, the reasons of refusals, and each row that was not simply unchanged."""

    rows: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    changes: list[RowOutcome] = field(default_factory=list)
    trusts_added: list[str] = field(default_factory=list)
    trusts_renamed: list[tuple[str, str]] = field(default_factory=list)

    def counts(self) -> dict[str, Any]:
        """Return the fixed machine-readable answer."""
        return {
            "rows": self.rows,
            "added": self.added,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "refused": self.refused,
            "reasons": dict(self.reasons),
        }

    def facts(self) -> dict[str, Any]:
        """Return the whole report as JSON holds it."""
        return self.counts() | {
            "outcomes": [outcome.facts() for outcome in self.changes],
            "trusts_added": self.trusts_added,
            "trusts_renamed": [list(pair) for pair in self.trusts_renamed],
        }


@dataclass
class _Plan:
    report: ImportReport = field(default_factory=ImportReport)
    inserts: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)


class _Trusts:
    """The trusts that are known, and those that the file brings: found by group UID, else by name."""

    def __init__(self, session: Session, report: ImportReport) -> None:
        self._report = report
        every = list(session.scalars(select(Trust)))
        self._by_uid = {trust.group_uid: trust for trust in every if trust.group_uid}
        self._by_name = {trust.name.casefold(): trust for trust in every}
        self._named: set[int] = set()
        self.added: list[Trust] = []
        self.renamed: list[tuple[Trust, str]] = []
        self.identified: list[tuple[Trust, str]] = []

    def of(self, facts: Mapping[str, Any]) -> Trust | None:
        """Return the trust that a row names; a new one is drafted, not yet stored."""
        name, uid = facts["trust_name"], facts.get("trust_code", "")
        if not name:
            return None
        found = self._by_uid.get(uid) if uid else None
        if found is not None:
            self._rename(found, name)
            return found
        found = self._by_name.get(name.casefold())
        if found is not None and not (uid and found.group_uid and found.group_uid != uid):
            if uid and found.group_uid is None:
                self.identified.append((found, uid))
                self._by_uid[uid] = found
            return found
        return self._draft(f"{name} ({uid})" if found is not None else name, uid)

    def _draft(self, name: str, uid: str) -> Trust:
        trust = Trust(name=name, group_uid=uid or None, company_number=None, address=[])
        self.added.append(trust)
        self._report.trusts_added.append(name)
        self._by_name[name.casefold()] = trust
        if uid:
            self._by_uid[uid] = trust
        return trust

    def _rename(self, trust: Trust, name: str) -> None:
        if name == trust.name or id(trust) in self._named:
            return
        self._named.add(id(trust))
        if trust.name == f"{name} ({trust.group_uid})" or name.casefold() in self._by_name:
            return
        self._report.trusts_renamed.append((trust.name, name))
        self.renamed.append((trust, name))
        self._by_name[name.casefold()] = trust


def preview_schools(session: Session, content: bytes) -> ImportReport:
    """Return what an import of this file would do, without doing it."""
    plan, _ = _plan(session, content)
    return plan.report


def import_schools(
    session: Session, content: bytes, *, filename: str, by: Actor, at: datetime
) -> ImportReport:
    """Bring the schools of a register file in; the same file again changes nothing.

    Raises `MissingColumns`, `UnreadableCells` or `UnreadableRegister`; nothing is imported then.
    """
    plan, trusts = _plan(session, content)
    _store_trusts(session, trusts)
    _store_schools(session, plan)
    report = plan.report
    kept = RegisterImport(
        at=at,
        imported_by=by.name,
        filename=filename[:200],
        sha256=sha256(content),
        rows=report.rows,
        added=report.added,
        updated=report.updated,
        unchanged=report.unchanged,
        refused=report.refused,
        report=report.facts(),
    )
    session.add(kept)
    session.flush()
    record(
        session,
        "import_register",
        about="register_import",
        about_id=kept.id,
        summary=f"Imported {kept.filename}: {report.added} schools added, {report.updated} updated, "
        f"{report.unchanged} unchanged, {report.refused} refused.",
        details=report.counts() | {"sha256": kept.sha256},
        by=by,
        at=at,
    )
    for stale in [thing for thing in session if isinstance(thing, School)]:
        session.expire(stale)
    return report


def keep_upload(
    session: Session, content: bytes, *, filename: str, by: Actor, at: datetime
) -> RegisterUpload:
    """Keep an uploaded file with its preview until somebody says "import"; older files go."""
    report = preview_schools(session, content)
    session.execute(delete(RegisterUpload).where(RegisterUpload.at < at - UPLOADS_ARE_KEPT))
    upload = RegisterUpload(
        at=at,
        uploaded_by=by.name,
        filename=filename[:200],
        sha256=sha256(content),
        compressed=zlib.compress(content, 6),
        report=report.facts(),
    )
    session.add(upload)
    session.flush()
    return upload


def import_upload(session: Session, upload_id: int, *, by: Actor, at: datetime) -> ImportReport:
    """Import a kept file. It is dropped in the same transaction, so a second click finds nothing."""
    upload = register_upload(session, upload_id)
    content = zlib.decompress(upload.compressed)
    filename = upload.filename
    session.delete(upload)
    session.flush()
    return import_schools(session, content, filename=filename, by=by, at=at)


def forget_upload(session: Session, upload_id: int) -> None:
    """Drop a kept file without importing it."""
    session.delete(register_upload(session, upload_id))


def _plan(session: Session, content: bytes) -> tuple[_Plan, _Trusts]:
    authority = the_provider(session).authority_code
    register = read_register(content)
    rows = read_rows(register.columns, register.rows())
    table = School.__table__
    known = {row["urn"]: row for row in session.execute(select(table)).mappings()}
    names = {trust.id: trust.name for trust in session.scalars(select(Trust))}
    plan = _Plan()
    plan.report.rows = len(rows)
    trusts = _Trusts(session, plan.report)
    for row in rows:
        stored = known.get(row.urn)
        if stored is None and row.refusal is not None:
            plan.report.refused += 1
            plan.report.reasons[row.refusal] += 1
            _note(plan, row, "refused", reason=row.refusal)
            continue
        facts = _facts(row, stored, authority, trusts)
        if stored is None:
            plan.report.added += 1
            plan.inserts.append(dict(_EMPTY) | facts)
            _note(plan, row, "added")
            continue
        changed = {name: value for name, value in facts.items() if name != "trust" and stored[name] != value}
        shown = {
            COLUMN_NAMES.get(name, "Customer class"): _pair(stored[name], value)
            for name, value in changed.items()
        }
        if "trust" in facts:
            trust = facts["trust"]
            if (trust.id if trust is not None else None) != stored["trust_id"]:
                changed["trust"] = trust
                shown["Trust"] = (names.get(stored["trust_id"], ""), trust.name if trust is not None else "")
        if not changed:
            plan.report.unchanged += 1
            continue
        plan.report.updated += 1
        plan.updates.append({"id": stored["id"]} | changed)
        _note(plan, row, "updated", changes=shown)
    return plan, trusts


def _facts(row: RegisterRow, stored: RowMapping | None, authority: str, trusts: _Trusts) -> dict[str, Any]:
    facts = {name: value for name, value in row.facts.items() if name not in ("trust_code", "trust_name")}
    if "trust_name" in row.facts:
        facts["trust"] = trusts.of(row.facts)
    elif stored is None:
        facts["trust"] = None
    facts["derived_class"] = derive_customer_class(
        facts["type_code"], facts["type_group_code"], facts["la_code"], authority
    )
    return facts


def _note(
    plan: _Plan,
    row: RegisterRow,
    outcome: str,
    *,
    reason: str = "",
    changes: Mapping[str, tuple[str, str]] | None = None,
) -> None:
    plan.report.changes.append(
        RowOutcome(row.number, row.urn, str(row.facts["name"]), outcome, reason, changes or {})
    )


def _pair(old: Any, new: Any) -> tuple[str, str]:
    return _shown(old), _shown(new)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, CustomerClass):
        return value.title
    return f"{value:%d-%m-%Y}" if isinstance(value, date) else str(value)


def _store_trusts(session: Session, trusts: _Trusts) -> None:
    for trust, name in trusts.renamed:
        trust.name = name
    for trust, uid in trusts.identified:
        trust.group_uid = uid
    session.add_all(trusts.added)
    session.flush()
    session.add_all(
        Customer(
            trust_id=trust.id,
            account_reference=f"T{trust.group_uid}" if trust.group_uid else f"TN{trust.id}",
            email="",
            purchase_order_required=False,
        )
        for trust in trusts.added
    )
    session.flush()


def _store_schools(session: Session, plan: _Plan) -> None:
    for values in (*plan.inserts, *plan.updates):
        if "trust" in values:
            trust = values.pop("trust")
            values["trust_id"] = trust.id if trust is not None else None
    if plan.updates:
        session.execute(update(School), plan.updates)
    if not plan.inserts:
        return
    session.execute(insert(School), plan.inserts)
    added = {values["urn"] for values in plan.inserts}
    keys = [(key, urn) for key, urn in session.execute(select(School.id, School.urn)) if urn in added]
    customers = [
        {"school_id": key, "account_reference": f"S{urn}", "email": "", "purchase_order_required": False}
        for key, urn in keys
    ]
    session.execute(insert(Customer), customers)
