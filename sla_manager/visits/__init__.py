"""Done: diaries, visits, deliveries, the core offer proved."""
