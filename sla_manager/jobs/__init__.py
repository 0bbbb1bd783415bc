"""Work in the background: one process, jobs that are idempotent and derived from state."""
