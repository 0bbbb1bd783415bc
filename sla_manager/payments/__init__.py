"""Paid: receipts and allocations."""
