"""Owed: documents of money, runs and credits."""
