"""The form in which a payer says what is wrong with a document, for schools and trusts alike."""

from __future__ import annotations

from sla_manager.kernel.errors import Refused
from sla_manager.payments.commands.disputes import raise_dispute
from sla_manager.payments.commands.holds import LONGEST_REASON
from sla_manager.web.forms import BaseForm, LongTextField, once_key
from sla_manager.web.pages import actor, now, transaction


class DisputeForm(BaseForm):
    """What is wrong."""

    text = LongTextField(
        "What is wrong with it?",
        enter="Enter what is wrong with it",
        longest=LONGEST_REASON,
        hint="Say which line or amount, and what you expected. Do not name any pupil.",
    )
    once = once_key()


def send_dispute(form: DisputeForm, document_id: int) -> bool:
    """Raise the dispute that the form holds; say whether it is raised. What is refused stands beside its field."""
    if not form.is_sent():
        return False
    try:
        with transaction() as session:
            raise_dispute(
                session, document_id, text=form.text.data or "", once_key=form.once.data, by=actor(), at=now()
            )
    except Refused as error:
        form.refuse(error)
        return False
    return True
