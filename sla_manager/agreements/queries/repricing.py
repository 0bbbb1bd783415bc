"""What a variation of a line would cost, by the rule that was agreed with its price."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from sla_manager.agreements.models import AgreementLine, Variation
from sla_manager.catalogue.rules.top_up import change_net
from sla_manager.kernel.money import Money


def variation_net(session: Session, line: AgreementLine, quantity: Decimal) -> Money:
    """Return the money of a change to a line (+3 days, −2), by its price's shape and top-up rule; one query."""
    query = select(Variation.quantity, Variation.net).where(Variation.line_id == line.id)
    now, now_net = line.quantity, line.net
    for varied, net in session.execute(query):
        now, now_net = now + varied, now_net + net
    return change_net(
        quantity,
        now=now,
        now_net=now_net,
        unit_price=line.unit_price,
        shape=line.price_shape,
        facts=line.price_facts,
        is_lowered=bool(line.discount) or bool(line.package) or "share" in line.price_facts,
    )
