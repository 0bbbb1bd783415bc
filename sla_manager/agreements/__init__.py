"""Promised: quotes, orders, agreements, variations, tranches, the day ledger, the year close, the SLA document."""
