"""What changes agreements: quotes, orders, variations, the day ledger, the close of a year."""

from sla_manager.agreements.commands.ledger import balance_locked, enter, refuse_closed, reverse_entry
from sla_manager.agreements.commands.orders import accept_order, decline_order, end_agreement, place_order
from sla_manager.agreements.commands.quotes import expire_quotes, prepare_quote, withdraw_quote
from sla_manager.agreements.commands.variations import vary_line
from sla_manager.agreements.commands.years import close_year
from sla_manager.agreements.queries.pricing import LineWanted

__all__ = [
    "LineWanted",
    "accept_order",
    "balance_locked",
    "close_year",
    "decline_order",
    "end_agreement",
    "enter",
    "expire_quotes",
    "place_order",
    "prepare_quote",
    "refuse_closed",
    "reverse_entry",
    "vary_line",
    "withdraw_quote",
]
