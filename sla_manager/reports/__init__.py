"""What everyone asks of all rooms at once: whether the books are in order; later pace, year end, cost recovery."""
