"""Sold: offerings, prices, presets of real services, VAT and route."""
