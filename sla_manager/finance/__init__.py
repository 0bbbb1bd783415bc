"""Handed over: export batches and layouts of finance systems."""
