"""What changes documents of money: only more of them. Credits take back, nothing is edited."""

from sla_manager.billing.commands.crediting import credit_agreement, credit_lost_time, issue_credit_note

__all__ = ["credit_agreement", "credit_lost_time", "issue_credit_note"]
