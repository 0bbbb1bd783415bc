"""Fields that no form of ours has: somebody tries to set a status, a price or an owner (S12)."""

from __future__ import annotations

from collections.abc import Collection

from flask import request

from sla_manager.kernel.errors import Refused
from sla_manager.store.audit import record
from sla_manager.web.pages import actor, now, transaction

PROTECTED = (
    "status",
    "price",
    "unit_price",
    "net",
    "vat",
    "gross",
    "discount",
    "owner",
    "customer",
    "customer_id",
    "school",
    "school_id",
    "service_id",
    "prepared_by",
    "order_limit",
    "limit",
    "valid_until",
    "reference",
    "document_sha256",
    "decision_by",
    "agreed_at",
    "ordered_at",
)
"""What the product decides. A form may have a field of such a name; then it is the form's own."""


def refuse_foreign_fields(known: Collection[str], *, about: str, about_id: int | None) -> None:
    """Refuse a form that was sent with something that the product decides, and keep the attempt in the audit trail.

    `known` are the names of the form's own fields. Nothing of the form is used.
    """
    found = sorted(name for name in request.form if _is_protected(name) and name not in known)
    if not found:
        return
    with transaction() as session:
        record(
            session,
            "refuse_foreign_fields",
            about=about,
            about_id=about_id,
            summary=f"A form was sent with {', '.join(found)[:200]}, which nobody may set. Nothing was saved.",
            by=actor(),
            at=now(),
            details={"fields": found[:20], "page": request.path},
        )
    raise Refused(
        f"This form was sent with “{found[0][:40]}”, which nobody may set here. Nothing was saved. "
        "Open the page again and use its own fields."
    )


def _is_protected(name: str) -> bool:
    bare = name.lower().replace("-", "_")
    return any(bare == one or bare.startswith(f"{one}_") for one in PROTECTED)
