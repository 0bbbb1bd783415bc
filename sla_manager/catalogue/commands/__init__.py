"""What changes the catalogue: presets, prices, and how a sale is billed."""

from sla_manager.catalogue.commands.presets import load_preset
from sla_manager.catalogue.commands.prices import (
    set_billing_rule,
    set_price,
    set_vat_rate,
    withdraw_offering,
)

__all__ = ["load_preset", "set_billing_rule", "set_price", "set_vat_rate", "withdraw_offering"]
