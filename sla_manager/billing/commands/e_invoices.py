"""Where a customer takes electronic invoices: entered, changed, taken away."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import sla_manager.billing.constraints  # noqa: F401  (gives the database its sentences)
from sla_manager.billing.models import ElectronicAddress
from sla_manager.billing.rules.e_invoices import LONGEST_REFERENCE, checked_endpoint, clean
from sla_manager.kernel.errors import Conflict, NotFound, Refused
from sla_manager.kernel.unique_pupil_numbers import refuse_pupil_numbers
from sla_manager.people.models import Customer
from sla_manager.store.audit import Actor, record


class AddressChanged(Conflict):
    """Two people changed one customer's electronic address at once."""

    def __init__(self) -> None:
        super().__init__(
            "Somebody else changed this while you had it open. Check what it says now, then save again: "
            "what you typed is still below."
        )


def set_electronic_address(
    session: Session,
    customer_id: int,
    *,
    scheme: str,
    identifier: str,
    buyer_reference: str = "",
    expected_version: int | None = None,
    by: Actor,
    at: datetime,
) -> ElectronicAddress:
    """Set where a customer takes electronic invoices, from the next one made; those that were made stay.

    `expected_version` is the version that was on the page (0: there was none); another one is a conflict.
    """
    customer = session.get(Customer, customer_id, with_for_update=True)
    if customer is None:
        raise NotFound
    scheme, identifier = checked_endpoint(scheme, identifier)
    reference = refuse_pupil_numbers(clean(buyer_reference), field="buyer_reference")
    if len(reference) > LONGEST_REFERENCE:
        raise Refused(
            f"The reference has {len(reference):,} characters. Use {LONGEST_REFERENCE} at most.",
            field="buyer_reference",
        )
    found = session.scalar(select(ElectronicAddress).where(ElectronicAddress.customer_id == customer_id))
    if expected_version is not None and expected_version != (found.version if found else 0):
        raise AddressChanged
    if found is None:
        found = ElectronicAddress(customer_id=customer_id, version=0)
        session.add(found)
    found.scheme, found.identifier, found.buyer_reference = scheme, identifier, reference
    found.changed_at, found.changed_by, found.version = at, by.name, found.version + 1
    session.flush()
    record(
        session, "set_electronic_address", about="customer", about_id=customer_id, by=by, at=at,
        summary=f"Electronic address of {customer.account_reference}: {identifier or 'none'}.",
        details={"scheme": scheme, "identifier": identifier, "buyer_reference": reference},
    )  # fmt: skip
    return found
