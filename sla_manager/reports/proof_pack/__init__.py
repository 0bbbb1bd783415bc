"""The proof pack: everything that shows what one school bought, had and owed in one financial year, in one ZIP."""
