"""The pages, split by who uses them."""
