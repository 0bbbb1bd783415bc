"""Bank statements read from their files: XML, SWIFT, OFX and the CSV files of British banks."""
